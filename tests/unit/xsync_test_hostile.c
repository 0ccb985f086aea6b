// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users who never have enough, and CPUs that have no time.
 *
 * A function that posts more work each time it runs goes on for ever.  Meanwhile
 * everybody else must get on: other requests, tickets and barriers, and the machine;
 * and when it is told to stop, all of it must end.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "xsync_test.h"
#include "xsync_test_counted.h"

#define ROUNDS	5	/* of everybody else */
#define TURNS	20	/* of the hostile one, so that it was really at it */

/*
 * The hostile one counts its turns, and says when it has stopped.  @own, if any, is a
 * domain that it uses itself.
 */
struct hostile {
	struct xsync_domain *own;
	atomic_t turns;
	atomic_t at_work;
	int errors;
	bool stop;
};

/* All that must still come to its end. */

static void note_callback(struct xsync_head *head)
{
}

static int run_once(void *arg)
{
	atomic_inc(arg);
	thread_idle();
	return 0;
}

static void all_cpus_run_threads(struct xut *t, struct hostile *h)
{
	unsigned int cpu;

	xut_step(t, "a thread on each CPU");
	for_each_online_cpu(cpu) {
		atomic_t ran = ATOMIC_INIT(0);
		struct task_struct *task = thread_on(t, cpu, run_once, &ran);

		if (!task)
			continue;
		/* It cannot be stopped before it has run. */
		if (!XUT_WAIT(t, atomic_read(&ran)))
			WRITE_ONCE(h->stop, true);
		kthread_stop(task);
		put_task_struct(task);
	}
}

static void others_get_on(struct xut *t, struct hostile *h, struct xsync_domain *d,
			  struct counted *const calls[2])
{
	struct xsync_head head = {};
	unsigned int mode;

	for (mode = XCALL_IPI; mode <= XCALL_THREAD; mode++) {
		xut_step(t, mode == XCALL_IPI ? "a call by IPI" : "a call by thread");
		XUT_EXPECT_EQ(t, counted_post(calls[mode], FROM_TASK), 0);
		XUT_EXPECT_EQ(t, xcall_wait(calls[mode]->x), 0);
		counted_check(calls[mode]);
	}
	xut_step(t, "a grace period");
	XUT_EXPECT_EQ(t, xsync_synchronize(d), 0);
	xut_step(t, "a barrier");
	XUT_EXPECT_EQ(t, xsync_call(d, &head, note_callback), 0);
	XUT_EXPECT_EQ(t, xsync_barrier(d), 0);
	all_cpus_run_threads(t, h);
}

static void expect_others_get_on(struct xut *t, struct hostile *h)
{
	struct counted *calls[2];
	struct xsync_domain d;
	int round;

	if (!counted_begin(t) || !domain_begin(t, &d))
		return;
	calls[XCALL_IPI] = counted_alloc(XCALL_IPI);
	calls[XCALL_THREAD] = counted_alloc(XCALL_THREAD);
	xut_step(t, "the hostile one at work");
	XUT_WAIT(t, atomic_read(&h->turns) >= TURNS);
	if (XUT_EXPECT(t, calls[XCALL_IPI] && calls[XCALL_THREAD]))
		for (round = 0; round < ROUNDS * (1 + xut_soak); round++)
			others_get_on(t, h, &d, calls);
	if (h->own) {
		xut_step(t, "a barrier of its own domain");
		XUT_EXPECT_EQ(t, xsync_barrier(h->own), 0);
		XUT_EXPECT_EQ(t, xsync_synchronize(h->own), 0);
	}
	XUT_EXPECT(t, atomic_read(&h->at_work));

	WRITE_ONCE(h->stop, true);
	xut_step(t, "end of the hostile one");
	XUT_WAIT(t, atomic_read(&h->at_work) == 0);
	XUT_EXPECT_EQ(t, h->errors, 0);
	xut_info(t, "%d turns", atomic_read(&h->turns));
	counted_free(calls[XCALL_IPI]);
	counted_free(calls[XCALL_THREAD]);
	counted_end(t);
	domain_end(t, &d);
}

/* True if there is to be another turn. */
static bool next_turn(struct hostile *h)
{
	atomic_inc(&h->turns);
	if (!READ_ONCE(h->stop))
		return true;
	atomic_dec(&h->at_work);
	return false;
}

/* A callback queues itself again. */

struct hostile_callback {
	struct xsync_head head;
	struct hostile h;
};

static void queue_again(struct xsync_head *head)
{
	struct hostile_callback *c = container_of(head, struct hostile_callback, head);

	if (next_turn(&c->h))
		c->h.errors |= xsync_call(c->h.own, head, queue_again);
}

static void callback_for_ever(struct xut *t)
{
	struct hostile_callback c = {};
	struct xsync_domain own;

	if (!domain_begin(t, &own))
		return;
	c.h.own = &own;
	atomic_set(&c.h.at_work, 1);
	XUT_EXPECT_EQ(t, xsync_call(&own, &c.head, queue_again), 0);
	expect_others_get_on(t, &c.h);
	domain_end(t, &own);
}

/* The hand-off of a request's end posts it again, to all CPUs. */

struct hostile_request {
	struct xcall *x;
	struct xsync_handoff news;
	struct hostile h;
};

static void no_function(void *arg)
{
}

static void post_request_again(struct xsync_handoff *news)
{
	struct hostile_request *r = container_of(news, struct hostile_request, news);

	if (next_turn(&r->h))
		r->h.errors |= xcall_post(r->x, cpu_online_mask);
}

static void request_for_ever_in(struct xut *t, unsigned int mode)
{
	struct hostile_request r = {};

	xsync_handoff_init(&r.news, post_request_again);
	r.x = xcall_alloc(no_function, NULL, mode, GFP_KERNEL);
	if (!XUT_EXPECT(t, r.x))
		return;
	xcall_notify(r.x, &r.news);
	atomic_set(&r.h.at_work, 1);
	XUT_EXPECT_EQ(t, xcall_post(r.x, cpu_online_mask), 0);
	expect_others_get_on(t, &r.h);
	xcall_free(r.x);
	xsync_handoff_sync(&r.news);
}

/* With one CPU there is no end to its interrupts, and nothing else would run. */
static void request_for_ever_by_ipi(struct xut *t)
{
	unsigned int cpu;

	if (spare_cpus(t, &cpu, 1))
		request_for_ever_in(t, XCALL_IPI);
}

static void request_for_ever_by_thread(struct xut *t)
{
	request_for_ever_in(t, XCALL_THREAD);
}

/*
 * Two functions in the thread of each CPU but that of the case, which is to say so if
 * nothing else runs, post each other: it never comes to rest.
 */

struct hostile_pair {
	struct xcall *x[2];
	int turn;
	struct hostile *h;
};

static void post_the_other(void *arg)
{
	struct hostile_pair *p = arg;

	p->turn = !p->turn;
	if (next_turn(p->h))
		p->h->errors |= xcall_post(p->x[p->turn], cpumask_of(raw_smp_processor_id()));
}

static void pairs_begin(struct xut *t, struct hostile_pair *pairs, struct hostile *h)
{
	unsigned int mine = raw_smp_processor_id();
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct hostile_pair *p = &pairs[cpu];

		if (cpu == mine)
			continue;
		p->h = h;
		p->x[0] = xcall_alloc(post_the_other, p, XCALL_THREAD, GFP_KERNEL);
		p->x[1] = xcall_alloc(post_the_other, p, XCALL_THREAD, GFP_KERNEL);
		if (!XUT_EXPECT(t, p->x[0] && p->x[1]))
			return;
		/* There, so that the sender is through before the thread begins. */
		xut_pin(t, cpu);
		atomic_inc(&h->at_work);
		XUT_EXPECT_EQ(t, xcall_post(p->x[0], cpumask_of(cpu)), 0);
	}
	xut_pin(t, mine);
}

static void thread_functions_for_ever(struct xut *t)
{
	struct hostile_pair *pairs;
	struct hostile h = {};
	unsigned int cpu;

	if (!spare_cpus(t, &cpu, 1))
		return;
	pairs = kcalloc(nr_cpu_ids, sizeof(*pairs), GFP_KERNEL);
	if (!XUT_EXPECT(t, pairs))
		return;
	pairs_begin(t, pairs, &h);
	expect_others_get_on(t, &h);
	for_each_possible_cpu(cpu) {
		xcall_free(pairs[cpu].x[0]);
		xcall_free(pairs[cpu].x[1]);
	}
	kfree(pairs);
}

/* A request that is posted again in the hand-off of its end runs each time. */

struct reposted {
	struct counted *call;
	struct xsync_handoff news;
	int runs, errors;
};

static void post_next_run(struct xsync_handoff *news)
{
	struct reposted *r = container_of(news, struct reposted, news);

	counted_check(r->call);
	if (r->runs > 1)
		r->errors |= counted_post(r->call, FROM_HANDOFF);
	smp_store_release(&r->runs, r->runs - 1);	/* to the case */
}

static void request_posted_again_in_its_handoff(struct xut *t)
{
	struct reposted r = { .runs = 100 * (1 + xut_soak) };

	if (!counted_begin(t))
		return;
	r.call = counted_alloc(XCALL_IPI);
	if (XUT_EXPECT(t, r.call)) {
		xsync_handoff_init(&r.news, post_next_run);
		xcall_notify(r.call->x, &r.news);
		XUT_EXPECT_EQ(t, counted_post(r.call, FROM_TASK), 0);
		XUT_WAIT(t, smp_load_acquire(&r.runs) == 0);	/* from post_next_run() */
		XUT_EXPECT_EQ(t, r.errors, 0);
		xsync_handoff_sync(&r.news);
		counted_free(r.call);
	}
	counted_end(t);
}

/*
 * A real-time task has a CPU for itself.  The thread of that CPU waits; or it does
 * not, where the kernel throttles real-time tasks.  Either way its function runs once,
 * and interrupts do not wait.
 */
struct hog {
	struct task_struct *task;
	int begun, stop;
};

static int hog_thread(void *arg)
{
	struct hog *h = arg;

	sched_set_fifo(current);
	smp_store_release(&h->begun, 1);	/* to the case */
	while (!READ_ONCE(h->stop))
		cpu_relax();
	thread_idle();
	return 0;
}

static void count_call(void *arg)
{
	atomic_inc(arg);
}

static void call_hogged_cpu(struct xut *t, struct xcall *x, atomic_t *ran, unsigned int cpu)
{
	atomic_t by_ipi = ATOMIC_INIT(0);
	int err;

	XUT_EXPECT_EQ(t, xcall_post(x, cpumask_of(cpu)), 0);
	err = xcall_wait_timeout(x, 5 * NSEC_PER_MSEC);
	xut_info(t, "the call was %s", err ? "starved" : "helped by throttling");
	if (err) {
		XUT_EXPECT_EQ(t, err, -ETIMEDOUT);
	} else {
		XUT_EXPECT(t, xcall_done(x));
		XUT_EXPECT_EQ(t, atomic_read(ran), 1);
	}
	xut_step(t, "a call by IPI to the CPU that is hogged");
	XUT_EXPECT_EQ(t, xcall_run(cpumask_of(cpu), count_call, &by_ipi), 0);
	XUT_EXPECT_EQ(t, atomic_read(&by_ipi), 1);
}

static void fifo_hog_starves_the_thread(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct hog h = {};
	struct xcall *x;
	unsigned int cpu;

	if (!spare_cpus(t, &cpu, 1))
		return;
	x = xcall_alloc(count_call, &ran, XCALL_THREAD, GFP_KERNEL);
	if (!XUT_EXPECT(t, x))
		return;
	h.task = thread_on(t, cpu, hog_thread, &h);
	if (h.task) {
		XUT_WAIT(t, smp_load_acquire(&h.begun));	/* from hog_thread() */
		call_hogged_cpu(t, x, &ran, cpu);
		WRITE_ONCE(h.stop, 1);
		xut_step(t, "the call that was starved");
		XUT_EXPECT_EQ(t, xcall_wait(x), 0);
		XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
		XUT_EXPECT(t, cpumask_equal(xcall_ran(x), cpumask_of(cpu)));
		kthread_stop(h.task);
		put_task_struct(h.task);
	}
	xcall_free(x);
}

static const struct xut_case hostile_cases[] = {
	XUT_CASE(callback_for_ever),
	XUT_CASE(request_for_ever_by_ipi),
	XUT_CASE(request_for_ever_by_thread),
	XUT_CASE(thread_functions_for_ever),
	XUT_CASE(request_posted_again_in_its_handoff),
	XUT_CASE(fifo_hog_starves_the_thread),
	{}
};

XUT_SHARED_SUITE(hostile, hostile_cases);
