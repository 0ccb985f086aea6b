/* SPDX-License-Identifier: GPL-2.0-only */
/* What the suites of the timeout layer share. */
#ifndef _TIMEOUT_TEST_H
#define _TIMEOUT_TEST_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <timeout/internal.h>	/* the states, to see when a callout has fired */
#include "xut.h"

extern struct xut_suite timeout_race;
extern struct xut_suite timeout_callout;
extern struct xut_suite timeout_wall;
extern struct xut_suite timeout_window;
extern struct xut_suite timeout_many;
extern struct xut_suite timeout_torture;
extern struct xut_suite timeout_cpu;
extern struct xut_suite timeout_arm;
extern struct xut_suite timeout_busy;
extern struct xut_suite timeout_solaris;
extern struct xut_suite dynvar;
extern struct xut_suite dynvar_ipi;

/* So far in the future that it never comes. */
#define FAR_TICKS	(3600 * HZ)
#define FAR_NS		(3600 * (u64)NSEC_PER_SEC)

static inline void count(void *arg)
{
	atomic_inc(arg);
}

static inline bool has_fired(struct xcallout *co)
{
	return READ_ONCE(co->state) == XCALLOUT_FIRED;
}

/* Waits, and not for a lock. */
static inline bool sleeps(struct task_struct *task)
{
	return READ_ONCE(task->__state) == TASK_UNINTERRUPTIBLE;
}

/* A function that is held where it is: RUNNING. */
struct held {
	struct completion go;
	atomic_t begun, ended;
};

static inline void held_init(struct held *h)
{
	init_completion(&h->go);
	atomic_set(&h->begun, 0);
	atomic_set(&h->ended, 0);
}

static inline void hold(void *arg)
{
	struct held *h = arg;

	atomic_inc(&h->begun);
	wait_for_completion(&h->go);
	atomic_inc(&h->ended);
}

/*
 * Lets a held function go when the one who made this sleeps, or has said that it
 * does not wait: the end of the function cannot come before the wait has begun.
 */
struct releaser {
	struct task_struct *waiter;
	struct held *held;
	bool returned;
};

static inline void release_when_waiting(void *arg)
{
	struct releaser *r = arg;

	while (task_is_running(r->waiter) && !READ_ONCE(r->returned))
		usleep_range(20, 100);
	complete_all(&r->held->go);
}

/* Functions in all threads of the pool: what fires stays FIRED until they go. */
struct full_pool {
	struct held held;
	struct xcallout blockers[XTIMEOUT_THREADS];
};

struct full_pool *full_pool_make(struct xut *t);
void full_pool_let_go(struct full_pool *p);
void full_pool_free(struct xut *t, struct full_pool *p);

#endif /* _TIMEOUT_TEST_H */
