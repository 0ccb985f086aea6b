// SPDX-License-Identifier: GPL-2.0-only
/* timeout: arming again, cancel against fire, freeing, threads, drain. */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include "timeout_test.h"

struct periodic {
	struct xcallout co;
	atomic_t runs, inside;
	bool twice;
	unsigned int left;
	struct completion done;
};

static void arm_again(void *arg)
{
	struct periodic *p = arg;

	if (atomic_inc_return(&p->inside) != 1)
		p->twice = true;
	atomic_inc(&p->runs);
	if (--p->left)
		xcallout_arm_ns(&p->co, 1000);
	else
		complete(&p->done);
	atomic_dec(&p->inside);
}

static void function_arms_itself(struct xut *t)
{
	struct periodic p = { .left = 300 };

	init_completion(&p.done);
	xcallout_init(&p.co, THIS_MODULE, arm_again, &p);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&p.co, 0), 0);
	xut_step(t, "waiting for the last of many runs");
	wait_for_completion(&p.done);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&p.co), 0);
	XUT_EXPECT_EQ(t, atomic_read(&p.runs), 300);
	XUT_EXPECT(t, !p.twice);
}

/* After stop_sync has returned it does not run, however often it arms itself. */
static void stop_ends_what_arms_itself(struct xut *t)
{
	unsigned int round;
	int runs;

	for (round = 0; round < 200 * (1 + xut_soak); round++) {
		struct periodic p = { .left = UINT_MAX };

		init_completion(&p.done);
		xcallout_init(&p.co, THIS_MODULE, arm_again, &p);
		XUT_EXPECT_EQ(t, xcallout_arm_ns(&p.co, 0), 0);
		XUT_WAIT(t, atomic_read(&p.runs) >= 3);
		XUT_EXPECT(t, xcallout_stop_sync(&p.co) >= 0);
		runs = atomic_read(&p.runs);
		XUT_EXPECT_EQ(t, atomic_read(&p.inside), 0);
		XUT_EXPECT_EQ(t, xcallout_stop(&p.co), 0);
		XUT_EXPECT_EQ(t, atomic_read(&p.runs), runs);
	}
}

/* What had been given to the threads before this has begun, or a thread has it. */
static void fence(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;

	xcallout_init(&co, THIS_MODULE, count, &ran);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), 0);
	XUT_WAIT(t, atomic_read(&ran) == 1);
	xcallout_stop_sync(&co);
}

/* Fires while its function is held: runs after it, not beside it. */
static void fires_while_running(struct xut *t)
{
	struct xcallout co;
	struct held h;

	held_init(&h);
	xcallout_init(&co, THIS_MODULE, hold, &h);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), 0);
	XUT_WAIT(t, atomic_read(&h.begun) == 1);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), 0);
	XUT_WAIT(t, has_fired(&co));
	/* The new firing can be taken back; the function is running all the same. */
	XUT_EXPECT_EQ(t, xcallout_stop(&co), -EBUSY);
	XUT_EXPECT(t, !has_fired(&co));
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), 0);
	XUT_WAIT(t, has_fired(&co));
	fence(t);
	XUT_EXPECT(t, has_fired(&co));
	XUT_EXPECT_EQ(t, atomic_read(&h.begun), 1);
	complete_all(&h.go);
	XUT_WAIT(t, atomic_read(&h.ended) == 2);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
	XUT_EXPECT_EQ(t, atomic_read(&h.begun), 2);
}

/* The same, armed on another CPU: it stays in the table that knows of its function. */
static void fires_elsewhere_while_running(struct xut *t)
{
	unsigned int there = cpumask_last(cpu_online_mask);
	struct xtimeout_table *table;
	struct xcallout co;
	struct held h;

	if (!there) {
		xut_skip(t, "needs another CPU");
		return;
	}
	held_init(&h);
	xut_pin(t, 0);
	xcallout_init(&co, THIS_MODULE, hold, &h);
	table = co.table;
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), 0);
	XUT_WAIT(t, atomic_read(&h.begun) == 1);
	xut_pin(t, there);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), 0);
	XUT_EXPECT(t, READ_ONCE(co.table) == table);
	XUT_WAIT(t, has_fired(&co) || atomic_read(&h.begun) == 2);
	fence(t);
	XUT_EXPECT(t, has_fired(&co));
	XUT_EXPECT_EQ(t, atomic_read(&h.begun), 1);
	complete_all(&h.go);
	XUT_WAIT(t, atomic_read(&h.ended) == 2);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
	/* Idle, it goes to where it is armed. */
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, FAR_NS), 0);
	XUT_EXPECT(t, READ_ONCE(co.table) != table);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 1);
	XUT_EXPECT_EQ(t, atomic_read(&h.begun), 2);
}

/* ARMED and RUNNING: the stop cancels the one and waits for the other. */
static void stop_while_armed_and_running(struct xut *t)
{
	struct xtaskq *other = xtaskq_create("xut", 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct held h;
	struct releaser r = { .waiter = current, .held = &h };
	struct xcallout co;

	if (!XUT_EXPECT(t, !IS_ERR(other)))
		return;
	held_init(&h);
	xcallout_init(&co, THIS_MODULE, hold, &h);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, 0), 0);
	XUT_WAIT(t, atomic_read(&h.begun) == 1);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, FAR_NS), 0);
	XUT_EXPECT(t, xtaskq_dispatch(other, release_when_waiting, &r, XTASKQ_SLEEP));
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 1);
	XUT_EXPECT_EQ(t, atomic_read(&h.ended), 1);
	XUT_EXPECT_EQ(t, xcallout_stop(&co), 0);
	WRITE_ONCE(r.returned, true);
	XUT_EXPECT_EQ(t, xtaskq_destroy(other), 0);
}

/*
 * One function is waited for, another one ends in the same table.  Who waits for that
 * one came later, so he is woken last.
 */
struct pair {
	struct held first;
	xtimeout_id_t id, other;
	struct task_struct *waiter, *later;
	bool begun, returned, early;
	long result;
};

static void end_when_waited_for(void *arg)
{
	struct pair *p = arg;

	WRITE_ONCE(p->begun, true);
	while (!READ_ONCE(p->later) || !sleeps(p->later))
		usleep_range(20, 100);
}

static void wait_for_other(void *arg)
{
	struct pair *p = arg;

	while (!sleeps(p->waiter) && !READ_ONCE(p->returned))
		usleep_range(20, 100);
	WRITE_ONCE(p->later, current);
	p->result = xuntimeout(p->other);
	p->early = !sleeps(p->waiter);
	complete_all(&p->first.go);
}

static void end_of_another_wakes_nobody(struct xut *t)
{
	struct xtaskq *tq = xtaskq_create("xut", 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct pair p = { .waiter = current };

	if (!XUT_EXPECT(t, !IS_ERR(tq)))
		return;
	held_init(&p.first);
	xut_pin(t, 0);
	p.id = xtimeout(hold, &p.first, 1);
	p.other = xtimeout(end_when_waited_for, &p, 1);
	XUT_WAIT(t, atomic_read(&p.first.begun) && READ_ONCE(p.begun));
	XUT_EXPECT(t, xtaskq_dispatch(tq, wait_for_other, &p, XTASKQ_SLEEP));
	xut_step(t, "waiting for a function while another one ends");
	XUT_EXPECT_EQ(t, xuntimeout(p.id), -1);
	XUT_EXPECT_EQ(t, atomic_read(&p.first.ended), 1);
	WRITE_ONCE(p.returned, true);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	XUT_WAIT(t, atomic_read(&p.first.ended) == 1);
	XUT_EXPECT_EQ(t, p.result, -1);
	XUT_EXPECT(t, !p.early);
}

struct thing {
	struct xcallout co;
	atomic_t *freed;
};

static void free_thing(void *arg)
{
	struct thing *thing = arg;
	atomic_t *freed = thing->freed;

	kfree(thing);
	atomic_inc(freed);
}

static void function_frees_its_callout(struct xut *t)
{
	atomic_t freed = ATOMIC_INIT(0);
	int i;

	for (i = 0; i < 500; i++) {
		struct thing *thing = kzalloc(sizeof(*thing), GFP_KERNEL);

		if (!XUT_EXPECT(t, thing))
			break;
		thing->freed = &freed;
		xcallout_init(&thing->co, THIS_MODULE, free_thing, thing);
		XUT_EXPECT_EQ(t, xcallout_arm_ns(&thing->co, i * 100), 0);
	}
	xut_step(t, "waiting for callouts that are freed by their functions");
	XUT_WAIT(t, atomic_read(&freed) == i);
}

static void blocked_function_delays_no_other(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	struct held h;
	int i;

	held_init(&h);
	for (i = 0; i < 20; i++)
		XUT_EXPECT(t, xtimeout(hold, &h, 1));
	XUT_WAIT(t, atomic_read(&h.begun) == 20);
	for (i = 0; i < 100; i++)
		XUT_EXPECT(t, xtimeout(count, &ran, 1));
	xut_step(t, "waiting for timeouts while others are blocked");
	XUT_WAIT(t, atomic_read(&ran) == 100);
	XUT_EXPECT_EQ(t, atomic_read(&h.ended), 0);
	complete_all(&h.go);
	XUT_WAIT(t, atomic_read(&h.ended) == 20);
}

static void meet(void *arg)
{
	struct held *h = arg;

	if (atomic_inc_return(&h->begun) == XTIMEOUT_THREADS)
		complete_all(&h->go);
	wait_for_completion(&h->go);
	atomic_inc(&h->ended);
}

/* As many as there are threads, each waiting for all the others. */
static void functions_wait_for_one_another(struct xut *t)
{
	struct held h;
	int i;

	held_init(&h);
	for (i = 0; i < XTIMEOUT_THREADS; i++)
		XUT_EXPECT(t, xtimeout(meet, &h, 1));
	xut_step(t, "waiting for functions that wait for each other");
	XUT_WAIT(t, atomic_read(&h.ended) == XTIMEOUT_THREADS);
}

/* One thread of the races: arms, and cancels at about the time it fires. */
struct racer {
	struct task_struct *thread;
	unsigned int rounds, ran_rounds, both, neither;
	struct completion done;
};

static void race_once(struct racer *r, struct xcallout *co, atomic_t *ran, bool named)
{
	int before = atomic_read(ran), after;
	xtimeout_id_t id = 0;
	bool cancelled;

	if (named)
		id = xtimeout(count, ran, 1);
	else
		xcallout_arm_ns(co, get_random_u32() % 100000);
	if (named)
		usleep_range(1, 1 + 2 * TICK_NSEC / NSEC_PER_USEC);
	else if (get_random_u32() & 1)
		ndelay(get_random_u32() % 5000);
	else
		usleep_range(1, 60);
	cancelled = named ? xuntimeout(id) >= 0 : xcallout_stop_sync(co) == 1;
	after = atomic_read(ran);
	if (cancelled && after != before)
		r->both++;
	if (!cancelled && after != before + 1)
		r->neither++;
	r->ran_rounds += after != before;
}

static int race_thread(void *arg)
{
	struct racer *r = arg;
	atomic_t ran = ATOMIC_INIT(0);
	struct xcallout co;
	unsigned int i;

	xcallout_init(&co, THIS_MODULE, count, &ran);
	for (i = 0; i < r->rounds; i++)
		race_once(r, &co, &ran, i % 8 == 0);
	complete(&r->done);
	return xut_until_stopped();
}

static void ran_or_cancelled(struct xut *t)
{
	struct racer *racers = kcalloc(nr_cpu_ids, sizeof(*racers), GFP_KERNEL);
	unsigned int cpu, ran = 0, rounds = 0;

	if (!XUT_EXPECT(t, racers))
		return;
	for_each_online_cpu(cpu) {
		struct racer *r = &racers[cpu];

		r->rounds = 1000 * (1 + xut_soak);
		init_completion(&r->done);
		r->thread = kthread_run_on_cpu(race_thread, r, cpu, "xut_race/%u");
		if (IS_ERR(r->thread)) {
			XUT_EXPECT_EQ(t, PTR_ERR(r->thread), 0);
			r->thread = NULL;
		}
	}
	xut_step(t, "waiting for the races on all CPUs");
	for_each_possible_cpu(cpu) {
		struct racer *r = &racers[cpu];

		if (!r->thread)
			continue;
		wait_for_completion(&r->done);
		kthread_stop(r->thread);
		XUT_EXPECT_EQ(t, r->both, 0);
		XUT_EXPECT_EQ(t, r->neither, 0);
		ran += r->ran_rounds;
		rounds += r->rounds;
	}
	xut_info(t, "%u of %u rounds ran, the others were cancelled", ran, rounds);
	kfree(racers);
}

/* Two tasks cancel the same id: the sum of their successes and of runs is one. */
struct second {
	struct xtaskq *tq;
	xtimeout_id_t id;
	atomic_t *ready;
	long result;
};

static void cancel_too(void *arg)
{
	struct second *s = arg;

	atomic_dec(s->ready);
	while (atomic_read(s->ready))
		cpu_relax();
	s->result = xuntimeout(s->id);
}

static void two_cancellers(struct xut *t)
{
	struct second s = { .tq = xtaskq_create("xut", 1, XTASKQ_PRI_NORMAL, 0, 0, 0) };
	atomic_t ready, ran = ATOMIC_INIT(0);
	unsigned int round, won[2] = {};

	if (!XUT_EXPECT(t, !IS_ERR(s.tq)))
		return;
	s.ready = &ready;
	for (round = 0; round < 500 * (1 + xut_soak); round++) {
		unsigned int first, second;
		long result;

		atomic_set(&ran, 0);
		atomic_set(&ready, 2);
		s.id = xtimeout(count, &ran, round & 1 ? 1 : FAR_TICKS);
		XUT_EXPECT(t, xtaskq_dispatch(s.tq, cancel_too, &s, XTASKQ_SLEEP));
		atomic_dec(&ready);
		while (atomic_read(&ready))
			cond_resched();
		result = xuntimeout(s.id);
		XUT_EXPECT_EQ(t, xtaskq_wait(s.tq), 0);
		first = result >= 0;
		second = s.result >= 0;
		if (!XUT_EXPECT_EQ(t, first + second + atomic_read(&ran), 1))
			break;
		won[0] += first;
		won[1] += second;
	}
	xut_info(t, "one canceller won %u times, the other %u times", won[0], won[1]);
	XUT_EXPECT_EQ(t, xtaskq_destroy(s.tq), 0);
}

/* An owner that is no module: what counts is that it is the same pointer. */
#define owner_of(x)	((struct module *)(x))

/* NULL: the case is skipped. */
static struct module *new_owner(struct xut *t)
{
	/* Stays declared dead until the layer is unloaded: never a live address. */
	static unsigned long owners[128];
	static unsigned int used;

	if (used < ARRAY_SIZE(owners))
		return owner_of(&owners[used++]);
	xut_skip(t, "no owner left that is not dead: reload this module");
	return NULL;
}

static void drain_leaves_nothing(struct xut *t)
{
	struct module *owner = new_owner(t);
	struct xtaskq *other = xtaskq_create("xut", 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);
	struct held h;
	struct releaser r = { .waiter = current, .held = &h };
	struct periodic p = { .left = UINT_MAX };
	struct xcallout far;
	xtimeout_id_t id;
	int i, runs;

	if (!XUT_EXPECT(t, !IS_ERR(other)))
		return;
	if (!owner) {
		xtaskq_destroy(other);
		return;
	}
	held_init(&h);
	init_completion(&p.done);
	xcallout_init(&p.co, owner, arm_again, &p);
	xcallout_init(&far, owner, count, &ran);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&p.co, 0), 0);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&far, FAR_NS), 0);
	id = xtimeout_owned(owner, hold, &h, 1);
	for (i = 0; i < 100; i++)
		XUT_EXPECT(t, xtimeout_owned(owner, count, &ran, FAR_TICKS));
	XUT_WAIT(t, atomic_read(&h.begun) == 1 && atomic_read(&p.runs) > 3);
	XUT_EXPECT(t, xtaskq_dispatch(other, release_when_waiting, &r, XTASKQ_SLEEP));

	xut_step(t, "draining");
	XUT_EXPECT_EQ(t, xtimeout_drain(owner), 0);
	WRITE_ONCE(r.returned, true);
	XUT_EXPECT_EQ(t, atomic_read(&h.ended), 1);
	XUT_EXPECT_EQ(t, atomic_read(&p.inside), 0);
	runs = atomic_read(&p.runs);
	XUT_EXPECT_EQ(t, xuntimeout(id), -1);
	XUT_EXPECT_EQ(t, xcallout_stop(&far), 0);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&far, 0), -ESHUTDOWN);
	XUT_EXPECT_EQ(t, xtimeout_owned(owner, count, &ran, 1), 0);
	XUT_EXPECT_EQ(t, xtimeout_drain(owner), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
	XUT_EXPECT_EQ(t, atomic_read(&p.runs), runs);
	XUT_EXPECT_EQ(t, xtimeout_drain(NULL), -EINVAL);
	XUT_EXPECT_EQ(t, xtaskq_destroy(other), 0);
}

static void count_too(void *ran)
{
	count(ran);
}

/*
 * Two owners' callouts of two functions, mixed: a third of them due at one time, more than
 * one look takes in, the others at a time each.
 */
static void drain_leaves_what_is_others(struct xut *t)
{
	enum { N = 1500 };
	struct module *owner = new_owner(t);
	struct xcallout *co = kvcalloc(N, sizeof(*co), GFP_KERNEL);
	ktime_t when = ktime_get() + FAR_NS;
	atomic_t ran = ATOMIC_INIT(0);
	unsigned int i;

	if (!owner || !XUT_EXPECT(t, co)) {
		kvfree(co);
		return;
	}
	for (i = 0; i < N; i++) {
		xcallout_init(&co[i], i & 1 ? owner : THIS_MODULE, i & 2 ? count : count_too,
			      &ran);
		XUT_EXPECT_EQ(t, xcallout_arm(&co[i], i % 3 ? when + i : when, 0, 0,
					      XTIMEOUT_ABSOLUTE), 0);
	}
	XUT_EXPECT_EQ(t, xtimeout_drain(owner), 0);
	for (i = 0; i < N; i++)
		if (!XUT_EXPECT_EQ(t, xcallout_stop_sync(&co[i]), !(i & 1)))
			break;
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
	kvfree(co);
}

/*
 * A function of the owner waits for one of somebody else, which drains that owner.  It
 * must not wait for who waits for it; all else has to be cancelled, on every CPU.
 */
struct knot {
	struct module *owner;
	struct xcallout waits, drains;
	struct xcallout *armed;	/* of each CPU */
	xtimeout_id_t *ids;
	struct task_struct *waiter;
	int stopped, drained;
	atomic_t ran, ended;
};

static void wait_for_drainer(void *arg)
{
	struct knot *k = arg;

	/* It is lockdep's business to find that this can deadlock. */
	lockdep_off();
	WRITE_ONCE(k->waiter, current);
	k->stopped = xcallout_stop_sync(&k->drains);
	lockdep_on();
	atomic_inc(&k->ended);
}

static void drain_waiter(void *arg)
{
	struct knot *k = arg;

	while (!READ_ONCE(k->waiter) || !sleeps(k->waiter))
		usleep_range(20, 100);
	lockdep_off();
	k->drained = xtimeout_drain(k->owner);
	lockdep_on();
	atomic_inc(&k->ended);
}

static void arm_for_knot(void *arg)
{
	unsigned int cpu = raw_smp_processor_id();
	struct knot *k = arg;

	xcallout_init(&k->armed[cpu], k->owner, count, &k->ran);
	xcallout_arm_ns(&k->armed[cpu], FAR_NS);
	k->ids[cpu] = xtimeout_owned(k->owner, count, &k->ran, FAR_TICKS);
}

static void tie_knot(struct xut *t, struct knot *k)
{
	unsigned int cpu;

	/* In the first table: what is in others comes after it. */
	xut_pin(t, 0);
	on_each_cpu(arm_for_knot, k, true);
	xcallout_init(&k->waits, k->owner, wait_for_drainer, k);
	xcallout_init(&k->drains, THIS_MODULE, drain_waiter, k);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&k->drains, 0), 0);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&k->waits, 0), 0);
	xut_step(t, "waiting for a function that drains who waits for it");
	if (!XUT_WAIT(t, atomic_read(&k->ended) == 2))
		return;		/* they are there for ever, and so is what they use */
	XUT_EXPECT_EQ(t, k->drained, -EDEADLK);
	XUT_EXPECT_EQ(t, k->stopped, 0);
	for_each_online_cpu(cpu) {
		XUT_EXPECT(t, !xcallout_armed(&k->armed[cpu]));
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&k->armed[cpu]), 0);
		XUT_EXPECT(t, k->ids[cpu]);
		XUT_EXPECT_EQ(t, xuntimeout(k->ids[cpu]), -1);
	}
	XUT_EXPECT_EQ(t, xtimeout_drain(k->owner), 0);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&k->drains), 0);
	XUT_EXPECT_EQ(t, atomic_read(&k->ran), 0);
	kfree(k->armed);
	kfree(k->ids);
	kfree(k);
}

static void drain_in_a_knot_cancels(struct xut *t)
{
	struct module *owner = new_owner(t);
	struct knot *k;

	if (!owner)
		return;
	k = kzalloc(sizeof(*k), GFP_KERNEL);
	if (!XUT_EXPECT(t, k))
		return;
	k->owner = owner;
	k->armed = kcalloc(nr_cpu_ids, sizeof(*k->armed), GFP_KERNEL);
	k->ids = kcalloc(nr_cpu_ids, sizeof(*k->ids), GFP_KERNEL);
	if (XUT_EXPECT(t, k->armed && k->ids)) {
		tie_knot(t, k);
		return;
	}
	kfree(k->armed);
	kfree(k->ids);
	kfree(k);
}

static const struct xut_case race_cases[] = {
	XUT_CASE(function_arms_itself),
	XUT_CASE(stop_ends_what_arms_itself),
	XUT_CASE(fires_while_running),
	XUT_CASE(fires_elsewhere_while_running),
	XUT_CASE(stop_while_armed_and_running),
	XUT_CASE(end_of_another_wakes_nobody),
	XUT_CASE(function_frees_its_callout),
	XUT_CASE(blocked_function_delays_no_other),
	XUT_CASE(functions_wait_for_one_another),
	XUT_CASE(ran_or_cancelled),
	XUT_CASE(two_cancellers),
	XUT_CASE(drain_leaves_nothing),
	XUT_CASE(drain_leaves_what_is_others),
	XUT_CASE(drain_in_a_knot_cancels),
	{}
};

XUT_SHARED_SUITE(timeout_race, race_cases);
