// SPDX-License-Identifier: GPL-2.0-only
/* CPUs that come and go under calls, tickets and hand-offs. */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jump_label.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <xsync/internal.h>
#include "xsync_test.h"

/* The last online CPU, if it can be taken away; the case is pinned elsewhere. */
static bool removable_cpu(struct xut *t, unsigned int *cpu)
{
	unsigned int spare;

	if (!spare_cpus(t, &spare, 1))
		return false;
	*cpu = cpumask_last(cpu_online_mask);
	return true;
}

static bool take_away(struct xut *t, unsigned int cpu)
{
	xut_step(t, "offline");
	return XUT_EXPECT_EQ(t, remove_cpu(cpu), 0);
}

static void bring_back(struct xut *t, unsigned int cpu)
{
	xut_step(t, "online");
	XUT_EXPECT_EQ(t, add_cpu(cpu), 0);
}

static void count_call(void *arg)
{
	atomic_inc(arg);
}

static void call_offline(struct xut *t, unsigned int cpu, unsigned int mode)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct xcall *x = xcall_alloc(count_call, &ran, mode, GFP_KERNEL);

	if (!XUT_EXPECT(t, x))
		return;
	XUT_EXPECT_EQ(t, xcall_post(x, cpu_possible_mask), 0);
	XUT_EXPECT_EQ(t, xcall_wait(x), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), num_online_cpus());
	XUT_EXPECT(t, cpumask_equal(xcall_ran(x), cpu_online_mask));
	XUT_EXPECT(t, cpumask_test_cpu(cpu, xcall_offline(x)));
	XUT_EXPECT_EQ(t, cpumask_weight(xcall_offline(x)),
		      num_possible_cpus() - num_online_cpus());
	xcall_free(x);
}

static void offline_target_is_told(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	unsigned int cpu;

	if (!removable_cpu(t, &cpu) || !take_away(t, cpu))
		return;
	call_offline(t, cpu, XCALL_IPI);
	call_offline(t, cpu, XCALL_THREAD);
	XUT_EXPECT_EQ(t, xcall_run(cpumask_of(cpu), count_call, &ran), -ENXIO);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
	bring_back(t, cpu);
	XUT_EXPECT_EQ(t, xcall_run(cpumask_of(cpu), count_call, &ran), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
}

/*
 * A thread posts to all CPUs as fast as it can, and takes tickets, while one CPU
 * goes and comes: every call is done, ran or was told offline on each CPU.
 */
struct storm {
	struct xsync_domain *d;
	struct xcall *x;
	struct task_struct *task;
	atomic_t ran;
	unsigned long posts, ran_before, errors;
	int posted, stop;
};

static void storm_once(struct storm *s)
{
	static const struct cpumask *const all = cpu_possible_mask;
	unsigned long ran;

	if (xcall_post(s->x, all) || xcall_wait(s->x) || xsync_synchronize(s->d)) {
		s->errors++;
		return;
	}
	s->posts++;
	ran = atomic_read(&s->ran);
	if (ran - s->ran_before != cpumask_weight(xcall_ran(s->x)) ||
	    cpumask_weight(xcall_ran(s->x)) + cpumask_weight(xcall_offline(s->x)) !=
	    num_possible_cpus())
		s->errors++;
	s->ran_before = ran;
}

static int storm_thread(void *arg)
{
	struct storm *s = arg;

	while (!READ_ONCE(s->stop)) {
		storm_once(s);
		WRITE_ONCE(s->posted, 1);
		cond_resched();
	}
	thread_idle();
	return 0;
}

static bool storm_begin(struct xut *t, struct storm *s, struct xsync_domain *d,
			unsigned int mode)
{
	*s = (struct storm) { .d = d };
	s->x = xcall_alloc(count_call, &s->ran, mode, GFP_KERNEL);
	if (!XUT_EXPECT(t, s->x))
		return false;
	s->task = thread_on(t, raw_smp_processor_id(), storm_thread, s);
	if (s->task)
		return XUT_WAIT(t, READ_ONCE(s->posted));
	xcall_free(s->x);
	return false;
}

static void storm_end(struct xut *t, struct storm *s)
{
	WRITE_ONCE(s->stop, 1);
	xut_step(t, "end of the storm");
	kthread_stop(s->task);
	put_task_struct(s->task);
	XUT_EXPECT_EQ(t, s->errors, 0);
	XUT_EXPECT(t, s->posts > 0);
	xcall_free(s->x);
}

static void posts_in_flight_complete(struct xut *t)
{
	unsigned int cpu, i, rounds = 3 * (1 + xut_soak);
	struct storm by_ipi, by_thread;
	struct xsync_domain d;

	if (!removable_cpu(t, &cpu) || !domain_begin(t, &d))
		return;
	if (storm_begin(t, &by_ipi, &d, XCALL_IPI)) {
		if (storm_begin(t, &by_thread, &d, XCALL_THREAD)) {
			for (i = 0; i < rounds && take_away(t, cpu); i++)
				bring_back(t, cpu);
			storm_end(t, &by_thread);
		}
		storm_end(t, &by_ipi);
	}
	domain_end(t, &d);
}

/*
 * On a CPU that is past the step where its interrupts for others die, a probe
 * hands off, posts, takes a ticket and queues a callback; afterwards the CPU's
 * irq_work must be alive.
 */
#define DYING_FUNCTION	"cpuhp_report_idle_dead"

struct dying {
	struct kprobe probe;
	struct xsync_domain d;
	struct xsync_handoff h;
	struct xsync_head head;
	struct xcall *x;
	unsigned long ticket;
	unsigned int on;
	bool online;
	int hit, handed, ran_on, called, post, call;
};

static struct dying dying;

static void dying_handed(struct xsync_handoff *h)
{
	dying.ran_on = raw_smp_processor_id();
	smp_store_release(&dying.handed, dying.handed + 1);	/* to the case */
}

static void dying_called(struct xsync_head *head)
{
	smp_store_release(&dying.called, dying.called + 1);	/* to the case */
}

static int dying_probe(struct kprobe *probe, struct pt_regs *regs)
{
	dying.on = raw_smp_processor_id();
	dying.online = cpu_online(dying.on);
	xsync_handoff(&dying.h);
	dying.post = xcall_post(dying.x, cpu_online_mask);
	dying.ticket = xsync_start(&dying.d);
	dying.call = xsync_call(&dying.d, &dying.head, dying_called);
	WRITE_ONCE(dying.hit, dying.hit + 1);
	return 0;
}

static void dying_cpu_leaves_nothing(struct xut *t, unsigned int cpu, atomic_t *ran)
{
	struct xsync_handoff h;

	if (!take_away(t, cpu))
		return;
	XUT_EXPECT_EQ(t, dying.hit, 1);
	XUT_EXPECT_EQ(t, dying.on, cpu);
	XUT_EXPECT(t, !dying.online);
	xut_step(t, "what the dying CPU left");
	XUT_WAIT(t, smp_load_acquire(&dying.handed));	/* pairs with dying_handed() */
	XUT_EXPECT(t, dying.ran_on != cpu);
	XUT_EXPECT_EQ(t, dying.post, 0);
	XUT_EXPECT_EQ(t, xcall_wait(dying.x), 0);
	XUT_EXPECT_EQ(t, atomic_read(ran), num_online_cpus());
	XUT_EXPECT_EQ(t, xsync_wait(&dying.d, dying.ticket), 0);
	XUT_EXPECT_EQ(t, dying.call, 0);
	XUT_EXPECT_EQ(t, xsync_barrier(&dying.d), 0);
	XUT_EXPECT_EQ(t, dying.called, 1);
	bring_back(t, cpu);

	xut_step(t, "hand-off on the CPU that came back");
	xut_pin(t, cpu);
	xsync_handoff_init(&h, dying_handed);
	XUT_EXPECT(t, xsync_handoff(&h));
	/* Pairs with dying_handed(). */
	if (!XUT_WAIT(t, smp_load_acquire(&dying.handed) == 2)) {
		/* Its irq_work is dead until it goes once more, unprobed. */
		disable_kprobe(&dying.probe);
		xut_pin(t, cpumask_first(cpu_online_mask));
		if (take_away(t, cpu))
			bring_back(t, cpu);
	}
	xsync_handoff_sync(&h);
	XUT_EXPECT_EQ(t, dying.ran_on, cpu);
}

static void probe_on_dying_cpu_is_served(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	unsigned int cpu;

	if (!removable_cpu(t, &cpu))
		return;
	memset(&dying, 0, sizeof(dying));
	dying.probe.symbol_name = DYING_FUNCTION;
	dying.probe.pre_handler = dying_probe;
	xsync_handoff_init(&dying.h, dying_handed);
	dying.x = xcall_alloc(count_call, &ran, XCALL_IPI, GFP_KERNEL);
	if (!XUT_EXPECT(t, dying.x) || !domain_begin(t, &dying.d))
		goto free;
	if (register_kprobe(&dying.probe)) {
		xut_skip(t, "no kprobe on " DYING_FUNCTION " in this kernel");
	} else {
		dying_cpu_leaves_nothing(t, cpu, &ran);
		unregister_kprobe(&dying.probe);
	}
	domain_end(t, &dying.d);
free:
	xcall_free(dying.x);
}

/*
 * Readers leave out their barrier only where rounds interrupt their CPU: not while it
 * is offline, whether the domain was there before or not.
 */
static bool readers_pay(const struct xsync_domain *d, unsigned int cpu)
{
	return READ_ONCE(per_cpu_ptr(d->readers, cpu)->fence);
}

static void readers_pay_while_cpu_is_offline(struct xut *t)
{
	struct xsync_domain before, after;
	bool fenced = t->with == XSYNC_FENCED;
	unsigned int cpu;

	if (!removable_cpu(t, &cpu) || !domain_begin(t, &before))
		return;
	XUT_EXPECT_EQ(t, readers_pay(&before, cpu), fenced);
	if (!take_away(t, cpu))
		goto end;
	XUT_EXPECT(t, readers_pay(&before, cpu));
	XUT_EXPECT_EQ(t, xsync_synchronize(&before), 0);
	if (domain_begin(t, &after)) {
		XUT_EXPECT(t, readers_pay(&after, cpu));
		bring_back(t, cpu);
		XUT_EXPECT_EQ(t, readers_pay(&after, cpu), fenced);
		domain_end(t, &after);
	} else {
		bring_back(t, cpu);
	}
	XUT_EXPECT_EQ(t, readers_pay(&before, cpu), fenced);
end:
	domain_end(t, &before);
}

/*
 * What tracers do in their callbacks waits for CPU hotplug: unregistering a kprobe,
 * switching a static key.  While a CPU goes and comes, each callback must run, and
 * neither may wait for the other for ever.
 */

#define CLEANUPS	8

struct cleanup {
	struct xsync_head head;
	struct xsync_domain *d;
	struct kprobe probe;
	unsigned long runs;
	int errors, ended;
};

static DEFINE_STATIC_KEY_FALSE(cleanup_key);
static bool cleanups_stop;

static int cleanup_probe(struct kprobe *probe, struct pt_regs *regs)
{
	return 0;
}

static void cleanup_probes(struct cleanup *c)
{
	memset(&c->probe, 0, sizeof(c->probe));
	c->probe.symbol_name = DYING_FUNCTION;
	c->probe.pre_handler = cleanup_probe;
	if (!register_kprobe(&c->probe))
		unregister_kprobe(&c->probe);
}

static void cleanup_and_again(struct xsync_head *head)
{
	struct cleanup *c = container_of(head, struct cleanup, head);

	cpus_read_lock();
	WRITE_ONCE(c->runs, c->runs + 1);
	cpus_read_unlock();
	if (c->runs % 8 == 1)
		cleanup_probes(c);
	static_branch_inc(&cleanup_key);
	static_branch_dec(&cleanup_key);

	if (!READ_ONCE(cleanups_stop)) {
		c->errors |= xsync_call(c->d, head, cleanup_and_again);
		return;
	}
	smp_store_release(&c->ended, 1);	/* to cleanups_end() */
}

static void cleanups_end(struct xut *t, struct cleanup *cleanups)
{
	struct cleanup *c;

	WRITE_ONCE(cleanups_stop, true);
	xut_step(t, "callbacks end");
	for (c = cleanups; c < cleanups + CLEANUPS; c++) {
		XUT_WAIT(t, smp_load_acquire(&c->ended));	/* from cleanup_and_again() */
		XUT_EXPECT_EQ(t, c->errors, 0);
	}
}

/* From one going to the next there is at least one run of each. */
static void cpu_goes_under_cleanups(struct xut *t, unsigned int cpu,
				    const struct cleanup *cleanups)
{
	const struct cleanup *c;
	unsigned int i;

	for (i = 0; i < 5 * (1 + xut_soak); i++) {
		unsigned long before[CLEANUPS];

		for (c = cleanups; c < cleanups + CLEANUPS; c++)
			before[c - cleanups] = READ_ONCE(c->runs);
		if (!take_away(t, cpu))
			return;
		bring_back(t, cpu);
		xut_step(t, "callbacks run");
		for (c = cleanups; c < cleanups + CLEANUPS; c++)
			XUT_WAIT(t, READ_ONCE(c->runs) != before[c - cleanups]);
	}
}

static void callbacks_wait_for_hotplug(struct xut *t)
{
	static struct cleanup cleanups[CLEANUPS];
	struct xsync_domain d;
	struct cleanup *c;
	unsigned int cpu;

	if (!removable_cpu(t, &cpu) || !domain_begin(t, &d))
		return;
	memset(cleanups, 0, sizeof(cleanups));
	cleanups_stop = false;
	for (c = cleanups; c < cleanups + CLEANUPS; c++) {
		c->d = &d;
		XUT_EXPECT_EQ(t, xsync_call(&d, &c->head, cleanup_and_again), 0);
	}
	cpu_goes_under_cleanups(t, cpu, cleanups);
	cleanups_end(t, cleanups);
	domain_end(t, &d);
}

/*
 * A thread-mode function that sleeps, and is about to be one of a CPU that is going:
 * whatever it sleeps on has to be alive until it has returned.  The kernel parks
 * ksoftirqd first, and the other threads of the CPU after it.
 */
struct sleeper {
	unsigned int cpu;
	int begun, ended;
	bool parking;
};

static void sleep_while_cpu_goes(void *arg)
{
	struct sleeper *s = arg;
	int i;

	WRITE_ONCE(s->begun, 1);
	while (cpu_active(s->cpu))
		usleep_range(100, 200);
	for (i = 0; i < 200 && !s->parking; i++) {
		usleep_range(500, 1000);
		s->parking = kthread_should_park();
	}
	WRITE_ONCE(s->ended, 1);
}

/* What is behind it runs before, too, or is told offline. */
static void thread_function_ends_before_threads_are_parked(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct xcall *x, *behind = xcall_alloc(count_call, &ran, XCALL_THREAD, GFP_KERNEL);
	struct sleeper s = {};

	x = xcall_alloc(sleep_while_cpu_goes, &s, XCALL_THREAD, GFP_KERNEL);
	if (!XUT_EXPECT(t, x && behind) || !removable_cpu(t, &s.cpu))
		goto free;
	XUT_EXPECT_EQ(t, xcall_post(x, cpumask_of(s.cpu)), 0);
	XUT_EXPECT_EQ(t, xcall_post(behind, cpumask_of(s.cpu)), 0);
	XUT_WAIT(t, READ_ONCE(s.begun));
	if (!take_away(t, s.cpu))
		goto free;
	XUT_EXPECT(t, s.ended && !s.parking);
	XUT_EXPECT_EQ(t, xcall_wait(x), 0);
	XUT_EXPECT(t, cpumask_test_cpu(s.cpu, xcall_ran(x)));
	XUT_EXPECT_EQ(t, xcall_wait(behind), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), cpumask_test_cpu(s.cpu, xcall_ran(behind)));
	XUT_EXPECT_EQ(t, atomic_read(&ran), !cpumask_test_cpu(s.cpu, xcall_offline(behind)));
	bring_back(t, s.cpu);
free:
	xcall_free(x);
	xcall_free(behind);
}

/* A step that another architecture has between ours and the parking of threads. */
#define LATER_STEP	CPUHP_AP_PERF_S390_CF_ONLINE

static bool refuse_to_go;

static int later_step_down(unsigned int cpu)
{
	return READ_ONCE(refuse_to_go) ? -EBUSY : 0;
}

/* It was closed, and is opened again; what waited in its inbox runs there. */
static void a_cpu_that_stays_runs_what_it_was_sent(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct xcall *x, *behind = xcall_alloc(count_call, &ran, XCALL_THREAD, GFP_KERNEL);
	struct sleeper s = {};

	x = xcall_alloc(sleep_while_cpu_goes, &s, XCALL_THREAD, GFP_KERNEL);
	if (!XUT_EXPECT(t, x && behind) || !removable_cpu(t, &s.cpu))
		goto free;
	if (!XUT_EXPECT_EQ(t, cpuhp_setup_state_nocalls(LATER_STEP, "xut:later", NULL,
							later_step_down), 0))
		goto free;
	WRITE_ONCE(refuse_to_go, true);
	XUT_EXPECT_EQ(t, xcall_post(x, cpumask_of(s.cpu)), 0);
	XUT_EXPECT_EQ(t, xcall_post(behind, cpumask_of(s.cpu)), 0);
	XUT_WAIT(t, READ_ONCE(s.begun));
	xut_step(t, "offline, in vain");
	XUT_EXPECT_EQ(t, remove_cpu(s.cpu), -EBUSY);
	WRITE_ONCE(refuse_to_go, false);
	cpuhp_remove_state_nocalls(LATER_STEP);
	xut_step(t, "what is left runs");
	XUT_EXPECT_EQ(t, xcall_wait(x), 0);
	XUT_EXPECT_EQ(t, xcall_wait(behind), 0);
	XUT_EXPECT(t, cpumask_test_cpu(s.cpu, xcall_ran(behind)));
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	XUT_EXPECT_EQ(t, xcall_run(cpumask_of(s.cpu), count_call, &ran), 0);
free:
	xcall_free(x);
	xcall_free(behind);
}

static const struct xut_case hotplug_cases[] = {
	XUT_CASE(offline_target_is_told),
	XUT_CASE(posts_in_flight_complete),
	XUT_CASE(probe_on_dying_cpu_is_served),
	XUT_CASE(readers_pay_while_cpu_is_offline),
	XUT_CASE(callbacks_wait_for_hotplug),
	{}
};

XUT_SHARED_SUITE(hotplug, hotplug_cases);
XUT_SUITE_WITH(hotplug_ipi, hotplug_cases, XSYNC_IPI);

static const struct xut_case hotplug_thread_cases[] = {
	XUT_CASE(thread_function_ends_before_threads_are_parked),
	XUT_CASE(a_cpu_that_stays_runs_what_it_was_sent),
	{}
};

XUT_SHARED_SUITE(hotplug_thread, hotplug_thread_cases);
