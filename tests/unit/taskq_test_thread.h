/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread beside a case of the taskq layer. */
#ifndef _TASKQ_TEST_THREAD_H
#define _TASKQ_TEST_THREAD_H

#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>
#include <taskq/taskq.h>
#include "xut.h"

/* A thread that does one thing and says so; ended by helper_end(). */
struct helper {
	void (*fn)(struct helper *h);
	struct xtaskq *tq;
	xtaskqid_t id;
	void *arg;
	int err, done;
	struct task_struct *task;
};

static inline int helper_thread(void *arg)
{
	struct helper *h = arg;

	h->fn(h);
	smp_store_release(&h->done, 1);		/* to the case */
	return xut_until_stopped();
}

static inline bool helper_begin(struct xut *t, struct helper *h,
				void (*fn)(struct helper *h), struct xtaskq *tq)
{
	h->fn = fn;
	h->tq = tq;
	h->task = kthread_create(helper_thread, h, "xut_helper");
	if (!XUT_EXPECT(t, !IS_ERR(h->task)))
		return false;
	get_task_struct(h->task);
	wake_up_process(h->task);
	return true;
}

static inline void helper_end(struct xut *t, struct helper *h)
{
	XUT_WAIT(t, smp_load_acquire(&h->done));	/* helper_thread() */
	kthread_stop(h->task);
	put_task_struct(h->task);
}

#endif /* _TASKQ_TEST_THREAD_H */
