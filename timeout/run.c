// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs: functions being called by the threads of the pool, and who waits for them.
 *
 * Problem.  Two functions that wait for each other never return, and neither do those
 * who wait for them: ^C does not help.  The waits of functions for functions are
 * edges of a graph, and one that would close a circle is refused.  An edge begins and
 * ends under the lock of the table of the one who is waited for, so it is there as
 * long as he is: what is found is a deadlock, and none is missed, since the edges
 * have one lock.
 *
 * That is exact but finds only what happens.  What could happen is lockdep's: a map per
 * function, whose key is the function's address, an address like any other that belongs
 * to the module, and that lockdep forgets with the module.  It is held around the
 * function and taken by those who wait for it, whether it runs or not.
 *
 * Locking.  waits_lock, raw, after a table's.
 */
#define pr_fmt(fmt) "xsync_timeout: " fmt

#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include "internal.h"
#include "trace.h"

static DEFINE_RAW_SPINLOCK(waits_lock);	/* protects @waits */
static LIST_HEAD(waits);	/* of functions for functions */

struct xtimeout_run *xtimeout_run_find(struct xtimeout_table *table, u64 id)
{
	struct xtimeout_run *run;

	lockdep_assert_held(&table->lock);
	list_for_each_entry(run, &table->runs, link)
		if (run->id == id)
			return run;
	return NULL;
}

static struct xtimeout_run *run_of_current(struct xtimeout_table *table)
{
	struct xtimeout_run *run;

	list_for_each_entry(run, &table->runs, link)
		if (run->task == current)
			return run;
	return NULL;
}

/**
 * xtimeout_self - of which callout the current task runs the function
 * @self: for a copy of its run; only what is set once means anything
 *
 * Context: Task context.
 * Return: whether it is in one.
 */
bool xtimeout_self(struct xtimeout_run *self)
{
	struct xtimeout_table *table;
	struct xtimeout_run *run;
	bool found = false;

	if (xtaskq_current() != xtimeout_pool)
		return false;
	for_each_xtimeout_table(table) {
		raw_spin_lock_irq(&table->lock);
		run = run_of_current(table);
		if (run) {
			*self = *run;
			found = true;
		}
		raw_spin_unlock_irq(&table->lock);
		if (found)
			break;
	}
	return found;
}

/*
 * Says whether the caller may wait for a function.  @what, called at @ip, is for the
 * message.  With interrupts off one might be printed under a scheduler lock, which
 * deadlocks.
 */
int xtimeout_may_wait(const char *what, unsigned long ip)
{
	if (in_nmi() || irqs_disabled())
		return -EWOULDBLOCK;
	if (preempt_count() || rcu_preempt_depth()) {
		pr_err_ratelimited("%s in atomic context by %pS: nothing done; use the form that does not wait\n",
				   what, (void *)ip);
		return -EWOULDBLOCK;
	}
	might_sleep();
	return 0;
}

#ifdef CONFIG_LOCKDEP
#define run_map_init(map, func)							\
	lockdep_init_map(map, "xtimeout function", (struct lock_class_key *)(func), 0)
#else
#define run_map_init(map, func)	do { (void)(map); (void)(func); } while (0)
#endif

/*
 * Tells lockdep that the caller would wait for a function.  A function that waits for
 * another call of itself is none of lockdep's business: it cannot tell the calls apart.
 */
void xtimeout_might_wait_for(xtimeout_func_t func)
{
	struct xtimeout_run self;
	struct lockdep_map map;

	if (!IS_ENABLED(CONFIG_LOCKDEP) || (xtimeout_self(&self) && self.func == func))
		return;
	run_map_init(&map, func);
	lock_map_acquire(&map);
	lock_map_release(&map);
}

/* The function of @self is to wait for that of @id: does that one wait for @self? */
static bool waits_in_circle(u64 id, u64 self)
{
	struct xtimeout_waiter *w;

	lockdep_assert_held(&waits_lock);
again:
	list_for_each_entry(w, &waits, edge) {
		if (w->by != id)
			continue;
		if (w->id == self)
			return true;
		id = w->id;
		goto again;
	}
	return false;
}

static bool edge_add(struct xtimeout_waiter *w)
{
	bool ok;

	raw_spin_lock(&waits_lock);
	ok = !waits_in_circle(w->id, w->by);
	if (ok)
		list_add(&w->edge, &waits);
	raw_spin_unlock(&waits_lock);
	return ok;
}

static void edge_remove(struct xtimeout_waiter *w)
{
	raw_spin_lock(&waits_lock);
	list_del(&w->edge);
	raw_spin_unlock(&waits_lock);
}

/**
 * xtimeout_wait_for - sleep until a run is over
 * @table: the table, locked
 * @id: of the callout that is busy in it
 * @self: the id of the callout whose function the caller is in, or 0
 * @flags: of the lock, which is dropped
 *
 * Return: 0; -EDEADLK at once if that one waits for @self.
 */
int xtimeout_wait_for(struct xtimeout_table *table, u64 id, u64 self, unsigned long flags)
	__releases(&table->lock)
{
	struct xtimeout_waiter w = { .id = id, .by = self };

	if (self && !edge_add(&w)) {
		xtimeout_unlock(table, flags);
		return -EDEADLK;
	}
	init_completion(&w.done);
	list_add_tail(&w.link, &table->waiters);
	xtimeout_unlock(table, flags);
	wait_for_completion(&w.done);
	return 0;
}

/* Moves those who wait for @id to @woken. */
static void wake_waiters(struct xtimeout_table *table, u64 id, struct list_head *woken)
{
	struct xtimeout_waiter *w, *next;

	list_for_each_entry_safe(w, next, &table->waiters, link) {
		if (w->id != id)
			continue;
		if (w->by)
			edge_remove(w);
		list_move_tail(&w->link, woken);
	}
}

/*
 * Arms a periodic callout, which is IDLE, for the first of its times to come.  If it is
 * called before its time, because the clock was set, that is still to come.
 */
static void arm_next(struct xtimeout_table *table, struct xcallout *co)
{
	u64 slack = ktime_sub(co->node.expires, co->due);
	s64 late = ktime_sub(xtimeout_now(table->clock), co->due);
	ktime_t next = co->due;

	if (late >= 0) {
		u64 missed = div64_u64(late, co->period);

		co->missed += missed;
		next = ktime_add_safe(co->due, (missed + 1) * co->period);
	}
	xcallout_set_time(co, next, slack);
	xcallout_insert(table, co);
}

/* FIRED to a run: the thread has what it needs, the callout is its owner's again. */
static struct xtimeout_table *run_begin(struct xcallout *co, struct xtimeout_run *run)
{
	struct xtimeout_table *table;
	unsigned long flags;

	table = xcallout_lock(co, &flags);
	run->since = ktime_get();
	run->cancelled = co->revoked;
	co->revoked = false;
	if (co->taken) {
		co->taken = false;
		list_del(&co->held);
		run->again = co->again ? co : NULL;
		co->again = false;
	} else {
		xcallout_unfire(table, co);
		co->state = XCALLOUT_IDLE;
		if (table->clock == XTIMEOUT_CLOCK_MONOTONIC)
			xsync_hist_add(xtimeout_lateness, ktime_sub(run->since, co->due));
		if (co->period && !run->cancelled && !xtimeout_owner_is_dead(co->owner))
			arm_next(table, co);
	}
	co->ran = true;
	run->id = co->id;
	run->func = co->func;
	run->arg = co->arg;
	run->owner = co->owner;
	run->mutex = co->mutex;
	run->locking = !!co->mutex;
	run->task = current;
	list_add_tail(&run->link, &table->runs);
	raw_spin_unlock_irqrestore(&table->lock, flags);
	return table;
}

/* @named: the callout if it is the id form's, and so still there. */
static void run_end(struct xtimeout_table *table, struct xtimeout_run *run,
		    struct xcallout *named)
{
	struct xtimeout_waiter *w, *next;
	unsigned long flags;
	LIST_HEAD(woken);

	raw_spin_lock_irqsave(&table->lock, flags);
	list_del(&run->link);
	if (run->again)
		xtimeout_dispatch(table, xcallout_run, run->again, 0, &run->again->ent);
	if (named)
		xtimeout_named_done(table, named);
	wake_waiters(table, run->id, &woken);
	xtimeout_unlock(table, flags);

	list_for_each_entry_safe(w, next, &woken, link)
		complete(&w->done);
}

/* The mutex is held: is the function still to be called? */
static bool run_confirm(struct xtimeout_table *table, struct xtimeout_run *run)
{
	bool cancelled;

	raw_spin_lock_irq(&table->lock);
	run->locking = false;
	cancelled = run->cancelled;
	raw_spin_unlock_irq(&table->lock);
	return !cancelled;
}

static void run_call(struct xtimeout_table *table, struct xtimeout_run *run)
{
	struct lockdep_map map;

	xtaskq_name_func(run->func);
	run_map_init(&map, run->func);
	lock_map_acquire(&map);
	if (run->mutex)
		mutex_lock(run->mutex);
	if (!run->mutex || run_confirm(table, run)) {
		xsync_trace(xtimeout_begin, run->id, run->func);
		run->func(run->arg);
		xsync_trace(xtimeout_end, run->id, run->func);
		WRITE_ONCE(run->over, true);
	}
	if (run->mutex)
		mutex_unlock(run->mutex);
	lock_map_release(&map);
}

/**
 * xcallout_run - call the function of a callout that has fired
 * @arg: the callout
 *
 * Context: In a thread of the pool.
 */
void xcallout_run(void *arg)
{
	struct xcallout *co = arg;
	struct xcallout *named = co->named ? co : NULL;
	struct xtimeout_run run = {};
	struct xtimeout_table *table;

	table = run_begin(co, &run);
	if (!run.cancelled)
		run_call(table, &run);
	run_end(table, &run, named);
}
