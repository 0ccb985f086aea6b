/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * solaris - the names by which a port knows task queues.
 *
 * For a port's own sources; nothing of xsync uses it.  It takes the place of
 * <sys/taskq.h> of illumos and of OpenZFS, and has what <sys/sunddi.h> says of task
 * queues, as taskq(9F) and ddi_taskq(9F) describe them; each function says what
 * differs.  What <taskq/taskq.h> says of contexts holds for these names as well.
 *
 * Common to all:
 *  - Where the originals return nothing there is an error to look at, for the cases
 *    in which they hang or panic: -EDEADLK for a function that waits for its own
 *    queue, -EWOULDBLOCK where nobody may sleep.  Nothing was done then.
 *  - taskq_dispatch() and taskq_dispatch_ent() can meet taskq_destroy() and fail
 *    then, whatever their flags.
 *  - Threads are shared with others unless the queue is TASKQ_DYNAMIC.  The flags of
 *    xtaskq_create() can be used beside these, for instance XTASKQ_DEDICATED for
 *    threads that need no memory to run.
 *  - There are two priorities, XTASKQ_PRI_HIGH for all that is above defclsyspri.
 *
 * illumos and OpenZFS differ in one thing: the order of TQ_FRONT tasks among each
 * other.  It is that of illumos, the last one first, unless the queue is created with
 * TASKQ_FRONT_FIFO.
 *
 * What other headers declare there (kthread_t, proc_t, p0, dev_info_t, pri_t, uint_t,
 * boolean_t, ddi_get_lbolt()) is the port's; lbolt is jiffies here.
 */
#ifndef _XSYNC_TASKQ_SOLARIS_H
#define _XSYNC_TASKQ_SOLARIS_H

#if defined(_SPL_TASKQ_H) || defined(_SYS_TASKQ_H)
#error "This takes the place of <sys/taskq.h>: include one of them"
#endif

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/types.h>
#include <taskq/taskq.h>

typedef struct xtaskq taskq_t;
typedef struct xtaskq ddi_taskq_t;
typedef struct xtaskq_ent taskq_ent_t;
typedef xtaskqid_t taskqid_t;
typedef void (task_func_t)(void *);

#define TASKQID_INVALID		((taskqid_t)0)
#define TASKQ_NAMELEN		31	/* here names may be longer */

/* Flags of taskq_create() */
#define TASKQ_PREPOPULATE	XTASKQ_PREPOPULATE
#define TASKQ_CPR_SAFE		XTASKQ_CPR_SAFE
#define TASKQ_DYNAMIC		(XTASKQ_DEDICATED | XTASKQ_DYNAMIC)
#define TASKQ_THREADS_CPU_PCT	XTASKQ_THREADS_CPU_PCT
#define TASKQ_DC_BATCH		0U	/* there is no such scheduling class */
#define TASKQ_DUTY_CYCLE	0U
#define TASKQ_FRONT_FIFO	XTASKQ_FRONT_FIFO	/* as OpenZFS; ours */

/* Flags of taskq_dispatch() */
#define TQ_SLEEP		XTASKQ_SLEEP
#define TQ_NOSLEEP		XTASKQ_NOSLEEP
#define TQ_NOQUEUE		XTASKQ_NOQUEUE
#define TQ_NOALLOC		XTASKQ_NOALLOC
#define TQ_FRONT		XTASKQ_FRONT
#define TQ_PUSHPAGE		BIT(16)	/* may wait for memory, but starts no I/O */
#define TQ_NEW			0U	/* whence the entry is nobody can tell */

/*
 * A port may have these already, with numbers of its own: in illumos a higher one
 * comes first, in OpenZFS for Linux a lower one.
 */
#ifndef minclsyspri
#define minclsyspri		60
#endif
#ifndef maxclsyspri
#define maxclsyspri		99
#endif
#ifndef defclsyspri
#define defclsyspri		minclsyspri
#endif
#ifndef TASKQ_DEFAULTPRI
#define TASKQ_DEFAULTPRI	(-1)
#endif
#ifndef DDI_SLEEP
#define DDI_SLEEP		0
#endif
#ifndef DDI_NOSLEEP
#define DDI_NOSLEEP		1
#endif
#ifndef DDI_SUCCESS
#define DDI_SUCCESS		0
#endif
#ifndef DDI_FAILURE
#define DDI_FAILURE		(-1)
#endif

/*
 * Differs: nobody may suspend or destroy it, and who waits for all of it waits for
 * strangers.  Macros, since what they stand for is a variable.
 */
#define system_taskq		xtaskq_system
/* Differs: delayed tasks have no queue of their own, since they hold up no thread. */
#define system_delay_taskq	xtaskq_system

/* private: */
static inline int __taskq_pri(int pri)
{
	bool high = maxclsyspri > minclsyspri ? pri > defclsyspri : pri < defclsyspri;

	return high && pri != TASKQ_DEFAULTPRI ? XTASKQ_PRI_HIGH : XTASKQ_PRI_NORMAL;
}

/**
 * taskq_create - create a queue
 * @name: its name; is copied
 * @nthreads: how many functions run at a time; with TASKQ_THREADS_CPU_PCT the
 *	      percentage of the CPUs
 * @pri: from minclsyspri to maxclsyspri
 * @minalloc: how many entries the queue keeps
 * @maxalloc: how many there may be before dispatches wait or fail
 * @flags: TASKQ_*, and any of xtaskq_create()
 *
 * Differs: can fail.  INT_MAX and 0 entries are any number of them.  Percentages end at
 * 100.  More threads than the shared ones can be are threads of its own.
 *
 * Context: Task context, may sleep.
 * Return: the queue; NULL if there is no memory for it, or for arguments that make
 *	   no sense, @maxalloc less than @minalloc among them.
 */
static inline taskq_t *taskq_create(const char *name, int nthreads, int pri, int minalloc,
				    int maxalloc, unsigned int flags)
{
	struct xtaskq *tq;

	if (flags & TASKQ_THREADS_CPU_PCT)
		nthreads = clamp(nthreads, 1, 100);
	if (maxalloc == INT_MAX)
		maxalloc = 0;
	tq = xtaskq_create(name, nthreads, __taskq_pri(pri), minalloc, maxalloc, flags);
	if (tq == ERR_PTR(-EINVAL) && !(flags & (XTASKQ_DEDICATED | XTASKQ_MEM_RECLAIM)))
		tq = xtaskq_create(name, nthreads, __taskq_pri(pri), minalloc, maxalloc,
				   flags | XTASKQ_DEDICATED);
	return IS_ERR(tq) ? NULL : tq;
}

/**
 * taskq_create_instance - create one of several queues of a name
 * @name: as taskq_create()
 * @instance: its number
 * @nthreads: as taskq_create()
 * @pri: as taskq_create()
 * @minalloc: as taskq_create()
 * @maxalloc: as taskq_create()
 * @flags: as taskq_create()
 *
 * Differs: the number becomes part of the name, which is cut off at TASKQ_NAMELEN.
 *
 * Context: Task context, may sleep.
 * Return: as taskq_create().
 */
static inline taskq_t *taskq_create_instance(const char *name, int instance, int nthreads,
					     int pri, int minalloc, int maxalloc,
					     unsigned int flags)
{
	char numbered[TASKQ_NAMELEN + sizeof("_-2147483648")];

	snprintf(numbered, sizeof(numbered), "%.*s_%d", TASKQ_NAMELEN, name, instance);
	return taskq_create(numbered, nthreads, pri, minalloc, maxalloc, flags);
}

/**
 * taskq_create_proc - create a queue with threads of a process
 * @name: as taskq_create()
 * @nthreads: as taskq_create()
 * @pri: as taskq_create()
 * @minalloc: as taskq_create()
 * @maxalloc: as taskq_create()
 * @proc: the process
 * @flags: as taskq_create()
 *
 * Differs: threads are the kernel's, whatever the process.
 *
 * Context: Task context, may sleep.
 * Return: as taskq_create().
 */
static inline taskq_t *taskq_create_proc(const char *name, int nthreads, int pri,
					 int minalloc, int maxalloc, const void *proc,
					 unsigned int flags)
{
	return taskq_create(name, nthreads, pri, minalloc, maxalloc, flags);
}

/**
 * taskq_create_sysdc - create a queue with threads that leave time to others
 * @name: as taskq_create()
 * @nthreads: as taskq_create()
 * @minalloc: as taskq_create()
 * @maxalloc: as taskq_create()
 * @proc: as taskq_create_proc()
 * @dc: how much of a CPU's time each may take
 * @flags: as taskq_create()
 *
 * Differs: they share the CPUs as everybody does, at normal priority.
 *
 * Context: Task context, may sleep.
 * Return: as taskq_create().
 */
static inline taskq_t *taskq_create_sysdc(const char *name, int nthreads, int minalloc,
					  int maxalloc, const void *proc, unsigned int dc,
					  unsigned int flags)
{
	return taskq_create(name, nthreads, defclsyspri, minalloc, maxalloc, flags);
}

/* private: the threads of a queue, asked for by one task in each of them. */
struct __taskq_roll {
	struct completion all_here;
	atomic_t missing;
};

/* private: */
struct __taskq_name {
	struct xtaskq_ent ent;
	struct __taskq_roll *roll;
	struct task_struct **thread;
};

/* private: none returns before all are here, so no thread gets two. */
static inline void __taskq_answer(void *arg)
{
	struct __taskq_name *name = arg;
	struct __taskq_roll *roll = name->roll;

	*name->thread = current;
	if (atomic_dec_and_test(&roll->missing))
		complete_all(&roll->all_here);
	wait_for_completion(&roll->all_here);
}

/* private: @threads and @names: as many as the queue has threads. */
static inline void __taskq_call_roll(struct xtaskq *tq, struct task_struct **threads,
				     struct __taskq_name *names, int nthreads)
{
	struct __taskq_roll roll = { .missing = ATOMIC_INIT(nthreads) };
	int i;

	init_completion(&roll.all_here);
	for (i = 0; i < nthreads; i++) {
		names[i].roll = &roll;
		names[i].thread = &threads[i];
		xtaskq_init_ent(&names[i].ent);
		xtaskq_dispatch_ent(tq, __taskq_answer, &names[i], 0, &names[i].ent);
	}
	xtaskq_wait(tq);
}

/**
 * taskq_create_synced - create a queue, and tell its threads
 * @name: as taskq_create()
 * @nthreads: as taskq_create()
 * @pri: as taskq_create()
 * @minalloc: as taskq_create()
 * @maxalloc: as taskq_create()
 * @flags: as taskq_create(); TASKQ_DYNAMIC and TASKQ_THREADS_CPU_PCT say nothing
 * @threads: where to put an array of them, @nthreads long, in no order; to be freed
 *	     with kfree()
 *
 * Differs: threads are the queue's own.
 *
 * Context: Task context, may sleep.
 * Return: as taskq_create(); @threads was not touched if that is NULL.
 */
static inline taskq_t *taskq_create_synced(const char *name, int nthreads, int pri,
					   int minalloc, int maxalloc, unsigned int flags,
					   struct task_struct ***threads)
{
	struct task_struct **array = kcalloc(max(nthreads, 1), sizeof(*array), GFP_KERNEL);
	struct __taskq_name *names = kcalloc(max(nthreads, 1), sizeof(*names), GFP_KERNEL);
	taskq_t *tq = NULL;

	flags &= ~(TASKQ_DYNAMIC | TASKQ_THREADS_CPU_PCT);
	if (array && names)
		tq = taskq_create(name, nthreads, pri, minalloc, maxalloc,
				  flags | XTASKQ_DEDICATED);
	if (tq) {
		__taskq_call_roll(tq, array, names, nthreads);
		*threads = array;
	} else {
		kfree(array);
	}
	kfree(names);
	return tq;
}

/**
 * taskq_destroy - run what is left in a queue, and free it
 * @tq: the queue
 *
 * Differs: does not destroy a queue that is suspended.
 *
 * Context: Task context, may sleep.
 * Return: 0; -EBUSY if it is suspended; or as xtaskq_destroy().  With an error it is
 *	   still there.
 */
static inline int taskq_destroy(taskq_t *tq)
{
	return xtaskq_destroy(tq);
}

/* private: */
static inline bool __taskq_no_io(unsigned int flags)
{
	return (flags & TQ_PUSHPAGE) && !(flags & (TQ_NOSLEEP | TQ_NOALLOC));
}

/**
 * taskq_dispatch - run a function on a queue
 * @tq: the queue
 * @func: the function
 * @arg: its argument
 * @flags: TQ_*
 *
 * Differs: fails with TQ_SLEEP too if there is no memory; TQ_NOQUEUE has a dynamic
 * queue create no thread.
 *
 * Context: With TQ_SLEEP task context, may sleep; otherwise any but NMI, and not under
 *	    scheduler locks.
 * Return: the id of this dispatch, or TASKQID_INVALID.
 */
static inline taskqid_t taskq_dispatch(taskq_t *tq, task_func_t func, void *arg,
				       unsigned int flags)
{
	unsigned int scope;
	taskqid_t id;

	if (!__taskq_no_io(flags))
		return xtaskq_dispatch(tq, func, arg, flags & ~TQ_PUSHPAGE);
	scope = memalloc_noio_save();
	id = xtaskq_dispatch(tq, func, arg, flags & ~TQ_PUSHPAGE);
	memalloc_noio_restore(scope);
	return id;
}

/* private: nanoseconds until jiffies is @lbolt; 0 if it is past. */
static inline u64 __taskq_ns_until(clock_t lbolt)
{
	long ticks = (unsigned long)lbolt - jiffies;

	return clamp_t(s64, ticks, 0, S64_MAX / TICK_NSEC) * TICK_NSEC;
}

/**
 * taskq_dispatch_delay - run a function on a queue at a time
 * @tq: the queue
 * @func: the function
 * @arg: its argument
 * @flags: as taskq_dispatch(); TQ_NOQUEUE and TQ_NOALLOC fail
 * @expire_time: the time, as ddi_get_lbolt() gives it; one that is past is now
 *
 * Differs: goes by the clock, in a resolution of ticks; jiffies may be one behind when
 * @func is called.
 *
 * Context: As taskq_dispatch().
 * Return: as taskq_dispatch().
 */
static inline taskqid_t taskq_dispatch_delay(taskq_t *tq, task_func_t func, void *arg,
					     unsigned int flags, clock_t expire_time)
{
	u64 ns = __taskq_ns_until(expire_time);
	unsigned int scope;
	taskqid_t id;

	if (!__taskq_no_io(flags))
		return xtaskq_dispatch_delay(tq, func, arg, flags & ~TQ_PUSHPAGE, ns,
					     TICK_NSEC);
	scope = memalloc_noio_save();
	id = xtaskq_dispatch_delay(tq, func, arg, flags & ~TQ_PUSHPAGE, ns, TICK_NSEC);
	memalloc_noio_restore(scope);
	return id;
}

/**
 * taskq_dispatch_ent - run a function on a queue, entry of the caller's
 * @tq: the queue
 * @func: the function
 * @arg: its argument
 * @flags: TQ_FRONT or 0
 * @ent: an entry that is zeroed, or that taskq_init_ent() was called on, and idle
 *
 * Differs: can fail, and returns the id, where the originals return nothing.
 *
 * Context: Any but NMI, and not under scheduler locks.  Does not sleep.
 * Return: the id of this dispatch; TASKQID_INVALID, and nothing was done, if the queue
 *	   is being destroyed or @ent is not idle.
 */
static inline taskqid_t taskq_dispatch_ent(taskq_t *tq, task_func_t func, void *arg,
					   unsigned int flags, taskq_ent_t *ent)
{
	return xtaskq_dispatch_ent(tq, func, arg, flags, ent);
}

/**
 * taskq_init_ent - make an entry idle
 * @ent: the entry; must not be pending
 *
 * Differs: in nothing.
 *
 * Context: Any.
 */
static inline void taskq_init_ent(taskq_ent_t *ent)
{
	xtaskq_init_ent(ent);
}

/**
 * taskq_empty_ent - whether an entry may be dispatched
 * @ent: the entry
 *
 * Differs: in nothing.
 *
 * Context: Any.
 * Return: 1 if it is not pending; else 0.
 */
static inline int taskq_empty_ent(taskq_ent_t *ent)
{
	return xtaskq_ent_idle(ent);
}

/**
 * taskq_wait - wait until a queue is empty and idle
 * @tq: the queue
 *
 * Differs: in what it returns.
 *
 * Context: Task context, may sleep.
 * Return: 0; -EDEADLK; -EWOULDBLOCK.
 */
static inline int taskq_wait(taskq_t *tq)
{
	return xtaskq_wait(tq);
}

/**
 * taskq_wait_id - wait until one dispatch is done
 * @tq: the queue
 * @id: the dispatch
 *
 * Differs: an id that was never given counts as done.
 *
 * Context: Task context, may sleep.
 * Return: as taskq_wait().
 */
static inline int taskq_wait_id(taskq_t *tq, taskqid_t id)
{
	return xtaskq_wait_id(tq, id);
}

/**
 * taskq_wait_outstanding - wait for one dispatch and all before it
 * @tq: the queue
 * @id: the dispatch; 0: the last one until now
 *
 * Differs: in what it returns.
 *
 * Context: Task context, may sleep.
 * Return: as taskq_wait().
 */
static inline int taskq_wait_outstanding(taskq_t *tq, taskqid_t id)
{
	return xtaskq_wait_outstanding(tq, id);
}

/**
 * taskq_cancel_id - take back a task, or wait until it has run
 * @tq: the queue
 * @id: the dispatch
 *
 * Differs: tells a function that asks for its own dispatch; for an OpenZFS that can be
 * told not to wait there is xtaskq_cancel_id_nowait().
 *
 * Context: Task context, may sleep.
 * Return: 0: taken back; ENOENT: it ran before, or there is none; EBUSY: it was
 *	   running, and has returned; EDEADLK; EWOULDBLOCK.
 */
static inline int taskq_cancel_id(taskq_t *tq, taskqid_t id)
{
	return -xtaskq_cancel_id(tq, id);
}

/**
 * taskq_member - does a thread run functions of this queue right now?
 * @tq: the queue
 * @thread: the thread
 *
 * Differs: a thread that is idle is not one of any queue, since it may be shared.
 *
 * Context: Any.
 * Return: 1 if it does, else 0.
 */
static inline int taskq_member(taskq_t *tq, struct task_struct *thread)
{
	return xtaskq_member(tq, thread);
}

/**
 * taskq_of_curthread - the queue whose function this is
 *
 * Differs: in nothing.
 *
 * Context: Any.
 * Return: the queue, or NULL.
 */
static inline taskq_t *taskq_of_curthread(void)
{
	return xtaskq_current();
}

/**
 * taskq_suspend - have no more functions of a queue begin
 * @tq: the queue
 *
 * Differs: nests, in dynamic queues too.
 *
 * Context: Task context, may sleep.
 * Return: 0: none runs; or as xtaskq_suspend(), the queue not being suspended then.
 */
static inline int taskq_suspend(taskq_t *tq)
{
	return xtaskq_suspend(tq);
}

/**
 * taskq_suspended - whether a queue is suspended
 * @tq: the queue
 *
 * Differs: in nothing.
 *
 * Context: Any.
 * Return: 1 if so, else 0.
 */
static inline int taskq_suspended(taskq_t *tq)
{
	return xtaskq_suspended(tq);
}

/**
 * taskq_resume - end a suspension of a queue
 * @tq: the queue
 *
 * Differs: may be called by another thread than the one that suspended it.
 *
 * Context: Any but NMI, and not under scheduler locks.  Does not sleep.
 */
static inline void taskq_resume(taskq_t *tq)
{
	xtaskq_resume(tq);
}

/**
 * taskq_empty - whether nothing is in a queue
 * @tq: the queue
 *
 * Differs: in nothing.
 *
 * Context: Any but NMI, and not under scheduler locks.
 * Return: 1 if nothing is pending or running, else 0.
 */
static inline int taskq_empty(taskq_t *tq)
{
	return xtaskq_empty(tq);
}

/**
 * nulltask - a function that does nothing
 * @unused: anything
 *
 * Differs: in nothing.
 *
 * Context: Any.
 */
static inline void nulltask(void *unused)
{
}

/**
 * ddi_taskq_create - create a queue for a driver
 * @dip: the device, or NULL
 * @name: the queue's name; is copied
 * @nthreads: how many functions run at a time
 * @pri: TASKQ_DEFAULTPRI, or as taskq_create()
 * @flags: 0, or as taskq_create()
 *
 * Differs: the device does not become part of the name.
 *
 * Context: Task context, may sleep.
 * Return: the queue, or NULL.
 */
static inline ddi_taskq_t *ddi_taskq_create(const void *dip, const char *name, int nthreads,
					    int pri, unsigned int flags)
{
	return taskq_create(name, nthreads, pri, nthreads, INT_MAX, flags | TASKQ_PREPOPULATE);
}

/**
 * ddi_taskq_destroy - run what is left in a queue, and free it
 * @tq: the queue
 *
 * Differs: as taskq_destroy().
 *
 * Context: Task context, may sleep.
 * Return: as taskq_destroy().
 */
static inline int ddi_taskq_destroy(ddi_taskq_t *tq)
{
	return taskq_destroy(tq);
}

/**
 * ddi_taskq_dispatch - run a function on a queue
 * @tq: the queue
 * @func: the function
 * @arg: its argument
 * @flags: DDI_SLEEP or DDI_NOSLEEP
 *
 * Differs: fails with DDI_SLEEP too, if the queue is being destroyed or there is no
 * memory.
 *
 * Context: With DDI_SLEEP task context, may sleep; otherwise any but NMI, and not under
 *	    scheduler locks.
 * Return: DDI_SUCCESS or DDI_FAILURE.
 */
static inline int ddi_taskq_dispatch(ddi_taskq_t *tq, void (*func)(void *arg), void *arg,
				     unsigned int flags)
{
	unsigned int sleep = flags == DDI_SLEEP ? TQ_SLEEP : TQ_NOSLEEP;

	return taskq_dispatch(tq, func, arg, sleep) ? DDI_SUCCESS : DDI_FAILURE;
}

/**
 * ddi_taskq_wait - wait until a queue is empty and idle
 * @tq: the queue
 *
 * Differs: as taskq_wait().
 *
 * Context: Task context, may sleep.
 * Return: as taskq_wait().
 */
static inline int ddi_taskq_wait(ddi_taskq_t *tq)
{
	return taskq_wait(tq);
}

/**
 * ddi_taskq_suspend - have no more functions of a queue begin
 * @tq: the queue
 *
 * Differs: as taskq_suspend().
 *
 * Context: Task context, may sleep.
 * Return: as taskq_suspend().
 */
static inline int ddi_taskq_suspend(ddi_taskq_t *tq)
{
	return taskq_suspend(tq);
}

/**
 * ddi_taskq_suspended - whether a queue is suspended
 * @tq: the queue
 *
 * Differs: in nothing.
 *
 * Context: Any.
 * Return: true if so.
 */
static inline bool ddi_taskq_suspended(ddi_taskq_t *tq)
{
	return taskq_suspended(tq);
}

/**
 * ddi_taskq_resume - end a suspension of a queue
 * @tq: the queue
 *
 * Differs: as taskq_resume().
 *
 * Context: Any but NMI, and not under scheduler locks.  Does not sleep.
 */
static inline void ddi_taskq_resume(ddi_taskq_t *tq)
{
	taskq_resume(tq);
}

#endif /* _XSYNC_TASKQ_SOLARIS_H */
