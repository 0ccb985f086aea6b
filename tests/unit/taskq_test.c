// SPDX-License-Identifier: GPL-2.0-only
/* taskq: order, exact number of threads, waiting. */
#include <linux/limits.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include "taskq_test.h"

#define MANY	1000

struct record {
	struct gate gate;
	unsigned int n;
	int seen[MANY];
	struct note {
		struct record *record;
		int number;
	} notes[MANY];
};

/* One thread at a time: no lock. */
static void take_note(void *arg)
{
	struct note *note = arg;

	note->record->seen[note->record->n++] = note->number;
}

static struct record *record_new(struct xut *t)
{
	struct record *r = kvzalloc(sizeof(*r), GFP_KERNEL);
	unsigned int i;

	if (!XUT_EXPECT(t, r))
		return NULL;
	gate_init(&r->gate);
	for (i = 0; i < MANY; i++)
		r->notes[i] = (struct note){ .record = r, .number = i };
	return r;
}

static void one_thread_keeps_order(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct record *r = record_new(t);
	xtaskqid_t id, last = 0;
	unsigned int i;

	if (!tq || !r)
		return;
	for (i = 0; i < MANY; i++) {
		id = xtaskq_dispatch(tq, take_note, &r->notes[i], XTASKQ_SLEEP);
		XUT_EXPECT(t, id > last);
		last = id;
	}
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, r->n, MANY);
	for (i = 0; i < MANY; i++)
		if (!XUT_EXPECT_EQ(t, r->seen[i], i))
			break;
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	kvfree(r);
}

/* gate | 0 1 F2 F3  ->  3 2 0 1 */
static void front_is_last_in_first_out(struct xut *t)
{
	static const int expected[] = { 3, 2, 0, 1 };
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct record *r = record_new(t);
	unsigned int i;

	if (!tq || !r)
		return;
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &r->gate, XTASKQ_SLEEP));
	XUT_WAIT(t, atomic_read(&r->gate.inside) == 1);
	for (i = 0; i < ARRAY_SIZE(expected); i++)
		XUT_EXPECT(t, xtaskq_dispatch(tq, take_note, &r->notes[i],
					      i < 2 ? XTASKQ_SLEEP : XTASKQ_FRONT));
	complete_all(&r->gate.open);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, r->n, ARRAY_SIZE(expected));
	for (i = 0; i < ARRAY_SIZE(expected); i++)
		XUT_EXPECT_EQ(t, r->seen[i], expected[i]);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	kvfree(r);
}

/*
 * n of 3n functions get in.  The gate opens only after that; then all of them have
 * passed, and there were never more than n inside.
 */
static void exactly(struct xut *t, int n, unsigned int flags)
{
	struct xtaskq *tq = QUEUE(t, n, XTASKQ_PRI_NORMAL, 0, 0, flags);
	struct gate g;
	int i;

	if (!tq)
		return;
	gate_init(&g);
	for (i = 0; i < 3 * n; i++)
		XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
	xut_step(t, "waiting for n functions at a time");
	XUT_WAIT(t, atomic_read(&g.inside) == n);
	XUT_EXPECT_EQ(t, xtaskq_wait_timeout(tq, 2 * NSEC_PER_MSEC), -ETIMEDOUT);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&g.passed), 3 * n);
	XUT_EXPECT_EQ(t, atomic_read(&g.most), n);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static const int thread_counts[] = { 1, 2, 8, 9, 33 };

static void exact_threads_workqueue(struct xut *t)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(thread_counts); i++)
		if (thread_counts[i] <= xtaskq_workqueue_limit())
			exactly(t, thread_counts[i], 0);
}

static void exact_threads_dedicated(struct xut *t)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(thread_counts); i++)
		exactly(t, thread_counts[i], XTASKQ_DEDICATED);
}

static void exact_threads_dynamic(struct xut *t)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(thread_counts); i++)
		exactly(t, thread_counts[i], XTASKQ_DEDICATED | XTASKQ_DYNAMIC);
}

static void create_refuses_nonsense(struct xut *t)
{
	int too_many = xtaskq_workqueue_limit() + 1;

	XUT_EXPECT_EQ(t, PTR_ERR(xtaskq_create("xut", 0, 0, 0, 0, 0)), -EINVAL);
	XUT_EXPECT_EQ(t, PTR_ERR(xtaskq_create("xut", 1, 2, 0, 0, 0)), -EINVAL);
	XUT_EXPECT_EQ(t, PTR_ERR(xtaskq_create("xut", 1, 0, -1, 0, 0)), -EINVAL);
	XUT_EXPECT_EQ(t, PTR_ERR(xtaskq_create("xut", 1, 0, 2, 1, 0)), -EINVAL);
	XUT_EXPECT_EQ(t, PTR_ERR(xtaskq_create("xut", 1, 0, 0, 0, BIT(9))), -EINVAL);
	XUT_EXPECT_EQ(t, PTR_ERR(xtaskq_create("xut", 1, 0, 0, 0, XTASKQ_DYNAMIC)),
		      -EINVAL);
	XUT_EXPECT_EQ(t, PTR_ERR(xtaskq_create("xut", 1, 0, 0, 0, XTASKQ_DYNAMIC |
					       XTASKQ_DEDICATED | XTASKQ_MEM_RECLAIM)), -EINVAL);
	XUT_EXPECT_EQ(t, PTR_ERR(xtaskq_create("xut", 101, 0, 0, 0, XTASKQ_THREADS_CPU_PCT)),
		      -EINVAL);
	XUT_EXPECT_EQ(t, PTR_ERR(xtaskq_create("xut", too_many, 0, 0, 0, 0)), -EINVAL);
	XUT_EXPECT_EQ(t, PTR_ERR(xtaskq_create("xut", INT_MAX, 0, 0, 0, 0)), -EINVAL);
	XUT_EXPECT_EQ(t, PTR_ERR(xtaskq_create("xut", INT_MAX, 0, 0, 0, XTASKQ_DEDICATED)),
		      -EINVAL);
}

static void functions_that_wait_for_one_another(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 16, XTASKQ_PRI_HIGH, 0, 0,
				  XTASKQ_DEDICATED | XTASKQ_DYNAMIC);
	struct meeting m;
	int i;

	if (!tq)
		return;
	init_completion(&m.all_here);
	atomic_set(&m.missing, 16);
	for (i = 0; i < 16; i++)
		XUT_EXPECT(t, xtaskq_dispatch(tq, meet, &m, XTASKQ_SLEEP));
	xut_step(t, "waiting for 16 functions that wait for each other");
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&m.missing), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static const struct xut_case order_cases[] = {
	XUT_CASE(one_thread_keeps_order),
	XUT_CASE(front_is_last_in_first_out),
	XUT_CASE(exact_threads_workqueue),
	XUT_CASE(exact_threads_dedicated),
	XUT_CASE(exact_threads_dynamic),
	XUT_CASE(functions_that_wait_for_one_another),
	XUT_CASE(create_refuses_nonsense),
	{}
};

XUT_SUITE(taskq_threads, order_cases);

/* Lets @wait begin while a function is inside the gate; it must see it outside. */
static void wait_outlasts(struct xut *t, unsigned int flags,
			  int (*wait)(struct xtaskq *tq, xtaskqid_t id))
{
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, flags);
	struct xtaskq *other = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct gate g;
	struct opener o = { .waiter = current, .gate = &g };
	xtaskqid_t id;

	if (!tq || !other)
		return;
	gate_init(&g);
	id = xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP);
	XUT_WAIT(t, atomic_read(&g.inside) == 1);
	XUT_EXPECT_EQ(t, xtaskq_wait_timeout(tq, NSEC_PER_MSEC), -ETIMEDOUT);
	XUT_EXPECT(t, xtaskq_dispatch(other, opener_func, &o, XTASKQ_SLEEP));
	xut_step(t, "waiting for a function that runs");
	XUT_EXPECT_EQ(t, wait(tq, id), 0);
	XUT_EXPECT_EQ(t, atomic_read(&g.passed), 1);
	WRITE_ONCE(o.returned, true);
	XUT_EXPECT_EQ(t, xtaskq_destroy(other), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static int wait_for_all(struct xtaskq *tq, xtaskqid_t id)
{
	return xtaskq_wait(tq);
}

static int wait_for_all_killable(struct xtaskq *tq, xtaskqid_t id)
{
	return xtaskq_wait_killable(tq);
}

static void wait_is_for_what_runs(struct xut *t)
{
	wait_outlasts(t, 0, wait_for_all);
	wait_outlasts(t, XTASKQ_DEDICATED, wait_for_all);
	wait_outlasts(t, 0, wait_for_all_killable);
}

static void wait_id_is_for_what_runs(struct xut *t)
{
	wait_outlasts(t, 0, xtaskq_wait_id);
	wait_outlasts(t, XTASKQ_DEDICATED, xtaskq_wait_id);
}

static void count(void *arg)
{
	atomic_inc(arg);
}

/* A: inside the gate.  B: waited for although A is not done. */
static void wait_id_is_for_one(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);
	xtaskqid_t a, b;
	struct gate g;

	if (!tq)
		return;
	gate_init(&g);
	a = xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP);
	b = xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP);
	xut_step(t, "waiting for the second of two tasks");
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, b), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	XUT_EXPECT_EQ(t, atomic_read(&g.passed), 0);
	/* Done, never given, no dispatch. */
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, b), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, U64_MAX), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, 0), 0);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, a), 0);
	XUT_EXPECT_EQ(t, atomic_read(&g.passed), 1);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* Both are pending behind the gate, so both waiters sleep before either is done. */
static void wait_id_is_for_what_is_pending(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct xtaskq *other = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);
	struct gate g;
	struct opener o = { .waiter = current, .gate = &g };
	xtaskqid_t id;

	if (!tq || !other)
		return;
	gate_init(&g);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
	id = xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP);
	XUT_EXPECT(t, xtaskq_dispatch(other, opener_func, &o, XTASKQ_SLEEP));
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, id), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	WRITE_ONCE(o.returned, true);
	XUT_EXPECT_EQ(t, xtaskq_destroy(other), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

struct self {
	struct xtaskq *tq;
	xtaskqid_t id;
	struct completion id_known;
	int wait, wait_id, timeout, destroy;
	bool member;
};

static void wait_for_self(void *arg)
{
	struct self *s = arg;

	wait_for_completion(&s->id_known);
	s->member = xtaskq_member(s->tq, current);
	s->wait = xtaskq_wait(s->tq);
	s->wait_id = xtaskq_wait_id(s->tq, s->id);
	s->timeout = xtaskq_wait_timeout(s->tq, NSEC_PER_SEC);
	s->destroy = xtaskq_destroy(s->tq);
}

static void waiting_for_oneself_fails(struct xut *t)
{
	static const unsigned int kinds[] = { 0, XTASKQ_DEDICATED };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct self s = { .tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, kinds[i]) };

		if (!s.tq)
			return;
		init_completion(&s.id_known);
		XUT_EXPECT(t, !xtaskq_member(s.tq, current));
		s.id = xtaskq_dispatch(s.tq, wait_for_self, &s, XTASKQ_SLEEP);
		complete(&s.id_known);
		xut_step(t, "waiting for a function that waits for itself");
		XUT_EXPECT_EQ(t, xtaskq_wait(s.tq), 0);
		XUT_EXPECT(t, s.member);
		XUT_EXPECT_EQ(t, s.wait, -EDEADLK);
		XUT_EXPECT_EQ(t, s.wait_id, -EDEADLK);
		XUT_EXPECT_EQ(t, s.timeout, -EDEADLK);
		XUT_EXPECT_EQ(t, s.destroy, -EDEADLK);
		XUT_EXPECT_EQ(t, xtaskq_destroy(s.tq), 0);
	}
}

static void waiting_in_atomic_context_fails(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	int wait, wait_id, cancel, destroy;

	if (!tq)
		return;
	local_irq_disable();
	wait = xtaskq_wait(tq);
	wait_id = xtaskq_wait_id(tq, 1);
	cancel = xtaskq_cancel_id(tq, 1);
	destroy = xtaskq_destroy(tq);
	local_irq_enable();
	XUT_EXPECT_EQ(t, wait, -EWOULDBLOCK);
	XUT_EXPECT_EQ(t, wait_id, -EWOULDBLOCK);
	XUT_EXPECT_EQ(t, cancel, -EWOULDBLOCK);
	XUT_EXPECT_EQ(t, destroy, -EWOULDBLOCK);
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT)) {
		preempt_disable();
		wait = xtaskq_wait(tq);
		cancel = xtaskq_cancel_id(tq, 1);
		preempt_enable();
		XUT_EXPECT_EQ(t, wait, -EWOULDBLOCK);
		XUT_EXPECT_EQ(t, cancel, -EWOULDBLOCK);
	}
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static const struct xut_case wait_cases[] = {
	XUT_CASE(wait_is_for_what_runs),
	XUT_CASE(wait_id_is_for_what_runs),
	XUT_CASE(wait_id_is_for_one),
	XUT_CASE(wait_id_is_for_what_is_pending),
	XUT_CASE(waiting_for_oneself_fails),
	XUT_CASE(waiting_in_atomic_context_fails),
	{}
};

XUT_SHARED_SUITE(taskq_wait, wait_cases);

module_xut(&taskq_threads, &taskq_wait, &taskq_entry, &taskq_destroy, &dispatch,
	   &dispatch_any, &taskq_cancel, &taskq_noqueue, &taskq_outstanding, &taskq_suspend,
	   &taskq_delay, &taskq_percent, &taskq_torture, &taskq_hard, &taskq_storm,
	   &taskq_starved, &taskq_pm, &taskq_conform);
MODULE_DESCRIPTION("Unit cases of the taskq layer");
MODULE_LICENSE("GPL");
