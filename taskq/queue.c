// SPDX-License-Identifier: GPL-2.0-only
/*
 * Task queues: own the queue, borrow the threads.
 *
 * Problem.  A tracer finds work in contexts that cannot do it.  A workqueue
 * moves work to a thread, but promises neither an exact number of threads nor,
 * with more than one, an order; it cannot be used from NMI; and a work item that
 * meets destroy_workqueue() is dropped without a word.  taskq(9F) promises the
 * first, and here the others are kept too.
 *
 * Structures.
 *
 *   xtaskq --- pending: entries in order of dispatch, FRONT ones first   dispatch.c
 *     |    \-- by_id:   the same entries by id
 *     |--- idle: runners that have nothing to do                           runner.c
 *     |--- runners[nthreads]: who runs what
 *     |--- spare: entries for xtaskq_dispatch()                             entry.c
 *     \--- waiters: who sleeps until what is done                            wait.c
 *
 *   per CPU: inbox of entries that xtaskq_dispatch_any() took, one hand-off
 *
 * A runner is busy from being taken off the idle list to being put back, so at
 * most nthreads functions run, and nthreads do while that many are there: no
 * entry is pending while a runner is idle (in a dynamic queue for a tick at most, see
 * runner.c).  With nthreads == 1 one function has returned before the next is called.
 *
 * Locking.  One raw lock per queue, a leaf but for nothing: runners are woken,
 * waiters completed, memory freed after it.  xtaskq_list_lock (a mutex) protects
 * the list of queues and is never held while something is waited for.
 *
 * Accounting.  dispatched = executed + cancelled + failed + what is still pending,
 * running or in flight, at any time; destroy checks it when the last three are
 * zero.
 *
 * Destroy, in this order: close the gate; a grace period, so that all that found
 * it open is counted; wait until nothing is left; a grace period, so that nobody
 * is about to wake a runner; stop the runners; free, the queue itself after a
 * further grace period.  A queue's own function gets -EDEADLK.
 *
 * Unload.  Users of the exports hold the module.  A queue whose owner went without
 * destroying it is reported and destroyed at unload.
 *
 * Limits.  xtaskq_member() and the scan for a running id look at all nthreads.
 */
#define pr_fmt(fmt) "xsync_taskq: " fmt

#include <linux/export.h>
#include <linux/limits.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "internal.h"

static DEFINE_MUTEX(xtaskq_list_lock);
static LIST_HEAD(xtaskq_list);

static bool create_args_valid(int nthreads, int pri, int minalloc, int maxalloc,
			      unsigned int flags)
{
	unsigned int known = XTASKQ_PREPOPULATE | XTASKQ_DEDICATED | XTASKQ_DYNAMIC;

	if (flags & ~known)
		return false;
	if ((flags & XTASKQ_DYNAMIC) && !(flags & XTASKQ_DEDICATED))
		return false;
	if (nthreads < 1 || minalloc < 0 || maxalloc < 0)
		return false;
	if (maxalloc && maxalloc < minalloc)
		return false;
	return pri == XTASKQ_PRI_NORMAL || pri == XTASKQ_PRI_HIGH;
}

static struct xtaskq *tq_alloc(const char *name, int nthreads)
{
	struct xtaskq *tq = kvzalloc(struct_size(tq, runners, nthreads), GFP_KERNEL);
	unsigned int i;

	if (!tq)
		return NULL;
	tq->name = kstrdup(name, GFP_KERNEL);
	if (!tq->name) {
		kvfree(tq);
		return NULL;
	}
	raw_spin_lock_init(&tq->lock);
	INIT_LIST_HEAD(&tq->pending);
	INIT_LIST_HEAD(&tq->idle);
	INIT_LIST_HEAD(&tq->waiters);
	INIT_LIST_HEAD(&tq->spare);
	for (i = 0; i < ARRAY_SIZE(tq->by_id); i++)
		INIT_HLIST_HEAD(&tq->by_id[i]);
	init_waitqueue_head(&tq->freed);
	lockdep_register_key(&tq->key);
	lockdep_init_map(&tq->map, tq->name, &tq->key, 0);
	return tq;
}

static void tq_free(struct xtaskq *tq)
{
	xtaskq_ents_free(tq);
	lockdep_unregister_key(&tq->key);
	kfree(tq->name);
	kvfree_rcu(tq, rcu);
}

struct xtaskq *xtaskq_create(const char *name, int nthreads, int pri,
			     int minalloc, int maxalloc, unsigned int flags)
{
	struct xtaskq *tq;
	int err;

	if (!create_args_valid(nthreads, pri, minalloc, maxalloc, flags))
		return ERR_PTR(-EINVAL);
	tq = tq_alloc(name, nthreads);
	if (!tq)
		return ERR_PTR(-ENOMEM);
	tq->flags = flags;
	tq->pri = pri;
	tq->nthreads = nthreads;
	tq->minalloc = minalloc;
	tq->maxalloc = maxalloc ?: UINT_MAX;

	err = xtaskq_ents_init(tq);
	if (!err)
		err = xtaskq_runners_start(tq);
	if (err) {
		xtaskq_runners_stop(tq);
		tq_free(tq);
		return ERR_PTR(err);
	}
	mutex_lock(&xtaskq_list_lock);
	list_add_tail(&tq->link, &xtaskq_list);
	mutex_unlock(&xtaskq_list_lock);
	return tq;
}
EXPORT_SYMBOL_GPL(xtaskq_create);

/* Closes the gate; false: it was closed. */
static bool tq_close(struct xtaskq *tq)
{
	bool closed;

	raw_spin_lock_irq(&tq->lock);
	closed = !tq->dead;
	WRITE_ONCE(tq->dead, true);
	raw_spin_unlock_irq(&tq->lock);
	return closed;
}

int xtaskq_destroy(struct xtaskq *tq)
{
	int err = xtaskq_may_wait(tq, "destroy");

	if (err)
		return err;
	if (!tq_close(tq))
		return -EALREADY;
	wake_up_all(&tq->freed);
	synchronize_rcu();
	xtaskq_wait(tq);
	synchronize_rcu();

	mutex_lock(&xtaskq_list_lock);
	list_del(&tq->link);
	mutex_unlock(&xtaskq_list_lock);
	xtaskq_runners_stop(tq);
	WARN_ON_ONCE(tq->linked != tq->executed + tq->cancelled);
	tq_free(tq);
	return 0;
}
EXPORT_SYMBOL_GPL(xtaskq_destroy);

bool xtaskq_member(struct xtaskq *tq, struct task_struct *task)
{
	unsigned int i;

	for (i = 0; i < tq->nthreads; i++)
		if (READ_ONCE(tq->runners[i].task) == task)
			return true;
	return false;
}
EXPORT_SYMBOL_GPL(xtaskq_member);

static const char *kind_of(struct xtaskq *tq)
{
	if (tq->flags & XTASKQ_DYNAMIC)
		return "dynamic";
	return tq->flags & XTASKQ_DEDICATED ? "dedicated" : "workqueue";
}

static void show_counters(struct seq_file *m, struct xtaskq *tq)
{
	u64 linked, executed, cancelled, failed, in_flight;
	unsigned int pending, busy, live;

	raw_spin_lock_irq(&tq->lock);
	linked = tq->linked;
	executed = tq->executed;
	cancelled = tq->cancelled;
	failed = atomic64_read(&tq->failed);
	in_flight = atomic_read(&tq->in_flight);
	pending = tq->npending;
	live = tq->nlive;
	busy = tq->nlive - tq->nidle;
	raw_spin_unlock_irq(&tq->lock);

	seq_printf(m, "%s kind=%s threads=%u/%u busy=%u pending=%u inflight=%llu dispatched=%llu executed=%llu cancelled=%llu failed=%llu",
		   tq->name, kind_of(tq), live, tq->nthreads, busy, pending,
		   in_flight, linked + in_flight + failed, executed, cancelled,
		   failed);
}

static void show_running(struct seq_file *m, struct xtaskq *tq)
{
	const char *sep = " running=";
	unsigned int i;

	for (i = 0; i < tq->nthreads; i++) {
		struct xtaskq_runner *r = &tq->runners[i];
		xtaskq_func_t func;
		ktime_t since;

		raw_spin_lock_irq(&tq->lock);
		func = r->func;
		since = r->since;
		raw_spin_unlock_irq(&tq->lock);
		if (!func)
			continue;
		seq_printf(m, "%s%ps:%lldus", sep, func,
			   ktime_us_delta(ktime_get(), since));
		sep = ",";
	}
}

/* One line per queue. */
void xtaskq_show(struct seq_file *m)
{
	struct xtaskq *tq;

	mutex_lock(&xtaskq_list_lock);
	list_for_each_entry(tq, &xtaskq_list, link) {
		show_counters(m, tq);
		show_running(m, tq);
		seq_putc(m, '\n');
	}
	mutex_unlock(&xtaskq_list_lock);
}

/* At unload: nobody else is left who could destroy a queue. */
void xtaskq_destroy_leftovers(void)
{
	struct xtaskq *tq, *next;

	list_for_each_entry_safe(tq, next, &xtaskq_list, link) {
		pr_err("%s: never destroyed by its owner\n", tq->name);
		xtaskq_destroy(tq);
	}
}
