// SPDX-License-Identifier: GPL-2.0-only
/*
 * The id form: callouts of ours that an id stands for.
 *
 * Problem.  An id must be good for ever: whatever has happened to the timeout, the
 * id finds it or finds nothing.  So an id says in which table to look,
 *
 *	id = n * (tables + 1) + index of the table,	n = 1, 2, 3, ...
 *
 * (the one more is for callouts of others, whose ids nobody sees), and in that table
 * the callouts are in a tree by id, under its lock, from when they are armed until they
 * are done.  One that is armed by its id stays in its table.
 *
 * n would come again after 2^64 / (tables + 1) timeouts of one CPU: with ten million of
 * them a second after 3 years on 8192 CPUs, after 3,000 on 8.  An id whose timeout is
 * not done is passed over even then.
 *
 * Memory.  xtimeout() is legal where the slab is not: in hard interrupts on
 * PREEMPT_RT, or with a raw lock held.  So each table has spare pieces, and what is
 * done becomes one.  When there are few or many a thread of the pool sees to it.  All
 * there is to arming and cancelling is then under one hold of the table's lock.
 */
#include <linux/build_bug.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <xsync/compat/slab.h>
#include "internal.h"

/* Below the one, and above the other, a thread evens a table's spare pieces out. */
#define SPARES_FEW	(XTIMEOUT_SPARES / 2)
#define SPARES_MANY	(XTIMEOUT_SPARES * 4)
/* How many at a time. */
#define SPARES_BATCH	64

static unsigned int ids_step(void)
{
	return xtimeout_ntables() + 1;
}

static struct xtimeout_named *id_find(struct xtimeout_table *table, u64 id)
{
	struct rb_node *node = table->by_id.rb_node;

	while (node) {
		struct xtimeout_named *named = rb_entry(node, struct xtimeout_named, by_id);

		if (named->co.id == id)
			return named;
		node = id < named->co.id ? node->rb_left : node->rb_right;
	}
	return NULL;
}

static void id_next(struct xtimeout_table *table)
{
	/* The last one but one: the id must fit. */
	if (++table->last > div_u64(U64_MAX, ids_step()) - 1)
		table->last = 1;
}

/* Gives the callout the table's next id, and puts it where that finds it. */
static void id_insert(struct xtimeout_table *table, struct xtimeout_named *named)
{
	struct rb_node **p, *parent;
	u64 id;

again:
	id_next(table);
	id = table->last * ids_step() + table->index;
	p = &table->by_id.rb_node;
	parent = NULL;
	while (*p) {
		struct xtimeout_named *other = rb_entry(*p, struct xtimeout_named, by_id);

		parent = *p;
		if (other->co.id == id)
			goto again;
		p = id < other->co.id ? &parent->rb_left : &parent->rb_right;
	}
	named->co.id = id;
	rb_link_node(&named->by_id, parent, p);
	rb_insert_color(&named->by_id, &table->by_id);
}

/* Adds spare pieces until there are enough; false: there is no memory. */
static bool spares_add(struct xtimeout_table *table)
{
	struct xtimeout_named *named;
	bool enough;

	do {
		named = kmalloc(sizeof(*named), GFP_KERNEL);
		if (!named)
			return false;
		raw_spin_lock_irq(&table->lock);
		list_add(&named->link, &table->spare);
		enough = ++table->nspare >= XTIMEOUT_SPARES;
		raw_spin_unlock_irq(&table->lock);
	} while (!enough);
	return true;
}

/* Moves what is too much to @gone, some of it; false: there was none. */
static bool spares_shed(struct xtimeout_table *table, struct list_head *gone)
{
	unsigned int n;

	raw_spin_lock_irq(&table->lock);
	for (n = 0; n < SPARES_BATCH && table->nspare > XTIMEOUT_SPARES; n++) {
		list_move(table->spare.next, gone);
		table->nspare--;
	}
	raw_spin_unlock_irq(&table->lock);
	return n;
}

static void spares_drop(struct list_head *gone)
{
	struct xtimeout_named *named, *next;

	list_for_each_entry_safe(named, next, gone, link)
		kfree(named);
	INIT_LIST_HEAD(gone);
}

/* Runs in a thread of the pool. */
static void spares_even(void *arg)
{
	struct xtimeout_table *table = arg;
	LIST_HEAD(gone);

	if (READ_ONCE(table->nspare) < XTIMEOUT_SPARES)
		spares_add(table);
	while (spares_shed(table, &gone)) {
		spares_drop(&gone);
		cond_resched();
	}
	raw_spin_lock_irq(&table->lock);
	table->evening = false;
	raw_spin_unlock_irq(&table->lock);
}

static void spares_look(struct xtimeout_table *table)
{
	if ((table->nspare < SPARES_FEW || table->nspare > SPARES_MANY) &&
	    !table->evening) {
		table->evening = true;
		xtimeout_dispatch(table, spares_even, table, XTASKQ_FRONT, &table->even);
	}
}

static struct xtimeout_named *spare_take(struct xtimeout_table *table)
{
	struct xtimeout_named *named;

	named = list_first_entry_or_null(&table->spare, struct xtimeout_named, link);
	if (named) {
		list_del(&named->link);
		table->nspare--;
	}
	spares_look(table);
	return named;
}

/*
 * The callout is done: nobody finds it by its id any more.  Its table is locked.
 */
void xtimeout_named_done(struct xtimeout_table *table, struct xcallout *co)
{
	struct xtimeout_named *named = container_of(co, struct xtimeout_named, co);

	rb_erase(&named->by_id, &table->by_id);
	list_add(&named->link, &table->spare);
	table->nspare++;
	spares_look(table);
}

xtimeout_id_t xtimeout_generic(struct module *owner, xtimeout_func_t func, void *arg,
			       ktime_t when, u64 slack_ns, unsigned int flags)
{
	struct xtimeout_named *named;
	struct xtimeout_table *table;
	unsigned long irqflags;
	u64 id = 0;

	if (in_nmi() || flags & ~(XTIMEOUT_ABSOLUTE | XTIMEOUT_WALL | XTIMEOUT_ON_SET) ||
	    (flags & (XTIMEOUT_WALL | XTIMEOUT_ON_SET)) == XTIMEOUT_ON_SET)
		return 0;
	table = xtimeout_table_here(flags);
	raw_spin_lock_irqsave(&table->lock, irqflags);
	named = spare_take(table);
	if (!named) {
		xtimeout_unlock(table, irqflags);
		named = xsync_kmalloc_nowait(sizeof(*named));
		if (!named)
			return 0;
		table = xtimeout_table_here(flags);
		raw_spin_lock_irqsave(&table->lock, irqflags);
	}
	if (xtimeout_owner_is_dead(owner)) {
		list_add(&named->link, &table->spare);
		table->nspare++;
	} else {
		named->co.table = table;
		xcallout_setup(&named->co, owner, func, arg, NULL, flags & ~XTIMEOUT_ABSOLUTE);
		named->co.named = true;
		id_insert(table, named);
		id = named->co.id;
		xcallout_set_time(&named->co, xcallout_due(when, flags), slack_ns);
		xcallout_insert(table, &named->co);
	}
	xtimeout_unlock(table, irqflags);
	return id;
}
EXPORT_SYMBOL_GPL(xtimeout_generic);

xtimeout_id_t xtimeout_owned(struct module *owner, xtimeout_func_t func,
			     void *arg, long ticks)
{
	ktime_t when = KTIME_MAX;

	ticks = max(ticks, 1L);
	if (ticks < KTIME_MAX / TICK_NSEC)
		when = ticks * (s64)TICK_NSEC;
	return xtimeout_generic(owner, func, arg, when, 0, 0);
}
EXPORT_SYMBOL_GPL(xtimeout_owned);

/* What is left of a callout's time. */
static s64 ns_left(struct xtimeout_table *table, struct xcallout *co)
{
	if (co->state != XCALLOUT_ARMED)
		return 0;
	return max_t(s64, ktime_sub(co->due, xtimeout_now(table->clock)), 0);
}

/* The table in which an id is, if anywhere; NULL: nowhere. */
static struct xtimeout_table *table_of_id(u64 id)
{
	u64 index;

	div64_u64_rem(id, ids_step(), &index);
	return index < xtimeout_ntables() ? xtimeout_table_nth(index) : NULL;
}

/*
 * Cancels, without the wait.  ns left; -1: there is nothing to cancel, or it is the
 * caller that runs it; -EBUSY: it runs, or is about to.
 */
static s64 untimeout(struct xtimeout_table *table, u64 id, bool nowait, xtimeout_func_t *func)
{
	struct xtimeout_named *named;
	struct xtimeout_run *run;
	unsigned long flags;
	s64 left = -1;

	raw_spin_lock_irqsave(&table->lock, flags);
	named = id_find(table, id);
	if (named) {
		*func = named->co.func;
		left = ns_left(table, &named->co);
		if (xcallout_cancel(table, &named->co)) {
			xtimeout_named_done(table, &named->co);
		} else {
			run = xtimeout_run_find(table, id);
			left = !nowait && run && run->task == current ? -1 : -EBUSY;
		}
	}
	xtimeout_unlock(table, flags);
	return left;
}

static s64 untimeout_wait(u64 id)
{
	struct xtimeout_table *table = table_of_id(id);
	struct xtimeout_run self = {};
	xtimeout_func_t func = NULL;
	unsigned long flags;
	s64 left = -1;

	if (table)
		left = untimeout(table, id, false, &func);
	if (left != -EBUSY && left < 0)
		return left;
	xtimeout_might_wait_for(func);
	if (left >= 0)
		return left;

	xtimeout_self(&self);
	raw_spin_lock_irqsave(&table->lock, flags);
	if (id_find(table, id))
		return xtimeout_wait_for(table, id, self.id, flags) ?: -1;
	xtimeout_unlock(table, flags);
	return -1;
}

static s64 untimeout_at(xtimeout_id_t id, bool nowait, unsigned long ip)
{
	struct xtimeout_table *table;
	xtimeout_func_t func;
	int err;

	if (!nowait) {
		err = xtimeout_may_wait("xuntimeout", ip);
		return err ?: untimeout_wait(id);
	}
	if (in_nmi())
		return -EWOULDBLOCK;
	table = table_of_id(id);
	return table ? untimeout(table, id, true, &func) : -1;
}

s64 xuntimeout_generic(xtimeout_id_t id, bool nowait)
{
	return untimeout_at(id, nowait, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xuntimeout_generic);

/* In whole ticks what is not an error. */
static long to_ticks(s64 left)
{
	BUILD_BUG_ON(sizeof(long) < sizeof(left));
	return left < 0 ? left : div_s64(left, TICK_NSEC);
}

long xuntimeout(xtimeout_id_t id)
{
	return to_ticks(untimeout_at(id, false, _RET_IP_));
}
EXPORT_SYMBOL_GPL(xuntimeout);

long xuntimeout_nowait(xtimeout_id_t id)
{
	return to_ticks(untimeout_at(id, true, _RET_IP_));
}
EXPORT_SYMBOL_GPL(xuntimeout_nowait);

/**
 * xtimeout_spares_fill - give each table its spare pieces
 *
 * Context: Task context, sleeps.
 * Return: 0 or -ENOMEM; xtimeout_spares_free() is to follow in any case.
 */
int xtimeout_spares_fill(void)
{
	struct xtimeout_table *table;

	for_each_xtimeout_table(table)
		if (table->clock == XTIMEOUT_CLOCK_MONOTONIC && !spares_add(table))
			return -ENOMEM;
	return 0;
}

/* Nothing is armed, and the pool is gone. */
void xtimeout_spares_free(void)
{
	struct xtimeout_table *table;

	for_each_xtimeout_table(table)
		spares_drop(&table->spare);
}
