// SPDX-License-Identifier: GPL-2.0-only
/* taskq: taking tasks back by id; threads that are reserved; waits for all until now. */
#include <linux/kthread.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include "taskq_test.h"

static void count(void *arg)
{
	atomic_inc(arg);
}

/* gate | 1 2 3, of which 2 is taken back */
static void cancel_id_takes_back_what_is_pending(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);
	xtaskqid_t ids[3], first;
	struct gate g;
	int i;

	if (!tq)
		return;
	gate_init(&g);
	first = xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP);
	XUT_WAIT(t, atomic_read(&g.inside) == 1);
	for (i = 0; i < 3; i++)
		ids[i] = xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id(tq, ids[1]), 0);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id(tq, ids[1]), -ENOENT);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id_nowait(tq, ids[2]), 0);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id_nowait(tq, first), -EBUSY);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id_nowait(tq, ids[2] + 100), -ENOENT);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id(tq, 0), -ENOENT);
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, ids[1]), 0);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id(tq, first), -ENOENT);
	expect_balance(t, tq, 4, 2, 2, 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* A cancellation while the function runs returns after the function has. */
static void cancel_id_waits_for_what_runs(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct opener o = { .waiter = current };
	struct gate g;
	xtaskqid_t id;

	if (!tq)
		return;
	gate_init(&g);
	o.gate = &g;
	id = xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP);
	XUT_WAIT(t, atomic_read(&g.inside) == 1);
	XUT_EXPECT(t, xtaskq_dispatch(tq, opener_func, &o, XTASKQ_SLEEP));
	XUT_EXPECT_EQ(t, xtaskq_cancel_id(tq, id), -EBUSY);
	XUT_EXPECT_EQ(t, atomic_read(&g.passed), 1);
	WRITE_ONCE(o.returned, true);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

struct self {
	struct xtaskq *tq;
	xtaskqid_t id, other;
	struct completion told;
	int own, nowait, pending, own_queue;
};

static void cancel_from_function(void *arg)
{
	struct self *s = arg;

	wait_for_completion(&s->told);
	s->own = xtaskq_cancel_id(s->tq, s->id);
	s->nowait = xtaskq_cancel_id_nowait(s->tq, s->id);
	s->pending = xtaskq_cancel_id(s->tq, s->other);
	s->own_queue = xtaskq_suspend(s->tq);
}

static void cancel_from_a_function_of_the_queue(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct self s = { .tq = tq };
	atomic_t ran = ATOMIC_INIT(0);

	if (!tq)
		return;
	init_completion(&s.told);
	s.id = xtaskq_dispatch(tq, cancel_from_function, &s, XTASKQ_SLEEP);
	s.other = xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP);
	complete(&s.told);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, s.own, -EDEADLK);
	XUT_EXPECT_EQ(t, s.nowait, -EBUSY);
	XUT_EXPECT_EQ(t, s.pending, 0);
	XUT_EXPECT_EQ(t, s.own_queue, -EDEADLK);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

#define RACES	2000	/* rounds */

struct canceller {
	struct xtaskq *tq;
	xtaskqid_t id;
	int round;
	unsigned long won, lost, ran_after_all, errors;
	atomic_t ran;
	int done;
};

/* Takes back what the case dispatches, whenever it comes to it. */
static int cancel_thread(void *arg)
{
	struct canceller *c = arg;
	int seen = 0, err, ran;

	while (seen < RACES * (1 + (int)xut_soak)) {
		if (smp_load_acquire(&c->round) == seen) {	/* from the case */
			cond_resched();
			continue;
		}
		seen++;
		err = xtaskq_cancel_id(c->tq, c->id);
		ran = atomic_read(&c->ran);
		if (err == 0)
			c->won++;
		else if (err == -EBUSY || err == -ENOENT)
			c->lost++;
		else
			c->errors++;
		/* Told of the end, or of the cancellation: it is not coming any more. */
		c->ran_after_all += err ? ran != 1 : ran != 0;
		smp_store_release(&c->done, seen);		/* to the case */
	}
	return xut_until_stopped();
}

static void race_once(struct canceller *c, int i)
{
	atomic_set(&c->ran, 0);
	c->id = xtaskq_dispatch(c->tq, count, &c->ran, i & 1 ? XTASKQ_FRONT : 0);
	smp_store_release(&c->round, i);			/* to cancel_thread() */
	while (smp_load_acquire(&c->done) != i)			/* from cancel_thread() */
		cond_resched();
	c->ran_after_all += !c->id;
}

/* One of "it ran" and "it was taken back", decided while the runner comes for it. */
static void cancel_against_dequeue(struct xut *t)
{
	struct canceller c = { .tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 4, 0, 0) };
	struct task_struct *task;
	int i;

	if (!c.tq)
		return;
	task = kthread_create(cancel_thread, &c, "xut_cancel");
	if (XUT_EXPECT(t, !IS_ERR(task))) {
		get_task_struct(task);
		wake_up_process(task);
		for (i = 1; i <= RACES * (1 + (int)xut_soak); i++)
			race_once(&c, i);
		kthread_stop(task);
		put_task_struct(task);
	}
	xut_info(t, "taken back %lu times, too late %lu times", c.won, c.lost);
	XUT_EXPECT_EQ(t, c.ran_after_all, 0);
	XUT_EXPECT_EQ(t, c.errors, 0);
	XUT_EXPECT_EQ(t, xtaskq_wait(c.tq), 0);
	expect_balance(t, c.tq, RACES * (1 + xut_soak), c.lost, c.won, 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(c.tq), 0);
}

static const struct xut_case cancel_cases[] = {
	XUT_CASE(cancel_id_takes_back_what_is_pending),
	XUT_CASE(cancel_id_waits_for_what_runs),
	XUT_CASE(cancel_from_a_function_of_the_queue),
	XUT_CASE(cancel_against_dequeue),
	{}
};

XUT_SHARED_SUITE(taskq_cancel, cancel_cases);

/* Two threads: two tasks that may not be queued, and no third. */
static void noqueue(struct xut *t, unsigned int flags)
{
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, flags);
	atomic_t ran = ATOMIC_INIT(0);
	struct xtaskq_ent ent;
	struct gate g;
	xtaskqid_t id;

	if (!tq)
		return;
	gate_init(&g);
	xtaskq_init_ent(&ent);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_NOQUEUE));
	id = xtaskq_dispatch_ent(tq, gate_pass, &g, XTASKQ_NOQUEUE, &ent);
	XUT_EXPECT(t, id);
	/* Both are spoken for, whether or not they are there yet. */
	XUT_EXPECT_EQ(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_NOQUEUE | XTASKQ_NOSLEEP), 0);
	xut_step(t, "both run beside each other");
	XUT_WAIT(t, atomic_read(&g.inside) == 2);
	XUT_EXPECT(t, xtaskq_ent_idle(&ent));
	XUT_EXPECT_EQ(t, xtaskq_dispatch_ent(tq, count, &ran, XTASKQ_NOQUEUE, &ent), 0);
	XUT_EXPECT(t, xtaskq_ent_idle(&ent));
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, id), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
	expect_balance(t, tq, 4, 2, 0, 2);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static void noqueue_is_never_queued_workqueue(struct xut *t)
{
	noqueue(t, 0);
}

/* Whenever one is let in it runs beside those that stay. */
static void noqueue_is_never_queued_dynamic(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 4, XTASKQ_PRI_NORMAL, 0, 0,
				  XTASKQ_DEDICATED | XTASKQ_DYNAMIC);
	struct gate g;
	int i;

	if (!tq)
		return;
	gate_init(&g);
	for (i = 1; i <= 4; i++) {
		xut_step(t, "a thread is idle");
		XUT_WAIT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_NOQUEUE));
		xut_step(t, "it is used");
		XUT_WAIT(t, atomic_read(&g.inside) == i);
	}
	XUT_EXPECT_EQ(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_NOQUEUE), 0);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&g.passed), 4);
}

static void noqueue_is_never_queued_dedicated(struct xut *t)
{
	noqueue(t, XTASKQ_DEDICATED);
}

/* Given to a runner that cannot come, then taken back: the runner finds other work. */
static void noqueue_is_taken_back(struct xut *t)
{
	unsigned int i, won = 0, rounds = 500 * (1 + xut_soak);
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 2, 0,
				  XTASKQ_PREPOPULATE | XTASKQ_DEDICATED);
	atomic_t ran = ATOMIC_INIT(0), others = ATOMIC_INIT(0);
	xtaskqid_t id;
	int err;

	if (!tq)
		return;
	for (i = 0; i < rounds; i++) {
		id = xtaskq_dispatch(tq, count, &ran, XTASKQ_NOQUEUE | XTASKQ_NOALLOC);
		XUT_EXPECT(t, id);
		XUT_EXPECT(t, xtaskq_dispatch(tq, count, &others, XTASKQ_NOALLOC));
		err = xtaskq_cancel_id(tq, id);
		won += !err;
		XUT_EXPECT(t, !err || err == -EBUSY || err == -ENOENT);
		XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
		if (!XUT_EXPECT_EQ(t, atomic_read(&others), i + 1))
			break;
	}
	xut_info(t, "%u of %u taken back", won, rounds);
	XUT_EXPECT_EQ(t, atomic_read(&ran), rounds - won);
	expect_balance(t, tq, 2 * rounds, 2 * rounds - won, won, 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* minalloc entries and no more: the next one fails and nothing is allocated. */
static void noalloc_takes_spare_entries_only(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 3, 0, XTASKQ_PREPOPULATE);
	struct gate g;
	int i;

	if (!tq)
		return;
	gate_init(&g);
	for (i = 0; i < 3; i++)
		XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_NOALLOC));
	XUT_EXPECT_EQ(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_NOALLOC), 0);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_NOALLOC));
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	expect_balance(t, tq, 5, 4, 0, 1);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static const struct xut_case noqueue_cases[] = {
	XUT_CASE(noqueue_is_never_queued_workqueue),
	XUT_CASE(noqueue_is_never_queued_dedicated),
	XUT_CASE(noqueue_is_never_queued_dynamic),
	XUT_CASE(noqueue_is_taken_back),
	XUT_CASE(noalloc_takes_spare_entries_only),
	{}
};

XUT_SHARED_SUITE(taskq_noqueue, noqueue_cases);

/*
 * first ----]          its gate opens
 * second -------]      so does its
 * later  ------------]
 *            w   v     waits until second, and until now
 */
static void outstanding(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 3, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct gate gates[3];
	xtaskqid_t ids[3];
	int i;

	if (!tq)
		return;
	for (i = 0; i < 3; i++) {
		gate_init(&gates[i]);
		ids[i] = xtaskq_dispatch(tq, gate_pass, &gates[i], XTASKQ_SLEEP);
	}
	XUT_EXPECT_EQ(t, xtaskq_wait_outstanding_timeout(tq, ids[0], NSEC_PER_MSEC), -ETIMEDOUT);
	complete_all(&gates[1].open);
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, ids[1]), 0);
	/* Later than the first, which is not done. */
	XUT_EXPECT_EQ(t, xtaskq_wait_outstanding_timeout(tq, ids[1], NSEC_PER_MSEC), -ETIMEDOUT);
	complete_all(&gates[0].open);
	xut_step(t, "the third goes on");
	XUT_EXPECT_EQ(t, xtaskq_wait_outstanding(tq, ids[1]), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait_outstanding_killable(tq, ids[0]), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait_outstanding_timeout(tq, 0, NSEC_PER_MSEC), -ETIMEDOUT);
	XUT_EXPECT(t, !xtaskq_empty(tq));
	complete_all(&gates[2].open);
	XUT_EXPECT_EQ(t, xtaskq_wait_outstanding(tq, 0), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait_outstanding(tq, ids[2] + 100), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait_id_killable(tq, ids[2]), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait_id_timeout(tq, ids[2], 0), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* What is at the front, with a larger id, does not stand for those behind it. */
static void outstanding_goes_by_id(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct gate g[2];
	xtaskqid_t id;
	int i;

	if (!tq)
		return;
	for (i = 0; i < 2; i++)
		gate_init(&g[i]);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g[0], XTASKQ_SLEEP));
	XUT_WAIT(t, atomic_read(&g[0].inside) == 1);
	id = xtaskq_dispatch(tq, gate_pass, &g[1], XTASKQ_SLEEP);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g[0], XTASKQ_FRONT));
	complete_all(&g[0].open);
	XUT_WAIT(t, atomic_read(&g[1].inside) == 1);
	XUT_EXPECT_EQ(t, xtaskq_wait_outstanding_timeout(tq, id, NSEC_PER_MSEC), -ETIMEDOUT);
	complete_all(&g[1].open);
	XUT_EXPECT_EQ(t, xtaskq_wait_outstanding(tq, id), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static const struct xut_case outstanding_cases[] = {
	XUT_CASE(outstanding),
	XUT_CASE(outstanding_goes_by_id),
	{}
};

XUT_SHARED_SUITE(taskq_outstanding, outstanding_cases);
