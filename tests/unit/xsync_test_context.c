// SPDX-License-Identifier: GPL-2.0-only
/* The harness's own promise: a context is what it is called. */
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "xsync_test.h"

struct seen {
	bool task, softirq, hardirq, nmi, irqsoff, rqlock;
	unsigned int times;
};

#ifdef CONFIG_LOCKDEP
static bool holds_rqlock(void)
{
	int i;

	for (i = 0; i < current->lockdep_depth; i++)
		if (strstr(current->held_locks[i].instance->name, "rq->__lock"))
			return true;
	return false;
}
#else
static bool holds_rqlock(void)
{
	return false;
}
#endif

static void look(void *arg)
{
	struct seen *seen = arg;

	seen->task = in_task();
	seen->softirq = in_serving_softirq();
	seen->hardirq = in_hardirq();
	seen->nmi = in_nmi();
	seen->irqsoff = irqs_disabled();
	seen->rqlock = holds_rqlock();
	seen->times++;
}

static void context_is_itself(struct xut *t)
{
	enum xut_context c = t->context;
	struct seen seen = {};

	if (!xut_run_here(t, look, &seen))
		return;
	XUT_EXPECT_EQ(t, seen.times, 1);
	XUT_EXPECT_EQ(t, seen.task, c == XUT_TASK || c == XUT_IRQSOFF ||
		      c == XUT_RQLOCK);
	XUT_EXPECT_EQ(t, seen.softirq, c == XUT_SOFTIRQ);
	XUT_EXPECT_EQ(t, seen.hardirq, c == XUT_HARDIRQ || c == XUT_HRTIMER ||
		      c == XUT_NMI);	/* an NMI counts as both */
	XUT_EXPECT_EQ(t, seen.nmi, c == XUT_NMI);
	if (IS_ENABLED(CONFIG_LOCKDEP))
		XUT_EXPECT_EQ(t, seen.rqlock, c == XUT_RQLOCK);
	XUT_EXPECT_EQ(t, seen.irqsoff, c != XUT_TASK && c != XUT_SOFTIRQ);
}

static const struct xut_case contexts_cases[] = {
	XUT_CONTEXT_CASES(context_is_itself),
	{}
};

XUT_SHARED_SUITE(contexts, contexts_cases);
