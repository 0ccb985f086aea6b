/* SPDX-License-Identifier: GPL-2.0-only */
/* What the suites of the taskq layer share. */
#ifndef _TASKQ_TEST_H
#define _TASKQ_TEST_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <taskq/taskq.h>
#include "xut.h"

extern struct xut_suite taskq_wait;
extern struct xut_suite taskq_destroy;
extern struct xut_suite taskq_entry;
extern struct xut_suite dispatch;
extern struct xut_suite dispatch_any;

/* Functions that stay where they are until the gate is opened. */
struct gate {
	struct completion open;
	atomic_t inside;	/* in the function now */
	atomic_t most;		/* most that ever were at a time */
	atomic_t passed;	/* left the function */
};

static inline void gate_init(struct gate *g)
{
	init_completion(&g->open);
	atomic_set(&g->inside, 0);
	atomic_set(&g->most, 0);
	atomic_set(&g->passed, 0);
}

static inline void gate_pass(void *arg)
{
	struct gate *g = arg;
	int most, now = atomic_inc_return(&g->inside);

	do {
		most = atomic_read(&g->most);
	} while (now > most && atomic_cmpxchg(&g->most, most, now) != most);
	wait_for_completion(&g->open);
	atomic_dec(&g->inside);
	atomic_inc(&g->passed);
}

/*
 * Opens a gate when the one who made it sleeps, or has said that it does not wait
 * any more: what it waits for can then not be over before the wait has begun.
 */
struct opener {
	struct task_struct *waiter;
	struct gate *gate;
	bool returned;
};

static inline void opener_func(void *arg)
{
	struct opener *o = arg;

	while (task_is_running(o->waiter) && !READ_ONCE(o->returned))
		usleep_range(20, 100);
	complete_all(&o->gate->open);
}

/* A queue or a failed case. */
#define QUEUE(t, ...)							\
({									\
	struct xtaskq *__tq = xtaskq_create("xut", __VA_ARGS__);	\
									\
	XUT_EXPECT(t, !IS_ERR(__tq)) ? __tq : NULL;			\
})

#endif /* _TASKQ_TEST_H */
