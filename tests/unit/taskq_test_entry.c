// SPDX-License-Identifier: GPL-2.0-only
/* taskq: entries, dispatch from each context, destroy against dispatch. */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include "taskq_test.h"

static void count(void *arg)
{
	atomic_inc(arg);
}

/* An object that carries its entry. */
struct thing {
	struct xtaskq_ent ent;
	struct xtaskq *tq, *other;
	atomic_t *ran;
	unsigned int left;
	xtaskqid_t last;
};

static void free_thing(void *arg)
{
	struct thing *thing = arg;
	atomic_t *ran = thing->ran;

	kfree(thing);
	atomic_inc(ran);
}

static void function_frees_its_entry(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 4, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);
	int i;

	if (!tq)
		return;
	for (i = 0; i < 500; i++) {
		struct thing *thing = kzalloc(sizeof(*thing), GFP_KERNEL);

		if (!XUT_EXPECT(t, thing))
			break;
		thing->ran = &ran;
		xtaskq_init_ent(&thing->ent);
		if (i & 1)
			XUT_EXPECT(t, xtaskq_dispatch_ent(tq, free_thing, thing, 0,
							  &thing->ent));
		else
			XUT_EXPECT(t, xtaskq_dispatch_any(tq, &thing->ent, free_thing,
							  thing));
	}
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), i);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* Goes to and fro between two queues until it has run often enough. */
static void dispatch_again(void *arg)
{
	struct thing *thing = arg;
	struct xtaskq *here = thing->tq;

	atomic_inc(thing->ran);
	if (!--thing->left)
		return;
	thing->tq = thing->other;
	thing->other = here;
	thing->last = xtaskq_dispatch_ent(thing->tq, dispatch_again, thing, 0,
					  &thing->ent);
}

static void wait_sees_what_functions_dispatch(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);
	struct thing thing = { .tq = tq, .other = tq, .ran = &ran, .left = 2000 };

	if (!tq)
		return;
	xtaskq_init_ent(&thing.ent);
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, dispatch_again, &thing, 0, &thing.ent));
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 2000);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static void entry_changes_queues(struct xut *t)
{
	struct xtaskq *a = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct xtaskq *b = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, XTASKQ_DEDICATED);
	atomic_t ran = ATOMIC_INIT(0);
	struct thing thing = { .tq = a, .other = b, .ran = &ran, .left = 501 };

	if (!a || !b)
		return;
	xtaskq_init_ent(&thing.ent);
	XUT_EXPECT(t, xtaskq_dispatch_ent(a, dispatch_again, &thing, 0, &thing.ent));
	XUT_WAIT(t, atomic_read(&ran) == 501);
	XUT_EXPECT_EQ(t, xtaskq_destroy(a), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(b), 0);
}

static void busy_entry_is_refused(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);
	struct xtaskq_ent ent;
	struct gate g;

	if (!tq)
		return;
	gate_init(&g);
	xtaskq_init_ent(&ent);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, count, &ran, 0, &ent));
	XUT_EXPECT_EQ(t, xtaskq_dispatch_ent(tq, count, &ran, 0, &ent), 0);
	XUT_EXPECT_EQ(t, xtaskq_dispatch_any(tq, &ent, count, &ran), 0);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* gate is running | cancelled, kept */
static void cancel_takes_back_what_is_pending(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);
	struct xtaskq_ent inside, cancelled, kept;
	xtaskqid_t id;
	struct gate g;

	if (!tq)
		return;
	gate_init(&g);
	xtaskq_init_ent(&inside);
	xtaskq_init_ent(&cancelled);
	xtaskq_init_ent(&kept);
	XUT_EXPECT(t, !xtaskq_cancel_ent(tq, &cancelled));
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, gate_pass, &g, 0, &inside));
	XUT_WAIT(t, atomic_read(&g.inside) == 1);
	id = xtaskq_dispatch_ent(tq, count, &ran, 0, &cancelled);
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, count, &ran, 0, &kept));
	XUT_EXPECT(t, !xtaskq_cancel_ent(tq, &inside));
	XUT_EXPECT(t, xtaskq_cancel_ent(tq, &cancelled));
	XUT_EXPECT(t, !xtaskq_cancel_ent(tq, &cancelled));
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, id), 0);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	XUT_EXPECT(t, !xtaskq_cancel_ent(tq, &kept));
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static unsigned int idle_of(struct xtaskq *tq)
{
	unsigned int n;

	raw_spin_lock_irq(&tq->lock);
	n = tq->nidle;
	raw_spin_unlock_irq(&tq->lock);
	return n;
}

/* All threads are idle until they are woken; those that are awake take what is there. */
static void wake_afterwards(struct xut *t, unsigned int flags)
{
	struct xtaskq *tq = QUEUE(t, 3, XTASKQ_PRI_NORMAL, 0, 0, flags);
	struct xtaskq_ent ent[3], later, given;
	atomic_t ran = ATOMIC_INIT(0);
	struct gate g;
	int i;

	if (!tq)
		return;
	gate_init(&g);
	xtaskq_init_ent(&later);
	xtaskq_init_ent(&given);
	for (i = 0; i < 3; i++) {
		xtaskq_init_ent(&ent[i]);
		XUT_EXPECT(t, xtaskq_dispatch_ent(tq, gate_pass, &g, XTASKQ_NOWAKE, &ent[i]));
	}
	XUT_EXPECT_EQ(t, idle_of(tq), 3);
	xtaskq_wake_up(tq, 2);
	XUT_WAIT(t, atomic_read(&g.inside) == 2);
	XUT_EXPECT_EQ(t, idle_of(tq), 1);
	xtaskq_wake_up(tq, 100);
	XUT_WAIT(t, atomic_read(&g.inside) == 3);
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, count, &ran, XTASKQ_NOWAKE, &later));
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);

	XUT_EXPECT(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_NOWAKE));
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, count, &ran, XTASKQ_NOWAKE, &later));
	XUT_EXPECT_EQ(t, idle_of(tq), 3);
	XUT_EXPECT(t, xtaskq_cancel_ent(tq, &later));
	xtaskq_wake_up(tq, 2);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 2);
	xtaskq_wake_up(tq, 2);
	XUT_EXPECT_EQ(t, idle_of(tq), 3);

	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, count, &ran, XTASKQ_NOWAKE | XTASKQ_NOQUEUE,
					  &given));
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, xtaskq_dispatch_delay(tq, count, &ran, XTASKQ_NOWAKE, 0, 0), 0);
	expect_balance(t, tq, 8, 6, 1, 1);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static void woken_afterwards(struct xut *t)
{
	wake_afterwards(t, 0);
	wake_afterwards(t, XTASKQ_DEDICATED);
}

/* Two entries exist at most: the gate has one, one task is pending. */
static void maxalloc_throttles(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 1, 2, XTASKQ_PREPOPULATE);
	atomic_t ran = ATOMIC_INIT(0);
	struct gate g;

	if (!tq)
		return;
	gate_init(&g);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_NOSLEEP));
	XUT_WAIT(t, atomic_read(&g.inside) == 1);
	XUT_EXPECT(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP));
	XUT_EXPECT_EQ(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_NOSLEEP), 0);
	xut_step(t, "waiting to be given an entry although there is none");
	XUT_EXPECT(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP));
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 2);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static const struct xut_case entry_cases[] = {
	XUT_CASE(function_frees_its_entry),
	XUT_CASE(wait_sees_what_functions_dispatch),
	XUT_CASE(entry_changes_queues),
	XUT_CASE(busy_entry_is_refused),
	XUT_CASE(cancel_takes_back_what_is_pending),
	XUT_CASE(woken_afterwards),
	XUT_CASE(maxalloc_throttles),
	{}
};

XUT_SHARED_SUITE(taskq_entry, entry_cases);

struct from_here {
	struct xtaskq *tq;
	struct xtaskq_ent ent;
	atomic_t ran;
	xtaskqid_t own, embedded;
};

static void dispatch_direct(void *arg)
{
	struct from_here *here = arg;

	here->own = xtaskq_dispatch(here->tq, count, &here->ran, XTASKQ_NOSLEEP);
	here->embedded = xtaskq_dispatch_ent(here->tq, count, &here->ran, 0, &here->ent);
}

static void dispatches_from_context(struct xut *t)
{
	struct from_here here = { .ran = ATOMIC_INIT(0) };

	here.tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 4, 0, XTASKQ_PREPOPULATE);
	if (!here.tq)
		return;
	xtaskq_init_ent(&here.ent);
	if (xut_run_here(t, dispatch_direct, &here)) {
		XUT_EXPECT(t, here.own && here.embedded && here.own != here.embedded);
		XUT_EXPECT_EQ(t, xtaskq_wait_id(here.tq, here.own), 0);
		XUT_EXPECT_EQ(t, xtaskq_wait_id(here.tq, here.embedded), 0);
		XUT_EXPECT_EQ(t, atomic_read(&here.ran), 2);
	}
	XUT_EXPECT_EQ(t, xtaskq_destroy(here.tq), 0);
}

static const struct xut_case dispatch_cases[] = {
	{ .name = "task", .run = dispatches_from_context, .context = XUT_TASK },
	{ .name = "softirq", .run = dispatches_from_context, .context = XUT_SOFTIRQ },
	{ .name = "hardirq", .run = dispatches_from_context, .context = XUT_HARDIRQ },
	{ .name = "hrtimer", .run = dispatches_from_context, .context = XUT_HRTIMER },
	{ .name = "irqsoff", .run = dispatches_from_context, .context = XUT_IRQSOFF },
	{}
};

XUT_SHARED_SUITE(dispatch, dispatch_cases);

static void dispatch_handed(void *arg)
{
	struct from_here *here = arg;

	here->embedded = xtaskq_dispatch_any(here->tq, &here->ent, count, &here->ran);
}

/* wait_id must see what is still on its way to the queue. */
static void dispatches_from_any_context(struct xut *t)
{
	struct from_here here = { .ran = ATOMIC_INIT(0) };
	unsigned int i;

	here.tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, 0);
	if (!here.tq)
		return;
	xtaskq_init_ent(&here.ent);
	for (i = 1; i <= 20; i++) {
		if (!xut_run_here(t, dispatch_handed, &here))
			break;
		XUT_EXPECT(t, here.embedded);
		XUT_EXPECT_EQ(t, xtaskq_wait_id(here.tq, here.embedded), 0);
		XUT_EXPECT_EQ(t, atomic_read(&here.ran), i);
	}
	XUT_EXPECT_EQ(t, xtaskq_destroy(here.tq), 0);
}

static const struct xut_case dispatch_any_cases[] = {
	XUT_CONTEXT_CASES(dispatches_from_any_context),
	{}
};

XUT_SHARED_SUITE(dispatch_any, dispatch_any_cases);

static void again_until_refused(void *arg)
{
	struct thing *thing = arg;

	atomic_inc(thing->ran);
	thing->last = xtaskq_dispatch_ent(thing->tq, again_until_refused, thing, 0,
					  &thing->ent);
}

static void destroy_ends_what_goes_on_for_ever(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);
	struct thing thing = { .tq = tq, .ran = &ran };

	if (!tq)
		return;
	xtaskq_init_ent(&thing.ent);
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, again_until_refused, &thing, 0,
					  &thing.ent));
	XUT_WAIT(t, atomic_read(&ran) > 10);
	xut_step(t, "destroying a queue whose function dispatches itself");
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	XUT_EXPECT_EQ(t, thing.last, 0);
}

static void destroy_runs_what_is_left(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);
	int i;

	if (!tq)
		return;
	for (i = 0; i < 1000; i++)
		XUT_EXPECT(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP));
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1000);
}

#define STORM_ENTS	64

struct storm_ent {
	struct xtaskq_ent ent;
	atomic_t *ran;
	bool idle;
};

/* Dispatches from one CPU until the queue refuses, as one RCU reader. */
struct storm {
	struct xtaskq *tq;
	atomic_t ran;
	unsigned int dispatched;
	bool refused;
	struct task_struct *thread;
	struct storm_ent ents[STORM_ENTS];
};

static void storm_ran(void *arg)
{
	struct storm_ent *e = arg;

	atomic_inc(e->ran);
	/* Pairs with the load in storm_thread(): the entry is done with. */
	smp_store_release(&e->idle, true);
}

static bool storm_dispatch(struct storm *s, struct storm_ent *e, unsigned int n)
{
	WRITE_ONCE(e->idle, false);
	if (n & 1)
		return xtaskq_dispatch_any(s->tq, &e->ent, storm_ran, e);
	return xtaskq_dispatch_ent(s->tq, storm_ran, e, n & 2 ? XTASKQ_FRONT : 0, &e->ent);
}

static int storm_thread(void *arg)
{
	struct storm *s = arg;
	unsigned int i;

	/*
	 * One section: the queue stays until it has ended, refused or not.  With
	 * preemption off all but one CPU might keep from running what is to give
	 * back entries.
	 */
	rcu_read_lock();
	for (i = 0; !s->refused; i = (i + 1) % STORM_ENTS) {
		struct storm_ent *e = &s->ents[i];

		/* Pairs with the store in storm_ran(). */
		if (!smp_load_acquire(&e->idle)) {
			cpu_relax();
			continue;
		}
		if (storm_dispatch(s, e, s->dispatched))
			WRITE_ONCE(s->dispatched, s->dispatched + 1);
		else
			s->refused = true;
	}
	rcu_read_unlock();
	return xut_until_stopped();
}

static struct storm *storm_start(struct xut *t, struct xtaskq *tq, unsigned int cpu)
{
	struct storm *s = kvzalloc(sizeof(*s), GFP_KERNEL);
	unsigned int i;

	if (!XUT_EXPECT(t, s))
		return NULL;
	s->tq = tq;
	for (i = 0; i < STORM_ENTS; i++) {
		xtaskq_init_ent(&s->ents[i].ent);
		s->ents[i].ran = &s->ran;
		s->ents[i].idle = true;
	}
	s->thread = kthread_create(storm_thread, s, "xut_storm/%u", cpu);
	if (!XUT_EXPECT(t, !IS_ERR(s->thread))) {
		kvfree(s);
		return NULL;
	}
	kthread_bind(s->thread, cpu);
	wake_up_process(s->thread);
	return s;
}

/*
 * Every CPU but this one dispatches as fast as it can when the queue is destroyed.
 * What was accepted has run; what came later was refused; nothing crashed.
 */
static void destroy_against_dispatch(struct xut *t)
{
	unsigned int cpu, here, round, rounds = 5 * (1 + xut_soak);
	struct storm **storms = kcalloc(nr_cpu_ids, sizeof(*storms), GFP_KERNEL);

	if (num_online_cpus() < 2 || !XUT_EXPECT(t, storms)) {
		xut_skip(t, "one CPU");
		kfree(storms);
		return;
	}
	for (round = 0; round < rounds && !t->failed; round++) {
		struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0,
					  round & 1 ? XTASKQ_DEDICATED : 0);

		if (!tq)
			break;
		migrate_disable();
		here = smp_processor_id();
		for_each_online_cpu(cpu)
			storms[cpu] = cpu == here ? NULL : storm_start(t, tq, cpu);
		xut_step(t, "dispatching on all CPUs");
		for_each_online_cpu(cpu)
			if (storms[cpu])
				XUT_WAIT(t, READ_ONCE(storms[cpu]->dispatched) > 200);
		xut_step(t, "destroying a queue that all CPUs dispatch to");
		XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
		migrate_enable();
		for_each_online_cpu(cpu) {
			if (!storms[cpu])
				continue;
			kthread_stop(storms[cpu]->thread);
			XUT_EXPECT(t, storms[cpu]->refused);
			XUT_EXPECT_EQ(t, atomic_read(&storms[cpu]->ran),
				      storms[cpu]->dispatched);
			kvfree(storms[cpu]);
		}
	}
	kfree(storms);
}

static const struct xut_case destroy_cases[] = {
	XUT_CASE(destroy_ends_what_goes_on_for_ever),
	XUT_CASE(destroy_runs_what_is_left),
	XUT_CASE(destroy_against_dispatch),
	{}
};

XUT_SHARED_SUITE(taskq_destroy, destroy_cases);
