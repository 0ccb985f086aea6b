// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cross-calls that are given up: killed, out of time, cancelled.
 *
 * An IPI to a deaf CPU is sent and not taken until it hears again.  That a node which
 * was given up has been passed over without its function is known when a later one has
 * run there: an inbox is a queue.
 *
 * All threads of a case are made before a CPU is held: the thread that makes them
 * may be put on a CPU that looks idle and does not hear.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "xsync_test.h"

static void count(void *arg)
{
	atomic_inc(arg);
}

/* Also those that run when their argument is gone. */
static atomic_t counted;

static void count_late(void *arg)
{
	atomic_inc(&counted);
	atomic_inc(arg);
}

/* All that was sent to the CPU before has been passed. */
static void inbox_is_passed(struct xut *t, unsigned int cpu)
{
	atomic_t ran = ATOMIC_INIT(0);

	XUT_EXPECT_EQ(t, xcall_run(cpumask_of(cpu), count, &ran), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
}

/* The argument is gone at once: with KASAN a function that runs late is seen. */
static int run_and_forget(unsigned int cpu, u64 ns, int *ran)
{
	atomic_t *arg = kzalloc(sizeof(*arg), GFP_KERNEL);
	struct cpumask *mask = kzalloc(cpumask_size(), GFP_KERNEL);
	int err = -ENOMEM;

	if (arg && mask) {
		cpumask_set_cpu(cpu, mask);
		cpumask_set_cpu(raw_smp_processor_id(), mask);
		if (ns)
			err = xcall_run_timeout(mask, count_late, arg, ns);
		else
			err = xcall_run_killable(mask, count_late, arg);
		*ran = atomic_read(arg);
	}
	kfree(mask);
	kfree(arg);
	return err;
}

static void run_ends_when_time_is_up(struct xut *t)
{
	struct deaf deaf;
	unsigned int cpu;
	int ran = 0;

	if (!spare_cpus(t, &cpu, 1))
		return;
	atomic_set(&counted, 0);
	if (deaf_begin(t, &deaf, cpu)) {
		XUT_EXPECT_EQ(t, run_and_forget(cpu, NSEC_PER_MSEC, &ran), -ETIMEDOUT);
		XUT_EXPECT_EQ(t, ran, 1);
	}
	deaf_end(&deaf);
	inbox_is_passed(t, cpu);
	XUT_EXPECT_EQ(t, atomic_read(&counted), 1);
	XUT_EXPECT_EQ(t, run_and_forget(cpu, U64_MAX, &ran), 0);
	XUT_EXPECT_EQ(t, ran, 2);
}

/* Every bit that a mask has room for. */
static void impossible_cpus_are_given_up(struct xut *t)
{
	static struct cpumask every;
	atomic_t ran = ATOMIC_INIT(0);
	struct deaf deaf;
	unsigned int cpu;

	if (!spare_cpus(t, &cpu, 1))
		return;
	memset(&every, 0xff, sizeof(every));
	if (deaf_begin(t, &deaf, cpu)) {
		XUT_EXPECT_EQ(t, xcall_run_timeout(&every, count, &ran, NSEC_PER_MSEC),
			      -ETIMEDOUT);
		XUT_EXPECT(t, atomic_read(&ran) < num_online_cpus());
	}
	deaf_end(&deaf);
	inbox_is_passed(t, cpu);
}

struct killed {
	unsigned int cpu;
	int go, calling, ended, err, ran;
};

static int killed_thread(void *arg)
{
	struct killed *k = arg;

	allow_signal(SIGKILL);
	while (!READ_ONCE(k->go))
		usleep_range(20, 100);
	WRITE_ONCE(k->calling, 1);
	k->err = run_and_forget(k->cpu, 0, &k->ran);
	smp_store_release(&k->ended, 1);	/* pairs with the case */
	flush_signals(current);
	thread_idle();
	return 0;
}

static void run_ends_when_killed(struct xut *t)
{
	struct killed k = {};
	struct task_struct *task;
	struct deaf deaf;

	if (!spare_cpus(t, &k.cpu, 1))
		return;
	atomic_set(&counted, 0);
	task = thread_on(t, raw_smp_processor_id(), killed_thread, &k);
	if (!task)
		return;
	if (deaf_begin(t, &deaf, k.cpu)) {
		WRITE_ONCE(k.go, 1);
		XUT_WAIT(t, READ_ONCE(k.calling));
		send_sig(SIGKILL, task, 1);
		XUT_WAIT(t, smp_load_acquire(&k.ended));	/* killed_thread() */
		XUT_EXPECT_EQ(t, k.err, -EINTR);
		XUT_EXPECT_EQ(t, k.ran, 1);
	}
	WRITE_ONCE(k.go, 1);
	deaf_end(&deaf);
	kthread_stop(task);
	put_task_struct(task);
	inbox_is_passed(t, k.cpu);
	XUT_EXPECT_EQ(t, atomic_read(&counted), 1);
}

/* A request that was cancelled: not idle, but of no use to its functions any more. */
static void cancelled_call_stays_in_flight(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct deaf deaf;
	struct xcall *x;
	unsigned int cpu;

	if (!spare_cpus(t, &cpu, 1))
		return;
	x = xcall_alloc(count, &ran, XCALL_IPI, GFP_KERNEL);
	if (!XUT_EXPECT(t, x))
		return;
	if (deaf_begin(t, &deaf, cpu)) {
		XUT_EXPECT_EQ(t, xcall_post(x, cpumask_of(cpu)), 0);
		XUT_EXPECT_EQ(t, xcall_cancel(x), 0);
		XUT_EXPECT(t, cpumask_empty(xcall_ran(x)));
		XUT_EXPECT_EQ(t, xcall_post(x, cpumask_of(cpu)), -EBUSY);
		XUT_EXPECT_EQ(t, xcall_wait_timeout(x, 1000), -ETIMEDOUT);
	}
	deaf_end(&deaf);
	XUT_EXPECT_EQ(t, xcall_wait(x), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
	XUT_EXPECT(t, cpumask_empty(xcall_ran(x)));

	xut_step(t, "once more");
	XUT_EXPECT_EQ(t, xcall_post(x, cpumask_of(cpu)), 0);
	XUT_EXPECT_EQ(t, xcall_wait(x), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	XUT_EXPECT_EQ(t, xcall_cancel(x), 0);
	XUT_EXPECT(t, cpumask_equal(xcall_ran(x), cpumask_of(cpu)));
	xcall_free(x);
}

struct announced {
	struct xsync_handoff h;
	atomic_t times;
};

static void announce(struct xsync_handoff *h)
{
	atomic_inc(&container_of(h, struct announced, h)->times);
}

/* With all that belongs to it, while a CPU still has a node of it. */
static void cancelled_call_is_freed_at_once(struct xut *t)
{
	struct announced *news = kzalloc(sizeof(*news), GFP_KERNEL);
	atomic_t *ran = kzalloc(sizeof(*ran), GFP_KERNEL);
	struct xcall *x = NULL;
	struct deaf deaf;
	unsigned int cpu;

	if (!spare_cpus(t, &cpu, 1) || !XUT_EXPECT(t, news && ran))
		goto out;
	xsync_handoff_init(&news->h, announce);
	x = xcall_alloc(count, ran, XCALL_IPI, GFP_KERNEL);
	if (!XUT_EXPECT(t, x))
		goto out;
	xcall_notify(x, &news->h);
	if (deaf_begin(t, &deaf, cpu)) {
		XUT_EXPECT_EQ(t, xcall_post(x, cpumask_of(cpu)), 0);
		XUT_EXPECT_EQ(t, xcall_cancel(x), 0);
	}
	xcall_free(x);
	xsync_handoff_sync(&news->h);
	XUT_EXPECT_EQ(t, atomic_read(&news->times), 0);
	XUT_EXPECT_EQ(t, atomic_read(ran), 0);
	kfree(news);
	kfree(ran);
	deaf_end(&deaf);
	inbox_is_passed(t, cpu);
	return;
out:
	kfree(news);
	kfree(ran);
}

struct cancelling {
	struct xcall *x;
	struct hold *held;
	int go, calling, ended, too_early, err;
};

static int cancel_thread(void *arg)
{
	struct cancelling *c = arg;

	while (!READ_ONCE(c->go))
		usleep_range(20, 100);
	WRITE_ONCE(c->calling, 1);
	c->err = xcall_cancel(c->x);
	c->too_early = !READ_ONCE(c->held->release);
	smp_store_release(&c->ended, 1);	/* pairs with the case */
	thread_idle();
	return 0;
}

/* It is asleep, or has come back although it must not. */
static bool is_in_cancel(const struct cancelling *c, struct task_struct *task)
{
	return READ_ONCE(c->ended) || (READ_ONCE(c->calling) &&
	       READ_ONCE(task->__state) == TASK_UNINTERRUPTIBLE);
}

static void cancel_waits_for_running(struct xut *t, unsigned int cpu, unsigned int mode)
{
	struct hold h = {};
	struct cancelling c = { .held = &h };
	struct task_struct *task;

	c.x = xcall_alloc(hold_here, &h, mode, GFP_KERNEL);
	if (!XUT_EXPECT(t, c.x))
		return;
	task = thread_on(t, raw_smp_processor_id(), cancel_thread, &c);
	if (!task)
		goto free;
	XUT_EXPECT_EQ(t, xcall_post(c.x, cpumask_of(cpu)), 0);
	XUT_WAIT(t, smp_load_acquire(&h.begun));	/* pairs with hold_here() */
	WRITE_ONCE(c.go, 1);
	XUT_WAIT(t, is_in_cancel(&c, task));
	WRITE_ONCE(h.release, 1);
	XUT_WAIT(t, smp_load_acquire(&c.ended));	/* cancel_thread() */
	XUT_EXPECT(t, !c.too_early);
	XUT_EXPECT_EQ(t, c.err, 0);
	XUT_EXPECT(t, cpumask_equal(xcall_ran(c.x), cpumask_of(cpu)));
	kthread_stop(task);
	put_task_struct(task);
	/* Whatever the cancellation did: it looks at our stack. */
	XUT_WAIT(t, xcall_done(c.x));
free:
	xcall_free(c.x);
}

static void cancel_waits_for_function(struct xut *t)
{
	unsigned int cpu;

	if (!spare_cpus(t, &cpu, 1))
		return;
	xut_step(t, "by IPI");
	cancel_waits_for_running(t, cpu, XCALL_IPI);
	xut_step(t, "by thread");
	cancel_waits_for_running(t, cpu, XCALL_THREAD);
}

/* Time is up at every moment of a call; its argument is on the stack. */

#define ROUNDS		2000
#define ALIVE		0x600d

struct stacked {
	int alive;
	atomic_t ran;
};

static atomic_t ran_late;

static void look_at_stack(void *arg)
{
	struct stacked *s = arg;

	if (READ_ONCE(s->alive) != ALIVE)
		atomic_inc(&ran_late);
	atomic_inc(&s->ran);
}

static noinline int run_on_stack(u64 ns, bool *all)
{
	struct stacked s = { .alive = ALIVE };
	int err = xcall_run_timeout(cpu_online_mask, look_at_stack, &s, ns);

	*all = atomic_read(&s.ran) == num_online_cpus();
	/* What comes after the frame does not rub it out as reliably. */
	WRITE_ONCE(s.alive, 0);
	return err;
}

static void time_races_with_the_end(struct xut *t)
{
	unsigned int i, done = 0, timed_out = 0;
	unsigned long rounds = ROUNDS * (1 + xut_soak);
	unsigned int other;
	u64 ns = 1000;

	/* What runs here only runs before the time is looked at. */
	if (!spare_cpus(t, &other, 1))
		return;
	atomic_set(&ran_late, 0);
	for (i = 0; i < rounds; i++) {
		bool all;
		int err = run_on_stack(get_random_u32() % (2 * ns), &all);

		if (err && !XUT_EXPECT_EQ(t, err, -ETIMEDOUT))
			break;
		if (!err && !XUT_EXPECT(t, all))
			break;
		timed_out += !!err;
		done += !err;
		/* Half of them in time, however fast the machine is. */
		ns = err ? ns + ns / 8 + 1 : ns - ns / 8;
	}
	xut_info(t, "%u in time, %u not", done, timed_out);
	XUT_EXPECT(t, done && timed_out);
	XUT_EXPECT_EQ(t, xcall_run(cpu_online_mask, count, &ran_late), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran_late), num_online_cpus());
}

static void cancel_in_function(void *arg)
{
	struct xcall **x = arg;
	int err = xcall_cancel(*x);

	*x = ERR_PTR(err);
}

static void cancel_in_function_is_refused(struct xut *t)
{
	unsigned int mode;

	for (mode = XCALL_IPI; mode <= XCALL_THREAD; mode++) {
		struct xcall *arg, *x = xcall_alloc(cancel_in_function, &arg, mode, GFP_KERNEL);

		if (!XUT_EXPECT(t, x))
			return;
		arg = x;
		XUT_EXPECT_EQ(t, xcall_post(x, cpumask_of(raw_smp_processor_id())), 0);
		XUT_EXPECT_EQ(t, xcall_wait(x), 0);
		XUT_EXPECT_EQ(t, PTR_ERR(arg),
			      mode == XCALL_IPI ? -EWOULDBLOCK : -EDEADLK);
		XUT_EXPECT_EQ(t, cpumask_weight(xcall_ran(x)), 1);
		xcall_free(x);
	}
}

static const struct xut_case giveup_cases[] = {
	XUT_CASE(run_ends_when_time_is_up),
	XUT_CASE(impossible_cpus_are_given_up),
	XUT_CASE(run_ends_when_killed),
	XUT_CASE(cancelled_call_stays_in_flight),
	XUT_CASE(cancelled_call_is_freed_at_once),
	XUT_CASE(cancel_waits_for_function),
	XUT_CASE(time_races_with_the_end),
	XUT_CASE(cancel_in_function_is_refused),
	{}
};

XUT_SHARED_SUITE(giveup, giveup_cases);
