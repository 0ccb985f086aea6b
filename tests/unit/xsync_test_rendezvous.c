// SPDX-License-Identifier: GPL-2.0-only
/*
 * All CPUs at each other at the same moment, each with interrupts off.
 *
 * Round by round the threads of all CPUs meet with interrupts off, take a ticket
 * and post to everybody.  With fenced readers a ticket is done there and then: who
 * finds somebody else at it moves the rounds on when that one has let go.  What
 * needs an interrupt comes when they are on.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "xsync_test.h"

#define MEETINGS	240		/* rounds, times CPUs */

struct meeting {
	struct xsync_domain d;
	struct meeting_cpu *cpus;
	unsigned int nr;
	int rounds;
	atomic_t through, here, ready;	/* how many, in all rounds */
	bool fenced;
};

struct meeting_cpu {
	struct meeting *m;
	struct task_struct *task;
	struct xcall *by_ipi, *by_thread;
	atomic_t ran;			/* functions of both, on all CPUs */
	unsigned long errors;
	bool stuck;			/* a ticket was not done with interrupts off */
	int done;
};

static void count_meeting(void *arg)
{
	atomic_inc(arg);
}

static bool all_are(struct meeting *m, atomic_t *who, int round)
{
	return atomic_read(who) >= (int)m->nr * round;
}

/* Returns whether the ticket got done. */
static bool poll_until_done(struct xsync_domain *d, unsigned long ticket)
{
	u64 end = ktime_get_mono_fast_ns() + xut_patience * NSEC_PER_SEC / 4;

	while (!xsync_poll(d, ticket)) {
		if (ktime_get_mono_fast_ns() > end)
			return false;
		cpu_relax();
	}
	return true;
}

static unsigned long sync_at_all(struct meeting_cpu *c)
{
	unsigned long ticket = xsync_start(&c->m->d);

	if (xcall_post(c->by_ipi, cpu_online_mask) ||
	    xcall_post(c->by_thread, cpu_online_mask))
		c->errors++;
	if (c->m->fenced && !poll_until_done(&c->m->d, ticket))
		c->stuck = true;
	return ticket;
}

/*
 * Nobody keeps its CPU before all are through with the last round, which the CPU's
 * own thread takes part in; interrupts are off only when all have their CPUs: a
 * task that had to go first might wait for a CPU that does not answer any more.
 */
static void meet(struct meeting *m, int round)
{
	atomic_inc(&m->through);
	while (!all_are(m, &m->through, round))
		usleep_range(10, 50);
	preempt_disable();
	atomic_inc(&m->here);
	while (!all_are(m, &m->here, round))
		cpu_relax();
	local_irq_disable();
	atomic_inc(&m->ready);
	while (!all_are(m, &m->ready, round))
		cpu_relax();
}

static void meet_once(struct meeting_cpu *c, int round)
{
	unsigned long ticket;

	meet(c->m, round);
	ticket = sync_at_all(c);
	local_irq_enable();
	preempt_enable();

	if (xsync_wait(&c->m->d, ticket) || xcall_wait(c->by_ipi) ||
	    xcall_wait(c->by_thread))
		c->errors++;
}

static int meeting_thread(void *arg)
{
	struct meeting_cpu *c = arg;
	int round;

	for (round = 1; round <= c->m->rounds; round++)
		meet_once(c, round);
	smp_store_release(&c->done, 1);		/* to the case */
	thread_idle();
	return 0;
}

static bool meeting_begin(struct xut *t, struct meeting *m)
{
	bool all = true;
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		struct meeting_cpu *c = &m->cpus[i];

		c->m = m;
		c->by_ipi = xcall_alloc(count_meeting, &c->ran, XCALL_IPI, GFP_KERNEL);
		c->by_thread = xcall_alloc(count_meeting, &c->ran, XCALL_THREAD, GFP_KERNEL);
		all &= c->by_ipi && c->by_thread;
	}
	return XUT_EXPECT(t, all);
}

/* All threads or none: they wait for each other. */
static bool meeting_create_threads(struct xut *t, struct meeting *m)
{
	unsigned int cpu, i = 0;

	for_each_online_cpu(cpu) {
		struct meeting_cpu *c = &m->cpus[i++];

		c->task = kthread_create(meeting_thread, c, "xut/%u", cpu);
		if (!XUT_EXPECT(t, !IS_ERR(c->task))) {
			c->task = NULL;
			return false;
		}
		kthread_bind(c->task, cpu);
		get_task_struct(c->task);
	}
	return true;
}

static void meeting_run(struct xut *t, struct meeting *m)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++)
		wake_up_process(m->cpus[i].task);
	for (i = 0; i < m->nr; i++) {
		struct meeting_cpu *c = &m->cpus[i];

		XUT_WAIT(t, smp_load_acquire(&c->done));	/* meeting_thread() */
		XUT_EXPECT_EQ(t, c->errors, 0);
		XUT_EXPECT(t, !c->stuck);
	}
}

static void meeting_end(struct xut *t, struct meeting *m)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		struct meeting_cpu *c = &m->cpus[i];

		if (c->task) {
			kthread_stop(c->task);
			put_task_struct(c->task);
		}
		xcall_free(c->by_ipi);
		xcall_free(c->by_thread);
		if (c->done)
			XUT_EXPECT_EQ(t, atomic_read(&c->ran), 2 * m->rounds * (int)m->nr);
	}
}

static void all_sync_with_interrupts_off(struct xut *t)
{
	struct meeting m = { .nr = num_online_cpus(), .fenced = t->with == XSYNC_FENCED };

	m.rounds = MEETINGS / m.nr * (1 + xut_soak);
	m.cpus = kvcalloc(m.nr, sizeof(*m.cpus), GFP_KERNEL);
	if (!XUT_EXPECT(t, m.cpus) || !domain_begin(t, &m.d))
		goto free;
	if (meeting_begin(t, &m) && meeting_create_threads(t, &m)) {
		xut_step(t, "meeting");
		meeting_run(t, &m);
	}
	meeting_end(t, &m);
	domain_end(t, &m.d);
free:
	kvfree(m.cpus);
}

struct lone_poll {
	struct xsync_domain d;
	int asked, through;
	bool done;
};

static int poll_alone_thread(void *arg)
{
	struct lone_poll *p = arg;
	unsigned long ticket;

	local_irq_disable();
	ticket = xsync_start(&p->d);
	smp_store_release(&p->asked, 1);	/* to the case */
	p->done = poll_until_done(&p->d, ticket);
	local_irq_enable();
	smp_store_release(&p->through, 1);	/* to the case */
	thread_idle();
	return 0;
}

/*
 * What was handed off waits on the poller's own CPU, and nobody else looks:
 *
 *	reader          [-----------]
 *	ticket               t
 *	interrupts off     [------------]
 *	done                          t
 */
static void poll_with_interrupts_off_moves_on(struct xut *t)
{
	struct lone_poll p = {};
	struct task_struct *task;
	unsigned int cpus[2];
	struct reader r;

	if (t->with == XSYNC_IPI) {
		xut_skip(t, "a round needs the interrupts of all CPUs");
		return;
	}
	if (!spare_cpus(t, cpus, 2) || !domain_begin(t, &p.d))
		return;
	if (!reader_enter(t, &r, &p.d, cpus[0]))
		goto end;
	task = thread_on(t, cpus[1], poll_alone_thread, &p);
	if (task) {
		XUT_WAIT(t, smp_load_acquire(&p.asked));	/* poll_alone_thread() */
		xut_step(t, "polling");
	}
	reader_leave(&r);
	if (task) {
		XUT_WAIT(t, smp_load_acquire(&p.through));	/* poll_alone_thread() */
		XUT_EXPECT(t, p.done);
		kthread_stop(task);
		put_task_struct(task);
	}
end:
	domain_end(t, &p.d);
}

static const struct xut_case rendezvous_cases[] = {
	XUT_CASE(poll_with_interrupts_off_moves_on),
	XUT_CASE(all_sync_with_interrupts_off),
	{}
};

XUT_SHARED_SUITE(rendezvous, rendezvous_cases);
XUT_SUITE_WITH(rendezvous_ipi, rendezvous_cases, XSYNC_IPI);
