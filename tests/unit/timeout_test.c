// SPDX-License-Identifier: GPL-2.0-only
/* timeout: time, states, return values. */
#include <linux/jiffies.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/sort.h>
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

static int compare_ids(const void *a, const void *b)
{
	xtimeout_id_t x = *(const xtimeout_id_t *)a, y = *(const xtimeout_id_t *)b;

	return x < y ? -1 : x > y;
}

#define SOME_IDS	600

/* Each third one is kept for a while: its id must not be given again. */
static void ids_differ(struct xut *t)
{
	xtimeout_id_t *ids = kcalloc(SOME_IDS, sizeof(*ids), GFP_KERNEL);
	atomic_t ran = ATOMIC_INIT(0);
	unsigned int i;

	if (!XUT_EXPECT(t, ids))
		return;
	for (i = 0; i < SOME_IDS; i++) {
		ids[i] = xtimeout(count, &ran, FAR_TICKS);
		XUT_EXPECT(t, ids[i] > 1);
		if (i % 3)
			XUT_EXPECT(t, xuntimeout(ids[i]) >= 0);
	}
	for (i = 0; i < SOME_IDS; i++)
		XUT_EXPECT(t, i % 3 ? xuntimeout(ids[i]) == -1 : xuntimeout(ids[i]) >= 0);
	sort(ids, SOME_IDS, sizeof(*ids), compare_ids, NULL);
	for (i = 1; i < SOME_IDS; i++)
		XUT_EXPECT(t, ids[i] != ids[i - 1]);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
	kfree(ids);
}

static void ids_are_new(struct xut *t)
{
	ids_differ(t);
}

/* Has this CPU's next id be about the number; gives what it was made from before. */
static u64 set_next_id(u64 id)
{
	struct xtimeout_table *table;
	struct xcallout co;
	u64 was;

	xcallout_init(&co, THIS_MODULE, count, NULL);
	table = co.table;
	raw_spin_lock_irq(&table->lock);
	was = table->last;
	table->last = id / (xtimeout_ntables() + 1);
	raw_spin_unlock_irq(&table->lock);
	return was * (xtimeout_ntables() + 1);
}

/* Before, at and after the end of 32 and of 64 bits. */
static void ids_at_the_ends(struct xut *t)
{
	u64 half = SOME_IDS / 2 * (xtimeout_ntables() + 1), was;

	xut_pin(t, raw_smp_processor_id());
	was = set_next_id(BIT_ULL(32) - half);
	ids_differ(t);
	set_next_id(U64_MAX - half);
	ids_differ(t);
	set_next_id(was + half);
}

static void id_in_use_is_passed_over(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	xtimeout_id_t first, second;
	u64 was;

	xut_pin(t, raw_smp_processor_id());
	was = set_next_id(BIT_ULL(40));
	first = xtimeout(count, &ran, FAR_TICKS);
	set_next_id(BIT_ULL(40));
	second = xtimeout(count, &ran, 2 * FAR_TICKS);
	XUT_EXPECT(t, first != second);
	XUT_EXPECT(t, xuntimeout(second) > FAR_TICKS);
	XUT_EXPECT(t, xuntimeout(first) >= 0);
	set_next_id(was);
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

/* Also those of other tables, of no table, and such as have not been given yet. */
static void unknown_ids(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	xtimeout_id_t id;
	u64 off;

	XUT_EXPECT_EQ(t, xuntimeout(0), -1);
	XUT_EXPECT_EQ(t, xuntimeout(1), -1);
	XUT_EXPECT_EQ(t, xuntimeout(U64_MAX), -1);
	XUT_EXPECT_EQ(t, xuntimeout_nowait(U64_MAX), -1);

	id = xtimeout(count, &ran, FAR_TICKS);
	for (off = 1; off <= 2 * (xtimeout_ntables() + 1); off++) {
		XUT_EXPECT_EQ(t, xuntimeout(id + off), -1);
		XUT_EXPECT_EQ(t, xuntimeout(id - off), -1);
		XUT_EXPECT_EQ(t, xuntimeout_nowait(id + off), -1);
		XUT_EXPECT_EQ(t, xuntimeout_nowait(id - off), -1);
	}
	XUT_EXPECT(t, xuntimeout(id) > 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
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
	bool armed;
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

static void arm_and_stop_self(void *arg)
{
	struct self *s = arg;

	xcallout_arm_ns(&s->co, FAR_NS);
	s->stop_sync = xcallout_stop_sync(&s->co);
	s->armed = xcallout_armed(&s->co);
	complete(&s->done);
}

/* Must not wait for itself; the arming goes all the same. */
static void from_own_function_armed_again(struct xut *t)
{
	struct self s = { .armed = true };

	init_completion(&s.done);
	xcallout_init(&s.co, THIS_MODULE, arm_and_stop_self, &s);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&s.co, 0), 0);
	xut_step(t, "waiting for a function that arms and stops its callout");
	wait_for_completion(&s.done);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&s.co), 0);
	XUT_EXPECT_EQ(t, s.stop_sync, -EDEADLK);
	XUT_EXPECT(t, !s.armed);
}

/* A function that arms others and cancels them: one ARMED, one RUNNING, one DONE. */
struct master {
	struct held held;
	struct releaser releaser;
	struct xtaskq *tq;
	struct completion done;
	long armed, running, over;
	int ended;
};

static void cancel_others(void *arg)
{
	struct master *m = arg;
	xtimeout_id_t id;

	m->releaser.waiter = current;
	m->releaser.held = &m->held;
	m->armed = xuntimeout(xtimeout(hold, &m->held, FAR_TICKS));
	id = xtimeout(hold, &m->held, 1);
	while (!atomic_read(&m->held.begun))
		usleep_range(20, 100);
	xtaskq_dispatch(m->tq, release_when_waiting, &m->releaser, XTASKQ_SLEEP);
	m->running = xuntimeout(id);
	m->ended = atomic_read(&m->held.ended);
	WRITE_ONCE(m->releaser.returned, true);
	m->over = xuntimeout(id);
	complete(&m->done);
}

static void others_from_a_function(struct xut *t)
{
	struct master m = { .tq = xtaskq_create("xut", 1, XTASKQ_PRI_NORMAL, 0, 0, 0) };
	xtimeout_id_t id;

	if (!XUT_EXPECT(t, !IS_ERR(m.tq)))
		return;
	held_init(&m.held);
	init_completion(&m.done);
	id = xtimeout(cancel_others, &m, 1);
	xut_step(t, "waiting for a function that cancels others");
	wait_for_completion(&m.done);
	XUT_EXPECT_EQ(t, xuntimeout(id), -1);
	XUT_EXPECT_EQ(t, xtaskq_destroy(m.tq), 0);
	XUT_WAIT(t, atomic_read(&m.held.ended) == atomic_read(&m.held.begun));
	XUT_EXPECT(t, m.armed > 0);
	XUT_EXPECT_EQ(t, m.running, -1);
	XUT_EXPECT_EQ(t, m.ended, 1);
	XUT_EXPECT_EQ(t, m.over, -1);
	XUT_EXPECT_EQ(t, atomic_read(&m.held.begun), 1);
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
	XUT_CASE(ids_at_the_ends),
	XUT_CASE(id_in_use_is_passed_over),
	XUT_CASE(unknown_ids),
	XUT_CASE(cancel_armed),
	XUT_CASE(cancel_fired),
	XUT_CASE(cancel_running),
	XUT_CASE(stop_running),
	XUT_CASE(from_own_function),
	XUT_CASE(from_own_function_armed_again),
	XUT_CASE(others_from_a_function),
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
	XUT_EXPECT(t, h.id > 1 && h.far_id > 1 && h.far_id != h.id);
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

struct busy {
	struct held held;
	struct xcallout co;
	xtimeout_id_t id;
	long cancelled;
	s64 generic;
	int stopped;
};

static void cancel_busy(void *arg)
{
	struct busy *b = arg;

	b->cancelled = xuntimeout_nowait(b->id);
	b->generic = xuntimeout_generic(b->id, true);
	b->stopped = xcallout_stop(&b->co);
}

static void busy_in_context(struct xut *t)
{
	int err = t->context == XUT_NMI ? -EWOULDBLOCK : -EBUSY;
	struct busy b = {};
	bool done;

	held_init(&b.held);
	xcallout_init(&b.co, THIS_MODULE, hold, &b.held);
	b.id = xtimeout(hold, &b.held, 1);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&b.co, 0), 0);
	XUT_WAIT(t, atomic_read(&b.held.begun) == 2);
	done = xut_run_here(t, cancel_busy, &b);
	XUT_EXPECT_EQ(t, atomic_read(&b.held.ended), 0);
	complete_all(&b.held.go);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&b.co), 0);
	XUT_EXPECT_EQ(t, xuntimeout(b.id), -1);
	XUT_EXPECT_EQ(t, atomic_read(&b.held.ended), 2);
	if (!done)
		return;
	XUT_EXPECT_EQ(t, b.cancelled, err);
	XUT_EXPECT_EQ(t, b.generic, err);
	XUT_EXPECT_EQ(t, b.stopped, err);
}

static const struct xut_case timeout_busy_cases[] = {
	XUT_UNLOCKED_CASES(busy_in_context),
	{}
};

XUT_SHARED_SUITE(timeout_busy, timeout_busy_cases);

module_xut(&timeout, &timeout_race, &timeout_callout, &timeout_wall, &timeout_window,
	   &timeout_cpu, &timeout_many, &timeout_torture, &timeout_arm, &timeout_busy,
	   &timeout_solaris, &dynvar, &dynvar_ipi);
MODULE_DESCRIPTION("Unit cases of the timeout layer");
MODULE_LICENSE("GPL");
