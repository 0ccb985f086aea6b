// SPDX-License-Identifier: GPL-2.0-only
/*
 * What DTrace on Solaris needs dtrace_sync() for in its timer: dynamic variables,
 * which probes on all CPUs make, look at and free without a lock.
 *
 * Problem.  A probe may run in an NMI, so it can neither allocate nor take a lock.
 * Variables come from per-CPU lists.  One that a probe has freed may still be looked
 * at by probes that found it before, so it has to be cleaned before it is handed out
 * again; and nobody else but a cleaner that runs every now and then can see to that.
 *
 * Structures.  Each CPU has four chains of variables:
 *
 *	free      probes of this CPU take from it, and nobody adds to it
 *	dirty     probes of this CPU add to it
 *	rinsing   the cleaner has set the dirty ones aside
 *	clean     the cleaner is through; a probe that finds free empty makes it free
 *
 *	  probe            cleaner             cleaner           probe
 *	---------> dirty ---------> rinsing -----sync----> clean ------> free
 *
 * and all have one state: CLEAN, with the number of the last cleaning; or EMPTY, when
 * a probe has found neither a free nor a clean one, until the next cleaning is over.
 *
 * The first sync is between setting aside and handing back: probes that could look at
 * a freed variable have ended then.  It is also what lets probes pop from free without
 * fear that what they found on top comes back there meanwhile, and what lets them
 * make clean free by a plain exchange: no second clean chain can come in a section.
 *
 * The second sync is between handing back and the state: a probe that looked for a
 * variable before it was handed back has ended then, so that none takes the state from
 * a CLEAN, whose variables it has not seen, to EMPTY, where it would stay.
 *
 * The same cleaner is driven in two ways: by a timeout whose function waits, with
 * dtrace_sync(); and by a hard hrtimer, where nothing can wait, with an xsync_call()
 * for each sync.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/llist.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <xsync/compat/hrtimer.h>
#include <xsync/solaris.h>
#include "timeout_test.h"

#define SHELVES		8	/* places where probes find each other's variables */
#define VARIABLES	16	/* per CPU: few, so that each is soon used again */
#define TICK_NS		NSEC_PER_MSEC
#define CLEANINGS	100

/* The state; the number of the cleaning is above these bits. */
#define STATE_CLEAN	0UL
#define STATE_EMPTY	1UL
#define STATE_ONE	2UL

struct dynvar {
	struct llist_node node;
	unsigned long uses;	/* how often it was handed out */
};

/* What probes interrupt each other in; each has random numbers of its own. */
enum { IN_TASK, IN_TIMER, IN_NMI, IN_ALL };

struct dynvar_cpu {
	struct llist_node *free;
	struct llist_head dirty;
	struct llist_node *rinsing;	/* the cleaner's */
	struct llist_node *clean;
	struct rnd_state rnd[IN_ALL];
	struct hrtimer timer;
	struct task_struct *task;
	unsigned long ticks;
	struct dynvar variables[VARIABLES];
};

struct dynvars {
	struct dynvar_cpu __percpu *cpus;
	struct dynvar *shelves[SHELVES];
	unsigned long published;	/* cleanings whose clean chains can be seen */
	unsigned long state;
	atomic_t made, freed, none;
	atomic_t under_our_eyes;	/* handed out while a probe looked at it */
	atomic_t two_chains;		/* clean came again in a section */
	atomic_t not_seen;		/* CLEAN seen, but not what it stands for */
	atomic_t failed;		/* calls that gave an error */
	bool stop;

	bool again;			/* the cleaner goes on */
	unsigned int cleanings;
	struct hrtimer timer;
	struct xsync_head head;
	bool under_way;			/* a cleaning, or a timeout for one */
};

struct xsync_domain dtrace_xsync_domain;

static struct dynvars vars;

static void pass_time(unsigned int n)
{
	while (n--)
		cpu_relax();
}

static struct llist_node *pop_free(struct dynvar_cpu *c)
{
	struct llist_node *first = READ_ONCE(c->free);

	/* Other contexts of this CPU pop as well, but nobody pushes. */
	while (first && !try_cmpxchg(&c->free, &first, READ_ONCE(first->next)))
		;
	return first;
}

static struct llist_node *take_clean(struct dynvar_cpu *c)
{
	struct llist_node *chain = xchg(&c->clean, NULL);

	if (chain && cmpxchg(&c->free, NULL, chain->next))
		atomic_inc(&vars.two_chains);
	return chain;
}

/* Nothing on this CPU.  What this probe has seen of it is that of cleaning @seen. */
static void note_empty(unsigned long seen)
{
	unsigned long state = READ_ONCE(vars.state);

	atomic_inc(&vars.none);
	if (state & STATE_EMPTY)
		return;
	if ((long)(state / STATE_ONE - seen) > 0)
		atomic_inc(&vars.not_seen);
	else
		cmpxchg(&vars.state, state, state | STATE_EMPTY);
}

/* A probe makes a variable and puts it where others find it. */
static void make_variable(struct dynvar_cpu *c, struct dynvar **shelf)
{
	unsigned long seen = smp_load_acquire(&vars.published);	/* from hand_back() */
	struct llist_node *node = pop_free(c) ?: take_clean(c);
	struct dynvar *v;

	if (!node) {
		/* Time for a cleaning to be over that should have waited. */
		pass_time(4000);
		note_empty(seen);
		return;
	}
	v = llist_entry(node, struct dynvar, node);
	WRITE_ONCE(v->uses, v->uses + 1);
	atomic_inc(&vars.made);
	if (cmpxchg(shelf, NULL, v))
		llist_add(&v->node, &c->dirty);
}

static void free_variable(struct dynvar_cpu *c, struct dynvar **shelf)
{
	struct dynvar *v = xchg(shelf, NULL);

	if (!v)
		return;
	llist_add(&v->node, &c->dirty);
	atomic_inc(&vars.freed);
}

static void look_at_variable(struct dynvar **shelf, u32 r)
{
	struct dynvar *v = READ_ONCE(*shelf);
	unsigned long uses;

	if (!v)
		return;
	uses = READ_ONCE(v->uses);
	pass_time(r & 0x3ff);
	if (READ_ONCE(v->uses) != uses)
		atomic_inc(&vars.under_our_eyes);
}

/* What a probe does in probe context: interrupts are off in it, as on Solaris. */
static void probe(unsigned int in)
{
	dtrace_icookie_t cookie = dtrace_interrupt_disable();
	struct dynvar_cpu *c = this_cpu_ptr(vars.cpus);
	u32 r = prandom_u32_state(&c->rnd[in]);
	struct dynvar **shelf = &vars.shelves[r >> 24 & (SHELVES - 1)];

	switch (r >> 30) {
	case 0:
		make_variable(c, shelf);
		break;
	case 1:
		free_variable(c, shelf);
		break;
	default:
		look_at_variable(shelf, r);
		break;
	}
	dtrace_interrupt_enable(cookie);
}

static void probe_in_nmi(void *unused)
{
	probe(IN_NMI);
}

static enum hrtimer_restart probe_in_timer(struct hrtimer *timer)
{
	struct dynvar_cpu *c = container_of(timer, struct dynvar_cpu, timer);

	probe(IN_TIMER);
	if (c->ticks++ % 4 == 0)
		xut_nmi_self(probe_in_nmi, NULL);
	if (READ_ONCE(vars.stop))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(TICK_NS));
	return HRTIMER_RESTART;
}

static int probe_thread(void *arg)
{
	struct dynvar_cpu *c = arg;

	hrtimer_start(&c->timer, ns_to_ktime(TICK_NS), HRTIMER_MODE_REL_PINNED_HARD);
	while (!kthread_should_stop()) {
		probe(IN_TASK);
		cond_resched();
	}
	hrtimer_cancel(&c->timer);
	return 0;
}

/* The three steps of the cleaner, between which there is a sync. */

static bool set_aside(void)
{
	bool work = false;
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct dynvar_cpu *c = per_cpu_ptr(vars.cpus, cpu);

		/* Before the clean ones have been fetched they could not be handed back. */
		if (READ_ONCE(c->clean))
			continue;
		c->rinsing = llist_del_all(&c->dirty);
		work |= !!c->rinsing;
	}
	return work;
}

static void hand_back(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct dynvar_cpu *c = per_cpu_ptr(vars.cpus, cpu);

		if (!c->rinsing)
			continue;
		smp_store_release(&c->clean, c->rinsing);	/* the nodes, to take_clean() */
		c->rinsing = NULL;
	}
	smp_store_release(&vars.published, vars.published + 1);	/* to make_variable() */
}

static void declare_clean(void)
{
	xchg(&vars.state, vars.published * STATE_ONE | STATE_CLEAN);
	WRITE_ONCE(vars.cleanings, vars.cleanings + 1);
}

/* Driven by a timeout. */

static void clean_by_timeout(void *unused)
{
	if (set_aside()) {
		if (dtrace_sync())
			atomic_inc(&vars.failed);
		hand_back();
		if (dtrace_sync())
			atomic_inc(&vars.failed);
		declare_clean();
	}
	if (!READ_ONCE(vars.again) || !xtimeout(clean_by_timeout, NULL, 1))
		smp_store_release(&vars.under_way, false);	/* to timeouts_end() */
}

static void timeouts_begin(void)
{
	vars.under_way = xtimeout(clean_by_timeout, NULL, 1);
}

static void timeouts_end(struct xut *t)
{
	XUT_WAIT(t, !smp_load_acquire(&vars.under_way)); /* from clean_by_timeout() */
}

/* Driven by a hard timer interrupt. */

static void second_sync_is_over(struct xsync_head *head)
{
	declare_clean();
	smp_store_release(&vars.under_way, false);	/* to clean_in_timer() */
}

static void first_sync_is_over(struct xsync_head *head)
{
	hand_back();
	if (xsync_call(&dtrace_xsync_domain, head, second_sync_is_over))
		atomic_inc(&vars.failed);
}

static enum hrtimer_restart clean_in_timer(struct hrtimer *timer)
{
	/* From second_sync_is_over(). */
	if (!smp_load_acquire(&vars.under_way) && set_aside()) {
		vars.under_way = true;
		if (xsync_call(&dtrace_xsync_domain, &vars.head, first_sync_is_over))
			atomic_inc(&vars.failed);
	}
	if (!READ_ONCE(vars.again))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(TICK_NS));
	return HRTIMER_RESTART;
}

static void timer_begins(void)
{
	hrtimer_setup(&vars.timer, clean_in_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&vars.timer, ns_to_ktime(TICK_NS), HRTIMER_MODE_REL_HARD);
}

static void timer_ends(struct xut *t)
{
	hrtimer_cancel(&vars.timer);
	XUT_WAIT(t, !smp_load_acquire(&vars.under_way)); /* from second_sync_is_over() */
}

static void fill_cpu(struct dynvar_cpu *c)
{
	unsigned int i;

	init_llist_head(&c->dirty);
	for (i = 0; i < VARIABLES; i++) {
		c->variables[i].node.next = c->free;
		c->free = &c->variables[i].node;
	}
	for (i = 0; i < IN_ALL; i++)
		prandom_seed_state(&c->rnd[i], get_random_u64());
	hrtimer_setup(&c->timer, probe_in_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_PINNED_HARD);
}

static void probes_begin(struct xut *t)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct dynvar_cpu *c = per_cpu_ptr(vars.cpus, cpu);
		struct task_struct *task;

		fill_cpu(c);
		task = kthread_create(probe_thread, c, "xut_probe/%u", cpu);
		if (!XUT_EXPECT(t, !IS_ERR(task)))
			return;
		c->task = task;
		get_task_struct(task);
		kthread_bind(task, cpu);
		wake_up_process(task);
	}
}

static void probes_end(void)
{
	unsigned int cpu;

	WRITE_ONCE(vars.stop, true);
	for_each_possible_cpu(cpu) {
		struct dynvar_cpu *c = per_cpu_ptr(vars.cpus, cpu);

		if (!c->task)
			continue;
		kthread_stop(c->task);
		put_task_struct(c->task);
	}
}

static void clean_variables(struct xut *t, void (*begin)(void), void (*end)(struct xut *t))
{
	unsigned int round;

	probes_begin(t);
	xut_step(t, "cleaning");
	vars.again = true;
	begin();
	for (round = 1; round <= 1 + xut_soak; round++)
		if (!XUT_WAIT(t, READ_ONCE(vars.cleanings) >= CLEANINGS * round))
			break;
	WRITE_ONCE(vars.again, false);
	xut_step(t, "end of the cleaner");
	end(t);
	probes_end();
	xut_info(t, "%u cleanings, %d variables made, %d freed, %d times there was none",
		 vars.cleanings, atomic_read(&vars.made), atomic_read(&vars.freed),
		 atomic_read(&vars.none));
	XUT_EXPECT_EQ(t, atomic_read(&vars.under_our_eyes), 0);
	XUT_EXPECT_EQ(t, atomic_read(&vars.two_chains), 0);
	XUT_EXPECT_EQ(t, atomic_read(&vars.not_seen), 0);
	XUT_EXPECT_EQ(t, atomic_read(&vars.failed), 0);
	XUT_EXPECT(t, atomic_read(&vars.none));
}

static void dynvar_case(struct xut *t, void (*begin)(void), void (*end)(struct xut *t))
{
	memset(&vars, 0, sizeof(vars));
	vars.cpus = alloc_percpu(struct dynvar_cpu);
	if (!XUT_EXPECT(t, vars.cpus))
		return;
	if (XUT_EXPECT_EQ(t, xsync_domain_init(&dtrace_xsync_domain, "dynvar", t->with), 0)) {
		clean_variables(t, begin, end);
		XUT_EXPECT_EQ(t, xsync_domain_destroy(&dtrace_xsync_domain), 0);
	}
	free_percpu(vars.cpus);
}

static void cleaned_by_timeout_and_sync(struct xut *t)
{
	dynvar_case(t, timeouts_begin, timeouts_end);
}

static void cleaned_by_hard_timer_and_calls(struct xut *t)
{
	dynvar_case(t, timer_begins, timer_ends);
}

static const struct xut_case dynvar_cases[] = {
	XUT_CASE(cleaned_by_timeout_and_sync),
	XUT_CASE(cleaned_by_hard_timer_and_calls),
	{}
};

XUT_SHARED_SUITE(dynvar, dynvar_cases);
XUT_SUITE_WITH(dynvar_ipi, dynvar_cases, XSYNC_IPI);
