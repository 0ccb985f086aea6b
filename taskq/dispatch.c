// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting a task on a queue, and taking it off again.
 *
 * Problem.  A dispatch may come from a hard interrupt on PREEMPT_RT, so it takes
 * one raw lock, does a fixed amount of work under it, and wakes at most one
 * thread, after the lock.  It may also come from an NMI or from under a
 * scheduler lock, where not even that is legal: then the entry goes on a list of
 * this CPU's, and a hand-off makes it pending from a hard interrupt of this CPU
 * soon after.
 *
 * One inbox per CPU, shared by all queues: a hand-off is a function and a list
 * node, so with one per entry nothing would say which entries are still on the
 * way; with one per CPU, xsync_handoff_sync() on each does (xtaskq_wait_id()
 * needs to know).  It also keeps the order of one CPU's dispatches.
 *
 * Lifetime.  From looking at the gate (tq->dead) to waking a runner preemption
 * is off, which makes the dispatch an RCU reader.  xtaskq_destroy() waits for a
 * grace period after closing the gate: every dispatch that found it open has
 * then been counted, in tq->in_flight or as pending.  It waits for another one
 * before it stops the runners: nobody is then about to wake one.  The memory goes
 * after a third, so a dispatch that finds the gate closed reads no freed memory.
 *
 * Memory ordering.  A: llist_add() before xsync_handoff(), which is a full
 * barrier also when the hand-off was queued already: the run that it says is to
 * come finds the entry.  Pairs with the hand-off becoming idle before its
 * function is called.
 * B: what the queue did with an entry before the entry is idle.  Pairs with the
 * xchg() of whoever claims it next, perhaps for another queue.
 *
 * Hotplug.  A hand-off on a CPU that is not online runs in a hotplug callback,
 * perhaps on another CPU: the inbox is found from the hand-off, not from the CPU.
 *
 * Limits.  The interrupt makes all entries of an inbox pending in one go; their
 * number is bounded by what callers dispatch while interrupts are off.
 */
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <xsync/xcall.h>
#include "internal.h"

struct xtaskq_inbox {
	struct llist_head list;
	struct xsync_handoff handoff;
};

static DEFINE_PER_CPU(struct xtaskq_inbox, xtaskq_inboxes);

/* Claims an idle entry; one that is under way already would be on two lists. */
static bool ent_claim(struct xtaskq *tq, struct xtaskq_ent *ent,
		      xtaskq_func_t func, void *arg, unsigned int flags)
{
	if (xchg(&ent->busy, 1))
		return false;
	INIT_HLIST_NODE(&ent->by_id);
	ent->func = func;
	ent->arg = arg;
	ent->tq = tq;
	ent->flags = flags;
	return true;
}

/* Makes an entry pending; gives who is to be woken after the lock. */
static struct xtaskq_kick tq_link(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	lockdep_assert_held(&tq->lock);

	if (ent->flags & XTASKQ_FRONT)
		list_add(&ent->link, &tq->pending);
	else
		list_add_tail(&ent->link, &tq->pending);
	hlist_add_head(&ent->by_id, xtaskq_bucket(tq, ent->id));
	tq->npending++;
	tq->linked++;
	return xtaskq_kick_prepare(tq);
}

/* Takes a pending entry off the queue's lists.  Under the lock. */
void xtaskq_unlink(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	lockdep_assert_held(&tq->lock);

	list_del(&ent->link);
	hlist_del_init(&ent->by_id);
	tq->npending--;
}

static xtaskqid_t refuse(struct xtaskq *tq)
{
	atomic64_inc(&tq->failed);
	return 0;
}

xtaskqid_t xtaskq_dispatch_ent(struct xtaskq *tq, xtaskq_func_t func, void *arg,
			       unsigned int flags, struct xtaskq_ent *ent)
{
	struct xtaskq_kick kick = {};
	unsigned long irqflags;
	xtaskqid_t id = 0;

	preempt_disable();
	if (READ_ONCE(tq->dead) ||
	    !ent_claim(tq, ent, func, arg, flags & XTASKQ_FRONT)) {
		id = refuse(tq);
		preempt_enable();
		return id;
	}

	raw_spin_lock_irqsave(&tq->lock, irqflags);
	if (likely(!tq->dead)) {
		id = atomic64_inc_return(&tq->last_id);
		ent->id = id;
		kick = tq_link(tq, ent);
	}
	raw_spin_unlock_irqrestore(&tq->lock, irqflags);

	xtaskq_kick(tq, kick);
	if (!id) {
		smp_store_release(&ent->busy, 0);	/* B */
		refuse(tq);
	}
	preempt_enable();
	return id;
}
EXPORT_SYMBOL_GPL(xtaskq_dispatch_ent);

xtaskqid_t xtaskq_dispatch(struct xtaskq *tq, xtaskq_func_t func, void *arg,
			   unsigned int flags)
{
	struct xtaskq_ent *ent = xtaskq_ent_get(tq, flags);
	struct xtaskq_kick kick;
	unsigned long irqflags;
	xtaskqid_t id;

	if (!ent)
		return 0;	/* counted; the queue may be gone */
	/*
	 * The queue counts the entry as on its way, so the gate need not be
	 * looked at again: xtaskq_destroy() waits for what got this far.
	 */
	ent_claim(tq, ent, func, arg, (flags & XTASKQ_FRONT) | XTASKQ_ENT_OWN);
	preempt_disable();
	raw_spin_lock_irqsave(&tq->lock, irqflags);
	tq->allocating--;
	id = atomic64_inc_return(&tq->last_id);
	ent->id = id;
	kick = tq_link(tq, ent);
	raw_spin_unlock_irqrestore(&tq->lock, irqflags);
	xtaskq_kick(tq, kick);
	preempt_enable();
	return id;
}
EXPORT_SYMBOL_GPL(xtaskq_dispatch);

/* Runs in hard interrupt, or with interrupts off elsewhere: see xsync/xcall.h. */
static void inbox_drain(struct xsync_handoff *h)
{
	struct xtaskq_inbox *inbox = container_of(h, struct xtaskq_inbox, handoff);
	struct llist_node *list = llist_reverse_order(llist_del_all(&inbox->list));
	struct xtaskq_ent *ent, *next;

	llist_for_each_entry_safe(ent, next, list, handed) {
		struct xtaskq *tq = ent->tq;
		struct xtaskq_kick kick;

		raw_spin_lock(&tq->lock);
		kick = tq_link(tq, ent);
		atomic_dec(&tq->in_flight);
		raw_spin_unlock(&tq->lock);
		xtaskq_kick(tq, kick);
	}
}

xtaskqid_t xtaskq_dispatch_any(struct xtaskq *tq, struct xtaskq_ent *ent,
			       xtaskq_func_t func, void *arg)
{
	struct xtaskq_inbox *inbox;
	xtaskqid_t id;

	preempt_disable_notrace();
	if (READ_ONCE(tq->dead) || !ent_claim(tq, ent, func, arg, 0)) {
		id = refuse(tq);
		goto out;
	}
	atomic_inc(&tq->in_flight);
	id = atomic64_inc_return(&tq->last_id);
	ent->id = id;
	inbox = this_cpu_ptr(&xtaskq_inboxes);
	llist_add(&ent->handed, &inbox->list);
	/* A */
	xsync_handoff(&inbox->handoff);
out:
	preempt_enable_notrace();
	return id;
}
EXPORT_SYMBOL_GPL(xtaskq_dispatch_any);

bool xtaskq_cancel_ent(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	LIST_HEAD(woken);
	unsigned long irqflags;
	bool found;

	raw_spin_lock_irqsave(&tq->lock, irqflags);
	found = READ_ONCE(ent->busy) && ent->tq == tq && !hlist_unhashed(&ent->by_id);
	if (found) {
		xtaskq_unlink(tq, ent);
		tq->cancelled++;
		xtaskq_wake_id(tq, ent->id, &woken);
		xtaskq_wake_quiet(tq, &woken);
		smp_store_release(&ent->busy, 0);	/* B */
	}
	raw_spin_unlock_irqrestore(&tq->lock, irqflags);
	xtaskq_wake(&woken);
	return found;
}
EXPORT_SYMBOL_GPL(xtaskq_cancel_ent);

/* Returns when all that was handed off before is pending or further. */
void xtaskq_inboxes_flush(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		xsync_handoff_sync(&per_cpu(xtaskq_inboxes, cpu).handoff);
}

void xtaskq_inboxes_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct xtaskq_inbox *inbox = per_cpu_ptr(&xtaskq_inboxes, cpu);

		init_llist_head(&inbox->list);
		xsync_handoff_init(&inbox->handoff, inbox_drain);
	}
}
