// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for one dispatch, or for a queue to be empty and idle.
 *
 * Problem.  Waiters must not cost those who do not wait, and a task that is done
 * must wake those who wait for it and nobody else.
 *
 * A waiter is on the waiter's stack, on the queue's list, with what it waits for.
 * Whoever makes that true, under the lock, marks it woken and moves it to a list
 * of its own, and completes it after the lock: after complete() the waiter may be
 * gone.  A waiter that gives up (signal, time) finds out under the lock whether it
 * has been woken meanwhile, and then takes the completion that is on its way.
 *
 * "Empty and idle" is true when nothing is pending or on its way and every
 * runner is on the idle list.  A runner that has been taken off that list counts
 * as busy before it runs.  It can turn true in three places: a runner finds nothing
 * more to do, a task is cancelled, a dispatch gives up for want of memory.
 *
 * "That dispatch is done" is true if no pending entry and no runner has its id.
 * Entries on their way cannot be looked at, so they are made pending first.
 */
#define pr_fmt(fmt) "xsync_taskq: " fmt

#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include "internal.h"

/* Moves those to @woken who wait for @id.  Under the lock. */
void xtaskq_wake_id(struct xtaskq *tq, xtaskqid_t id, struct list_head *woken)
{
	struct xtaskq_waiter *w, *next;

	lockdep_assert_held(&tq->lock);
	list_for_each_entry_safe(w, next, &tq->waiters, link) {
		if (w->id == id) {
			w->woken = true;
			list_move_tail(&w->link, woken);
		}
	}
}

/* Moves those to @woken who wait for the queue, if it is quiet.  Under the lock. */
void xtaskq_wake_quiet(struct xtaskq *tq, struct list_head *woken)
{
	if (xtaskq_quiet(tq))
		xtaskq_wake_id(tq, 0, woken);
}

/* Without the lock; the queue may be gone. */
void xtaskq_wake(struct list_head *woken)
{
	struct xtaskq_waiter *w, *next;

	list_for_each_entry_safe(w, next, woken, link)
		complete(&w->done);
}

/*
 * Says whether the caller may wait for functions of the queue.  With interrupts
 * off a message might be printed under a scheduler lock, which deadlocks.
 */
int xtaskq_may_wait(struct xtaskq *tq, const char *what)
{
	if (in_nmi() || irqs_disabled())
		return -EWOULDBLOCK;
	if (preempt_count() || rcu_preempt_depth()) {
		pr_err_ratelimited("%s: %s in atomic context by %pS\n",
				   tq->name, what, __builtin_return_address(0));
		return -EWOULDBLOCK;
	}
	if (xtaskq_member(tq, current)) {
		pr_err_ratelimited("%s: %s by a function of this queue, which would wait for itself (%pS)\n",
				   tq->name, what, __builtin_return_address(0));
		return -EDEADLK;
	}
	might_sleep();
	/* A lock that is held here and taken by a function is a deadlock. */
	lock_map_acquire(&tq->map);
	lock_map_release(&tq->map);
	return 0;
}

static bool id_is_done(struct xtaskq *tq, xtaskqid_t id)
{
	struct xtaskq_ent *ent;
	unsigned int i;

	lockdep_assert_held(&tq->lock);
	hlist_for_each_entry(ent, xtaskq_bucket(tq, id), by_id)
		if (ent->id == id)
			return false;
	for (i = 0; i < tq->nthreads; i++)
		if (tq->runners[i].id == id)
			return false;
	return true;
}

static int sleep_on(struct xtaskq_waiter *w, unsigned int state, unsigned long limit)
{
	if (state == TASK_KILLABLE)
		return wait_for_completion_killable(&w->done) ? -EINTR : 0;
	return wait_for_completion_timeout(&w->done, limit) ? 0 : -ETIMEDOUT;
}

static int wait_for(struct xtaskq *tq, xtaskqid_t id, unsigned int state,
		    unsigned long limit)
{
	struct xtaskq_waiter w = { .id = id };
	bool done;
	int err;

	init_completion(&w.done);
	raw_spin_lock_irq(&tq->lock);
	done = id ? id_is_done(tq, id) : xtaskq_quiet(tq);
	if (!done)
		list_add_tail(&w.link, &tq->waiters);
	raw_spin_unlock_irq(&tq->lock);
	if (done)
		return 0;

	err = sleep_on(&w, state, limit);
	if (!err)
		return 0;
	raw_spin_lock_irq(&tq->lock);
	if (!w.woken)
		list_del(&w.link);
	raw_spin_unlock_irq(&tq->lock);
	if (!w.woken)
		return err;
	wait_for_completion(&w.done);
	return 0;
}

int xtaskq_wait(struct xtaskq *tq)
{
	int err = xtaskq_may_wait(tq, "wait");

	return err ?: wait_for(tq, 0, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_GPL(xtaskq_wait);

int xtaskq_wait_killable(struct xtaskq *tq)
{
	int err = xtaskq_may_wait(tq, "wait");

	return err ?: wait_for(tq, 0, TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_GPL(xtaskq_wait_killable);

int xtaskq_wait_timeout(struct xtaskq *tq, u64 ns)
{
	u64 ticks = DIV_ROUND_UP_ULL(min_t(u64, ns, S64_MAX), TICK_NSEC) + 1;
	int err = xtaskq_may_wait(tq, "wait");

	return err ?: wait_for(tq, 0, TASK_UNINTERRUPTIBLE,
			       min_t(u64, ticks, MAX_SCHEDULE_TIMEOUT));
}
EXPORT_SYMBOL_GPL(xtaskq_wait_timeout);

int xtaskq_wait_id(struct xtaskq *tq, xtaskqid_t id)
{
	int err = xtaskq_may_wait(tq, "wait_id");

	if (err || !id)
		return err;
	if (atomic_read(&tq->in_flight))
		xtaskq_inboxes_flush();
	return wait_for(tq, id, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_GPL(xtaskq_wait_id);
