/* SPDX-License-Identifier: GPL-2.0-only */
/* Kprobes between any two instructions of functions. */
#ifndef _XSYNC_TEST_SPOTS_H
#define _XSYNC_TEST_SPOTS_H

#include <linux/atomic.h>
#include <linux/kprobes.h>
#include "xut.h"

struct spots;

/* One place that is probed. */
struct spot {
	struct kprobe kp;
	struct spots *set;
	atomic_t hits;
};

/**
 * struct spots - probed places of some functions
 * @hit: what to do there; in the context of the function, or in an int3 on top
 * @arg: its argument
 * @limit: how often at each place, and then ever more rarely.  What is done there
 *	   may lead there again, on and on: the machine would do nothing else.
 * @functions: that are probed
 * @missing: that this build does not have under their names
 * @nr: of places
 *
 * The other fields are private.
 */
struct spots {
	void (*hit)(void *arg);
	void *arg;
	int limit;
	unsigned int functions, missing, nr;
	/* private: */
	struct spot *spot;
	unsigned int room;
};

bool spots_begin(struct xut *t, struct spots *s, unsigned int room);
void spots_end(struct xut *t, struct spots *s);
unsigned int spots_add(struct spots *s, const char *function, bool all);
unsigned int spots_hit(const struct spots *s, unsigned int from, unsigned int to);

#endif /* _XSYNC_TEST_SPOTS_H */
