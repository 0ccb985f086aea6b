// SPDX-License-Identifier: GPL-2.0-only
/*
 * Torture, in the manner of rcutorture and scftorture: everything at once, for as
 * long as the module parameter seconds says.
 *
 * Each CPU has a reader, an updater and a caller, all three threads, and a timer
 * that also sends NMIs; all of them begin grace periods, and all but the updater
 * read and post.  What each of them does next is drawn by weight.  See
 * xsync_test_torture_read.c for what readers and updaters check, and
 * xsync_test_counted.c for cross-calls.
 *
 * Meanwhile CPUs may go and come.  Threads are not bound to theirs then, and the
 * timers go with the readers: PREEMPT_RT warns of threads that are bound, and that the
 * going of their CPU finds in a section of its own that may not migrate.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include "xsync_test.h"
#include "xsync_test_torture.h"

static unsigned int seconds = 2;
module_param(seconds, uint, 0600);
MODULE_PARM_DESC(seconds, "how long each torture case runs; times 1 + xsync_unit.soak (2)");

static const char *const kind_names[TORTURE_KINDS] = {
	[TORTURE_TASK_SECTIONS] = "sections in tasks",
	[TORTURE_TIMER_SECTIONS] = "sections in timer interrupts",
	[TORTURE_NMI_SECTIONS] = "sections in NMIs",
	[TORTURE_SYNCHRONIZE] = "synchronize",
	[TORTURE_KILLABLE] = "killable waits",
	[TORTURE_TIMEOUT] = "timed waits",
	[TORTURE_POLL] = "start and poll",
	[TORTURE_CALL] = "callbacks from tasks",
	[TORTURE_TIMER_CALL] = "callbacks from timer interrupts",
	[TORTURE_NMI_CALL] = "callbacks from NMIs",
	[TORTURE_TIMER_TICKET] = "tickets from timer interrupts",
	[TORTURE_OTHER_DOMAIN] = "synchronize of the other flavour",
	[TORTURE_POST_WAIT] = "cross-calls waited for",
	[TORTURE_POST_POLL] = "cross-calls polled for",
	[TORTURE_POST_TIMEOUT] = "cross-calls waited for with a limit",
	[TORTURE_TIMER_POST] = "cross-calls from timer interrupts",
	[TORTURE_NMI_POST] = "cross-calls from NMIs",
	[TORTURE_CHAIN_POST] = "cross-calls posted again in the hand-off of their end",
	[TORTURE_RUN] = "cross-calls run",
	[TORTURE_HANDOFFS] = "hand-offs",
	[TORTURE_CPUS_OFF] = "CPUs taken away",
};

struct torture torture_state;

static DEFINE_PER_CPU(unsigned long [TORTURE_KINDS], happened);

void torture_note(enum torture_kind kind)
{
	this_cpu_inc(happened[kind]);
}

static unsigned long torture_sum(enum torture_kind kind)
{
	unsigned long sum = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(happened, cpu)[kind];
	return sum;
}

static void torture_forget(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&happened, cpu), 0, sizeof(happened));
}

static void torture_report(struct xut *t, s64 ms)
{
	enum torture_kind kind;

	for (kind = 0; kind < TORTURE_KINDS; kind++) {
		unsigned long n = torture_sum(kind);

		if (n)
			xut_info(t, "%s: %lu, %llu per second", kind_names[kind], n,
				 div64_u64((u64)n * MSEC_PER_SEC, max(ms, 1LL)));
	}
}

void torture_do_one(const struct torture_op *ops, unsigned int n, struct torture_cpu *c)
{
	unsigned int i, draw, sum = 0;

	for (i = 0; i < n; i++)
		sum += ops[i].weight;
	draw = get_random_u32() % sum;
	for (i = 0; draw >= ops[i].weight; i++)
		draw -= ops[i].weight;
	ops[i].run(c);
}

static struct task_struct *torture_thread(struct xut *t, struct torture_cpu *c,
					  int (*fn)(void *arg), bool hotplug)
{
	struct task_struct *task = thread_on(t, c->cpu, fn, c);

	if (task) {
		atomic_inc(&torture_state.running);
		if (hotplug)
			set_cpus_allowed_ptr(task, cpu_possible_mask);
	}
	return task;
}

static bool torture_start(struct xut *t, bool hotplug)
{
	struct torture *s = &torture_state;
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct torture_cpu *c = per_cpu_ptr(s->cpus, cpu);

		c->cpu = cpu;
		if (!torture_calls_begin(t, c))
			return false;
		c->reader = torture_thread(t, c, torture_reader, hotplug);
		c->updater = torture_thread(t, c, torture_updater, hotplug);
		c->caller = torture_thread(t, c, torture_caller, hotplug);
	}
	return !t->failed;
}

static void torture_end_thread(struct task_struct *task)
{
	if (!task)
		return;
	kthread_stop(task);
	put_task_struct(task);
}

static void torture_finish(struct xut *t)
{
	struct torture *s = &torture_state;
	unsigned int cpu;

	WRITE_ONCE(s->stop, true);
	xut_step(t, "threads end");
	XUT_WAIT(t, atomic_read(&s->running) == 0);
	for_each_possible_cpu(cpu) {
		struct torture_cpu *c = per_cpu_ptr(s->cpus, cpu);

		torture_end_thread(c->reader);
		torture_end_thread(c->updater);
		torture_end_thread(c->caller);
	}
	xut_step(t, "cross-calls end");
	for_each_possible_cpu(cpu)
		torture_calls_end(t, per_cpu_ptr(s->cpus, cpu));
}

/* One CPU after the other, but never that of the case. */
static void torture_hotplug(struct xut *t, unsigned long end)
{
	unsigned int cpu = raw_smp_processor_id();

	while (time_before(jiffies, end)) {
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_next(raw_smp_processor_id(), cpu_online_mask);
		xut_step(t, "offline");
		if (!XUT_EXPECT_EQ(t, remove_cpu(cpu), 0))
			return;
		torture_note(TORTURE_CPUS_OFF);
		xut_step(t, "online");
		if (!XUT_EXPECT_EQ(t, add_cpu(cpu), 0))
			return;
	}
}

static void torture_meanwhile(struct xut *t, bool hotplug)
{
	unsigned long length = (unsigned long)seconds * HZ * (1 + xut_soak);

	xut_step(t, "running");
	if (hotplug)
		torture_hotplug(t, jiffies + length);
	else
		schedule_timeout_uninterruptible(length);
}

static void torture_run(struct xut *t, bool hotplug)
{
	struct torture *s = &torture_state;
	ktime_t began = ktime_get();

	atomic_set(&s->failed, 0);
	atomic_set(&s->running, 0);
	s->stop = false;
	torture_forget();
	if (torture_start(t, hotplug))
		torture_meanwhile(t, hotplug);
	torture_finish(t);
	torture_report(t, ktime_ms_delta(ktime_get(), began));
	XUT_EXPECT_EQ(t, atomic_read(&s->failed), 0);
	XUT_EXPECT(t, torture_sum(TORTURE_TASK_SECTIONS));
	XUT_EXPECT(t, torture_sum(TORTURE_TIMER_SECTIONS));
}

static void torture_case(struct xut *t, bool hotplug)
{
	int other = t->with == XSYNC_IPI ? XSYNC_FENCED : XSYNC_IPI;
	struct torture *s = &torture_state;
	unsigned int spare;

	if (!spare_cpus(t, &spare, hotplug))
		return;
	s->cpus = alloc_percpu(struct torture_cpu);
	if (!XUT_EXPECT(t, s->cpus))
		return;
	if (!domain_begin(t, &s->domain))
		goto free;
	if (XUT_EXPECT_EQ(t, xsync_domain_init(&s->other, "torture_other", other), 0)) {
		if (counted_begin(t) && torture_objects_begin(t))
			torture_run(t, hotplug);
		torture_objects_end(t);
		counted_end(t);
		domain_end(t, &s->other);
	}
	domain_end(t, &s->domain);
free:
	free_percpu(s->cpus);
}

static void no_section_sees_the_dead(struct xut *t)
{
	torture_case(t, false);
}

static void cpus_come_and_go_under_load(struct xut *t)
{
	if (!IS_ENABLED(CONFIG_HOTPLUG_CPU)) {
		xut_skip(t, "this kernel has no CPU hotplug");
		return;
	}
	torture_case(t, true);
}

static const struct xut_case torture_cases[] = {
	XUT_CASE(no_section_sees_the_dead),
	XUT_CASE(cpus_come_and_go_under_load),
	{}
};

XUT_SHARED_SUITE(torture, torture_cases);
XUT_SUITE_WITH(torture_ipi, torture_cases, XSYNC_IPI);
