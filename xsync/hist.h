/* SPDX-License-Identifier: GPL-2.0-only */
/* Histograms of times, by powers of two; counted per CPU, in any context. */
#ifndef _XSYNC_HIST_H
#define _XSYNC_HIST_H

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

/* Bucket n > 0 counts times from 2^(n-1) to below 2^n ns, the last one all above. */
#define XSYNC_HIST_BUCKETS	40

struct xsync_hist {
	unsigned long bucket[XSYNC_HIST_BUCKETS];
};

/* The clock can be read in any context, and may go back a little from one CPU to another. */
static inline u64 xsync_from_to(u64 began, u64 now)
{
	s64 age = now - began;

	return age > 0 ? age : 0;
}

/* How long ago that was, in ns. */
static inline u64 xsync_age(u64 began)
{
	return xsync_from_to(began, ktime_get_mono_fast_ns());
}

/**
 * xsync_hist_sum - a bucket of all CPUs
 * @hist: the histogram
 * @bucket: which
 *
 * Context: Any.
 * Return: how many times it counts.
 */
static inline unsigned long xsync_hist_sum(const struct xsync_hist __percpu *hist,
					   unsigned int bucket)
{
	unsigned long sum = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(hist, cpu)->bucket[bucket]);
	return sum;
}

/**
 * xsync_hist_add - count a time
 * @hist: the histogram
 * @ns: the time; 0: so short that it was not measured
 *
 * Context: Any.
 */
static inline void xsync_hist_add(struct xsync_hist __percpu *hist, u64 ns)
{
	this_cpu_inc(hist->bucket[min(fls64(ns), XSYNC_HIST_BUCKETS - 1)]);
}

#endif /* _XSYNC_HIST_H */
