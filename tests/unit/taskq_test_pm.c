// SPDX-License-Identifier: GPL-2.0-only
/*
 * taskq: queues while the system suspends.
 *
 * It really does, as far as /sys/power/pm_test has it go; tests/unit/suspended sets that
 * and says so.  What is looked at in between is looked at by a thread that is not frozen.
 */
#include <linux/moduleparam.h>
#include <linux/suspend.h>
#include "taskq_test.h"
#include "taskq_test_thread.h"

static bool suspends;
module_param(suspends, bool, 0400);
MODULE_PARM_DESC(suspends, "pm_test is set, so the system may be suspended (false)");

static void count(void *arg)
{
	atomic_inc(arg);
}

static bool may_suspend(struct xut *t)
{
	if (!suspends)
		xut_skip(t, "the system may not be suspended, see tests/unit/suspended");
	return suspends;
}

static bool is_frozen(struct xtaskq *tq)
{
	bool frozen;

	raw_spin_lock_irq(&tq->lock);
	frozen = tq->frozen;
	raw_spin_unlock_irq(&tq->lock);
	return frozen;
}

struct watched {
	struct xtaskq *tq, *safe, *late;
	struct gate *gate;		/* that a function of tq stands at */
	atomic_t ran, ran_safe;
	int passed, ran_frozen, wait_safe, wait;
	bool was_frozen;
};

/*
 * Opens the gate when the queue is frozen; then has tasks put on that queue, on one that
 * goes on, and on a new one.
 */
static void watch(struct helper *h)
{
	struct watched *w = h->arg;

	while (!is_frozen(w->tq))
		usleep_range(100, 200);
	complete_all(&w->gate->open);
	xtaskq_dispatch(w->tq, count, &w->ran, XTASKQ_SLEEP);
	w->late = xtaskq_create("xut_late", 2, XTASKQ_PRI_NORMAL, 0, 0, 0);
	if (!IS_ERR(w->late))
		xtaskq_dispatch(w->late, count, &w->ran, XTASKQ_SLEEP);
	xtaskq_dispatch(w->safe, count, &w->ran_safe, XTASKQ_SLEEP);
	w->wait_safe = xtaskq_wait(w->safe);
	w->wait = xtaskq_wait_timeout(w->tq, 20 * NSEC_PER_MSEC);
	w->ran_frozen = atomic_read(&w->ran);
	w->passed = atomic_read(&w->gate->passed);
	w->was_frozen = is_frozen(w->tq);
}

static void queues_stand_still(struct xut *t)
{
	struct watched w = {};
	struct helper h = { .arg = &w };
	struct gate g;

	if (!may_suspend(t))
		return;
	w.tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, XTASKQ_DEDICATED);
	w.safe = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, XTASKQ_CPR_SAFE);
	if (!w.tq || !w.safe)
		return;
	gate_init(&g);
	w.gate = &g;
	XUT_EXPECT(t, xtaskq_dispatch(w.tq, gate_pass, &g, XTASKQ_SLEEP));
	XUT_WAIT(t, atomic_read(&g.inside) == 1);
	if (!helper_begin(t, &h, watch, w.tq))
		return;
	xut_step(t, "suspending");
	XUT_EXPECT_EQ(t, pm_suspend(PM_SUSPEND_TO_IDLE), 0);
	helper_end(t, &h);
	XUT_EXPECT(t, w.was_frozen && w.passed == 1);
	XUT_EXPECT_EQ(t, w.wait_safe, 0);
	XUT_EXPECT_EQ(t, atomic_read(&w.ran_safe), 1);
	XUT_EXPECT_EQ(t, w.wait, -ETIMEDOUT);
	XUT_EXPECT_EQ(t, w.ran_frozen, 0);
	xut_step(t, "what was held begins");
	XUT_EXPECT_EQ(t, xtaskq_wait(w.tq), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(w.late), 0);
	XUT_EXPECT_EQ(t, atomic_read(&w.ran), 2);
	XUT_EXPECT_EQ(t, xtaskq_destroy(w.tq), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(w.safe), 0);
}

static void wake_the_system(struct helper *h)
{
	while (!is_frozen(h->tq))
		usleep_range(100, 200);
	pm_system_wakeup();
}

/* The system gives up for another reason: the queue goes on. */
static void a_function_stays(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct helper h = {};
	struct xtaskq *tq;
	struct gate g;

	if (!may_suspend(t))
		return;
	tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, 0);
	if (!tq)
		return;
	gate_init(&g);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
	XUT_WAIT(t, atomic_read(&g.inside) == 1);
	if (helper_begin(t, &h, wake_the_system, tq)) {
		xut_step(t, "suspending");
		XUT_EXPECT_EQ(t, pm_suspend(PM_SUSPEND_TO_IDLE), -EBUSY);
		helper_end(t, &h);
	}
	xut_step(t, "another one begins");
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP)), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

struct steps {
	struct xtaskq *tq;
	struct xtaskq_ent ent;
	int left;
};

static void next_step(void *arg)
{
	struct steps *s = arg;

	msleep(20);
	if (--s->left)
		xtaskq_dispatch_ent(s->tq, next_step, s, 0, &s->ent);
}

/*
 * Whoever runs this case waits for a queue that is busy for seconds, and can only be
 * frozen, and with it the system, if that queue goes on.
 */
static void a_user_task_waits(struct xut *t)
{
	struct steps s = { .left = 100 };

	if (!may_suspend(t))
		return;
	s.tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	if (!s.tq)
		return;
	xtaskq_init_ent(&s.ent);
	XUT_EXPECT(t, xtaskq_dispatch_ent(s.tq, next_step, &s, 0, &s.ent));
	xut_step(t, "waiting");
	XUT_EXPECT_EQ(t, xtaskq_wait(s.tq), 0);
	XUT_EXPECT_EQ(t, s.left, 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(s.tq), 0);
}

static const struct xut_case pm_cases[] = {
	XUT_CASE(queues_stand_still),
	XUT_CASE(a_function_stays),
	XUT_CASE(a_user_task_waits),
	{}
};

XUT_SHARED_SUITE(taskq_pm, pm_cases);
