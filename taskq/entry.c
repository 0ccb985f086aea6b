// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queue's own entries.
 *
 * Problem.  xtaskq_dispatch() needs memory, possibly where the slab cannot be
 * asked, and minalloc and maxalloc of taskq_create(9F) say how much of it the
 * queue keeps and when it slows down those who dispatch.
 *
 * A queue has tq->nalloc entries, in use or spare.  One that is done becomes
 * spare while no more than minalloc of its kind exist, and is freed otherwise.  At
 * maxalloc no more are allocated, except for a XTASKQ_SLEEP dispatch that has
 * waited for a second: the throttle slows down, it must not deadlock a function
 * that dispatches to its own queue.
 *
 * An entry is handed out together with a count in tq->allocating: from then on
 * xtaskq_destroy() waits for the dispatch, which may drop the lock and sleep.
 * Whoever gives up the count without making the entry pending may be the last
 * thing that somebody waited for, and wakes.
 *
 * fail_nth, a module parameter, has every so manyth allocation fail, for tests of what
 * uses queues.
 */
#include <linux/jiffies.h>
#include <linux/jump_label.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <xsync/compat/slab.h>
#include "internal.h"

static DEFINE_STATIC_KEY_FALSE(xtaskq_fails);
static unsigned int fail_nth;
static atomic_t fail_count;

static int fail_nth_set(const char *text, const struct kernel_param *kp)
{
	int err = param_set_uint(text, kp);

	if (err)
		return err;
	if (fail_nth)
		static_branch_enable(&xtaskq_fails);
	else
		static_branch_disable(&xtaskq_fails);
	return 0;
}

static const struct kernel_param_ops fail_nth_ops = {
	.set = fail_nth_set,
	.get = param_get_uint,
};

module_param_cb(fail_nth, &fail_nth_ops, &fail_nth, 0600);
MODULE_PARM_DESC(fail_nth, "for tests: every so manyth allocation of an entry fails; 0: none (default)");

static bool alloc_fails(void)
{
	unsigned int nth = READ_ONCE(fail_nth);

	return nth && !(atomic_inc_return(&fail_count) % nth);
}

static struct xtaskq_ent *ent_alloc(unsigned int flags, size_t size)
{
	struct xtaskq_ent *ent = NULL;

	if (static_branch_unlikely(&xtaskq_fails) && alloc_fails())
		return NULL;
	if (!(flags & XTASKQ_NOSLEEP))
		ent = kmalloc(size, GFP_KERNEL);
	else
		ent = xsync_kmalloc_nowait(size);
	if (ent)
		xtaskq_init_ent(ent);
	return ent;
}

/* Gives up a count of tq->allocating that came to nothing. */
static void ent_give_up(struct xtaskq *tq, struct list_head *woken)
{
	tq->allocating--;
	atomic64_inc(&tq->failed);
	xtaskq_wake_done(tq, 0, woken);
}

/* A spare entry, if one of that size may be. */
static struct xtaskq_ent *ent_take_spare(struct xtaskq *tq, size_t size)
{
	struct xtaskq_ent *ent = NULL;

	if (size == sizeof(*ent))
		ent = list_first_entry_or_null(&tq->spare, struct xtaskq_ent, link);
	if (ent)
		list_del(&ent->link);
	return ent;
}

/**
 * xtaskq_ent_get - get an entry of the queue's own
 * @tq: the queue
 * @flags: of the dispatch
 * @size: of the entry, and what comes behind it
 *
 * The lock is dropped to sleep or to allocate, with the count held.
 *
 * Context: As xtaskq_dispatch().
 * Return: an entry, counted in tq->allocating; or NULL, counted as failed: the queue
 *	   may be gone then.
 */
struct xtaskq_ent *xtaskq_ent_get(struct xtaskq *tq, unsigned int flags, size_t size)
{
	struct xtaskq_ent *ent = NULL;
	unsigned long irqflags, end = jiffies + HZ;
	bool waited = false;
	LIST_HEAD(woken);

	if (flags & XTASKQ_NOALLOC)
		flags |= XTASKQ_NOSLEEP;
	if (!(flags & XTASKQ_NOSLEEP))
		might_sleep();

	raw_spin_lock_irqsave(&tq->lock, irqflags);
	tq->allocating++;
	while (!tq->dead) {
		ent = ent_take_spare(tq, size);
		if (ent || (flags & XTASKQ_NOALLOC))
			break;
		if (tq->nalloc < tq->maxalloc || waited) {
			tq->nalloc++;
			raw_spin_unlock_irqrestore(&tq->lock, irqflags);
			ent = ent_alloc(flags, size);
			raw_spin_lock_irqsave(&tq->lock, irqflags);
			if (!ent)
				tq->nalloc--;
			else if (size == sizeof(*ent))
				tq->nsmall++;
			break;
		}
		if (flags & XTASKQ_NOSLEEP)
			break;
		raw_spin_unlock_irqrestore(&tq->lock, irqflags);
		waited = !xtaskq_wait_entry(tq, size == sizeof(*ent), end);
		raw_spin_lock_irqsave(&tq->lock, irqflags);
	}
	if (!ent)
		ent_give_up(tq, &woken);
	raw_spin_unlock_irqrestore(&tq->lock, irqflags);
	xtaskq_wake(&woken);
	return ent;
}

/**
 * xtaskq_ent_put - take back an entry whose function has returned
 * @tq: the queue, locked
 * @ent: the entry
 *
 * It is kept by the number of its like: what somebody is still allocating may not come,
 * and one with a timer is never spare.
 *
 * One with a timer goes through RCU: the timer's handler may not have returned.
 *
 * Return: whether the caller is to kfree() it after the lock.
 */
bool xtaskq_ent_put(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	lockdep_assert_held(&tq->lock);

	if (ent->flags & XTASKQ_ENT_LARGE) {
		tq->nalloc--;
		kfree_rcu(ent, rcu);
		return false;
	}
	if (tq->nsmall <= tq->minalloc) {
		ent->busy = 0;
		list_add(&ent->link, &tq->spare);
		return false;
	}
	tq->nsmall--;
	tq->nalloc--;
	return true;
}

/**
 * xtaskq_ent_put_late - the same where memory cannot be freed
 * @tq: the queue, locked
 * @ent: the entry
 */
void xtaskq_ent_put_late(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	if (xtaskq_ent_put(tq, ent))
		kfree_rcu(ent, rcu);
}

/**
 * xtaskq_ent_return - take back an entry that could not be dispatched
 * @tq: the queue
 * @ent: the entry, from xtaskq_ent_get()
 *
 * Context: As xtaskq_dispatch_ent().
 */
void xtaskq_ent_return(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	unsigned long flags;
	LIST_HEAD(woken);

	raw_spin_lock_irqsave(&tq->lock, flags);
	xtaskq_ent_put_late(tq, ent);
	ent_give_up(tq, &woken);
	raw_spin_unlock_irqrestore(&tq->lock, flags);
	xtaskq_wake(&woken);
}

int xtaskq_ents_init(struct xtaskq *tq)
{
	unsigned int n = tq->flags & XTASKQ_PREPOPULATE ? tq->minalloc : 0;

	for (; n; n--) {
		struct xtaskq_ent *ent = ent_alloc(XTASKQ_SLEEP, sizeof(*ent));

		if (!ent) {
			xtaskq_ents_free(tq);
			return -ENOMEM;
		}
		list_add(&ent->link, &tq->spare);
		tq->nalloc++;
		tq->nsmall++;
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
