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
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include "timeout_test.h"

enum window {
	INTERRUPT, TAKEN, BEGUN, RETURNED, OVER, WINDOWS,
	/* Nobody is held there. */
	DISPATCHED = WINDOWS, FIRED, POINTS
};

static const char * const window_names[POINTS] = {
	[INTERRUPT]	= "xtimeout_interrupt",
	[TAKEN]		= "xtaskq_begin",
	[BEGUN]		= "xtimeout_begin",
	[RETURNED]	= "xtimeout_end",
	[OVER]		= "xtaskq_end",
	[DISPATCHED]	= "xtaskq_dispatch",
	[FIRED]		= "xtimeout_fire",
};

static struct tracepoint *windows[POINTS];

/* What somebody does there, and what it returns in each window. */
enum form {
	WAIT, NOWAIT, STOP, STOP_PERIODIC, STOP_SYNC, REARM,
	/* The callout has a mutex, which the first one of these holds. */
	HOLDER_STOPS, OTHER_STOPS, OTHER_STOPS_SYNC, FORMS,
	GUARDED = HOLDER_STOPS
};

static const long results[FORMS][WINDOWS] = {
	/*		INTERRUPT  TAKEN   BEGUN   RETURNED OVER */
	[WAIT]	    = {	0,	   -1,	   -1,	   -1,	    -1 },
	[NOWAIT]    = {	0,	   -EBUSY, -EBUSY, -EBUSY,  -1 },
	[STOP]	    = {	1,	   -EBUSY, -EBUSY, -EBUSY,  0 },
	[STOP_PERIODIC] = { 1,   -EBUSY, -EBUSY, -EBUSY,  1 },
	[STOP_SYNC] = {	1,	   0,	   0,	   0,	    0 },
	[REARM]	    = {	1,	   0,	   0,	   0,	    0 },
	[HOLDER_STOPS] = { 1,	   1,	   0,	   0,	    0 },
	[OTHER_STOPS] = { 1,	   1,	   -EBUSY, -EBUSY,  0 },
	[OTHER_STOPS_SYNC] = { 1,  1,	   0,	   0,	    0 },
};

static struct {
	unsigned int home;	/* the case's CPU */
	unsigned int visitor;	/* its CPU */
	unsigned int table;	/* whose interrupt */
	ktime_t due;		/* not before, so it is for what the case has armed */
	struct xtaskq *pool;
	const char *task;	/* the pool's, which begins or ends */
	bool armed, held, go, missed;
} trap;

/* Whoever comes first is held, or missed. */
static void spring(void)
{
	unsigned int cpu = raw_smp_processor_id();

	if (!READ_ONCE(trap.armed) || !xchg(&trap.armed, false))
		return;
	if (cpu == trap.home || cpu == trap.visitor) {
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
static bool is_trapped(const char *queue, xtaskq_func_t func)
{
	char called[32];

	if (strcmp(queue, "xtimeout"))
		return false;
	snprintf(called, sizeof(called), "%ps", func);
	return !strncmp(called, trap.task, strlen(trap.task));
}

static void at_task(void *unused, const char *name, xtaskq_func_t func, xtaskqid_t id)
{
	if (READ_ONCE(trap.armed) && is_trapped(name, func))
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

		for (w = 0; w < POINTS; w++)
			if (!strcmp(tp->name, window_names[w]))
				windows[w] = tp;
	}
	return NOTIFY_OK;
}

static struct notifier_block modules_nb = { .notifier_call = module_has_tracepoints };

/* Has a probe called there. */
static bool probe_begin(struct xut *t, enum window at, void *probe)
{
	if (!XUT_EXPECT_EQ(t, register_tracepoint_module_notifier(&modules_nb), 0))
		return false;
	unregister_tracepoint_module_notifier(&modules_nb);
	return XUT_EXPECT(t, windows[at]) &&
	       XUT_EXPECT_EQ(t, tracepoint_probe_register(windows[at], probe, NULL), 0);
}

static void probe_end(enum window at, void *probe)
{
	tracepoint_probe_unregister(windows[at], probe, NULL);
	tracepoint_synchronize_unregister();
}

/* The queue whose threads call functions, by a callout that has been through it. */
static struct xtaskq *pool_of(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;

	xcallout_init(&co, THIS_MODULE, count, &ran);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), 0);
	XUT_WAIT(t, atomic_read(&ran) == 1);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
	return co.ent.tq;
}

/* @task: the function of the pool's task, for the windows of that. */
static bool window_open(struct xut *t, enum window at, const char *task)
{
	if (num_online_cpus() < 3) {
		xut_skip(t, "needs a CPU that is held and two others");
		return false;
	}
	xut_pin(t, 0);
	trap.home = 0;
	trap.visitor = cpumask_next(0, cpu_online_mask);
	trap.pool = pool_of(t);
	trap.task = task;
	trap.go = false;
	return probe_begin(t, at, probes[at]);
}

static void trap_end(struct xut *t)
{
	WRITE_ONCE(trap.armed, false);
	smp_store_release(&trap.go, true);	/* to spring() */
	XUT_WAIT(t, !smp_load_acquire(&trap.held));	/* from spring() */
}

struct visit {
	enum form form;
	struct xcallout *co;
	struct mutex *mutex;		/* of the callout */
	xtimeout_id_t id;
	struct task_struct *thread;
	long result;
	bool begin, begun, returned;
};

static long visit_window(struct visit *v)
{
	long stopped;

	switch (v->form) {
	case WAIT:
		return xuntimeout(v->id);
	case NOWAIT:
		return xuntimeout_nowait(v->id);
	case HOLDER_STOPS:
		mutex_lock(v->mutex);
		stopped = xcallout_stop(v->co);
		mutex_unlock(v->mutex);
		return stopped;
	case STOP:
	case STOP_PERIODIC:
	case OTHER_STOPS:
		return xcallout_stop(v->co);
	case STOP_SYNC:
	case OTHER_STOPS_SYNC:
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
		WRITE_ONCE(v->begun, true);
		v->result = visit_window(v);
		smp_store_release(&v->returned, true);	/* to the case */
	}
	return xut_until_stopped();
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

/*
 * Arms until somebody is in the trap.  Not while the thread of an earlier callout, which
 * is over and done with, is still on its way to where the trap is.
 */
static bool catch(struct xut *t, enum window at, struct visit *v, atomic_t *ran)
{
	unsigned long end = jiffies + XUT_LIMIT;

	xut_step(t, "waiting for somebody in the window");
	for (;;) {
		trap.missed = false;
		XUT_EXPECT_EQ(t, xtaskq_wait_outstanding(trap.pool, 0), 0);
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
	bool waits = (v->form == WAIT || v->form == STOP_SYNC ||
		      v->form == OTHER_STOPS_SYNC) && at != INTERRUPT && at != OVER;

	smp_store_release(&v->begin, true);	/* to visitor() */
	if (waits) {
		xut_step(t, "waiting for somebody to wait");
		XUT_WAIT(t, READ_ONCE(v->returned) ||
			 (READ_ONCE(v->begun) && sleeps(v->thread)));
		XUT_EXPECT(t, !READ_ONCE(v->returned));
		smp_store_release(&trap.go, true);	/* to spring() */
	}
	/* Who wants a mutex spins while its holder runs: he is not seen to wait. */
	if (v->form == HOLDER_STOPS && (at == BEGUN || at == RETURNED))
		smp_store_release(&trap.go, true);	/* to spring() */
	xut_step(t, "waiting for the result");
	XUT_WAIT(t, smp_load_acquire(&v->returned));	/* from visitor() */
	XUT_EXPECT_EQ(t, v->result, results[v->form][at]);
}

static void in_window(struct xut *t, enum window at, enum form form)
{
	int runs = at != INTERRUPT && (at != TAKEN || form < GUARDED);
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;
	struct mutex mutex;		/* of the callout */
	struct visit v = { .form = form, .co = &co, .mutex = &mutex };

	mutex_init(&mutex);
	xcallout_init_generic(&co, THIS_MODULE, count, &ran,
			      form < GUARDED ? NULL : &mutex, 0);
	if (form == REARM)
		runs++;
	v.thread = kthread_create(visitor, &v, "xut_visitor");
	if (!XUT_EXPECT(t, !IS_ERR(v.thread)))
		return;
	kthread_bind(v.thread, trap.visitor);
	wake_up_process(v.thread);
	trap.go = false;
	if (catch(t, at, &v, &ran))
		look(t, at, &v);
	trap_end(t);
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

	if (!window_open(t, at, "xcallout_run"))
		return;
	for (round = 0; round < 3 * (1 + xut_soak); round++)
		for (form = 0; form < FORMS && !t->failed; form++)
			in_window(t, at, form);
	probe_end(at, probes[at]);
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

/* By who holds its mutex; and it is due again, all before its thread has begun. */
static void stopped_and_armed_again(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;
	struct mutex mutex;		/* of the callout */
	struct visit v = { .form = HOLDER_STOPS, .co = &co };

	if (!window_open(t, TAKEN, "xcallout_run"))
		return;
	mutex_init(&mutex);
	xcallout_init_generic(&co, THIS_MODULE, count, &ran, &mutex, 0);
	if (catch(t, TAKEN, &v, &ran)) {
		mutex_lock(&mutex);
		XUT_EXPECT(t, xcallout_armed(&co));
		XUT_EXPECT_EQ(t, xcallout_stop(&co), 1);
		XUT_EXPECT(t, !xcallout_armed(&co));
		XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), 0);
		XUT_WAIT(t, has_fired(&co));
		XUT_EXPECT(t, xcallout_armed(&co));
		XUT_EXPECT_EQ(t, xcallout_stop(&co), 1);
		XUT_EXPECT(t, !xcallout_armed(&co));
		XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), 0);
		XUT_WAIT(t, has_fired(&co));
		XUT_EXPECT(t, xcallout_armed(&co));
		mutex_unlock(&mutex);
	}
	trap_end(t);
	XUT_WAIT(t, atomic_read(&ran) == 1);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	probe_end(TAKEN, probes[TAKEN]);
}

/* Takes a piece, on a CPU where a thread that is woken for it can be held. */
struct taker {
	struct xtimeout_table *table;
	atomic_t ran;
	xtimeout_id_t *ids;
	unsigned int n;
};

static bool taking;
static unsigned int taker_cpu, evened;

/* With interrupts off. */
static void take_there(void *arg)
{
	struct taker *taker = arg;

	taking = true;
	taker->ids[taker->n++] = xtimeout(count, &taker->ran, FAR_TICKS);
	taking = false;
}

/* For what is taken: those of other tables are others'. */
static void at_evening(void *unused, const char *name, xtaskq_func_t func, xtaskqid_t id)
{
	if (raw_smp_processor_id() == taker_cpu && taking && is_trapped(name, func))
		evened++;
}

/*
 * Until the thread that is to make up for what was taken is in the trap.  It may be the
 * same one on the same CPU each time: that one must not be the case's then.
 */
static bool take_until_held(struct xut *t, struct taker *taker, unsigned int n)
{
	while (taker->n < n && !smp_load_acquire(&trap.held)) {	/* from spring() */
		unsigned int before = evened;

		XUT_WAIT(t, !READ_ONCE(taker->table->evening) || READ_ONCE(trap.held));
		trap.missed = false;
		smp_store_release(&trap.armed, true);	/* to at_task() */
		smp_call_function_single(taker_cpu, take_there, taker, true);
		if (evened != before)
			XUT_WAIT(t, READ_ONCE(trap.held) || READ_ONCE(trap.missed));
		if (READ_ONCE(trap.missed)) {
			trap.home = trap.home ? 0 : cpumask_next(0, cpu_online_mask);
			trap.visitor = trap.home;
			xut_pin(t, trap.home);
		}
	}
	return XUT_EXPECT(t, smp_load_acquire(&trap.held));	/* from spring() */
}

/* One thread at a time makes up for a table's pieces, however slow it is. */
static void one_evens_out(struct xut *t)
{
	enum { MORE = 2 * XTIMEOUT_SPARES, N = 100 * XTIMEOUT_SPARES };
	struct taker taker = { .ran = ATOMIC_INIT(0) };
	struct xcallout co;
	unsigned int i;

	taker.ids = kvcalloc(N + MORE, sizeof(*taker.ids), GFP_KERNEL);
	if (!XUT_EXPECT(t, taker.ids))
		return;
	taker_cpu = cpumask_last(cpu_online_mask);
	xut_pin(t, taker_cpu);
	xcallout_init(&co, THIS_MODULE, count, NULL);
	taker.table = co.table;
	if (!window_open(t, TAKEN, "spares_even"))
		goto free;
	trap.visitor = trap.home;	/* none */
	if (!probe_begin(t, DISPATCHED, at_evening))
		goto close;
	evened = 0;
	xut_step(t, "waiting for a thread that evens pieces out");
	if (take_until_held(t, &taker, N)) {
		evened = 0;
		for (i = 0; i < MORE; i++)
			smp_call_function_single(taker_cpu, take_there, &taker, true);
		XUT_EXPECT_EQ(t, evened, 0);
	}
	trap_end(t);
	/* On PREEMPT_RT there was no memory when none was left. */
	for (i = 0; i < taker.n; i++)
		if (taker.ids[i])
			XUT_EXPECT(t, xuntimeout(taker.ids[i]) > 0);
	XUT_EXPECT_EQ(t, atomic_read(&taker.ran), 0);
	probe_end(DISPATCHED, at_evening);
close:
	probe_end(TAKEN, probes[TAKEN]);
free:
	kvfree(taker.ids);
}

/* What the interrupts of CPU 0 fire, each. */
static struct {
	unsigned int now, most, all;
} share;

static void at_share(void *unused, unsigned int table)
{
	if (!raw_smp_processor_id())
		share.now = 0;
}

static void at_fire(void *unused, u64 id, xtimeout_func_t func, s64 due)
{
	if (raw_smp_processor_id() || !in_hardirq())
		return;
	share.all++;
	share.most = max(share.most, ++share.now);
}

/* However many are due: what the CPU does besides has to go on. */
static void interrupts_fire_some(struct xut *t)
{
	enum { N = 2000, SHARE = 64 };
	struct xcallout *co = kvcalloc(N, sizeof(*co), GFP_KERNEL);
	atomic_t ran = ATOMIC_INIT(0);
	ktime_t due;
	int i;

	if (!XUT_EXPECT(t, co))
		return;
	if (!probe_begin(t, INTERRUPT, at_share))
		goto free;
	if (!probe_begin(t, FIRED, at_fire))
		goto end;
	memset(&share, 0, sizeof(share));
	xut_pin(t, 0);
	/* Time enough to arm them; if it is not, they are due at once all the same. */
	due = ktime_get() + NSEC_PER_SEC / 2;
	for (i = 0; i < N; i++) {
		xcallout_init(&co[i], THIS_MODULE, count, &ran);
		XUT_EXPECT_EQ(t, xcallout_arm(&co[i], due, 0, 0, XTIMEOUT_ABSOLUTE), 0);
	}
	XUT_WAIT(t, atomic_read(&ran) == N);
	for (i = 0; i < N; i++)
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&co[i]), 0);
	XUT_EXPECT(t, share.most > 0 && share.most <= SHARE);
	XUT_EXPECT_EQ(t, atomic_read(&ran), N);
	xut_info(t, "interrupts fired %u of %u, no more than %u at a time", share.all, N,
		 share.most);
	probe_end(FIRED, at_fire);
end:
	probe_end(INTERRUPT, at_share);
free:
	kvfree(co);
}

static const struct xut_case window_cases[] = {
	XUT_CASE(in_the_interrupt),
	XUT_CASE(given_to_a_thread),
	XUT_CASE(before_the_function),
	XUT_CASE(after_the_function),
	XUT_CASE(when_all_is_over),
	XUT_CASE(stopped_and_armed_again),
	XUT_CASE(one_evens_out),
	XUT_CASE(interrupts_fire_some),
	{}
};

XUT_SHARED_SUITE(timeout_window, window_cases);
