/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may look into a process: dumpability and the user namespace that its
 * image belongs to. In 7.x they moved from the mm to task_struct::exec_state,
 * and the macros SUID_DUMP_* became an enum.
 */
#ifndef _XSYNC_COMPAT_EXEC_STATE_H
#define _XSYNC_COMPAT_EXEC_STATE_H

#include <linux/mm_types.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>

#ifdef SUID_DUMP_USER
static inline struct user_namespace *
xsync_image_user_ns(struct task_struct *task, struct mm_struct *mm)
{
	return mm->user_ns;
}

static inline bool xsync_image_dumpable(struct task_struct *task,
					struct mm_struct *mm)
{
	return get_dumpable(mm) == SUID_DUMP_USER;
}
#else
#include <linux/sched/exec_state.h>

/* Caller is an RCU reader; the namespace is valid for as long. */
static inline struct user_namespace *
xsync_image_user_ns(struct task_struct *task, struct mm_struct *mm)
{
	return rcu_dereference(task->exec_state)->user_ns;
}

static inline bool xsync_image_dumpable(struct task_struct *task,
					struct mm_struct *mm)
{
	return READ_ONCE(rcu_dereference(task->exec_state)->dumpable) ==
	       TASK_DUMPABLE_OWNER;
}
#endif

#endif /* _XSYNC_COMPAT_EXEC_STATE_H */
