// SPDX-License-Identifier: GPL-2.0-only
/*
 * started - from a hard interrupt to a function in task context.
 *
 *	started how=HOW calls=N
 *
 * The time is taken in a hard interrupt right before it asks, and where a thread runs
 * as a result: in the callback of xsync_call() or call_rcu() (whose callbacks run in
 * softirq), or, for "wake", in a thread that a second irq_work wakes.  That is the
 * least it takes to get from any context to a thread, since scheduler locks forbid a
 * wake-up where the interrupt fell in.  One after the other, nothing else going on.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "bench.h"

struct started {
	void (*ask)(struct started *s);
	struct irq_work interrupt;
	struct completion done;
	u64 began, ended;
	/* how= */
	struct xsync_domain *domain;
	struct xsync_head head;
	struct rcu_head rcu;
	struct irq_work wake;
	struct task_struct *sleeper;
	int woken;
	int err;
};

static void arrived(struct started *s)
{
	s->ended = ktime_get_ns();
	complete(&s->done);
}

static void after_xsync(struct xsync_head *head)
{
	arrived(container_of(head, struct started, head));
}

static void ask_xsync(struct started *s)
{
	s->err = xsync_call(s->domain, &s->head, after_xsync);
	if (s->err)
		arrived(s);
}

static void after_rcu(struct rcu_head *rcu)
{
	arrived(container_of(rcu, struct started, rcu));
}

static void ask_rcu(struct started *s)
{
	call_rcu(&s->rcu, after_rcu);
}

static void wake_sleeper(struct irq_work *work)
{
	struct started *s = container_of(work, struct started, wake);

	WRITE_ONCE(s->woken, 1);
	wake_up_process(s->sleeper);
}

static void ask_wake(struct started *s)
{
	irq_work_queue(&s->wake);
}

static int sleeper(void *arg)
{
	struct started *s = arg;

	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		if (!READ_ONCE(s->woken)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		WRITE_ONCE(s->woken, 0);
		arrived(s);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static void interrupted(struct irq_work *work)
{
	struct started *s = container_of(work, struct started, interrupt);

	s->began = ktime_get_ns();
	s->ask(s);
}

static int started_choose(struct started *s, const char *how)
{
	s->domain = bench_domain(how);
	if (s->domain)
		s->ask = ask_xsync;
	else if (!strcmp(how, "call_rcu"))
		s->ask = ask_rcu;
	else if (!strcmp(how, "wake"))
		s->ask = ask_wake;
	else
		return -EINVAL;
	return 0;
}

static int started_measure(struct started *s, unsigned int calls)
{
	while (calls-- && !s->err) {
		irq_work_queue(&s->interrupt);
		wait_for_completion(&s->done);
		bench_say("sample %llu\n", s->ended - s->began);
	}
	return s->err;
}

static int started_run(const struct bench_args *args)
{
	struct started *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int err;

	if (!s)
		return -ENOMEM;
	err = started_choose(s, args->how);
	if (err)
		goto free;
	init_completion(&s->done);
	s->interrupt = IRQ_WORK_INIT_HARD(interrupted);
	s->wake = IRQ_WORK_INIT_HARD(wake_sleeper);
	s->sleeper = kthread_run(sleeper, s, "bench-sleeper");
	if (IS_ERR(s->sleeper)) {
		err = PTR_ERR(s->sleeper);
		goto free;
	}
	err = started_measure(s, args->calls);
	irq_work_sync(&s->interrupt);
	irq_work_sync(&s->wake);
	kthread_stop(s->sleeper);
	if (s->domain && !err)
		err = xsync_barrier(s->domain);
free:
	kfree(s);
	return err;
}

const struct bench_work bench_started = { "started", started_run };
