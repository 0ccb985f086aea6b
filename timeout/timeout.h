/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * timeout - functions called in a thread after a time, and cancelled exactly.
 *
 * Two forms.  xtimeout() and xuntimeout() are timeout(9F) and untimeout(9F): a
 * 64-bit id names one call.  A callout is the same thing in memory of the
 * caller's: no allocation, and it can be armed again under the same identity.
 *
 * The life of one arming:
 *
 *             time has come         a thread takes it       returns
 *   ARMED ---------------> FIRED ------------------> RUNNING ------> DONE
 *     |                      |
 *     +------ cancelled -----+----> DONE, the function is never called
 *
 * ARMED to FIRED happens in a hard interrupt, the function runs in task context
 * and may sleep, take mutexes, arm and cancel.
 *
 * What is promised:
 *  - never early: the clock (CLOCK_MONOTONIC) shows at least the asked time more
 *    than it did when the arming call was entered;
 *  - exactly one of "ran" and "cancelled" is true of each arming;
 *  - a function that sleeps delays no other, and functions that wait for one
 *    another do not starve, up to XTIMEOUT_THREADS of them at once (parameter
 *    max_threads of xsync_timeout).  Beyond that they run in the order in which
 *    they fired, as threads become free, and the kernel log says who is in the way;
 *  - a callout's function never runs twice at the same time;
 *  - ids are never 0 or 1 and never used twice.
 *
 * What is not promised: to be on time, on which CPU a function runs, or the order
 * of two functions that are due at the same time.
 *
 * What a cancelling call finds, and returns:
 *
 *                        ARMED      FIRED      RUNNING       DONE, or    from the
 *                                                            unknown id  function
 *   xuntimeout           ticks left 0          waits, -1     -1          -1 at once
 *   xuntimeout_nowait    ticks left 0          -EBUSY        -1          -EBUSY
 *   xcallout_stop        1          1          -EBUSY        0           -EBUSY
 *   xcallout_stop_sync   1          1          waits, 0      0           -EDEADLK
 *
 * FIRED turns into RUNNING when a thread has taken the entry, which is before the
 * function's first instruction.  A callout that is armed again from its function
 * is RUNNING and ARMED; both stops then cancel the arming, and _sync returns 1
 * after the wait.
 *
 * Who may call what from where:
 *
 *                          task  softirq  hardirq  IRQs   under      NMI    sleeps
 *                                                  off    rq->lock
 *   xtimeout               yes   yes      yes      yes    no         error  no
 *   xcallout_arm_ns        yes   yes      yes      yes    no         error  no
 *   xuntimeout_nowait      yes   yes      yes      yes    no         error  no
 *   xcallout_stop          yes   yes      yes      yes    no         error  no
 *   xuntimeout             yes   error    error    error  no         error  yes
 *   xcallout_stop_sync     yes   error    error    error  no         error  yes
 *   xtimeout_drain         yes   error    error    error  no         error  yes
 *   xcallout_init          yes   yes      yes      yes    yes        yes    no
 *
 * "under rq->lock" stands for every context that may hold a lock of the scheduler;
 * go through xtaskq_dispatch_any() or xsync_handoff() there.  "error" is 0 for
 * xtimeout() and -EWOULDBLOCK for the rest: nothing was done.  The calls that may
 * sleep say so in the kernel log, unless interrupts are off.  The table is the same
 * on PREEMPT_RT.
 *
 * xtimeout() with interrupts off, and on PREEMPT_RT with preemption off too, takes
 * its memory from XTIMEOUT_RESERVE spare pieces, which a thread makes up for; when
 * they are used up it may return 0.  A callout needs no memory.
 */
#ifndef _XSYNC_TIMEOUT_H
#define _XSYNC_TIMEOUT_H

#include <linux/list.h>
#include <linux/module.h>
#include <linux/timerqueue.h>
#include <linux/types.h>
#include <taskq/taskq.h>

/* How many functions can be blocked at a time before one waits for another. */
#define XTIMEOUT_THREADS	256

/* How many xtimeout()s can be made with interrupts off before a thread runs. */
#define XTIMEOUT_RESERVE	256

/* Names one xtimeout(), for good; 0: there was none. */
typedef u64 xtimeout_id_t;
typedef void (*xtimeout_func_t)(void *arg);

struct xtimeout_table;

/**
 * struct xcallout - a call to be made later, in memory of the caller's
 *
 * Every field is private.  From xcallout_init() on the memory must stay until
 * xcallout_stop() or xcallout_stop_sync() has returned 0 or 1.  The function may
 * free it too, unless it has been armed again.
 */
struct xcallout {
	/* private: lock of the table that @table names, which it also protects */
	struct xtimeout_table *table;
	struct timerqueue_node node;	/* ARMED */
	struct list_head fired;		/* FIRED */
	struct list_head held;		/* while @taken */
	struct xtaskq_ent ent;
	u8 state;
	bool taken;			/* a thread has it, but has not begun */
	bool again;			/* fired while taken */
	bool ran;			/* a thread may have it still */
	/* private: set once */
	bool named;			/* the id form's, freed when done */
	u64 id;
	xtimeout_func_t func;
	void *arg;
	struct module *owner;
};

/**
 * xtimeout_owned - call a function after a number of ticks, on behalf of a module
 * @owner: whose xtimeout_drain() is to cover it; NULL: nobody's
 * @func: the function; runs in task context and may sleep
 * @arg: its argument
 * @ticks: time to wait in ticks of 1/HZ s; what is less than 1 counts as 1
 *
 * As timeout(9F), except that memory may be short: then it says so and does nothing.
 * At least @ticks whole ticks pass; one more may.
 *
 * Context: Task, softirq, hardirq; not under scheduler locks; NMI fails.  Does not
 * sleep.
 * Return: an id for xuntimeout(), or 0: no memory, the owner is draining, or NMI.
 */
xtimeout_id_t xtimeout_owned(struct module *owner, xtimeout_func_t func,
			     void *arg, long ticks);

/**
 * xtimeout - call a function after a number of ticks
 * @func: the function; runs in task context and may sleep
 * @arg: its argument
 * @ticks: time to wait in ticks of 1/HZ s; what is less than 1 counts as 1
 *
 * As timeout(9F), with the calling module as the owner: xtimeout_drain(THIS_MODULE)
 * gets rid of what it has armed.  See xtimeout_owned().
 *
 * Context: Task, softirq, hardirq; not under scheduler locks; NMI fails.  Does
 * not sleep.
 * Return: an id for xuntimeout(), or 0: no memory, the owner is draining, or NMI.
 */
static inline xtimeout_id_t xtimeout(xtimeout_func_t func, void *arg, long ticks)
{
	return xtimeout_owned(THIS_MODULE, func, arg, ticks);
}

/**
 * xuntimeout - cancel a timeout, or wait until its function has returned
 * @id: what xtimeout() returned
 *
 * As untimeout(9F).  In each case but the errors, and but from the function itself,
 * the function is not running and will not run when this returns.  Do not hold a
 * lock that the function takes.
 *
 * Context: Task context, may sleep.
 * Return: 0 or more: cancelled, so many ticks were left; -1: it had run already, had
 *	   to be waited for, or there is no such id; -1 at once also from the
 *	   function itself.  -EWOULDBLOCK: atomic context or NMI, nothing was done.
 */
long xuntimeout(xtimeout_id_t id);

/**
 * xuntimeout_nowait - cancel a timeout if its function is not running yet
 * @id: what xtimeout() returned
 *
 * As untimeout_generic() of illumos with nowait.
 *
 * Context: Task, softirq, hardirq; not under scheduler locks.  Does not sleep.
 * Return: 0 or more: cancelled, so many ticks were left; -1: it had run already, or
 *	   there is no such id; -EBUSY: it is running or about to: what it uses must
 *	   not be freed; -EWOULDBLOCK in NMI.
 */
long xuntimeout_nowait(xtimeout_id_t id);

/**
 * xcallout_init - make a callout ready for use
 * @co: the callout; must not be armed, and its function must not be running unless
 *	it is the one that calls this
 * @owner: whose xtimeout_drain() is to cover it, usually THIS_MODULE
 * @func: the function; runs in task context and may sleep
 * @arg: its argument
 *
 * Gives the callout a new identity: what ran in this memory before is somebody else.
 *
 * Context: Any.
 */
void xcallout_init(struct xcallout *co, struct module *owner,
		   xtimeout_func_t func, void *arg);

/**
 * xcallout_arm_ns - have a callout's function called after a time
 * @co: the callout, in whatever state
 * @delta_ns: the time in nanoseconds; 0: as soon as possible, never from here
 *
 * One that is armed, or has fired and is not running, is moved to the new time: the
 * function is called once.  One whose function is running will be called again,
 * not before it has returned.
 *
 * Context: Task, softirq, hardirq; not under scheduler locks.  Does not sleep.
 * Return: 0; 1 if an earlier arming was cancelled by this; -ESHUTDOWN if the owner
 *	   has called xtimeout_drain(); -EWOULDBLOCK in NMI.
 */
int xcallout_arm_ns(struct xcallout *co, u64 delta_ns);

/**
 * xcallout_stop - cancel a callout, without waiting
 * @co: the callout, in whatever state
 *
 * Context: Task, softirq, hardirq; not under scheduler locks.  Does not sleep.
 * Return: 1: the function will not be called for the arming that was cancelled, and
 *	   is not running; 0: it was not armed and is not running; -EBUSY: it is
 *	   running or about to, and @co must not be freed (an arming that was
 *	   there besides is cancelled); -EWOULDBLOCK in NMI.
 */
int xcallout_stop(struct xcallout *co);

/**
 * xcallout_stop_sync - cancel a callout, and wait for its function if it is running
 * @co: the callout, in whatever state
 *
 * When this returns 0 or 1 the callout is idle: not armed, not running.  If the
 * function arms it again meanwhile, that is cancelled.  If others do, it is theirs
 * to stop.  Do not hold a lock that the function takes.
 *
 * Context: Task context, may sleep.
 * Return: 1: an arming was cancelled; 0: none was; -EDEADLK: called by the function
 *	   itself, which is not waited for (an arming that was there is cancelled);
 *	   -EWOULDBLOCK: atomic context or NMI, nothing was done.
 */
int xcallout_stop_sync(struct xcallout *co);

/**
 * xtimeout_drain - get rid of all that a module has armed
 * @owner: the module, usually THIS_MODULE in its exit function
 *
 * From when this is entered nothing can be armed for @owner any more, until the
 * module is gone.  When it has returned 0, none of its functions is running and none
 * will be called.  Do not hold a lock that one of them takes.
 *
 * Context: Task context, may sleep.
 * Return: 0; -EDEADLK from a function of @owner; -EINVAL if @owner is NULL (code that
 *	   is built in needs no drain); -ENOMEM; -EWOULDBLOCK in atomic context.  With
 *	   an error nothing was done.
 */
int __must_check xtimeout_drain(struct module *owner);

#endif /* _XSYNC_TIMEOUT_H */
