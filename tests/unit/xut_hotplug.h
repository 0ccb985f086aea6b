/* SPDX-License-Identifier: GPL-2.0-only */
/* CPUs that go and come while something else is tortured. */
#ifndef _XUT_HOTPLUG_H
#define _XUT_HOTPLUG_H

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include "xut.h"

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

#endif /* _XUT_HOTPLUG_H */
