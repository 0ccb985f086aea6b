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
 * Held queues (suspended, frozen): no runner is woken and none takes a pending entry;
 * one that is given an entry was reserved for it before.  When the queue is let go, as
 * many runners as there are entries are woken.
 *
 * More runners than nthreads, since that has become smaller: those that finish are not
 * put on the idle list any more.
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

#include <linux/export.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "internal.h"
#include "trace.h"

/**
 * xtaskq_runner_take - take an idle runner, to be woken after the lock
 * @tq: the queue, locked
 *
 * Return: the runner; NULL if there is none, or nothing may begin.
 */
struct xtaskq_runner *xtaskq_runner_take(struct xtaskq *tq)
{
	struct xtaskq_runner *r;

	lockdep_assert_held(&tq->lock);
	if (xtaskq_held(tq))
		return NULL;
	r = list_first_entry_or_null(&tq->idle, struct xtaskq_runner, link);
	if (r) {
		list_del(&r->link);
		tq->nidle--;
		tq->last = r;
		WRITE_ONCE(r->idle, false);	/* C */
	}
	return r;
}

/**
 * xtaskq_kick_prepare - who is to be told that an entry has become pending
 * @tq: the queue, locked
 *
 * Return: for xtaskq_kick().
 */
struct xtaskq_kick xtaskq_kick_prepare(struct xtaskq *tq)
{
	struct xtaskq_kick kick = {};

	if (tq->flags & XTASKQ_DYNAMIC)
		xtaskq_manager_kick(tq, &kick);
	else
		kick.runner = xtaskq_runner_take(tq);
	return kick;
}

/**
 * xtaskq_runner_wake - have a runner run
 * @r: the runner, taken or just created; preemption off since the lock
 */
void xtaskq_runner_wake(struct xtaskq_runner *r)
{
	if (r->tq->flags & XTASKQ_DEDICATED)
		wake_up_process(r->thread);
	else
		queue_work(r->tq->wq, &r->work);
}

/**
 * xtaskq_kick - tell who is to be told
 * @tq: the queue, not locked, preemption off since xtaskq_kick_prepare()
 * @kick: what that gave
 */
void xtaskq_kick(struct xtaskq *tq, struct xtaskq_kick kick)
{
	if (kick.runner)
		xtaskq_runner_wake(kick.runner);
	if (kick.watch)
		xtaskq_manager_call(tq, kick.watch);
}

void xtaskq_wake_up(struct xtaskq *tq, unsigned int n)
{
	struct xtaskq_kick kick;
	unsigned long flags;

	for (; n; n--) {
		kick = (struct xtaskq_kick){};
		preempt_disable();
		raw_spin_lock_irqsave(&tq->lock, flags);
		if (tq->npending)
			kick = xtaskq_kick_prepare(tq);
		raw_spin_unlock_irqrestore(&tq->lock, flags);
		xtaskq_kick(tq, kick);
		preempt_enable();
		/* All are taken, or all threads busy: those come for what is left. */
		if (!kick.runner)
			break;
	}
}
EXPORT_SYMBOL_GPL(xtaskq_wake_up);

/**
 * xtaskq_let_go - have runners take up what could not begin before
 * @tq: the queue, not locked; the caller sees to it that it stays
 *
 * Context: Any but NMI, and not under scheduler locks.
 */
void xtaskq_let_go(struct xtaskq *tq)
{
	unsigned int n = READ_ONCE(tq->npending);
	struct xtaskq_runner *r;
	unsigned long flags;

	/* What becomes pending from now on finds a runner itself. */
	for (; n; n--) {
		preempt_disable();
		raw_spin_lock_irqsave(&tq->lock, flags);
		r = tq->npending ? xtaskq_runner_take(tq) : NULL;
		raw_spin_unlock_irqrestore(&tq->lock, flags);
		if (r)
			xtaskq_runner_wake(r);
		preempt_enable();
		if (!r)
			break;
	}
	if ((tq->flags & XTASKQ_DYNAMIC) && READ_ONCE(tq->npending))
		xtaskq_manager_call(tq, XTASKQ_WATCH);
}

/* Puts a runner on the idle list, unless there is one too many. */
static void runner_idle(struct xtaskq *tq, struct xtaskq_runner *r)
{
	WRITE_ONCE(r->task, NULL);
	WRITE_ONCE(r->idle, true);
	if (tq->nlive > tq->nthreads) {
		r->live = false;
		tq->nlive--;
		return;
	}
	list_add(&r->link, &tq->idle);
	tq->nidle++;
}

/* Takes the entry it was given, or the first one that may begin. */
static struct xtaskq_ent *runner_pick(struct xtaskq *tq, struct xtaskq_runner *r)
{
	struct xtaskq_ent *ent = r->given;

	if (ent) {
		r->given = NULL;
		return ent;
	}
	if (!tq->npending || xtaskq_held(tq) || tq->nlive > tq->nthreads)
		return NULL;
	ent = list_first_entry(&tq->pending, struct xtaskq_ent, link);
	xtaskq_unpend(tq, ent);
	return ent;
}

/* What the caller needs of the entry is copied to the runner: it is idle then. */
static void runner_begin(struct xtaskq *tq, struct xtaskq_runner *r,
			 struct xtaskq_ent *ent, u64 now)
{
	hlist_del_init(&ent->by_id);
	list_replace(&ent->tag.link, &r->tag.link);
	r->tag.id = ent->tag.id;
	r->func = ent->func;
	r->arg = ent->arg;
	r->own = ent->flags & XTASKQ_ENT_OWN ? ent : NULL;
	r->since = now;
	r->reported = false;
	tq->last = r;
	xsync_hist_add(tq->waits, xsync_from_to(ent->since, now));
	smp_store_release(&ent->busy, 0);	/* B, in dispatch.c */
}

/* The function has returned.  Gives an entry to be freed after the lock. */
static struct xtaskq_ent *runner_end(struct xtaskq *tq, struct xtaskq_runner *r,
				     u64 now, struct list_head *woken)
{
	struct xtaskq_ent *spent = NULL;
	xtaskqid_t id = r->tag.id;

	xsync_hist_add(tq->runs, xsync_from_to(r->since, now));
	if (r->own && xtaskq_ent_put(tq, r->own))
		spent = r->own;
	list_del(&r->tag.link);
	r->tag.id = 0;
	r->func = NULL;
	tq->executed++;
	xtaskq_wake_done(tq, id, woken);
	return spent;
}

/*
 * Ends the task that the runner has just called, if any, and takes the next one.
 * False: there was none, and the runner is idle.
 */
static bool runner_next(struct xtaskq_runner *r)
{
	struct xtaskq_ent *ent, *spent = NULL;
	bool last = false;
	struct xtaskq *tq = r->tq;
	LIST_HEAD(woken);
	u64 now;

	raw_spin_lock_irq(&tq->lock);
	now = ktime_get_mono_fast_ns();
	if (r->tag.id)
		spent = runner_end(tq, r, now, &woken);
	ent = runner_pick(tq, r);
	if (ent) {
		runner_begin(tq, r, ent, now);
		last = xtaskq_manager_is_due(tq);
	} else {
		runner_idle(tq, r);
		xtaskq_wake_done(tq, 0, &woken);
	}
	raw_spin_unlock_irq(&tq->lock);

	xtaskq_wake(&woken);
	kfree(spent);
	if (last)
		xtaskq_manager_call(tq, XTASKQ_WATCH_NOW);
	return ent;
}

static void runner_loop(struct xtaskq_runner *r)
{
	WRITE_ONCE(r->task, current);
	while (runner_next(r)) {
		xtaskq_func_t func = r->func;
		xtaskqid_t id = r->tag.id;

		xsync_trace(xtaskq_begin, r->tq->name, func, id);
		lock_map_acquire(&r->tq->map);
		func(r->arg);
		lock_map_release(&r->tq->map);
		xsync_trace(xtaskq_end, r->tq->name, func, id);
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

/* A slot that is empty becomes a runner; the caller wakes it. */
static void runner_come(struct xtaskq *tq, struct xtaskq_runner *r)
{
	lockdep_assert_held(&tq->lock);

	r->creating = false;
	r->live = true;
	tq->nlive++;
	if (tq->npending && !xtaskq_held(tq))
		WRITE_ONCE(r->idle, false);
	else
		runner_idle(tq, r);
}

/**
 * xtaskq_runner_create - have a runner in a slot
 * @tq: the queue
 * @slot: not a live one; only one caller at a time
 *
 * Context: Task context, sleeps.
 * Return: 0, or why there is no thread.
 */
int xtaskq_runner_create(struct xtaskq *tq, unsigned int slot)
{
	struct xtaskq_runner *r = &tq->runners[slot];
	struct task_struct *thread = r->thread;
	bool busy;

	if (!thread && tq->flags & XTASKQ_DEDICATED) {
		thread = kthread_create(runner_thread, r, "%s/%u", tq->name, slot);
		if (IS_ERR(thread)) {
			WRITE_ONCE(r->creating, false);
			return PTR_ERR(thread);
		}
		if (tq->pri == XTASKQ_PRI_HIGH)
			sched_set_normal(thread, MIN_NICE);
	}

	preempt_disable();
	raw_spin_lock_irq(&tq->lock);
	r->thread = thread;
	runner_come(tq, r);
	busy = !r->idle;
	raw_spin_unlock_irq(&tq->lock);
	/* A new thread has to be woken once; a work item only if there is work. */
	if (thread || busy)
		xtaskq_runner_wake(r);
	preempt_enable();
	return 0;
}

/**
 * xtaskq_set_threads - change how many functions may run at a time
 * @tq: the queue; only one caller at a time
 * @n: how many, nslots at most
 *
 * Those that run are not waited for.
 *
 * Context: Task context, sleeps.
 * Return: 0, or why there is no thread: those that there are have to do.
 */
int xtaskq_set_threads(struct xtaskq *tq, unsigned int n)
{
	struct xtaskq_runner *r;
	unsigned int slot;
	int err = 0;

	raw_spin_lock_irq(&tq->lock);
	tq->nthreads = n;
	while (tq->nlive > n && tq->nidle) {
		r = list_last_entry(&tq->idle, struct xtaskq_runner, link);
		list_del(&r->link);
		tq->nidle--;
		r->live = false;
		tq->nlive--;
	}
	raw_spin_unlock_irq(&tq->lock);
	if (tq->flags & XTASKQ_DYNAMIC) {
		/* It may have said that there are as many threads as there may be. */
		xtaskq_manager_call(tq, XTASKQ_WATCH_NOW);
		return 0;
	}

	for (slot = 0; !err && slot < tq->nslots && READ_ONCE(tq->nlive) < n; slot++)
		if (!READ_ONCE(tq->runners[slot].live))
			err = xtaskq_runner_create(tq, slot);
	if (err)
		pr_warn("%s: no new thread (error %d), %u have to do\n", tq->name, err,
			READ_ONCE(tq->nlive));
	return err;
}

static int workqueue_start(struct xtaskq *tq)
{
	unsigned int flags = tq->pri == XTASKQ_PRI_HIGH ? WQ_HIGHPRI : 0;

	if (tq->flags & XTASKQ_MEM_RECLAIM)
		flags |= WQ_MEM_RECLAIM;
	tq->wq = alloc_workqueue("%.20s", WQ_UNBOUND | flags, WQ_UNBOUND_MAX_ACTIVE,
				 tq->name);
	return tq->wq ? 0 : -ENOMEM;
}

/*
 * A function may wait for another queue, or destroy it: to lockdep the work items of two
 * queues must not be the same.
 */
static void runner_work_init(struct xtaskq_runner *r)
{
	INIT_WORK(&r->work, runner_work);
#ifdef CONFIG_LOCKDEP
	lockdep_init_map(&r->work.lockdep_map, r->tq->name, &r->tq->work_key, 0);
#endif
}

/**
 * xtaskq_runners_start - bring the runners up
 * @tq: the queue, new
 *
 * Context: Task context, sleeps.
 * Return: 0, or why there is no workqueue or no thread.  If it fails,
 *	   xtaskq_runners_stop() is to follow.
 */
int xtaskq_runners_start(struct xtaskq *tq)
{
	unsigned int i, n = tq->flags & XTASKQ_DYNAMIC ? 1 : tq->nthreads;
	bool dedicated = tq->flags & XTASKQ_DEDICATED;
	int err = 0;

	xtaskq_manager_init(tq);
	for (i = 0; i < tq->nslots; i++) {
		struct xtaskq_runner *r = &tq->runners[i];

		r->tq = tq;
		r->idle = true;
		runner_work_init(r);
	}

	if (!dedicated || tq->flags & XTASKQ_DYNAMIC)
		err = workqueue_start(tq);
	for (i = 0; !err && i < n; i++)
		err = xtaskq_runner_create(tq, i);
	return err;
}

/**
 * xtaskq_runners_stop - bring the runners down
 * @tq: the queue; every runner is idle and nobody is about to wake one
 *
 * The manager first: it creates threads.
 *
 * Context: Task context, sleeps.
 */
void xtaskq_runners_stop(struct xtaskq *tq)
{
	unsigned int i;

	if (tq->wq) {
		xtaskq_manager_stop(tq);
		destroy_workqueue(tq->wq);
	}
	for (i = 0; i < tq->nslots; i++)
		if (tq->runners[i].thread)
			kthread_stop(tq->runners[i].thread);
}

bool xtaskq_member(struct xtaskq *tq, struct task_struct *task)
{
	unsigned int i;

	if (task == current && in_task())
		return xtaskq_current() == tq;
	for (i = 0; i < tq->nslots; i++)
		if (READ_ONCE(tq->runners[i].task) == task)
			return true;
	return false;
}
EXPORT_SYMBOL_GPL(xtaskq_member);

/* The thread, or the work item, is a runner's if its function is ours. */
static struct xtaskq_runner *runner_of_current(void)
{
	struct work_struct *work;

	if (!in_task() || !(current->flags & PF_KTHREAD))
		return NULL;
	if (kthread_func(current) == runner_thread)
		return kthread_data(current);
	work = current_work();
	if (work && work->func == runner_work)
		return container_of(work, struct xtaskq_runner, work);
	return NULL;
}

struct xtaskq *xtaskq_current(void)
{
	struct xtaskq_runner *r = runner_of_current();

	return r ? r->tq : NULL;
}
EXPORT_SYMBOL_GPL(xtaskq_current);

/* Only the runner's own thread changes @func while a function runs. */
void xtaskq_name_func(xtaskq_func_t func)
{
	struct xtaskq_runner *r = runner_of_current();

	if (r)
		WRITE_ONCE(r->func, func);
}
EXPORT_SYMBOL_GPL(xtaskq_name_func);
