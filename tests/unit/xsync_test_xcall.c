// SPDX-License-Identifier: GPL-2.0-only
/* Cross-calls. */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include "xsync_test.h"

static const char *const mode_names[] = {
	[XCALL_IPI] = "by IPI",
	[XCALL_THREAD] = "by thread",
};

/* How often count_cpu() ran on each CPU, and in what. */
static DEFINE_PER_CPU(atomic_t, ran_on);
static bool ran_atomic;

static void count_cpu(void *arg)
{
	ran_atomic = irqs_disabled();
	atomic_inc(raw_cpu_ptr(&ran_on));
}

static int ran_on_cpu(unsigned int cpu)
{
	return atomic_read(per_cpu_ptr(&ran_on, cpu));
}

static int ran_in_all(void)
{
	unsigned int cpu;
	int sum = 0;

	for_each_possible_cpu(cpu)
		sum += ran_on_cpu(cpu);
	return sum;
}

static void forget_runs(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		atomic_set(per_cpu_ptr(&ran_on, cpu), 0);
}

/* A post from this context to all CPUs that are online, in both modes. */

struct posted {
	struct xcall *x;
	const struct cpumask *mask;
	int first, second;
};

/* With interrupts off the run cannot be over in between. */
static void post_twice(void *arg)
{
	struct posted *p = arg;
	unsigned long flags;

	local_irq_save(flags);
	p->first = xcall_post(p->x, p->mask);
	p->second = xcall_post(p->x, p->mask);
	local_irq_restore(flags);
}

static void post_to_all(struct xut *t, unsigned int mode)
{
	struct posted p = { .mask = cpu_online_mask };
	int cpu;

	xut_step(t, mode_names[mode]);
	forget_runs();
	p.x = xcall_alloc(count_cpu, NULL, mode, GFP_KERNEL);
	if (!XUT_EXPECT(t, p.x))
		return;
	XUT_EXPECT(t, xcall_done(p.x));
	if (xut_run_here(t, post_twice, &p)) {
		XUT_EXPECT_EQ(t, p.first, 0);
		XUT_EXPECT_EQ(t, p.second, -EBUSY);
		XUT_EXPECT_EQ(t, xcall_wait(p.x), 0);
		XUT_EXPECT(t, xcall_done(p.x));
		for_each_online_cpu(cpu)
			XUT_EXPECT_EQ(t, ran_on_cpu(cpu), 1);
		XUT_EXPECT_EQ(t, ran_in_all(), num_online_cpus());
		XUT_EXPECT_EQ(t, ran_atomic, mode == XCALL_IPI);
		XUT_EXPECT(t, cpumask_equal(xcall_ran(p.x), cpu_online_mask));
		XUT_EXPECT(t, cpumask_empty(xcall_offline(p.x)));
	}
	xcall_free(p.x);
}

static void post_from(struct xut *t)
{
	post_to_all(t, XCALL_IPI);
	if (!t->skipped)
		post_to_all(t, XCALL_THREAD);
}

static const struct xut_case cross_call_cases[] = {
	XUT_CONTEXT_CASES(post_from),
	{}
};

XUT_SHARED_SUITE(cross_call, cross_call_cases);

/* Masks: what is in xcall_ran() and what in xcall_offline(). */

static void expect_run(struct xut *t, struct xcall *x, const struct cpumask *mask,
		       const struct cpumask *ran, const struct cpumask *offline)
{
	forget_runs();
	XUT_EXPECT_EQ(t, xcall_post(x, mask), 0);
	XUT_EXPECT_EQ(t, xcall_wait(x), 0);
	XUT_EXPECT(t, cpumask_equal(xcall_ran(x), ran));
	XUT_EXPECT(t, cpumask_equal(xcall_offline(x), offline));
	XUT_EXPECT_EQ(t, ran_in_all(), cpumask_weight(ran));
}

static void expect_masks(struct xut *t, struct xcall *x, struct cpumask *mask)
{
	const struct cpumask *self;

	xut_pin(t, cpumask_last(cpu_online_mask));
	self = cpumask_of(raw_smp_processor_id());

	xut_step(t, "empty mask");
	expect_run(t, x, cpu_none_mask, cpu_none_mask, cpu_none_mask);
	xut_step(t, "this CPU");
	expect_run(t, x, self, self, cpu_none_mask);
	xut_step(t, "the other CPUs");
	cpumask_andnot(mask, cpu_online_mask, self);
	expect_run(t, x, mask, mask, cpu_none_mask);
}

static void masks_are_kept(struct xut *t)
{
	unsigned int mode;

	for (mode = XCALL_IPI; mode <= XCALL_THREAD; mode++) {
		struct xcall *x = xcall_alloc(count_cpu, NULL, mode, GFP_KERNEL);
		cpumask_var_t mask;

		if (!XUT_EXPECT(t, x))
			return;
		if (XUT_EXPECT(t, zalloc_cpumask_var(&mask, GFP_KERNEL))) {
			expect_masks(t, x, mask);
			free_cpumask_var(mask);
		}
		xcall_free(x);
	}
}

/* All bits that the mask has room for, CPUs that cannot exist among them. */
static void impossible_cpus_are_told(struct xut *t)
{
	struct xcall *x = xcall_alloc(count_cpu, NULL, XCALL_IPI, GFP_KERNEL);
	static struct cpumask every;
	unsigned int cpu;

	if (!XUT_EXPECT(t, x))
		return;
	forget_runs();
	memset(&every, 0xff, sizeof(every));
	XUT_EXPECT_EQ(t, xcall_post(x, &every), 0);
	XUT_EXPECT_EQ(t, xcall_wait(x), 0);
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		XUT_EXPECT_EQ(t, cpumask_test_cpu(cpu, xcall_ran(x)), cpu_online(cpu));
		XUT_EXPECT_EQ(t, cpumask_test_cpu(cpu, xcall_offline(x)), !cpu_online(cpu));
	}
	XUT_EXPECT_EQ(t, ran_in_all(), num_online_cpus());
	/* What could be online and is not counts, what could not be does not. */
	XUT_EXPECT_EQ(t, xcall_run(&every, count_cpu, NULL),
		      num_online_cpus() < nr_cpu_ids ? -ENXIO : 0);
	xcall_free(x);
}

static void unknown_flags_are_refused(struct xut *t)
{
	XUT_EXPECT(t, !xcall_alloc(count_cpu, NULL, 0x80, GFP_KERNEL));
	xcall_free(NULL);
}

static void run_waits_for_all(struct xut *t)
{
	forget_runs();
	XUT_EXPECT_EQ(t, xcall_run(cpu_online_mask, count_cpu, NULL), 0);
	XUT_EXPECT_EQ(t, ran_in_all(), num_online_cpus());
	XUT_EXPECT_EQ(t, xcall_run(cpu_none_mask, count_cpu, NULL), 0);
	XUT_EXPECT_EQ(t, ran_in_all(), num_online_cpus());
}

/*
 * A function is held on another CPU.  It must not count as done, must not be
 * posted again, and a wait must not end.
 */

static void expect_in_flight(struct xut *t, struct xcall *x, unsigned int cpu)
{
	XUT_EXPECT(t, !xcall_done(x));
	XUT_EXPECT_EQ(t, xcall_post(x, cpumask_of(cpu)), -EBUSY);
	XUT_EXPECT_EQ(t, xcall_wait_timeout(x, 1000), -ETIMEDOUT);
	XUT_EXPECT_EQ(t, xcall_wait_timeout(x, NSEC_PER_MSEC), -ETIMEDOUT);
	XUT_EXPECT(t, !xcall_done(x));
}

static void call_is_done_when_function_has_ended(struct xut *t)
{
	unsigned int cpu, mode;

	if (!spare_cpus(t, &cpu, 1))
		return;
	for (mode = XCALL_IPI; mode <= XCALL_THREAD; mode++) {
		struct hold h = {};
		struct xcall *x = xcall_alloc(hold_here, &h, mode, GFP_KERNEL);

		if (!XUT_EXPECT(t, x))
			return;
		xut_step(t, mode_names[mode]);
		XUT_EXPECT_EQ(t, xcall_post(x, cpumask_of(cpu)), 0);
		/* It has begun, so what is done too early is done. */
		XUT_WAIT(t, smp_load_acquire(&h.begun));	/* pairs with hold_here() */
		expect_in_flight(t, x, cpu);
		WRITE_ONCE(h.release, 1);
		XUT_EXPECT_EQ(t, xcall_wait_timeout(x, U64_MAX), 0);
		XUT_EXPECT(t, cpumask_equal(xcall_ran(x), cpumask_of(cpu)));
		xcall_free(x);
	}
}

/* The memory is given back while the function is still running. */

struct freeing {
	struct xcall *x;
	struct hold *h;
	int calling, freed, too_early;
};

static int free_thread(void *arg)
{
	struct freeing *f = arg;

	WRITE_ONCE(f->calling, 1);
	xcall_free(f->x);
	f->too_early = !READ_ONCE(f->h->release);
	smp_store_release(&f->freed, 1);	/* pairs with the case */
	thread_idle();
	return 0;
}

static bool sleeps_in_free(const struct freeing *f, struct task_struct *task)
{
	return READ_ONCE(f->calling) &&
	       READ_ONCE(task->__state) == TASK_UNINTERRUPTIBLE;
}

static void free_waits_for_function(struct xut *t)
{
	struct hold h = {};
	struct freeing f = { .h = &h };
	struct task_struct *task;
	unsigned int cpu;

	if (!spare_cpus(t, &cpu, 1))
		return;
	f.x = xcall_alloc(hold_here, &h, XCALL_THREAD, GFP_KERNEL);
	if (!XUT_EXPECT(t, f.x))
		return;
	XUT_EXPECT_EQ(t, xcall_post(f.x, cpumask_of(cpu)), 0);
	XUT_WAIT(t, smp_load_acquire(&h.begun));	/* pairs with hold_here() */
	task = thread_on(t, raw_smp_processor_id(), free_thread, &f);
	if (task)
		XUT_WAIT(t, READ_ONCE(f.freed) || sleeps_in_free(&f, task));
	WRITE_ONCE(h.release, 1);
	if (!task) {
		xcall_free(f.x);
		return;
	}
	XUT_WAIT(t, smp_load_acquire(&f.freed));	/* pairs with free_thread() */
	XUT_EXPECT(t, !f.too_early);
	kthread_stop(task);
	put_task_struct(task);
}

/* From one CPU to each, in both modes: in order, each exactly once. */

#define IN_ORDER	64

struct place {
	struct xcall *x;
	int number;
};

struct places {
	int next, wrong;
};

static struct place place[IN_ORDER];
static struct places __percpu *order;

static void take_place(void *arg)
{
	struct places *mine = per_cpu_ptr(order, raw_smp_processor_id());
	struct place *p = arg;

	if (p->number != mine->next++)
		mine->wrong++;
}

static void post_place(void *arg)
{
	struct place *p = arg;

	xcall_post(p->x, cpu_online_mask);
}

/* The contexts that stay on the CPU which the case is pinned to. */
static const enum xut_context here[] = {
	XUT_TASK, XUT_HARDIRQ, XUT_IRQSOFF, XUT_NMI
};

static void post_in_order(struct xut *t)
{
	int i, cpu, posted = 0;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(order, cpu), 0, sizeof(struct places));
	for (i = 0; i < IN_ORDER; i++) {
		place[i].number = posted;
		if (!xut_run_in(here[i % ARRAY_SIZE(here)], post_place, &place[i]))
			posted++;
	}
	for (i = 0; i < IN_ORDER; i++)
		XUT_EXPECT_EQ(t, xcall_wait(place[i].x), 0);
	for_each_online_cpu(cpu) {
		XUT_EXPECT_EQ(t, per_cpu_ptr(order, cpu)->next, posted);
		XUT_EXPECT_EQ(t, per_cpu_ptr(order, cpu)->wrong, 0);
	}
}

/* What waits in the outbox of a CPU comes before a call that a task sends itself. */
static void run_after_posts(struct xut *t)
{
	unsigned int cpu, i;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(order, cpu), 0, sizeof(struct places));
	for (i = 0; i < IN_ORDER; i++) {
		place[i].number = i;
		if (i % 4 == 3)
			XUT_EXPECT_EQ(t, xcall_run(cpu_online_mask, take_place, &place[i]), 0);
		else
			XUT_EXPECT_EQ(t, xcall_post(place[i].x, cpu_online_mask), 0);
	}
	for_each_online_cpu(cpu) {
		XUT_EXPECT_EQ(t, per_cpu_ptr(order, cpu)->next, IN_ORDER);
		XUT_EXPECT_EQ(t, per_cpu_ptr(order, cpu)->wrong, 0);
	}
}

static void calls_keep_their_order(struct xut *t)
{
	unsigned int mode, round;
	int i;

	order = alloc_percpu(struct places);
	if (!XUT_EXPECT(t, order))
		return;
	xut_pin(t, cpumask_first(cpu_online_mask));
	for (mode = XCALL_IPI; mode <= XCALL_THREAD; mode++) {
		bool all = true;

		xut_step(t, mode_names[mode]);
		for (i = 0; i < IN_ORDER; i++) {
			place[i].x = xcall_alloc(take_place, &place[i], mode, GFP_KERNEL);
			all &= !!place[i].x;
		}
		for (round = 0; XUT_EXPECT(t, all) && round < 10; round++) {
			post_in_order(t);
			if (mode == XCALL_IPI)
				run_after_posts(t);
		}
		for (i = 0; i < IN_ORDER; i++)
			xcall_free(place[i].x);
	}
	free_percpu(order);
}

/* Threads on all CPUs post to all: two sources race for each inbox and its kick. */

#define RACE_POSTS	100

struct racer {
	struct task_struct *task;
	struct xcall *x;
	atomic_t __percpu *ran;
	int posts, errors, done;
};

static void count_race(void *arg)
{
	struct racer *r = arg;

	atomic_inc(raw_cpu_ptr(r->ran));
}

static int race_thread(void *arg)
{
	struct racer *r = arg;
	int i, posts = RACE_POSTS * (1 + xut_soak);

	for (i = 0; i < posts; i++) {
		if (xcall_post(r->x, cpu_online_mask) || xcall_wait(r->x))
			r->errors++;
		r->posts++;
	}
	smp_store_release(&r->done, 1);	/* pairs with the case */
	thread_idle();
	return 0;
}

static void race(struct xut *t, unsigned int mode, struct racer *racers)
{
	int cpu, target;

	for_each_online_cpu(cpu) {
		racers[cpu].ran = alloc_percpu(atomic_t);
		racers[cpu].x = xcall_alloc(count_race, &racers[cpu], mode, GFP_KERNEL);
		if (XUT_EXPECT(t, racers[cpu].x && racers[cpu].ran))
			racers[cpu].task = thread_on(t, cpu, race_thread, &racers[cpu]);
	}
	for_each_online_cpu(cpu) {
		struct racer *r = &racers[cpu];

		if (r->task) {
			XUT_WAIT(t, smp_load_acquire(&r->done));	/* race_thread() */
			kthread_stop(r->task);
			put_task_struct(r->task);
		}
		XUT_EXPECT_EQ(t, r->errors, 0);
		for_each_online_cpu(target)
			if (r->posts)
				XUT_EXPECT_EQ(t, atomic_read(per_cpu_ptr(r->ran, target)),
					      r->posts);
		xcall_free(r->x);
		free_percpu(r->ran);
	}
}

static void calls_run_exactly_once(struct xut *t)
{
	unsigned int mode;

	for (mode = XCALL_IPI; mode <= XCALL_THREAD; mode++) {
		struct racer *racers = kvcalloc(nr_cpu_ids, sizeof(*racers), GFP_KERNEL);

		if (!XUT_EXPECT(t, racers))
			return;
		xut_step(t, mode_names[mode]);
		race(t, mode, racers);
		kvfree(racers);
	}
}

/* What a function may do about calls: post others, but neither repost nor wait. */

struct inside {
	struct xcall *self, *other;
	int repost, post, wait, wait_gp;
	struct xsync_domain *d;
};

static void use_calls(void *arg)
{
	struct inside *i = arg;

	i->repost = xcall_post(i->self, cpu_online_mask);
	i->post = xcall_post(i->other, cpu_online_mask);
	i->wait = xcall_wait(i->other);
	i->wait_gp = xsync_synchronize(i->d);
}

static void use_calls_inside(struct xut *t, struct xsync_domain *d, unsigned int mode)
{
	int want = mode == XCALL_IPI ? -EWOULDBLOCK : -EDEADLK;
	struct inside i = { .d = d };

	forget_runs();
	i.self = xcall_alloc(use_calls, &i, mode, GFP_KERNEL);
	i.other = xcall_alloc(count_cpu, NULL, mode, GFP_KERNEL);
	if (XUT_EXPECT(t, i.self && i.other)) {
		XUT_EXPECT_EQ(t, xcall_post(i.self, cpumask_of(raw_smp_processor_id())), 0);
		XUT_EXPECT_EQ(t, xcall_wait(i.self), 0);
		XUT_EXPECT_EQ(t, xcall_wait(i.other), 0);
		XUT_EXPECT_EQ(t, i.repost, -EBUSY);
		XUT_EXPECT_EQ(t, i.post, 0);
		XUT_EXPECT_EQ(t, i.wait, want);
		XUT_EXPECT_EQ(t, i.wait_gp, want);
		XUT_EXPECT_EQ(t, ran_in_all(), num_online_cpus());
	}
	xcall_free(i.self);
	xcall_free(i.other);
}

static void functions_use_calls(struct xut *t)
{
	struct xsync_domain d;

	if (!domain_begin(t, &d))
		return;
	xut_step(t, mode_names[XCALL_IPI]);
	use_calls_inside(t, &d, XCALL_IPI);
	xut_step(t, mode_names[XCALL_THREAD]);
	use_calls_inside(t, &d, XCALL_THREAD);
	domain_end(t, &d);
}

static const struct xut_case xcall_cases[] = {
	XUT_CASE(masks_are_kept),
	XUT_CASE(impossible_cpus_are_told),
	XUT_CASE(unknown_flags_are_refused),
	XUT_CASE(run_waits_for_all),
	XUT_CASE(call_is_done_when_function_has_ended),
	XUT_CASE(free_waits_for_function),
	XUT_CASE(calls_keep_their_order),
	XUT_CASE(calls_run_exactly_once),
	XUT_CASE(functions_use_calls),
	{}
};

XUT_SHARED_SUITE(xcall, xcall_cases);
