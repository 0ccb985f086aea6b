/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * system_unbound_wq was renamed system_dfl_wq in 6.17; whoever queues on the old one is
 * told off on the console by 7.3.  Stable kernels may have both, hence a name of our own
 * in front of it.
 */
#ifndef _XSYNC_COMPAT_WORKQUEUE_H
#define _XSYNC_COMPAT_WORKQUEUE_H

#include <linux/version.h>
#include <linux/workqueue.h>

/* WQ_PERCPU came with the names; 7.3 wants it for whatever is not WQ_UNBOUND. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define system_dfl_wq system_unbound_wq
#define XSYNC_WQ_PERCPU 0
#else
#define XSYNC_WQ_PERCPU WQ_PERCPU
#endif

/*
 * Since 6.9 max_active is of all nodes together, and each has a share of it by its CPUs
 * (commit 5797b1c18919, "workqueue: Implement system-wide nr_active enforcement for
 * unbound workqueues"); only so many are sure.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define XSYNC_WQ_SURE_ON_A_NODE WQ_UNBOUND_MAX_ACTIVE
#else
#define XSYNC_WQ_SURE_ON_A_NODE WQ_DFL_MIN_ACTIVE
#endif

#endif /* _XSYNC_COMPAT_WORKQUEUE_H */
