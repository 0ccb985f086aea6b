/* SPDX-License-Identifier: GPL-2.0-only */
/* Histograms of times, by powers of two; counted per CPU, in any context. */
#ifndef _XSYNC_HIST_H
#define _XSYNC_HIST_H

#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/types.h>

/* Bucket n > 0 counts times from 2^(n-1) to below 2^n ns, the last one all above. */
#define XSYNC_HIST_BUCKETS	40

struct xsync_hist {
	unsigned long bucket[XSYNC_HIST_BUCKETS];
};

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
