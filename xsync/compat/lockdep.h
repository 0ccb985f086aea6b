/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lock_map_sync() came with 6.4 (commit 2f1f043e7bea, "locking/lockdep: Introduce
 * lock_sync()").  Before, a wait is not seen by lockdep: acquiring and releasing
 * instead would claim that readers in interrupts deadlock with every waiter.
 * Without lockdep it expands to something that does not exist (seen in 6.12).
 */
#ifndef _XSYNC_COMPAT_LOCKDEP_H
#define _XSYNC_COMPAT_LOCKDEP_H

#include <linux/lockdep.h>
#include <linux/version.h>

#if !defined(CONFIG_LOCKDEP) || LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#undef lock_map_sync
#define lock_map_sync(lock)	((void)(lock))
#endif

#endif /* _XSYNC_COMPAT_LOCKDEP_H */
