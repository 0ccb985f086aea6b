// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timeouts: one table and one hard timer per CPU and clock.
 *
 * Problem.  A function that is called from the timer interrupt must not take the
 * mutex of the task that the interrupt hit, and what cancels it must not wait with
 * that mutex held, or at least must be told.  So the interrupt only notes that the
 * time has come, and a thread calls the function.  One timer of the kernel's per
 * timeout is no good: a CPU that goes offline moves them one by one with interrupts
 * off, and cancelling one waits for its handler.
 *
 * Structures.
 *
 *   per CPU and clock: xtimeout_table                              table.c
 *     |-- armed:   callouts by expiry        \   one hrtimer, set for the first
 *     |-- fired:   callouts, each dispatched to xtimeout_pool     callout.c
 *     |-- runs:    struct xtimeout_run on the stack of each thread that is in a
 *     |            function                                       run.c
 *     |-- waiters: who waits until a run is over
 *     \-- by_id:   callouts that belong to xtimeout()             named.c
 *   dead owners                                                   owner.c
 *
 * A callout belongs to one table at a time, co->table.  It moves to the table of
 * the arming CPU when it is idle and its function is not running, else it stays.
 * The field changes only under the lock of the table that it names, so whoever has
 * locked that table and finds the field unchanged has the callout.
 *
 * RUNNING is kept apart from the callout, because the function may free it: what
 * runs is known by the callout's id, which is never used again.
 *
 * Locking.  table.lock -> the pool's queue lock, the hrtimer base's, the list of
 * waits between functions.  Two table locks are never held together; wall_lock is held
 * alone.  All raw.
 *
 * What is dispatched with a table's lock held goes to threads that take that lock
 * first of all.  Woken at once they would meet whoever woke them, and on a machine with
 * many CPUs each other.  So the pool is told to wake nobody, and who unlocks the
 * table wakes them: xtimeout_unlock(), in every place that may have dispatched.
 *
 * The interrupt takes up to XTIMEOUT_BATCH callouts from armed to fired.  If more
 * are due it dispatches table.rest, and a thread goes on, dropping the lock after
 * each batch; the timer is not set meanwhile.  Cancelling never touches the timer:
 * it may fire for nothing, and is then set for what is first.
 *
 * Slack.  A callout has the time before which it must not fire, and the time by
 * which it should have; armed is in the order of the latter.  The timer is the
 * kernel's to put where it likes between the two of the first one, and what fires is
 * what may, from the first one on until one may not.
 *
 * Hotplug.  The kernel moves the one timer of a CPU that goes down, whatever number
 * of callouts hang on it; the table stays where it is, and its callouts are armed,
 * fired and cancelled as before.  D: on a CPU that is not online (interrupts off, in
 * the last part of its way down or the first of its way up) the timer of a table
 * cannot be set: the kernel has moved away what was set there, or will set up
 * afresh what it finds.  A callout that is armed there is put into its table only,
 * and our hotplug callbacks, once the CPU is dead or up, set the timers of all
 * tables.
 *
 * The wall clock being set.  The kernel keeps its timers right.  For callouts that
 * want to know, the timekeeper's notifier, which is called with its lock held and
 * after each of its ticks too, queues an irq_work; this one looks whether the distance
 * of the two clocks has changed, and leaves the callouts to the threads.
 *
 * Unload.  Users of the exports hold the module.  At unload nothing can be armed
 * any more: everything is cancelled and the functions that run are waited for;
 * then the timers are cancelled, then the pool goes.
 *
 * Limits.  xtimeout_drain() looks at all that has fired and no thread has begun, and
 * at all armed callouts that are due at the very same time, under one hold of a
 * table's lock.
 */
#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/notifier.h>
#include <linux/pvclock_gtod.h>
#include <linux/sched.h>
#include <xsync/compat/hrtimer.h>
#include "internal.h"
#include "trace.h"

/* How many callouts one interrupt fires, and a thread under one hold of the lock. */
#define XTIMEOUT_BATCH	64

DEFINE_PER_CPU(struct xtimeout_cpu, xtimeout_cpus);

static enum cpuhp_state xtimeout_hp_online;
static enum cpuhp_state xtimeout_hp_dead;

static struct xcallout *first_of(struct xtimeout_table *table)
{
	struct timerqueue_node *first = timerqueue_getnext(&table->armed);

	return first ? container_of(first, struct xcallout, node) : NULL;
}

/**
 * xtimeout_table_program - set the timer if what is first is due before it
 * @table: the table, locked
 */
void xtimeout_table_program(struct xtimeout_table *table)
{
	struct xcallout *first = first_of(table);

	lockdep_assert_held(&table->lock);
	if (!first || table->resting || first->node.expires >= table->next)
		return;
	if (!cpu_online(raw_smp_processor_id()))
		return;		/* D */
	table->next = first->node.expires;
	hrtimer_start_range_ns(&table->timer, first->due,
			       ktime_sub(first->node.expires, first->due),
			       HRTIMER_MODE_ABS_PINNED_HARD);
}

/**
 * xtimeout_dispatch - have a thread of the pool call a function
 * @table: the table, locked; xtimeout_unlock() wakes the thread
 * @func: the function
 * @arg: its argument
 * @flags: XTASKQ_FRONT or 0
 * @ent: an idle entry
 */
void xtimeout_dispatch(struct xtimeout_table *table, xtaskq_func_t func, void *arg,
		       unsigned int flags, struct xtaskq_ent *ent)
{
	lockdep_assert_held(&table->lock);
	/* The pool is there as long as a table, and the entry is idle. */
	if (!WARN_ON_ONCE(!xtaskq_dispatch_ent(xtimeout_pool, func, arg,
					       flags | XTASKQ_NOWAKE, ent)))
		table->nwake++;
}

/**
 * xtimeout_unlock - unlock a table, and wake threads for what was dispatched
 * @table: the table
 * @flags: of the lock
 */
void xtimeout_unlock(struct xtimeout_table *table, unsigned long flags)
	__releases(&table->lock)
{
	unsigned int n = table->nwake;

	if (likely(!n)) {
		raw_spin_unlock_irqrestore(&table->lock, flags);
		return;
	}
	table->nwake = 0;
	/* Nothing is to come between the two and keep the threads waiting. */
	preempt_disable();
	raw_spin_unlock_irqrestore(&table->lock, flags);
	xtaskq_wake_up(xtimeout_pool, n);
	preempt_enable();
}

/* Fires one batch of what is due; true: more is.  Under the lock. */
static bool table_fire(struct xtimeout_table *table)
{
	ktime_t now = xtimeout_now(table->clock);
	unsigned int n;

	for (n = 0; n < XTIMEOUT_BATCH; n++) {
		struct xcallout *co = list_first_entry_or_null(&table->was_set,
							       struct xcallout, link);

		if (!co) {
			co = first_of(table);
			if (!co || co->due > now)
				return false;
		}
		xcallout_fire(table, co);
	}
	return true;
}

/* Runs in a thread of the pool. */
static void table_fire_rest(void *arg)
{
	struct xtimeout_table *table = arg;
	unsigned long flags;
	bool more;

	do {
		raw_spin_lock_irqsave(&table->lock, flags);
		more = table_fire(table);
		if (!more) {
			table->resting = false;
			xtimeout_table_program(table);
		}
		xtimeout_unlock(table, flags);
		cond_resched();
	} while (more);
}

static void table_rest(struct xtimeout_table *table)
{
	if (table->resting)
		return;
	table->resting = true;
	xtimeout_dispatch(table, table_fire_rest, table, XTASKQ_FRONT, &table->rest);
}

/* The timer; hard interrupt. */
static enum hrtimer_restart table_expire(struct hrtimer *timer)
{
	struct xtimeout_table *table = container_of(timer, struct xtimeout_table, timer);
	unsigned long flags;

	xsync_trace(xtimeout_interrupt, table->index);
	raw_spin_lock_irqsave(&table->lock, flags);
	table->next = KTIME_MAX;
	if (!table->resting && table_fire(table))
		table_rest(table);
	/* Set by this, or by another CPU meanwhile: never by the return value. */
	xtimeout_table_program(table);
	xtimeout_unlock(table, flags);
	return HRTIMER_NORESTART;
}

/* D: sets the timers that could not be set on a CPU on its way down or up. */
static int xtimeout_cpu_changed(unsigned int changed)
{
	struct xtimeout_table *table;

	for_each_xtimeout_table(table) {
		raw_spin_lock_irq(&table->lock);
		xtimeout_table_program(table);
		raw_spin_unlock_irq(&table->lock);
	}
	return 0;
}

/* From CLOCK_MONOTONIC to CLOCK_REALTIME, when it was last looked at. */
static ktime_t wall_distance;
static DEFINE_RAW_SPINLOCK(wall_lock);	/* protects @wall_distance */

/* Hard interrupt. */
static void clock_was_set(struct irq_work *work)
{
	struct xtimeout_table *table;
	unsigned long flags;
	ktime_t distance;
	bool same;

	/* May run on two CPUs at a time: who looks last is to be remembered. */
	raw_spin_lock_irqsave(&wall_lock, flags);
	distance = ktime_mono_to_real(0);
	same = distance == wall_distance;
	wall_distance = distance;
	raw_spin_unlock_irqrestore(&wall_lock, flags);
	if (same)
		return;
	for_each_xtimeout_table(table) {
		raw_spin_lock_irqsave(&table->lock, flags);
		list_splice_tail_init(&table->on_set, &table->was_set);
		if (!list_empty(&table->was_set))
			table_rest(table);
		xtimeout_unlock(table, flags);
	}
}

static struct irq_work clock_work = IRQ_WORK_INIT_HARD(clock_was_set);

static int timekeeper_event(struct notifier_block *nb, unsigned long was_set, void *tk)
{
	if (was_set)
		irq_work_queue(&clock_work);
	return NOTIFY_OK;
}

static struct notifier_block timekeeper_nb = {
	.notifier_call = timekeeper_event,
};

static void table_init(struct xtimeout_table *table, unsigned int index)
{
	table->index = index;
	table->clock = index % XTIMEOUT_CLOCKS;
	raw_spin_lock_init(&table->lock);
	timerqueue_init_head(&table->armed);
	INIT_LIST_HEAD(&table->on_set);
	INIT_LIST_HEAD(&table->was_set);
	INIT_LIST_HEAD(&table->fired);
	INIT_LIST_HEAD(&table->taken);
	INIT_LIST_HEAD(&table->runs);
	INIT_LIST_HEAD(&table->waiters);
	table->by_id = RB_ROOT;
	INIT_LIST_HEAD(&table->spare);
	hrtimer_setup(&table->timer, table_expire,
		      table->clock == XTIMEOUT_CLOCK_WALL ? CLOCK_REALTIME : CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_HARD);
	table->next = KTIME_MAX;
	xtaskq_init_ent(&table->rest);
	xtaskq_init_ent(&table->even);
}

void xtimeout_tables_init(void)
{
	struct xtimeout_table *table;
	unsigned int i;

	for (i = 0; i < xtimeout_ntables(); i++) {
		table = xtimeout_table_nth(i);
		if (table)
			table_init(table, i);
	}
}

/**
 * xtimeout_changes_init - be told of CPUs that come and go, and of the clock being set
 *
 * Context: Task context, sleeps.
 * Return: 0, or why that cannot be.
 */
int xtimeout_changes_init(void)
{
	int state;

	state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "xsync/timeout:dead",
					  NULL, xtimeout_cpu_changed);
	if (state < 0)
		return state;
	xtimeout_hp_dead = state;
	state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "xsync/timeout:online",
					  xtimeout_cpu_changed, NULL);
	if (state < 0) {
		cpuhp_remove_state_nocalls(xtimeout_hp_dead);
		return state;
	}
	xtimeout_hp_online = state;
	wall_distance = ktime_mono_to_real(0);
	pvclock_gtod_register_notifier(&timekeeper_nb);
	return 0;
}

void xtimeout_changes_exit(void)
{
	pvclock_gtod_unregister_notifier(&timekeeper_nb);
	irq_work_sync(&clock_work);
	cpuhp_remove_state_nocalls(xtimeout_hp_online);
	cpuhp_remove_state_nocalls(xtimeout_hp_dead);
}

/* Nothing is armed, and nothing can be. */
void xtimeout_tables_exit(void)
{
	struct xtimeout_table *table;

	for_each_xtimeout_table(table)
		hrtimer_cancel(&table->timer);
}
