// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callouts: the states of one arming, and what decides each race.
 *
 * All of it happens under the lock of the callout's table.
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
 * After its function was called a callout is touched only if it is in run.again:
 * it was armed again, so it was not freed.
 *
 * Waiting.  Who waits for a busy callout leaves its id with the table, and is woken
 * by the end of the run that has that id.  The callout itself is not looked at
 * again, except by a stop, whose caller keeps it.
 */
#define pr_fmt(fmt) "xsync_timeout: " fmt

#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include "internal.h"

/* Counts callouts; an id is never given twice.  0 and 1 are never ids. */
static atomic64_t xtimeout_last_id = ATOMIC64_INIT(1);

/* Locks the table of a callout. */
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

struct xtimeout_run *xtimeout_run_find(struct xtimeout_table *table, u64 id)
{
	struct xtimeout_run *run;

	lockdep_assert_held(&table->lock);
	list_for_each_entry(run, &table->runs, link)
		if (run->id == id)
			return run;
	return NULL;
}

/* A thread has the callout, or runs its function. */
bool xcallout_busy(struct xtimeout_table *table, struct xcallout *co)
{
	if (co->taken)
		return true;
	/* Only one that ever ran can be running, and it was seen not to be. */
	if (co->ran && !xtimeout_run_find(table, co->id))
		co->ran = false;
	return co->ran;
}

/* Sleeps until the run of @id is over.  Drops the lock. */
void xtimeout_wait_for(struct xtimeout_table *table, u64 id, unsigned long flags)
	__releases(&table->lock)
{
	struct xtimeout_waiter w = { .id = id };

	init_completion(&w.done);
	list_add_tail(&w.link, &table->waiters);
	raw_spin_unlock_irqrestore(&table->lock, flags);
	wait_for_completion(&w.done);
}

/*
 * Says whether the caller may wait for a function.  With interrupts off a message
 * might be printed under a scheduler lock, which deadlocks.
 */
int xtimeout_may_wait(const char *what)
{
	if (in_nmi() || irqs_disabled())
		return -EWOULDBLOCK;
	if (preempt_count() || rcu_preempt_depth()) {
		pr_err_ratelimited("%s in atomic context by %pS: nothing done; use the form that does not wait\n",
				   what, __builtin_return_address(0));
		return -EWOULDBLOCK;
	}
	might_sleep();
	return 0;
}

static void callout_run(void *arg);

static void callout_dispatch(struct xcallout *co)
{
	xtaskq_dispatch_ent(xtimeout_pool, callout_run, co, 0, &co->ent);
}

/* ARMED to FIRED. */
void xcallout_fire(struct xtimeout_table *table, struct xcallout *co)
{
	timerqueue_del(&table->armed, &co->node);
	table->narmed--;
	table->nfired++;
	co->state = XCALLOUT_FIRED;
	list_add_tail(&co->fired, &table->fired);

	if (co->taken)
		co->again = true;
	else if (xcallout_busy(table, co))
		xtimeout_run_find(table, co->id)->again = co;
	else
		callout_dispatch(co);
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

/* To IDLE, unless a thread has it; true: the function will not be called. */
bool xcallout_cancel(struct xtimeout_table *table, struct xcallout *co)
{
	lockdep_assert_held(&table->lock);

	if (co->state == XCALLOUT_ARMED) {
		timerqueue_del(&table->armed, &co->node);
		table->narmed--;
	} else if (co->state == XCALLOUT_FIRED && callout_take_back(table, co)) {
		list_del(&co->fired);
	} else {
		return false;
	}
	table->ncancelled++;
	co->state = XCALLOUT_IDLE;
	return true;
}

/* IDLE to a run: the thread has what it needs, the callout is its owner's again. */
static struct xtimeout_table *run_begin(struct xcallout *co, struct xtimeout_run *run)
{
	struct xtimeout_table *table;
	unsigned long flags;

	table = xcallout_lock(co, &flags);
	if (co->taken) {
		co->taken = false;
		list_del(&co->held);
		run->again = co->again ? co : NULL;
		co->again = false;
	} else {
		list_del(&co->fired);
		co->state = XCALLOUT_IDLE;
	}
	co->ran = true;
	run->id = co->id;
	run->func = co->func;
	run->arg = co->arg;
	run->owner = co->owner;
	run->task = current;
	run->since = ktime_get();
	list_add_tail(&run->link, &table->runs);
	raw_spin_unlock_irqrestore(&table->lock, flags);
	return table;
}

/* Moves those who wait for @id to @woken. */
static void wake_waiters(struct xtimeout_table *table, u64 id, struct list_head *woken)
{
	struct xtimeout_waiter *w, *next;

	list_for_each_entry_safe(w, next, &table->waiters, link)
		if (w->id == id)
			list_move_tail(&w->link, woken);
}

/* @named: the callout if it is the id form's, and so still there. */
static void run_end(struct xtimeout_table *table, struct xtimeout_run *run,
		    struct xcallout *named)
{
	struct xtimeout_waiter *w, *next;
	LIST_HEAD(woken);
	LIST_HEAD(gone);

	raw_spin_lock_irq(&table->lock);
	list_del(&run->link);
	if (run->again)
		callout_dispatch(run->again);
	if (named)
		xtimeout_named_done(named, &gone);
	wake_waiters(table, run->id, &woken);
	raw_spin_unlock_irq(&table->lock);

	list_for_each_entry_safe(w, next, &woken, link)
		complete(&w->done);
	xtimeout_named_free(&gone);
}

/* Runs in a thread of the pool. */
static void callout_run(void *arg)
{
	struct xcallout *co = arg;
	struct xcallout *named = co->named ? co : NULL;
	struct xtimeout_run run = {};
	struct xtimeout_table *table;

	table = run_begin(co, &run);
	run.func(run.arg);
	run_end(table, &run, named);
}

/* Lets a fired callout be armed anew although a thread has it. */
static void callout_leave(struct xtimeout_table *table, struct xcallout *co)
{
	list_del(&co->fired);
	list_add_tail(&co->held, &table->taken);
	co->taken = true;
	co->state = XCALLOUT_IDLE;
}

/*
 * Arms a callout, in whatever state it is.  0: it was idle; 1: what it was armed
 * for before is off; -ESHUTDOWN: its owner is draining.
 */
int xcallout_arm(struct xcallout *co, ktime_t expires)
{
	struct xtimeout_table *table, *here;
	unsigned long flags;
	bool moved;

again:
	table = xcallout_lock(co, &flags);
	if (xtimeout_owner_is_dead(co->owner)) {
		raw_spin_unlock_irqrestore(&table->lock, flags);
		return -ESHUTDOWN;
	}
	here = this_cpu_ptr(&xtimeout_tables);
	if (here != table && co->state == XCALLOUT_IDLE && !xcallout_busy(table, co)) {
		WRITE_ONCE(co->table, here);
		raw_spin_unlock_irqrestore(&table->lock, flags);
		goto again;
	}

	moved = xcallout_cancel(table, co);
	if (co->state == XCALLOUT_FIRED)
		callout_leave(table, co);
	co->state = XCALLOUT_ARMED;
	co->node.expires = expires;
	timerqueue_add(&table->armed, &co->node);
	table->narmed++;
	xtimeout_table_program(table);
	raw_spin_unlock_irqrestore(&table->lock, flags);
	return moved;
}

void xcallout_init(struct xcallout *co, struct module *owner,
		   xtimeout_func_t func, void *arg)
{
	co->table = raw_cpu_ptr(&xtimeout_tables);
	timerqueue_init(&co->node);
	xtaskq_init_ent(&co->ent);
	co->state = XCALLOUT_IDLE;
	co->taken = false;
	co->again = false;
	co->ran = false;
	co->named = false;
	co->id = atomic64_inc_return(&xtimeout_last_id);
	co->func = func;
	co->arg = arg;
	co->owner = owner;
}
EXPORT_SYMBOL_GPL(xcallout_init);

int xcallout_arm_ns(struct xcallout *co, u64 delta_ns)
{
	ktime_t delta = min_t(u64, delta_ns, KTIME_MAX);

	if (in_nmi())
		return -EWOULDBLOCK;
	return xcallout_arm(co, ktime_add_safe(ktime_get(), delta));
}
EXPORT_SYMBOL_GPL(xcallout_arm_ns);

int xcallout_stop(struct xcallout *co)
{
	struct xtimeout_table *table;
	bool cancelled, busy;
	unsigned long flags;

	if (in_nmi())
		return -EWOULDBLOCK;
	table = xcallout_lock(co, &flags);
	cancelled = xcallout_cancel(table, co);
	busy = co->state == XCALLOUT_FIRED || xcallout_busy(table, co);
	raw_spin_unlock_irqrestore(&table->lock, flags);
	return busy ? -EBUSY : cancelled;
}
EXPORT_SYMBOL_GPL(xcallout_stop);

int xcallout_stop_sync(struct xcallout *co)
{
	int err = xtimeout_may_wait("xcallout_stop_sync");
	struct xtimeout_table *table;
	struct xtimeout_run *run;
	bool cancelled = false;
	unsigned long flags;

	if (err)
		return err;
	for (;;) {
		table = xcallout_lock(co, &flags);
		cancelled |= xcallout_cancel(table, co);
		if (co->state != XCALLOUT_FIRED && !xcallout_busy(table, co))
			break;
		run = xtimeout_run_find(table, co->id);
		if (run && run->task == current) {
			raw_spin_unlock_irqrestore(&table->lock, flags);
			return -EDEADLK;
		}
		xtimeout_wait_for(table, co->id, flags);
	}
	raw_spin_unlock_irqrestore(&table->lock, flags);
	return cancelled;
}
EXPORT_SYMBOL_GPL(xcallout_stop_sync);
