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
 *    |   |                                     v      a thread         returned
 *    |   +--- dispatch(), dispatch_ent() ---> pending -------> running -----> done
 *    |                                         ^ |
 *    +--- dispatch_delay() --> delayed --------+ |
 *                                 |     is due   |
 *                                 +--------------+-- cancel --> cancelled
 *
 * Who may call what from where:
 *
 *                          task  softirq  hardirq  IRQs   under      NMI    sleeps
 *                                                  off    rq->lock
 *   xtaskq_dispatch        yes   no       no       no     no         no     yes
 *   - with NOSLEEP         yes   yes      yes      yes    no         no     no
 *   xtaskq_dispatch_delay  as xtaskq_dispatch
 *   xtaskq_dispatch_ent    yes   yes      yes      yes    no         no     no
 *   xtaskq_dispatch_any    yes   yes      yes      yes    yes        yes    no
 *   xtaskq_wake_up         yes   yes      yes      yes    no         no     no
 *   xtaskq_cancel_ent      yes   yes      yes      yes    no         no     no
 *   xtaskq_cancel_id       yes   error    error    error  error      error  yes
 *   - _nowait              yes   yes      yes      yes    no         no     no
 *   xtaskq_member          yes   yes      yes      yes    yes        yes    no
 *   xtaskq_suspended       yes   yes      yes      yes    yes        yes    no
 *   xtaskq_empty           yes   yes      yes      yes    no         no     no
 *   xtaskq_wait*           yes   error    error    error  error      error  yes
 *   xtaskq_suspend         yes   error    error    error  error      error  yes
 *   xtaskq_resume          yes   yes      yes      yes    no         no     no
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

#include <asm/barrier.h>
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
#define XTASKQ_CPR_SAFE		BIT(3)	/* goes on while the system suspends */
#define XTASKQ_THREADS_CPU_PCT	BIT(4)	/* nthreads: percent of the CPUs online */
#define XTASKQ_FRONT_FIFO	BIT(5)	/* among FRONT tasks the first goes first */
#define XTASKQ_MEM_RECLAIM	BIT(6)	/* a thread also when there is no memory */

/* Priorities of a queue's threads */
#define XTASKQ_PRI_NORMAL	0	/* nice 0 */
#define XTASKQ_PRI_HIGH		1	/* nice -20 */

/* Flags of a dispatch */
#define XTASKQ_SLEEP		0U	/* may wait for memory */
#define XTASKQ_NOSLEEP		BIT(0)	/* fails instead */
#define XTASKQ_FRONT		BIT(1)	/* before everything that is pending */
#define XTASKQ_NOQUEUE		BIT(2)	/* a thread is idle, or it fails */
#define XTASKQ_NOALLOC		BIT(3)	/* from the spare entries, or it fails */
#define XTASKQ_NOWAKE		BIT(4)	/* no thread is woken: xtaskq_wake_up() is to come */

/* The id of a dispatch that is not done, in order of age.  Private. */
struct xtaskq_tag {
	struct list_head link;
	xtaskqid_t id;
};

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
		struct rcu_head rcu;
	};
	struct hlist_node by_id;
	xtaskq_func_t func;
	void *arg;
	struct xtaskq *tq;
	struct xtaskq_tag tag;
	u64 since;		/* when it was dispatched, or became due */
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
 * xtaskq_ent_idle - whether an entry may be dispatched
 * @ent: an entry that xtaskq_init_ent() was called on
 *
 * As taskq_empty_ent() of OpenZFS.
 *
 * Context: Any.
 * Return: true if no dispatch of it is in flight, delayed or pending.
 */
static inline bool xtaskq_ent_idle(const struct xtaskq_ent *ent)
{
	return !smp_load_acquire(&ent->busy);	/* B in dispatch.c */
}

/**
 * xtaskq_create - create a queue
 * @name: for messages, debugfs, lockdep and the names of its threads; is copied
 * @nthreads: how many functions run at a time, exactly; 1: in order, one after
 *	      the other
 * @pri: XTASKQ_PRI_NORMAL or XTASKQ_PRI_HIGH
 * @minalloc: how many entries xtaskq_dispatch() keeps for itself once they exist
 * @maxalloc: how many there may be before it throttles or fails; 0: any number
 * @flags: any of
 *	   XTASKQ_PREPOPULATE: allocate minalloc entries now.
 *	   XTASKQ_DEDICATED: kthreads of the queue's own instead of a workqueue's;
 *	   they are woken faster.
 *	   XTASKQ_DYNAMIC, only with it: create the threads when they are needed,
 *	   nthreads at most, and stop idle ones after a while.
 *	   XTASKQ_THREADS_CPU_PCT: nthreads is a percentage, 1 to 100, of the CPUs
 *	   that are online, rounded down, one thread at least; it follows CPUs that
 *	   come and go.
 *	   XTASKQ_CPR_SAFE: the queue goes on while the system suspends or
 *	   hibernates.  Others are frozen meanwhile, together with the kernel's
 *	   freezable threads and workqueues, after user tasks: nothing new begins.
 *	   Their functions and those must not wait for each other.
 *	   XTASKQ_FRONT_FIFO: XTASKQ_FRONT tasks run in the order of their dispatch,
 *	   as in OpenZFS; otherwise the last one first, as in illumos.
 *	   XTASKQ_MEM_RECLAIM, not with XTASKQ_DEDICATED, whose threads are there
 *	   anyway: one function at least can run when no memory can be had for a
 *	   thread.  Functions of such a queue must not wait for ordinary work.
 *
 * As taskq_create(9F); the entries of xtaskq_dispatch_ent() and
 * xtaskq_dispatch_any() do not count.
 *
 * Context: Task context, may sleep; not in a callback of CPU hotplug.
 * Return: the queue, or ERR_PTR(): -EINVAL for arguments that make no sense and for
 *	   too many threads; -ENOMEM, -EAGAIN; -EINTR if a thread was to be created
 *	   and the caller has been killed.
 *
 *	   Too many for a queue that is not dedicated is what a workqueue cannot be
 *	   sure to run, the kernel's WQ_UNBOUND_MAX_ACTIVE, 512 or more; from 6.9 on,
 *	   on machines that may have several memory nodes, 8.  Otherwise it is 8192.
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
 * Tasks of xtaskq_dispatch_delay() are waited for until they are due and have run;
 * cancel them if that is too long.
 *
 * Context: Task context, may sleep.
 * Return: 0; -EBUSY if it is suspended by xtaskq_suspend(), nothing was done then;
 *	   -EDEADLK from a function of @tq; -EALREADY if somebody else is
 *	   destroying it; -EWOULDBLOCK in atomic context.
 */
int xtaskq_destroy(struct xtaskq *tq);

/**
 * xtaskq_dispatch - run a function on a queue
 * @tq: the queue
 * @func: the function
 * @arg: its argument
 * @flags: XTASKQ_SLEEP or XTASKQ_NOSLEEP; XTASKQ_NOALLOC: as NOSLEEP, and only a
 *	   spare entry will do; XTASKQ_FRONT, XTASKQ_NOQUEUE and XTASKQ_NOWAKE, see
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
 * Context: With XTASKQ_SLEEP task context, may sleep; otherwise as
 * xtaskq_dispatch_ent().
 * Return: the id of this dispatch; 0 if there was no entry, if no thread was idle
 *	   for XTASKQ_NOQUEUE, or if the queue is being destroyed.
 */
xtaskqid_t xtaskq_dispatch(struct xtaskq *tq, xtaskq_func_t func, void *arg,
			   unsigned int flags);

/**
 * xtaskq_dispatch_delay - run a function on a queue after a time
 * @tq: the queue
 * @func: the function
 * @arg: its argument
 * @flags: as for xtaskq_dispatch(); XTASKQ_FRONT counts when the time is up;
 *	   XTASKQ_NOQUEUE, XTASKQ_NOALLOC and XTASKQ_NOWAKE fail
 * @ns: the time in nanoseconds, from now; the task is pending then, never before
 * @slack_ns: how much later than that will do, so that timers can be put together
 *
 * As taskq_dispatch_delay() of OpenZFS, which takes a point in time, in ticks.  The
 * entry is from the slab and counts for maxalloc.  xtaskq_wait() and
 * xtaskq_destroy() wait for such tasks; xtaskq_cancel_id() takes them back.
 *
 * Each has a timer of the kernel's; for many thousands at a time, that are mostly
 * cancelled, see timeout/timeout.h.
 *
 * Context: As xtaskq_dispatch().
 * Return: as xtaskq_dispatch().
 */
xtaskqid_t xtaskq_dispatch_delay(struct xtaskq *tq, xtaskq_func_t func, void *arg,
				 unsigned int flags, u64 ns, u64 slack_ns);

/**
 * xtaskq_dispatch_ent - run a function on a queue, entry of the caller's
 * @tq: the queue
 * @func: the function
 * @arg: its argument
 * @flags: XTASKQ_FRONT, XTASKQ_NOQUEUE, XTASKQ_NOWAKE, or 0.  The other flags say
 *	   nothing here
 * @ent: an idle entry that xtaskq_init_ent() was called on
 *
 * Allocates nothing.  @ent is idle again before @func is called, so @func may
 * free it or dispatch it again, here or elsewhere.
 *
 * XTASKQ_FRONT puts the task before all that is pending: among several the last
 * one dispatched runs first, unless the queue is XTASKQ_FRONT_FIFO.
 *
 * XTASKQ_NOQUEUE fails unless a thread is idle, which then runs the task and
 * nothing else before it.  A dynamic queue creates no thread for it, and a suspended
 * one has none that is idle.
 *
 * XTASKQ_NOWAKE is for those who dispatch with a lock held that the function is going
 * to take: a thread that is woken at once only waits for it.  The task is pending and no
 * thread has been told; xtaskq_wake_up() is to follow when the lock is free.  A thread
 * that is awake anyway may take the task before that.  With XTASKQ_NOQUEUE it says
 * nothing.
 *
 * illumos has taskq_dispatch_ent() return nothing; here it can meet
 * xtaskq_destroy() and fails then.  The caller makes sure that @tq is not used
 * after xtaskq_destroy() has returned.
 *
 * Context: Any but NMI, and not under scheduler locks.  Does not sleep.
 * Return: the id of this dispatch; 0, and nothing was done, if the queue is being
 *	   destroyed, if @ent is not idle, or if XTASKQ_NOQUEUE found no idle thread.
 */
xtaskqid_t xtaskq_dispatch_ent(struct xtaskq *tq, xtaskq_func_t func, void *arg,
			       unsigned int flags, struct xtaskq_ent *ent);

/**
 * xtaskq_wake_up - have threads take up what was dispatched with XTASKQ_NOWAKE
 * @tq: the queue
 * @n: how many tasks
 *
 * The caller makes sure that @tq is not used after xtaskq_destroy() has returned: the
 * tasks themselves, which may be done by now, do not keep it.
 *
 * Context: Any but NMI, and not under scheduler locks.  Does not sleep.
 */
void xtaskq_wake_up(struct xtaskq *tq, unsigned int n);

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
 * xtaskq_cancel_id - take back a task, or wait until it has run
 * @tq: the queue
 * @id: what a dispatch on @tq returned
 *
 * As taskq_cancel_id() of OpenZFS.  In each case but an error the function is not
 * running for that dispatch when this returns, and will not.
 *
 * Context: Task context, may sleep.
 * Return: 0: taken back; -ENOENT: it ran before, was cancelled before, or was
 *	   never given; -EBUSY: it was running, and has returned; -EDEADLK from a
 *	   function of @tq if it is running; -EWOULDBLOCK in atomic context.
 */
int xtaskq_cancel_id(struct xtaskq *tq, xtaskqid_t id);

/**
 * xtaskq_cancel_id_nowait - take back a task if that can be done at once
 * @tq: the queue
 * @id: what a dispatch on @tq returned
 *
 * Context: Any but NMI, and not under scheduler locks.  Does not sleep.
 * Return: 0: taken back; -ENOENT: it ran before, was cancelled before, or was never
 *	   given; -EBUSY: it is running, or perhaps on its way: some
 *	   xtaskq_dispatch_any() is.
 */
int xtaskq_cancel_id_nowait(struct xtaskq *tq, xtaskqid_t id);

/**
 * xtaskq_wait - wait until a queue is empty and idle
 * @tq: the queue
 *
 * As taskq_wait(9F): there is a moment during the call at which nothing is
 * pending, delayed, in flight or running.  Tasks that others, or the queue's own
 * functions, dispatch meanwhile are waited for too, so it need not come to an end
 * while they go on; nor does it while the queue is suspended and has tasks.
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
 * xtaskq_wait_outstanding - wait until all that was dispatched so far is done
 * @tq: the queue
 * @id: what a dispatch on @tq returned: wait for that one and all that were
 *	dispatched before it; 0, or one that was not given yet: for all until now
 *
 * As taskq_wait_outstanding() of OpenZFS.  What is dispatched later is not waited
 * for.
 *
 * Context: Task context, may sleep.
 * Return: as xtaskq_wait().
 */
int xtaskq_wait_outstanding(struct xtaskq *tq, xtaskqid_t id);

/**
 * xtaskq_wait_outstanding_killable - the same, which a fatal signal ends
 * @tq: the queue
 * @id: as for xtaskq_wait_outstanding()
 *
 * Context: Task context, may sleep.
 * Return: as xtaskq_wait(), or -EINTR.
 */
int __must_check xtaskq_wait_outstanding_killable(struct xtaskq *tq, xtaskqid_t id);

/**
 * xtaskq_wait_outstanding_timeout - the same, which gives up after a time
 * @tq: the queue
 * @id: as for xtaskq_wait_outstanding()
 * @ns: the time in nanoseconds; it is rounded up to ticks
 *
 * Context: Task context, may sleep.
 * Return: as xtaskq_wait(), or -ETIMEDOUT.
 */
int __must_check xtaskq_wait_outstanding_timeout(struct xtaskq *tq, xtaskqid_t id,
						 u64 ns);

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
 * xtaskq_wait_id_killable - xtaskq_wait_id() that a fatal signal ends
 * @tq: the queue
 * @id: what a dispatch on @tq returned
 *
 * Context: Task context, may sleep.
 * Return: as xtaskq_wait_id(), or -EINTR.
 */
int __must_check xtaskq_wait_id_killable(struct xtaskq *tq, xtaskqid_t id);

/**
 * xtaskq_wait_id_timeout - xtaskq_wait_id() that gives up after a time
 * @tq: the queue
 * @id: what a dispatch on @tq returned
 * @ns: the time in nanoseconds; it is rounded up to ticks
 *
 * Context: Task context, may sleep.
 * Return: as xtaskq_wait_id(), or -ETIMEDOUT.
 */
int __must_check xtaskq_wait_id_timeout(struct xtaskq *tq, xtaskqid_t id, u64 ns);

/**
 * xtaskq_suspend - have no more functions of a queue begin
 * @tq: the queue
 *
 * As taskq_suspend(9F): those that run are waited for, tasks can be dispatched and
 * stay pending.  Suspensions nest; each needs a xtaskq_resume(), from any task.
 *
 * Context: Task context, may sleep.
 * Return: 0: none runs and none will; an error, the queue not being suspended by this
 *	   call: -EDEADLK from a function of @tq, -EWOULDBLOCK in atomic context,
 *	   -ESHUTDOWN if the queue is being destroyed.
 */
int __must_check xtaskq_suspend(struct xtaskq *tq);

/**
 * xtaskq_resume - end a suspension of a queue
 * @tq: the queue
 *
 * As taskq_resume(9F).
 *
 * Context: Any but NMI, and not under scheduler locks.  Does not sleep.
 */
void xtaskq_resume(struct xtaskq *tq);

/**
 * xtaskq_suspended - whether xtaskq_suspend() was called more often than resume
 * @tq: the queue
 *
 * As taskq_suspended(9F).
 *
 * Context: Any.
 * Return: true if so; it may be otherwise already.
 */
bool xtaskq_suspended(struct xtaskq *tq);

/**
 * xtaskq_empty - whether nothing is in a queue
 * @tq: the queue
 *
 * As taskq_empty() of illumos.
 *
 * Context: Any but NMI, and not under scheduler locks.
 * Return: true if nothing is pending, delayed, in flight or running.
 */
bool xtaskq_empty(struct xtaskq *tq);

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

/**
 * xtaskq_current - the queue whose function this is
 *
 * As taskq_of_curthread() of OpenZFS.
 *
 * Context: Any; in an interrupt the answer is about none.
 * Return: the queue in a function of which, or between two of which, the current
 *	   task is; NULL if it is in none.
 */
struct xtaskq *xtaskq_current(void);

/**
 * xtaskq_name_func - say whose function it is that a queue's function calls
 * @func: it
 *
 * For layers whose queues call other people's functions: until the queue's function
 * returns, @func is what the deadman and debugfs name in its place.
 *
 * Context: In a function of a queue; otherwise nothing is done.
 */
void xtaskq_name_func(xtaskq_func_t func);

/*
 * xtaskq_system - the queue for everybody's short tasks
 *
 * As system_taskq.  Dynamic, of 64 threads at most.  Nobody destroys or suspends it,
 * and who waits for all of it waits for strangers: use xtaskq_wait_id().
 */
extern struct xtaskq *xtaskq_system;

#endif /* _XSYNC_TASKQ_H */
