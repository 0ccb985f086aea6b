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
 *     |    |-- by_id:   entries that are pending or delayed, by id
 *     |    \-- by_age:  the same, and what runs, from the oldest id on       wait.c
 *     |--- idle: runners that have nothing to do                           runner.c
 *     |--- runners[nslots]: who runs what
 *     |--- spare: entries for xtaskq_dispatch()                             entry.c
 *     \--- waiters, throttled: who sleeps until what is done                 wait.c
 *
 *   per CPU: inbox of entries that xtaskq_dispatch_any() took, one hand-off
 *
 * A runner is busy from being taken off the idle list to being put back, so at
 * most nthreads functions run, and nthreads do while that many are there: no
 * entry is pending while a runner is idle (in a dynamic queue for a tick or two, see
 * manager.c).  With nthreads == 1 one function has returned before the next is called.
 *
 * Locking.  One raw lock per queue.  Inside it are only those of the kernel's hard
 * timers, which do not call with them held; runners are woken, waiters completed, memory
 * freed after it.  xtaskq_list_lock (a mutex) protects the list of queues.  It may be
 * held while threads are created, never while functions are waited for.
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
 * Limits.  xtaskq_member() of another task and the scan for a running id look at all
 * runners.
 */
#define pr_fmt(fmt) "xsync_taskq: " fmt

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/slab.h>
#include "internal.h"

/* Of one queue.  All of them are looked at now and then. */
#define MOST_THREADS	8192

/* Of xtaskq_list, and of all_frozen in suspend.c. */
DEFINE_MUTEX(xtaskq_list_lock);
LIST_HEAD(xtaskq_list);

static bool create_flags_valid(unsigned int flags)
{
	unsigned int known = XTASKQ_PREPOPULATE | XTASKQ_DEDICATED | XTASKQ_DYNAMIC |
			     XTASKQ_CPR_SAFE | XTASKQ_THREADS_CPU_PCT |
			     XTASKQ_FRONT_FIFO | XTASKQ_MEM_RECLAIM;
	unsigned int dedicated = flags & XTASKQ_DEDICATED;

	if (flags & ~known)
		return false;
	return dedicated ? !(flags & XTASKQ_MEM_RECLAIM) : !(flags & XTASKQ_DYNAMIC);
}

static unsigned int slots_for(int nthreads, unsigned int flags)
{
	return flags & XTASKQ_THREADS_CPU_PCT ?
	       xtaskq_percent_of(nthreads, num_possible_cpus()) : nthreads;
}

static unsigned int slots_limit(unsigned int flags)
{
	return flags & XTASKQ_DEDICATED ? MOST_THREADS : xtaskq_workqueue_limit();
}

static bool create_args_valid(int nthreads, int pri, int minalloc, int maxalloc,
			      unsigned int flags)
{
	if (!create_flags_valid(flags))
		return false;
	if (nthreads < 1 || minalloc < 0 || maxalloc < 0)
		return false;
	if (flags & XTASKQ_THREADS_CPU_PCT && nthreads > 100)
		return false;
	if (slots_for(nthreads, flags) > slots_limit(flags))
		return false;
	if (maxalloc && maxalloc < minalloc)
		return false;
	return pri == XTASKQ_PRI_NORMAL || pri == XTASKQ_PRI_HIGH;
}

static void tq_free(struct xtaskq *tq)
{
	xtaskq_ents_free(tq);
	free_percpu(tq->waits);
	free_percpu(tq->runs);
	lockdep_unregister_key(&tq->key);
	lockdep_unregister_key(&tq->work_key);
	kfree(tq->name);
	kvfree_rcu(tq, rcu);
}

static struct xtaskq *tq_alloc(const char *name, unsigned int nslots)
{
	struct xtaskq *tq = kvzalloc(struct_size(tq, runners, nslots), GFP_KERNEL);
	unsigned int i;

	if (!tq)
		return NULL;
	raw_spin_lock_init(&tq->lock);
	INIT_LIST_HEAD(&tq->pending);
	INIT_LIST_HEAD(&tq->by_age);
	INIT_LIST_HEAD(&tq->idle);
	INIT_LIST_HEAD(&tq->waiters);
	INIT_LIST_HEAD(&tq->throttled);
	INIT_LIST_HEAD(&tq->spare);
	for (i = 0; i < ARRAY_SIZE(tq->by_id); i++)
		INIT_HLIST_HEAD(&tq->by_id[i]);
	lockdep_register_key(&tq->key);
	lockdep_register_key(&tq->work_key);
	tq->nslots = nslots;
	tq->name = kstrdup(name, GFP_KERNEL);
	tq->waits = alloc_percpu(struct xsync_hist);
	tq->runs = alloc_percpu(struct xsync_hist);
	if (!tq->name || !tq->waits || !tq->runs) {
		tq_free(tq);
		return NULL;
	}
	lockdep_init_map(&tq->map, tq->name, &tq->key, 0);
	return tq;
}

/* From here on the queue is seen: by hotplug, by suspend, by people. */
static int tq_publish(struct xtaskq *tq)
{
	static unsigned int serial;
	int err = 0;

	cpus_read_lock();
	mutex_lock(&xtaskq_list_lock);
	if (tq->percent)
		err = xtaskq_set_threads(tq, xtaskq_percent_of(tq->percent, num_online_cpus()));
	if (!err) {
		tq->serial = serial++;
		list_add_tail(&tq->link, &xtaskq_list);
		xtaskq_freeze_new(tq);
	}
	mutex_unlock(&xtaskq_list_lock);
	cpus_read_unlock();
	if (!err)
		xtaskq_debugfs_add(tq);
	return err;
}

struct xtaskq *xtaskq_create(const char *name, int nthreads, int pri,
			     int minalloc, int maxalloc, unsigned int flags)
{
	struct xtaskq *tq;
	int err;

	if (!create_args_valid(nthreads, pri, minalloc, maxalloc, flags))
		return ERR_PTR(-EINVAL);
	tq = tq_alloc(name, slots_for(nthreads, flags));
	if (!tq)
		return ERR_PTR(-ENOMEM);
	tq->flags = flags;
	tq->pri = pri;
	tq->percent = flags & XTASKQ_THREADS_CPU_PCT ? nthreads : 0;
	tq->nthreads = tq->percent ? xtaskq_percent_of(nthreads, num_online_cpus()) : nthreads;
	tq->minalloc = minalloc;
	tq->maxalloc = maxalloc ?: UINT_MAX;

	err = xtaskq_ents_init(tq);
	if (!err)
		err = xtaskq_runners_start(tq);
	if (!err)
		err = tq_publish(tq);
	if (err) {
		xtaskq_runners_stop(tq);
		tq_free(tq);
		return ERR_PTR(err);
	}
	return tq;
}
EXPORT_SYMBOL_GPL(xtaskq_create);

/* Closes the gate, unless there is a reason not to. */
static int tq_close(struct xtaskq *tq)
{
	LIST_HEAD(woken);
	int err = 0;

	raw_spin_lock_irq(&tq->lock);
	if (tq->dead)
		err = -EALREADY;
	else if (tq->suspended)
		err = -EBUSY;
	else
		WRITE_ONCE(tq->dead, true);
	xtaskq_wake_done(tq, 0, &woken);
	raw_spin_unlock_irq(&tq->lock);
	xtaskq_wake(&woken);
	return err;
}

int xtaskq_destroy(struct xtaskq *tq)
{
	int err = xtaskq_may_wait(tq, "destroy", _RET_IP_);

	if (!err)
		err = tq_close(tq);
	if (err)
		return err;
	synchronize_rcu();
	xtaskq_wait_until(tq, XTASKQ_UNTIL_QUIET, 0);
	synchronize_rcu();

	xtaskq_debugfs_remove(tq);
	mutex_lock(&xtaskq_list_lock);
	list_del(&tq->link);
	mutex_unlock(&xtaskq_list_lock);
	xtaskq_runners_stop(tq);
	WARN_ON_ONCE(tq->linked != tq->executed + tq->cancelled);
	tq_free(tq);
	return 0;
}
EXPORT_SYMBOL_GPL(xtaskq_destroy);

/* At unload: nobody else is left who could destroy a queue. */
void xtaskq_destroy_leftovers(void)
{
	struct xtaskq *tq, *next;

	list_for_each_entry_safe(tq, next, &xtaskq_list, link) {
		pr_err("%s: never destroyed by its owner\n", tq->name);
		while (xtaskq_destroy(tq) == -EBUSY)
			xtaskq_resume(tq);
	}
}
