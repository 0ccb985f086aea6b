// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs - read-only state for people.
 *
 *	xsync/domains   one line per domain
 *	xsync/cpus      one line per CPU
 *	xsync/calls     one line: the waits for cross-calls
 *	xsync/latency   a histogram per domain and kind of time, one line per bucket
 *
 * Everything is read while it changes: the figures of a line need not belong to
 * one moment.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>
#include "debugfs.h"
#include "inbox.h"

static struct dentry *xsync_dir;

/**
 * xsync_debugfs_dir - the folder "xsync" at the top of debugfs
 *
 * Context: Any.
 * Return: the folder, or an error pointer that every debugfs function accepts.
 */
struct dentry *xsync_debugfs_dir(void)
{
	return xsync_dir;
}
EXPORT_SYMBOL_GPL(xsync_debugfs_dir);

static void xsync_counts(const struct xsync_state *s, struct xsync_counts *sum)
{
	unsigned int cpu;

	*sum = (struct xsync_counts){};
	for_each_possible_cpu(cpu) {
		const struct xsync_counts *c = per_cpu_ptr(s->counts, cpu);

		sum->starts += READ_ONCE(c->starts);
		sum->waits += READ_ONCE(c->waits);
		sum->slept += READ_ONCE(c->slept);
	}
}

static u64 xsync_round_age_ms(const struct xsync_state *s)
{
	u64 began = READ_ONCE(s->round_began);

	return began ? div_u64(xsync_age(began), NSEC_PER_MSEC) : 0;
}

static void xsync_show_domain(struct seq_file *m, const struct xsync_state *s)
{
	struct xsync_counts sum;

	xsync_counts(s, &sum);
	seq_printf(m, "%-24s %-7s %10lu %10lu %10lu %10lu %8s %8llu %9ld %7lu %7lu  %*pbl\n",
		   s->name, s->ask ? "ipi" : "fenced", READ_ONCE(s->rounds),
		   sum.starts, sum.waits, sum.slept,
		   READ_ONCE(s->seq) & 1 ? READ_ONCE(s->asked) ? "asked" : "open" : "-",
		   xsync_round_age_ms(s), atomic_long_read(&s->callbacks),
		   READ_ONCE(s->stalls), READ_ONCE(s->misuse.count),
		   cpumask_pr_args(s->pending));
}

static int xsync_domains_show(struct seq_file *m, void *v)
{
	const struct xsync_state *s;

	seq_printf(m, "%-24s %-7s %10s %10s %10s %10s %8s %8s %9s %7s %7s  %s\n",
		   "domain", "flavour", "rounds", "starts", "waits", "slept", "round",
		   "age_ms", "callbacks", "stalls", "refused", "pending_cpus");
	mutex_lock(&xsync_domains_lock);
	list_for_each_entry(s, &xsync_domains, node)
		xsync_show_domain(m, s);
	mutex_unlock(&xsync_domains_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(xsync_domains);

static void xsync_show_glance(struct seq_file *m, unsigned int cpu, unsigned int mode)
{
	struct xcall_glance g;

	xcall_glance(cpu, mode, &g);
	seq_printf(m, " %6s %8u", g.queued ? "queued" : "-", g.age_ms);
	if (g.running)
		seq_printf(m, " %ps", g.running);
	else
		seq_puts(m, " -");
}

static int xsync_cpus_show(struct seq_file *m, void *v)
{
	unsigned int cpu;

	seq_printf(m, "%4s %10s %6s %10s %10s %10s %6s %8s %s %6s %8s %s\n", "cpu",
		   "handoffs", "outbox", "posts", "ipis_sent", "ipis_saved",
		   "ipi", "age_ms", "running", "thread", "age_ms", "running");
	for_each_possible_cpu(cpu) {
		struct xcall_counts counts;
		bool outbox;
		unsigned long handoffs = xsync_outbox_counts(cpu, &outbox);

		xcall_counts(cpu, &counts);
		seq_printf(m, "%4u %10lu %6s %10lu %10lu %10lu", cpu, handoffs,
			   outbox ? "queued" : "-", counts.posts, counts.sent,
			   counts.saved);
		xsync_show_glance(m, cpu, XCALL_IPI);
		xsync_show_glance(m, cpu, XCALL_THREAD);
		seq_putc(m, '\n');
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(xsync_cpus);

static int xsync_calls_show(struct seq_file *m, void *v)
{
	struct xcall_totals totals;

	xcall_totals(&totals);
	seq_printf(m, "%10s %10s\n%10lu %10lu\n", "stalls", "refused",
		   totals.stalls, totals.refused);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(xsync_calls);

static void xsync_show_hist(struct seq_file *m, const char *name, const char *kind,
			    const struct xsync_hist __percpu *hist)
{
	unsigned int bucket;

	for (bucket = 0; bucket < XSYNC_HIST_BUCKETS; bucket++) {
		unsigned long sum = xsync_hist_sum(hist, bucket);

		if (sum)
			seq_printf(m, "%-24s %-7s %14llu %12lu\n", name, kind,
				   bucket ? 1ULL << bucket : 0, sum);
	}
}

static int xsync_latency_show(struct seq_file *m, void *v)
{
	const struct xsync_state *s;
	struct xcall_totals totals;

	seq_printf(m, "%-24s %-7s %14s %12s\n", "domain", "kind", "below_ns", "count");
	mutex_lock(&xsync_domains_lock);
	list_for_each_entry(s, &xsync_domains, node) {
		xsync_show_hist(m, s->name, "round", s->open);
		xsync_show_hist(m, s->name, "wait", s->waits);
	}
	mutex_unlock(&xsync_domains_lock);
	xcall_totals(&totals);
	xsync_show_hist(m, "-", "xcall", totals.waits);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(xsync_latency);

void xsync_debugfs_init(void)
{
	xsync_dir = debugfs_create_dir("xsync", NULL);
	debugfs_create_file("domains", 0400, xsync_dir, NULL, &xsync_domains_fops);
	debugfs_create_file("cpus", 0400, xsync_dir, NULL, &xsync_cpus_fops);
	debugfs_create_file("calls", 0400, xsync_dir, NULL, &xsync_calls_fops);
	debugfs_create_file("latency", 0400, xsync_dir, NULL, &xsync_latency_fops);
}

void xsync_debugfs_exit(void)
{
	debugfs_remove(xsync_dir);
}
