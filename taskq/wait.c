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
 * "Empty and idle" is true when nothing waits, runs or is on its way and every
 * runner is on the idle list.  A runner that has been taken off that list counts
 * as busy before it runs.  It can turn true in three places: a runner finds nothing
 * more to do, a task is cancelled, a dispatch gives up for want of memory.
 *
 * Who waits for an entry, since there are as many as there may be, is on a list of its
 * own: each entry that becomes free wakes one.  Somebody else may get it first.
 *
 * "That dispatch is done" is true if no entry that waits and no runner has its id.
 * "All up to it are done" is true if the oldest of them is younger.  Entries on their
 * way cannot be looked at, so they are made pending first.
 */
#define pr_fmt(fmt) "xsync_taskq: " fmt

#include <linux/export.h>
#include <linux/instruction_pointer.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include "internal.h"

/**
 * xtaskq_find - the entry of a dispatch that waits
 * @tq: the queue, locked
 * @id: the dispatch
 *
 * Return: the entry, or NULL.
 */
struct xtaskq_ent *xtaskq_find(struct xtaskq *tq, xtaskqid_t id)
{
	struct xtaskq_ent *ent;

	lockdep_assert_held(&tq->lock);
	hlist_for_each_entry(ent, xtaskq_bucket(tq, id), by_id)
		if (ent->tag.id == id)
			return ent;
	return NULL;
}

/**
 * xtaskq_runs - whether the function of a dispatch is running
 * @tq: the queue, locked
 * @id: the dispatch
 *
 * Return: true if so.
 */
bool xtaskq_runs(struct xtaskq *tq, xtaskqid_t id)
{
	unsigned int i;

	lockdep_assert_held(&tq->lock);
	for (i = 0; i < tq->nslots; i++)
		if (tq->runners[i].tag.id == id)
			return true;
	return false;
}

static bool all_done_upto(struct xtaskq *tq, xtaskqid_t id)
{
	struct xtaskq_tag *oldest;

	oldest = list_first_entry_or_null(&tq->by_age, struct xtaskq_tag, link);
	return !oldest || oldest->id > id;
}

static bool has_room(struct xtaskq *tq)
{
	return tq->nalloc < tq->maxalloc || tq->dead;
}

/* @done: the dispatch that has just become so; 0: look for it. */
static bool is_true(struct xtaskq *tq, const struct xtaskq_waiter *w, xtaskqid_t done)
{
	switch (w->until) {
	case XTASKQ_UNTIL_QUIET:
		return xtaskq_quiet(tq);
	case XTASKQ_UNTIL_STILL:
		return xtaskq_still(tq);
	case XTASKQ_UNTIL_UPTO:
		return all_done_upto(tq, w->id);
	case XTASKQ_UNTIL_ENTRY:
		return has_room(tq) || !list_empty(&tq->spare);
	case XTASKQ_UNTIL_ROOM:
		return has_room(tq);
	default:
		return w->id == done;
	}
}

static void wake_later(struct xtaskq_waiter *w, struct list_head *woken)
{
	w->woken = true;
	list_move_tail(&w->link, woken);
}

/* Of those who wait for an entry one can have it; all are to see that the queue goes. */
static void wake_throttled(struct xtaskq *tq, struct list_head *woken)
{
	struct xtaskq_waiter *w, *next;

	list_for_each_entry_safe(w, next, &tq->throttled, link) {
		if (!is_true(tq, w, 0))
			continue;
		wake_later(w, woken);
		if (!tq->dead)
			break;
	}
}

/**
 * xtaskq_wake_done - find those who have waited long enough
 * @tq: the queue, locked
 * @id: the dispatch that is done; 0: none, but something else may have changed
 * @woken: where they are put, for xtaskq_wake()
 */
void xtaskq_wake_done(struct xtaskq *tq, xtaskqid_t id, struct list_head *woken)
{
	struct xtaskq_waiter *w, *next;

	lockdep_assert_held(&tq->lock);
	list_for_each_entry_safe(w, next, &tq->waiters, link)
		if (is_true(tq, w, id))
			wake_later(w, woken);
	wake_throttled(tq, woken);
}

/* Without the lock; the queue may be gone. */
void xtaskq_wake(struct list_head *woken)
{
	struct xtaskq_waiter *w, *next;

	list_for_each_entry_safe(w, next, woken, link)
		complete(&w->done);
}

/* A lock that is held here and taken by a function is a deadlock. */
void xtaskq_note_wait(struct xtaskq *tq)
{
	lock_map_acquire(&tq->map);
	lock_map_release(&tq->map);
}

/**
 * xtaskq_may_block - whether the caller may wait for anything
 * @tq: the queue, for the log
 * @what: what it does, for the log
 * @ip: where it does, for the log
 *
 * With interrupts off a message might be printed under a scheduler lock, which
 * deadlocks: there is none then.
 *
 * Context: Any.
 * Return: 0, -EWOULDBLOCK.
 */
int xtaskq_may_block(struct xtaskq *tq, const char *what, unsigned long ip)
{
	if (in_nmi() || irqs_disabled())
		return -EWOULDBLOCK;
	if (preempt_count() || rcu_preempt_depth()) {
		pr_err_ratelimited("%s: %s in atomic context by %pS\n",
				   tq->name, what, (void *)ip);
		return -EWOULDBLOCK;
	}
	might_sleep();
	return 0;
}

/**
 * xtaskq_may_wait - whether the caller may wait for functions of the queue
 * @tq: the queue
 * @what: what it does, for the log
 * @ip: where it does, for the log
 *
 * Context: Any.
 * Return: 0, -EWOULDBLOCK, -EDEADLK.
 */
int xtaskq_may_wait(struct xtaskq *tq, const char *what, unsigned long ip)
{
	int err = xtaskq_may_block(tq, what, ip);

	if (err)
		return err;
	if (xtaskq_member(tq, current)) {
		pr_err_ratelimited("%s: %s by a function of this queue, which would wait for itself (%pS)\n",
				   tq->name, what, (void *)ip);
		return -EDEADLK;
	}
	xtaskq_note_wait(tq);
	return 0;
}

static int sleep_on(struct xtaskq_waiter *w, unsigned int state, unsigned long limit)
{
	if (state == TASK_KILLABLE)
		return wait_for_completion_killable(&w->done) ? -EINTR : 0;
	return wait_for_completion_timeout(&w->done, limit) ? 0 : -ETIMEDOUT;
}

static struct list_head *waiters_until(struct xtaskq *tq, enum xtaskq_until until)
{
	bool entry = until == XTASKQ_UNTIL_ENTRY || until == XTASKQ_UNTIL_ROOM;

	return entry ? &tq->throttled : &tq->waiters;
}

static int sleep_until(struct xtaskq *tq, enum xtaskq_until until, xtaskqid_t id,
		       unsigned int state, unsigned long limit)
{
	struct xtaskq_waiter w = { .until = until, .id = id };
	bool done;
	int err;

	init_completion(&w.done);
	raw_spin_lock_irq(&tq->lock);
	if (until == XTASKQ_UNTIL_ID)
		done = !xtaskq_find(tq, id) && !xtaskq_runs(tq, id);
	else
		done = is_true(tq, &w, 0);
	if (!done)
		list_add_tail(&w.link, waiters_until(tq, until));
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

/**
 * xtaskq_wait_until - wait without asking whether that is legal
 * @tq: the queue
 * @until: what for
 * @id: of which dispatch
 *
 * Context: Task context, sleeps.
 */
void xtaskq_wait_until(struct xtaskq *tq, enum xtaskq_until until, xtaskqid_t id)
{
	sleep_until(tq, until, id, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
}

/**
 * xtaskq_wait_entry - wait until one of the queue's entries may be had
 * @tq: the queue, which is not destroyed meanwhile
 * @spare: a spare one will do
 * @end: how long, in jiffies
 *
 * Context: Task context, sleeps.
 * Return: false if there was none until then.
 */
bool xtaskq_wait_entry(struct xtaskq *tq, bool spare, unsigned long end)
{
	long left = max_t(long, end - jiffies, 0);

	return !sleep_until(tq, spare ? XTASKQ_UNTIL_ENTRY : XTASKQ_UNTIL_ROOM, 0,
			    TASK_UNINTERRUPTIBLE, left);
}

/* Entries that are on their way cannot be looked at. */
static int wait_for(struct xtaskq *tq, enum xtaskq_until until, xtaskqid_t id,
		    unsigned int state, unsigned long limit, unsigned long ip)
{
	int err = xtaskq_may_wait(tq, "wait", ip);

	if (err)
		return err;
	if (until != XTASKQ_UNTIL_QUIET && atomic_read(&tq->in_flight))
		xtaskq_inboxes_flush();
	return sleep_until(tq, until, id, state, limit);
}

static unsigned long to_ticks(u64 ns)
{
	u64 ticks = DIV_ROUND_UP_ULL(min_t(u64, ns, S64_MAX), TICK_NSEC) + 1;

	return min_t(u64, ticks, MAX_SCHEDULE_TIMEOUT);
}

int xtaskq_wait(struct xtaskq *tq)
{
	return wait_for(tq, XTASKQ_UNTIL_QUIET, 0, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT,
			_RET_IP_);
}
EXPORT_SYMBOL_GPL(xtaskq_wait);

int xtaskq_wait_killable(struct xtaskq *tq)
{
	return wait_for(tq, XTASKQ_UNTIL_QUIET, 0, TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT,
			_RET_IP_);
}
EXPORT_SYMBOL_GPL(xtaskq_wait_killable);

int xtaskq_wait_timeout(struct xtaskq *tq, u64 ns)
{
	return wait_for(tq, XTASKQ_UNTIL_QUIET, 0, TASK_UNINTERRUPTIBLE, to_ticks(ns),
			_RET_IP_);
}
EXPORT_SYMBOL_GPL(xtaskq_wait_timeout);

static int wait_outstanding(struct xtaskq *tq, xtaskqid_t id, unsigned int state,
			    unsigned long limit, unsigned long ip)
{
	xtaskqid_t last = atomic64_read_acquire(&tq->last_id);	/* D, in dispatch.c */

	return wait_for(tq, XTASKQ_UNTIL_UPTO, id ? min(id, last) : last, state, limit,
			ip);
}

int xtaskq_wait_outstanding(struct xtaskq *tq, xtaskqid_t id)
{
	return wait_outstanding(tq, id, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT,
				_RET_IP_);
}
EXPORT_SYMBOL_GPL(xtaskq_wait_outstanding);

int xtaskq_wait_outstanding_killable(struct xtaskq *tq, xtaskqid_t id)
{
	return wait_outstanding(tq, id, TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xtaskq_wait_outstanding_killable);

int xtaskq_wait_outstanding_timeout(struct xtaskq *tq, xtaskqid_t id, u64 ns)
{
	return wait_outstanding(tq, id, TASK_UNINTERRUPTIBLE, to_ticks(ns), _RET_IP_);
}
EXPORT_SYMBOL_GPL(xtaskq_wait_outstanding_timeout);

/* No dispatch has id 0, but runners that run nothing do. */
static int wait_id(struct xtaskq *tq, xtaskqid_t id, unsigned int state, unsigned long limit,
		   unsigned long ip)
{
	return id ? wait_for(tq, XTASKQ_UNTIL_ID, id, state, limit, ip) :
		    xtaskq_may_wait(tq, "wait", ip);
}

int xtaskq_wait_id(struct xtaskq *tq, xtaskqid_t id)
{
	return wait_id(tq, id, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xtaskq_wait_id);

int xtaskq_wait_id_killable(struct xtaskq *tq, xtaskqid_t id)
{
	return wait_id(tq, id, TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xtaskq_wait_id_killable);

int xtaskq_wait_id_timeout(struct xtaskq *tq, xtaskqid_t id, u64 ns)
{
	return wait_id(tq, id, TASK_UNINTERRUPTIBLE, to_ticks(ns), _RET_IP_);
}
EXPORT_SYMBOL_GPL(xtaskq_wait_id_timeout);

bool xtaskq_empty(struct xtaskq *tq)
{
	unsigned long flags;
	bool empty;

	raw_spin_lock_irqsave(&tq->lock, flags);
	empty = list_empty(&tq->by_age) && !tq->allocating && !atomic_read(&tq->in_flight);
	raw_spin_unlock_irqrestore(&tq->lock, flags);
	return empty;
}
EXPORT_SYMBOL_GPL(xtaskq_empty);
