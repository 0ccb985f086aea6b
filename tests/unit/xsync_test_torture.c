// SPDX-License-Identifier: GPL-2.0-only
/*
 * Torture: readers in task, timer interrupt and NMI on all CPUs look at objects
 * that updaters on all CPUs replace.
 *
 * An object's age is 0 from before it is published until a grace period after it
 * was replaced has passed; then it is 1.  A section that finds an age of 1, at its
 * begin or at its end, saw a grace period end too early.  Sections are RCU's read
 * sections as well, and RCU frees the objects, so that the age is there to be seen
 * also when the grace period is wrong.
 *
 * The updaters take turns at what they wait with: wait, poll, callback.
 */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <xsync/compat/hrtimer.h>
#include "xsync_test.h"

#define TORTURE_TIME	(2 * HZ)
#define SLOTS		4
#define TICK_NS		NSEC_PER_MSEC

struct object {
	struct xsync_head head;
	struct rcu_head rcu;
	int age;
};

struct torture_cpu {
	struct task_struct *reader, *updater;
	struct hrtimer timer;
	unsigned long task_sections, irq_sections, nmi_sections, updates;
};

static struct xsync_domain torture_domain;
static struct object *slots[SLOTS];
static struct torture_cpu __percpu *torture_cpus;
static atomic_t too_early;
static atomic_t failed_updates;
static atomic_t running;
static bool torture_stop;

static void look(unsigned int slot, unsigned int length)
{
	unsigned long cookie = xsync_enter(&torture_domain);
	struct object *o = READ_ONCE(slots[slot]);

	if (READ_ONCE(o->age))
		atomic_inc(&too_early);
	while (length--)
		cpu_relax();
	if (READ_ONCE(o->age))
		atomic_inc(&too_early);
	xsync_exit(&torture_domain, cookie);
}

static void look_in_nmi(void *arg)
{
	struct torture_cpu *c = arg;

	look(c->nmi_sections++ % SLOTS, 50);
}

static enum hrtimer_restart look_in_timer(struct hrtimer *timer)
{
	struct torture_cpu *c = container_of(timer, struct torture_cpu, timer);

	look(c->irq_sections++ % SLOTS, 100);
	if (c->irq_sections % 8 == 0)
		xut_nmi_self(look_in_nmi, c);
	if (READ_ONCE(torture_stop))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(TICK_NS));
	return HRTIMER_RESTART;
}

static int torture_reader(void *arg)
{
	struct torture_cpu *c = arg;

	hrtimer_start(&c->timer, ns_to_ktime(TICK_NS), HRTIMER_MODE_REL_PINNED_HARD);
	while (!READ_ONCE(torture_stop)) {
		unsigned int r = get_random_u32();

		look(r % SLOTS, r >> 8 & 0x3ff);
		if (c->task_sections++ % 64 == 0)
			xut_nmi_self(look_in_nmi, c);
		cond_resched();
	}
	hrtimer_cancel(&c->timer);
	atomic_dec(&running);
	thread_idle();
	return 0;
}

static void retire(struct object *o)
{
	WRITE_ONCE(o->age, 1);
	kfree_rcu(o, rcu);
}

static void retire_later(struct xsync_head *head)
{
	retire(container_of(head, struct object, head));
}

static void retire_after_wait(struct object *o)
{
	if (xsync_synchronize(&torture_domain))
		atomic_inc(&failed_updates);
	retire(o);
}

static void retire_after_poll(struct object *o)
{
	unsigned long ticket = xsync_start(&torture_domain);

	while (!xsync_poll(&torture_domain, ticket))
		usleep_range(10, 50);
	retire(o);
}

static void torture_update(unsigned int r)
{
	struct object *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (!o) {
		atomic_inc(&failed_updates);
		return;
	}
	o = xchg(&slots[r % SLOTS], o);
	switch (r >> 8 & 3) {
	case 0:
		retire_after_poll(o);
		break;
	case 1:
		if (xsync_call(&torture_domain, &o->head, retire_later))
			atomic_inc(&failed_updates);
		break;
	default:
		retire_after_wait(o);
		break;
	}
}

static int torture_updater(void *arg)
{
	struct torture_cpu *c = arg;

	while (!READ_ONCE(torture_stop)) {
		torture_update(get_random_u32());
		c->updates++;
		cond_resched();
	}
	atomic_dec(&running);
	thread_idle();
	return 0;
}

static void torture_start(struct xut *t)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct torture_cpu *c = per_cpu_ptr(torture_cpus, cpu);

		hrtimer_setup(&c->timer, look_in_timer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
		c->reader = thread_on(t, cpu, torture_reader, c);
		c->updater = thread_on(t, cpu, torture_updater, c);
		atomic_add(!!c->reader + !!c->updater, &running);
	}
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
	unsigned long task = 0, irq = 0, nmi = 0, updates = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct torture_cpu *c = per_cpu_ptr(torture_cpus, cpu);

		torture_end_thread(c->reader);
		torture_end_thread(c->updater);
		task += c->task_sections;
		irq += c->irq_sections;
		nmi += c->nmi_sections;
		updates += c->updates;
	}
	xut_info(t, "sections: %lu in tasks, %lu in interrupts, %lu in NMIs; %lu updates",
		 task, irq, nmi, updates);
	XUT_EXPECT(t, task && irq && updates);
}

static bool torture_setup(struct xut *t)
{
	unsigned int i;

	atomic_set(&too_early, 0);
	atomic_set(&failed_updates, 0);
	atomic_set(&running, 0);
	torture_stop = false;
	torture_cpus = alloc_percpu(struct torture_cpu);
	if (!XUT_EXPECT(t, torture_cpus))
		return false;
	for (i = 0; i < SLOTS; i++) {
		slots[i] = kzalloc(sizeof(*slots[i]), GFP_KERNEL);
		if (!XUT_EXPECT(t, slots[i]))
			return false;
	}
	return true;
}

static void torture_teardown(void)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		kfree(xchg(&slots[i], NULL));
	free_percpu(torture_cpus);
}

static void no_section_sees_the_dead(struct xut *t)
{
	if (!domain_begin(t, &torture_domain))
		return;
	if (torture_setup(t)) {
		torture_start(t);
		xut_step(t, "running");
		schedule_timeout_uninterruptible(TORTURE_TIME * (1 + xut_soak));
		WRITE_ONCE(torture_stop, true);
		xut_step(t, "threads end");
		XUT_WAIT(t, atomic_read(&running) == 0);
		torture_finish(t);
		XUT_EXPECT_EQ(t, atomic_read(&too_early), 0);
		XUT_EXPECT_EQ(t, atomic_read(&failed_updates), 0);
	}
	domain_end(t, &torture_domain);
	torture_teardown();
}

static const struct xut_case torture_cases[] = {
	XUT_CASE(no_section_sees_the_dead),
	{}
};

XUT_SHARED_SUITE(torture, torture_cases);
XUT_SUITE_WITH(torture_ipi, torture_cases, XSYNC_IPI);
