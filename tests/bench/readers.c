// SPDX-License-Identifier: GPL-2.0-only
/*
 * readers - a grace period while every CPU has sections back to back.
 *
 *	readers how=CALL length=NS calls=N [on=CPUS]
 *
 * A thread on each CPU enters, stays for that long, leaves and enters again.  One
 * thread with a real-time priority waits for N grace periods, one after the other;
 * each sample is what one took, and the longest section that ended meanwhile: on a
 * machine that shares its CPUs a section can be longer than it should be, and then
 * there is no other way than to wait for it.
 *
 * The peer's readers are the same: preemption is off in a section, which RCU takes
 * for a reader of its own.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "bench.h"

struct busy_reader {
	struct task_struct *task;
	struct xsync_domain *domain;
	unsigned int length;
	u64 longest;		/* by its own thread, reset by the waiter */
	unsigned long sections;
};

struct waiter {
	const struct bench_args *args;
	const struct bench_call *how;
	struct busy_reader __percpu *readers;
	struct completion done;
	int err;
	u64 *samples;		/* pairs */
};

static u64 one_section(struct busy_reader *r)
{
	unsigned long cookie = xsync_enter(r->domain);
	u64 began = ktime_get_ns(), now;

	do {
		cpu_relax();
		now = ktime_get_ns();
	} while (now - began < r->length);
	xsync_exit(r->domain, cookie);
	return now - began;
}

static int read_busily(void *arg)
{
	struct busy_reader *r = arg;

	while (!kthread_should_stop()) {
		u64 took = one_section(r);

		if (took > READ_ONCE(r->longest))
			WRITE_ONCE(r->longest, took);
		WRITE_ONCE(r->sections, r->sections + 1);
		cond_resched();
	}
	return 0;
}

static void stop_readers(struct waiter *w)
{
	unsigned int cpu;

	for_each_cpu(cpu, &w->args->on) {
		struct busy_reader *r = per_cpu_ptr(w->readers, cpu);

		if (r->task)
			kthread_stop(r->task);
		r->task = NULL;
	}
}

static int start_readers(struct waiter *w)
{
	unsigned int cpu;

	for_each_cpu(cpu, &w->args->on) {
		struct busy_reader *r = per_cpu_ptr(w->readers, cpu);
		struct task_struct *task;

		r->domain = w->how->domain ?: &bench_fenced;
		r->length = w->args->length;
		task = kthread_create_on_cpu(read_busily, r, cpu, "bench-reader/%u");
		if (IS_ERR(task)) {
			stop_readers(w);
			return PTR_ERR(task);
		}
		r->task = task;
		wake_up_process(task);
	}
	return 0;
}

static void all_are_reading(struct waiter *w)
{
	unsigned int cpu;

	for_each_cpu(cpu, &w->args->on)
		while (!READ_ONCE(per_cpu_ptr(w->readers, cpu)->sections))
			usleep_range(100, 200);
}

static void forget_longest(struct waiter *w)
{
	unsigned int cpu;

	for_each_cpu(cpu, &w->args->on)
		WRITE_ONCE(per_cpu_ptr(w->readers, cpu)->longest, 0);
}

static u64 longest(struct waiter *w)
{
	unsigned int cpu;
	u64 max = 0;

	for_each_cpu(cpu, &w->args->on)
		max = max_t(u64, max, READ_ONCE(per_cpu_ptr(w->readers, cpu)->longest));
	return max ?: w->args->length;
}

static int wait_often(void *arg)
{
	struct waiter *w = arg;
	unsigned int n;

	all_are_reading(w);
	for (n = 0; n < w->args->calls && !w->err; n++) {
		u64 began;

		/* Begin anywhere in a section of the others. */
		usleep_range(100, 100 + w->args->length / 1000);
		forget_longest(w);
		began = ktime_get_ns();
		w->err = w->how->call();
		w->samples[2 * n] = ktime_get_ns() - began;
		w->samples[2 * n + 1] = longest(w);
	}
	complete(&w->done);
	bench_until_stopped();
	return 0;
}

static int run_waiter(struct waiter *w)
{
	struct task_struct *task = kthread_create(wait_often, w, "bench-waiter");

	if (IS_ERR(task))
		return PTR_ERR(task);
	init_completion(&w->done);
	sched_set_fifo(task);
	wake_up_process(task);
	wait_for_completion(&w->done);
	kthread_stop(task);
	return w->err;
}

static int readers_measure(struct waiter *w)
{
	unsigned int n;
	int err;

	err = start_readers(w);
	if (err)
		return err;
	err = run_waiter(w);
	stop_readers(w);
	if (err)
		return err;

	for (n = 0; n < w->args->calls; n++)
		bench_say("sample %llu %llu\n", w->samples[2 * n], w->samples[2 * n + 1]);
	return 0;
}

static int readers_run(const struct bench_args *args)
{
	struct waiter w = { .args = args, .how = bench_find_call(args->how) };
	int err = -ENOMEM;

	if (!w.how || !args->length || !cpumask_subset(&args->on, cpu_online_mask))
		return -EINVAL;
	w.samples = kcalloc(args->calls, 2 * sizeof(*w.samples), GFP_KERNEL);
	w.readers = alloc_percpu(struct busy_reader);
	if (w.samples && w.readers)
		err = readers_measure(&w);
	free_percpu(w.readers);
	kfree(w.samples);
	return err;
}

const struct bench_work bench_readers = { "readers", readers_run };
