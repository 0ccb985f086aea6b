// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues whose number of threads follows the CPUs that are online.
 *
 * Each has slots for as many runners as it may ever have.  CPU hotplug calls back when
 * a CPU has come and when one is about to go; all such queues are gone through then,
 * with the list of queues locked.  A queue is put on that list, and its number found,
 * while no CPU can come or go.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include "internal.h"

static int percent_state;

/**
 * xtaskq_percent_of - a percentage of a number of CPUs
 * @percent: the percentage
 * @cpus: the number of CPUs
 *
 * Return: rounded down, but one at least.
 */
unsigned int xtaskq_percent_of(unsigned int percent, unsigned int cpus)
{
	return max(cpus * percent / 100, 1U);
}

static void follow(unsigned int cpus)
{
	struct xtaskq *tq;

	mutex_lock(&xtaskq_list_lock);
	list_for_each_entry(tq, &xtaskq_list, link)
		if (tq->percent)
			xtaskq_set_threads(tq, xtaskq_percent_of(tq->percent, cpus));
	mutex_unlock(&xtaskq_list_lock);
}

static int cpu_has_come(unsigned int cpu)
{
	follow(num_online_cpus());
	return 0;
}

static int cpu_is_going(unsigned int cpu)
{
	follow(num_online_cpus() - 1);
	return 0;
}

int xtaskq_percent_init(void)
{
	percent_state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "xsync_taskq:online",
						  cpu_has_come, cpu_is_going);
	return min(percent_state, 0);
}

void xtaskq_percent_exit(void)
{
	cpuhp_remove_state_nocalls(percent_state);
}
