/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the layer share; the theory is in queue.c. */
#ifndef _XSYNC_TASKQ_INTERNAL_H
#define _XSYNC_TASKQ_INTERNAL_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <taskq/taskq.h>
#include <xsync/compat/workqueue.h>
#include <xsync/hist.h>

struct dentry;

/* In xtaskq_ent.flags, beside what dispatches are given: where the entry is */
#define XTASKQ_ENT_OWN		BIT(31)	/* it is the queue's */
#define XTASKQ_ENT_DELAYED	BIT(30)	/* waiting for its timer */
#define XTASKQ_ENT_GIVEN	BIT(29)	/* not on the list: a runner has it already */
#define XTASKQ_ENT_LARGE	BIT(28)	/* there is a timer behind it: never spare */

#define XTASKQ_ID_BITS		8

/**
 * struct xtaskq_runner - one of the threads of a queue, or a slot for one
 * @tq: the queue
 * @work: workqueue kind: what runs the loop
 * @thread: dedicated kind: who runs the loop; NULL: an empty slot
 * @live: one of the queue's @nlive
 * @creating: its thread is being created, or taken back into use
 * @stopping: its thread is being stopped
 * @link: on the queue's idle list while idle
 * @idle: has nothing to do, and is to be woken by whoever takes it off that list
 * @given: the entry that it is to begin with, or NULL: the first pending one
 * @task: who runs the loop now; NULL while idle
 * @func: what is being run, or NULL
 * @arg: its argument
 * @tag: of the dispatch that is being run; its id is 0 if there is none
 * @own: the entry of that dispatch if it is the queue's own
 * @since: when it began
 * @reported: the deadman has named it
 *
 * All under the queue's lock; @idle, @task and @thread are read without it.
 */
struct xtaskq_runner {
	struct xtaskq *tq;
	struct work_struct work;
	struct task_struct *thread;
	bool live;
	bool creating;
	bool stopping;
	struct list_head link;
	bool idle;
	struct xtaskq_ent *given;
	struct task_struct *task;
	xtaskq_func_t func;
	void *arg;
	struct xtaskq_tag tag;
	struct xtaskq_ent *own;
	u64 since;
	bool reported;
};

/* When the manager of a dynamic queue looks at it. */
enum xtaskq_watch {
	XTASKQ_WATCH_NOT,
	XTASKQ_WATCH,		/* at the next tick */
	XTASKQ_WATCH_NOW,
};

/* Whom a dispatch has to wake after the lock. */
struct xtaskq_kick {
	struct xtaskq_runner *runner;
	enum xtaskq_watch watch;
};

/* What somebody waits for. */
enum xtaskq_until {
	XTASKQ_UNTIL_QUIET,	/* nothing is left, all runners are idle */
	XTASKQ_UNTIL_STILL,	/* all runners are idle */
	XTASKQ_UNTIL_ID,	/* that dispatch is done */
	XTASKQ_UNTIL_UPTO,	/* that dispatch and all before are done */
	XTASKQ_UNTIL_ENTRY,	/* an entry is spare, or may be allocated */
	XTASKQ_UNTIL_ROOM,	/* an entry may be allocated */
};

/**
 * struct xtaskq_waiter - one who sleeps until something is true of a queue
 * @link: on the queue's list, then on that of whoever is about to wake it
 * @until: what
 * @id: of which dispatch
 * @woken: it is off the queue's list and @done will be completed
 * @done: completed without the lock
 */
struct xtaskq_waiter {
	struct list_head link;
	enum xtaskq_until until;
	xtaskqid_t id;
	bool woken;
	struct completion done;
};

/**
 * struct xtaskq - a queue
 * @lock: protects everything here that does not say otherwise.  Raw because
 *	  hard interrupts dispatch on PREEMPT_RT too
 * @dead: xtaskq_destroy() has begun; set under @lock, read without it
 * @frozen: the system suspends; set under @lock
 * @suspended: how often xtaskq_suspend() was called without a resume; read
 *	       without the lock
 * @pending: entries in the order in which they will run
 * @last_front: the last XTASKQ_FRONT one of them, all before it are such too; NULL
 * @by_id: all entries that wait, pending or not, to be found by id
 * @by_age: the tags of these entries and of runners that run something, by id
 * @idle: runners that have nothing to do, the one that ran last first
 * @npending: entries on @pending
 * @ndelayed: entries that wait for their timers
 * @nidle: runners on @idle
 * @nlive: runners that exist
 * @watch: when the manager will look; see manager.c
 * @last: the runner that got a task last
 * @waiters: who waits for tasks
 * @throttled: who waits for an entry, in the order of coming
 * @spare: the queue's own entries that are not in use
 * @nalloc: the queue's own entries, in use or not, or about to be allocated
 * @nsmall: of these, those that exist and have no timer: they can be spare
 * @allocating: dispatches that have dropped the lock to get an entry
 * @linked: dispatches that were let in
 * @executed: of these, functions that returned
 * @cancelled: of these, taken back
 * @failed: dispatches that were refused
 * @in_flight: xtaskq_dispatch_any()s that are not pending yet; read under @lock
 * @last_id: the last id given
 * @waits: how long tasks were pending
 * @runs: how long functions took
 * @name: for people
 * @serial: tells queues of the same name apart
 * @flags: as created
 * @pri: as created
 * @nslots: runners, and slots for runners, that there are
 * @nthreads: how many of them there may be
 * @percent: XTASKQ_THREADS_CPU_PCT: what @nthreads is derived from
 * @minalloc: as created
 * @maxalloc: as created; UINT_MAX: any number
 * @wq: workqueue kind: runs the runners; dynamic kind: runs the manager
 * @look: the manager
 * @create: creates threads for it
 * @wanted: how many
 * @seen: @executed when the manager last saw it change
 * @seen_at: when that was, or when it last added a thread for it not changing
 * @trim: stops threads that have nothing to do
 * @key: lockdep's key to @map
 * @work_key: lockdep's key to its work items
 * @map: held around functions, taken by those who wait for functions
 * @link: on the list of all queues
 * @dir: its folder in debugfs
 * @rcu: for the last look of late dispatches at @dead
 * @runners: nslots of them
 */
struct xtaskq {
	raw_spinlock_t lock;
	bool dead;
	bool frozen;
	unsigned int suspended;
	struct list_head pending;
	struct xtaskq_ent *last_front;
	struct hlist_head by_id[1 << XTASKQ_ID_BITS];
	struct list_head by_age;
	struct list_head idle;
	unsigned int npending;
	unsigned int ndelayed;
	unsigned int nidle;
	unsigned int nlive;
	enum xtaskq_watch watch;
	struct xtaskq_runner *last;
	struct list_head waiters;
	struct list_head throttled;

	struct list_head spare;
	unsigned int nalloc;
	unsigned int nsmall;
	unsigned int allocating;

	u64 linked;
	u64 executed;
	u64 cancelled;
	atomic64_t failed;
	atomic_t in_flight;
	atomic64_t last_id;
	struct xsync_hist __percpu *waits;
	struct xsync_hist __percpu *runs;

	const char *name;
	unsigned int serial;
	unsigned int flags;
	int pri;
	unsigned int nslots;
	unsigned int nthreads;
	unsigned int percent;
	unsigned int minalloc;
	unsigned int maxalloc;

	struct workqueue_struct *wq;
	struct delayed_work look;
	struct work_struct create;
	atomic_t wanted;
	u64 seen;
	unsigned long seen_at;
	struct delayed_work trim;

	struct lock_class_key key;
	struct lock_class_key work_key;
	struct lockdep_map map;
	struct list_head link;
	struct dentry *dir;
	struct rcu_head rcu;
	struct xtaskq_runner runners[];
};

/* The list of all queues; held while they come, go, and are looked at. */
extern struct mutex xtaskq_list_lock;
extern struct list_head xtaskq_list;

/* All runners are idle. */
static inline bool xtaskq_still(struct xtaskq *tq)
{
	lockdep_assert_held(&tq->lock);
	return tq->nidle == tq->nlive;
}

/* Empty and idle, with nothing on its way here. */
static inline bool xtaskq_quiet(struct xtaskq *tq)
{
	return xtaskq_still(tq) && list_empty(&tq->by_age) && !tq->allocating &&
	       !atomic_read(&tq->in_flight);
}

/* How many functions a workqueue is sure to run at a time, wherever its CPUs are. */
static inline unsigned int xtaskq_workqueue_limit(void)
{
	return nr_node_ids > 1 ? XSYNC_WQ_SURE_ON_A_NODE : WQ_UNBOUND_MAX_ACTIVE;
}

/* Nothing may begin. */
static inline bool xtaskq_held(struct xtaskq *tq)
{
	lockdep_assert_held(&tq->lock);
	return tq->suspended || tq->frozen;
}

static inline struct hlist_head *xtaskq_bucket(struct xtaskq *tq, xtaskqid_t id)
{
	return &tq->by_id[id & ((1 << XTASKQ_ID_BITS) - 1)];
}

/* dispatch.c */
void xtaskq_inboxes_init(void);
void xtaskq_inboxes_flush(void);
bool xtaskq_ent_claim(struct xtaskq *tq, struct xtaskq_ent *ent, xtaskq_func_t func,
		      void *arg, unsigned int flags);
void xtaskq_admit(struct xtaskq *tq, struct xtaskq_ent *ent);
struct xtaskq_kick xtaskq_pend(struct xtaskq *tq, struct xtaskq_ent *ent);
void xtaskq_unpend(struct xtaskq *tq, struct xtaskq_ent *ent);

/* delay.c */
void xtaskq_delay_stop(struct xtaskq *tq, struct xtaskq_ent *ent);

/* entry.c */
struct xtaskq_ent *xtaskq_ent_get(struct xtaskq *tq, unsigned int flags, size_t size);
bool xtaskq_ent_put(struct xtaskq *tq, struct xtaskq_ent *ent);
void xtaskq_ent_put_late(struct xtaskq *tq, struct xtaskq_ent *ent);
void xtaskq_ent_return(struct xtaskq *tq, struct xtaskq_ent *ent);
int xtaskq_ents_init(struct xtaskq *tq);
void xtaskq_ents_free(struct xtaskq *tq);

/* runner.c */
struct xtaskq_runner *xtaskq_runner_take(struct xtaskq *tq);
void xtaskq_runner_wake(struct xtaskq_runner *r);
int xtaskq_runner_create(struct xtaskq *tq, unsigned int slot);
struct xtaskq_kick xtaskq_kick_prepare(struct xtaskq *tq);
void xtaskq_kick(struct xtaskq *tq, struct xtaskq_kick kick);
void xtaskq_let_go(struct xtaskq *tq);
int xtaskq_set_threads(struct xtaskq *tq, unsigned int n);
int xtaskq_runners_start(struct xtaskq *tq);
void xtaskq_runners_stop(struct xtaskq *tq);

/* manager.c */
void xtaskq_manager_init(struct xtaskq *tq);
void xtaskq_manager_kick(struct xtaskq *tq, struct xtaskq_kick *kick);
bool xtaskq_manager_is_due(struct xtaskq *tq);
void xtaskq_manager_call(struct xtaskq *tq, enum xtaskq_watch watch);
void xtaskq_manager_stop(struct xtaskq *tq);

/* percent.c */
int xtaskq_percent_init(void);
void xtaskq_percent_exit(void);
unsigned int xtaskq_percent_of(unsigned int percent, unsigned int cpus);

/* suspend.c */
int xtaskq_suspend_init(void);
void xtaskq_suspend_exit(void);
void xtaskq_freeze_new(struct xtaskq *tq);

/* deadman.c */
void xtaskq_deadman_init(void);
void xtaskq_deadman_exit(void);
void xtaskq_name_oldest(struct xtaskq *tq, const char *what);

/* wait.c */
int xtaskq_may_block(struct xtaskq *tq, const char *what, unsigned long ip);
int xtaskq_may_wait(struct xtaskq *tq, const char *what, unsigned long ip);
void xtaskq_note_wait(struct xtaskq *tq);
struct xtaskq_ent *xtaskq_find(struct xtaskq *tq, xtaskqid_t id);
bool xtaskq_runs(struct xtaskq *tq, xtaskqid_t id);
void xtaskq_wait_until(struct xtaskq *tq, enum xtaskq_until until, xtaskqid_t id);
bool xtaskq_wait_entry(struct xtaskq *tq, bool spare, unsigned long end);
void xtaskq_wake_done(struct xtaskq *tq, xtaskqid_t id, struct list_head *woken);
void xtaskq_wake(struct list_head *woken);

/* debugfs.c */
void xtaskq_debugfs_init(void);
void xtaskq_debugfs_exit(void);
void xtaskq_debugfs_add(struct xtaskq *tq);
void xtaskq_debugfs_remove(struct xtaskq *tq);

/* queue.c */
void xtaskq_destroy_leftovers(void);

#endif /* _XSYNC_TASKQ_INTERNAL_H */
