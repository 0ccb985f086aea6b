/* SPDX-License-Identifier: GPL-2.0-only */
/* A torture: its threads, and CPUs that go and come meanwhile. */
#ifndef _XUT_TORTURE_H
#define _XUT_TORTURE_H

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include "xut.h"

/* One of the threads.  Its function ends itself when it is time, and then is awaited. */
struct torture_thread {
	struct task_struct *task;
	int through;
};

static inline bool torture_thread_begin(struct xut *t, struct torture_thread *thread,
					int (*func)(void *arg), void *arg, unsigned int i)
{
	thread->through = 0;
	thread->task = kthread_create(func, arg, "xut_torture/%u", i);
	if (!XUT_EXPECT(t, !IS_ERR(thread->task)))
		return false;
	get_task_struct(thread->task);
	wake_up_process(thread->task);
	return true;
}

/* The last thing that its function does; gives what that returns. */
static inline int torture_thread_through(struct torture_thread *thread)
{
	smp_store_release(&thread->through, 1);	/* to torture_thread_await() */
	return xut_until_stopped();
}

static inline void torture_thread_await(struct xut *t, struct torture_thread *thread)
{
	/* from torture_thread_through() */
	XUT_WAIT(t, smp_load_acquire(&thread->through));
}

static inline void torture_thread_end(struct torture_thread *thread)
{
	kthread_stop(thread->task);
	put_task_struct(thread->task);
}

/* The task that runs the case, a user's perhaps, can be frozen here. */
static inline void sleep_freezable(long ticks)
{
	set_current_state(TASK_UNINTERRUPTIBLE | TASK_FREEZABLE);
	schedule_timeout(ticks);
}

/* Not while the system suspends. */
static inline bool cpu_goes_and_comes(struct xut *t, unsigned int cpu)
{
	int err = remove_cpu(cpu);

	if (err == -EBUSY || !XUT_EXPECT_EQ(t, err, 0))
		return false;
	for (;;) {
		err = add_cpu(cpu);
		if (err != -EBUSY)
			return XUT_EXPECT_EQ(t, err, 0);
		sleep_freezable(1);
	}
}

/* For so many seconds, times the length of soak; somebody may change the number meanwhile. */
static inline void let_cpus_go_and_come(struct xut *t, const unsigned int *seconds)
{
	unsigned long begin = jiffies;
	unsigned int gone = 0, cpu;

	while (time_before(jiffies, begin + READ_ONCE(*seconds) * (1 + xut_soak) * HZ)) {
		cpu = cpumask_last(cpu_online_mask);
		if (IS_ENABLED(CONFIG_HOTPLUG_CPU) && cpu != cpumask_first(cpu_online_mask))
			gone += cpu_goes_and_comes(t, cpu);
		sleep_freezable(HZ / 20);
	}
	xut_info(t, "CPUs went %u times", gone);
	XUT_EXPECT(t, gone || !IS_ENABLED(CONFIG_HOTPLUG_CPU) || num_online_cpus() == 1);
}

#endif /* _XUT_TORTURE_H */
