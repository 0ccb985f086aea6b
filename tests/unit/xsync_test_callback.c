// SPDX-License-Identifier: GPL-2.0-only
/* xsync_call() and xsync_barrier(). */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <xsync/internal.h>
#include "xsync_test.h"

struct called {
	struct xsync_head head;
	struct xsync_domain *d;
	int err, second;
	int ran;
	bool in_thread;
};

static void note_run(struct xsync_head *head)
{
	struct called *c = container_of(head, struct called, head);

	c->in_thread = in_task() && !irqs_disabled();
	smp_store_release(&c->ran, c->ran + 1);	/* pairs with has_run() */
}

static int has_run(const struct called *c)
{
	return smp_load_acquire(&c->ran);	/* pairs with note_run() */
}

static void call_it(void *arg)
{
	struct called *c = arg;

	c->err = xsync_call(c->d, &c->head, note_run);
	c->second = xsync_call(c->d, &c->head, note_run);
}

/*
 * While a reader is inside, the callback of another domain, queued later, comes
 * through all the machinery; ours must not.
 */
static void call_waits_for_reader(struct xut *t, struct called *c, struct reader *r)
{
	struct called other = {};
	struct xsync_domain idle;

	if (!domain_begin(t, &idle))
		return;
	if (xut_run_here(t, call_it, c)) {
		XUT_EXPECT_EQ(t, c->err, 0);
		XUT_EXPECT_EQ(t, c->second, -EBUSY);
		XUT_EXPECT_EQ(t, xsync_call(&idle, &other.head, note_run), 0);
		xut_step(t, "callback of the idle domain");
		XUT_WAIT(t, has_run(&other));
		XUT_EXPECT_EQ(t, has_run(c), 0);
		XUT_EXPECT_EQ(t, xsync_domain_destroy(c->d), -EBUSY);
	}
	domain_end(t, &idle);
}

static void call_from(struct xut *t)
{
	struct called c = {};
	struct xsync_domain d;
	unsigned int cpu;
	struct reader r;

	if (!spare_cpus(t, &cpu, 1) || !domain_begin(t, &d))
		return;
	c.d = &d;
	if (reader_enter(t, &r, &d, cpu)) {
		call_waits_for_reader(t, &c, &r);
		reader_leave(&r);
		xut_step(t, "callback");
		if (!t->skipped && XUT_WAIT(t, has_run(&c)))
			XUT_EXPECT(t, c.in_thread);
	}
	domain_end(t, &d);
	XUT_EXPECT_EQ(t, c.ran, !t->skipped);
}

static const struct xut_case call_cases[] = {
	XUT_CONTEXT_CASES(call_from),
	{}
};

XUT_SHARED_SUITE(call, call_cases);
XUT_SUITE_WITH(call_ipi, call_cases, XSYNC_IPI);

#define MANY	300

struct numbered {
	struct xsync_head head;
	int number;
};

static int numbers[MANY];
static int nr_numbers;

static void note_number(struct xsync_head *head)
{
	numbers[nr_numbers++] = container_of(head, struct numbered, head)->number;
	kfree(container_of(head, struct numbered, head));
}

struct numbered_call {
	struct xsync_domain *d;
	struct numbered *n;
};

static void call_number(void *arg)
{
	struct numbered_call *c = arg;

	xsync_call(c->d, &c->n->head, note_number);
}

/* Queued from all contexts, freed by their functions. */
static void barrier_waits_for_all_in_order(struct xut *t)
{
	struct xsync_domain d;
	struct numbered_call c = { .d = &d };
	int i, queued = 0;

	if (!domain_begin(t, &d))
		return;
	xut_pin(t, cpumask_first(cpu_online_mask));
	nr_numbers = 0;
	for (i = 0; i < MANY; i++) {
		c.n = kzalloc(sizeof(*c.n), GFP_KERNEL);
		if (!XUT_EXPECT(t, c.n))
			break;
		c.n->number = queued;
		if (xut_run_in(i % XUT_NR_CONTEXTS, call_number, &c))
			kfree(c.n);
		else
			queued++;
	}
	xut_step(t, "barrier");
	XUT_EXPECT_EQ(t, xsync_barrier(&d), 0);
	XUT_EXPECT_EQ(t, nr_numbers, queued);
	for (i = 0; i < nr_numbers; i++)
		if (!XUT_EXPECT_EQ(t, numbers[i], i))
			break;
	domain_end(t, &d);
}

struct repeated {
	struct xsync_head head;
	struct xsync_domain *d;
	int left;
	int err;
};

static void call_again(struct xsync_head *head)
{
	struct repeated *r = container_of(head, struct repeated, head);

	if (--r->left)
		r->err |= xsync_call(r->d, head, call_again);
}

static void callback_queues_itself_again(struct xut *t)
{
	struct repeated r = { .left = 10 };
	struct xsync_domain d;

	if (!domain_begin(t, &d))
		return;
	r.d = &d;
	XUT_EXPECT_EQ(t, xsync_call(&d, &r.head, call_again), 0);
	XUT_WAIT(t, READ_ONCE(r.left) == 0);
	XUT_EXPECT_EQ(t, r.err, 0);
	domain_end(t, &d);
}

struct misused {
	struct xsync_head head;
	struct xsync_domain *d;
	int synchronize, barrier, destroy;
};

static void misuse_in_callback(struct xsync_head *head)
{
	struct misused *m = container_of(head, struct misused, head);

	m->synchronize = xsync_synchronize(m->d);
	m->barrier = xsync_barrier(m->d);
	m->destroy = xsync_domain_destroy(m->d);
}

static void wait_in_callback_is_refused(struct xut *t)
{
	struct misused m = {};
	struct xsync_domain d;

	if (!domain_begin(t, &d))
		return;
	m.d = &d;
	XUT_EXPECT_EQ(t, xsync_call(&d, &m.head, misuse_in_callback), 0);
	XUT_EXPECT_EQ(t, xsync_barrier(&d), 0);
	XUT_EXPECT_EQ(t, m.synchronize, -EDEADLK);
	XUT_EXPECT_EQ(t, m.barrier, -EDEADLK);
	XUT_EXPECT_EQ(t, m.destroy, -EDEADLK);
	XUT_EXPECT_EQ(t, d.state->misuse.count, 2);
	domain_end(t, &d);
}

/* A callback that is running is not queued any more; a barrier waits for it as well. */

struct held_callback {
	struct xsync_head head;
	struct xsync_domain *d;
	int begun, release;
	int calling, returned, too_early, err;
};

static void hold_callback(struct xsync_head *head)
{
	struct held_callback *h = container_of(head, struct held_callback, head);

	smp_store_release(&h->begun, 1);	/* to the case */
	while (!READ_ONCE(h->release))
		usleep_range(20, 100);
}

static int barrier_thread(void *arg)
{
	struct held_callback *h = arg;

	WRITE_ONCE(h->calling, 1);
	h->err = xsync_barrier(h->d);
	h->too_early = !READ_ONCE(h->release);
	smp_store_release(&h->returned, 1);	/* to the case */
	thread_idle();
	return 0;
}

static bool sleeps_in_barrier(const struct held_callback *h, struct task_struct *task)
{
	return READ_ONCE(h->calling) &&
	       READ_ONCE(task->__state) == TASK_UNINTERRUPTIBLE;
}

static void barrier_waits_for_what_runs(struct xut *t)
{
	struct held_callback h = {};
	struct task_struct *task;
	struct xsync_domain d;

	if (!domain_begin(t, &d))
		return;
	h.d = &d;
	XUT_EXPECT_EQ(t, xsync_call(&d, &h.head, hold_callback), 0);
	XUT_WAIT(t, smp_load_acquire(&h.begun));	/* from hold_callback() */
	task = thread_on(t, cpumask_first(cpu_online_mask), barrier_thread, &h);
	if (task)
		XUT_WAIT(t, READ_ONCE(h.returned) || sleeps_in_barrier(&h, task));
	WRITE_ONCE(h.release, 1);
	if (task) {
		XUT_WAIT(t, smp_load_acquire(&h.returned));	/* from barrier_thread() */
		XUT_EXPECT(t, !h.too_early);
		XUT_EXPECT_EQ(t, h.err, 0);
		kthread_stop(task);
		put_task_struct(task);
	}
	domain_end(t, &d);
}

static const struct xut_case callback_cases[] = {
	XUT_CASE(barrier_waits_for_all_in_order),
	XUT_CASE(barrier_waits_for_what_runs),
	XUT_CASE(callback_queues_itself_again),
	XUT_CASE(wait_in_callback_is_refused),
	{}
};

XUT_SHARED_SUITE(callback, callback_cases);
XUT_SUITE_WITH(callback_ipi, callback_cases, XSYNC_IPI);
