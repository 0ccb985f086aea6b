// SPDX-License-Identifier: GPL-2.0-only
/*
 * callers - several threads call the same waiting function at once.
 *
 *	callers how=CALL callers=K calls=N [on=CPUS] [watch=CPU]
 *
 * K threads call it N times each.  The sample is the time from when the gate opens
 * until the last thread is through, divided by N, which includes the wait for a CPU
 * where there are fewer of those than callers; and the median of what single calls
 * took, of 16 by each thread.
 *
 * The gate.  The last thread to arrive reads /proc/interrupts, then opens it; those
 * before it look every 50 µs instead of sleeping on a queue, since waking them would
 * count.  N has to be so large that 50 µs do not matter.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/sort.h>
#include <xsync/xcall.h>
#include "bench.h"

#define SINGLES	16

struct crowd {
	const struct bench_args *args;
	const struct bench_call *how;
	u64 *singles;			/* SINGLES of each caller */
	atomic_t used;			/* of singles */
	atomic_t missing;		/* before the gate */
	atomic_t left;			/* behind it */
	int open;
	int err;
	u64 began, ended;
	struct file *interrupts;
	struct bench_interrupts before, after;
	struct completion done;
};

static void nothing(void *unused)
{
}

static int call_fenced(void)
{
	return xsync_synchronize(&bench_fenced);
}

static int call_ipi(void)
{
	return xsync_synchronize(&bench_ipi);
}

static int call_expedited(void)
{
	synchronize_rcu_expedited();
	return 0;
}

static int call_xcall_run(void)
{
	return xcall_run(cpu_online_mask, nothing, NULL);
}

static int call_on_each_cpu(void)
{
	on_each_cpu(nothing, NULL, 1);
	return 0;
}

/* No grace period: what a timer and a wake-up cost here. */
static int call_sleep(void)
{
	usleep_range(50, 51);
	return 0;
}

static const struct bench_call calls[] = {
	{ "fenced", call_fenced, &bench_fenced },
	{ "ipi", call_ipi, &bench_ipi },
	{ "expedited", call_expedited, NULL },
	{ "xcall_run", call_xcall_run, NULL },
	{ "on_each_cpu", call_on_each_cpu, NULL },
	{ "sleep", call_sleep, NULL },
};

/* The call of that name, or NULL. */
const struct bench_call *bench_find_call(const char *how)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (!strcmp(calls[i].name, how))
			return &calls[i];
	return NULL;
}

static void note_error(struct crowd *c, int err)
{
	if (err)
		WRITE_ONCE(c->err, err);
}

static int read_interrupts(struct crowd *c, struct bench_interrupts *irqs)
{
	return bench_interrupts_read(c->interrupts, irqs, c->args->watch);
}

static void pass_gate(struct crowd *c)
{
	if (atomic_dec_and_test(&c->missing)) {
		note_error(c, read_interrupts(c, &c->before));
		c->began = ktime_get_ns();
		smp_store_release(&c->open, 1);	/* with began */
		return;
	}
	/* Pairs with the store above. */
	while (!smp_load_acquire(&c->open))
		usleep_range(40, 50);
}

static void timed_call(struct crowd *c)
{
	u64 began = ktime_get_ns();

	note_error(c, c->how->call());
	c->singles[atomic_inc_return(&c->used) - 1] = ktime_get_ns() - began;
}

static void make_calls(struct crowd *c)
{
	unsigned int every = DIV_ROUND_UP(c->args->calls, SINGLES);
	unsigned int n;

	for (n = 0; n < c->args->calls; n++) {
		if (n % every)
			note_error(c, c->how->call());
		else
			timed_call(c);
		cond_resched();
	}
}

static int caller(void *arg)
{
	struct crowd *c = arg;

	pass_gate(c);
	make_calls(c);
	if (atomic_dec_and_test(&c->left)) {
		c->ended = ktime_get_ns();
		note_error(c, read_interrupts(c, &c->after));
		complete(&c->done);
	}
	bench_until_stopped();
	return 0;
}

static void stop_all(struct task_struct **tasks, unsigned int n)
{
	while (n--)
		kthread_stop(tasks[n]);
}

/* All of them, or none is left. */
static int create_all(struct crowd *c, struct task_struct **tasks)
{
	unsigned int i;

	for (i = 0; i < c->args->callers; i++) {
		tasks[i] = kthread_create(caller, c, "bench/%u", i);
		if (IS_ERR(tasks[i])) {
			stop_all(tasks, i);
			return PTR_ERR(tasks[i]);
		}
		set_cpus_allowed_ptr(tasks[i], &c->args->on);
	}
	return 0;
}

static int run_crowd(struct crowd *c, struct task_struct **tasks)
{
	unsigned int i;
	int err;

	err = create_all(c, tasks);
	if (err)
		return err;
	for (i = 0; i < c->args->callers; i++)
		wake_up_process(tasks[i]);
	wait_for_completion(&c->done);
	stop_all(tasks, c->args->callers);
	return c->err;
}

static int in_order(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

static void say_times(struct crowd *c)
{
	unsigned int n = atomic_read(&c->used);

	sort(c->singles, n, sizeof(*c->singles), in_order, NULL);
	bench_say("sample %llu %llu\n", div_u64(c->ended - c->began, c->args->calls),
		  c->singles[n / 2]);
	bench_interrupts_say(&c->before, &c->after);
}

static int gather_crowd(struct crowd *c)
{
	struct task_struct **tasks = kcalloc(c->args->callers, sizeof(*tasks), GFP_KERNEL);
	int err = -ENOMEM;

	c->singles = kcalloc(c->args->callers, SINGLES * sizeof(*c->singles), GFP_KERNEL);
	if (tasks && c->singles)
		err = run_crowd(c, tasks);
	if (!err)
		say_times(c);
	kfree(c->singles);
	kfree(tasks);
	return err;
}

static int callers_run(const struct bench_args *args)
{
	struct crowd c = {
		.args = args,
		.how = bench_find_call(args->how),
		.missing = ATOMIC_INIT(args->callers),
		.left = ATOMIC_INIT(args->callers),
	};
	int err;

	if (!c.how)
		return -EINVAL;
	init_completion(&c.done);
	c.interrupts = bench_interrupts_open();
	if (IS_ERR(c.interrupts))
		return PTR_ERR(c.interrupts);
	err = gather_crowd(&c);
	fput(c.interrupts);
	return err;
}

const struct bench_work bench_callers = { "callers", callers_run };
