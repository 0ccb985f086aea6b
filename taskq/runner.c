// SPDX-License-Identifier: GPL-2.0-only
/*
 * The threads of a queue.
 *
 * Problem.  Exactly nthreads functions are to run at a time.  No workqueue
 * promises that (its max_active is per node, and means something else since 6.9),
 * and the wake-up latency of a workqueue is not good enough for timeouts.  So the
 * queue owns the tasks and counts, and only borrows what runs its loop.
 *
 * A runner is the loop "take the first entry, call it".  It is idle, on the
 * queue's idle list, or busy.  A dispatch takes one off the idle list, if there is
 * one, and wakes it after the lock; a queue that is busy wakes nobody.  The same
 * loop runs
 *
 *  - in a work item on a workqueue of the queue's own.  A work item never runs
 *    twice at a time, and one that is queued while it ends runs again;
 *  - or, XTASKQ_DEDICATED, in a kthread.
 *
 * A runner that finishes a task and takes the next one does both under one hold
 * of the lock, and wakes, frees and calls after it.
 *
 * XTASKQ_DYNAMIC: kthreads are created up to nthreads by a manager, a work item on
 * the queue's workqueue.  Whatever functions do, a task must not wait for one that
 * sleeps; but many threads that run short functions only fight over locks.
 *  - A dispatch wakes an idle runner unless the one that got a task last is awake in
 *    its function, or about to be: it will be back soon.  If it is not, the manager,
 *    which was told, looks at the next tick.
 *  - A runner that leaves the idle list empty tells the manager before it calls its
 *    function, so that there is a spare thread however long that takes.
 *  - While tasks are pending the manager looks at every tick.  If all busy runners
 *    sleep it doubles them; if none has returned for a tenth of a second it adds one,
 *    and when there is one per CPU that is awake, after a second (they may be
 *    spinning for a task that is pending).  Idle threads are woken first, others
 *    created.  A tick without a return is no reason: where a hypervisor takes away
 *    CPUs for longer, more runners that spin for a lock make it worse.
 *  - When all nthreads are busy and none returns for a second it reports the
 *    function that has run longest.
 *  - Every few seconds idle threads are stopped, all but one.
 *
 * Memory ordering.  C: r->idle is cleared, then the thread woken; the thread sets
 * its state, then looks at r->idle.  Both are full barriers, so either it sees the
 * work or the wake-up sees it asleep.
 *
 * Lifetime.  Whoever took a runner off the idle list is in a section with
 * preemption off until it has woken it.  A thread is stopped only after a grace
 * period that began when it was off the list for good.
 *
 * Limits.  The longest idle lists and the id scan are nthreads long.
 */
#define pr_fmt(fmt) "xsync_taskq: " fmt

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/nodemask.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "internal.h"

/* How long a dynamic queue keeps threads that have nothing to do. */
#define TRIM_AFTER	(5 * HZ)

/* Takes an idle runner, if any, to be woken after the lock. */
static struct xtaskq_runner *runner_take(struct xtaskq *tq)
{
	struct xtaskq_runner *r;

	lockdep_assert_held(&tq->lock);
	r = list_first_entry_or_null(&tq->idle, struct xtaskq_runner, link);
	if (r) {
		list_del(&r->link);
		tq->nidle--;
		tq->last = r;
		WRITE_ONCE(r->idle, false);	/* C */
	}
	return r;
}

/* Is the runner that got a task last awake, and so about to come for the next one? */
static bool last_is_awake(struct xtaskq *tq)
{
	return tq->last && !tq->last->idle && task_is_running(tq->last->thread);
}

/* Who is to be told that an entry has become pending.  Under the lock. */
struct xtaskq_kick xtaskq_kick_prepare(struct xtaskq *tq)
{
	struct xtaskq_kick kick = { .watch = tq->watch };

	if (!(tq->flags & XTASKQ_DYNAMIC)) {
		kick.runner = runner_take(tq);
		return kick;
	}
	if (!tq->nidle && tq->nlive == tq->nthreads)
		kick.watch = max(tq->watch, XTASKQ_WATCH_SLOWLY);
	else if (!tq->nidle || last_is_awake(tq))
		kick.watch = XTASKQ_WATCH;
	else
		kick.runner = runner_take(tq);
	/* Already so: nobody need be told. */
	if (kick.watch == tq->watch)
		kick.watch = XTASKQ_WATCH_NOT;
	else
		tq->watch = kick.watch;
	return kick;
}

static void runner_wake(struct xtaskq_runner *r)
{
	if (r->tq->flags & XTASKQ_DEDICATED)
		wake_up_process(r->thread);
	else
		queue_work(r->tq->wq, &r->work);
}

/* After the lock, with preemption off since xtaskq_kick_prepare(). */
void xtaskq_kick(struct xtaskq *tq, struct xtaskq_kick kick)
{
	if (kick.runner)
		runner_wake(kick.runner);
	/* Somebody else may have asked for an earlier look meanwhile: keep that. */
	if (kick.watch == XTASKQ_WATCH)
		mod_delayed_work(tq->wq, &tq->grow, 1);
	else if (kick.watch == XTASKQ_WATCH_SLOWLY)
		queue_delayed_work(tq->wq, &tq->grow, HZ);
}

static void runner_idle(struct xtaskq *tq, struct xtaskq_runner *r)
{
	list_add(&r->link, &tq->idle);
	tq->nidle++;
	WRITE_ONCE(r->task, NULL);
	WRITE_ONCE(r->idle, true);
}

/* True if the manager is to be told that the last idle runner is busy now. */
static bool runner_is_last(struct xtaskq *tq)
{
	if (!(tq->flags & XTASKQ_DYNAMIC) || tq->nidle || tq->nlive == tq->nthreads ||
	    tq->watch == XTASKQ_WATCH)
		return false;
	tq->watch = XTASKQ_WATCH;
	return true;
}

/* Takes the first entry; what the caller needs of it is copied to the runner. */
static void runner_begin(struct xtaskq *tq, struct xtaskq_runner *r)
{
	struct xtaskq_ent *ent = list_first_entry(&tq->pending, struct xtaskq_ent, link);

	xtaskq_unlink(tq, ent);
	r->func = ent->func;
	r->arg = ent->arg;
	r->id = ent->id;
	r->own = ent->flags & XTASKQ_ENT_OWN ? ent : NULL;
	r->since = ktime_get();
	tq->last = r;
	smp_store_release(&ent->busy, 0);	/* B, in dispatch.c */
}

/*
 * Ends the task that the runner has just called, if any, and takes the next one.
 * False: there was none, and the runner is idle.
 */
static bool runner_next(struct xtaskq_runner *r)
{
	struct xtaskq *tq = r->tq;
	struct xtaskq_ent *spent = NULL;
	bool last = false, throttled = false, more;
	LIST_HEAD(woken);

	raw_spin_lock_irq(&tq->lock);
	if (r->id) {
		tq->executed++;
		xtaskq_wake_id(tq, r->id, &woken);
		if (r->own) {
			throttled = true;
			if (xtaskq_ent_put(tq, r->own))
				spent = r->own;
		}
		r->id = 0;
		r->func = NULL;
	}
	more = tq->npending;
	if (more) {
		runner_begin(tq, r);
		last = runner_is_last(tq);
	} else {
		runner_idle(tq, r);
		xtaskq_wake_quiet(tq, &woken);
	}
	raw_spin_unlock_irq(&tq->lock);

	xtaskq_wake(&woken);
	kfree(spent);
	if (throttled && wq_has_sleeper(&tq->freed))
		wake_up(&tq->freed);
	if (last)
		mod_delayed_work(tq->wq, &tq->grow, 0);
	return more;
}

static void runner_loop(struct xtaskq_runner *r)
{
	WRITE_ONCE(r->task, current);
	while (runner_next(r)) {
		lock_map_acquire(&r->tq->map);
		r->func(r->arg);
		lock_map_release(&r->tq->map);
		cond_resched();
	}
}

static void runner_work(struct work_struct *work)
{
	runner_loop(container_of(work, struct xtaskq_runner, work));
}

static int runner_thread(void *data)
{
	struct xtaskq_runner *r = data;

	for (;;) {
		set_current_state(TASK_IDLE);	/* C */
		if (!READ_ONCE(r->idle)) {
			__set_current_state(TASK_RUNNING);
			runner_loop(r);
			continue;
		}
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* Creates the thread of one slot; it goes to work or to the idle list. */
static int runner_create(struct xtaskq *tq, unsigned int slot)
{
	struct xtaskq_runner *r = &tq->runners[slot];
	struct task_struct *thread;

	thread = kthread_create(runner_thread, r, "%s/%u", tq->name, slot);
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	if (tq->pri == XTASKQ_PRI_HIGH)
		sched_set_normal(thread, MIN_NICE);

	raw_spin_lock_irq(&tq->lock);
	r->thread = thread;
	tq->nlive++;
	if (tq->npending)
		WRITE_ONCE(r->idle, false);
	else
		runner_idle(tq, r);
	raw_spin_unlock_irq(&tq->lock);
	wake_up_process(thread);
	return 0;
}

/* The task that has run longest, for the report on a queue that is full. */
static struct xtaskq_runner *oldest(struct xtaskq *tq)
{
	struct xtaskq_runner *r = NULL;
	unsigned int i;

	for (i = 0; i < tq->nthreads; i++) {
		struct xtaskq_runner *other = &tq->runners[i];

		if (other->id && (!r || ktime_before(other->since, r->since)))
			r = other;
	}
	return r;
}

static void report_full(struct xtaskq *tq)
{
	struct xtaskq_runner *r;
	xtaskq_func_t func = NULL;
	ktime_t since = 0;

	raw_spin_lock_irq(&tq->lock);
	r = tq->nidle ? NULL : oldest(tq);
	if (r) {
		func = r->func;
		since = r->since;
	}
	raw_spin_unlock_irq(&tq->lock);
	if (func)
		pr_warn_ratelimited("%s: all %u threads are busy, what comes now waits for them; %ps has run for %lld ms\n",
				    tq->name, tq->nthreads, func,
				    ktime_ms_delta(ktime_get(), since));
}

/* Fills up to @n empty slots.  The only one who does, with xtaskq_trim() who empties them. */
static void runners_create(struct xtaskq *tq, unsigned int n)
{
	unsigned int slot;
	int err;

	if (!n)
		return;
	for (slot = 0; n && slot < tq->nthreads; slot++) {
		if (tq->runners[slot].thread)
			continue;
		err = runner_create(tq, slot);
		if (err) {
			pr_warn_ratelimited("%s: no new thread (error %d), %u have to do\n",
					    tq->name, err, READ_ONCE(tq->nlive));
			return;
		}
		n--;
	}
	queue_delayed_work(tq->wq, &tq->trim, TRIM_AFTER);
}

/* Has no function returned since the manager last looked?  Under the lock. */
static bool manager_sees_no_return(struct xtaskq *tq)
{
	if (tq->seen == tq->executed)
		return true;
	tq->seen = tq->executed;
	tq->seen_at = jiffies;
	return false;
}

/* How many threads more it takes to get done what is pending. */
static unsigned int threads_wanted(struct xtaskq *tq)
{
	unsigned int i, awake = 0, asleep = 0;
	unsigned long patience;

	for (i = 0; i < tq->nthreads; i++) {
		struct xtaskq_runner *r = &tq->runners[i];

		if (!r->thread || READ_ONCE(r->idle))
			continue;
		if (task_is_running(r->thread))
			awake++;
		else
			asleep++;
	}
	if (!awake)
		return asleep;
	patience = awake < num_online_cpus() ? HZ / 10 : HZ;
	if (time_before(jiffies, tq->seen_at + patience))
		return 0;
	tq->seen_at = jiffies;
	return 1;
}

/* Wakes up to @n idle runners; gives how many there were. */
static unsigned int runners_wake(struct xtaskq *tq, unsigned int n)
{
	struct xtaskq_runner *r;
	unsigned int woken;

	for (woken = 0; woken < n; woken++) {
		raw_spin_lock_irq(&tq->lock);
		r = runner_take(tq);
		raw_spin_unlock_irq(&tq->lock);
		if (!r)
			break;
		runner_wake(r);
	}
	return woken;
}

/* The manager: has been told to look, or looks again. */
static void xtaskq_grow(struct work_struct *work)
{
	struct xtaskq *tq = container_of(to_delayed_work(work), struct xtaskq, grow);
	unsigned int nidle, nlive, npending, wanted = 1;
	bool stuck, over, full;

	raw_spin_lock_irq(&tq->lock);
	nidle = tq->nidle;
	nlive = tq->nlive;
	npending = tq->npending;
	stuck = manager_sees_no_return(tq);
	full = !nidle && nlive == tq->nthreads;
	over = full || (nidle && !npending);
	tq->watch = over ? XTASKQ_WATCH_NOT : XTASKQ_WATCH;
	raw_spin_unlock_irq(&tq->lock);

	if (full && npending && stuck)
		report_full(tq);
	if (over)
		return;
	if (npending) {
		wanted = min(npending, threads_wanted(tq));
		wanted -= runners_wake(tq, wanted);
	}
	runners_create(tq, wanted);
	queue_delayed_work(tq->wq, &tq->grow, 1);
}

/* Takes the runner that has been idle longest off the list for good. */
static struct xtaskq_runner *runner_retire(struct xtaskq *tq)
{
	struct xtaskq_runner *r = NULL;

	raw_spin_lock_irq(&tq->lock);
	if (tq->nidle > 1) {
		r = list_last_entry(&tq->idle, struct xtaskq_runner, link);
		list_del(&r->link);
		tq->nidle--;
		tq->nlive--;
	}
	raw_spin_unlock_irq(&tq->lock);
	return r;
}

static void xtaskq_trim(struct work_struct *work)
{
	struct xtaskq *tq = container_of(to_delayed_work(work), struct xtaskq, trim);
	struct xtaskq_runner *r, *next;
	LIST_HEAD(retired);

	while ((r = runner_retire(tq)))
		list_add(&r->link, &retired);
	/* Somebody may have given one of them work before, and not woken it yet. */
	if (!list_empty(&retired))
		synchronize_rcu();
	list_for_each_entry_safe(r, next, &retired, link) {
		kthread_stop(r->thread);
		r->thread = NULL;
	}
	if (READ_ONCE(tq->nlive) > 1)
		queue_delayed_work(tq->wq, &tq->trim, TRIM_AFTER);
}

static int workqueue_start(struct xtaskq *tq)
{
	unsigned int high = tq->pri == XTASKQ_PRI_HIGH ? WQ_HIGHPRI : 0;

	/* One at a time: the manager and the trimmer share the slots. */
	if (tq->flags & XTASKQ_DYNAMIC)
		tq->wq = alloc_ordered_workqueue("%.20s", high, tq->name);
	else
		tq->wq = alloc_workqueue("%.20s", WQ_UNBOUND | high,
					 WQ_UNBOUND_MAX_ACTIVE, tq->name);
	return tq->wq ? 0 : -ENOMEM;
}

/* What the workqueue can run at a time on any one node, whatever the kernel. */
static unsigned int workqueue_limit(void)
{
	return max_t(unsigned int, WQ_UNBOUND_MAX_ACTIVE / nr_node_ids, 1);
}

static int threads_start(struct xtaskq *tq)
{
	unsigned int n = tq->flags & XTASKQ_DYNAMIC ? 1 : tq->nthreads;
	unsigned int i;
	int err;

	for (i = 0; i < n; i++) {
		err = runner_create(tq, i);
		if (err)
			return err;
	}
	return 0;
}

/* Brings the runners up.  If it fails, xtaskq_runners_stop() is to follow. */
int xtaskq_runners_start(struct xtaskq *tq)
{
	bool dedicated = tq->flags & XTASKQ_DEDICATED;
	unsigned int i;
	int err;

	INIT_DELAYED_WORK(&tq->grow, xtaskq_grow);
	INIT_DELAYED_WORK(&tq->trim, xtaskq_trim);
	for (i = 0; i < tq->nthreads; i++) {
		struct xtaskq_runner *r = &tq->runners[i];

		r->tq = tq;
		INIT_WORK(&r->work, runner_work);
	}

	if (!dedicated && tq->nthreads > workqueue_limit())
		return -EINVAL;
	if (!dedicated || tq->flags & XTASKQ_DYNAMIC) {
		err = workqueue_start(tq);
		if (err)
			return err;
	}
	if (dedicated)
		return threads_start(tq);

	raw_spin_lock_irq(&tq->lock);
	for (i = 0; i < tq->nthreads; i++)
		runner_idle(tq, &tq->runners[i]);
	tq->nlive = tq->nthreads;
	raw_spin_unlock_irq(&tq->lock);
	return 0;
}

/*
 * Every runner is idle and nobody is about to wake one.  The manager first: it
 * creates threads, and re-arms the trimmer.
 */
void xtaskq_runners_stop(struct xtaskq *tq)
{
	unsigned int i;

	if (tq->wq) {
		cancel_delayed_work_sync(&tq->grow);
		cancel_delayed_work_sync(&tq->trim);
		destroy_workqueue(tq->wq);
	}
	for (i = 0; i < tq->nthreads; i++)
		if (tq->runners[i].thread)
			kthread_stop(tq->runners[i].thread);
}
