// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking a task back.
 *
 * An entry that waits, whether pending, delayed or given to a runner that has not
 * begun, is found by its id; under the lock it is taken off whatever it is on, and
 * that decides the race with the runner: one of "it ran" and "it was cancelled" is
 * true.  What has begun is found by looking at the runners.
 *
 * Who cancels may be in a hard interrupt, where on PREEMPT_RT no memory can be freed:
 * an entry of the queue's own becomes spare, or goes through RCU.
 */
#include <linux/export.h>
#include <linux/rcupdate.h>
#include "internal.h"
#include "trace.h"

/* Off the runner that was given it, which will find other work or none. */
static void ungive(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	unsigned int i;

	for (i = 0; i < tq->nslots; i++)
		if (tq->runners[i].given == ent)
			tq->runners[i].given = NULL;
}

/* The entry is idle, or gone, after this; a delayed one is for the caller to free. */
static void tq_cancel(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	lockdep_assert_held(&tq->lock);

	if (ent->flags & XTASKQ_ENT_GIVEN)
		ungive(tq, ent);
	else if (!(ent->flags & XTASKQ_ENT_DELAYED))
		xtaskq_unpend(tq, ent);
	hlist_del_init(&ent->by_id);
	list_del(&ent->tag.link);
	tq->cancelled++;
}

/* Takes back an entry that waits, and tells those who waited for it. */
static void cancel_waiting(struct xtaskq *tq, struct xtaskq_ent *ent, struct list_head *woken)
{
	xtaskqid_t id = ent->tag.id;

	tq_cancel(tq, ent);
	xsync_trace(xtaskq_cancel, tq->name, ent->func, id);
	if (ent->flags & XTASKQ_ENT_DELAYED)
		xtaskq_delay_stop(tq, ent);
	else if (ent->flags & XTASKQ_ENT_OWN)
		xtaskq_ent_put_late(tq, ent);
	else
		smp_store_release(&ent->busy, 0);	/* B, in dispatch.c */
	xtaskq_wake_done(tq, id, woken);
}

bool xtaskq_cancel_ent(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	LIST_HEAD(woken);
	unsigned long flags;
	bool found;

	raw_spin_lock_irqsave(&tq->lock, flags);
	found = READ_ONCE(ent->busy) && ent->tq == tq && !hlist_unhashed(&ent->by_id);
	if (found)
		cancel_waiting(tq, ent, &woken);
	raw_spin_unlock_irqrestore(&tq->lock, flags);
	xtaskq_wake(&woken);
	return found;
}
EXPORT_SYMBOL_GPL(xtaskq_cancel_ent);

/* @on_its_way: a dispatch that is in flight may be this one. */
static int cancel_id(struct xtaskq *tq, xtaskqid_t id, bool on_its_way)
{
	struct xtaskq_ent *ent;
	LIST_HEAD(woken);
	unsigned long flags;
	int err = 0;

	raw_spin_lock_irqsave(&tq->lock, flags);
	ent = xtaskq_find(tq, id);
	if (ent)
		cancel_waiting(tq, ent, &woken);
	else
		err = on_its_way || xtaskq_runs(tq, id) ? -EBUSY : -ENOENT;
	raw_spin_unlock_irqrestore(&tq->lock, flags);
	xtaskq_wake(&woken);
	return err;
}

int xtaskq_cancel_id_nowait(struct xtaskq *tq, xtaskqid_t id)
{
	if (!id)
		return -ENOENT;
	return cancel_id(tq, id, atomic_read(&tq->in_flight) &&
			 id <= atomic64_read(&tq->last_id));
}
EXPORT_SYMBOL_GPL(xtaskq_cancel_id_nowait);

int xtaskq_cancel_id(struct xtaskq *tq, xtaskqid_t id)
{
	int err = xtaskq_may_block(tq, "cancel_id", _RET_IP_);

	if (err)
		return err;
	if (!xtaskq_member(tq, current))
		xtaskq_note_wait(tq);
	/* What is on its way can be taken back when it has come. */
	if (atomic_read(&tq->in_flight))
		xtaskq_inboxes_flush();
	err = id ? cancel_id(tq, id, false) : -ENOENT;
	if (err != -EBUSY)
		return err;
	err = xtaskq_may_wait(tq, "cancel_id", _RET_IP_);
	if (err)
		return err;
	xtaskq_wait_until(tq, XTASKQ_UNTIL_ID, id);
	return -EBUSY;
}
EXPORT_SYMBOL_GPL(xtaskq_cancel_id);
