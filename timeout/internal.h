/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the layer share; the theory is in table.c. */
#ifndef _XSYNC_TIMEOUT_INTERNAL_H
#define _XSYNC_TIMEOUT_INTERNAL_H

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/timerqueue.h>
#include <timeout/timeout.h>
#include <xsync/hist.h>

struct seq_file;

/* xcallout.state; RUNNING is a struct xtimeout_run and not a state of the callout. */
enum xcallout_state {
	XCALLOUT_IDLE,
	XCALLOUT_ARMED,		/* on table.armed */
	XCALLOUT_FIRED,		/* on table.fired */
};

/* In xcallout.flags: it was given flags that make no sense, and cannot be armed. */
#define XCALLOUT_BAD_FLAGS	BIT(7)

enum xtimeout_clock {
	XTIMEOUT_CLOCK_MONOTONIC,
	XTIMEOUT_CLOCK_WALL,
	XTIMEOUT_CLOCKS
};

/**
 * struct xtimeout_table - the callouts that were armed on one CPU, by one clock
 * @lock: protects everything here and in the callouts.  Raw because the hard
 *	  timer interrupt takes it on PREEMPT_RT too
 * @armed: by when they are due at the latest
 * @on_set: of these, those that fire when the clock is set
 * @was_set: of these, those that are to fire since it was
 * @fired: the time has come, and no thread has taken them
 * @taken: armed again after a thread had taken them, which has not begun yet
 * @runs: functions that are being called
 * @waiters: who waits for one of these to return
 * @timer: the one timer; fires for the first of @armed
 * @next: what @timer is set to; KTIME_MAX: it is not set
 * @nwake: dispatches to the pool whose threads are to be woken after the lock
 * @rest: the entry for what is due beyond one interrupt's share
 * @resting: @rest is dispatched; it sets the timer when it is through
 * @by_id: callouts of the id form; see named.c
 * @last: what the last id of this table was made from
 * @spare: memory for callouts of the id form
 * @nspare: pieces on @spare
 * @even: the entry for keeping @nspare within bounds
 * @evening: @even is dispatched, or runs
 * @index: of this table among all
 * @clock: which clock
 * @narmed: callouts on @armed
 * @nwaiting: callouts on @fired
 * @nfired: how often one went from ARMED to FIRED
 * @ncancelled: armings that were cancelled
 *
 * A table never goes away, whether its CPU is online or not.
 */
struct xtimeout_table {
	raw_spinlock_t lock;
	struct timerqueue_head armed;
	struct list_head on_set;
	struct list_head was_set;
	struct list_head fired;
	struct list_head taken;
	struct list_head runs;
	struct list_head waiters;
	struct hrtimer timer;
	ktime_t next;
	unsigned int nwake;
	struct xtaskq_ent rest;
	bool resting;

	struct rb_root by_id;
	u64 last;
	struct list_head spare;
	unsigned int nspare;
	struct xtaskq_ent even;
	bool evening;

	unsigned int index;
	enum xtimeout_clock clock;
	unsigned long narmed;
	unsigned long nwaiting;
	u64 nfired;
	u64 ncancelled;
};

/* The tables of one CPU. */
struct xtimeout_cpu {
	struct xtimeout_table table[XTIMEOUT_CLOCKS];
};

DECLARE_PER_CPU(struct xtimeout_cpu, xtimeout_cpus);

static inline unsigned int xtimeout_ntables(void)
{
	return nr_cpu_ids * XTIMEOUT_CLOCKS;
}

/* NULL: that is no possible CPU's. */
static inline struct xtimeout_table *xtimeout_table_nth(unsigned int index)
{
	unsigned int cpu = index / XTIMEOUT_CLOCKS;

	if (!cpu_possible(cpu))
		return NULL;
	return &per_cpu_ptr(&xtimeout_cpus, cpu)->table[index % XTIMEOUT_CLOCKS];
}

/* The first table from that number on; the number becomes the next one's.  NULL: none. */
static inline struct xtimeout_table *xtimeout_table_from(unsigned int *index)
{
	struct xtimeout_table *table = NULL;

	for (; *index < xtimeout_ntables() && !table; (*index)++)
		table = xtimeout_table_nth(*index);
	return table;
}

#define for_each_xtimeout_table(table)						\
	for (unsigned int __next = 0; ((table) = xtimeout_table_from(&__next)); )

/* By which clock, by XTIMEOUT_ flags. */
static inline enum xtimeout_clock xtimeout_clock(unsigned int flags)
{
	return flags & XTIMEOUT_WALL ? XTIMEOUT_CLOCK_WALL : XTIMEOUT_CLOCK_MONOTONIC;
}

/* The table of this CPU; another one's by the time it is used will do as well. */
static inline struct xtimeout_table *xtimeout_table_here(unsigned int flags)
{
	return &raw_cpu_ptr(&xtimeout_cpus)->table[xtimeout_clock(flags)];
}

static inline ktime_t xtimeout_now(enum xtimeout_clock clock)
{
	return clock == XTIMEOUT_CLOCK_WALL ? ktime_get_real() : ktime_get();
}

/**
 * struct xtimeout_run - one call of a function, on the stack of its thread
 * @link: on table.runs
 * @id: of the callout, which the function may have freed
 * @func: the function
 * @arg: its argument
 * @owner: of the callout
 * @mutex: of the callout
 * @task: who calls it
 * @since: when it was called
 * @locking: it is still about to take @mutex
 * @cancelled: the function is not to be called, or was not
 * @over: it has returned; set under @mutex if there is one, without the lock
 * @again: the callout, armed again and due again before the function returned
 *
 * Under the table's lock.
 */
struct xtimeout_run {
	struct list_head link;
	u64 id;
	xtimeout_func_t func;
	void *arg;
	struct module *owner;
	struct mutex *mutex;	/* of the function's user */
	struct task_struct *task;
	ktime_t since;
	bool locking;
	bool cancelled;
	bool over;
	struct xcallout *again;
};

/**
 * struct xtimeout_waiter - one who waits for the function of a callout to return
 * @link: on table.waiters
 * @id: of the callout
 * @by: 0, or the id of the callout whose function waits
 * @edge: if so, on the list of such waits, under its lock
 * @done: it has
 *
 * Under the table's lock.
 */
struct xtimeout_waiter {
	struct list_head link;
	u64 id;
	u64 by;
	struct list_head edge;
	struct completion done;
};

/**
 * struct xtimeout_named - a callout that an id stands for
 * @co: the callout
 * @by_id: on its table's by_id
 * @link: on the list of spare ones, or on one of those that are to be freed
 */
struct xtimeout_named {
	struct xcallout co;
	struct rb_node by_id;
	struct list_head link;
};

/* The threads that functions run in. */
extern struct xtaskq *xtimeout_pool;

/* How late functions of CLOCK_MONOTONIC began. */
extern struct xsync_hist __percpu *xtimeout_lateness;

/* table.c */
void xtimeout_tables_init(void);
int xtimeout_changes_init(void);
void xtimeout_changes_exit(void);
void xtimeout_tables_exit(void);
void xtimeout_table_program(struct xtimeout_table *table);
void xtimeout_dispatch(struct xtimeout_table *table, xtaskq_func_t func, void *arg,
		       unsigned int flags, struct xtaskq_ent *ent);
void xtimeout_unlock(struct xtimeout_table *table, unsigned long flags)
	__releases(&table->lock);

/* callout.c */
struct xtimeout_table *xcallout_lock(struct xcallout *co, unsigned long *flags)
	__acquires(&co->table->lock);
void xcallout_fire(struct xtimeout_table *table, struct xcallout *co);
void xcallout_insert(struct xtimeout_table *table, struct xcallout *co);
void xcallout_unfire(struct xtimeout_table *table, struct xcallout *co);
bool xcallout_cancel(struct xtimeout_table *table, struct xcallout *co);
bool xcallout_busy(struct xtimeout_table *table, struct xcallout *co);
void xcallout_setup(struct xcallout *co, struct module *owner, xtimeout_func_t func,
		    void *arg, struct mutex *mutex, unsigned int flags);
ktime_t xcallout_due(ktime_t when, unsigned int flags);
void xcallout_set_time(struct xcallout *co, ktime_t due, u64 slack_ns);

/* run.c */
void xcallout_run(void *arg);
struct xtimeout_run *xtimeout_run_find(struct xtimeout_table *table, u64 id);
bool xtimeout_self(struct xtimeout_run *self);
int xtimeout_wait_for(struct xtimeout_table *table, u64 id, u64 self, unsigned long flags)
	__releases(&table->lock);
int xtimeout_may_wait(const char *what, unsigned long ip);
void xtimeout_might_wait_for(xtimeout_func_t func);

/* named.c */
int xtimeout_spares_fill(void);
void xtimeout_spares_free(void);
void xtimeout_named_done(struct xtimeout_table *table, struct xcallout *co);

/* owner.c */
int xtimeout_owners_init(void);
void xtimeout_owners_exit(void);
bool xtimeout_owner_is_dead(struct module *owner);
void xtimeout_drain_all(void);

/* debugfs.c */
void xtimeout_debugfs_init(void);
void xtimeout_debugfs_exit(void);

#endif /* _XSYNC_TIMEOUT_INTERNAL_H */
