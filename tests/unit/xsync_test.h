/* SPDX-License-Identifier: GPL-2.0-only */
/* The suites of the xsync layer, and readers that stay inside until told. */
#ifndef _XSYNC_TEST_H
#define _XSYNC_TEST_H

#include <linux/sched/task.h>
#include <xsync/xcall.h>
#include <xsync/xsync.h>
#include "xut.h"

extern struct xut_suite contexts;
extern struct xut_suite grace_period;
extern struct xut_suite read_section;
extern struct xut_suite refused_wait;
extern struct xut_suite xsync;
extern struct xut_suite call;
extern struct xut_suite callback;
extern struct xut_suite handoff;
extern struct xut_suite handoff_rules;
extern struct xut_suite cross_call;
extern struct xut_suite xcall;
extern struct xut_suite inbox;
extern struct xut_suite hostile;
extern struct xut_suite giveup;
extern struct xut_suite seen;
extern struct xut_suite hotplug;
extern struct xut_suite torture;
extern struct xut_suite ordering;
extern struct xut_suite solaris;
extern struct xut_suite rendezvous;
extern struct xut_suite lasting;
extern struct xut_suite interrupted;
extern struct xut_suite traced;

/* The same cases with domains of flavour XSYNC_IPI. */
extern struct xut_suite grace_period_ipi;
extern struct xut_suite read_section_ipi;
extern struct xut_suite xsync_ipi;
extern struct xut_suite call_ipi;
extern struct xut_suite callback_ipi;
extern struct xut_suite hotplug_ipi;
extern struct xut_suite hotplug_thread;
extern struct xut_suite torture_ipi;
extern struct xut_suite ordering_ipi;
extern struct xut_suite rendezvous_ipi;
extern struct xut_suite lasting_ipi;
extern struct xut_suite traced_ipi;

/* A thread on a CPU of its own that is inside until reader_leave(). */
struct reader {
	struct xsync_domain *d;
	struct task_struct *task;
	int inside;	/* how often it has entered */
	int again;	/* told to leave and enter so often */
	int leave;
};

bool reader_enter(struct xut *t, struct reader *r, struct xsync_domain *d,
		  unsigned int cpu);
bool reader_reenter(struct xut *t, struct reader *r);
void reader_leave(struct reader *r);

/* A thread on a CPU, ended with kthread_stop(); NULL if the case failed. */
struct task_struct *thread_on(struct xut *t, unsigned int cpu,
			      int (*fn)(void *arg), void *arg);
void thread_idle(void);

/* hold_here() as a cross-call's function stays where it runs until it is released. */
struct hold {
	int begun, release;
};

void hold_here(void *arg);

/* A deaf CPU: a thread keeps it with its interrupts off, until deaf_end() in any case. */
struct deaf {
	struct task_struct *task;
	int silent, hear;
};

bool deaf_begin(struct xut *t, struct deaf *d, unsigned int cpu);
void deaf_end(struct deaf *d);

/*
 * Pin the case to the first online CPU and give it the next n; false if there
 * are not enough, the case is marked skipped then.
 */
bool spare_cpus(struct xut *t, unsigned int *cpus, unsigned int n);

/*
 * Whether a round is open that has looked at all CPUs: who enters from now on is
 * not waited for.
 */
bool round_has_begun(struct xut *t, struct xsync_domain *d);

/* Begin and end of a case: a domain of its own, of the flavour of the suite. */
bool domain_begin(struct xut *t, struct xsync_domain *d);
void domain_end(struct xut *t, struct xsync_domain *d);

#endif /* _XSYNC_TEST_H */
