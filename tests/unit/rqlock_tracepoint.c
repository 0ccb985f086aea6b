// SPDX-License-Identifier: GPL-2.0-only
/*
 * rqlock - run a function under this CPU's runqueue lock.
 *
 * The tracepoint sched_switch is hit with that lock held, by the task that is
 * about to leave the CPU.  So the caller leaves a note on its CPU and goes to
 * sleep; the probe finds the note of the task that is leaving and runs it.
 *
 * The probe stays registered as long as the harness is loaded.  To register one
 * where there was none before, and to unregister the last one, waits for RCU,
 * and cases hold readers with preemption off while they run functions elsewhere.
 */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <trace/events/sched.h>
#include "context.h"

struct xut_rqlock {
	void (*fn)(void *arg);	/* NULL: it has run */
	void *arg;
	struct task_struct *task;
};

static DEFINE_PER_CPU(struct xut_rqlock *, xut_rqlock_slot);
static struct tracepoint *xut_sched_switch;

static void xut_rqlock_probe(void *data, bool preempt, struct task_struct *prev,
			     struct task_struct *next, unsigned int prev_state)
{
	struct xut_rqlock *run = this_cpu_read(xut_rqlock_slot);

	if (!run || run->task != prev)
		return;
	this_cpu_write(xut_rqlock_slot, NULL);
	run->fn(run->arg);
	smp_store_release(&run->fn, NULL);	/* with what it did, to who waits */
}

int xut_rqlock_self(void (*fn)(void *arg), void *arg)
{
	struct xut_rqlock run = { .fn = fn, .arg = arg, .task = current };

	if (!xut_sched_switch)
		return -EOPNOTSUPP;

	migrate_disable();
	while (this_cpu_cmpxchg(xut_rqlock_slot, NULL, &run))
		usleep_range(10, 50);
	/* Pairs with the probe. */
	while (smp_load_acquire(&run.fn))
		usleep_range(10, 50);
	migrate_enable();
	return 0;
}
EXPORT_SYMBOL_GPL(xut_rqlock_self);

static void xut_find_sched_switch(struct tracepoint *tp, void *found)
{
	if (!strcmp(tp->name, "sched_switch"))
		*(struct tracepoint **)found = tp;
}

int xut_rqlock_init(void)
{
	struct tracepoint *tp = NULL;
	int err;

	check_trace_callback_type_sched_switch(xut_rqlock_probe);
	for_each_kernel_tracepoint(xut_find_sched_switch, &tp);
	if (!tp)
		return 0;
	err = tracepoint_probe_register(tp, (void *)xut_rqlock_probe, NULL);
	if (!err)
		xut_sched_switch = tp;
	return err;
}

void xut_rqlock_exit(void)
{
	if (!xut_sched_switch)
		return;
	tracepoint_probe_unregister(xut_sched_switch, (void *)xut_rqlock_probe, NULL);
	tracepoint_synchronize_unregister();
}
