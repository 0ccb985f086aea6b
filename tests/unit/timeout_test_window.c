// SPDX-License-Identifier: GPL-2.0-only
/*
 * timeout: cancelling in every window of the life of an arming.
 *
 * A probe on a tracepoint holds whoever comes to it until the case has looked: the
 * timer interrupt before it has the lock; the thread that was given a callout and has
 * not begun; the one whose function is about to be called, or has returned; and the
 * one that is done.
 *
 * Probes run with preemption off.  So the case has a CPU to itself, CPU 0, which may be
 * the one that keeps the time; who cancels has another one; and who comes to the trap
 * on one of these is let go: the case tries again.
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/notifier.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include "timeout_test.h"

enum window { INTERRUPT, TAKEN, BEGUN, RETURNED, OVER, WINDOWS };

static const char * const window_names[WINDOWS] = {
	[INTERRUPT]	= "xtimeout_interrupt",
	[TAKEN]		= "xtaskq_begin",
	[BEGUN]		= "xtimeout_begin",
	[RETURNED]	= "xtimeout_end",
	[OVER]		= "xtaskq_end",
};

static struct tracepoint *windows[WINDOWS];

/* What somebody does there, and what it returns in each window. */
enum form { WAIT, NOWAIT, STOP, STOP_PERIODIC, STOP_SYNC, REARM, FORMS };

static const long results[FORMS][WINDOWS] = {
	/*		INTERRUPT  TAKEN   BEGUN   RETURNED OVER */
	[WAIT]	    = {	0,	   -1,	   -1,	   -1,	    -1 },
	[NOWAIT]    = {	0,	   -EBUSY, -EBUSY, -EBUSY,  -1 },
	[STOP]	    = {	1,	   -EBUSY, -EBUSY, -EBUSY,  0 },
	[STOP_PERIODIC] = { 1,   -EBUSY, -EBUSY, -EBUSY,  1 },
	[STOP_SYNC] = {	1,	   0,	   0,	   0,	    0 },
	[REARM]	    = {	1,	   0,	   0,	   0,	    0 },
};

static struct {
	unsigned int visitor;	/* its CPU */
	unsigned int table;	/* whose interrupt */
	ktime_t due;		/* not before, so it is for what the case has armed */
	bool armed, held, go, missed;
} trap;

/* Whoever comes first is held, or missed. */
static void spring(void)
{
	unsigned int cpu = raw_smp_processor_id();

	if (!READ_ONCE(trap.armed) || !xchg(&trap.armed, false))
		return;
	if (!cpu || cpu == trap.visitor) {
		WRITE_ONCE(trap.missed, true);
		return;
	}
	smp_store_release(&trap.held, true);	/* to the case */
	while (!smp_load_acquire(&trap.go))	/* from the case */
		cpu_relax();
	smp_store_release(&trap.held, false);	/* to the case */
}

static void at_interrupt(void *unused, unsigned int table)
{
	if (table == trap.table && ktime_get() >= trap.due)
		spring();
}

/* The queue has tasks of its own, too. */
static void at_task(void *unused, const char *name, xtaskq_func_t func, xtaskqid_t id)
{
	char called[32];

	if (!READ_ONCE(trap.armed) || strcmp(name, "xtimeout"))
		return;
	snprintf(called, sizeof(called), "%ps", func);
	if (!strncmp(called, "xcallout_run", strlen("xcallout_run")))
		spring();
}

static void at_call(void *unused, u64 id, xtimeout_func_t func)
{
	if (func == count)
		spring();
}

static void * const probes[WINDOWS] = {
	[INTERRUPT] = at_interrupt, [TAKEN] = at_task, [BEGUN] = at_call,
	[RETURNED] = at_call, [OVER] = at_task,
};

/* Called for the modules that are there, too. */
static int module_has_tracepoints(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct module *mod = ((struct tp_module *)data)->mod;
	unsigned int i, w;

	if (event != MODULE_STATE_COMING)
		return NOTIFY_OK;
	for (i = 0; i < mod->num_tracepoints; i++) {
		struct tracepoint *tp = tracepoint_ptr_deref(&mod->tracepoints_ptrs[i]);

		for (w = 0; w < WINDOWS; w++)
			if (!strcmp(tp->name, window_names[w]))
				windows[w] = tp;
	}
	return NOTIFY_OK;
}

static struct notifier_block modules_nb = { .notifier_call = module_has_tracepoints };

static bool window_found(struct xut *t, enum window at)
{
	if (!XUT_EXPECT_EQ(t, register_tracepoint_module_notifier(&modules_nb), 0))
		return false;
	unregister_tracepoint_module_notifier(&modules_nb);
	return XUT_EXPECT(t, windows[at]);
}

struct visit {
	enum form form;
	struct xcallout *co;
	xtimeout_id_t id;
	struct task_struct *thread;
	long result;
	bool begin, returned;
};

static long visit_window(struct visit *v)
{
	switch (v->form) {
	case WAIT:
		return xuntimeout(v->id);
	case NOWAIT:
		return xuntimeout_nowait(v->id);
	case STOP:
	case STOP_PERIODIC:
		return xcallout_stop(v->co);
	case STOP_SYNC:
		return xcallout_stop_sync(v->co);
	default:
		return xcallout_arm_ns(v->co, 0);
	}
}

static int visitor(void *arg)
{
	struct visit *v = arg;

	while (!smp_load_acquire(&v->begin) && !kthread_should_stop())	/* from the case */
		usleep_range(20, 100);
	if (v->begin) {
		v->result = visit_window(v);
		smp_store_release(&v->returned, true);	/* to the case */
	}
	while (!kthread_should_stop())
		usleep_range(20, 100);
	return 0;
}

/* On the CPU whose timer it is to be: none of its interrupts comes in between. */
static void arm_there(void *arg)
{
	struct visit *v = arg;

	trap.table = raw_smp_processor_id() * XTIMEOUT_CLOCKS + XTIMEOUT_CLOCK_MONOTONIC;
	trap.due = ktime_get() + 2 * NSEC_PER_MSEC;
	smp_store_release(&trap.armed, true);	/* with the time, to the probes */
	if (v->form == WAIT || v->form == NOWAIT)
		v->id = xtimeout_generic(THIS_MODULE, count, v->co->arg, trap.due, 0,
					 XTIMEOUT_ABSOLUTE);
	else
		xcallout_arm(v->co, trap.due, 0, v->form == STOP_PERIODIC ? FAR_NS : 0,
			     XTIMEOUT_ABSOLUTE);
}

/* Arms until somebody is in the trap. */
static bool catch(struct xut *t, enum window at, struct visit *v, atomic_t *ran)
{
	unsigned long end = jiffies + XUT_LIMIT;

	xut_step(t, "waiting for somebody in the window");
	for (;;) {
		trap.missed = false;
		smp_call_function_single(cpumask_last(cpu_online_mask), arm_there, v, true);
		/* An interrupt for something earlier may have been too early for the trap. */
		XUT_WAIT(t, smp_load_acquire(&trap.held) || READ_ONCE(trap.missed) ||
			 (at == INTERRUPT && atomic_read(ran)));
		if (smp_load_acquire(&trap.held))	/* from spring() */
			return true;
		if (!XUT_EXPECT(t, time_before(jiffies, end)))
			return false;
		xcallout_stop_sync(v->co);
		if (v->id)
			xuntimeout(v->id);
		atomic_set(ran, 0);
	}
}

static void look(struct xut *t, enum window at, struct visit *v)
{
	bool waits = (v->form == WAIT || v->form == STOP_SYNC) && at != INTERRUPT &&
		     at != OVER;

	smp_store_release(&v->begin, true);	/* to visitor() */
	if (waits) {
		xut_step(t, "waiting for somebody to wait");
		XUT_WAIT(t, READ_ONCE(v->returned) ||
			 READ_ONCE(v->thread->__state) == TASK_UNINTERRUPTIBLE);
		XUT_EXPECT(t, !READ_ONCE(v->returned));
		smp_store_release(&trap.go, true);	/* to spring() */
	}
	xut_step(t, "waiting for the result");
	XUT_WAIT(t, smp_load_acquire(&v->returned));	/* from visitor() */
	XUT_EXPECT_EQ(t, v->result, results[v->form][at]);
}

static void in_window(struct xut *t, enum window at, enum form form)
{
	int runs = form == REARM ? at == INTERRUPT ? 1 : 2 : at != INTERRUPT;
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;
	struct visit v = { .form = form, .co = &co };

	xcallout_init(&co, THIS_MODULE, count, &ran);
	v.thread = kthread_create(visitor, &v, "xut_visitor");
	if (!XUT_EXPECT(t, !IS_ERR(v.thread)))
		return;
	kthread_bind(v.thread, trap.visitor);
	wake_up_process(v.thread);
	trap.go = false;
	if (catch(t, at, &v, &ran))
		look(t, at, &v);
	WRITE_ONCE(trap.armed, false);
	smp_store_release(&trap.go, true);	/* to spring() */
	XUT_WAIT(t, !smp_load_acquire(&trap.held));	/* from spring() */
	kthread_stop(v.thread);

	XUT_WAIT(t, atomic_read(&ran) == runs);
	if (v.id)
		XUT_EXPECT_EQ(t, xuntimeout(v.id), -1);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), runs);
}

static void window_case(struct xut *t, enum window at)
{
	unsigned int round;
	enum form form;

	if (num_online_cpus() < 3) {
		xut_skip(t, "needs a CPU that is held and two others");
		return;
	}
	if (!window_found(t, at))
		return;
	xut_pin(t, 0);
	trap.visitor = cpumask_next(0, cpu_online_mask);
	if (!XUT_EXPECT_EQ(t, tracepoint_probe_register(windows[at], probes[at],
							NULL), 0))
		return;
	for (round = 0; round < 3 * (1 + xut_soak); round++)
		for (form = 0; form < FORMS; form++)
			in_window(t, at, form);
	tracepoint_probe_unregister(windows[at], probes[at], NULL);
	tracepoint_synchronize_unregister();
}

static void in_the_interrupt(struct xut *t)
{
	window_case(t, INTERRUPT);
}

static void given_to_a_thread(struct xut *t)
{
	window_case(t, TAKEN);
}

static void before_the_function(struct xut *t)
{
	window_case(t, BEGUN);
}

static void after_the_function(struct xut *t)
{
	window_case(t, RETURNED);
}

static void when_all_is_over(struct xut *t)
{
	window_case(t, OVER);
}

static const struct xut_case window_cases[] = {
	XUT_CASE(in_the_interrupt),
	XUT_CASE(given_to_a_thread),
	XUT_CASE(before_the_function),
	XUT_CASE(after_the_function),
	XUT_CASE(when_all_is_over),
	{}
};

XUT_SHARED_SUITE(timeout_window, window_cases);
