/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Counters of functions, one set for each CPU
 */
#ifndef PIDTRACE_COUNTERS_H
#define PIDTRACE_COUNTERS_H

#include <linux/types.h>

#include "pidtrace_uapi.h"

struct counters;

/* Task context, may sleep. NULL: out of memory. */
struct counters *counters_alloc(u32 nr_functions, bool histogram);
void counters_free(struct counters *c);

bool counters_have_buckets(const struct counters *c);

/*
 * From the hit callback: preemption off, and never nested on a CPU. @function
 * must be below nr_functions.
 */
void counters_call(struct counters *c, u32 function);
void counters_return(struct counters *c, u32 function);
void counters_time(struct counters *c, u32 function, u64 ns);

/*
 * Task context. Sums up over all CPUs. @buckets has PIDTRACE_BUCKETS elements;
 * NULL: not asked for, and the only choice without a histogram.
 */
void counters_sum(const struct counters *c, u32 function, struct pidtrace_count *sum,
		  u64 *buckets);

#endif /* PIDTRACE_COUNTERS_H */
