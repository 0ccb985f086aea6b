// SPDX-License-Identifier: GPL-2.0-only
/*
 * hotplug - what CPUs that come and go leave to be done.
 *
 *	online    on the CPU itself: pass over what was handed off before it was
 *		  online, let IPI rounds interrupt it, let its thread run functions,
 *		  have all domains looked at
 *	offline   on the CPU itself, still alive: readers pay for themselves again;
 *		  wait for the function that its thread runs
 *	dead      on another CPU: pass over what was handed off after it was not
 *		  online any more, give up its inboxes, have all domains looked at
 *
 * The dead callback belongs to an early step, so that it comes after the CPU has
 * executed its last instruction; the online one to a late step, whose counterpart
 * comes before the threads are parked.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include "internal.h"

static enum cpuhp_state xsync_dead_state;
static enum cpuhp_state xsync_online_state;

static int xsync_cpu_online(unsigned int cpu)
{
	xsync_outbox_drain(cpu);
	xsync_domains_cpu_joins(cpu);
	xcall_cpu_online(cpu);
	xsync_domains_kick();
	return 0;
}

static int xsync_cpu_offline(unsigned int cpu)
{
	xsync_domains_cpu_leaves(cpu);
	xcall_cpu_offline(cpu);
	return 0;
}

static int xsync_cpu_dead(unsigned int cpu)
{
	xsync_outbox_drain(cpu);
	xcall_cpu_dead(cpu);
	xsync_domains_kick();
	return 0;
}

int xsync_hotplug_init(void)
{
	int ret;

	ret = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "xsync:dead", NULL,
					xsync_cpu_dead);
	if (ret < 0)
		return ret;
	xsync_dead_state = ret;

	/* With calls: the CPUs that are there join. */
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "xsync:online",
				xsync_cpu_online, xsync_cpu_offline);
	if (ret < 0) {
		cpuhp_remove_state_nocalls(xsync_dead_state);
		return ret;
	}
	xsync_online_state = ret;
	return 0;
}

void xsync_hotplug_exit(void)
{
	cpuhp_remove_state(xsync_online_state);
	cpuhp_remove_state_nocalls(xsync_dead_state);
}
