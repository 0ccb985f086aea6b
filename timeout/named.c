// SPDX-License-Identifier: GPL-2.0-only
/*
 * The id form: callouts of ours that an id stands for.
 *
 * Problem.  An id must be good for ever: whatever has happened to the timeout, the
 * id finds it or finds nothing.  So ids are looked up in a hash, and what is found
 * is looked at again under its table's lock: XCALLOUT_GONE, set there together with
 * taking it out of the hash, means that it was too late.  The memory is freed after
 * an RCU grace period, so the lookup needs no lock.
 *
 * Memory.  xtimeout() is legal where the slab is not: in hard interrupts on
 * PREEMPT_RT, or with a raw lock held.  Then it takes a spare piece; a thread of the
 * pool fills up the reserve when half of it is gone.
 *
 * Locking.  Each bucket has a raw lock, taken after a table's; the reserve has one,
 * taken with nothing held.
 *
 * Limits.  The hash does not grow: with 10^6 timeouts a lookup passes about 60.
 */
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include "internal.h"

#define XTIMEOUT_ID_BUCKETS	16384

struct xtimeout_bucket {
	raw_spinlock_t lock;
	struct hlist_head head;
};

static struct xtimeout_bucket *xtimeout_ids;

static DEFINE_RAW_SPINLOCK(reserve_lock);
static LIST_HEAD(reserve);
static unsigned int reserve_size;
static struct xtaskq_ent reserve_ent;

static struct xtimeout_bucket *bucket_of(u64 id)
{
	return &xtimeout_ids[id % XTIMEOUT_ID_BUCKETS];
}

static void id_insert(struct xtimeout_named *named)
{
	struct xtimeout_bucket *bucket = bucket_of(named->co.id);
	unsigned long flags;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_add_head_rcu(&named->by_id, &bucket->head);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

static void id_remove(struct xtimeout_named *named)
{
	struct xtimeout_bucket *bucket = bucket_of(named->co.id);
	unsigned long flags;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_del_rcu(&named->by_id);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

/* Under rcu_read_lock(). */
static struct xtimeout_named *id_find(u64 id)
{
	struct xtimeout_named *named;

	hlist_for_each_entry_rcu(named, &bucket_of(id)->head, by_id)
		if (named->co.id == id)
			return named;
	return NULL;
}

/* Fills the reserve; runs in a thread of the pool. */
static void reserve_fill(void *unused)
{
	struct xtimeout_named *named;
	bool full;

	do {
		named = kmalloc(sizeof(*named), GFP_KERNEL);
		if (!named)
			return;
		raw_spin_lock_irq(&reserve_lock);
		list_add(&named->link, &reserve);
		full = ++reserve_size >= XTIMEOUT_RESERVE;
		raw_spin_unlock_irq(&reserve_lock);
	} while (!full);
}

static struct xtimeout_named *reserve_take(void)
{
	struct xtimeout_named *named;
	unsigned long flags;
	bool low;

	raw_spin_lock_irqsave(&reserve_lock, flags);
	named = list_first_entry_or_null(&reserve, struct xtimeout_named, link);
	if (named) {
		list_del(&named->link);
		reserve_size--;
	}
	low = reserve_size < XTIMEOUT_RESERVE / 2;
	raw_spin_unlock_irqrestore(&reserve_lock, flags);
	/* Does nothing if that is on its way already. */
	if (low)
		xtaskq_dispatch_ent(xtimeout_pool, reserve_fill, NULL, XTASKQ_FRONT,
				    &reserve_ent);
	return named;
}

static struct xtimeout_named *named_alloc(void)
{
	bool slab_sleeps = IS_ENABLED(CONFIG_PREEMPT_RT) && !preemptible();
	struct xtimeout_named *named = NULL;

	if (in_hardirq() || irqs_disabled() || slab_sleeps)
		named = reserve_take();
	if (!named && !slab_sleeps)
		named = kmalloc(sizeof(*named), GFP_NOWAIT | __GFP_NOWARN);
	return named;
}

/*
 * The callout is done: nobody finds it by its id any more.  Under its table's lock;
 * what goes on @gone is freed after it.
 */
void xtimeout_named_done(struct xcallout *co, struct list_head *gone)
{
	struct xtimeout_named *named = container_of(co, struct xtimeout_named, co);

	co->state = XCALLOUT_GONE;
	id_remove(named);
	list_add(&named->link, gone);
}

void xtimeout_named_free(struct list_head *gone)
{
	struct xtimeout_named *named, *next;

	list_for_each_entry_safe(named, next, gone, link)
		kfree_rcu(named, rcu);
}

static ktime_t ticks_to_ktime(long ticks)
{
	if (ticks < 1)
		ticks = 1;
	return ticks < KTIME_MAX / TICK_NSEC ? ticks * (s64)TICK_NSEC : KTIME_MAX;
}

xtimeout_id_t xtimeout_owned(struct module *owner, xtimeout_func_t func,
			     void *arg, long ticks)
{
	struct xtimeout_named *named;
	ktime_t expires;
	LIST_HEAD(gone);
	u64 id;

	if (in_nmi())
		return 0;
	expires = ktime_add_safe(ktime_get(), ticks_to_ktime(ticks));
	named = named_alloc();
	if (!named)
		return 0;
	xcallout_init(&named->co, owner, func, arg);
	named->co.named = true;
	id = named->co.id;
	/* From when it is armed it may be done and freed at any time. */
	id_insert(named);
	if (xcallout_arm(&named->co, expires) < 0) {
		xtimeout_named_done(&named->co, &gone);
		xtimeout_named_free(&gone);
		return 0;
	}
	return id;
}
EXPORT_SYMBOL_GPL(xtimeout_owned);

/* What is left of an armed callout's time, in whole ticks. */
static long ticks_left(struct xcallout *co)
{
	s64 left = ktime_sub(co->node.expires, ktime_get());

	return left > 0 ? div_s64(left, TICK_NSEC) : 0;
}

/* Both forms; -EBUSY: not waited for. */
static long untimeout(u64 id, bool wait)
{
	struct xtimeout_named *named;
	struct xtimeout_table *table;
	struct xtimeout_run *run;
	unsigned long flags;
	LIST_HEAD(gone);
	long left = -1;

	rcu_read_lock();
	named = id_find(id);
	if (!named)
		goto out;
	table = xcallout_lock(&named->co, &flags);
	if (named->co.state == XCALLOUT_GONE)
		goto unlock;
	left = named->co.state == XCALLOUT_ARMED ? ticks_left(&named->co) : 0;
	if (xcallout_cancel(table, &named->co)) {
		xtimeout_named_done(&named->co, &gone);
		goto unlock;
	}

	left = -1;
	/* An id that was guessed, while xtimeout() is about to give it. */
	if (named->co.state == XCALLOUT_IDLE && !xcallout_busy(table, &named->co))
		goto unlock;

	run = xtimeout_run_find(table, id);
	if (wait && !(run && run->task == current)) {
		rcu_read_unlock();
		xtimeout_wait_for(table, id, flags);
		return -1;
	}
	if (!wait)
		left = -EBUSY;
unlock:
	raw_spin_unlock_irqrestore(&table->lock, flags);
out:
	rcu_read_unlock();
	xtimeout_named_free(&gone);
	return left;
}

long xuntimeout(xtimeout_id_t id)
{
	int err = xtimeout_may_wait("xuntimeout");

	return err ?: untimeout(id, true);
}
EXPORT_SYMBOL_GPL(xuntimeout);

long xuntimeout_nowait(xtimeout_id_t id)
{
	if (in_nmi())
		return -EWOULDBLOCK;
	return untimeout(id, false);
}
EXPORT_SYMBOL_GPL(xuntimeout_nowait);

int xtimeout_ids_init(void)
{
	unsigned int i;

	xtimeout_ids = kvcalloc(XTIMEOUT_ID_BUCKETS, sizeof(*xtimeout_ids), GFP_KERNEL);
	if (!xtimeout_ids)
		return -ENOMEM;
	for (i = 0; i < XTIMEOUT_ID_BUCKETS; i++)
		raw_spin_lock_init(&xtimeout_ids[i].lock);
	xtaskq_init_ent(&reserve_ent);
	return 0;
}

void xtimeout_reserve_fill(void)
{
	reserve_fill(NULL);
}

void xtimeout_ids_exit(void)
{
	struct xtimeout_named *named, *next;

	list_for_each_entry_safe(named, next, &reserve, link)
		kfree(named);
	kvfree(xtimeout_ids);
}
