/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * solaris - the names by which a port knows timeouts.
 *
 * For a port's own sources; nothing of xsync uses it.  It takes the place of
 * <sys/callo.h> of illumos, and has what <sys/systm.h> and <sys/ddi.h> say of timeouts,
 * as timeout(9F), untimeout(9F), drv_usectohz(9F) and drv_hztousec(9F) describe them;
 * each function says what differs.  What <timeout/timeout.h> says of contexts holds for
 * these names as well.
 *
 * Common to all:
 *  - Where there is no memory, the originals wait for it or panic.  Here the id is 0
 *    then, and nothing will be called.
 *  - The calling module is the owner: xtimeout_drain(THIS_MODULE) in its exit function
 *    gets rid of what was forgotten.  From then on the id is 0, too.
 *  - Functions run in threads, whatever the type, and may sleep.
 *  - Never early: the originals may call after less than a tick what was to wait for one.
 *  - To cancel says -1 for two things that are not the same.  Usually that there is
 *    nothing to cancel and the function does not run; but also that it runs and was not
 *    waited for: where the caller asked for that, where nobody may wait, from the
 *    function itself, and from one that it waits for.  Whoever calls from there must not
 *    free what the function uses.  xuntimeout_nowait() and xuntimeout() tell the two
 *    apart; an id is the same to them.
 *
 * Times are those of CLOCK_MONOTONIC: gethrtime(), which is the port's, has to be
 * ktime_get_ns().  Ticks are 1/HZ s, a port's hz is HZ.
 */
#ifndef _XSYNC_TIMEOUT_SOLARIS_H
#define _XSYNC_TIMEOUT_SOLARIS_H

#if defined(_SYS_CALLO_H) || defined(_SPL_CALLO_H)
#error "This takes the place of <sys/callo.h>: include one of them"
#endif

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <linux/types.h>
#include <timeout/timeout.h>

/* A port may have these already, as the same types. */
typedef long long hrtime_t;
typedef void *timeout_id_t;
typedef xtimeout_id_t callout_id_t;

/* Types of timeout_generic(): no difference here */
#define CALLOUT_REALTIME	0
#define CALLOUT_NORMAL		1

/* Flags of timeout_generic() */
#define CALLOUT_FLAG_ROUNDUP	BIT(0)
#define CALLOUT_FLAG_ABSOLUTE	BIT(1)
#define CALLOUT_FLAG_HRESTIME	BIT(2)
#define CALLOUT_FLAG_32BIT	BIT(3)	/* there is no such id: fails */
#define CALLOUT_LEGACY		0

/**
 * timeout_default - call a function after a number of ticks
 * @func: the function
 * @arg: its argument
 * @delta: the ticks; what is less than 1 counts as 1
 *
 * Differs: can fail; one tick more may pass, none less.
 *
 * Context: Task, softirq, hardirq; not under scheduler locks.  Does not sleep.
 * Return: the id, or 0.
 */
static inline callout_id_t timeout_default(void (*func)(void *), void *arg, clock_t delta)
{
	return xtimeout(func, arg, delta);
}

/**
 * realtime_timeout_default - call a function after a number of ticks
 * @func: as timeout_default()
 * @arg: as timeout_default()
 * @delta: as timeout_default()
 *
 * Differs: is timeout_default(); @func does not run in an interrupt.
 *
 * Context: As timeout_default().
 * Return: as timeout_default().
 */
static inline callout_id_t realtime_timeout_default(void (*func)(void *), void *arg,
						    clock_t delta)
{
	return timeout_default(func, arg, delta);
}

/**
 * timeout - call a function after a number of ticks
 * @func: as timeout_default()
 * @arg: as timeout_default()
 * @delta: as timeout_default()
 *
 * Differs: as timeout_default().
 *
 * Context: As timeout_default().
 * Return: as timeout_default().
 */
static inline timeout_id_t timeout(void (*func)(void *), void *arg, clock_t delta)
{
	return (timeout_id_t)timeout_default(func, arg, delta);
}

/**
 * realtime_timeout - call a function after a number of ticks
 * @func: as timeout_default()
 * @arg: as timeout_default()
 * @delta: as timeout_default()
 *
 * Differs: is timeout(); @func does not run in an interrupt.
 *
 * Context: As timeout_default().
 * Return: as timeout_default().
 */
static inline timeout_id_t realtime_timeout(void (*func)(void *), void *arg, clock_t delta)
{
	return timeout(func, arg, delta);
}

/* private: a time of CLOCK_MONOTONIC; what is past all counting is never. */
static inline hrtime_t __callout_due(hrtime_t expiration, hrtime_t resolution, int flags)
{
	u64 beyond = 0;

	if (!(flags & CALLOUT_FLAG_ABSOLUTE) &&
	    check_add_overflow(expiration, (hrtime_t)ktime_get(), &expiration))
		return KTIME_MAX;
	expiration = max(expiration, 0LL);
	if (flags & CALLOUT_FLAG_ROUNDUP && resolution > 1)
		div64_u64_rem(expiration, resolution, &beyond);
	if (beyond && check_add_overflow(expiration, resolution - (hrtime_t)beyond, &expiration))
		return KTIME_MAX;
	return expiration;
}

/**
 * timeout_generic - call a function after a time, or at a point in time
 * @type: CALLOUT_REALTIME or CALLOUT_NORMAL
 * @func: the function
 * @arg: its argument
 * @expiration: how many ns from now, or with CALLOUT_FLAG_ABSOLUTE when, as gethrtime()
 *		gives it; what is past is as soon as possible
 * @resolution: with CALLOUT_FLAG_ROUNDUP of what the time is to be a multiple, in ns
 * @flags: any of
 *	   CALLOUT_FLAG_ROUNDUP: see @resolution;
 *	   CALLOUT_FLAG_ABSOLUTE: @expiration is a point in time;
 *	   CALLOUT_FLAG_HRESTIME: also when the system's time is set.
 *
 * Differs: can fail, and with CALLOUT_FLAG_32BIT does; without CALLOUT_FLAG_ROUNDUP it
 * is not rounded down, which would be early, but left as it is.
 *
 * Context: As timeout_default().
 * Return: as timeout_default().
 */
static inline callout_id_t timeout_generic(int type, void (*func)(void *), void *arg,
					   hrtime_t expiration, hrtime_t resolution, int flags)
{
	hrtime_t due = __callout_due(expiration, resolution, flags);

	if (flags & ~(CALLOUT_FLAG_ROUNDUP | CALLOUT_FLAG_ABSOLUTE | CALLOUT_FLAG_HRESTIME))
		return 0;
	if (flags & CALLOUT_FLAG_HRESTIME)
		return xtimeout_generic(THIS_MODULE, func, arg, due - ktime_get(), 0,
					XTIMEOUT_WALL | XTIMEOUT_ON_SET);
	return xtimeout_generic(THIS_MODULE, func, arg, due, 0, XTIMEOUT_ABSOLUTE);
}

/**
 * untimeout_generic - cancel a timeout
 * @id: what timeout_generic() or another has returned
 * @nowait: do not wait for the function if it runs
 *
 * Differs: an id that was never given is no reason to panic.  Where nobody may wait
 * it does not: if it would have had to, it says so in the kernel log, unless interrupts
 * are off.
 *
 * Context: Task context, may sleep.  With @nowait, or if it finds that it must not
 *	    sleep: task, softirq, hardirq; not under scheduler locks.
 * Return: 0 or more: cancelled, so many ns were left; -1: see at the top.
 */
static inline hrtime_t untimeout_generic(callout_id_t id, int nowait)
{
	hrtime_t left = -EBUSY;

	if (nowait || preempt_count() || irqs_disabled() || rcu_preempt_depth())
		left = xuntimeout_generic(id, true);
	if (left == -EBUSY && !nowait)
		left = xuntimeout_generic(id, false);
	return max(left, -1LL);
}

/**
 * untimeout_default - cancel a timeout, with its time left in ticks
 * @id: as untimeout_generic()
 * @nowait: as untimeout_generic()
 *
 * Differs: as untimeout_generic().
 *
 * Context: As untimeout_generic().
 * Return: 0 or more: cancelled, so many whole ticks were left; -1: see at the top.
 */
static inline clock_t untimeout_default(callout_id_t id, int nowait)
{
	hrtime_t left = untimeout_generic(id, nowait);

	return left < 0 ? left : div_s64(left, TICK_NSEC);
}

/**
 * untimeout - cancel a timeout, or wait until its function has returned
 * @id: what timeout() has returned
 *
 * Differs: as untimeout_generic().
 *
 * Context: As untimeout_generic().
 * Return: as untimeout_default().
 */
static inline clock_t untimeout(timeout_id_t id)
{
	return untimeout_default((callout_id_t)id, 0);
}

/**
 * drv_usectohz - microseconds in ticks, rounded up
 * @microsecs: the microseconds
 *
 * Differs: in nothing.
 *
 * Context: Any.
 * Return: the ticks.
 */
static inline clock_t drv_usectohz(clock_t microsecs)
{
	clock_t rest = microsecs % USEC_PER_SEC * HZ;

	if (rest > 0)
		rest += USEC_PER_SEC - 1;
	return microsecs / USEC_PER_SEC * HZ + rest / USEC_PER_SEC;
}

/**
 * drv_hztousec - ticks in microseconds
 * @ticks: the ticks
 *
 * Differs: in nothing; what is too much for a clock_t is as much as there can be.
 *
 * Context: Any.
 * Return: the microseconds, rounded down.
 */
static inline clock_t drv_hztousec(clock_t ticks)
{
	clock_t rest = ticks % HZ * USEC_PER_SEC / HZ;
	clock_t microsecs;

	if (check_mul_overflow(ticks / HZ, (clock_t)USEC_PER_SEC, &microsecs) ||
	    check_add_overflow(microsecs, rest, &microsecs))
		return ticks < 0 ? LONG_MIN : LONG_MAX;
	return microsecs;
}

#endif /* _XSYNC_TIMEOUT_SOLARIS_H */
