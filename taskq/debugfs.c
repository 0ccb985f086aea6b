// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs - read-only state for people.
 *
 *	taskq/queues		one line per queue
 *	taskq/NAME.N/state	the same figures of one queue, one line each, and more
 *	taskq/NAME.N/tasks	what runs, and the first of what waits
 *	taskq/NAME.N/latency	histograms: how long tasks waited, how long functions took
 *
 * Everything is read while it changes; the figures of one queue belong to one moment.
 * N is the queue's number since the module was loaded.
 */
#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <xsync/debugfs.h>
#include "internal.h"

#define TASKS_SHOWN	32	/* of those that wait */

static struct dentry *xtaskq_dir;

struct counts {
	u64 linked, executed, cancelled, failed, in_flight;
	unsigned int threads, live, busy, pending, delayed, entries, suspended;
	bool frozen, dead;
};

static const char *kind_of(const struct xtaskq *tq)
{
	if (tq->flags & XTASKQ_DYNAMIC)
		return "dynamic";
	return tq->flags & XTASKQ_DEDICATED ? "dedicated" : "workqueue";
}

static void count(struct xtaskq *tq, struct counts *c)
{
	raw_spin_lock_irq(&tq->lock);
	*c = (struct counts) {
		.linked = tq->linked,
		.executed = tq->executed,
		.cancelled = tq->cancelled,
		.failed = atomic64_read(&tq->failed),
		.in_flight = atomic_read(&tq->in_flight),
		.threads = tq->nthreads,
		.live = tq->nlive,
		.busy = tq->nlive - tq->nidle,
		.pending = tq->npending,
		.delayed = tq->ndelayed,
		.entries = tq->nalloc,
		.suspended = tq->suspended,
		.frozen = tq->frozen,
		.dead = tq->dead,
	};
	raw_spin_unlock_irq(&tq->lock);
}

static const char *state_of(const struct counts *c)
{
	if (c->dead)
		return "dying";
	if (c->frozen)
		return "frozen";
	return c->suspended ? "suspended" : "-";
}

static int queues_show(struct seq_file *m, void *unused)
{
	struct xtaskq *tq;
	struct counts c;

	seq_printf(m, "%-24s %-9s %9s %7s %5s %7s %7s %11s %10s %10s %9s %7s\n", "queue",
		   "kind", "state", "threads", "busy", "pending", "delayed", "in_flight",
		   "dispatched", "executed", "cancelled", "failed");
	mutex_lock(&xtaskq_list_lock);
	list_for_each_entry(tq, &xtaskq_list, link) {
		count(tq, &c);
		seq_printf(m, "%-24s %-9s %9s %3u/%-3u %5u %7u %7u %11llu %10llu %10llu %9llu %7llu\n",
			   tq->name, kind_of(tq), state_of(&c), c.live, c.threads, c.busy,
			   c.pending, c.delayed, c.in_flight,
			   c.linked + c.in_flight + c.failed, c.executed, c.cancelled,
			   c.failed);
	}
	mutex_unlock(&xtaskq_list_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(queues);

static int state_show(struct seq_file *m, void *unused)
{
	struct xtaskq *tq = m->private;
	struct counts c;

	count(tq, &c);
	seq_printf(m, "name %s\nkind %s\nstate %s\n", tq->name, kind_of(tq), state_of(&c));
	seq_printf(m, "suspended %u\npriority %s\n", c.suspended,
		   tq->pri == XTASKQ_PRI_HIGH ? "high" : "normal");
	seq_printf(m, "threads %u\nthreads_most %u\nthreads_percent %u\nbusy %u\n", c.live,
		   c.threads, tq->percent, c.busy);
	seq_printf(m, "pending %u\ndelayed %u\nin_flight %llu\n", c.pending, c.delayed,
		   c.in_flight);
	seq_printf(m, "dispatched %llu\nexecuted %llu\ncancelled %llu\nfailed %llu\n",
		   c.linked + c.in_flight + c.failed, c.executed, c.cancelled, c.failed);
	seq_printf(m, "entries %u\nminalloc %u\nmaxalloc %u\n", c.entries, tq->minalloc,
		   tq->maxalloc);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

struct shown_task {
	xtaskqid_t id;
	xtaskq_func_t func;
	u64 since;
};

static void show_task(struct seq_file *m, const char *state, const struct shown_task *task)
{
	seq_printf(m, "%-8s %12llu %12llu %ps\n", state, task->id,
		   div_u64(xsync_age(task->since), NSEC_PER_USEC), task->func);
}

static void show_running(struct seq_file *m, struct xtaskq *tq)
{
	unsigned int i;

	for (i = 0; i < tq->nslots; i++) {
		struct xtaskq_runner *r = &tq->runners[i];
		struct shown_task task;

		raw_spin_lock_irq(&tq->lock);
		task = (struct shown_task) { r->tag.id, r->func, r->since };
		raw_spin_unlock_irq(&tq->lock);
		if (task.id)
			show_task(m, "runs", &task);
	}
}

static int show_waiting(struct seq_file *m, struct xtaskq *tq)
{
	struct shown_task *tasks = kcalloc(TASKS_SHOWN, sizeof(*tasks), GFP_KERNEL);
	struct xtaskq_ent *ent;
	unsigned int i, n = 0;

	if (!tasks)
		return -ENOMEM;
	raw_spin_lock_irq(&tq->lock);
	list_for_each_entry(ent, &tq->pending, link) {
		if (n == TASKS_SHOWN)
			break;
		tasks[n++] = (struct shown_task) { ent->tag.id, ent->func, ent->since };
	}
	raw_spin_unlock_irq(&tq->lock);

	for (i = 0; i < n; i++)
		show_task(m, "pending", &tasks[i]);
	kfree(tasks);
	return 0;
}

static int tasks_show(struct seq_file *m, void *unused)
{
	struct xtaskq *tq = m->private;

	seq_printf(m, "%-8s %12s %12s %s\n", "state", "id", "age_us", "function");
	show_running(m, tq);
	return show_waiting(m, tq);
}
DEFINE_SHOW_ATTRIBUTE(tasks);

static void show_hist(struct seq_file *m, const char *kind,
		      const struct xsync_hist __percpu *hist)
{
	unsigned int bucket;

	for (bucket = 0; bucket < XSYNC_HIST_BUCKETS; bucket++) {
		unsigned long sum = xsync_hist_sum(hist, bucket);

		if (sum)
			seq_printf(m, "%-6s %14llu %12lu\n", kind,
				   bucket ? 1ULL << bucket : 0, sum);
	}
}

static int latency_show(struct seq_file *m, void *unused)
{
	struct xtaskq *tq = m->private;

	seq_printf(m, "%-6s %14s %12s\n", "kind", "below_ns", "count");
	show_hist(m, "wait", tq->waits);
	show_hist(m, "run", tq->runs);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(latency);

/**
 * xtaskq_debugfs_add - make the folder of a queue
 * @tq: the queue
 *
 * A slash in its name would be a folder of its own.
 *
 * Context: Task context, may sleep.
 */
void xtaskq_debugfs_add(struct xtaskq *tq)
{
	char *name = kasprintf(GFP_KERNEL, "%s.%u", tq->name, tq->serial);

	if (!name)
		return;
	strreplace(name, '/', '!');
	tq->dir = debugfs_create_dir(name, xtaskq_dir);
	debugfs_create_file("state", 0400, tq->dir, tq, &state_fops);
	debugfs_create_file("tasks", 0400, tq->dir, tq, &tasks_fops);
	debugfs_create_file("latency", 0400, tq->dir, tq, &latency_fops);
	kfree(name);
}

/* Returns when nobody reads any more. */
void xtaskq_debugfs_remove(struct xtaskq *tq)
{
	debugfs_remove(tq->dir);
}

void xtaskq_debugfs_init(void)
{
	xtaskq_dir = debugfs_create_dir("taskq", xsync_debugfs_dir());
	debugfs_create_file("queues", 0400, xtaskq_dir, NULL, &queues_fops);
}

void xtaskq_debugfs_exit(void)
{
	debugfs_remove(xtaskq_dir);
}
