// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * ranges - a sorted set of address ranges
 */
#include <stdlib.h>

#include "ranges.h"
#include "util.h"

void ranges_add(struct ranges *ranges, uint64_t start, uint64_t size)
{
	if (!size || start + size < start)
		return;
	ranges->r = array_grow(ranges->r, ranges->nr, &ranges->cap, sizeof(*ranges->r));
	ranges->r[ranges->nr++] = (struct range){ start, start + size };
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->end > y->end) - (x->end < y->end);
}

void ranges_sort(struct ranges *ranges)
{
	if (ranges->nr)
		qsort(ranges->r, ranges->nr, sizeof(*ranges->r), by_start);
}

const struct range *ranges_find(const struct ranges *ranges, uint64_t addr)
{
	size_t low = 0, high = ranges->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ranges->r[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || addr >= ranges->r[low - 1].end)
		return NULL;
	return &ranges->r[low - 1];
}
