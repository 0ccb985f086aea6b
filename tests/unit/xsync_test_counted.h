/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cross-call requests whose runs are counted for each CPU, and whose order is
 * checked.
 *
 * The order of requests from one CPU is that of their posts.  Contexts that
 * interrupt each other between number and post have sequences of their own.
 */
#ifndef _XSYNC_TEST_COUNTED_H
#define _XSYNC_TEST_COUNTED_H

#include <linux/cpumask.h>
#include <linux/prandom.h>
#include <xsync/xcall.h>
#include "xut.h"

enum counted_from {
	FROM_TASK,
	FROM_TIMER,		/* hard hrtimer */
	FROM_NMI,
	FROM_HANDOFF,
	NR_FROM,
	FROM_RUN = NR_FROM,	/* xcall_run(): its order is not checked */
};

/* The fields above @ran are written by its one owner, while it is idle. */
struct counted {
	struct xcall *x;
	unsigned int mode;
	struct cpumask mask;
	enum counted_from from;
	unsigned int source;
	unsigned long number;	/* of the last post; 0: none, or checked since */
	struct rnd_state rnd;
	atomic_t ran[];
};

bool counted_begin(struct xut *t);
void counted_end(struct xut *t);

struct counted *counted_alloc(unsigned int mode);
void counted_free(struct counted *c);
int counted_post(struct counted *c, enum counted_from from);
void counted_check(struct counted *c);
void counted_run(struct counted *c);
void counted_pick_mask(struct counted *c);

#endif /* _XSYNC_TEST_COUNTED_H */
