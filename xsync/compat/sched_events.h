/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's tracepoint sched_process_exit, with or without its second
 * argument (group_dead, since 6.16). The prototype in <trace/events/sched.h>
 * decides, so that a backport of the change needs nothing here.
 */
#ifndef _XSYNC_COMPAT_SCHED_EVENTS_H
#define _XSYNC_COMPAT_SCHED_EVENTS_H

#include <trace/events/sched.h>

#define XSYNC_EXIT_HAS_GROUP_DEAD					\
	__builtin_types_compatible_p(typeof(&trace_sched_process_exit),	\
				     void (*)(struct task_struct *, bool))

/* Define a probe of sched_process_exit that calls @fn(task). */
#define XSYNC_EXIT_EVENT(name, fn)					\
static void name##_any(struct task_struct *p)				\
{									\
	fn(p);								\
}									\
static void __maybe_unused name##_1(void *data, struct task_struct *p)	\
{									\
	name##_any(p);							\
}									\
static void __maybe_unused name##_2(void *data, struct task_struct *p,	\
				    bool group_dead)			\
{									\
	name##_any(p);							\
}									\
static void * const name =						\
	__builtin_choose_expr(XSYNC_EXIT_HAS_GROUP_DEAD,		\
			      (void *)name##_2, (void *)name##_1)

#endif /* _XSYNC_COMPAT_SCHED_EVENTS_H */
