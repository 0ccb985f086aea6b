// SPDX-License-Identifier: GPL-2.0-only
/*
 * wait - sleep until a sequence has passed a ticket.
 *
 * A list of waiters of our own instead of a wait queue: wake-ups come from hard
 * interrupts, where PREEMPT_RT has no wait queues and no complete_all(), and
 * each waiter has a ticket of its own.
 *
 * A waiter is on its task's stack.  The waker takes it off the list and wakes
 * its task under the lock, and the waiter takes the lock once more before it
 * returns, so neither the waiter nor the task can be gone while it is woken.
 *
 * Memory ordering.
 *  H  the waiter adds itself, then set_current_state()'s barrier, then it reads
 *     the sequence; whoever moves the sequence on stores it, then a full
 *     barrier, then looks whether the list is empty.  One sees the other.
 */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include "internal.h"

/* Woken by one interrupt; the rest by the next. */
#define XSYNC_WAKE_BATCH	64

struct xsync_waiter {
	struct list_head node;
	struct task_struct *task;
	unsigned long ticket;
};

void xsync_waitlist_init(struct xsync_waitlist *w, const unsigned long *seq)
{
	raw_spin_lock_init(&w->lock);
	INIT_LIST_HEAD(&w->waiters);
	w->seq = seq;
}

static bool xsync_waitlist_passed(struct xsync_waitlist *w, unsigned long ticket)
{
	/* What ended is before what the waiter does next. */
	return xsync_seq_passed(smp_load_acquire(w->seq), ticket);
}

/**
 * xsync_waitlist_sleep - sleep until the sequence passes a ticket
 * @w: the list
 * @ticket: the ticket
 * @state: TASK_UNINTERRUPTIBLE or TASK_KILLABLE
 * @expires: when to give up on CLOCK_MONOTONIC, KTIME_MAX: never
 *
 * Context: Task context, sleeps.
 * Return: 0, -EINTR for a fatal signal, -ETIMEDOUT.
 */
int xsync_waitlist_sleep(struct xsync_waitlist *w, unsigned long ticket,
			 unsigned int state, ktime_t expires)
{
	ktime_t *end = expires == KTIME_MAX ? NULL : &expires;
	struct xsync_waiter self = { .task = current, .ticket = ticket };
	int err = 0;

	raw_spin_lock_irq(&w->lock);
	list_add_tail(&self.node, &w->waiters);
	raw_spin_unlock_irq(&w->lock);

	for (;;) {
		set_current_state(state);	/* H */
		if (xsync_waitlist_passed(w, ticket))
			break;
		if (signal_pending_state(state, current)) {
			err = -EINTR;
			break;
		}
		/* A passed ticket wins over the passed time. */
		if (!schedule_hrtimeout(end, HRTIMER_MODE_ABS)) {
			if (!xsync_waitlist_passed(w, ticket))
				err = -ETIMEDOUT;
			break;
		}
	}
	__set_current_state(TASK_RUNNING);

	raw_spin_lock_irq(&w->lock);
	list_del(&self.node);
	raw_spin_unlock_irq(&w->lock);
	return err;
}

/**
 * xsync_waitlist_wake_locked - wake those whose ticket the sequence has passed
 * @w: the list, locked
 * @max: how many at most
 *
 * Context: Hard interrupt or task context, interrupts off, no rq->lock held.
 * Return: true if some are left to be woken by another call.
 */
bool xsync_waitlist_wake_locked(struct xsync_waitlist *w, unsigned int max)
{
	struct xsync_waiter *waiter, *next;

	lockdep_assert_held(&w->lock);
	list_for_each_entry_safe(waiter, next, &w->waiters, node) {
		if (!xsync_waitlist_passed(w, waiter->ticket))
			continue;
		if (!max--)
			return true;
		list_del_init(&waiter->node);
		wake_up_process(waiter->task);
	}
	return false;
}

/**
 * xsync_waitlist_wake - wake a batch of those whose ticket was passed
 * @w: the list
 *
 * Context: Hard interrupt or task context; no rq->lock held.
 * Return: true if some are left to be woken by another call.
 */
bool xsync_waitlist_wake(struct xsync_waitlist *w)
{
	unsigned long flags;
	bool more;

	if (list_empty(&w->waiters))
		return false;

	raw_spin_lock_irqsave(&w->lock, flags);
	more = xsync_waitlist_wake_locked(w, XSYNC_WAKE_BATCH);
	raw_spin_unlock_irqrestore(&w->lock, flags);
	return more;
}

/**
 * xsync_waitlist_first - who waits, for a report
 * @w: the list
 * @comm: the name of the first waiter's task, or "-"
 * @pid: its pid, or 0
 *
 * Context: Hard interrupt or task context; no rq->lock held.
 * Return: how many wait.
 */
unsigned int xsync_waitlist_first(struct xsync_waitlist *w, char *comm, pid_t *pid)
{
	struct xsync_waiter *waiter;
	unsigned int waiters = 0;
	unsigned long flags;

	strscpy(comm, "-", TASK_COMM_LEN);
	*pid = 0;
	raw_spin_lock_irqsave(&w->lock, flags);
	list_for_each_entry(waiter, &w->waiters, node) {
		if (waiters++)
			continue;
		strscpy(comm, waiter->task->comm, TASK_COMM_LEN);
		*pid = waiter->task->pid;
	}
	raw_spin_unlock_irqrestore(&w->lock, flags);
	return waiters;
}

/**
 * xsync_may_sleep - whether the caller is allowed to sleep
 *
 * Says no for certain only as far as the kernel counts: without PREEMPT_COUNT a
 * held spinlock is not seen.
 *
 * Context: Any.
 * Return: 0 or -EWOULDBLOCK.
 */
int xsync_may_sleep(void)
{
	if (!in_task() || irqs_disabled() || preempt_count() || rcu_preempt_depth())
		return -EWOULDBLOCK;
	return 0;
}
