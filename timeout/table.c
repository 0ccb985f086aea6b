// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timeouts: one table and one hard timer per CPU.
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
 *   per CPU: xtimeout_table                                        table.c
 *     |-- armed:   callouts by expiry        \   one hrtimer, set for the first
 *     |-- fired:   callouts, each dispatched to xtimeout_pool     callout.c
 *     |-- runs:    struct xtimeout_run on the stack of each thread that is in a
 *     |            function
 *     \-- waiters: who waits until a run is over
 *   ids: hash of the callouts that belong to xtimeout()            named.c
 *   dead owners                                                    owner.c
 *
 * A callout belongs to one table at a time, co->table.  It moves to the table of
 * the arming CPU when it is idle and its function is not running, else it stays.
 * The field changes only under the lock of the table that it names, so whoever has
 * locked that table and finds the field unchanged has the callout.
 *
 * RUNNING is kept apart from the callout, because the function may free it: what
 * runs is known by the callout's id, which is never used again.
 *
 * Locking.  table.lock -> the pool's queue lock, the hrtimer base's, a bucket of
 * the ids.  All raw.  Two table locks are never held together.
 *
 * The interrupt takes up to XTIMEOUT_BATCH callouts from armed to fired.  If more
 * are due it dispatches table.rest, and a thread goes on, dropping the lock after
 * each batch; the timer is not set meanwhile.  Cancelling never touches the timer:
 * it may fire for nothing, and is then set for what is first.
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
 * Unload.  Users of the exports hold the module.  At unload nothing can be armed
 * any more: everything is cancelled and the functions that run are waited for;
 * then the timers are cancelled, then the pool goes.
 *
 * Limits.  xtimeout_drain() walks all armed callouts of a table with its lock held.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <xsync/compat/hrtimer.h>
#include "internal.h"

/* How many callouts one interrupt fires, and a thread under one hold of the lock. */
#define XTIMEOUT_BATCH	64

DEFINE_PER_CPU(struct xtimeout_table, xtimeout_tables);

static enum cpuhp_state xtimeout_hp_online;
static enum cpuhp_state xtimeout_hp_dead;

/* Sets the timer if what is first is due before it.  Under the lock. */
void xtimeout_table_program(struct xtimeout_table *table)
{
	struct timerqueue_node *first = timerqueue_getnext(&table->armed);

	lockdep_assert_held(&table->lock);
	if (!first || table->resting || first->expires >= table->next)
		return;
	if (!cpu_online(raw_smp_processor_id()))
		return;		/* D */
	table->next = first->expires;
	hrtimer_start(&table->timer, first->expires, HRTIMER_MODE_ABS_PINNED_HARD);
}

/* Fires one batch of what is due; true: more is.  Under the lock. */
static bool table_fire(struct xtimeout_table *table)
{
	ktime_t now = ktime_get();
	struct timerqueue_node *first;
	unsigned int n = 0;

	while ((first = timerqueue_getnext(&table->armed))) {
		if (first->expires > now)
			return false;
		if (n++ == XTIMEOUT_BATCH)
			return true;
		xcallout_fire(table, container_of(first, struct xcallout, node));
	}
	return false;
}

/* Runs in a thread of the pool. */
static void table_fire_rest(void *arg)
{
	struct xtimeout_table *table = arg;
	bool more;

	do {
		raw_spin_lock_irq(&table->lock);
		more = table_fire(table);
		if (!more) {
			table->resting = false;
			xtimeout_table_program(table);
		}
		raw_spin_unlock_irq(&table->lock);
		cond_resched();
	} while (more);
}

/* The timer; hard interrupt. */
static enum hrtimer_restart table_expire(struct hrtimer *timer)
{
	struct xtimeout_table *table = container_of(timer, struct xtimeout_table, timer);
	unsigned long flags;

	raw_spin_lock_irqsave(&table->lock, flags);
	table->next = KTIME_MAX;
	if (!table->resting && table_fire(table)) {
		table->resting = true;
		xtaskq_dispatch_ent(xtimeout_pool, table_fire_rest, table,
				    XTASKQ_FRONT, &table->rest);
	}
	/* Set by this, or by another CPU meanwhile: never by the return value. */
	xtimeout_table_program(table);
	raw_spin_unlock_irqrestore(&table->lock, flags);
	return HRTIMER_NORESTART;
}

/* D: sets the timers that could not be set on a CPU on its way down or up. */
static int xtimeout_cpu_changed(unsigned int changed)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct xtimeout_table *table = per_cpu_ptr(&xtimeout_tables, cpu);

		raw_spin_lock_irq(&table->lock);
		xtimeout_table_program(table);
		raw_spin_unlock_irq(&table->lock);
	}
	return 0;
}

void xtimeout_tables_init(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct xtimeout_table *table = per_cpu_ptr(&xtimeout_tables, cpu);

		raw_spin_lock_init(&table->lock);
		timerqueue_init_head(&table->armed);
		INIT_LIST_HEAD(&table->fired);
		INIT_LIST_HEAD(&table->taken);
		INIT_LIST_HEAD(&table->runs);
		INIT_LIST_HEAD(&table->waiters);
		hrtimer_setup(&table->timer, table_expire, CLOCK_MONOTONIC,
			      HRTIMER_MODE_ABS_HARD);
		table->next = KTIME_MAX;
		xtaskq_init_ent(&table->rest);
		table->cpu = cpu;
	}
}

int xtimeout_hotplug_init(void)
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
	return 0;
}

void xtimeout_hotplug_exit(void)
{
	cpuhp_remove_state_nocalls(xtimeout_hp_online);
	cpuhp_remove_state_nocalls(xtimeout_hp_dead);
}

/* Nothing is armed, and nothing can be. */
void xtimeout_tables_exit(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		hrtimer_cancel(&per_cpu(xtimeout_tables, cpu).timer);
}

static unsigned long length(struct list_head *list)
{
	struct list_head *pos;
	unsigned long n = 0;

	list_for_each(pos, list)
		n++;
	return n;
}

/* One line per CPU. */
void xtimeout_tables_show(struct seq_file *m)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct xtimeout_table *table = per_cpu_ptr(&xtimeout_tables, cpu);
		struct timerqueue_node *first;
		unsigned long armed, waiting, running;
		u64 fired, cancelled;
		s64 next = -1;

		raw_spin_lock_irq(&table->lock);
		armed = table->narmed;
		waiting = length(&table->fired);
		running = length(&table->runs);
		fired = table->nfired;
		cancelled = table->ncancelled;
		first = timerqueue_getnext(&table->armed);
		if (first)
			next = max_t(s64, ktime_us_delta(first->expires, ktime_get()), 0);
		raw_spin_unlock_irq(&table->lock);

		seq_printf(m, "cpu%u armed=%lu fired=%lu running=%lu total_fired=%llu total_cancelled=%llu next=%lldus\n",
			   cpu, armed, waiting, running, fired, cancelled, next);
	}
}

/* The @nth function that runs in a table; false: there are fewer. */
static bool run_nth(struct xtimeout_table *table, unsigned int nth,
		    struct xtimeout_run *copy)
{
	struct xtimeout_run *run;
	bool found = false;

	raw_spin_lock_irq(&table->lock);
	list_for_each_entry(run, &table->runs, link) {
		if (!nth--) {
			*copy = *run;
			found = true;
			break;
		}
	}
	raw_spin_unlock_irq(&table->lock);
	return found;
}

/* One line per function that runs. */
void xtimeout_runs_show(struct seq_file *m)
{
	struct xtimeout_run run;
	unsigned int cpu, nth;

	for_each_possible_cpu(cpu) {
		struct xtimeout_table *table = per_cpu_ptr(&xtimeout_tables, cpu);

		for (nth = 0; run_nth(table, nth, &run); nth++)
			seq_printf(m, "id=%llu func=%ps table=cpu%u age=%lldus\n",
				   run.id, run.func, cpu,
				   ktime_us_delta(ktime_get(), run.since));
	}
}
