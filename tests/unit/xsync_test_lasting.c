// SPDX-License-Identifier: GPL-2.0-only
/* What lasts: readers that stay for long, and a ticket that is done stays done. */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <xsync/compat/hrtimer.h>
#include "xsync_test.h"

struct late_call {
	struct xsync_head head;
	int ran;
};

static void late_call_runs(struct xsync_head *head)
{
	smp_store_release(&container_of(head, struct late_call, head)->ran, 1); /* to the case */
}

/*
 *	reader    [---------- ms ----------]
 *	ticket       t
 *	done                                t
 *	callback     c                       c
 */
static void reader_stays(struct xut *t, unsigned int ms)
{
	struct late_call late = {};
	struct xsync_domain d;
	unsigned long ticket, end;
	unsigned int cpu;
	struct reader r;

	if (!spare_cpus(t, &cpu, 1) || !domain_begin(t, &d))
		return;
	if (reader_enter(t, &r, &d, cpu)) {
		ticket = xsync_start(&d);
		end = jiffies + msecs_to_jiffies(ms);
		xut_step(t, "reader inside");
		while (XUT_EXPECT(t, !xsync_poll(&d, ticket)) && time_before(jiffies, end))
			XUT_EXPECT_EQ(t, xsync_wait_timeout(&d, ticket, NSEC_PER_MSEC),
				      -ETIMEDOUT);
		XUT_EXPECT_EQ(t, xsync_call(&d, &late.head, late_call_runs), 0);
		reader_leave(&r);
		xut_step(t, "nobody looks but the poller");
		XUT_WAIT(t, smp_load_acquire(&late.ran));	/* late_call_runs() */
		XUT_EXPECT(t, xsync_poll(&d, ticket));
	}
	domain_end(t, &d);
}

static void reader_stays_10_ms(struct xut *t)
{
	reader_stays(t, 10);
}

static void reader_stays_1_s(struct xut *t)
{
	reader_stays(t, 1000);
}

/*
 * Polls from tasks, timer interrupts and NMIs on all CPUs, while threads on all
 * of them take tickets.  Each looks at the last tickets again and again, and keeps
 * what it saw: once true stays true, and true of every ticket that was given before.
 */
#define POLLS		300000		/* in the task of each CPU */
#define POLLS_AT_ONCE	16		/* in an interrupt */
#define RECENT		64		/* tickets that are looked at */
#define TICKETS		500		/* that have to be given */
#define TICK_NS		(200 * NSEC_PER_USEC)

struct looker {
	unsigned long done;		/* the latest ticket that was seen done */
	bool seen;
	unsigned long polls, undone;
};

struct poll_cpu {
	struct task_struct *task, *starter;
	struct hrtimer timer;
	struct looker in_task, in_timer, in_nmi;
	bool through;
};

static struct xsync_domain polled;
static unsigned long recent[RECENT];
static atomic_t given;
static struct poll_cpu __percpu *poll_cpus;
static bool polls_stop;

static void poll_once(struct looker *l)
{
	unsigned long ticket = READ_ONCE(recent[l->polls++ % RECENT]);
	bool done = xsync_poll(&polled, ticket);

	/* Nothing older than what was done may be undone. */
	if (l->seen && (long)(ticket - l->done) <= 0) {
		l->undone += !done;
	} else if (done) {
		l->done = ticket;
		l->seen = true;
	}
}

static void poll_some(struct looker *l)
{
	unsigned int i;

	for (i = 0; i < POLLS_AT_ONCE; i++)
		poll_once(l);
}

static void poll_in_nmi(void *arg)
{
	poll_some(arg);
}

static enum hrtimer_restart poll_in_timer(struct hrtimer *timer)
{
	struct poll_cpu *c = container_of(timer, struct poll_cpu, timer);

	poll_some(&c->in_timer);
	xut_nmi_self(poll_in_nmi, &c->in_nmi);
	if (READ_ONCE(polls_stop))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(TICK_NS));
	return HRTIMER_RESTART;
}

static int poll_thread(void *arg)
{
	unsigned long polls = POLLS * (1UL + xut_soak);
	struct poll_cpu *c = arg;

	hrtimer_start(&c->timer, ns_to_ktime(TICK_NS), HRTIMER_MODE_REL_PINNED_HARD);
	while (c->in_task.polls < polls || atomic_read(&given) < TICKETS) {
		poll_some(&c->in_task);
		cond_resched();
	}
	smp_store_release(&c->through, true);	/* to the case */
	thread_idle();
	return 0;
}

/* Some of its tickets are given while it is inside. */
static int give_thread(void *arg)
{
	while (!READ_ONCE(polls_stop)) {
		unsigned int n = atomic_inc_return(&given);
		unsigned long cookie = xsync_enter(&polled);

		WRITE_ONCE(recent[n % RECENT], xsync_start(&polled));
		udelay(n % 16);
		xsync_exit(&polled, cookie);
		usleep_range(20, 100);
	}
	thread_idle();
	return 0;
}

static void polls_start(struct xut *t)
{
	unsigned int cpu, i;

	polls_stop = false;
	atomic_set(&given, 0);
	for (i = 0; i < RECENT; i++)
		recent[i] = xsync_start(&polled);
	for_each_online_cpu(cpu) {
		struct poll_cpu *c = per_cpu_ptr(poll_cpus, cpu);

		hrtimer_setup(&c->timer, poll_in_timer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
		c->starter = thread_on(t, cpu, give_thread, NULL);
		c->task = thread_on(t, cpu, poll_thread, c);
	}
}

static void stop_thread(struct task_struct *task)
{
	if (!task)
		return;
	kthread_stop(task);
	put_task_struct(task);
}

static void polls_end(struct xut *t)
{
	unsigned long polls[3] = {}, undone = 0;
	unsigned int cpu;

	WRITE_ONCE(polls_stop, true);
	for_each_online_cpu(cpu) {
		struct poll_cpu *c = per_cpu_ptr(poll_cpus, cpu);

		stop_thread(c->task);
		stop_thread(c->starter);
		hrtimer_cancel(&c->timer);
		polls[0] += c->in_task.polls;
		polls[1] += c->in_timer.polls;
		polls[2] += c->in_nmi.polls;
		undone += c->in_task.undone + c->in_timer.undone + c->in_nmi.undone;
	}
	xut_info(t, "polls: %lu in tasks, %lu in interrupts, %lu in NMIs; %d tickets",
		 polls[0], polls[1], polls[2], atomic_read(&given));
	XUT_EXPECT(t, polls[0] && polls[1]);
	XUT_EXPECT_EQ(t, undone, 0);
}

static void done_stays_done(struct xut *t)
{
	unsigned int cpu;

	poll_cpus = alloc_percpu(struct poll_cpu);
	if (!XUT_EXPECT(t, poll_cpus))
		return;
	if (domain_begin(t, &polled)) {
		polls_start(t);
		xut_step(t, "polling");
		for_each_online_cpu(cpu) {
			struct poll_cpu *c = per_cpu_ptr(poll_cpus, cpu);

			if (c->task)
				XUT_WAIT(t, smp_load_acquire(&c->through)); /* poll_thread() */
		}
		polls_end(t);
		domain_end(t, &polled);
	}
	free_percpu(poll_cpus);
}

static const struct xut_case lasting_cases[] = {
	XUT_CASE(reader_stays_10_ms),
	XUT_CASE(reader_stays_1_s),
	XUT_CASE(done_stays_done),
	{}
};

XUT_SHARED_SUITE(lasting, lasting_cases);
XUT_SUITE_WITH(lasting_ipi, lasting_cases, XSYNC_IPI);
