// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs - read-only state for people.
 *
 *	timeout/tables		one line per CPU and clock
 *	timeout/armed		what is due next, the first of each table
 *	timeout/running		the functions that run, or wait for their mutex
 *	timeout/lateness	histogram: how late functions began
 *
 * Everything is read while it changes.
 */
#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <xsync/debugfs.h>
#include "internal.h"

#define ARMED_SHOWN	32	/* of each table */

static struct dentry *xtimeout_dir;

static unsigned int cpu_of(const struct xtimeout_table *table)
{
	return table->index / XTIMEOUT_CLOCKS;
}

static const char *clock_of(const struct xtimeout_table *table)
{
	return table->clock == XTIMEOUT_CLOCK_WALL ? "wall" : "monotonic";
}

static unsigned long length(struct list_head *list)
{
	struct list_head *pos;
	unsigned long n = 0;

	list_for_each(pos, list)
		n++;
	return n;
}

static int tables_show(struct seq_file *m, void *unused)
{
	struct xtimeout_table *table;

	seq_printf(m, "%-4s %-9s %9s %7s %8s %12s %12s %7s %14s\n", "cpu", "clock", "armed",
		   "fired", "running", "total_fired", "cancelled", "spares", "next_us");
	for_each_xtimeout_table(table) {
		unsigned long armed, waiting, running;
		struct timerqueue_node *first;
		u64 fired, cancelled;
		unsigned int spares;
		s64 next = -1;

		raw_spin_lock_irq(&table->lock);
		armed = table->narmed;
		waiting = table->nwaiting;
		running = length(&table->runs);
		fired = table->nfired;
		cancelled = table->ncancelled;
		spares = table->nspare;
		first = timerqueue_getnext(&table->armed);
		if (first)
			next = max_t(s64, ktime_us_delta(first->expires,
							 xtimeout_now(table->clock)), 0);
		raw_spin_unlock_irq(&table->lock);

		seq_printf(m, "%-4u %-9s %9lu %7lu %8lu %12llu %12llu %7u %14lld\n",
			   cpu_of(table), clock_of(table), armed, waiting, running, fired,
			   cancelled, spares, next);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tables);

struct shown_armed {
	u64 id, period;
	xtimeout_func_t func;
	s64 left;
};

static unsigned int copy_armed(struct xtimeout_table *table, struct shown_armed *shown,
			       unsigned long *more)
{
	ktime_t now = xtimeout_now(table->clock);
	struct timerqueue_node *node;
	unsigned int n = 0;

	raw_spin_lock_irq(&table->lock);
	for (node = timerqueue_getnext(&table->armed); node && n < ARMED_SHOWN;
	     node = timerqueue_iterate_next(node)) {
		struct xcallout *co = container_of(node, struct xcallout, node);

		shown[n++] = (struct shown_armed) {
			.id = co->id, .period = co->period, .func = co->func,
			.left = ktime_us_delta(co->due, now),
		};
	}
	*more = table->narmed - n;
	raw_spin_unlock_irq(&table->lock);
	return n;
}

static int armed_show(struct seq_file *m, void *unused)
{
	struct shown_armed *shown = kcalloc(ARMED_SHOWN, sizeof(*shown), GFP_KERNEL);
	struct xtimeout_table *table;
	unsigned int j, n;
	unsigned long more;

	if (!shown)
		return -ENOMEM;
	seq_printf(m, "%-4s %-9s %20s %14s %14s %s\n", "cpu", "clock", "id", "due_us",
		   "period_us", "function");
	for_each_xtimeout_table(table) {
		n = copy_armed(table, shown, &more);
		for (j = 0; j < n; j++)
			seq_printf(m, "%-4u %-9s %20llu %14lld %14llu %ps\n", cpu_of(table),
				   clock_of(table), shown[j].id, shown[j].left,
				   div_u64(shown[j].period, NSEC_PER_USEC), shown[j].func);
		if (more)
			seq_printf(m, "%-4u %-9s %lu more\n", cpu_of(table), clock_of(table),
				   more);
	}
	kfree(shown);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(armed);

/* The @nth function that runs in a table; false: there are fewer. */
static bool run_nth(struct xtimeout_table *table, unsigned int nth,
		    struct xtimeout_run *copy, pid_t *pid)
{
	struct xtimeout_run *run;
	bool found = false;

	raw_spin_lock_irq(&table->lock);
	list_for_each_entry(run, &table->runs, link) {
		if (!nth--) {
			*copy = *run;
			*pid = run->task->pid;
			found = true;
			break;
		}
	}
	raw_spin_unlock_irq(&table->lock);
	return found;
}

static int running_show(struct seq_file *m, void *unused)
{
	struct xtimeout_table *table;
	struct xtimeout_run run;
	unsigned int nth;
	pid_t pid;

	seq_printf(m, "%-4s %-9s %20s %8s %8s %12s %s\n", "cpu", "clock", "id", "thread",
		   "state", "age_us", "function");
	for_each_xtimeout_table(table)
		for (nth = 0; run_nth(table, nth, &run, &pid); nth++)
			seq_printf(m, "%-4u %-9s %20llu %8d %8s %12lld %ps\n", cpu_of(table),
				   clock_of(table), run.id, pid,
				   run.locking ? "locks" : "runs",
				   ktime_us_delta(ktime_get(), run.since), run.func);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(running);

static int lateness_show(struct seq_file *m, void *unused)
{
	unsigned int bucket;

	seq_printf(m, "%14s %12s\n", "below_ns", "count");
	for (bucket = 0; bucket < XSYNC_HIST_BUCKETS; bucket++) {
		unsigned long sum = xsync_hist_sum(xtimeout_lateness, bucket);

		if (sum)
			seq_printf(m, "%14llu %12lu\n", bucket ? 1ULL << bucket : 0, sum);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(lateness);

void xtimeout_debugfs_init(void)
{
	xtimeout_dir = debugfs_create_dir("timeout", xsync_debugfs_dir());
	debugfs_create_file("tables", 0400, xtimeout_dir, NULL, &tables_fops);
	debugfs_create_file("armed", 0400, xtimeout_dir, NULL, &armed_fops);
	debugfs_create_file("running", 0400, xtimeout_dir, NULL, &running_fops);
	debugfs_create_file("lateness", 0400, xtimeout_dir, NULL, &lateness_fops);
}

/* Returns when nobody reads any more. */
void xtimeout_debugfs_exit(void)
{
	debugfs_remove(xtimeout_dir);
}
