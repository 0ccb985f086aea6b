// SPDX-License-Identifier: GPL-2.0-only
/* timeout: times that make no sense, periods, mutexes, functions that wait in circles. */
#include <linux/hrtimer.h>
#include <linux/limits.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "timeout_test.h"

static void past_times_are_now(struct xut *t)
{
	const ktime_t past[] = { 0, -1, KTIME_MIN, ktime_get() - NSEC_PER_SEC };
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;
	unsigned int i;
	int n = 0;

	xcallout_init(&co, THIS_MODULE, count, &ran);
	xut_step(t, "waiting for what was due long ago");
	for (i = 0; i < ARRAY_SIZE(past); i++) {
		XUT_EXPECT_EQ(t, xcallout_arm(&co, past[i], 0, 0, XTIMEOUT_ABSOLUTE), 0);
		n++;
		XUT_WAIT(t, atomic_read(&ran) == n);
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
		XUT_EXPECT(t, xtimeout_generic(THIS_MODULE, count, &ran, past[i], 0,
					       XTIMEOUT_ABSOLUTE));
		n++;
		XUT_WAIT(t, atomic_read(&ran) == n);
	}
	for (i = 0; i < 3; i++) {
		XUT_EXPECT_EQ(t, xcallout_arm(&co, past[i], 0, 0, 0), 0);
		n++;
		XUT_WAIT(t, atomic_read(&ran) == n);
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
	}
}

static void last_times_never_come(struct xut *t)
{
	static const u64 slack[] = { 0, 1, S64_MAX, U64_MAX };
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;
	xtimeout_id_t id;
	unsigned int i;

	xcallout_init(&co, THIS_MODULE, count, &ran);
	for (i = 0; i < ARRAY_SIZE(slack); i++) {
		XUT_EXPECT_EQ(t, xcallout_arm(&co, KTIME_MAX, slack[i], 0, 0), 0);
		XUT_EXPECT_EQ(t, xcallout_stop(&co), 1);
		XUT_EXPECT_EQ(t, xcallout_arm(&co, KTIME_MAX, slack[i], U64_MAX,
					      XTIMEOUT_ABSOLUTE), 0);
		XUT_EXPECT(t, xcallout_armed(&co));
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 1);
		XUT_EXPECT(t, !xcallout_armed(&co));
		id = xtimeout_generic(THIS_MODULE, count, &ran, KTIME_MAX, slack[i], 0);
		XUT_EXPECT(t, xuntimeout_generic(id, i & 1) > NSEC_PER_SEC);
	}
	id = xtimeout(count, &ran, LONG_MAX);
	XUT_EXPECT(t, xuntimeout(id) > FAR_TICKS);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
}

static void bad_flags(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;

	xcallout_init(&co, THIS_MODULE, count, &ran);
	XUT_EXPECT_EQ(t, xcallout_arm(&co, 0, 0, 0, XTIMEOUT_WALL), -EINVAL);
	XUT_EXPECT_EQ(t, xcallout_arm(&co, 0, 0, 0, BIT(7)), -EINVAL);
	XUT_EXPECT_EQ(t, xtimeout_generic(THIS_MODULE, count, &ran, 0, 0, BIT(7)), 0);
	XUT_EXPECT_EQ(t, xtimeout_generic(THIS_MODULE, count, &ran, 0, 0, XTIMEOUT_ON_SET), 0);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
}

/* What runs in NMI cannot say no: arming does. */
static void bad_flags_at_init(struct xut *t)
{
	static const unsigned int bad[] = {
		XTIMEOUT_ABSOLUTE, XTIMEOUT_ON_SET, XTIMEOUT_WALL | XTIMEOUT_ABSOLUTE,
		XTIMEOUT_ON_SET | XTIMEOUT_ABSOLUTE, BIT(3), BIT(7),
		BIT(8) | XTIMEOUT_WALL,
	};
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		xcallout_init_generic(&co, THIS_MODULE, count, &ran, NULL, bad[i]);
		XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), -EINVAL);
		XUT_EXPECT_EQ(t, xcallout_arm(&co, 0, 0, 0, XTIMEOUT_ABSOLUTE), -EINVAL);
		XUT_EXPECT(t, !xcallout_armed(&co));
		XUT_EXPECT_EQ(t, xcallout_stop(&co), 0);
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
	}
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
	xcallout_init(&co, THIS_MODULE, count, &ran);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), 0);
	XUT_WAIT(t, atomic_read(&ran) == 1);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
}

struct late {
	ktime_t due;
	atomic_t ran, early;
};

static void note_early(void *arg)
{
	struct late *l = arg;

	if (ktime_get() < l->due)
		atomic_inc(&l->early);
	atomic_inc(&l->ran);
}

/* With slack too: many whose times of grace overlap. */
static void never_early_at_a_time(struct xut *t)
{
	enum { N = 200 };
	struct xcallout *co = kcalloc(N, sizeof(*co), GFP_KERNEL);
	struct late *late = kcalloc(N, sizeof(*late), GFP_KERNEL);
	unsigned int i;

	if (!XUT_EXPECT(t, co && late))
		goto free;
	for (i = 0; i < N; i++) {
		u64 slack = get_random_u32() % (20 * NSEC_PER_MSEC);

		late[i].due = ktime_get() + get_random_u32() % (10 * NSEC_PER_MSEC);
		xcallout_init(&co[i], THIS_MODULE, note_early, &late[i]);
		XUT_EXPECT_EQ(t, xcallout_arm(&co[i], late[i].due, slack, 0,
					      XTIMEOUT_ABSOLUTE), 0);
	}
	xut_step(t, "waiting for callouts with slack");
	for (i = 0; i < N; i++) {
		XUT_WAIT(t, atomic_read(&late[i].ran) == 1);
		XUT_EXPECT_EQ(t, atomic_read(&late[i].early), 0);
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&co[i]), 0);
	}
free:
	kfree(late);
	kfree(co);
}

/*
 * The timer is the kernel's to put between the two times; and what may fire when another
 * one does is not left for an interrupt of its own.
 */
static void slack_is_made_use_of(struct xut *t)
{
	const u64 some = 10 * (u64)NSEC_PER_SEC;
	atomic_t patient_ran = ATOMIC_INIT(0), prompt_ran = ATOMIC_INIT(0);
	struct xcallout patient, prompt;
	struct xtimeout_table *table;
	ktime_t due, soft, hard;

	xut_pin(t, 0);
	xcallout_init(&patient, THIS_MODULE, count, &patient_ran);
	xcallout_init(&prompt, THIS_MODULE, count, &prompt_ran);
	table = patient.table;
	/* It may be set for something that was cancelled: that is let pass. */
	XUT_WAIT(t, READ_ONCE(table->next) > ktime_get() + 3 * some);
	due = ktime_get() + some;
	XUT_EXPECT_EQ(t, xcallout_arm(&patient, due, some, 0, XTIMEOUT_ABSOLUTE), 0);
	raw_spin_lock_irq(&table->lock);
	soft = hrtimer_get_softexpires(&table->timer);
	hard = hrtimer_get_expires(&table->timer);
	raw_spin_unlock_irq(&table->lock);
	XUT_EXPECT_EQ(t, soft, due);
	XUT_EXPECT_EQ(t, hard, due + some);

	due = ktime_get() + NSEC_PER_MSEC;
	XUT_EXPECT_EQ(t, xcallout_arm(&patient, due, FAR_NS, 0, XTIMEOUT_ABSOLUTE), 1);
	due += NSEC_PER_MSEC;
	XUT_EXPECT_EQ(t, xcallout_arm(&prompt, due, 0, 0, XTIMEOUT_ABSOLUTE), 0);
	XUT_WAIT(t, atomic_read(&prompt_ran) == 1);
	XUT_EXPECT(t, READ_ONCE(patient.state) != XCALLOUT_ARMED);
	XUT_WAIT(t, atomic_read(&patient_ran) == 1);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&prompt), 0);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&patient), 0);
}

static void time_left_in_ns(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	ktime_t armed = ktime_get(), since, asked;
	xtimeout_id_t id;
	s64 left;

	id = xtimeout_generic(THIS_MODULE, count, &ran, FAR_NS, 0, 0);
	since = ktime_get();
	XUT_WAIT(t, ktime_get() > since);
	asked = ktime_get();
	left = xuntimeout_generic(id, true);
	XUT_EXPECT(t, left <= (s64)FAR_NS - (asked - since));
	XUT_EXPECT(t, left >= (s64)FAR_NS - (ktime_get() - armed));
	XUT_EXPECT_EQ(t, xuntimeout_generic(id, true), -1);
	XUT_EXPECT_EQ(t, xuntimeout_generic(id, false), -1);
}

/* Something periodic. */
struct beat {
	struct xcallout co;
	struct held held;
	ktime_t first;
	u64 period;
	atomic_t calls;
	unsigned int hold_at, stop_at, once_at, free_at;
	int stopped;
	bool wrong_time;
	atomic_t *freed;
};

/* What it is armed for, in it, is its n-th time. */
static bool right_time(struct beat *b, unsigned int call)
{
	u64 n = call + xcallout_missed(&b->co);
	ktime_t next = b->first + n * b->period;

	return b->co.due == next && ktime_get() >= next - b->period;
}

static void beat(void *arg)
{
	struct beat *b = arg;
	unsigned int call = atomic_inc_return(&b->calls);

	if (!right_time(b, call))
		b->wrong_time = true;
	if (call == b->hold_at)
		hold(&b->held);
	if (call == b->stop_at)
		b->stopped = xcallout_stop(&b->co);
	if (call == b->once_at)
		xcallout_arm_ns(&b->co, 1000);
	if (call == b->free_at) {
		atomic_t *freed = b->freed;

		xcallout_stop(&b->co);
		kfree(b);
		atomic_inc(freed);
	}
}

static void beat_begin(struct xut *t, struct beat *b, u64 period)
{
	held_init(&b->held);
	b->period = period;
	xcallout_init(&b->co, THIS_MODULE, beat, b);
	b->first = ktime_get() + period;
	XUT_EXPECT_EQ(t, xcallout_arm(&b->co, b->first, 0, period, XTIMEOUT_ABSOLUTE), 0);
}

static void periods_do_not_drift(struct xut *t)
{
	struct beat b = {};
	int calls;

	beat_begin(t, &b, 500 * NSEC_PER_USEC);
	xut_step(t, "waiting for a periodic callout");
	XUT_WAIT(t, atomic_read(&b.calls) >= 200);
	XUT_EXPECT(t, xcallout_stop_sync(&b.co) >= 0);
	calls = atomic_read(&b.calls);
	XUT_EXPECT(t, !b.wrong_time);
	xut_info(t, "%d calls, %llu times left out", calls, xcallout_missed(&b.co));
	XUT_EXPECT(t, !xcallout_armed(&b.co));
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&b.co), 0);
	XUT_EXPECT_EQ(t, atomic_read(&b.calls), calls);
}

static void missed_periods_are_counted(struct xut *t)
{
	struct beat b = { .hold_at = 1 };

	beat_begin(t, &b, NSEC_PER_MSEC);
	XUT_WAIT(t, atomic_read(&b.held.begun) == 1);
	XUT_WAIT(t, ktime_get() > b.first + 20 * b.period);
	XUT_WAIT(t, has_fired(&b.co));
	XUT_EXPECT_EQ(t, atomic_read(&b.calls), 1);
	complete_all(&b.held.go);
	xut_step(t, "waiting for the next times");
	XUT_WAIT(t, atomic_read(&b.calls) >= 3);
	XUT_EXPECT(t, xcallout_stop_sync(&b.co) >= 0);
	XUT_EXPECT(t, !b.wrong_time);
	XUT_EXPECT(t, xcallout_missed(&b.co) >= 18);
}

/* The longest ones never come again, the shortest one does at once. */
static void periods_at_the_ends(struct xut *t)
{
	static const u64 longest[] = { U64_MAX, U64_MAX - 1, BIT_ULL(63), S64_MAX };
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;
	unsigned int i;

	xcallout_init(&co, THIS_MODULE, count, &ran);
	for (i = 0; i < ARRAY_SIZE(longest); i++) {
		XUT_EXPECT_EQ(t, xcallout_arm(&co, 0, 0, longest[i], 0), 0);
		XUT_WAIT(t, atomic_read(&ran) == i + 1);
		XUT_EXPECT(t, xcallout_armed(&co));
		XUT_EXPECT_EQ(t, READ_ONCE(co.due), KTIME_MAX);
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 1);
		XUT_EXPECT_EQ(t, xcallout_missed(&co), 0);
		XUT_EXPECT_EQ(t, atomic_read(&ran), i + 1);
	}
	XUT_EXPECT_EQ(t, xcallout_arm(&co, 0, 0, 1, 0), 0);
	XUT_WAIT(t, atomic_read(&ran) > 100);
	XUT_EXPECT(t, xcallout_stop_sync(&co) >= 0);
	XUT_EXPECT(t, xcallout_missed(&co) > 0);
	i = atomic_read(&ran);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), i);
}

/* What had fired before this has gone to a thread. */
static void fence(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;

	xcallout_init(&co, THIS_MODULE, count, &ran);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 5 * NSEC_PER_MSEC), 0);
	XUT_WAIT(t, atomic_read(&ran) == 1);
	xcallout_stop_sync(&co);
}

static void period_ends_in_the_function(struct xut *t)
{
	struct beat b = { .stop_at = 3 };
	struct beat once = { .once_at = 2 };
	struct beat *own = kzalloc(sizeof(*own), GFP_KERNEL);
	atomic_t freed = ATOMIC_INIT(0);

	beat_begin(t, &b, 100 * NSEC_PER_USEC);
	beat_begin(t, &once, 100 * NSEC_PER_USEC);
	if (XUT_EXPECT(t, own)) {
		own->free_at = 4;
		own->freed = &freed;
		beat_begin(t, own, 100 * NSEC_PER_USEC);
	}
	xut_step(t, "waiting for the last times");
	XUT_WAIT(t, atomic_read(&b.calls) >= 3 && atomic_read(&once.calls) >= 3);
	XUT_WAIT(t, !own || atomic_read(&freed));
	fence(t);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&b.co), 0);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&once.co), 0);
	XUT_EXPECT_EQ(t, b.stopped, -EBUSY);
	XUT_EXPECT_EQ(t, atomic_read(&b.calls), 3);
	XUT_EXPECT_EQ(t, atomic_read(&once.calls), 3);
}

/* In whatever it is, without waiting: no further time is armed. */
static void period_ends_from_outside(struct xut *t)
{
	unsigned int round, busy = 0;

	for (round = 0; round < 300 * (1 + xut_soak); round++) {
		struct beat b = {};
		int r, calls;

		beat_begin(t, &b, 2000 + get_random_u32() % 50000);
		usleep_range(1, 100);
		r = xcallout_stop(&b.co);
		calls = atomic_read(&b.calls);
		busy += r == -EBUSY;
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&b.co), 0);
		XUT_EXPECT(t, atomic_read(&b.calls) <= calls + (r == -EBUSY));
		/* Stopped when a thread had it already, it was not armed anew. */
		XUT_EXPECT(t, !b.wrong_time || r == -EBUSY);
	}
	xut_info(t, "%u of %u times its function was running", busy, round);
}

/* Callouts with a mutex. */
struct guarded {
	struct mutex mutex;	/* protects @calls */
	struct xcallout co;
	int calls;
	int stop, stop_sync;
	unsigned int again;
	struct xcallout *other;
};

static void guarded_call(void *arg)
{
	struct guarded *g = arg;

	g->calls++;
	if (g->again) {
		g->again--;
		xcallout_arm_ns(&g->co, 0);
	}
}

static void guarded_init(struct guarded *g, xtimeout_func_t func)
{
	mutex_init(&g->mutex);
	xcallout_init_generic(&g->co, THIS_MODULE, func, g, &g->mutex, 0);
}

static void stopped_before_its_mutex(struct xut *t)
{
	struct guarded g = {};

	guarded_init(&g, guarded_call);
	mutex_lock(&g.mutex);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&g.co, 0), 0);
	xut_step(t, "waiting for a thread that waits for the mutex");
	XUT_WAIT(t, !xcallout_armed(&g.co));
	XUT_EXPECT_EQ(t, xcallout_stop(&g.co), 1);
	XUT_EXPECT_EQ(t, xcallout_stop(&g.co), 0);
	mutex_unlock(&g.mutex);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&g.co), 0);
	XUT_EXPECT_EQ(t, g.calls, 0);

	/* The same, but armed again before the thread has noticed. */
	mutex_lock(&g.mutex);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&g.co, 0), 0);
	XUT_WAIT(t, !xcallout_armed(&g.co));
	XUT_EXPECT_EQ(t, xcallout_stop(&g.co), 1);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&g.co, 0), 0);
	XUT_EXPECT_EQ(t, xcallout_stop(&g.co), 1);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&g.co, 0), 0);
	mutex_unlock(&g.mutex);
	XUT_WAIT(t, READ_ONCE(g.calls) == 1);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&g.co), 0);
	XUT_EXPECT_EQ(t, g.calls, 1);
}

/* Who holds the mutex is never told "busy", and what was stopped then does not run. */
static void holder_stops_for_good(struct xut *t)
{
	unsigned int round, stopped = 0;
	struct guarded g = {};

	guarded_init(&g, guarded_call);
	for (round = 0; round < 1000 * (1 + xut_soak); round++) {
		int r, calls;

		XUT_EXPECT_EQ(t, xcallout_arm_ns(&g.co, get_random_u32() % 60000), 0);
		if (get_random_u32() & 1)
			ndelay(get_random_u32() % 5000);
		else
			usleep_range(1, 60);
		mutex_lock(&g.mutex);
		calls = g.calls;
		r = xcallout_stop(&g.co);
		XUT_EXPECT(t, r == 0 || r == 1);
		stopped += r == 1;
		XUT_EXPECT_EQ(t, calls + stopped, round + 1);
		mutex_unlock(&g.mutex);
		XUT_EXPECT_EQ(t, xcallout_stop(&g.co), 0);
	}
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&g.co), 0);
	XUT_EXPECT_EQ(t, g.calls + stopped, round);
	xut_info(t, "%d of %u ran", g.calls, round);
}

static void stop_own_guarded(void *arg)
{
	struct guarded *g = arg;

	g->stop = xcallout_stop(&g->co);
	g->stop_sync = xcallout_stop_sync(&g->co);
	g->calls++;
}

static void guarded_function_stops_itself(struct xut *t)
{
	struct guarded g = {};

	guarded_init(&g, stop_own_guarded);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&g.co, 0), 0);
	XUT_WAIT(t, READ_ONCE(g.calls) == 1);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&g.co), 0);
	XUT_EXPECT_EQ(t, g.stop, -EBUSY);
	XUT_EXPECT_EQ(t, g.stop_sync, -EDEADLK);
}

static void guarded_function_arms_itself(struct xut *t)
{
	struct guarded g = { .again = 100 };

	guarded_init(&g, guarded_call);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&g.co, 0), 0);
	XUT_WAIT(t, READ_ONCE(g.calls) == 101);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&g.co), 0);
	XUT_EXPECT_EQ(t, g.calls, 101);
}

/* Functions that wait for each other in a ring. */
#define RING	5

struct ring;

struct ring_member {
	struct ring *ring;
	struct ring_member *next;
	struct xcallout co;
	xtimeout_id_t id;
	long result;
};

struct ring {
	struct ring_member member[RING];
	unsigned int n;
	atomic_t begun, ended;
	struct completion go;
	bool named;
};

static void ring_call(void *arg)
{
	struct ring_member *m = arg;
	struct ring *ring = m->ring;

	if (atomic_inc_return(&ring->begun) == ring->n)
		complete_all(&ring->go);
	wait_for_completion(&ring->go);
	/* It is lockdep's business to find that this can deadlock. */
	lockdep_off();
	if (!m->next)
		m->result = 0;
	else if (ring->named)
		m->result = xuntimeout(m->next->id);
	else
		m->result = xcallout_stop_sync(&m->next->co);
	lockdep_on();
	atomic_inc(&ring->ended);
}

/* @closed: the last one waits for the first.  False: they wait still, and for ever. */
static bool ring_of(struct xut *t, unsigned int n, bool named, bool closed)
{
	struct ring *ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	unsigned int i, refused = 0;

	if (!XUT_EXPECT(t, ring))
		return false;
	ring->n = n;
	ring->named = named;
	init_completion(&ring->go);
	for (i = 0; i < n; i++) {
		struct ring_member *m = &ring->member[i];

		m->ring = ring;
		m->next = i + 1 < n ? m + 1 : closed ? &ring->member[0] : NULL;
		xcallout_init(&m->co, THIS_MODULE, ring_call, m);
	}
	/* From the last one: whoever begins finds the id of the next one. */
	for (i = n; i--; ) {
		struct ring_member *m = &ring->member[i];

		if (named)
			XUT_EXPECT(t, m->id = xtimeout(ring_call, m, 1));
		else
			XUT_EXPECT_EQ(t, xcallout_arm_ns(&m->co, 0), 0);
	}
	xut_step(t, "waiting for functions that wait for each other");
	if (!XUT_WAIT(t, atomic_read(&ring->ended) == n))
		return false;
	for (i = 0; i < n; i++) {
		struct ring_member *m = &ring->member[i];

		XUT_EXPECT_EQ(t, named ? xuntimeout(m->id) : xcallout_stop_sync(&m->co),
			      named ? -1 : 0);
		refused += m->result == -EDEADLK;
		XUT_EXPECT(t, m->result == -EDEADLK || m->result == 0 ||
			   (named && m->result == -1));
	}
	XUT_EXPECT_EQ(t, refused, closed);
	kfree(ring);
	return true;
}

static void functions_that_wait_in_a_ring(struct xut *t)
{
	unsigned int round, n;

	for (round = 0; round < 20 * (1 + xut_soak); round++) {
		for (n = 2; n <= RING; n++)
			if (!ring_of(t, n, false, true) || !ring_of(t, n, true, true))
				return;
	}
}

static void functions_that_wait_in_a_row(struct xut *t)
{
	unsigned int n;

	for (n = 1; n <= RING; n++)
		if (!ring_of(t, n, false, false) || !ring_of(t, n, true, false))
			return;
}

static const struct xut_case callout_cases[] = {
	XUT_CASE(past_times_are_now),
	XUT_CASE(last_times_never_come),
	XUT_CASE(bad_flags),
	XUT_CASE(bad_flags_at_init),
	XUT_CASE(never_early_at_a_time),
	XUT_CASE(slack_is_made_use_of),
	XUT_CASE(time_left_in_ns),
	XUT_CASE(periods_do_not_drift),
	XUT_CASE(missed_periods_are_counted),
	XUT_CASE(periods_at_the_ends),
	XUT_CASE(period_ends_in_the_function),
	XUT_CASE(period_ends_from_outside),
	XUT_CASE(stopped_before_its_mutex),
	XUT_CASE(holder_stops_for_good),
	XUT_CASE(guarded_function_stops_itself),
	XUT_CASE(guarded_function_arms_itself),
	XUT_CASE(functions_that_wait_in_a_ring),
	XUT_CASE(functions_that_wait_in_a_row),
	{}
};

XUT_SHARED_SUITE(timeout_callout, callout_cases);
