/* SPDX-License-Identifier: GPL-2.0-only */
/* What the suites of the taskq layer share that is not about any name of a queue. */
#ifndef _TASKQ_TEST_GATE_H
#define _TASKQ_TEST_GATE_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/sched.h>
#include "xut.h"

/* Its file uses names that are those of suites in taskq_test.h. */
extern struct xut_suite taskq_conform;

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

/* Functions that wait for each other: the last one lets all go on. */
struct meeting {
	struct completion all_here;
	atomic_t missing;
};

static inline void meet(void *arg)
{
	struct meeting *m = arg;

	if (atomic_dec_and_test(&m->missing))
		complete_all(&m->all_here);
	wait_for_completion(&m->all_here);
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

#endif /* _TASKQ_TEST_GATE_H */
