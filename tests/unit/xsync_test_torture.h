/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the torture share; xsync_test_torture.c says what it does. */
#ifndef _XSYNC_TEST_TORTURE_H
#define _XSYNC_TEST_TORTURE_H

#include <linux/hrtimer.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <xsync/xcall.h>
#include <xsync/xsync.h>
#include "xsync_test_counted.h"

/* An object is 1 when it has been replaced, older with each grace period since. */
#define TORTURE_AGES	10

struct object;

enum torture_kind {
	TORTURE_TASK_SECTIONS,
	TORTURE_TIMER_SECTIONS,
	TORTURE_NMI_SECTIONS,
	TORTURE_SYNCHRONIZE,
	TORTURE_KILLABLE,
	TORTURE_TIMEOUT,
	TORTURE_POLL,
	TORTURE_CALL,
	TORTURE_TIMER_CALL,
	TORTURE_NMI_CALL,
	TORTURE_TIMER_TICKET,
	TORTURE_OTHER_DOMAIN,
	TORTURE_POST_WAIT,
	TORTURE_POST_POLL,
	TORTURE_POST_TIMEOUT,
	TORTURE_TIMER_POST,
	TORTURE_NMI_POST,
	TORTURE_CHAIN_POST,
	TORTURE_RUN,
	TORTURE_HANDOFFS,
	TORTURE_CPUS_OFF,
	TORTURE_KINDS,
};

/* A hand-off that is due as often as it was accepted. */
struct torture_handoff {
	struct xsync_handoff h;
	atomic_long_t accepted, ran;
};

/* One for each CPU that is online at the start; who writes a field is its owner. */
struct torture_cpu {
	unsigned int cpu;			/* where it began */
	unsigned int timer_cpu;			/* the reader's: where its timer is */
	struct task_struct *reader, *updater, *caller;
	struct hrtimer timer;			/* the reader's */
	unsigned long ticks;

	struct object *spares[2];		/* filled by the updater, xchg() */
	struct object *pipe[TORTURE_AGES - 1];	/* the updater's: by age */
	struct object *polled;			/* the timer's */
	unsigned long ticket;

	struct counted *by_task[2], *by_timer[2], *by_nmi[2];
	struct counted *by_run;
	struct counted *chain;			/* while !chain_idle: the hand-off's */
	struct xsync_handoff news;
	int chain_left, chain_idle;
	struct torture_handoff handoff[FROM_NMI + 1];
};

struct torture {
	struct xsync_domain domain;
	struct xsync_domain other;		/* of the other flavour, without readers */
	struct torture_cpu __percpu *cpus;
	atomic_t failed;			/* calls that gave an error */
	atomic_t running;			/* threads */
	bool stop;
};

extern struct torture torture_state;

/* Something happened once. Any context. */
void torture_note(enum torture_kind kind);

/* Ops of a thread, one of which is done according to the weights. */
struct torture_op {
	void (*run)(struct torture_cpu *c);
	unsigned int weight;
};

void torture_do_one(const struct torture_op *ops, unsigned int n, struct torture_cpu *c);

/* xsync_test_torture_read.c */
bool torture_objects_begin(struct xut *t);
void torture_objects_end(struct xut *t);
int torture_reader(void *arg);
int torture_updater(void *arg);

/* xsync_test_torture_call.c */
bool torture_calls_begin(struct xut *t, struct torture_cpu *c);
void torture_calls_end(struct xut *t, struct torture_cpu *c);
int torture_caller(void *arg);
void torture_call_in_timer(struct torture_cpu *c);
void torture_call_in_nmi(struct torture_cpu *c);

#endif /* _XSYNC_TEST_TORTURE_H */
