// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callouts: the states of one arming, and what decides each race.
 *
 * All of it happens under the lock of the callout's table; tests/model/callout.pml is
 * the model of it.
 *
 *   IDLE --arm--> ARMED --time--> FIRED --thread--> IDLE, and a struct xtimeout_run
 *                   |               |                is on table.runs until the
 *                   +----cancel-----+--> IDLE        function has returned
 *
 * FIRED means: on table.fired and, normally, pending in the pool.  Whether a thread
 * has it is the pool's to say: xtaskq_cancel_ent() takes the entry back or finds it
 * gone.  Between the pool giving the entry to a thread and that thread locking the
 * table the callout is FIRED, but cannot be cancelled any more: "busy", like one
 * whose function is running.
 *
 * Arming again while it is busy.
 *  - FIRED and with a thread: the old firing is noted in co->taken, and the thread
 *    will call the function for it; the callout itself is ARMED anew.
 *  - Its function is running: ARMED, as if nothing was.
 *  - If it fires in either state it must not be dispatched, since its function never
 *    runs twice at a time.  It is FIRED, and whoever has it or runs it will dispatch
 *    it when the function has returned: co->again, then run.again.
 *
 * A periodic callout is armed anew by the thread that is about to call its function,
 * under the same hold of the lock that makes it RUNNING.  Whatever cancels clears the
 * period first.
 *
 * With a mutex.  The thread takes it between two holds of the table's lock: run.locking
 * until the second.  A stop that comes before it says so in co->revoked (the thread has
 * not begun) or run.cancelled, and the function is not called.
 *
 * After its function was called a callout is touched only if it is in run.again:
 * it was armed again, so it was not freed.
 *
 * Waiting.  Who waits for a busy callout leaves its id with the table, and is woken
 * by the end of the run that has that id.  The callout itself is not looked at
 * again, except by a stop, whose caller keeps it.
 */
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/math64.h>
#include <linux/preempt.h>
#include "internal.h"
#include "trace.h"

/* Counts callouts that have no id for others to see; see named.c. */
static atomic64_t callouts = ATOMIC64_INIT(0);

/**
 * xcallout_lock - lock the table of a callout
 * @co: the callout
 * @flags: for raw_spin_unlock_irqrestore()
 *
 * Return: the table.
 */
struct xtimeout_table *xcallout_lock(struct xcallout *co, unsigned long *flags)
	__acquires(&co->table->lock)
{
	for (;;) {
		struct xtimeout_table *table = READ_ONCE(co->table);

		raw_spin_lock_irqsave(&table->lock, *flags);
		if (likely(table == READ_ONCE(co->table)))
			return table;
		raw_spin_unlock_irqrestore(&table->lock, *flags);
	}
}

/**
 * xcallout_busy - whether a thread has a callout, or runs its function
 * @table: its table, locked
 * @co: the callout, not FIRED
 *
 * Return: whether one does.
 */
bool xcallout_busy(struct xtimeout_table *table, struct xcallout *co)
{
	if (co->taken)
		return true;
	/* Only one that ever ran can be running, and it was seen not to be. */
	if (co->ran && !xtimeout_run_find(table, co->id))
		co->ran = false;
	return co->ran;
}

/* From table.armed. */
static void callout_remove(struct xtimeout_table *table, struct xcallout *co)
{
	timerqueue_del(&table->armed, &co->node);
	table->narmed--;
	if (co->flags & XTIMEOUT_ON_SET)
		list_del(&co->link);
}

/**
 * xcallout_insert - IDLE to ARMED
 * @table: its table, locked
 * @co: the callout, with its times
 */
void xcallout_insert(struct xtimeout_table *table, struct xcallout *co)
{
	xsync_trace(xtimeout_arm, co->id, co->func, co->due);
	co->state = XCALLOUT_ARMED;
	timerqueue_add(&table->armed, &co->node);
	table->narmed++;
	if (co->flags & XTIMEOUT_ON_SET)
		list_add_tail(&co->link, &table->on_set);
	xtimeout_table_program(table);
}

/**
 * xcallout_fire - ARMED to FIRED
 * @table: its table, locked
 * @co: the callout
 */
void xcallout_fire(struct xtimeout_table *table, struct xcallout *co)
{
	xsync_trace(xtimeout_fire, co->id, co->func, co->due);
	callout_remove(table, co);
	table->nfired++;
	table->nwaiting++;
	co->state = XCALLOUT_FIRED;
	list_add_tail(&co->link, &table->fired);

	if (co->taken)
		co->again = true;
	else if (xcallout_busy(table, co))
		xtimeout_run_find(table, co->id)->again = co;
	else
		xtimeout_dispatch(table, xcallout_run, co, 0, &co->ent);
}

/**
 * xcallout_unfire - from table.fired
 * @table: its table, locked
 * @co: the callout, whose state is for the caller to change
 */
void xcallout_unfire(struct xtimeout_table *table, struct xcallout *co)
{
	list_del(&co->link);
	table->nwaiting--;
}

/* Makes sure that no thread will get a fired callout; false: one has it. */
static bool callout_take_back(struct xtimeout_table *table, struct xcallout *co)
{
	if (co->taken) {
		co->again = false;
		return true;
	}
	if (xcallout_busy(table, co)) {
		struct xtimeout_run *run = xtimeout_run_find(table, co->id);

		if (run->again) {
			run->again = NULL;
			return true;
		}
	}
	return xtaskq_cancel_ent(xtimeout_pool, &co->ent);
}

/**
 * xcallout_cancel - to IDLE, unless a thread has it
 * @table: its table, locked
 * @co: the callout, in whatever state
 *
 * Return: true: there was an arming, and the function will not be called for it.
 */
bool xcallout_cancel(struct xtimeout_table *table, struct xcallout *co)
{
	lockdep_assert_held(&table->lock);

	co->period = 0;
	if (co->state == XCALLOUT_ARMED)
		callout_remove(table, co);
	else if (co->state == XCALLOUT_FIRED && callout_take_back(table, co))
		xcallout_unfire(table, co);
	else
		return false;
	xsync_trace(xtimeout_cancel, co->id, co->func, co->due);
	table->ncancelled++;
	co->state = XCALLOUT_IDLE;
	return true;
}

/* Lets a fired callout be armed anew although a thread has it. */
static void callout_leave(struct xtimeout_table *table, struct xcallout *co)
{
	xcallout_unfire(table, co);
	list_add_tail(&co->held, &table->taken);
	co->taken = true;
	co->state = XCALLOUT_IDLE;
}

/* When something is due that is asked for now, with XTIMEOUT_ flags. */
ktime_t xcallout_due(ktime_t when, unsigned int flags)
{
	if (flags & XTIMEOUT_ABSOLUTE)
		return when;
	return ktime_add_safe(xtimeout_now(xtimeout_clock(flags)), max_t(ktime_t, when, 0));
}

void xcallout_set_time(struct xcallout *co, ktime_t due, u64 slack_ns)
{
	co->due = max_t(ktime_t, due, 0);
	co->node.expires = ktime_add_safe(co->due, min_t(u64, slack_ns, KTIME_MAX));
}

int xcallout_arm(struct xcallout *co, ktime_t when, u64 slack_ns, u64 period_ns,
		 unsigned int flags)
{
	struct xtimeout_table *table, *here;
	unsigned long irqflags;
	bool moved;

	if (in_nmi())
		return -EWOULDBLOCK;
	if (flags & ~XTIMEOUT_ABSOLUTE || co->flags & XCALLOUT_BAD_FLAGS)
		return -EINVAL;
again:
	table = xcallout_lock(co, &irqflags);
	if (xtimeout_owner_is_dead(co->owner)) {
		raw_spin_unlock_irqrestore(&table->lock, irqflags);
		return -ESHUTDOWN;
	}
	here = xtimeout_table_here(co->flags);
	if (here != table && co->state == XCALLOUT_IDLE && !xcallout_busy(table, co)) {
		WRITE_ONCE(co->table, here);
		raw_spin_unlock_irqrestore(&table->lock, irqflags);
		goto again;
	}

	moved = xcallout_cancel(table, co);
	if (co->state == XCALLOUT_FIRED)
		callout_leave(table, co);
	/* By the clock as it is under the lock: if it is set after that, we are told. */
	xcallout_set_time(co, xcallout_due(when, flags | co->flags), slack_ns);
	co->period = period_ns;
	co->missed = 0;
	xcallout_insert(table, co);
	raw_spin_unlock_irqrestore(&table->lock, irqflags);
	return moved;
}
EXPORT_SYMBOL_GPL(xcallout_arm);

/* All but the table and the id. */
void xcallout_setup(struct xcallout *co, struct module *owner, xtimeout_func_t func,
		    void *arg, struct mutex *mutex, unsigned int flags)
{
	timerqueue_init(&co->node);
	xtaskq_init_ent(&co->ent);
	co->period = 0;
	co->missed = 0;
	co->state = XCALLOUT_IDLE;
	co->taken = false;
	co->again = false;
	co->revoked = false;
	co->ran = false;
	co->flags = flags;
	co->named = false;
	co->func = func;
	co->arg = arg;
	co->owner = owner;
	co->mutex = mutex;
}

void xcallout_init_generic(struct xcallout *co, struct module *owner, xtimeout_func_t func,
			   void *arg, struct mutex *mutex, unsigned int flags)
{
	/* May be NMI, so arming is to say it. */
	if (flags & ~(XTIMEOUT_WALL | XTIMEOUT_ON_SET) || flags == XTIMEOUT_ON_SET)
		flags = XCALLOUT_BAD_FLAGS;
	co->table = xtimeout_table_here(flags);
	co->id = atomic64_inc_return(&callouts) * (xtimeout_ntables() + 1) + xtimeout_ntables();
	xcallout_setup(co, owner, func, arg, mutex, flags);
}
EXPORT_SYMBOL_GPL(xcallout_init_generic);

bool xcallout_armed(struct xcallout *co)
{
	struct xtimeout_table *table;
	unsigned long flags;
	bool armed;

	table = xcallout_lock(co, &flags);
	/* Revoked is what a thread has; what has fired since then is not. */
	armed = co->state == XCALLOUT_ARMED ||
		(co->state == XCALLOUT_FIRED && (co->taken || !co->revoked));
	raw_spin_unlock_irqrestore(&table->lock, flags);
	return armed;
}
EXPORT_SYMBOL_GPL(xcallout_armed);

u64 xcallout_missed(struct xcallout *co)
{
	struct xtimeout_table *table;
	unsigned long flags;
	u64 missed;

	table = xcallout_lock(co, &flags);
	missed = co->missed;
	raw_spin_unlock_irqrestore(&table->lock, flags);
	return missed;
}
EXPORT_SYMBOL_GPL(xcallout_missed);

/*
 * Has a thread that has a callout with a mutex, and has not taken the mutex, not call
 * the function; true: it would have.
 */
static bool callout_revoke(struct xtimeout_table *table, struct xcallout *co)
{
	struct xtimeout_run *run;

	if (co->taken || co->state == XCALLOUT_FIRED) {
		if (co->revoked)
			return false;
		co->revoked = true;
		return true;
	}
	run = xtimeout_run_find(table, co->id);
	if (!run || !run->locking || run->cancelled)
		return false;
	run->cancelled = true;
	return true;
}

/* The function is running, or about to, and cannot be kept from it any more. */
static bool callout_runs(struct xtimeout_table *table, struct xcallout *co)
{
	struct xtimeout_run *run;

	if (!co->mutex)
		return co->state == XCALLOUT_FIRED || xcallout_busy(table, co);
	/* Not in whom that has been revoked from. */
	if (co->taken || co->state == XCALLOUT_FIRED)
		return false;
	run = xtimeout_run_find(table, co->id);
	/* Who got the mutex after the function has returned sees that it has. */
	return run && !run->cancelled && !READ_ONCE(run->over);
}

int xcallout_stop(struct xcallout *co)
{
	struct xtimeout_table *table;
	bool cancelled, runs;
	unsigned long flags;

	if (in_nmi())
		return -EWOULDBLOCK;
	table = xcallout_lock(co, &flags);
	cancelled = xcallout_cancel(table, co);
	if (co->mutex)
		cancelled |= callout_revoke(table, co);
	runs = callout_runs(table, co);
	raw_spin_unlock_irqrestore(&table->lock, flags);
	return runs ? -EBUSY : cancelled;
}
EXPORT_SYMBOL_GPL(xcallout_stop);

int xcallout_stop_sync(struct xcallout *co)
{
	int err = xtimeout_may_wait("xcallout_stop_sync", _RET_IP_);
	struct xtimeout_table *table;
	struct xtimeout_run *run, self = {};
	bool cancelled = false, ready = false;
	unsigned long flags;

	if (err)
		return err;
	for (;;) {
		table = xcallout_lock(co, &flags);
		cancelled |= xcallout_cancel(table, co);
		if (co->mutex)
			cancelled |= callout_revoke(table, co);
		if (co->state != XCALLOUT_FIRED && !xcallout_busy(table, co))
			break;
		run = xtimeout_run_find(table, co->id);
		if (run && run->task == current) {
			raw_spin_unlock_irqrestore(&table->lock, flags);
			return -EDEADLK;
		}
		if (!ready) {
			raw_spin_unlock_irqrestore(&table->lock, flags);
			xtimeout_might_wait_for(co->func);
			xtimeout_self(&self);
			ready = true;
			continue;
		}
		err = xtimeout_wait_for(table, co->id, self.id, flags);
		if (err)
			return err;
	}
	raw_spin_unlock_irqrestore(&table->lock, flags);
	if (!ready)
		xtimeout_might_wait_for(co->func);
	return cancelled;
}
EXPORT_SYMBOL_GPL(xcallout_stop_sync);
