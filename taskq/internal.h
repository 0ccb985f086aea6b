/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the layer share; the theory is in queue.c. */
#ifndef _XSYNC_TASKQ_INTERNAL_H
#define _XSYNC_TASKQ_INTERNAL_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <taskq/taskq.h>

struct seq_file;

/* In xtaskq_ent.flags: the entry is the queue's own. */
#define XTASKQ_ENT_OWN		BIT(31)

#define XTASKQ_ID_BITS		8

/**
 * struct xtaskq_runner - one of the threads of a queue, or a slot for one
 * @tq: the queue
 * @work: workqueue kind: what runs the loop
 * @thread: dedicated kind: who runs the loop; NULL: an empty slot
 * @link: on the queue's idle list while idle
 * @idle: has nothing to do, and is to be woken by whoever takes it off that list
 * @task: who runs the loop now; NULL while idle
 * @func: what is being run, or NULL
 * @arg: its argument
 * @id: the dispatch that is being run, or 0
 * @own: the entry of that dispatch if it is the queue's own
 * @since: when it began
 *
 * All under the queue's lock; @idle, @task and @thread are read without it.
 */
struct xtaskq_runner {
	struct xtaskq *tq;
	struct work_struct work;
	struct task_struct *thread;
	struct list_head link;
	bool idle;
	struct task_struct *task;
	xtaskq_func_t func;
	void *arg;
	xtaskqid_t id;
	struct xtaskq_ent *own;
	ktime_t since;
};

/* When the manager of a dynamic queue looks at it. */
enum xtaskq_watch {
	XTASKQ_WATCH_NOT,
	XTASKQ_WATCH_SLOWLY,	/* in a second */
	XTASKQ_WATCH,		/* at the next tick, or sooner */
};

/* Whom a dispatch has to wake after the lock. */
struct xtaskq_kick {
	struct xtaskq_runner *runner;
	enum xtaskq_watch watch;
};

/**
 * struct xtaskq_waiter - one who sleeps until a dispatch or all of them are done
 * @link: on the queue's list, then on that of whoever is about to wake it
 * @id: what for; 0: that the queue is empty and idle
 * @woken: it is off the queue's list and @done will be completed
 * @done: completed without the lock
 */
struct xtaskq_waiter {
	struct list_head link;
	xtaskqid_t id;
	bool woken;
	struct completion done;
};

/**
 * struct xtaskq - a queue
 * @lock: protects everything here that does not say otherwise.  Raw because
 *	  hard interrupts dispatch on PREEMPT_RT too
 * @dead: xtaskq_destroy() has begun; set under @lock, read without it
 * @pending: entries in the order in which they will run
 * @by_id: the same entries, to be found by id
 * @idle: runners that have nothing to do, the one that ran last first
 * @npending: entries on @pending
 * @nidle: runners on @idle
 * @nlive: runners that exist
 * @watch: when the manager will look; see runner.c
 * @last: the runner that got a task last
 * @waiters: who waits
 * @spare: the queue's own entries that are not in use
 * @nalloc: the queue's own entries, in use or not
 * @allocating: dispatches that have dropped the lock to get an entry
 * @freed: where dispatches wait for an entry
 * @linked: dispatches that became pending
 * @executed: of these, functions that returned
 * @cancelled: of these, taken back
 * @failed: dispatches that were refused
 * @in_flight: xtaskq_dispatch_any()s that are not pending yet; read under @lock
 * @last_id: the last id given
 * @name: for people
 * @flags: as created
 * @pri: as created
 * @nthreads: as created: how many runners there may be
 * @minalloc: as created
 * @maxalloc: as created; UINT_MAX: any number
 * @wq: workqueue kind: runs the runners; dynamic kind: runs the manager
 * @grow: the manager: creates threads
 * @seen: @executed when the manager last saw it change
 * @seen_at: when that was, or when it last added a thread for it not changing
 * @trim: stops threads that have nothing to do
 * @key: lockdep's key to @map
 * @map: held around functions, taken by those who wait for functions
 * @link: on the list of all queues
 * @rcu: for the last look of late dispatches at @dead
 * @runners: nthreads of them
 */
struct xtaskq {
	raw_spinlock_t lock;
	bool dead;
	struct list_head pending;
	struct hlist_head by_id[1 << XTASKQ_ID_BITS];
	struct list_head idle;
	unsigned int npending;
	unsigned int nidle;
	unsigned int nlive;
	enum xtaskq_watch watch;
	struct xtaskq_runner *last;
	struct list_head waiters;

	struct list_head spare;
	unsigned int nalloc;
	unsigned int allocating;
	wait_queue_head_t freed;

	u64 linked;
	u64 executed;
	u64 cancelled;
	atomic64_t failed;
	atomic_t in_flight;
	atomic64_t last_id;

	const char *name;
	unsigned int flags;
	int pri;
	unsigned int nthreads;
	unsigned int minalloc;
	unsigned int maxalloc;

	struct workqueue_struct *wq;
	struct delayed_work grow;
	u64 seen;
	unsigned long seen_at;
	struct delayed_work trim;

	struct lock_class_key key;
	struct lockdep_map map;
	struct list_head link;
	struct rcu_head rcu;
	struct xtaskq_runner runners[];
};

/* Empty and idle, with nothing on its way here. */
static inline bool xtaskq_quiet(struct xtaskq *tq)
{
	lockdep_assert_held(&tq->lock);
	return !tq->npending && tq->nidle == tq->nlive && !tq->allocating &&
	       !atomic_read(&tq->in_flight);
}

static inline struct hlist_head *xtaskq_bucket(struct xtaskq *tq, xtaskqid_t id)
{
	return &tq->by_id[id & ((1 << XTASKQ_ID_BITS) - 1)];
}

/* dispatch.c */
void xtaskq_inboxes_init(void);
void xtaskq_inboxes_flush(void);
void xtaskq_unlink(struct xtaskq *tq, struct xtaskq_ent *ent);

/* entry.c */
struct xtaskq_ent *xtaskq_ent_get(struct xtaskq *tq, unsigned int flags);
bool xtaskq_ent_put(struct xtaskq *tq, struct xtaskq_ent *ent);
int xtaskq_ents_init(struct xtaskq *tq);
void xtaskq_ents_free(struct xtaskq *tq);

/* runner.c */
struct xtaskq_kick xtaskq_kick_prepare(struct xtaskq *tq);
void xtaskq_kick(struct xtaskq *tq, struct xtaskq_kick kick);
int xtaskq_runners_start(struct xtaskq *tq);
void xtaskq_runners_stop(struct xtaskq *tq);

/* wait.c */
int xtaskq_may_wait(struct xtaskq *tq, const char *what);
void xtaskq_wake_id(struct xtaskq *tq, xtaskqid_t id, struct list_head *woken);
void xtaskq_wake_quiet(struct xtaskq *tq, struct list_head *woken);
void xtaskq_wake(struct list_head *woken);

/* queue.c */
void xtaskq_show(struct seq_file *m);
void xtaskq_destroy_leftovers(void);

#endif /* _XSYNC_TASKQ_INTERNAL_H */
