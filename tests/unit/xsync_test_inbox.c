// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inboxes of cross-calls: two sources race to kick one, and no kick is lost.
 *
 * Kicks that are lost come to light only when nobody kicks that CPU again.  So in
 * the first two cases the race is led by the hand: a function is held while another
 * CPU posts, and after that the last post of all must be answered.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include "xsync_test.h"
#include "xsync_test_counted.h"

#define PATIENCE_NS	((u64)xut_patience * NSEC_PER_SEC)

struct held_call {
	struct xcall *x;
	int begun, release;
};

static void hold_call(void *arg)
{
	struct held_call *h = arg;

	smp_store_release(&h->begun, 1);	/* to the case */
	while (!READ_ONCE(h->release))
		cpu_relax();
}

static void no_function(void *arg)
{
}

struct sent {
	struct xsync_handoff h;
	int yes;
};

static void note_sent(struct xsync_handoff *h)
{
	struct sent *s = container_of(h, struct sent, h);

	smp_store_release(&s->yes, 1);		/* to wait_until_sent() */
}

/* Comes after what this CPU has posted; another CPU's pass may be held up. */
static void wait_until_sent(struct xut *t)
{
	struct sent s = {};

	xsync_handoff_init(&s.h, note_sent);
	XUT_EXPECT(t, xsync_handoff(&s.h));
	while (!smp_load_acquire(&s.yes))	/* from note_sent() */
		cpu_relax();
}

/* The last one in an inbox: nobody comes to its help. */
static void expect_answer(struct xut *t, struct xcall *x, unsigned int cpu)
{
	struct xcall *help;

	if (XUT_EXPECT_EQ(t, xcall_wait_timeout(x, PATIENCE_NS), 0))
		return;
	/* So that the case can end: a CPU that posts to itself needs no kick. */
	help = xcall_alloc(no_function, NULL, XCALL_IPI, GFP_KERNEL);
	if (XUT_EXPECT(t, help)) {
		xut_pin(t, cpu);
		XUT_EXPECT_EQ(t, xcall_post(help, cpumask_of(cpu)), 0);
		xcall_free(help);
	}
	XUT_EXPECT_EQ(t, xcall_wait(x), 0);
}

/*
 *	target   [ function of the first ]  second
 *	case           posts the second
 */
static void posted_while_inbox_runs(struct xut *t)
{
	struct held_call h = {};
	struct xcall *second;
	unsigned int cpu;

	if (!spare_cpus(t, &cpu, 1))
		return;
	h.x = xcall_alloc(hold_call, &h, XCALL_IPI, GFP_KERNEL);
	second = xcall_alloc(no_function, NULL, XCALL_IPI, GFP_KERNEL);
	if (!XUT_EXPECT(t, h.x && second))
		goto free;
	XUT_EXPECT_EQ(t, xcall_post(h.x, cpumask_of(cpu)), 0);
	XUT_WAIT(t, smp_load_acquire(&h.begun));	/* from hold_call() */
	XUT_EXPECT_EQ(t, xcall_post(second, cpumask_of(cpu)), 0);
	wait_until_sent(t);
	WRITE_ONCE(h.release, 1);
	xut_step(t, "the call that was posted meanwhile");
	expect_answer(t, second, cpu);
	XUT_EXPECT(t, cpumask_equal(xcall_ran(second), cpumask_of(cpu)));
free:
	xcall_free(second);
	xcall_free(h.x);
}

/*
 * The target posts two to itself, which it takes out without an IPI:
 *
 *	target   [ function of its first ]  takes its second and the other's  IPI
 *	case           posts to it, an IPI is under way                           posts
 *
 * The IPI finds the inbox empty.  The next post must be answered all the same.
 */
struct self_posts {
	struct held_call first;
	struct xcall *second;
	int err;
};

static int post_two_to_self(void *arg)
{
	const struct cpumask *self = cpumask_of(raw_smp_processor_id());
	struct self_posts *p = arg;

	local_irq_disable();
	p->err = xcall_post(p->first.x, self) ?: xcall_post(p->second, self);
	local_irq_enable();
	thread_idle();
	return 0;
}

static void post_to_self_poster(struct xut *t, struct self_posts *p, struct xcall *other,
				unsigned int cpu)
{
	struct task_struct *task = thread_on(t, cpu, post_two_to_self, p);

	if (!task)
		return;
	XUT_WAIT(t, smp_load_acquire(&p->first.begun));	/* from hold_call() */
	XUT_EXPECT_EQ(t, xcall_post(other, cpumask_of(cpu)), 0);
	wait_until_sent(t);
	WRITE_ONCE(p->first.release, 1);
	xut_step(t, "the call that was posted meanwhile");
	XUT_EXPECT_EQ(t, xcall_wait(other), 0);
	XUT_EXPECT_EQ(t, xcall_wait(p->second), 0);
	/* It runs what comes after that IPI. */
	xut_step(t, "the thread of that CPU");
	kthread_stop(task);
	put_task_struct(task);
	XUT_EXPECT_EQ(t, p->err, 0);
	XUT_EXPECT_EQ(t, xcall_post(other, cpumask_of(cpu)), 0);
	xut_step(t, "a call after an IPI that found nothing");
	expect_answer(t, other, cpu);
}

static void inbox_taken_before_its_ipi(struct xut *t)
{
	struct self_posts p = {};
	struct xcall *other;
	unsigned int cpu;

	if (!spare_cpus(t, &cpu, 1))
		return;
	p.first.x = xcall_alloc(hold_call, &p.first, XCALL_IPI, GFP_KERNEL);
	p.second = xcall_alloc(no_function, NULL, XCALL_IPI, GFP_KERNEL);
	other = xcall_alloc(no_function, NULL, XCALL_IPI, GFP_KERNEL);
	if (XUT_EXPECT(t, p.first.x && p.second && other))
		post_to_self_poster(t, &p, other, cpu);
	xcall_free(other);
	xcall_free(p.second);
	xcall_free(p.first.x);
}

/*
 * The same at random: two CPUs post to one, which posts to itself; each call is the
 * last one of its CPU for a while.
 */

#define RACES	300

struct kicker {
	struct task_struct *task;
	struct counted *call;
	int errors, done;
};

static int kick_thread(void *arg)
{
	struct kicker *k = arg;
	int i;

	for (i = 0; i < RACES * (1 + xut_soak); i++) {
		if (counted_post(k->call, FROM_TASK) ||
		    xcall_wait_timeout(k->call->x, PATIENCE_NS)) {
			k->errors++;
			break;
		}
		counted_check(k->call);
	}
	smp_store_release(&k->done, 1);		/* to the case */
	thread_idle();
	return 0;
}

static void race_for_kick(struct xut *t, const unsigned int *cpus, unsigned int n,
			  struct kicker *kickers)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		kickers[i].call = counted_alloc(XCALL_IPI);
		if (!XUT_EXPECT(t, kickers[i].call))
			break;
		cpumask_copy(&kickers[i].call->mask, cpumask_of(cpus[0]));
		kickers[i].task = thread_on(t, cpus[i], kick_thread, &kickers[i]);
	}
	for (i = 0; i < n; i++)
		if (kickers[i].task)
			XUT_WAIT(t, smp_load_acquire(&kickers[i].done)); /* kick_thread() */
	for (i = 0; i < n; i++) {
		if (kickers[i].task) {
			kthread_stop(kickers[i].task);
			put_task_struct(kickers[i].task);
		}
		if (!XUT_EXPECT_EQ(t, kickers[i].errors, 0))
			expect_answer(t, kickers[i].call->x, cpus[0]);
		counted_free(kickers[i].call);
	}
}

static void sources_race_for_one_kick(struct xut *t)
{
	struct kicker kickers[3] = {};
	unsigned int cpus[3];

	if (!spare_cpus(t, cpus, ARRAY_SIZE(cpus)))
		return;
	if (counted_begin(t))
		race_for_kick(t, cpus, ARRAY_SIZE(cpus), kickers);
	counted_end(t);
}

static const struct xut_case inbox_cases[] = {
	XUT_CASE(posted_while_inbox_runs),
	XUT_CASE(inbox_taken_before_its_ipi),
	XUT_CASE(sources_race_for_one_kick),
	{}
};

XUT_SHARED_SUITE(inbox, inbox_cases);
