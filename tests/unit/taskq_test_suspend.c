// SPDX-License-Identifier: GPL-2.0-only
/* taskq: queues that stand still, tasks that come later, threads by CPUs. */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include "taskq_test.h"

static void count(void *arg)
{
	atomic_inc(arg);
}

/*
 * runs    [------]
 * suspend   s     returns
 * pending      p          begins
 * resume                 r
 */
static void suspension(struct xut *t, unsigned int flags)
{
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, flags);
	struct opener o = { .waiter = current };
	atomic_t ran = ATOMIC_INIT(0);
	struct xtaskq *other = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct gate g;
	int i;

	if (!tq || !other)
		return;
	gate_init(&g);
	o.gate = &g;
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
	XUT_WAIT(t, atomic_read(&g.inside) == 1);
	XUT_EXPECT(t, xtaskq_dispatch(other, opener_func, &o, XTASKQ_SLEEP));
	xut_step(t, "suspending");
	XUT_EXPECT_EQ(t, xtaskq_suspend(tq), 0);
	WRITE_ONCE(o.returned, true);
	XUT_EXPECT_EQ(t, atomic_read(&g.passed), 1);

	XUT_EXPECT_EQ(t, xtaskq_suspend(tq), 0);
	for (i = 0; i < 10; i++)
		XUT_EXPECT(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP));
	XUT_EXPECT_EQ(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_NOQUEUE), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait_timeout(tq, 5 * NSEC_PER_MSEC), -ETIMEDOUT);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), -EBUSY);
	xtaskq_resume(tq);
	XUT_EXPECT(t, xtaskq_suspended(tq));
	XUT_EXPECT_EQ(t, xtaskq_wait_timeout(tq, 5 * NSEC_PER_MSEC), -ETIMEDOUT);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
	xtaskq_resume(tq);
	XUT_EXPECT(t, !xtaskq_suspended(tq));
	xut_step(t, "resumed");
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 10);
	expect_balance(t, tq, 12, 11, 0, 1);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(other), 0);
}

static void suspend_workqueue(struct xut *t)
{
	suspension(t, 0);
}

static void suspend_dedicated(struct xut *t)
{
	suspension(t, XTASKQ_DEDICATED);
}

static void suspend_dynamic(struct xut *t)
{
	suspension(t, XTASKQ_DEDICATED | XTASKQ_DYNAMIC);
}

static void resume_it(void *arg)
{
	xtaskq_resume(arg);
}

/* From a thread of another queue; and pending tasks can be taken back meanwhile. */
static void resume_from_another_thread(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 4, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);
	xtaskqid_t ids[8], resumer;
	int i;

	if (!tq)
		return;
	XUT_EXPECT_EQ(t, xtaskq_suspend(tq), 0);
	for (i = 0; i < 8; i++)
		ids[i] = xtaskq_dispatch(tq, count, &ran, i & 1 ? XTASKQ_FRONT : 0);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id(tq, ids[3]), 0);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id_nowait(tq, ids[4]), 0);
	resumer = xtaskq_dispatch(xtaskq_system, resume_it, tq, XTASKQ_SLEEP);
	XUT_EXPECT(t, resumer);
	/* Another dispatch would get a queue going that was forgotten. */
	if (!XUT_WAIT(t, atomic_read(&ran) == 6))
		XUT_EXPECT(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP));
	for (i = 0; i < 8; i++)
		XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, ids[i]), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 6);
	expect_balance(t, tq, 8, 6, 2, 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait_id(xtaskq_system, resumer), 0);
}

static const struct xut_case suspend_cases[] = {
	XUT_CASE(suspend_workqueue),
	XUT_CASE(suspend_dedicated),
	XUT_CASE(suspend_dynamic),
	XUT_CASE(resume_from_another_thread),
	{}
};

XUT_SHARED_SUITE(taskq_suspend, suspend_cases);

struct due {
	ktime_t at, ran;
	unsigned int *next, place;
};

static void note_due(void *arg)
{
	struct due *d = arg;

	d->ran = ktime_get();
	d->place = (*d->next)++;
}

/* Dispatched in another order than they are due; none too early. */
static void delays_are_kept(struct xut *t)
{
	static const unsigned int us[] = { 9000, 3000, 12000, 0, 6000 };
	static const unsigned int places[] = { 3, 1, 4, 0, 2 };
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct due dues[ARRAY_SIZE(us)];
	unsigned int i, next = 0;
	bool in_order = true;

	if (!tq)
		return;
	for (i = 0; i < ARRAY_SIZE(us); i++) {
		dues[i] = (struct due) { .next = &next };
		dues[i].at = ktime_add_us(ktime_get(), us[i]);
		XUT_EXPECT(t, xtaskq_dispatch_delay(tq, note_due, &dues[i], XTASKQ_SLEEP,
						    us[i] * NSEC_PER_USEC, 0));
	}
	xut_step(t, "waiting for what is delayed");
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, next, ARRAY_SIZE(us));
	for (i = 0; i < ARRAY_SIZE(us); i++) {
		XUT_EXPECT(t, ktime_compare(dues[i].ran, dues[i].at) >= 0);
		in_order &= dues[i].place == places[i];
	}
	/* A machine that was held up while they were dispatched may have them late. */
	xut_info(t, "%s order", in_order ? "in" : "in another");
	expect_balance(t, tq, ARRAY_SIZE(us), ARRAY_SIZE(us), 0, 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static void delayed_is_taken_back(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 4, 0);
	atomic_t ran = ATOMIC_INIT(0);
	xtaskqid_t ids[4];
	int i;

	if (!tq)
		return;
	for (i = 0; i < 4; i++)
		ids[i] = xtaskq_dispatch_delay(tq, count, &ran, XTASKQ_SLEEP,
					       3600ULL * NSEC_PER_SEC, NSEC_PER_SEC);
	XUT_EXPECT(t, ids[3] > ids[0] && ids[0]);
	/* maxalloc */
	XUT_EXPECT_EQ(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_NOSLEEP), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait_timeout(tq, NSEC_PER_MSEC), -ETIMEDOUT);
	for (i = 0; i < 4; i++)
		XUT_EXPECT_EQ(t, i & 1 ? xtaskq_cancel_id(tq, ids[i]) :
					 xtaskq_cancel_id_nowait(tq, ids[i]), 0);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id(tq, ids[0]), -ENOENT);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_NOSLEEP));
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	expect_balance(t, tq, 6, 1, 4, 1);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* When the timer fires and when somebody cancels is about the same. */
static void cancel_against_timer(struct xut *t)
{
	unsigned int i, won = 0, rounds = 1000 * (1 + xut_soak);
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, XTASKQ_DEDICATED);
	atomic_t ran = ATOMIC_INIT(0);
	xtaskqid_t id;
	int err;

	if (!tq)
		return;
	for (i = 0; i < rounds; i++) {
		id = xtaskq_dispatch_delay(tq, count, &ran, XTASKQ_SLEEP, 20000, 0);
		udelay(i % 40);
		err = xtaskq_cancel_id(tq, id);
		won += !err;
		if (!XUT_EXPECT(t, !err || err == -EBUSY || err == -ENOENT) ||
		    !XUT_EXPECT_EQ(t, atomic_read(&ran) + won, i + 1))
			break;
	}
	xut_info(t, "%u of %u taken back", won, rounds);
	expect_balance(t, tq, rounds, rounds - won, won, 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* At maxalloc, and the spare entries are too small: given one after a second. */
static void delayed_beside_spare_entries(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 3, 3, XTASKQ_PREPOPULATE);
	atomic_t ran = ATOMIC_INIT(0);

	if (!tq)
		return;
	XUT_EXPECT_EQ(t, xtaskq_dispatch_delay(tq, count, &ran, XTASKQ_NOSLEEP, 0, 0), 0);
	XUT_EXPECT(t, xtaskq_dispatch_delay(tq, count, &ran, XTASKQ_SLEEP, 1000, 0));
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	expect_balance(t, tq, 2, 1, 0, 1);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static void destroy_waits_for_what_is_delayed(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);

	if (!tq)
		return;
	XUT_EXPECT(t, xtaskq_dispatch_delay(tq, count, &ran, XTASKQ_SLEEP,
					    5 * NSEC_PER_MSEC, 0));
	XUT_EXPECT_EQ(t, xtaskq_dispatch_delay(tq, count, &ran, XTASKQ_NOQUEUE, 0, 0), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
}

static const struct xut_case delay_cases[] = {
	XUT_CASE(delays_are_kept),
	XUT_CASE(delayed_is_taken_back),
	XUT_CASE(cancel_against_timer),
	XUT_CASE(delayed_beside_spare_entries),
	XUT_CASE(destroy_waits_for_what_is_delayed),
	{}
};

XUT_SHARED_SUITE(taskq_delay, delay_cases);

/* n functions get in, of many; then none more. */
static void expect_threads(struct xut *t, struct xtaskq *tq, int n)
{
	struct gate g;
	int i;

	gate_init(&g);
	for (i = 0; i < n + 3; i++)
		XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
	XUT_WAIT(t, atomic_read(&g.inside) == n);
	XUT_EXPECT_EQ(t, xtaskq_wait_timeout(tq, 2 * NSEC_PER_MSEC), -ETIMEDOUT);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&g.most), n);
}

static void threads_are_a_percentage(struct xut *t, unsigned int flags)
{
	static const int percents[] = { 1, 50, 100 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(percents); i++) {
		struct xtaskq *tq = QUEUE(t, percents[i], XTASKQ_PRI_NORMAL, 0, 0,
					  flags | XTASKQ_THREADS_CPU_PCT);
		int n = max(num_online_cpus() * percents[i] / 100, 1U);

		if (!tq)
			return;
		expect_threads(t, tq, n);
		XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	}
}

static void percent_workqueue(struct xut *t)
{
	threads_are_a_percentage(t, 0);
}

static void percent_dedicated(struct xut *t)
{
	threads_are_a_percentage(t, XTASKQ_DEDICATED);
}

static void percent_dynamic(struct xut *t)
{
	threads_are_a_percentage(t, XTASKQ_DEDICATED | XTASKQ_DYNAMIC);
}

/* All tasks of a full queue are done while a CPU goes and comes. */
static void follow_cpus(struct xut *t, unsigned int flags)
{
	unsigned int cpu = cpumask_last(cpu_online_mask), online = num_online_cpus();
	struct xtaskq *tq = QUEUE(t, 100, XTASKQ_PRI_NORMAL, 0, 0,
				  flags | XTASKQ_THREADS_CPU_PCT);
	struct gate g;
	unsigned int i;

	if (!tq)
		return;
	gate_init(&g);
	for (i = 0; i < 2 * online; i++)
		XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
	XUT_WAIT(t, atomic_read(&g.inside) == online);
	xut_step(t, "CPU goes while all threads are busy");
	if (XUT_EXPECT_EQ(t, remove_cpu(cpu), 0)) {
		complete_all(&g.open);
		XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
		expect_threads(t, tq, online - 1);
		XUT_EXPECT_EQ(t, add_cpu(cpu), 0);
		expect_threads(t, tq, online);
	}
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static void percent_follows_cpus(struct xut *t)
{
	if (!IS_ENABLED(CONFIG_HOTPLUG_CPU) || num_online_cpus() < 2) {
		xut_skip(t, "no CPU can go");
		return;
	}
	xut_step(t, "workqueue");
	follow_cpus(t, 0);
	xut_step(t, "dedicated");
	follow_cpus(t, XTASKQ_DEDICATED);
	xut_step(t, "dynamic");
	follow_cpus(t, XTASKQ_DEDICATED | XTASKQ_DYNAMIC);
}

/* Nobody looks at a dynamic queue that has as many threads as there may be. */
static bool nobody_looks(struct xtaskq *tq)
{
	bool is;

	raw_spin_lock_irq(&tq->lock);
	is = tq->watch == XTASKQ_WATCH_NOT;
	raw_spin_unlock_irq(&tq->lock);
	return is;
}

/* All threads wait for a task that has none; a CPU comes, and with it a thread. */
static void grow_for_what_is_pending(struct xut *t, unsigned int flags)
{
	unsigned int cpu = cpumask_last(cpu_online_mask), online = num_online_cpus(), i;
	struct xtaskq *tq;
	struct meeting m;

	if (!XUT_EXPECT_EQ(t, remove_cpu(cpu), 0))
		return;
	tq = QUEUE(t, 100, XTASKQ_PRI_NORMAL, 0, 0, flags | XTASKQ_THREADS_CPU_PCT);
	if (tq) {
		init_completion(&m.all_here);
		atomic_set(&m.missing, online);
		for (i = 0; i < online; i++)
			XUT_EXPECT(t, xtaskq_dispatch(tq, meet, &m, XTASKQ_SLEEP));
		XUT_WAIT(t, atomic_read(&m.missing) == 1 && nobody_looks(tq));
	}
	XUT_EXPECT_EQ(t, add_cpu(cpu), 0);
	if (!tq)
		return;
	if (!XUT_WAIT(t, !atomic_read(&m.missing)))
		complete_all(&m.all_here);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static void percent_grows_for_what_is_pending(struct xut *t)
{
	if (!IS_ENABLED(CONFIG_HOTPLUG_CPU) || num_online_cpus() < 2) {
		xut_skip(t, "no CPU can go");
		return;
	}
	xut_step(t, "workqueue");
	grow_for_what_is_pending(t, 0);
	xut_step(t, "dynamic");
	grow_for_what_is_pending(t, XTASKQ_DEDICATED | XTASKQ_DYNAMIC);
}

static const struct xut_case percent_cases[] = {
	XUT_CASE(percent_workqueue),
	XUT_CASE(percent_dedicated),
	XUT_CASE(percent_dynamic),
	XUT_CASE(percent_follows_cpus),
	XUT_CASE(percent_grows_for_what_is_pending),
	{}
};

XUT_SHARED_SUITE(taskq_percent, percent_cases);
