/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the layer share; the theory is in table.c. */
#ifndef _XSYNC_TIMEOUT_INTERNAL_H
#define _XSYNC_TIMEOUT_INTERNAL_H

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/timerqueue.h>
#include <timeout/timeout.h>

struct seq_file;

/* xcallout.state; RUNNING is a struct xtimeout_run and not a state of the callout. */
enum xcallout_state {
	XCALLOUT_IDLE,
	XCALLOUT_ARMED,		/* on table.armed */
	XCALLOUT_FIRED,		/* on table.fired */
	XCALLOUT_GONE,		/* the id form's only: done, about to be freed */
};

/**
 * struct xtimeout_table - the callouts that were armed on one CPU
 * @lock: protects everything here and in the callouts.  Raw because the hard
 *	  timer interrupt takes it on PREEMPT_RT too
 * @armed: by expiry
 * @fired: the time has come, and no thread has taken them
 * @taken: armed again after a thread had taken them, which has not begun yet
 * @runs: functions that are being called
 * @waiters: who waits for one of these to return
 * @timer: the one timer; fires for the first of @armed
 * @next: what @timer is set to; KTIME_MAX: it is not set
 * @rest: the entry for what is due beyond one interrupt's share
 * @resting: @rest is dispatched; it sets the timer when it is through
 * @cpu: whose it is
 * @narmed: callouts on @armed
 * @nfired: how often one went from ARMED to FIRED
 * @ncancelled: armings that were cancelled
 *
 * A table never goes away, whether its CPU is online or not.
 */
struct xtimeout_table {
	raw_spinlock_t lock;
	struct timerqueue_head armed;
	struct list_head fired;
	struct list_head taken;
	struct list_head runs;
	struct list_head waiters;
	struct hrtimer timer;
	ktime_t next;
	struct xtaskq_ent rest;
	bool resting;
	unsigned int cpu;
	unsigned long narmed;
	u64 nfired;
	u64 ncancelled;
};

DECLARE_PER_CPU(struct xtimeout_table, xtimeout_tables);

/**
 * struct xtimeout_run - one call of a function, on the stack of its thread
 * @link: on table.runs
 * @id: of the callout, which the function may have freed
 * @func: the function
 * @arg: its argument
 * @owner: of the callout
 * @task: who calls it
 * @since: when it was called
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
	struct task_struct *task;
	ktime_t since;
	struct xcallout *again;
};

/* One who waits for the function of a callout to return; under the table's lock. */
struct xtimeout_waiter {
	struct list_head link;
	u64 id;
	struct completion done;
};

/**
 * struct xtimeout_named - a callout that an id stands for
 * @co: the callout
 * @by_id: in the table of ids
 * @link: on the list of spare ones, or on one of those that are to be freed
 * @rcu: for lookups that have found it
 */
struct xtimeout_named {
	struct xcallout co;
	struct hlist_node by_id;
	struct list_head link;
	struct rcu_head rcu;
};

/* The threads that functions run in. */
extern struct xtaskq *xtimeout_pool;

/* table.c */
void xtimeout_tables_init(void);
int xtimeout_hotplug_init(void);
void xtimeout_hotplug_exit(void);
void xtimeout_tables_exit(void);
void xtimeout_table_program(struct xtimeout_table *table);
void xtimeout_tables_show(struct seq_file *m);
void xtimeout_runs_show(struct seq_file *m);

/* callout.c */
struct xtimeout_table *xcallout_lock(struct xcallout *co, unsigned long *flags)
	__acquires(&co->table->lock);
void xcallout_fire(struct xtimeout_table *table, struct xcallout *co);
int xcallout_arm(struct xcallout *co, ktime_t expires);
bool xcallout_cancel(struct xtimeout_table *table, struct xcallout *co);
bool xcallout_busy(struct xtimeout_table *table, struct xcallout *co);
struct xtimeout_run *xtimeout_run_find(struct xtimeout_table *table, u64 id);
void xtimeout_wait_for(struct xtimeout_table *table, u64 id, unsigned long flags)
	__releases(&table->lock);
int xtimeout_may_wait(const char *what);

/* named.c */
int xtimeout_ids_init(void);
void xtimeout_ids_exit(void);
void xtimeout_reserve_fill(void);
void xtimeout_named_done(struct xcallout *co, struct list_head *gone);
void xtimeout_named_free(struct list_head *gone);

/* owner.c */
int xtimeout_owners_init(void);
void xtimeout_owners_exit(void);
bool xtimeout_owner_is_dead(struct module *owner);
void xtimeout_drain_all(void);

#endif /* _XSYNC_TIMEOUT_INTERNAL_H */
