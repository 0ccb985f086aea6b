// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs - read-only state for people.
 *
 *	xsync/domains   one line per domain
 *	xsync/cpus      one line per CPU
 *
 * Everything is read while it changes: the figures of a line need not belong to
 * one moment.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include "debugfs.h"
#include "internal.h"

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

static unsigned long xsync_starts(const struct xsync_state *s)
{
	unsigned long starts = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		starts += READ_ONCE(per_cpu_ptr(s->counts, cpu)->starts);
	return starts;
}

static void xsync_show_domain(struct seq_file *m, const struct xsync_state *s)
{
	bool in_round = READ_ONCE(s->seq) & 1;
	unsigned int age = 0;

	if (in_round)
		age = jiffies_to_msecs(jiffies - READ_ONCE(s->round_began));

	seq_printf(m, "%-24s %-7s %10lu %10lu %8s %8u %9ld %7lu %7lu  %*pbl\n",
		   s->name, s->ask ? "ipi" : "fenced", READ_ONCE(s->rounds), xsync_starts(s),
		   in_round ? "open" : "-", age, atomic_long_read(&s->callbacks),
		   READ_ONCE(s->stalls), READ_ONCE(s->misuse.count),
		   cpumask_pr_args(s->pending));
}

static int xsync_domains_show(struct seq_file *m, void *v)
{
	const struct xsync_state *s;

	seq_printf(m, "%-24s %-7s %10s %10s %8s %8s %9s %7s %7s  %s\n", "domain",
		   "flavour", "rounds", "starts", "round", "age_ms", "callbacks", "stalls",
		   "refused", "pending_cpus");
	mutex_lock(&xsync_domains_lock);
	list_for_each_entry(s, &xsync_domains, node)
		xsync_show_domain(m, s);
	mutex_unlock(&xsync_domains_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(xsync_domains);

static int xsync_cpus_show(struct seq_file *m, void *v)
{
	unsigned int cpu;

	seq_printf(m, "%4s %10s %6s %10s %10s %10s %6s\n", "cpu", "handoffs",
		   "outbox", "posts", "ipis_sent", "ipis_saved", "inbox");
	for_each_possible_cpu(cpu) {
		struct xcall_counts counts;
		bool outbox, inbox;
		unsigned long handoffs = xsync_outbox_counts(cpu, &outbox);

		xcall_counts(cpu, &counts, &inbox);
		seq_printf(m, "%4u %10lu %6s %10lu %10lu %10lu %6s\n", cpu,
			   handoffs, outbox ? "queued" : "-", counts.posts,
			   counts.sent, counts.saved, inbox ? "queued" : "-");
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(xsync_cpus);

void xsync_debugfs_init(void)
{
	xsync_dir = debugfs_create_dir("xsync", NULL);
	debugfs_create_file("domains", 0400, xsync_dir, NULL, &xsync_domains_fops);
	debugfs_create_file("cpus", 0400, xsync_dir, NULL, &xsync_cpus_fops);
}

void xsync_debugfs_exit(void)
{
	debugfs_remove(xsync_dir);
}
