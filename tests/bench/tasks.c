// SPDX-License-Identifier: GPL-2.0-only
/*
 * tasks - from a dispatch to a thread.
 *
 *	task how=HOW calls=N		one after the other, nothing else going on: the
 *					time from each dispatch to its function
 *	tasks how=HOW callers=N calls=N	so many threads dispatch so many each: the time
 *					until the last function has returned
 *
 *	queues how=HOW calls=N		so many queues, one after the other, come and go; and
 *					how large an entry is
 *
 * HOW: "ent" and "alloc" are a taskq on a workqueue, with entries of the caller's and
 * of its own, "dedicated" one with threads of its own; as many threads as CPUs.  Beside
 * them a workqueue, unbound and per CPU, and a kthread_worker, which has one thread; a
 * work item for each.  Another module can add what it has.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <taskq/taskq.h>
#include <xsync/compat/workqueue.h>
#include "bench.h"
#include "tasks.h"

/* Of another module; under bench_mutex. */
static const struct tasks_how *others;

static void arrive(struct tasks *all)
{
	if (all->one) {
		all->ended = ktime_get_ns();
		complete(&all->done);
	} else if (atomic_dec_and_test(&all->left)) {
		all->ended = ktime_get_ns();
		complete(&all->done);
	}
}

void bench_task_runs(void *task)
{
	arrive(((struct task *)task)->all);
}
EXPORT_SYMBOL_GPL(bench_task_runs);

static void work_runs(struct work_struct *work)
{
	arrive(container_of(work, struct task, work)->all);
}

static void kwork_runs(struct kthread_work *kwork)
{
	arrive(container_of(kwork, struct task, kwork)->all);
}

static void put_ent(struct tasks *all, struct task *task)
{
	xtaskq_dispatch_ent(all->tq, bench_task_runs, task, 0, &task->ent);
}

static void put_alloc(struct tasks *all, struct task *task)
{
	xtaskq_dispatch(all->tq, bench_task_runs, task, XTASKQ_SLEEP);
}

static void put_work(struct tasks *all, struct task *task)
{
	queue_work(all->wq, &task->work);
}

static void put_kwork(struct tasks *all, struct task *task)
{
	kthread_queue_work(all->worker, &task->kwork);
}

static void init_ent(struct task *task)
{
	xtaskq_init_ent(&task->ent);
}

static void init_work(struct task *task)
{
	INIT_WORK(&task->work, work_runs);
}

static void init_kwork(struct task *task)
{
	kthread_init_work(&task->kwork, kwork_runs);
}

static int taskq_begin(struct tasks *all, unsigned int flags)
{
	all->tq = xtaskq_create("bench", num_online_cpus(), XTASKQ_PRI_NORMAL, 0, 0, flags);
	return PTR_ERR_OR_ZERO(all->tq);
}

static int workqueue_begin(struct tasks *all, unsigned int flags)
{
	all->wq = alloc_workqueue("bench", flags, 0);
	return all->wq ? 0 : -ENOMEM;
}

static int worker_begin(struct tasks *all, unsigned int unused)
{
	all->worker = kthread_create_worker(0, "bench");
	return PTR_ERR_OR_ZERO(all->worker);
}

static const struct tasks_how hows[] = {
	{ "ent", taskq_begin, 0, init_ent, put_ent,
	  .ent_size = sizeof_field(struct task, ent) },
	{ "dedicated", taskq_begin, XTASKQ_DEDICATED, init_ent, put_ent,
	  .ent_size = sizeof_field(struct task, ent) },
	{ "alloc", taskq_begin, 0, init_ent, put_alloc,
	  .ent_size = sizeof_field(struct task, ent) },
	{ "unbound", workqueue_begin, WQ_UNBOUND, init_work, put_work,
	  .ent_size = sizeof_field(struct task, work) },
	{ "percpu", workqueue_begin, XSYNC_WQ_PERCPU, init_work, put_work,
	  .ent_size = sizeof_field(struct task, work) },
	{ "kthread", worker_begin, 0, init_kwork, put_kwork,
	  .ent_size = sizeof_field(struct task, kwork) },
	{},
};

static const struct tasks_how *find_how(const struct tasks_how *in, const char *name)
{
	for (; in && in->name; in++)
		if (!strcmp(in->name, name))
			return in;
	return NULL;
}

int bench_tasks_add(const struct tasks_how *add)
{
	int err = 0;

	mutex_lock(&bench_mutex);
	if (others)
		err = -EBUSY;
	else
		others = add;
	mutex_unlock(&bench_mutex);
	return err;
}
EXPORT_SYMBOL_GPL(bench_tasks_add);

void bench_tasks_remove(void)
{
	mutex_lock(&bench_mutex);
	others = NULL;
	mutex_unlock(&bench_mutex);
}
EXPORT_SYMBOL_GPL(bench_tasks_remove);

static struct task *nth_task(const struct producer *p, unsigned int n)
{
	return p->tasks + n * p->all->size;
}

static void queue_end(struct tasks *all)
{
	if (!IS_ERR_OR_NULL(all->tq))
		xtaskq_destroy(all->tq);
	if (all->wq)
		destroy_workqueue(all->wq);
	if (!IS_ERR_OR_NULL(all->worker))
		kthread_destroy_worker(all->worker);
	if (all->other)
		all->how->end(all);
}

static void tasks_free(struct tasks *all)
{
	unsigned int i;

	queue_end(all);
	for (i = 0; i < all->nproducers; i++)
		kvfree(all->producers[i].tasks);
	kvfree(all);
}

static struct tasks *tasks_new(const struct bench_args *args)
{
	struct tasks *all;
	const struct tasks_how *how;
	unsigned int i, n;
	int err;

	how = find_how(hows, args->how) ?: find_how(others, args->how);
	if (!how)
		return ERR_PTR(-EINVAL);
	all = kvzalloc(struct_size(all, producers, args->callers), GFP_KERNEL);
	if (!all)
		return ERR_PTR(-ENOMEM);
	init_completion(&all->go);
	init_completion(&all->done);
	all->calls = args->calls;
	all->nproducers = args->callers;
	all->how = how;
	all->size = max(sizeof(struct task), offsetof(struct task, other) + how->ent_size);
	err = how->begin(all, how->flags);
	for (i = 0; !err && i < all->nproducers; i++) {
		struct producer *p = &all->producers[i];

		p->all = all;
		p->tasks = kvcalloc(all->calls, all->size, GFP_KERNEL);
		if (!p->tasks)
			err = -ENOMEM;
		for (n = 0; !err && n < all->calls; n++) {
			nth_task(p, n)->all = all;
			how->init(nth_task(p, n));
		}
	}
	if (!err)
		return all;
	tasks_free(all);
	return ERR_PTR(err);
}

static int task_run(const struct bench_args *args)
{
	struct tasks *all = tasks_new(args);
	void (*put)(struct tasks *all, struct task *task);
	unsigned int i;
	u64 began;

	if (IS_ERR(all))
		return PTR_ERR(all);
	put = all->how->put;
	all->one = true;
	for (i = 0; i < all->calls; i++) {
		began = ktime_get_ns();
		put(all, nth_task(&all->producers[0], i));
		wait_for_completion(&all->done);
		bench_say("sample %llu\n", all->ended - began);
	}
	tasks_free(all);
	return 0;
}

static int produce(void *arg)
{
	struct producer *p = arg;
	void (*put)(struct tasks *all, struct task *task) = p->all->how->put;
	unsigned int i;

	wait_for_completion(&p->all->go);
	for (i = 0; i < p->all->calls; i++)
		put(p->all, nth_task(p, i));
	bench_until_stopped();
	return 0;
}

static int producers_begin(struct tasks *all)
{
	unsigned int i;

	for (i = 0; i < all->nproducers; i++) {
		struct producer *p = &all->producers[i];

		p->thread = kthread_run(produce, p, "bench-producer/%u", i);
		if (IS_ERR(p->thread))
			return PTR_ERR(p->thread);
	}
	return 0;
}

static int tasks_run(const struct bench_args *args)
{
	struct tasks *all = tasks_new(args);
	unsigned int i;
	u64 began;
	int err;

	if (IS_ERR(all))
		return PTR_ERR(all);
	atomic_set(&all->left, all->calls * all->nproducers);
	err = producers_begin(all);
	began = ktime_get_ns();
	complete_all(&all->go);
	if (!err) {
		wait_for_completion(&all->done);
		bench_say("sample %llu\n", all->ended - began);
	}
	for (i = 0; i < all->nproducers; i++)
		if (!IS_ERR_OR_NULL(all->producers[i].thread))
			kthread_stop(all->producers[i].thread);
	tasks_free(all);
	return err;
}

/* One queue after the other comes and goes. */
static int queues_run(const struct bench_args *args)
{
	const struct tasks_how *how = find_how(hows, args->how) ?: find_how(others, args->how);
	struct tasks *all;
	unsigned int i;
	int err = 0;
	u64 began;

	if (!how)
		return -EINVAL;
	all = kvzalloc(sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	all->how = how;
	began = ktime_get_ns();
	for (i = 0; !err && i < args->calls; i++) {
		err = how->begin(all, how->flags);
		queue_end(all);
	}
	bench_say("sample %llu\n", ktime_get_ns() - began);
	bench_say("count entry_bytes %zu\n", how->ent_size * args->calls);
	kvfree(all);
	return err;
}

const struct bench_work bench_task = { "task", task_run };
const struct bench_work bench_tasks = { "tasks", tasks_run };
const struct bench_work bench_queues = { "queues", queues_run };
