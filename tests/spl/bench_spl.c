// SPDX-License-Identifier: GPL-2.0-only
/*
 * xsync_bench_spl.ko: OpenZFS's task queues for tests/bench/tasks.c.
 *
 * "spl-ent" and "spl-alloc" are what "ent" and "alloc" are: as many threads as CPUs,
 * entries of the caller's, and entries that come from the slab each time.
 */
#include <linux/build_bug.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <sys/taskq.h>
#include <tests/bench/tasks.h>

static int begin(struct tasks *all, unsigned int flags)
{
	all->other = taskq_create("bench", num_online_cpus(), defclsyspri, 0, INT_MAX, flags);
	return all->other ? 0 : -ENOMEM;
}

static void end(struct tasks *all)
{
	taskq_destroy(all->other);
}

static void init(struct task *task)
{
	taskq_init_ent((taskq_ent_t *)&task->other);
}

static void init_nothing(struct task *task)
{
}

static void put_ent(struct tasks *all, struct task *task)
{
	taskq_dispatch_ent(all->other, bench_task_runs, task, 0, (taskq_ent_t *)&task->other);
}

static void put_alloc(struct tasks *all, struct task *task)
{
	taskq_dispatch(all->other, bench_task_runs, task, TQ_SLEEP);
}

static const struct tasks_how hows[] = {
	{ "spl-ent", begin, 0, init, put_ent, end, sizeof(taskq_ent_t) },
	{ "spl-alloc", begin, 0, init_nothing, put_alloc, end, sizeof(taskq_ent_t) },
	{},
};

static int __init bench_spl_init(void)
{
	return bench_tasks_add(hows);
}

static void __exit bench_spl_exit(void)
{
	bench_tasks_remove();
}

static_assert(__alignof__(taskq_ent_t) <= __alignof__(struct task));

module_init(bench_spl_init);
module_exit(bench_spl_exit);
MODULE_DESCRIPTION("OpenZFS's task queues, to be measured");
MODULE_LICENSE("GPL");
