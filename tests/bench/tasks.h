/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tasks - the queues that tasks.c measures, and how another module adds some.
 */
#ifndef _BENCH_TASKS_H
#define _BENCH_TASKS_H

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <taskq/taskq.h>

struct tasks;

/* One task, and in the same memory what its queue keeps of it. */
struct task {
	struct tasks *all;
	union {
		struct xtaskq_ent ent;
		struct work_struct work;
		struct kthread_work kwork;
		void *other;	/* the first word of an entry that may be larger */
	};
};

/* A kind of queue, and of entry. */
struct tasks_how {
	const char *name;
	int (*begin)(struct tasks *all, unsigned int flags);
	unsigned int flags;
	void (*init)(struct task *task);
	void (*put)(struct tasks *all, struct task *task);
	void (*end)(struct tasks *all);		/* only of another module */
	size_t ent_size;
};

struct producer {
	struct tasks *all;
	struct task_struct *thread;
	void *tasks;
};

struct tasks {
	const struct tasks_how *how;
	struct xtaskq *tq;
	struct workqueue_struct *wq;
	struct kthread_worker *worker;
	void *other;
	size_t size;			/* of a task */
	unsigned int calls, nproducers;
	bool one;			/* the time of each is asked for */
	atomic_t left;
	struct completion go, done;
	u64 ended;
	struct producer producers[];
};

/* What each task does. */
void bench_task_runs(void *task);

/* Kinds that another module has, until it has removed them; the last one is {}. */
int bench_tasks_add(const struct tasks_how *hows);
void bench_tasks_remove(void);

#endif /* _BENCH_TASKS_H */
