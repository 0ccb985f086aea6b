// SPDX-License-Identifier: GPL-2.0-only
/*
 * A section that begins while a ticket is given: it is waited for, or it sees what
 * was stored before.  Nothing but the barriers in xsync_enter() and in the round
 * sees to that.
 *
 *	reader				updater
 *
 *	stores that miss the cache
 *	count (waits behind them)	thing = new
 *	r = thing			ticket, reads the count
 *
 * The stores before it keep the reader's count in its store buffer for long, while
 * its load of the thing need not wait: without the barrier the updater often finds
 * nobody inside although the reader got the old thing.  The updater waits each time
 * for as long as makes old and new about equally frequent: there the two meet.
 * lockdep in xsync_enter() has barriers of its own, so a kernel with lockdep would
 * not show that.
 *
 * The same for a section that is nested: in one that was interrupted behind its count
 * and before its barrier, which is made by counting by hand.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include "xsync_test.h"

/* With lockdep, see above, only to see that it runs; UML's rounds take long. */
#define ROUNDS		(IS_ENABLED(CONFIG_DEBUG_LOCK_ALLOC) ? 300 : 20000)
#define LINES		(SZ_32M / 64)	/* more than the caches hold */
#define MISSES		24
#define PATIENCE	200		/* polls inside a section */

struct order {
	struct xsync_domain d;
	bool nested;
	struct task_struct *task;
	u8 (*lines)[64];
	unsigned int turn;		/* case -> reader: round i may begin */
	unsigned int thing;
	unsigned int given;		/* case -> reader: ticket is that of round i */
	unsigned long ticket;
	unsigned int left;		/* reader -> case: through with round i */
	bool was_old;			/* in that round */
	unsigned int delay;		/* the case's */
	unsigned long old, wrong;
};

static void pass_time(unsigned int n)
{
	while (n--)
		barrier();
}

static void look_once(struct order *o, unsigned int i)
{
	unsigned int thing, miss, n = PATIENCE;
	u32 r = get_random_u32();
	unsigned long cookie;
	bool early = false;

	while (READ_ONCE(o->turn) != i)
		cpu_relax();
	for (miss = 0; miss < MISSES; miss++) {
		r = r * 1664525 + 1013904223;
		WRITE_ONCE(o->lines[(u64)r * LINES >> 32][0], i);
	}
	preempt_disable();
	if (o->nested)
		this_cpu_inc(o->d.readers->word);
	cookie = xsync_enter(&o->d);
	thing = READ_ONCE(o->thing);
	while (n-- && !early)
		early = smp_load_acquire(&o->given) == i &&	/* from the case */
			xsync_poll(&o->d, o->ticket);
	xsync_exit(&o->d, cookie);
	if (o->nested)
		this_cpu_add(o->d.readers->word, XSYNC_GEN_STEP - 1);
	preempt_enable();

	o->was_old = thing != i;
	o->old += o->was_old;
	o->wrong += o->was_old && early;
	smp_store_release(&o->left, i);		/* to the case */
}

static int order_reader(void *arg)
{
	struct order *o = arg;
	unsigned int i;

	for (i = 1; i <= ROUNDS; i++) {
		look_once(o, i);
		if (i % 128 == 0)
			cond_resched();
	}
	thread_idle();
	return 0;
}

static bool replace_once(struct order *o, unsigned int i)
{
	u32 jitter = get_random_u32() & 63;

	WRITE_ONCE(o->turn, i);
	pass_time(o->delay + jitter);
	WRITE_ONCE(o->thing, i);
	o->ticket = xsync_start(&o->d);
	smp_store_release(&o->given, i);	/* to look_once() */
	while (smp_load_acquire(&o->left) != i)	/* from look_once() */
		cpu_relax();
	if (!o->was_old)
		o->delay += 16;
	else if (o->delay >= 16)
		o->delay -= 16;
	return xsync_wait(&o->d, o->ticket) == 0;
}

static void section_and_ticket(struct xut *t, bool nested)
{
	static struct order o;
	unsigned int cpu, i;

	memset(&o, 0, sizeof(o));
	o.nested = nested;
	if (!spare_cpus(t, &cpu, 1))
		return;
	o.lines = kvzalloc(sizeof(*o.lines) * LINES, GFP_KERNEL);
	if (!XUT_EXPECT(t, o.lines) || !domain_begin(t, &o.d))
		goto free;
	o.task = thread_on(t, cpu, order_reader, &o);
	if (o.task) {
		for (i = 1; i <= ROUNDS; i++) {
			if (!XUT_EXPECT(t, replace_once(&o, i)))
				break;
			cond_resched();
		}
		kthread_stop(o.task);
		put_task_struct(o.task);
	}
	xut_info(t, "%lu of %u sections got the old thing, %lu of them were not waited for",
		 o.old, ROUNDS, o.wrong);
	XUT_EXPECT_EQ(t, o.wrong, 0);
	domain_end(t, &o.d);
free:
	kvfree(o.lines);
}

static void section_and_ticket_see_each_other(struct xut *t)
{
	section_and_ticket(t, false);
}

static void nested_section_and_ticket_see_each_other(struct xut *t)
{
	section_and_ticket(t, true);
}

static const struct xut_case ordering_cases[] = {
	XUT_CASE(section_and_ticket_see_each_other),
	XUT_CASE(nested_section_and_ticket_see_each_other),
	{}
};

XUT_SHARED_SUITE(ordering, ordering_cases);
XUT_SUITE_WITH(ordering_ipi, ordering_cases, XSYNC_IPI);
