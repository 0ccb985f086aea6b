// SPDX-License-Identifier: GPL-2.0-only
/* timeout: the wall clock is set, forwards and back. */
#include <linux/cpumask.h>
#include <linux/kthread.h>
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

/*
 * The clock is set between the call that arms and the lock.  A callout is to go from the
 * last CPU's table, whose lock is held, to another one's.  Whoever tells callouts of the
 * clock comes to that one first; that he was there is seen by a witness.
 */
struct between {
	struct wall_call call, witness;
	struct xtimeout_table *from, *to;
	struct task_struct *locker, *armer;
	bool locked, arming, waiting, armed, told;
};

/* No longer than what the kernel says nothing of. */
#define LOCKED_NS	(8 * (u64)NSEC_PER_SEC)

static int lock_until_told(void *arg)
{
	struct between *b = arg;
	unsigned long flags;
	ktime_t end, there;

	raw_spin_lock_irqsave(&b->from->lock, flags);
	end = ktime_get() + LOCKED_NS;
	smp_store_release(&b->locked, true);	/* to arm_when_locked() */
	while (!smp_load_acquire(&b->arming) && ktime_get() < end)	/* from there, too */
		cpu_relax();
	/* It is some steps from the lock; not every kind of lock shows who waits for it. */
	there = ktime_get() + NSEC_PER_MSEC;
	while (!raw_spin_is_contended(&b->from->lock) && ktime_get() < there)
		cpu_relax();
	smp_store_release(&b->waiting, true);	/* to the case, which sets the clock */
	while (!list_empty(&b->to->on_set) && ktime_get() < end)
		cpu_relax();
	b->told = list_empty(&b->to->on_set);
	raw_spin_unlock_irqrestore(&b->from->lock, flags);
	return xut_until_stopped();
}

static int arm_when_locked(void *arg)
{
	struct between *b = arg;

	/* From lock_until_told(). */
	while (!smp_load_acquire(&b->locked) && !kthread_should_stop())
		usleep_range(20, 100);
	if (b->locked) {
		local_irq_disable();
		smp_store_release(&b->arming, true);	/* to lock_until_told() */
		xcallout_arm(&b->call.co, NSEC_PER_SEC / 10, 0, 0, 0);
		local_irq_enable();
	}
	smp_store_release(&b->armed, true);	/* to the case */
	return xut_until_stopped();
}

static void nothing(void *unused)
{
}

/* Who tells of the clock being set may have to do so still for an earlier time. */
static void let_tell(struct xut *t)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		xut_pin(t, cpu);
		XUT_EXPECT_EQ(t, xut_run_in(XUT_HARDIRQ, nothing, NULL), 0);
	}
}

static void arm_and_set(struct xut *t, struct between *b)
{
	wake_up_process(b->armer);
	wake_up_process(b->locker);
	XUT_WAIT(t, smp_load_acquire(&b->waiting));	/* from lock_until_told() */
	/* May not return before the lock is free: it interrupts all CPUs. */
	set_wall(t, -HOUR);
	xut_step(t, "waiting for what is armed while the clock is set");
	XUT_WAIT(t, smp_load_acquire(&b->armed));	/* from arm_when_locked() */
	/* Either its time is by the clock as it is now, or it is told. */
	XUT_WAIT(t, atomic_read(&b->call.ran) == 1);
	XUT_WAIT(t, atomic_read(&b->witness.ran) == 1);
}

static void set_while_arming(struct xut *t)
{
	unsigned int last = cpumask_last(cpu_online_mask), other;
	struct between b = {};

	other = cpumask_next(0, cpu_online_mask);
	if (num_online_cpus() < 3) {
		xut_skip(t, "needs a CPU to arm on, one that has the lock, and another");
		return;
	}
	let_tell(t);
	xut_pin(t, last);
	wall_init(&b.call, XTIMEOUT_ON_SET);
	xut_pin(t, other);
	wall_init(&b.witness, XTIMEOUT_ON_SET);
	XUT_EXPECT_EQ(t, xcallout_arm(&b.witness.co, 10 * HOUR, 0, 0, 0), 0);
	xut_pin(t, 0);
	b.from = b.call.co.table;
	b.to = b.witness.co.table;
	XUT_EXPECT(t, b.to->index < b.from->index);
	b.locker = kthread_create_on_cpu(lock_until_told, &b, last, "xut_locker/%u");
	b.armer = kthread_create_on_cpu(arm_when_locked, &b, other, "xut_armer/%u");
	if (XUT_EXPECT(t, !IS_ERR(b.locker) && !IS_ERR(b.armer)))
		arm_and_set(t, &b);
	if (!IS_ERR(b.armer))
		kthread_stop(b.armer);
	if (!IS_ERR(b.locker))
		kthread_stop(b.locker);
	XUT_EXPECT(t, b.told);
	xcallout_stop_sync(&b.call.co);
	xcallout_stop_sync(&b.witness.co);
	XUT_EXPECT_EQ(t, atomic_read(&b.call.ran), 1);
	put_wall_right(t);
}

static const struct xut_case wall_cases[] = {
	XUT_CASE(set_past_the_time),
	XUT_CASE(set_back),
	XUT_CASE(monotonic_time_is_not_set),
	XUT_CASE(told_when_set),
	XUT_CASE(told_between_its_times),
	XUT_CASE(set_against_stop),
	XUT_CASE(set_while_arming),
	{}
};

XUT_SHARED_SUITE(timeout_wall, wall_cases);
