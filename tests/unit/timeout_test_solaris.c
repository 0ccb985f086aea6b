// SPDX-License-Identifier: GPL-2.0-only
/* timeout: as a port knows it, by the names of timeout/solaris.h only. */
#include <linux/irqflags.h>
#include <linux/ktime.h>	/* and <linux/timekeeping.h>, which needs it before on 6.1 */
#include <linux/limits.h>
#include <linux/rcupdate.h>
#include <timeout/solaris.h>
#include "timeout_test.h"

#define SECOND	((hrtime_t)NSEC_PER_SEC)

static hrtime_t gethrtime(void)
{
	return ktime_get_ns();
}

static void cancelled_with_time_left(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	timeout_id_t id;
	callout_id_t full;
	clock_t left;

	id = timeout(count, &ran, FAR_TICKS);
	left = untimeout(id);
	XUT_EXPECT(t, left > 0 && left <= FAR_TICKS);
	XUT_EXPECT_EQ(t, untimeout(id), -1);

	id = realtime_timeout(count, &ran, LONG_MAX);
	XUT_EXPECT(t, untimeout(id) > FAR_TICKS);
	XUT_EXPECT_EQ(t, untimeout(id), -1);

	full = timeout_default(count, &ran, FAR_TICKS);
	left = untimeout_default(full, 1);
	XUT_EXPECT(t, left > 0 && left <= FAR_TICKS);
	XUT_EXPECT_EQ(t, untimeout_default(full, 1), -1);
	XUT_EXPECT_EQ(t, untimeout_default(full, 0), -1);

	full = realtime_timeout_default(count, &ran, FAR_TICKS);
	left = untimeout_default(full, 0);
	XUT_EXPECT(t, left > 0 && left <= FAR_TICKS);
	XUT_EXPECT_EQ(t, untimeout_generic(full, 0), -1);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
}

static void both_kinds_of_id_are_one(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	timeout_id_t id, last = NULL;
	callout_id_t full;

	id = timeout(count, &ran, FAR_TICKS);
	XUT_EXPECT(t, id && id != (timeout_id_t)1);
	XUT_EXPECT(t, untimeout_generic((callout_id_t)id, 0) > SECOND);
	last = id;
	id = timeout(count, &ran, FAR_TICKS);
	XUT_EXPECT(t, id && id != last);
	XUT_EXPECT_EQ(t, untimeout(last), -1);
	XUT_EXPECT(t, untimeout(id) > 0);

	full = timeout_default(count, &ran, FAR_TICKS);
	XUT_EXPECT(t, untimeout((timeout_id_t)full) > 0);
	XUT_EXPECT_EQ(t, untimeout(NULL), -1);
	XUT_EXPECT_EQ(t, untimeout((timeout_id_t)1), -1);
	XUT_EXPECT_EQ(t, untimeout_generic(U64_MAX, 1), -1);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
}

static atomic_t called;
static hrtime_t called_at;

static void note_time(void *unused)
{
	called_at = gethrtime();
	atomic_inc(&called);
}

/* The time before one is armed. */
static hrtime_t about_to_arm(void)
{
	atomic_set(&called, 0);
	return gethrtime();
}

/* The only one that is armed; called once, and not before @due. */
static void expect_call(struct xut *t, callout_id_t id, hrtime_t due)
{
	if (!XUT_EXPECT(t, id))
		return;
	xut_step(t, "waiting for a timeout of a port's");
	XUT_WAIT(t, atomic_read(&called));
	XUT_EXPECT_EQ(t, untimeout_generic(id, 0), -1);
	XUT_EXPECT_EQ(t, atomic_read(&called), 1);
	XUT_EXPECT(t, called_at >= due);
}

static void ticks_are_never_early(struct xut *t)
{
	static const clock_t ticks[] = { 1, 2, 5, 0, -1, LONG_MIN };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ticks); i++) {
		hrtime_t least = max(ticks[i], 1L) * TICK_NSEC, now;
		timeout_id_t id;

		now = about_to_arm();
		id = timeout(note_time, NULL, ticks[i]);
		expect_call(t, (callout_id_t)id, now + least);
		now = about_to_arm();
		id = realtime_timeout(note_time, NULL, ticks[i]);
		expect_call(t, (callout_id_t)id, now + least);
		now = about_to_arm();
		expect_call(t, timeout_default(note_time, NULL, ticks[i]), now + least);
	}
}

/* Without CALLOUT_FLAG_ROUNDUP the originals round down: all of these would be early. */
static void ns_are_never_early(struct xut *t)
{
	const int absolute = CALLOUT_FLAG_ABSOLUTE, wall = CALLOUT_FLAG_HRESTIME;
	const hrtime_t ns = 3 * NSEC_PER_MSEC + 1;
	hrtime_t now;

	now = about_to_arm();
	expect_call(t, timeout_generic(CALLOUT_NORMAL, note_time, NULL, ns, SECOND, 0),
		    now + ns);
	now = about_to_arm();
	expect_call(t, timeout_generic(CALLOUT_REALTIME, note_time, NULL, now + ns, SECOND,
				       absolute), now + ns);
	now = about_to_arm();
	expect_call(t, timeout_generic(CALLOUT_NORMAL, note_time, NULL, ns, SECOND, wall),
		    now + ns);
	now = about_to_arm();
	expect_call(t, timeout_generic(CALLOUT_NORMAL, note_time, NULL, now + ns, SECOND,
				       absolute | wall), now + ns);
}

static void past_is_now(struct xut *t)
{
	const hrtime_t past[] = { 0, -1, LLONG_MIN };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(past); i++) {
		about_to_arm();
		expect_call(t, timeout_generic(CALLOUT_NORMAL, note_time, NULL, past[i], 1, 0),
			    0);
		about_to_arm();
		expect_call(t, timeout_generic(CALLOUT_NORMAL, note_time, NULL, past[i], SECOND,
					       CALLOUT_FLAG_ABSOLUTE | CALLOUT_FLAG_ROUNDUP),
			    0);
		about_to_arm();
		expect_call(t, timeout_generic(CALLOUT_NORMAL, note_time, NULL, past[i], 1,
					       CALLOUT_FLAG_ABSOLUTE | CALLOUT_FLAG_HRESTIME),
			    0);
	}
}

/* A timeout that is due at @due had this much left when it was cancelled. */
static void expect_left(struct xut *t, callout_id_t id, hrtime_t due)
{
	hrtime_t most = due - gethrtime(), left;

	if (!XUT_EXPECT(t, id))
		return;
	left = untimeout_generic(id, 0);
	XUT_EXPECT(t, left <= most);
	XUT_EXPECT(t, left >= due - gethrtime());
}

static void rounded_up_to_a_multiple(struct xut *t)
{
	const int up = CALLOUT_FLAG_ROUNDUP, absolute = CALLOUT_FLAG_ABSOLUTE;
	hrtime_t hour = 3600 * SECOND, due = (gethrtime() / hour + 5) * hour;
	atomic_t ran = ATOMIC_INIT(0);

	expect_left(t, timeout_generic(CALLOUT_NORMAL, count, &ran, due, hour, up | absolute),
		    due);
	expect_left(t, timeout_generic(CALLOUT_NORMAL, count, &ran, due - 1, hour,
				       up | absolute), due);
	expect_left(t, timeout_generic(CALLOUT_NORMAL, count, &ran, due - hour + 1, hour,
				       up | absolute), due);
	expect_left(t, timeout_generic(CALLOUT_NORMAL, count, &ran, due - hour / 2, hour,
				       absolute), due - hour / 2);
	expect_left(t, timeout_generic(CALLOUT_NORMAL, count, &ran, due - hour / 2, 1,
				       up | absolute), due - hour / 2);
	/* From now: half an hour before that at the latest, wherever now is. */
	expect_left(t, timeout_generic(CALLOUT_NORMAL, count, &ran,
				       due - hour / 2 - gethrtime(), hour, up), due);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
}

static void too_far_is_never(struct xut *t)
{
	static const int flags[] = { 0, CALLOUT_FLAG_ABSOLUTE, CALLOUT_FLAG_HRESTIME };
	atomic_t ran = ATOMIC_INIT(0);
	callout_id_t id;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		id = timeout_generic(CALLOUT_NORMAL, count, &ran, LLONG_MAX, SECOND, flags[i]);
		XUT_EXPECT(t, untimeout_generic(id, 0) > 3600 * SECOND);
		id = timeout_generic(CALLOUT_NORMAL, count, &ran, LLONG_MAX - 1, LLONG_MAX - 2,
				     flags[i] | CALLOUT_FLAG_ROUNDUP);
		XUT_EXPECT(t, untimeout_generic(id, 0) > 3600 * SECOND);
	}
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
}

static void flags_that_fail(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);

	XUT_EXPECT_EQ(t, timeout_generic(CALLOUT_NORMAL, count, &ran, 0, 1,
					 CALLOUT_FLAG_32BIT), 0);
	XUT_EXPECT_EQ(t, timeout_generic(CALLOUT_NORMAL, count, &ran, 0, 1, BIT(9)), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
}

static void set_time(struct xut *t, s64 by)
{
	struct timespec64 ts = ns_to_timespec64(ktime_get_real_ns() + by);

	XUT_EXPECT_EQ(t, do_settimeofday64(&ts), 0);
}

/* Of two that are as far, the one that wants to know is called. */
static void told_when_time_is_set(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	callout_id_t id, deaf;

	deaf = timeout_generic(CALLOUT_NORMAL, count, &ran, 3600 * SECOND, 1, 0);
	about_to_arm();
	id = timeout_generic(CALLOUT_NORMAL, note_time, NULL, 3600 * SECOND, 1,
			     CALLOUT_FLAG_HRESTIME);
	set_time(t, NSEC_PER_MSEC);
	expect_call(t, id, 0);
	set_time(t, -NSEC_PER_MSEC);
	XUT_EXPECT(t, untimeout_generic(deaf, 0) > 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
}

struct running {
	struct held held;
	struct completion known;
	callout_id_t id;
	clock_t waiting, nowait;
};

static void cancel_oneself(void *arg)
{
	struct running *r = arg;

	wait_for_completion(&r->known);
	r->waiting = untimeout((timeout_id_t)r->id);
	r->nowait = untimeout_default(r->id, 1);
	hold(&r->held);
}

/* -1 and not waited for, in each case that there is; then -1 and waited for. */
static void cancelled_while_it_runs(struct xut *t)
{
	struct releaser releaser = { .waiter = current };
	clock_t irqs_off, nowait;
	struct running r = {};
	timeout_id_t other;

	held_init(&r.held);
	init_completion(&r.known);
	r.id = timeout_default(cancel_oneself, &r, 1);
	if (!XUT_EXPECT(t, r.id))
		return;
	complete(&r.known);
	xut_step(t, "waiting for a function that cancels itself");
	XUT_WAIT(t, atomic_read(&r.held.begun));
	XUT_EXPECT_EQ(t, r.waiting, -1);
	XUT_EXPECT_EQ(t, r.nowait, -1);

	nowait = untimeout_default(r.id, 1);
	local_irq_disable();
	irqs_off = untimeout((timeout_id_t)r.id);
	local_irq_enable();
	XUT_EXPECT_EQ(t, nowait, -1);
	XUT_EXPECT_EQ(t, irqs_off, -1);
	XUT_EXPECT_EQ(t, atomic_read(&r.held.ended), 0);

	releaser.held = &r.held;
	other = timeout(release_when_waiting, &releaser, 1);
	XUT_EXPECT(t, other);
	xut_step(t, "waiting for a function that runs");
	XUT_EXPECT_EQ(t, untimeout((timeout_id_t)r.id), -1);
	XUT_EXPECT_EQ(t, atomic_read(&r.held.ended), 1);
	WRITE_ONCE(releaser.returned, true);
	untimeout(other);
}

static void cancelled_where_nobody_may_wait(struct xut *t)
{
	timeout_id_t id = timeout(count, NULL, FAR_TICKS);
	clock_t left;

	local_irq_disable();
	left = untimeout(id);
	local_irq_enable();
	XUT_EXPECT(t, left > 0);

	id = timeout(count, NULL, FAR_TICKS);
	rcu_read_lock();
	left = untimeout(id);
	rcu_read_unlock();
	XUT_EXPECT(t, left > 0);
	XUT_EXPECT_EQ(t, untimeout(id), -1);
}

static void ticks_and_microseconds(struct xut *t)
{
	const clock_t tick = USEC_PER_SEC / HZ;	/* rounded down if HZ does not divide it */

	XUT_EXPECT_EQ(t, drv_usectohz(0), 0);
	XUT_EXPECT_EQ(t, drv_usectohz(1), 1);
	XUT_EXPECT_EQ(t, drv_usectohz(tick), 1);
	XUT_EXPECT_EQ(t, drv_usectohz(tick + 1), USEC_PER_SEC % HZ ? 1 : 2);
	XUT_EXPECT_EQ(t, drv_usectohz(tick + 2), 2);
	XUT_EXPECT_EQ(t, drv_usectohz(USEC_PER_SEC - 1), HZ);
	XUT_EXPECT_EQ(t, drv_usectohz(USEC_PER_SEC), HZ);
	XUT_EXPECT_EQ(t, drv_usectohz(USEC_PER_SEC + 1), HZ + 1);
	XUT_EXPECT_EQ(t, drv_usectohz(-1), 0);
	XUT_EXPECT_EQ(t, drv_usectohz(-USEC_PER_SEC), -HZ);
	XUT_EXPECT(t, drv_usectohz(LONG_MAX) > 0);
	XUT_EXPECT(t, drv_usectohz(LONG_MIN) < 0);

	XUT_EXPECT_EQ(t, drv_hztousec(0), 0);
	XUT_EXPECT_EQ(t, drv_hztousec(1), tick);
	XUT_EXPECT_EQ(t, drv_hztousec(HZ), USEC_PER_SEC);
	XUT_EXPECT_EQ(t, drv_hztousec(3 * HZ + 1), 3 * USEC_PER_SEC + tick);
	XUT_EXPECT_EQ(t, drv_hztousec(-HZ), -USEC_PER_SEC);
	XUT_EXPECT_EQ(t, drv_hztousec(LONG_MAX), LONG_MAX);
	XUT_EXPECT_EQ(t, drv_hztousec(LONG_MIN), LONG_MIN);
	XUT_EXPECT_EQ(t, drv_hztousec(LONG_MAX / USEC_PER_SEC * HZ),
		      LONG_MAX / USEC_PER_SEC * USEC_PER_SEC);
	XUT_EXPECT_EQ(t, drv_hztousec((LONG_MAX / USEC_PER_SEC + 1) * HZ), LONG_MAX);
}

static const struct xut_case solaris_cases[] = {
	XUT_CASE(cancelled_with_time_left),
	XUT_CASE(both_kinds_of_id_are_one),
	XUT_CASE(ticks_are_never_early),
	XUT_CASE(ns_are_never_early),
	XUT_CASE(past_is_now),
	XUT_CASE(rounded_up_to_a_multiple),
	XUT_CASE(too_far_is_never),
	XUT_CASE(flags_that_fail),
	XUT_CASE(told_when_time_is_set),
	XUT_CASE(cancelled_while_it_runs),
	XUT_CASE(cancelled_where_nobody_may_wait),
	XUT_CASE(ticks_and_microseconds),
	{}
};

XUT_SHARED_SUITE(timeout_solaris, solaris_cases);
