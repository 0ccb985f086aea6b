// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that become pending after a time.
 *
 * A delayed task is an entry of the queue's own with a timer of its own, a hard one:
 * its handler takes the queue's lock, makes the entry pending and wakes a runner, as
 * a dispatch in a hard interrupt does.  Until then the entry is known by its id and
 * its age like all others, so waits and cancellations need not know of delays.
 *
 * Cancelling.  Under the lock the entry is not DELAYED any more; that decides the race
 * with the handler.  If the timer was still there it is gone then, and who cancelled
 * frees the entry.  Otherwise the handler is about to take the lock: it finds that,
 * does nothing, and frees the entry.  Both free through RCU, since they may be in a
 * hard interrupt on PREEMPT_RT; so does the runner, since the handler may not have
 * returned.  The queue itself stays for as long as the handler
 * runs: it is an RCU reader that began before the cancellation, and xtaskq_destroy()
 * waits for those.
 *
 * Hotplug.  The kernel moves the timers of a CPU that goes.
 *
 * Limits.  That takes time in proportion to them, with interrupts off.
 */
#include <linux/export.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <xsync/compat/hrtimer.h>
#include "internal.h"
#include "trace.h"

struct xtaskq_delayed {
	struct xtaskq_ent ent;
	struct hrtimer timer;
};

static struct xtaskq_delayed *to_delayed(struct xtaskq_ent *ent)
{
	return container_of(ent, struct xtaskq_delayed, ent);
}

/* The time is up.  Hard interrupt. */
static enum hrtimer_restart delay_is_over(struct hrtimer *timer)
{
	struct xtaskq_delayed *d = container_of(timer, struct xtaskq_delayed, timer);
	struct xtaskq *tq = d->ent.tq;
	struct xtaskq_kick kick = {};
	bool cancelled;

	raw_spin_lock(&tq->lock);
	cancelled = !(d->ent.flags & XTASKQ_ENT_DELAYED);
	if (!cancelled) {
		d->ent.flags &= ~XTASKQ_ENT_DELAYED;
		d->ent.since = ktime_get_mono_fast_ns();
		tq->ndelayed--;
		kick = xtaskq_pend(tq, &d->ent);
	}
	raw_spin_unlock(&tq->lock);

	xtaskq_kick(tq, kick);
	if (cancelled)
		kfree_rcu(&d->ent, rcu);
	return HRTIMER_NORESTART;
}

/**
 * xtaskq_delay_stop - see to it that a cancelled entry does not become pending
 * @tq: the queue, locked
 * @ent: the entry, off all lists; freed sooner or later
 */
void xtaskq_delay_stop(struct xtaskq *tq, struct xtaskq_ent *ent)
{
	struct xtaskq_delayed *d = to_delayed(ent);

	lockdep_assert_held(&tq->lock);
	ent->flags &= ~XTASKQ_ENT_DELAYED;
	tq->ndelayed--;
	tq->nalloc--;
	if (hrtimer_try_to_cancel(&d->timer) >= 0)
		kfree_rcu(&d->ent, rcu);
}

static void delay_start(struct xtaskq *tq, struct xtaskq_delayed *d, u64 ns, u64 slack_ns)
{
	hrtimer_setup(&d->timer, delay_is_over, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	d->ent.flags |= XTASKQ_ENT_DELAYED;
	d->ent.tag.id = atomic64_inc_return(&tq->last_id);
	xtaskq_admit(tq, &d->ent);
	tq->ndelayed++;
	tq->allocating--;
	hrtimer_start_range_ns(&d->timer, ns_to_ktime(min_t(u64, ns, KTIME_MAX)),
			       min_t(u64, slack_ns, KTIME_MAX), HRTIMER_MODE_REL_HARD);
}

xtaskqid_t xtaskq_dispatch_delay(struct xtaskq *tq, xtaskq_func_t func, void *arg,
				 unsigned int flags, u64 ns, u64 slack_ns)
{
	unsigned long irqflags;
	struct xtaskq_ent *ent;
	xtaskqid_t id;

	if (flags & (XTASKQ_NOQUEUE | XTASKQ_NOALLOC | XTASKQ_NOWAKE)) {
		atomic64_inc(&tq->failed);
		return 0;
	}
	ent = xtaskq_ent_get(tq, flags, sizeof(struct xtaskq_delayed));
	if (!ent)
		return 0;
	xtaskq_ent_claim(tq, ent, func, arg,
			 (flags & XTASKQ_FRONT) | XTASKQ_ENT_OWN | XTASKQ_ENT_LARGE);

	preempt_disable();
	raw_spin_lock_irqsave(&tq->lock, irqflags);
	delay_start(tq, to_delayed(ent), ns, slack_ns);
	id = ent->tag.id;
	raw_spin_unlock_irqrestore(&tq->lock, irqflags);
	xsync_trace(xtaskq_dispatch, tq->name, func, id);
	preempt_enable();
	return id;
}
EXPORT_SYMBOL_GPL(xtaskq_dispatch_delay);
