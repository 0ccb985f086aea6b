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

struct xtaskq *xtaskq_create(const char *name, int nthreads, int pri,
			     int minalloc, int maxalloc, unsigned int flags);
int xtaskq_destroy(struct xtaskq *tq);

xtaskqid_t xtaskq_dispatch(struct xtaskq *tq, xtaskq_func_t func, void *arg,
			   unsigned int flags);
xtaskqid_t xtaskq_dispatch_ent(struct xtaskq *tq, xtaskq_func_t func, void *arg,
			       unsigned int flags, struct xtaskq_ent *ent);
xtaskqid_t xtaskq_dispatch_any(struct xtaskq *tq, struct xtaskq_ent *ent,
			       xtaskq_func_t func, void *arg);
bool xtaskq_cancel_ent(struct xtaskq *tq, struct xtaskq_ent *ent);

int xtaskq_wait(struct xtaskq *tq);
int __must_check xtaskq_wait_killable(struct xtaskq *tq);
int __must_check xtaskq_wait_timeout(struct xtaskq *tq, u64 ns);
int xtaskq_wait_id(struct xtaskq *tq, xtaskqid_t id);

bool xtaskq_member(struct xtaskq *tq, struct task_struct *task);

#endif /* _XSYNC_TASKQ_H */
