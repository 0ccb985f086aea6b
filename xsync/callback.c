// SPDX-License-Identifier: GPL-2.0-only
/*
 * callback - run functions in a worker thread after a grace period.
 *
 * Structures.  A callback moves through three chains, each kept in the lockless
 * list's order, newest first:
 *
 *	cb_new      added to in any context
 *	cb_waiting  taken from cb_new as a whole by the kick, with one ticket
 *	cb_ready    the same chain once its ticket is done, for the worker
 *
 * Each move is one pointer, so it is cheap in an interrupt however long the
 * chain is.  A chain moves only into an empty place: the callbacks of a domain
 * run one at a time, in the order in which they were queued.  That is what makes
 * xsync_barrier() a callback of its own.
 *
 * The worker is unbound, a thread of no CPU: a callback may take cpus_read_lock,
 * for which a CPU's own thread would wait in vain while its CPU goes down.
 *
 * A head is claimed by setting its function and is idle again before it is
 * called, so the function may free it or queue it once more.  It also stops
 * counting as queued before that: who is told of its end by the function itself
 * may destroy the domain.  That one function may be running still is the worker's
 * affair, which is waited for.
 *
 * Memory ordering.  The ticket is taken after the callback was found in cb_new,
 * by llist_del_all(), a full barrier as llist_add() is: what was before
 * xsync_call() is before the ticket.
 */
#include <linux/completion.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include "internal.h"
#include "trace.h"

static struct workqueue_struct *xsync_wq;

int xsync_call(struct xsync_domain *d, struct xsync_head *head, xsync_func_t func)
{
	struct xsync_state *s = d->state;

	if (!func)
		return -EINVAL;
	if (cmpxchg(&head->func, NULL, func))
		return -EBUSY;

	atomic_long_inc(&s->callbacks);
	llist_add(&head->node, &s->cb_new);
	xsync_handoff(&s->kick);
	return 0;
}
EXPORT_SYMBOL_GPL(xsync_call);

/**
 * xsync_callbacks_move - move callbacks on as far as they go now
 * @s: the domain
 *
 * Context: Hard interrupt, or interrupts off; no rq->lock held.
 */
void xsync_callbacks_move(struct xsync_state *s)
{
	bool ready = false;
	unsigned long flags;

	if (!atomic_long_read(&s->callbacks))
		return;

	raw_spin_lock_irqsave(&s->cb_lock, flags);
	for (;;) {
		if (!s->cb_waiting) {
			struct llist_node *chain = llist_del_all(&s->cb_new);

			if (!chain)
				break;
			WRITE_ONCE(s->cb_waiting, chain);
			s->cb_ticket = xsync_ticket(s);
			xsync_try_advance(s);
		}
		if (s->cb_ready || !xsync_passed(s, s->cb_ticket))
			break;
		s->cb_ready = s->cb_waiting;
		WRITE_ONCE(s->cb_waiting, NULL);
		ready = true;
	}
	raw_spin_unlock_irqrestore(&s->cb_lock, flags);

	if (ready)
		queue_work(xsync_wq, &s->cb_work);
}

static struct llist_node *xsync_callbacks_take(struct xsync_state *s)
{
	struct llist_node *chain;

	raw_spin_lock_irq(&s->cb_lock);
	chain = s->cb_ready;
	s->cb_ready = NULL;
	raw_spin_unlock_irq(&s->cb_lock);

	/* There is room for the next chain. */
	xsync_drive_now(s);
	return llist_reverse_order(chain);
}

static void xsync_callbacks_run(struct work_struct *work)
{
	struct xsync_state *s = container_of(work, struct xsync_state, cb_work);
	struct xsync_head *head, *next;
	struct llist_node *chain = xsync_callbacks_take(s);

	WRITE_ONCE(s->cb_task, current);
	llist_for_each_entry_safe(head, next, chain, node) {
		xsync_func_t func = head->func;

		/* Idle, with its function read, before whoever queues it again. */
		smp_store_release(&head->func, NULL);
		atomic_long_dec(&s->callbacks);
		xsync_trace(xsync_callback, s->name, func);
		lock_map_acquire(&s->domain->callback_map);
		func(head);
		lock_map_release(&s->domain->callback_map);
		cond_resched();
	}
	WRITE_ONCE(s->cb_task, NULL);
}

struct xsync_barrier {
	struct xsync_head head;
	struct completion done;
};

static void xsync_barrier_reached(struct xsync_head *head)
{
	complete(&container_of(head, struct xsync_barrier, head)->done);
}

int xsync_barrier(struct xsync_domain *d)
{
	struct xsync_state *s = d->state;
	struct xsync_barrier barrier = {};
	int err = xsync_may_wait(s, _RET_IP_);

	if (err)
		return err;
	lock_map_acquire(&d->callback_map);
	lock_map_release(&d->callback_map);

	/* Nothing queued: only the last one may still be running. */
	if (!atomic_long_read(&s->callbacks)) {
		flush_work(&s->cb_work);
		return 0;
	}

	init_completion(&barrier.done);
	xsync_call(d, &barrier.head, xsync_barrier_reached);
	xsync_drive_now(s);
	wait_for_completion(&barrier.done);
	return 0;
}
EXPORT_SYMBOL_GPL(xsync_barrier);

void xsync_callbacks_setup(struct xsync_state *s)
{
	init_llist_head(&s->cb_new);
	raw_spin_lock_init(&s->cb_lock);
	INIT_WORK(&s->cb_work, xsync_callbacks_run);
}

/* A callback may wait for those of another domain: the workers are of several classes. */
void xsync_callbacks_class(struct xsync_state *s, const char *name,
			   struct lock_class_key *key)
{
#ifdef CONFIG_LOCKDEP
	lockdep_init_map(&s->cb_work.lockdep_map, name, key, 0);
#endif
}

int xsync_callbacks_init(void)
{
	xsync_wq = alloc_workqueue("xsync", WQ_UNBOUND, 0);
	return xsync_wq ? 0 : -ENOMEM;
}

void xsync_callbacks_exit(void)
{
	destroy_workqueue(xsync_wq);
}
