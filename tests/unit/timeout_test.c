// SPDX-License-Identifier: GPL-2.0-only
/* timeout: time, states, return values. */
#include <linux/jiffies.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include "timeout_test.h"

struct stamp {
	ktime_t armed, ran;
	bool wrong_context;
	struct completion done;
};

static void take_time(void *arg)
{
	struct stamp *s = arg;

	s->ran = ktime_get();
	s->wrong_context = !in_task() || irqs_disabled() || preempt_count();
	complete(&s->done);
}

static void never_early_in_ticks(struct xut *t)
{
	static const long ticks[] = { 1, 2, 3, 7, 0, -1, LONG_MIN };
	unsigned int i, round;

	for (round = 0; round < 5 * (1 + xut_soak); round++) {
		for (i = 0; i < ARRAY_SIZE(ticks); i++) {
			s64 least = max(ticks[i], 1L) * TICK_NSEC;
			struct stamp s = {};

			init_completion(&s.done);
			s.armed = ktime_get();
			if (!XUT_EXPECT(t, xtimeout(take_time, &s, ticks[i])))
				return;
			xut_step(t, "waiting for a timeout of a few ticks");
			wait_for_completion(&s.done);
			XUT_EXPECT(t, ktime_sub(s.ran, s.armed) >= least);
			XUT_EXPECT(t, !s.wrong_context);
		}
	}
}

static void never_early_in_ns(struct xut *t)
{
	static const u64 ns[] = { 0, 1, 1000, 50 * 1000, 1000 * 1000, 20 * 1000 * 1000 };
	struct xcallout co;
	struct stamp s = {};
	unsigned int i, round;

	xcallout_init(&co, THIS_MODULE, take_time, &s);
	init_completion(&s.done);
	for (round = 0; round < 10 * (1 + xut_soak); round++) {
		for (i = 0; i < ARRAY_SIZE(ns); i++) {
			s.armed = ktime_get();
			XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, ns[i]), 0);
			xut_step(t, "waiting for a callout");
			wait_for_completion(&s.done);
			XUT_EXPECT(t, ktime_sub(s.ran, s.armed) >= (s64)ns[i]);
			xcallout_stop_sync(&co);
		}
	}
}

static void ids_are_new(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	xtimeout_id_t id, last = 1;
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		id = xtimeout(count, &ran, FAR_TICKS);
		XUT_EXPECT(t, id > last);
		XUT_EXPECT(t, xuntimeout(id) >= 0);
		last = id;
	}
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
}

static void cancel_armed(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;
	xtimeout_id_t id;
	long left;

	id = xtimeout(count, &ran, FAR_TICKS);
	left = xuntimeout(id);
	XUT_EXPECT(t, left > 0 && left <= FAR_TICKS);
	XUT_EXPECT_EQ(t, xuntimeout(id), -1);
	XUT_EXPECT_EQ(t, xuntimeout_nowait(id), -1);

	id = xtimeout(count, &ran, LONG_MAX);
	left = xuntimeout_nowait(id);
	XUT_EXPECT(t, left > FAR_TICKS);
	XUT_EXPECT_EQ(t, xuntimeout_nowait(id), -1);

	xcallout_init(&co, THIS_MODULE, count, &ran);
	XUT_EXPECT_EQ(t, xcallout_stop(&co), 0);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, FAR_NS), 0);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, U64_MAX), 1);
	XUT_EXPECT_EQ(t, xcallout_stop(&co), 1);
	XUT_EXPECT_EQ(t, xcallout_stop(&co), 0);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, FAR_NS), 0);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 1);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
}

static void unknown_ids(struct xut *t)
{
	XUT_EXPECT_EQ(t, xuntimeout(0), -1);
	XUT_EXPECT_EQ(t, xuntimeout(1), -1);
	XUT_EXPECT_EQ(t, xuntimeout(U64_MAX), -1);
	XUT_EXPECT_EQ(t, xuntimeout_nowait(U64_MAX), -1);
}

/* Blocks every thread there may be; each keeps its own, so none delays another. */
struct full_pool *full_pool_make(struct xut *t)
{
	struct full_pool *p = kvzalloc(sizeof(*p), GFP_KERNEL);
	unsigned int i;

	if (!XUT_EXPECT(t, p))
		return NULL;
	held_init(&p->held);
	for (i = 0; i < XTIMEOUT_THREADS; i++) {
		xcallout_init(&p->blockers[i], THIS_MODULE, hold, &p->held);
		XUT_EXPECT_EQ(t, xcallout_arm_ns(&p->blockers[i], 0), 0);
	}
	xut_step(t, "waiting for all threads to be blocked");
	XUT_WAIT(t, atomic_read(&p->held.begun) == XTIMEOUT_THREADS);
	return p;
}

void full_pool_let_go(struct full_pool *p)
{
	complete_all(&p->held.go);
}

void full_pool_free(struct xut *t, struct full_pool *p)
{
	unsigned int i;

	for (i = 0; i < XTIMEOUT_THREADS; i++)
		xcallout_stop_sync(&p->blockers[i]);
	XUT_EXPECT_EQ(t, atomic_read(&p->held.ended), XTIMEOUT_THREADS);
	kvfree(p);
}

/* All threads are blocked, so what fires stays FIRED; one of each kind is kept. */
static void cancel_fired(struct xut *t)
{
	struct full_pool *pool = full_pool_make(t);
	atomic_t ran = ATOMIC_INIT(0), kept = ATOMIC_INIT(0);
	struct xcallout a, b, last;
	xtimeout_id_t waiting, nowait;

	if (!pool)
		return;
	xcallout_init(&a, THIS_MODULE, count, &ran);
	xcallout_init(&b, THIS_MODULE, count, &ran);
	xcallout_init(&last, THIS_MODULE, count, &kept);
	migrate_disable();
	waiting = xtimeout(count, &ran, 1);
	nowait = xtimeout(count, &ran, 1);
	XUT_EXPECT(t, xtimeout(count, &kept, 1));
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&a, 0), 0);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&b, 0), 0);
	/* Same table, later than all of them: when it has fired, they have. */
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&last, 2 * TICK_NSEC), 0);
	migrate_enable();
	xut_step(t, "waiting for timeouts to fire");
	XUT_WAIT(t, has_fired(&last));

	XUT_EXPECT_EQ(t, xuntimeout(waiting), 0);
	XUT_EXPECT_EQ(t, xuntimeout(waiting), -1);
	XUT_EXPECT_EQ(t, xuntimeout_nowait(nowait), 0);
	XUT_EXPECT_EQ(t, xuntimeout_nowait(nowait), -1);
	XUT_EXPECT_EQ(t, xcallout_stop(&a), 1);
	XUT_EXPECT_EQ(t, xcallout_stop(&a), 0);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&b), 1);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&b), 0);
	/* Fired and armed again: the old time is off, the function runs once. */
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&last, 0), 1);

	full_pool_let_go(pool);
	XUT_WAIT(t, atomic_read(&kept) == 2);
	full_pool_free(t, pool);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&last), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
	XUT_EXPECT_EQ(t, atomic_read(&kept), 2);
}

/* Cancels in the state RUNNING with @wait, which must outlast the function. */
static void running_outlasts(struct xut *t, struct xcallout *co, struct held *h,
			     xtimeout_id_t id)
{
	struct xtaskq *other = xtaskq_create("xut", 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct releaser r = { .waiter = current, .held = h };

	if (!XUT_EXPECT(t, !IS_ERR(other)))
		return;
	XUT_WAIT(t, atomic_read(&h->begun) == 1);
	XUT_EXPECT(t, xtaskq_dispatch(other, release_when_waiting, &r, XTASKQ_SLEEP));
	xut_step(t, "waiting for a function that runs");
	if (co)
		XUT_EXPECT_EQ(t, xcallout_stop_sync(co), 0);
	else
		XUT_EXPECT_EQ(t, xuntimeout(id), -1);
	XUT_EXPECT_EQ(t, atomic_read(&h->ended), 1);
	WRITE_ONCE(r.returned, true);
	XUT_EXPECT_EQ(t, xtaskq_destroy(other), 0);
}

static void cancel_running(struct xut *t)
{
	xtimeout_id_t id;
	struct held h;

	held_init(&h);
	id = xtimeout(hold, &h, 1);
	XUT_WAIT(t, atomic_read(&h.begun) == 1);
	XUT_EXPECT_EQ(t, xuntimeout_nowait(id), -EBUSY);
	running_outlasts(t, NULL, &h, id);
	XUT_EXPECT_EQ(t, xuntimeout(id), -1);
	XUT_EXPECT_EQ(t, xuntimeout_nowait(id), -1);
}

static void stop_running(struct xut *t)
{
	struct xcallout co;
	struct held h;

	held_init(&h);
	xcallout_init(&co, THIS_MODULE, hold, &h);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), 0);
	XUT_WAIT(t, atomic_read(&h.begun) == 1);
	XUT_EXPECT_EQ(t, xcallout_stop(&co), -EBUSY);
	running_outlasts(t, &co, &h, 0);
	XUT_EXPECT_EQ(t, xcallout_stop(&co), 0);
}

/* A function that cancels itself. */
struct self {
	struct completion id_known, done;
	xtimeout_id_t id;
	struct xcallout co;
	long waiting, nowait;
	int stop, stop_sync, drain;
};

static void cancel_self(void *arg)
{
	struct self *s = arg;

	wait_for_completion(&s->id_known);
	s->waiting = xuntimeout(s->id);
	s->nowait = xuntimeout_nowait(s->id);
	s->drain = xtimeout_drain(THIS_MODULE);
	complete(&s->done);
}

static void stop_self(void *arg)
{
	struct self *s = arg;

	s->stop = xcallout_stop(&s->co);
	s->stop_sync = xcallout_stop_sync(&s->co);
	complete(&s->done);
}

static void from_own_function(struct xut *t)
{
	struct self s = {};

	init_completion(&s.id_known);
	init_completion(&s.done);
	s.id = xtimeout(cancel_self, &s, 1);
	complete(&s.id_known);
	xut_step(t, "waiting for a function that cancels itself");
	wait_for_completion(&s.done);
	xuntimeout(s.id);
	XUT_EXPECT_EQ(t, s.waiting, -1);
	XUT_EXPECT_EQ(t, s.nowait, -EBUSY);
	XUT_EXPECT_EQ(t, s.drain, -EDEADLK);

	reinit_completion(&s.done);
	xcallout_init(&s.co, THIS_MODULE, stop_self, &s);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&s.co, 0), 0);
	wait_for_completion(&s.done);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&s.co), 0);
	XUT_EXPECT_EQ(t, s.stop, -EBUSY);
	XUT_EXPECT_EQ(t, s.stop_sync, -EDEADLK);
}

static void in_atomic_context(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;
	xtimeout_id_t id;
	long err;
	int stop;

	id = xtimeout(count, &ran, FAR_TICKS);
	xcallout_init(&co, THIS_MODULE, count, &ran);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, FAR_NS), 0);
	local_irq_disable();
	err = xuntimeout(id);
	stop = xcallout_stop_sync(&co);
	local_irq_enable();
	XUT_EXPECT_EQ(t, err, -EWOULDBLOCK);
	XUT_EXPECT_EQ(t, stop, -EWOULDBLOCK);
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT)) {
		preempt_disable();
		err = xuntimeout(id);
		preempt_enable();
		XUT_EXPECT_EQ(t, err, -EWOULDBLOCK);
	}
	/* Nothing was done. */
	XUT_EXPECT(t, xuntimeout(id) > 0);
	XUT_EXPECT_EQ(t, xcallout_stop(&co), 1);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
}

static const struct xut_case timeout_cases[] = {
	XUT_CASE(never_early_in_ticks),
	XUT_CASE(never_early_in_ns),
	XUT_CASE(ids_are_new),
	XUT_CASE(unknown_ids),
	XUT_CASE(cancel_armed),
	XUT_CASE(cancel_fired),
	XUT_CASE(cancel_running),
	XUT_CASE(stop_running),
	XUT_CASE(from_own_function),
	XUT_CASE(in_atomic_context),
	{}
};

XUT_SUITE(timeout, timeout_cases);

struct from_here {
	atomic_t ran;
	struct xcallout soon, far;
	xtimeout_id_t id, far_id;
	int armed, far_armed, stopped;
	long cancelled;
};

static void arm_and_cancel(void *arg)
{
	struct from_here *h = arg;

	h->id = xtimeout(count, &h->ran, 1);
	h->armed = xcallout_arm_ns(&h->soon, 1000);
	h->far_id = xtimeout(count, &h->ran, FAR_TICKS);
	h->far_armed = xcallout_arm_ns(&h->far, FAR_NS);
	h->cancelled = xuntimeout_nowait(h->far_id);
	h->stopped = xcallout_stop(&h->far);
}

static void arms_from_context(struct xut *t)
{
	struct from_here h = { .ran = ATOMIC_INIT(0) };

	xcallout_init(&h.soon, THIS_MODULE, count, &h.ran);
	xcallout_init(&h.far, THIS_MODULE, count, &h.ran);
	if (!xut_run_here(t, arm_and_cancel, &h))
		return;
	if (t->context == XUT_NMI) {
		XUT_EXPECT_EQ(t, h.id, 0);
		XUT_EXPECT_EQ(t, h.armed, -EWOULDBLOCK);
		XUT_EXPECT_EQ(t, h.cancelled, -EWOULDBLOCK);
		XUT_EXPECT_EQ(t, h.stopped, -EWOULDBLOCK);
		return;
	}
	XUT_EXPECT(t, h.id > 1 && h.far_id > h.id);
	XUT_EXPECT_EQ(t, h.armed, 0);
	XUT_EXPECT_EQ(t, h.far_armed, 0);
	XUT_EXPECT(t, h.cancelled > 0);
	XUT_EXPECT_EQ(t, h.stopped, 1);
	xut_step(t, "waiting for what was armed there");
	XUT_WAIT(t, atomic_read(&h.ran) == 2);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&h.soon), 0);
	XUT_EXPECT_EQ(t, xuntimeout(h.id), -1);
}

static const struct xut_case timeout_arm_cases[] = {
	XUT_UNLOCKED_CASES(arms_from_context),
	{}
};

XUT_SHARED_SUITE(timeout_arm, timeout_arm_cases);

module_xut(&timeout, &timeout_race, &timeout_callout, &timeout_wall, &timeout_window,
	   &timeout_cpu, &timeout_torture, &timeout_arm, &dynvar, &dynvar_ipi);
MODULE_DESCRIPTION("Unit cases of the timeout layer");
MODULE_LICENSE("GPL");
