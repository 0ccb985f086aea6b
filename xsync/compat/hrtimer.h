/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hrtimer_setup() came with 6.13 (commit 908a1d775422, "hrtimers: Introduce
 * hrtimer_setup() to replace hrtimer_init()"); hrtimer_init() went with 6.15.
 */
#ifndef _XSYNC_COMPAT_HRTIMER_H
#define _XSYNC_COMPAT_HRTIMER_H

#include <linux/hrtimer.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
/* Under a name of our own: a vendor may have backported the real one. */
static inline void xsync_hrtimer_setup(struct hrtimer *timer,
				       enum hrtimer_restart (*function)(struct hrtimer *),
				       clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}

#define hrtimer_setup xsync_hrtimer_setup
#endif

#endif /* _XSYNC_COMPAT_HRTIMER_H */
