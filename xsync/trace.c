// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace - the tracepoints' storage, and their guard against recursion.
 *
 * A bit per kind of context and CPU says that a tracepoint is being reported there;
 * preemption is off meanwhile, so the bit and the context are this CPU's.  What
 * interrupts the report is of another kind and has a bit of its own.
 */
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

static DEFINE_PER_CPU(unsigned int, xsync_tracing);

static unsigned int xsync_trace_bit(void)
{
	if (in_nmi())
		return 1U << 3;
	if (in_hardirq())
		return 1U << 2;
	if (in_serving_softirq())
		return 1U << 1;
	return 1U;
}

/**
 * xsync_trace_begin - begin to report a tracepoint
 *
 * Context: Any.
 * Return: true if it may be reported; xsync_trace_end() is due then.
 */
bool xsync_trace_begin(void)
{
	unsigned int bit;

	if (!rcu_is_watching())
		return false;

	preempt_disable_notrace();
	bit = xsync_trace_bit();
	if (!cpu_online(raw_smp_processor_id()) || this_cpu_read(xsync_tracing) & bit) {
		preempt_enable_notrace();
		return false;
	}
	this_cpu_or(xsync_tracing, bit);
	return true;
}
EXPORT_SYMBOL_GPL(xsync_trace_begin);

/**
 * xsync_trace_end - a tracepoint was reported
 *
 * Context: As xsync_trace_begin().
 */
void xsync_trace_end(void)
{
	this_cpu_and(xsync_tracing, ~xsync_trace_bit());
	preempt_enable_notrace();
}
EXPORT_SYMBOL_GPL(xsync_trace_end);
