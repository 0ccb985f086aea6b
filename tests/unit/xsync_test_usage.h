/* SPDX-License-Identifier: GPL-2.0-only */
/* All that a domain and its calls offer, used by everybody on the same objects. */
#ifndef _XSYNC_TEST_USAGE_H
#define _XSYNC_TEST_USAGE_H

#include <linux/atomic.h>
#include "xsync_test.h"

struct use_request {
	struct xcall *x;
	atomic_t posted;		/* how often that was accepted */
	atomic_t __percpu *ran;
};

/**
 * struct usage - objects that are used from everywhere at once
 *
 * A thing is current until it is replaced, and dead as soon as a ticket that was
 * given after that is done: a section that finds a thing current must not find it
 * dead.
 */
struct usage {
	struct xsync_domain d;
	struct use_request by_ipi, by_thread;
	struct xsync_handoff h;
	struct xsync_head head;
	atomic_t handed, handed_ran;
	atomic_t called, called_ran;

	atomic_t current_thing;
	u8 *dead;
	unsigned int things;

	atomic_t sections;
	atomic_t too_early;		/* a thing was dead in a section */
	atomic_t done_inside;		/* a ticket was done in the section it was given in */
	atomic_t errors;		/* of calls in tasks */
};

bool usage_begin(struct xut *t, struct usage *u, enum xsync_flavour flavour,
		 unsigned int things);
void usage_end(struct xut *t, struct usage *u);

/* Any context: a section; all that is legal anywhere. */
void use_section(struct usage *u);
void use_anywhere(void *usage);

/* Task context, sleeps: all of it and the waits; replaces one thing. */
void use_in_task(struct usage *u);

/* Threads on all CPUs, USERS of them at most, that use_in_task() so often each of n. */
#define USERS	4
void use_on_all_cpus(struct xut *t, struct usage *u, unsigned int n, unsigned int times);

#endif /* _XSYNC_TEST_USAGE_H */
