// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting a task on a queue.
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
 * Order.  An id is given under the lock and the entry put at the end of the list by
 * age; only dispatches on their way through an inbox have one before.  They are put
 * where they belong, which is near the end.
 *
 * FRONT tasks are before all others.  The last of them is remembered, for queues
 * where they keep their order among each other.
 *
 * NOWAKE.  The entry is pending, and that is all.  Whoever takes it, woken for another
 * one or not at all, has done what xtaskq_wake_up() is called for later; that one
 * wakes as many runners at most as entries are still pending.
 *
 * NOQUEUE.  An idle runner is taken off the list and given the entry, which is not
 * on the list of pending ones: nothing can come before it.
 *
 * Memory ordering.  A: llist_add() before xsync_handoff(), which is a full
 * barrier also when the hand-off was queued already: the run that it says is to
 * come finds the entry.  Pairs with the hand-off becoming idle before its
 * function is called.
 * D: in_flight is counted before the id is given: who has seen that id waits for what
 * is in flight.
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
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/timekeeping.h>
#include <xsync/xcall.h>
#include "internal.h"
#include "trace.h"

struct xtaskq_inbox {
	struct llist_head list;
	struct xsync_handoff handoff;
};

static DEFINE_PER_CPU(struct xtaskq_inbox, xtaskq_inboxes);

/* What of a dispatch's flags its entry keeps. */
#define ENT_FLAGS	(XTASKQ_FRONT | XTASKQ_NOQUEUE | XTASKQ_NOWAKE)

/**
 * xtaskq_ent_claim - fill in an entry if it is idle
 * @tq: where it is going to be dispatched
 * @ent: the entry
 * @func: as for a dispatch
 * @arg: as for a dispatch
 * @flags: as for a dispatch, and XTASKQ_ENT_OWN
 *
 * Context: Any.
 * Return: false if it is under way already: it would be on two lists.
 */
bool xtaskq_ent_claim(struct xtaskq *tq, struct xtaskq_ent *ent, xtaskq_func_t func,
		      void *arg, unsigned int flags)
{
	if (xchg(&ent->busy, 1))
		return false;
	INIT_HLIST_NODE(&ent->by_id);
	ent->func = func;
	ent->arg = arg;
	ent->tq = tq;
	ent->flags = flags;
	ent->since = ktime_get_mono_fast_ns();
	return true;
}

/**
 * xtaskq_admit - make an entry known to those who wait and those who cancel
 * @tq: the queue, locked
 * @ent: the entry, with its id
 */
void xtaskq_admit(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	struct xtaskq_tag *tag;

	lockdep_assert_held(&tq->lock);
	hlist_add_head(&ent->by_id, xtaskq_bucket(tq, ent->tag.id));
	list_for_each_entry_reverse(tag, &tq->by_age, link)
		if (tag->id < ent->tag.id)
			break;
	list_add(&ent->tag.link, &tag->link);
	tq->linked++;
}

/**
 * xtaskq_pend - make an entry pending
 * @tq: the queue, locked
 * @ent: the entry, admitted
 *
 * Return: who is to be told after the lock, with preemption off until then.
 */
struct xtaskq_kick xtaskq_pend(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	lockdep_assert_held(&tq->lock);

	if (!(ent->flags & XTASKQ_FRONT)) {
		list_add_tail(&ent->link, &tq->pending);
	} else if ((tq->flags & XTASKQ_FRONT_FIFO) && tq->last_front) {
		list_add(&ent->link, &tq->last_front->link);
		tq->last_front = ent;
	} else {
		list_add(&ent->link, &tq->pending);
		if (!tq->last_front)
			tq->last_front = ent;
	}
	tq->npending++;
	if (ent->flags & XTASKQ_NOWAKE)
		return (struct xtaskq_kick){};
	return xtaskq_kick_prepare(tq);
}

/**
 * xtaskq_unpend - take a pending entry off the list of those
 * @tq: the queue, locked
 * @ent: the entry
 */
void xtaskq_unpend(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	lockdep_assert_held(&tq->lock);

	if (tq->last_front == ent)
		tq->last_front = list_is_first(&ent->link, &tq->pending) ?
				 NULL : list_prev_entry(ent, link);
	list_del(&ent->link);
	tq->npending--;
}

static xtaskqid_t refuse(struct xtaskq *tq)
{
	atomic64_inc(&tq->failed);
	return 0;
}

/* An idle runner that has not been promised to anybody is given the entry. */
static bool tq_give(struct xtaskq *tq, struct xtaskq_ent *ent, struct xtaskq_kick *kick)
{
	struct xtaskq_runner *r = xtaskq_runner_take(tq);

	if (!r)
		return false;
	r->given = ent;
	ent->flags |= XTASKQ_ENT_GIVEN;
	kick->runner = r;
	return true;
}

/*
 * Number an entry and let it in.  Returns its id, or 0: the queue is being destroyed,
 * or has no idle runner for NOQUEUE.
 */
static xtaskqid_t tq_enter(struct xtaskq *tq, struct xtaskq_ent *ent,
			   struct xtaskq_kick *kick)
{
	bool given = ent->flags & XTASKQ_NOQUEUE;

	lockdep_assert_held(&tq->lock);
	if (given && !tq_give(tq, ent, kick))
		return 0;
	ent->tag.id = atomic64_inc_return(&tq->last_id);
	xtaskq_admit(tq, ent);
	if (!given)
		*kick = xtaskq_pend(tq, ent);
	return ent->tag.id;
}

xtaskqid_t xtaskq_dispatch_ent(struct xtaskq *tq, xtaskq_func_t func, void *arg,
			       unsigned int flags, struct xtaskq_ent *ent)
{
	struct xtaskq_kick kick = {};
	unsigned long irqflags;
	xtaskqid_t id = 0;

	preempt_disable();
	if (READ_ONCE(tq->dead) ||
	    !xtaskq_ent_claim(tq, ent, func, arg, flags & ENT_FLAGS)) {
		id = refuse(tq);
		preempt_enable();
		return id;
	}

	raw_spin_lock_irqsave(&tq->lock, irqflags);
	if (likely(!tq->dead))
		id = tq_enter(tq, ent, &kick);
	raw_spin_unlock_irqrestore(&tq->lock, irqflags);

	xtaskq_kick(tq, kick);
	if (!id) {
		smp_store_release(&ent->busy, 0);	/* B */
		refuse(tq);
	} else {
		xsync_trace(xtaskq_dispatch, tq->name, func, id);
	}
	preempt_enable();
	return id;
}
EXPORT_SYMBOL_GPL(xtaskq_dispatch_ent);

xtaskqid_t xtaskq_dispatch(struct xtaskq *tq, xtaskq_func_t func, void *arg,
			   unsigned int flags)
{
	struct xtaskq_ent *ent = xtaskq_ent_get(tq, flags, sizeof(*ent));
	struct xtaskq_kick kick = {};
	unsigned long irqflags;
	xtaskqid_t id;

	if (!ent)
		return 0;	/* counted; the queue may be gone */
	/*
	 * The queue counts the entry as on its way, so the gate need not be
	 * looked at again: xtaskq_destroy() waits for what got this far.
	 */
	xtaskq_ent_claim(tq, ent, func, arg, (flags & ENT_FLAGS) | XTASKQ_ENT_OWN);
	preempt_disable();
	raw_spin_lock_irqsave(&tq->lock, irqflags);
	id = tq_enter(tq, ent, &kick);
	if (id)
		tq->allocating--;
	raw_spin_unlock_irqrestore(&tq->lock, irqflags);
	if (id) {
		xtaskq_kick(tq, kick);
		xsync_trace(xtaskq_dispatch, tq->name, func, id);
	} else {
		xtaskq_ent_return(tq, ent);
	}
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
		xtaskq_admit(tq, ent);
		kick = xtaskq_pend(tq, ent);
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
	if (READ_ONCE(tq->dead) || !xtaskq_ent_claim(tq, ent, func, arg, 0)) {
		id = refuse(tq);
		goto out;
	}
	atomic_inc(&tq->in_flight);
	id = atomic64_inc_return(&tq->last_id);		/* D */
	ent->tag.id = id;
	inbox = this_cpu_ptr(&xtaskq_inboxes);
	llist_add(&ent->handed, &inbox->list);
	/* A */
	xsync_handoff(&inbox->handoff);
	xsync_trace(xtaskq_dispatch, tq->name, func, id);
out:
	preempt_enable_notrace();
	return id;
}
EXPORT_SYMBOL_GPL(xtaskq_dispatch_any);

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
