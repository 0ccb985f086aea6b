// SPDX-License-Identifier: GPL-2.0-only
/* timeout: the wall clock is set, forwards and back. */
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "timeout_test.h"

#define HOUR	(3600 * (s64)NSEC_PER_SEC)

/* What the clock is off; each case puts it right again. */
static s64 off;

static void set_wall(struct xut *t, s64 by)
{
	struct timespec64 ts = ns_to_timespec64(ktime_get_real_ns() + by);

	if (XUT_EXPECT_EQ(t, do_settimeofday64(&ts), 0))
		off += by;
}

static void put_wall_right(struct xut *t)
{
	set_wall(t, -off);
	XUT_EXPECT_EQ(t, off, 0);
}

struct wall_call {
	struct xcallout co;
	ktime_t due;
	atomic_t ran;
	bool early;
};

static void wall_called(void *arg)
{
	struct wall_call *w = arg;

	if (ktime_get_real() < w->due)
		w->early = true;
	atomic_inc(&w->ran);
}

static void wall_init(struct wall_call *w, unsigned int flags)
{
	xcallout_init_generic(&w->co, THIS_MODULE, wall_called, w, NULL, XTIMEOUT_WALL | flags);
}

static void set_past_the_time(struct xut *t)
{
	struct wall_call at = {}, in = {}, id = {}, never = {};

	wall_init(&at, 0);
	wall_init(&in, 0);
	wall_init(&never, 0);
	at.due = ktime_get_real() + HOUR;
	id.due = at.due;
	in.due = at.due;
	XUT_EXPECT_EQ(t, xcallout_arm(&at.co, at.due, 0, 0, XTIMEOUT_ABSOLUTE), 0);
	XUT_EXPECT_EQ(t, xcallout_arm(&in.co, HOUR, 0, 0, 0), 0);
	XUT_EXPECT_EQ(t, xcallout_arm(&never.co, 10 * HOUR, 0, 0, 0), 0);
	XUT_EXPECT(t, xtimeout_generic(THIS_MODULE, wall_called, &id, id.due, 0,
				       XTIMEOUT_ABSOLUTE | XTIMEOUT_WALL));
	set_wall(t, 2 * HOUR);
	xut_step(t, "waiting for times that the clock was set past");
	XUT_WAIT(t, atomic_read(&at.ran) == 1);
	XUT_WAIT(t, atomic_read(&in.ran) == 1);
	XUT_WAIT(t, atomic_read(&id.ran) == 1);
	XUT_EXPECT(t, !at.early && !in.early && !id.early);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&at.co), 0);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&in.co), 0);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&never.co), 1);
	XUT_EXPECT_EQ(t, atomic_read(&never.ran), 0);
	put_wall_right(t);
}

/* Until the monotonic clock shows that the time would have come. */
static void let_pass(struct xut *t, u64 ns)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;

	xcallout_init(&co, THIS_MODULE, count, &ran);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, ns), 0);
	XUT_WAIT(t, atomic_read(&ran) == 1);
	xcallout_stop_sync(&co);
}

static void set_back(struct xut *t)
{
	struct wall_call w = {};

	wall_init(&w, 0);
	w.due = ktime_get_real() + NSEC_PER_SEC;
	XUT_EXPECT_EQ(t, xcallout_arm(&w.co, w.due, 0, 0, XTIMEOUT_ABSOLUTE), 0);
	set_wall(t, -HOUR);
	let_pass(t, NSEC_PER_SEC + NSEC_PER_SEC / 4);
	XUT_EXPECT(t, xcallout_armed(&w.co));
	put_wall_right(t);
	xut_step(t, "waiting for a time that the clock came to twice");
	XUT_WAIT(t, atomic_read(&w.ran) == 1);
	XUT_EXPECT(t, !w.early);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&w.co), 0);
}

static void monotonic_time_is_not_set(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout far, near;
	ktime_t due;

	xcallout_init(&far, THIS_MODULE, count, &ran);
	xcallout_init(&near, THIS_MODULE, count, &ran);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&far, HOUR), 0);
	due = ktime_get() + 50 * NSEC_PER_MSEC;
	XUT_EXPECT_EQ(t, xcallout_arm(&near, due, 0, 0, XTIMEOUT_ABSOLUTE), 0);
	set_wall(t, 2 * HOUR);
	set_wall(t, -4 * HOUR);
	XUT_WAIT(t, atomic_read(&ran) == 1);
	XUT_EXPECT(t, ktime_get() >= due);
	put_wall_right(t);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&far), 1);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&near), 0);
}

/* More than an interrupt's share, and of both forms. */
static void told_when_set(struct xut *t)
{
	enum { N = 300 };
	struct wall_call *w = kvcalloc(N, sizeof(*w), GFP_KERNEL), id = {};
	xtimeout_id_t cancelled;
	unsigned int i;

	if (!XUT_EXPECT(t, w))
		return;
	for (i = 0; i < N; i++) {
		wall_init(&w[i], XTIMEOUT_ON_SET);
		XUT_EXPECT_EQ(t, xcallout_arm(&w[i].co, HOUR, 0, 0, 0), 0);
	}
	XUT_EXPECT(t, xtimeout_generic(THIS_MODULE, wall_called, &id, HOUR, 0,
				       XTIMEOUT_WALL | XTIMEOUT_ON_SET));
	cancelled = xtimeout_generic(THIS_MODULE, wall_called, &id, HOUR, 0,
				     XTIMEOUT_WALL | XTIMEOUT_ON_SET);
	XUT_EXPECT(t, xuntimeout(cancelled) > 0);
	for (i = 0; i < N; i += 3)
		XUT_EXPECT_EQ(t, xcallout_stop(&w[i].co), 1);
	XUT_EXPECT_EQ(t, atomic_read(&id.ran), 0);

	set_wall(t, NSEC_PER_MSEC);
	xut_step(t, "waiting for callouts that the clock being set fires");
	XUT_WAIT(t, atomic_read(&id.ran) == 1);
	for (i = 0; i < N; i++)
		if (!XUT_WAIT(t, atomic_read(&w[i].ran) == !!(i % 3)))
			break;
	for (i = 0; i < N; i++)
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&w[i].co), 0);
	put_wall_right(t);
	let_pass(t, NSEC_PER_MSEC);
	for (i = 0; i < N; i++)
		XUT_EXPECT_EQ(t, atomic_read(&w[i].ran), !!(i % 3));
	kvfree(w);
}

/*
 * Told of the clock before its time, a periodic one is still called at that time.  The
 * next one would be in an hour.
 */
static void told_between_its_times(struct xut *t)
{
	struct wall_call w = {};

	wall_init(&w, XTIMEOUT_ON_SET);
	do {
		/* A thread that comes too late for that takes both as one. */
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&w.co), atomic_read(&w.ran) != 0);
		atomic_set(&w.ran, 0);
		w.due = ktime_get_real() + NSEC_PER_SEC;
		XUT_EXPECT_EQ(t, xcallout_arm(&w.co, w.due, 0, HOUR, XTIMEOUT_ABSOLUTE), 0);
		set_wall(t, NSEC_PER_USEC);
		XUT_WAIT(t, atomic_read(&w.ran));
	} while (!w.early && !t->failed);
	xut_step(t, "waiting for the time of a callout that was told of the clock");
	XUT_WAIT(t, atomic_read(&w.ran) == 2);
	XUT_EXPECT(t, ktime_get_real() >= w.due);
	XUT_EXPECT_EQ(t, xcallout_missed(&w.co), 0);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&w.co), 1);
	put_wall_right(t);
}

static void set_against_stop(struct xut *t)
{
	unsigned int round, ran = 0;
	struct wall_call w = {};

	wall_init(&w, XTIMEOUT_ON_SET);
	for (round = 0; round < 300 * (1 + xut_soak); round++) {
		int before = atomic_read(&w.ran), stopped;

		XUT_EXPECT_EQ(t, xcallout_arm(&w.co, HOUR, 0, 0, 0), 0);
		set_wall(t, round & 1 ? 1000 : -1000);
		/* Up to two ticks: that is how long it takes where irq_work waits for one. */
		if (get_random_u32() & 1)
			fsleep(get_random_u32() % (2 * USEC_PER_SEC / HZ));
		stopped = xcallout_stop_sync(&w.co);
		if (!XUT_EXPECT_EQ(t, atomic_read(&w.ran) - before + stopped, 1))
			break;
		ran += !stopped;
	}
	put_wall_right(t);
	xut_info(t, "%u of %u ran", ran, round);
}

static const struct xut_case wall_cases[] = {
	XUT_CASE(set_past_the_time),
	XUT_CASE(set_back),
	XUT_CASE(monotonic_time_is_not_set),
	XUT_CASE(told_when_set),
	XUT_CASE(told_between_its_times),
	XUT_CASE(set_against_stop),
	{}
};

XUT_SHARED_SUITE(timeout_wall, wall_cases);
