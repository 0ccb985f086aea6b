/* SPDX-License-Identifier: GPL-2.0-only */
/* What the suites of the taskq layer share. */
#ifndef _TASKQ_TEST_H
#define _TASKQ_TEST_H

#include <linux/err.h>
#include <taskq/internal.h>
#include <taskq/taskq.h>
#include "taskq_test_gate.h"
#include "xut.h"

extern struct xut_suite taskq_wait;
extern struct xut_suite taskq_destroy;
extern struct xut_suite taskq_entry;
extern struct xut_suite dispatch;
extern struct xut_suite dispatch_any;
extern struct xut_suite taskq_cancel;
extern struct xut_suite taskq_noqueue;
extern struct xut_suite taskq_outstanding;
extern struct xut_suite taskq_suspend;
extern struct xut_suite taskq_delay;
extern struct xut_suite taskq_percent;
extern struct xut_suite taskq_torture;
extern struct xut_suite taskq_hard;
extern struct xut_suite taskq_storm;
extern struct xut_suite taskq_pm;
extern struct xut_suite taskq_starved;

/* Which allocation of an entry fails, each time; 0: none. */
#define FAIL_NTH	"/sys/module/xsync_taskq/parameters/fail_nth"

/* Nothing is left, and each dispatch came to one of its ends. */
static inline void expect_balance(struct xut *t, struct xtaskq *tq, u64 dispatched,
				  u64 executed, u64 cancelled, u64 failed)
{
	raw_spin_lock_irq(&tq->lock);
	dispatched -= tq->linked + atomic64_read(&tq->failed);
	executed -= tq->executed;
	cancelled -= tq->cancelled;
	failed -= atomic64_read(&tq->failed);
	raw_spin_unlock_irq(&tq->lock);
	XUT_EXPECT_EQ(t, dispatched, 0);
	XUT_EXPECT_EQ(t, executed, 0);
	XUT_EXPECT_EQ(t, cancelled, 0);
	XUT_EXPECT_EQ(t, failed, 0);
	XUT_EXPECT(t, xtaskq_empty(tq));
}

/* A queue or a failed case. */
#define QUEUE(t, ...)							\
({									\
	struct xtaskq *__tq = xtaskq_create("xut", __VA_ARGS__);	\
									\
	XUT_EXPECT(t, !IS_ERR(__tq)) ? __tq : NULL;			\
})

#endif /* _TASKQ_TEST_H */
