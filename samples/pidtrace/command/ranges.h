/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ranges - a sorted set of address ranges
 */
#ifndef PIDTRACE_RANGES_H
#define PIDTRACE_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct range {
	uint64_t start;
	uint64_t end;		/* exclusive */
};

struct ranges {
	struct range *r;
	size_t nr;
	size_t cap;
};

/* Appends a range; one that is empty or wraps around is left out. */
void ranges_add(struct ranges *ranges, uint64_t start, uint64_t size);

/* To be called after the last ranges_add() and before ranges_find(). */
void ranges_sort(struct ranges *ranges);

/*
 * The range that covers @addr, or NULL. Where ranges overlap, only the one
 * that starts last is looked at.
 */
const struct range *ranges_find(const struct ranges *ranges, uint64_t addr);

#endif
