/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stack_trace_save() needs CONFIG_STACKTRACE. The stack of another task,
 * stack_trace_save_tsk(), is exported by 6.12 and not by 6.1.
 */
#ifndef _XSYNC_COMPAT_STACKTRACE_H
#define _XSYNC_COMPAT_STACKTRACE_H

#include <linux/stacktrace.h>
#include <linux/version.h>

#ifndef CONFIG_STACKTRACE
#define stack_trace_save(store, size, skip)	\
	((void)(store), (void)(size), (void)(skip), 0U)
#endif

#if !defined(CONFIG_STACKTRACE) || LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define stack_trace_save_tsk(task, store, size, skip)	\
	((void)(task), (void)(store), (void)(size), (void)(skip), 0U)
#endif

#endif /* _XSYNC_COMPAT_STACKTRACE_H */
