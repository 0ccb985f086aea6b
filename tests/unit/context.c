// SPDX-License-Identifier: GPL-2.0-only
/*
 * context - run a function in a chosen context and wait for it.
 *
 * The timers and the irq_work of a run live on the heap: debug objects want to
 * be told about those on a stack, and the functions for that differ between
 * kernels.  They are freed by RCU and not after an irq_work_sync(), which waits
 * for RCU on machines where irq_work has no interrupt of its own: cases hold
 * readers with preemption off while they run functions elsewhere.
 */
#include <linux/completion.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <xsync/compat/hrtimer.h>
#include "context.h"

struct xut_run {
	void (*fn)(void *arg);
	void *arg;
	struct irq_work work;
	struct hrtimer timer;
	struct completion done;
	struct rcu_head rcu;
};

static void xut_run_work(struct irq_work *work)
{
	struct xut_run *run = container_of(work, struct xut_run, work);

	run->fn(run->arg);
	complete(&run->done);
}

static enum hrtimer_restart xut_run_timer(struct hrtimer *timer)
{
	struct xut_run *run = container_of(timer, struct xut_run, timer);

	run->fn(run->arg);
	complete(&run->done);
	return HRTIMER_NORESTART;
}

static void xut_run_by_timer(struct xut_run *run, enum hrtimer_mode mode)
{
	hrtimer_setup(&run->timer, xut_run_timer, CLOCK_MONOTONIC, mode);
	hrtimer_start(&run->timer, ns_to_ktime(1000), mode);
	wait_for_completion(&run->done);
	hrtimer_cancel(&run->timer);
}

static void xut_run_by_work(struct xut_run *run)
{
	run->work = IRQ_WORK_INIT_HARD(xut_run_work);
	irq_work_queue(&run->work);
	wait_for_completion(&run->done);
}

static int xut_run_async(enum xut_context context, void (*fn)(void *arg), void *arg)
{
	struct xut_run *run = kzalloc(sizeof(*run), GFP_KERNEL);

	if (!run)
		return -ENOMEM;
	run->fn = fn;
	run->arg = arg;
	init_completion(&run->done);

	switch (context) {
	case XUT_SOFTIRQ:
		xut_run_by_timer(run, HRTIMER_MODE_REL_SOFT);
		break;
	case XUT_HRTIMER:
		xut_run_by_timer(run, HRTIMER_MODE_REL_HARD);
		break;
	default:
		xut_run_by_work(run);
		break;
	}
	kfree_rcu(run, rcu);
	return 0;
}

int xut_run_in(enum xut_context context, void (*fn)(void *arg), void *arg)
{
	unsigned long flags;

	switch (context) {
	case XUT_TASK:
		fn(arg);
		return 0;
	case XUT_IRQSOFF:
		local_irq_save(flags);
		fn(arg);
		local_irq_restore(flags);
		return 0;
	case XUT_RQLOCK:
		return xut_rqlock_self(fn, arg);
	case XUT_NMI:
		return xut_nmi_self(fn, arg);
	default:
		return xut_run_async(context, fn, arg);
	}
}
EXPORT_SYMBOL_GPL(xut_run_in);
