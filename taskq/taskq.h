/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * taskq - task queues: work moved to a thread, counted and waited for exactly.
 *
 * A queue runs functions in threads, in the order in which they were dispatched,
 * with exactly as many at a time as it was created for.  The semantics are those
 * of taskq(9F) of illumos; what differs is said at each function:
 *
 *  - a dispatch that meets xtaskq_destroy() fails, it does not crash;
 *  - a queue's function that waits for its own queue, or destroys it, gets
 *    -EDEADLK;
 *  - ids are 64 bits wide and never used twice by one queue.
 *
 * A task's life:
 *
 *            dispatch_any()          in interrupt
 *   (caller) --------------> in flight --------+
 *       |                                      v      a thread         returned
 *       +--------- dispatch(), dispatch_ent() -> pending -------> running -----> done
 *                                                  |
 *                                                  +-- xtaskq_cancel_ent() -> cancelled
 *
 * Who may call what from where:
 *
 *                          task  softirq  hardirq  IRQs   under      NMI    sleeps
 *                                                  off    rq->lock
 *   xtaskq_dispatch        yes   no       no       no     no         no     yes
 *   - with NOSLEEP         yes   yes      yes      yes    no         no     no
 *   xtaskq_dispatch_ent    yes   yes      yes      yes    no         no     no
 *   xtaskq_dispatch_any    yes   yes      yes      yes    yes        yes    no
 *   xtaskq_cancel_ent      yes   yes      yes      yes    no         no     no
 *   xtaskq_member          yes   yes      yes      yes    yes        yes    no
 *   xtaskq_wait*           yes   error    error    error  error      error  yes
 *   xtaskq_create          yes   no       no       no     no         no     yes
 *   xtaskq_destroy         yes   error    error    error  error      error  yes
 *
 * "under rq->lock" stands for every context that may hold a lock of the
 * scheduler (rq->lock, p->pi_lock), which a probe or a tracepoint handler cannot
 * rule out.  "error" is -EWOULDBLOCK at once; the kernel log says so, except where
 * interrupts are off and it might not be possible to.  The table is the same on
 * PREEMPT_RT, except that memory cannot be had there with interrupts or preemption
 * off: see xtaskq_dispatch().  Without CONFIG_PREEMPT_COUNT a held
 * spinlock cannot be seen, and sleeping under one is then the caller's bug.
 *
 * Functions run in task context, with nothing held, and may sleep.
 */
#ifndef _XSYNC_TASKQ_H
#define _XSYNC_TASKQ_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>

struct task_struct;
struct xtaskq;

typedef void (*xtaskq_func_t)(void *arg);

/* Names one dispatch on one queue, for good; 0: there was no dispatch. */
typedef u64 xtaskqid_t;

/* Flags of xtaskq_create() */
#define XTASKQ_PREPOPULATE	BIT(0)	/* allocate minalloc entries now */
#define XTASKQ_DEDICATED	BIT(1)	/* threads of its own, no workqueue */
#define XTASKQ_DYNAMIC		BIT(2)	/* create those threads on demand */

/* Priorities of a queue's threads */
#define XTASKQ_PRI_NORMAL	0	/* nice 0 */
#define XTASKQ_PRI_HIGH		1	/* nice -20 */

/* Flags of a dispatch */
#define XTASKQ_SLEEP		0U	/* may wait for memory */
#define XTASKQ_NOSLEEP		BIT(0)	/* fails instead */
#define XTASKQ_FRONT		BIT(1)	/* before everything that is pending */

/**
 * struct xtaskq_ent - one task, in memory of the caller's
 *
 * Embed it in the object that the task is about; then a dispatch allocates
 * nothing and cannot fail for want of memory.  Every field is private.
 *
 *   idle --dispatch--> in flight or pending --before func is called--> idle
 *
 * A queue does not touch an entry after it has become idle, so the function may
 * free it, dispatch it again, or dispatch it to another queue.
 */
struct xtaskq_ent {
	/* private: the list it is on; lock: the queue's, none while in flight */
	union {
		struct list_head link;
		struct llist_node handed;
	};
	struct hlist_node by_id;
	xtaskq_func_t func;
	void *arg;
	struct xtaskq *tq;
	xtaskqid_t id;
	unsigned int flags;
	int busy;		/* not idle; by xchg, since two queues may race */
};

/**
 * xtaskq_init_ent - make an entry idle
 * @ent: the entry; must not be in flight or pending
 *
 * Once is enough for the life of an entry.
 *
 * Context: Any.
 */
static inline void xtaskq_init_ent(struct xtaskq_ent *ent)
{
	ent->busy = 0;
}

/**
 * xtaskq_create - create a queue
 * @name: for messages, debugfs, lockdep and the names of its threads; is copied
 * @nthreads: how many functions run at a time, exactly; 1: in order, one after
 *	      the other
 * @pri: XTASKQ_PRI_NORMAL or XTASKQ_PRI_HIGH
 * @minalloc: how many entries xtaskq_dispatch() keeps for itself once they exist
 * @maxalloc: how many there may be before it throttles or fails; 0: any number
 * @flags: XTASKQ_PREPOPULATE: allocate minalloc entries now.
 *	   XTASKQ_DEDICATED: kthreads of the queue's own instead of a workqueue's;
 *	   they are woken faster.  XTASKQ_DYNAMIC, only with it: create the
 *	   threads when they are needed, nthreads at most, and stop idle ones after
 *	   a while
 *
 * As taskq_create(9F); the entries of xtaskq_dispatch_ent() and
 * xtaskq_dispatch_any() do not count.  Not promised: a thread for memory reclaim.
 * A workqueue has none left when no memory can be had for one.
 *
 * Context: Task context, may sleep.
 * Return: the queue, or ERR_PTR(): -ENOMEM; -EINVAL for arguments that make no
 *	   sense and for more threads than a workqueue can run.
 */
struct xtaskq *xtaskq_create(const char *name, int nthreads, int pri,
			     int minalloc, int maxalloc, unsigned int flags);

/**
 * xtaskq_destroy - run what is left in a queue, and free it
 * @tq: the queue
 *
 * As taskq_destroy(9F).  Every task that was dispatched is run or was cancelled
 * when this returns.  A dispatch that comes while it is in progress, from a
 * function of the queue too, fails.  @tq must not be used after it has returned.
 *
 * A caller that dispatches in a preemptible context can be preempted before
 * xtaskq_dispatch() looks at the queue: what keeps @tq from being destroyed
 * completely at that point is for the caller to provide, e.g. rcu_read_lock()
 * around reading the pointer and using it.
 *
 * Context: Task context, may sleep.
 * Return: 0; -EDEADLK from a function of @tq; -EALREADY if somebody else is
 *	   destroying it; -EWOULDBLOCK in atomic context.
 */
int xtaskq_destroy(struct xtaskq *tq);

/**
 * xtaskq_dispatch - run a function on a queue
 * @tq: the queue
 * @func: the function
 * @arg: its argument
 * @flags: XTASKQ_SLEEP or XTASKQ_NOSLEEP; and XTASKQ_FRONT, see
 *	   xtaskq_dispatch_ent()
 *
 * As taskq_dispatch(9F).  The entry comes from the queue's spare ones or from
 * the slab.  When maxalloc entries exist, XTASKQ_NOSLEEP fails; XTASKQ_SLEEP
 * waits up to a second for one to become free and is given one then in any case.
 *
 * On PREEMPT_RT with interrupts or preemption off there is no way to the slab:
 * only spare entries are given there (see minalloc and XTASKQ_PREPOPULATE of
 * xtaskq_create()).
 *
 * Context: With XTASKQ_SLEEP task context, may sleep; with XTASKQ_NOSLEEP as
 * xtaskq_dispatch_ent().
 * Return: the id of this dispatch; 0 if there was no entry, or if the queue is
 *	   being destroyed.
 */
xtaskqid_t xtaskq_dispatch(struct xtaskq *tq, xtaskq_func_t func, void *arg,
			   unsigned int flags);

/**
 * xtaskq_dispatch_ent - run a function on a queue, entry of the caller's
 * @tq: the queue
 * @func: the function
 * @arg: its argument
 * @flags: XTASKQ_FRONT, or 0.  The other flags say nothing here
 * @ent: an idle entry that xtaskq_init_ent() was called on
 *
 * Allocates nothing.  @ent is idle again before @func is called, so @func may
 * free it or dispatch it again, here or elsewhere.
 *
 * XTASKQ_FRONT puts the task before all that is pending: among several the last
 * one dispatched runs first.
 *
 * illumos has taskq_dispatch_ent() return nothing; here it can meet
 * xtaskq_destroy() and fails then.  The caller makes sure that @tq is not used
 * after xtaskq_destroy() has returned.
 *
 * Context: Any but NMI, and not under scheduler locks.  Does not sleep.
 * Return: the id of this dispatch; 0 if the queue is being destroyed, or if
 *	   @ent is not idle, and then nothing was done.
 */
xtaskqid_t xtaskq_dispatch_ent(struct xtaskq *tq, xtaskq_func_t func, void *arg,
			       unsigned int flags, struct xtaskq_ent *ent);

/**
 * xtaskq_dispatch_any - run a function on a queue, asked for in any context
 * @tq: the queue
 * @ent: an idle entry that xtaskq_init_ent() was called on
 * @func: the function
 * @arg: its argument
 *
 * As xtaskq_dispatch_ent(), but the entry becomes pending a little later, from
 * an interrupt of this CPU.  Dispatches of one CPU keep their order among each
 * other; there is none between these and direct dispatches.
 *
 * Context: Any, including NMI and under scheduler locks.
 * Return: as xtaskq_dispatch_ent().
 */
xtaskqid_t xtaskq_dispatch_any(struct xtaskq *tq, struct xtaskq_ent *ent,
			       xtaskq_func_t func, void *arg);

/**
 * xtaskq_cancel_ent - take back a task before a thread has it
 * @tq: the queue that it was dispatched to
 * @ent: the caller's entry of that dispatch
 *
 * The caller makes sure that @ent is there, and that it is not being dispatched
 * to another queue meanwhile.  An entry that xtaskq_dispatch_any() has handed on
 * cannot be taken back before it is pending.
 *
 * Context: Any but NMI, and not under scheduler locks.  Does not sleep.
 * Return: true if its function will not be called for that dispatch; @ent is
 *	   idle.  false if it was not pending here: it is in flight, it runs, it
 *	   ran, or there was no dispatch.
 */
bool xtaskq_cancel_ent(struct xtaskq *tq, struct xtaskq_ent *ent);

/**
 * xtaskq_wait - wait until a queue is empty and idle
 * @tq: the queue
 *
 * As taskq_wait(9F): there is a moment during the call at which nothing is
 * pending, in flight or running.  Tasks that others, or the queue's own
 * functions, dispatch meanwhile are waited for too, so it need not come to an end
 * while they go on.
 *
 * Context: Task context, may sleep.
 * Return: 0; -EDEADLK from a function of @tq; -EWOULDBLOCK in atomic context.
 */
int xtaskq_wait(struct xtaskq *tq);

/**
 * xtaskq_wait_killable - xtaskq_wait() that a fatal signal ends
 * @tq: the queue
 *
 * Context: Task context, may sleep.
 * Return: as xtaskq_wait(), or -EINTR.
 */
int __must_check xtaskq_wait_killable(struct xtaskq *tq);

/**
 * xtaskq_wait_timeout - xtaskq_wait() that gives up after a time
 * @tq: the queue
 * @ns: the time in nanoseconds; it is rounded up to ticks
 *
 * Context: Task context, may sleep.
 * Return: as xtaskq_wait(), or -ETIMEDOUT.
 */
int __must_check xtaskq_wait_timeout(struct xtaskq *tq, u64 ns);

/**
 * xtaskq_wait_id - wait until one dispatch is done
 * @tq: the queue
 * @id: what a dispatch on @tq returned
 *
 * As OpenZFS's taskq_wait_id().  What was dispatched before or after @id is not
 * waited for.  An id that was never given counts as done.
 *
 * Context: Task context, may sleep.
 * Return: 0: the function has returned, or the task was cancelled; -EDEADLK from
 *	   a function of @tq; -EWOULDBLOCK in atomic context.
 */
int xtaskq_wait_id(struct xtaskq *tq, xtaskqid_t id);

/**
 * xtaskq_member - does a task run functions of this queue right now?
 * @tq: the queue
 * @task: the task, usually current
 *
 * As taskq_member(9F).  For another task than current the answer may be out of
 * date when it is given.
 *
 * Context: Any.
 * Return: true if @task is in a function of @tq, or between two of them.
 */
bool xtaskq_member(struct xtaskq *tq, struct task_struct *task);

#endif /* _XSYNC_TASKQ_H */
