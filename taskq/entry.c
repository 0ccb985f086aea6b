// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queue's own entries.
 *
 * Problem.  xtaskq_dispatch() needs memory, possibly where the slab cannot be
 * asked, and minalloc and maxalloc of taskq_create(9F) say how much of it the
 * queue keeps and when it slows down those who dispatch.
 *
 * A queue has tq->nalloc entries, in use or spare.  One that is done becomes
 * spare while there are no more than minalloc, and is freed otherwise.  At
 * maxalloc no more are allocated, except for a XTASKQ_SLEEP dispatch that has
 * waited for a second: the throttle slows down, it must not deadlock a function
 * that dispatches to its own queue.
 *
 * An entry is handed out together with a count in tq->allocating: from then on
 * xtaskq_destroy() waits for the dispatch, which may drop the lock and sleep.
 * Whoever gives up the count without making the entry pending may be the last
 * thing that somebody waited for, and wakes.
 */
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "internal.h"

/*
 * On PREEMPT_RT the slab sleeps.  Elsewhere it is legal down to hard
 * interrupts; never in NMI, which gets no entries at all.
 */
static bool slab_is_legal(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible();
}

static struct xtaskq_ent *ent_alloc(unsigned int flags)
{
	struct xtaskq_ent *ent = NULL;

	if (!(flags & XTASKQ_NOSLEEP))
		ent = kmalloc(sizeof(*ent), GFP_KERNEL);
	else if (slab_is_legal())
		ent = kmalloc(sizeof(*ent), GFP_NOWAIT | __GFP_NOWARN);
	if (ent)
		xtaskq_init_ent(ent);
	return ent;
}

/*
 * Waits until an entry may be had, the queue is being destroyed, or what is left of
 * a second.  Gives what is left of it then.
 */
static long ent_sleep(struct xtaskq *tq, long left)
{
	return wait_event_timeout(tq->freed,
				  !list_empty_careful(&tq->spare) ||
				  READ_ONCE(tq->nalloc) < tq->maxalloc ||
				  READ_ONCE(tq->dead), left);
}

/*
 * Gives an entry, counted in tq->allocating, or NULL, counted as failed: the queue
 * may be gone then.  The lock is dropped to sleep or to allocate, with the count held.
 */
struct xtaskq_ent *xtaskq_ent_get(struct xtaskq *tq, unsigned int flags)
{
	struct xtaskq_ent *ent = NULL;
	unsigned long irqflags;
	long left = HZ;
	LIST_HEAD(woken);

	if (!(flags & XTASKQ_NOSLEEP))
		might_sleep();

	raw_spin_lock_irqsave(&tq->lock, irqflags);
	tq->allocating++;
	while (!tq->dead) {
		ent = list_first_entry_or_null(&tq->spare, struct xtaskq_ent, link);
		if (ent) {
			list_del(&ent->link);
			break;
		}
		if (tq->nalloc < tq->maxalloc || !left) {
			tq->nalloc++;
			raw_spin_unlock_irqrestore(&tq->lock, irqflags);
			ent = ent_alloc(flags);
			raw_spin_lock_irqsave(&tq->lock, irqflags);
			if (!ent)
				tq->nalloc--;
			break;
		}
		if (flags & XTASKQ_NOSLEEP)
			break;
		raw_spin_unlock_irqrestore(&tq->lock, irqflags);
		left = ent_sleep(tq, left);
		raw_spin_lock_irqsave(&tq->lock, irqflags);
	}
	if (!ent) {
		tq->allocating--;
		atomic64_inc(&tq->failed);
		xtaskq_wake_quiet(tq, &woken);
	}
	raw_spin_unlock_irqrestore(&tq->lock, irqflags);
	xtaskq_wake(&woken);
	return ent;
}

/*
 * Takes back an entry whose function has returned.  Under the lock; gives
 * whether the caller is to kfree() it after the lock.
 */
bool xtaskq_ent_put(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	lockdep_assert_held(&tq->lock);

	if (tq->nalloc <= tq->minalloc) {
		list_add(&ent->link, &tq->spare);
		return false;
	}
	tq->nalloc--;
	return true;
}

int xtaskq_ents_init(struct xtaskq *tq)
{
	unsigned int n = tq->flags & XTASKQ_PREPOPULATE ? tq->minalloc : 0;

	for (; n; n--) {
		struct xtaskq_ent *ent = ent_alloc(XTASKQ_SLEEP);

		if (!ent) {
			xtaskq_ents_free(tq);
			return -ENOMEM;
		}
		list_add(&ent->link, &tq->spare);
		tq->nalloc++;
	}
	return 0;
}

void xtaskq_ents_free(struct xtaskq *tq)
{
	struct xtaskq_ent *ent, *next;

	list_for_each_entry_safe(ent, next, &tq->spare, link)
		kfree(ent);
	INIT_LIST_HEAD(&tq->spare);
}
