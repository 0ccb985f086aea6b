/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * timeout - functions called in a thread after a time, and cancelled exactly.
 *
 * Two forms.  xtimeout() and xuntimeout() are timeout(9F) and untimeout(9F): a
 * 64-bit id names one call.  A callout is the same thing in memory of the
 * caller's: no allocation, it can be armed again under the same identity, be
 * periodic, and have its function called with a mutex held.
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
 *  - never early: the clock shows at least the asked time more than it did when the
 *    arming call was entered, or at least the asked point in time (but see
 *    XTIMEOUT_ON_SET);
 *  - exactly one of "ran" and "cancelled" is true of each arming;
 *  - a function that sleeps delays no other but until there is a thread for it, which
 *    is some ticks if many that are due at a time all sleep; and functions that wait for
 *    one another do not starve, up to XTIMEOUT_THREADS of them at once (parameter
 *    max_threads of xsync_timeout).  Beyond that they run in the order in which
 *    they fired, as threads become free, and the kernel log names the function that
 *    is in the way after deadman_ms of xsync_taskq;
 *  - a callout's function never runs twice at the same time;
 *  - ids are never 0 or 1.  None is used twice before one CPU has given
 *    2^64 / (2 * CPUs + 1) of them, and never while its timeout is not done.
 *
 * What is not promised: to be on time, on which CPU a function runs, or the order
 * of two functions that are due at the same time.  While the system suspends no
 * function is called; CLOCK_MONOTONIC stands still in it.
 *
 * What a cancelling call finds, and returns:
 *
 *                        ARMED      FIRED      RUNNING       DONE, or    from the
 *                                                            unknown id  function
 *   xuntimeout           ticks left 0          waits, -1     -1          -1 at once
 *   xuntimeout_nowait    ticks left 0          -EBUSY        -1          -EBUSY
 *   xuntimeout_generic   as these two, with ns in place of ticks
 *   xcallout_stop        1          1          -EBUSY        0           -EBUSY
 *   xcallout_stop_sync   1          1          waits, 0      0           -EDEADLK
 *
 * FIRED turns into RUNNING when a thread has taken the entry, which is before the
 * function's first instruction.  A callout that is armed again from its function
 * is RUNNING and ARMED; both stops then cancel the arming, and _sync returns 1
 * after the wait.  Two functions that cancel each other at the same moment, or more
 * in a circle: the last one to ask is told -EDEADLK and does not wait.
 *
 * Who may call what from where:
 *
 *                          task  softirq  hardirq  IRQs   under      NMI    sleeps
 *                                                  off    rq->lock
 *   xtimeout               yes   yes      yes      yes    no         error  no
 *   xtimeout_generic       yes   yes      yes      yes    no         error  no
 *   xcallout_arm*          yes   yes      yes      yes    no         error  no
 *   xcallout_armed         yes   yes      yes      yes    no         no     no
 *   xcallout_missed        yes   yes      yes      yes    no         no     no
 *   xuntimeout_nowait      yes   yes      yes      yes    no         error  no
 *   xuntimeout_generic
 *   - with nowait          yes   yes      yes      yes    no         error  no
 *   - without              as xuntimeout
 *   xcallout_stop          yes   yes      yes      yes    no         error  no
 *   xuntimeout             yes   error    error    error  no         error  yes
 *   xcallout_stop_sync     yes   error    error    error  no         error  yes
 *   xtimeout_drain         yes   error    error    error  no         error  yes
 *   xcallout_init*         yes   yes      yes      yes    yes        yes    no
 *
 * "under rq->lock" stands for every context that may hold a lock of the scheduler;
 * go through xtaskq_dispatch_any() or xsync_handoff() there.  "error" is 0 for
 * xtimeout*() and -EWOULDBLOCK for the rest: nothing was done.  The calls that may
 * sleep say so in the kernel log, unless interrupts are off.  The table is the same
 * on PREEMPT_RT.
 *
 * xtimeout() takes its memory from spare pieces of the CPU's, XTIMEOUT_SPARES or what
 * was cancelled lately, which a thread makes up for; then from the slab, except on
 * PREEMPT_RT with interrupts or preemption off, where it returns 0 when there are
 * none left.  With XTIMEOUT_WALL they are others, of which there are none before the
 * first such call on a CPU.  A callout needs no memory.
 *
 * lockdep sees each function as a lock that is held while it runs, and that is taken by
 * xuntimeout() and xcallout_stop_sync(), and by xtimeout_drain() for each function that it
 * finds: to wait there with a mutex held that the function takes is reported before it
 * deadlocks.  All callouts of one function are one such lock.
 */
#ifndef _XSYNC_TIMEOUT_H
#define _XSYNC_TIMEOUT_H

#include <linux/bits.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/timerqueue.h>
#include <linux/types.h>
#include <taskq/taskq.h>

/* How many functions can be blocked at a time before one waits for another. */
#define XTIMEOUT_THREADS	256

/*
 * How many pieces of memory each CPU keeps for xtimeout().  A thread makes up for them
 * when there are less than half: so many calls are sure to have memory before it runs.
 */
#define XTIMEOUT_SPARES		64

/* Flags of xtimeout_generic(), xcallout_init_generic(), xcallout_arm() */
#define XTIMEOUT_ABSOLUTE	BIT(0)	/* a point in time, not a time from now */
#define XTIMEOUT_WALL		BIT(1)	/* of CLOCK_REALTIME, not CLOCK_MONOTONIC */
#define XTIMEOUT_ON_SET		BIT(2)	/* also when that clock is set */

/* Names one xtimeout(), for good; 0: there was none. */
typedef u64 xtimeout_id_t;
typedef void (*xtimeout_func_t)(void *arg);

struct mutex;
struct xtimeout_table;

/**
 * struct xcallout - a call to be made later, in memory of the caller's
 *
 * Every field is private.  From xcallout_init() on the memory must stay until
 * xcallout_stop() or xcallout_stop_sync() has returned 0 or 1; with a mutex, until
 * xcallout_stop_sync() has.  The function may free it too, unless it has been armed
 * again or is periodic.
 */
struct xcallout {
	/* private: lock of the table that @table names, which it also protects */
	struct xtimeout_table *table;
	struct timerqueue_node node;	/* ARMED; when it is due at the latest */
	ktime_t due;			/* never before */
	struct list_head link;		/* FIRED, or ARMED with XTIMEOUT_ON_SET */
	struct list_head held;		/* while @taken */
	struct xtaskq_ent ent;
	u64 period;
	u64 missed;
	u8 state;
	bool taken;			/* a thread has it, but has not begun */
	bool again;			/* fired while taken */
	bool revoked;			/* a thread has it, but is not to call */
	bool ran;			/* a thread may have it still */
	/* private: set once */
	u8 flags;
	bool named;			/* the id form's, freed when done */
	u64 id;
	xtimeout_func_t func;
	void *arg;
	struct module *owner;
	struct mutex *mutex;		/* protects what @func says */
};

/**
 * xtimeout_generic - call a function after a time, or at a point in time
 * @owner: whose xtimeout_drain() is to cover it; NULL: nobody's
 * @func: the function; runs in task context and may sleep
 * @arg: its argument
 * @when: how many ns from now, or with XTIMEOUT_ABSOLUTE when; what is past is as
 *	  soon as possible, KTIME_MAX is never
 * @slack_ns: how much later than that will do, so that calls can be put together
 * @flags: any of
 *	   XTIMEOUT_ABSOLUTE: @when is a point in time.
 *	   XTIMEOUT_WALL: the clock is CLOCK_REALTIME: when it is set forward past the
 *	   time it fires, when it is set back it waits.
 *	   XTIMEOUT_ON_SET, only with it: it fires whenever the clock is set, so that
 *	   the function can look again, as CALLOUT_FLAG_HRESTIME of illumos.
 *
 * As timeout_generic() of illumos, except that there times are rounded to a resolution.
 *
 * Context: Task, softirq, hardirq; not under scheduler locks; NMI fails.  Does not
 * sleep.
 * Return: an id for xuntimeout(), or 0: no memory, the owner is draining, flags
 *	   that make no sense, or NMI.
 */
xtimeout_id_t xtimeout_generic(struct module *owner, xtimeout_func_t func, void *arg,
			       ktime_t when, u64 slack_ns, unsigned int flags);

/**
 * xtimeout_owned - call a function after a number of ticks, on behalf of a module
 * @owner: whose xtimeout_drain() is to cover it; NULL: nobody's
 * @func: the function; runs in task context and may sleep
 * @arg: its argument
 * @ticks: time to wait in ticks of TICK_NSEC ns; what is less than 1 counts as 1
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
 * @ticks: time to wait in ticks of TICK_NSEC ns; what is less than 1 counts as 1
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
 *	   function itself.  -EDEADLK: its function waits for the one that calls this,
 *	   directly or not; -EWOULDBLOCK: atomic context or NMI; nothing was done.
 */
long xuntimeout(xtimeout_id_t id);

/**
 * xuntimeout_nowait - cancel a timeout if its function is not running yet
 * @id: what xtimeout() returned
 *
 * As untimeout_default() of illumos with nowait.
 *
 * Context: Task, softirq, hardirq; not under scheduler locks.  Does not sleep.
 * Return: 0 or more: cancelled, so many ticks were left; -1: it had run already, or
 *	   there is no such id; -EBUSY: it is running or about to: what it uses must
 *	   not be freed; -EWOULDBLOCK in NMI.
 */
long xuntimeout_nowait(xtimeout_id_t id);

/**
 * xuntimeout_generic - cancel a timeout, with its time left in ns
 * @id: what xtimeout() returned
 * @nowait: do not wait for its function
 *
 * As untimeout_generic() of illumos, and as xuntimeout_nowait() or xuntimeout(), except
 * for the unit.
 *
 * Context: With @nowait task, softirq, hardirq, not under scheduler locks, and
 * does not sleep.  Otherwise task context, may sleep.
 * Return: 0 or more: cancelled, so many ns were left; or as the other two.
 */
s64 xuntimeout_generic(xtimeout_id_t id, bool nowait);

/**
 * xcallout_init_generic - make a callout ready for use, with all there is
 * @co: the callout; must not be armed, and its function must not be running unless
 *	it is the one that calls this
 * @owner: whose xtimeout_drain() is to cover it, usually THIS_MODULE
 * @func: the function; runs in task context and may sleep
 * @arg: its argument
 * @mutex: is held while the function runs; or NULL
 * @flags: XTIMEOUT_WALL, and XTIMEOUT_ON_SET with it, see xtimeout_generic(); or 0.
 *	   With others it cannot be armed
 *
 * Gives the callout a new identity: what ran in this memory before is somebody else.
 *
 * With a mutex, as FreeBSD's callout_init_mtx(): a thread takes it before it calls the
 * function, and looks then whether the callout was stopped meanwhile.  So whoever holds
 * the mutex and has called xcallout_stop() knows that the function will not be
 * called: it returns -EBUSY only to the function itself.  The thread may still be about
 * to take the mutex, which must stay until xcallout_stop_sync(), to be called
 * without it.
 *
 * Context: Any.
 */
void xcallout_init_generic(struct xcallout *co, struct module *owner, xtimeout_func_t func,
			   void *arg, struct mutex *mutex, unsigned int flags);

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
static inline void xcallout_init(struct xcallout *co, struct module *owner,
				 xtimeout_func_t func, void *arg)
{
	xcallout_init_generic(co, owner, func, arg, NULL, 0);
}

/**
 * xcallout_arm - have a callout's function called after a time, once or again and again
 * @co: the callout, in whatever state
 * @when: how many ns from now, or with XTIMEOUT_ABSOLUTE when; what is past is as
 *	  soon as possible, never from here; KTIME_MAX is never
 * @slack_ns: how much later than that will do, so that calls can be put together
 * @period_ns: 0: once; otherwise how long after that again, and so on
 * @flags: XTIMEOUT_ABSOLUTE, by the callout's clock; or 0
 *
 * One that is armed, or has fired and is not running, is moved to the new time: the
 * function is called once.  One whose function is running will be called again,
 * not before it has returned.
 *
 * A periodic one is armed for the next of its times before its function is called; the
 * times do not drift.  Times that are past by then are left out, and counted by
 * xcallout_missed(); so is every time but the last one while the function runs.  One
 * that is called because the clock was set keeps its next time.
 *
 * Context: Task, softirq, hardirq; not under scheduler locks.  Does not sleep.
 * Return: 0; 1 if an earlier arming was cancelled by this; -ESHUTDOWN if the owner
 *	   has called xtimeout_drain(); -EINVAL for flags that make no sense, here or
 *	   of xcallout_init_generic(); -EWOULDBLOCK in NMI.
 */
int xcallout_arm(struct xcallout *co, ktime_t when, u64 slack_ns, u64 period_ns,
		 unsigned int flags);

/**
 * xcallout_arm_ns - have a callout's function called after a time
 * @co: the callout, in whatever state
 * @delta_ns: the time in nanoseconds; 0: as soon as possible, never from here
 *
 * As xcallout_arm() without slack, once.
 *
 * Context: Task, softirq, hardirq; not under scheduler locks.  Does not sleep.
 * Return: as xcallout_arm().
 */
static inline int xcallout_arm_ns(struct xcallout *co, u64 delta_ns)
{
	return xcallout_arm(co, min_t(u64, delta_ns, KTIME_MAX), 0, 0, 0);
}

/**
 * xcallout_armed - whether a callout's function will be called
 * @co: the callout
 *
 * Context: Task, softirq, hardirq; not under scheduler locks.  Does not sleep.
 * Return: true if it is ARMED, or FIRED and has not been stopped under its mutex
 *	   since; it may be otherwise already.
 */
bool xcallout_armed(struct xcallout *co);

/**
 * xcallout_missed - how many of its times a periodic callout has left out
 * @co: the callout
 *
 * Context: Task, softirq, hardirq; not under scheduler locks.  Does not sleep.
 * Return: how many, since it was last armed by xcallout_arm().
 */
u64 xcallout_missed(struct xcallout *co);

/**
 * xcallout_stop - cancel a callout, without waiting
 * @co: the callout, in whatever state
 *
 * Context: Task, softirq, hardirq; not under scheduler locks.  Does not sleep.
 * Return: 1: the function will not be called for the arming that was cancelled, and
 *	   is not running; 0: it was not armed and is not running; -EBUSY: it is
 *	   running or about to, and @co must not be freed (an arming that was
 *	   there besides is cancelled); -EWOULDBLOCK in NMI.
 *
 *	   With a mutex: after 1 or 0 @co must stay, see xcallout_init_generic(); and 1
 *	   may be two armings, one that a thread had and one made after that.
 */
int xcallout_stop(struct xcallout *co);

/**
 * xcallout_stop_sync - cancel a callout, and wait for its function if it is running
 * @co: the callout, in whatever state
 *
 * When this returns 0 or 1 the callout is idle: not armed, not running.  If the
 * function arms it again meanwhile, that is cancelled.  If others do, it is theirs
 * to stop.  Do not hold a lock that the function takes, nor the callout's mutex.
 *
 * Context: Task context, may sleep.
 * Return: 1: an arming was cancelled; 0: none was; -EDEADLK: called by the function
 *	   itself, or by one that it waits for, and not waited for (an arming that was
 *	   there is cancelled); -EWOULDBLOCK: atomic context or NMI, nothing was done.
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
 *	   these errors nothing was done.  -EDEADLK also from a function that one of
 *	   @owner's waits for: then all has been done but the wait.
 */
int __must_check xtimeout_drain(struct module *owner);

#endif /* _XSYNC_TIMEOUT_H */
