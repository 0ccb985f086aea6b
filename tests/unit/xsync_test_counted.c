// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counted requests: on each CPU of its mask a run happens exactly once, or the CPU
 * is told to be offline, and on no other CPU anything happens.  A function that runs
 * late is found by the next look at its counter.
 *
 * Each target keeps the last number that it has seen of each source CPU, context and
 * mode.  Numbers may be left out, since a CPU may be offline, but never come back.
 */
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "xsync_test_counted.h"

struct numbers {
	unsigned long last[NR_FROM][2];
};

static DEFINE_PER_CPU(struct numbers, given);	/* by this CPU as a source */
static struct numbers *seen;			/* [target][source] */
static atomic_t wrong_counts, wrong_places, wrong_order;

static void count_place(struct counted *c, unsigned int cpu)
{
	unsigned long *last;

	if (c->from == FROM_RUN)
		return;
	last = &seen[cpu * nr_cpu_ids + c->source].last[c->from][c->mode];
	if ((long)(c->number - *last) <= 0)
		atomic_inc(&wrong_order);
	*last = c->number;
}

/* Some take their time, so that others come meanwhile. */
static void count_linger(const struct counted *c)
{
	unsigned int n = 500;

	if (c->number % 8 != 1)
		return;
	if (c->mode == XCALL_THREAD && c->number % 16 == 1)
		usleep_range(20, 100);
	else
		while (n--)
			cpu_relax();
}

static void count_here(void *arg)
{
	struct counted *c = arg;
	unsigned int cpu = raw_smp_processor_id();

	if (!cpumask_test_cpu(cpu, &c->mask))
		atomic_inc(&wrong_places);
	count_place(c, cpu);
	count_linger(c);
	atomic_inc(&c->ran[cpu]);
}

bool counted_begin(struct xut *t)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&given, cpu), 0, sizeof(given));
	atomic_set(&wrong_counts, 0);
	atomic_set(&wrong_places, 0);
	atomic_set(&wrong_order, 0);
	seen = kvcalloc((size_t)nr_cpu_ids * nr_cpu_ids, sizeof(*seen), GFP_KERNEL);
	return XUT_EXPECT(t, seen);
}

/* After all requests were freed. */
void counted_end(struct xut *t)
{
	XUT_EXPECT_EQ(t, atomic_read(&wrong_counts), 0);
	XUT_EXPECT_EQ(t, atomic_read(&wrong_places), 0);
	XUT_EXPECT_EQ(t, atomic_read(&wrong_order), 0);
	kvfree(seen);
	seen = NULL;
}

struct counted *counted_alloc(unsigned int mode)
{
	struct counted *c = kvzalloc(struct_size(c, ran, nr_cpu_ids), GFP_KERNEL);

	if (!c)
		return NULL;
	c->mode = mode;
	cpumask_copy(&c->mask, cpu_possible_mask);
	prandom_seed_state(&c->rnd, get_random_u64());
	c->x = xcall_alloc(count_here, c, mode, GFP_KERNEL);
	if (c->x)
		return c;
	kvfree(c);
	return NULL;
}

/* Waits for its run; whoever posts it must have been stopped. */
void counted_free(struct counted *c)
{
	unsigned int cpu;

	if (!c)
		return;
	if (!xcall_wait(c->x))
		counted_check(c);
	for_each_possible_cpu(cpu)
		if (atomic_read(&c->ran[cpu]))
			atomic_inc(&wrong_counts);
	xcall_free(c->x);
	kvfree(c);
}

/**
 * counted_post - post an idle request to its mask
 * @c: the request
 * @from: the caller's context
 *
 * Context: Any.
 * Return: as xcall_post().
 */
int counted_post(struct counted *c, enum counted_from from)
{
	int err;

	preempt_disable();
	c->from = from;
	c->source = raw_smp_processor_id();
	c->number = this_cpu_inc_return(given.last[from][c->mode]);
	err = xcall_post(c->x, &c->mask);
	preempt_enable();
	return err;
}

/**
 * counted_check - after a run, look at the counters and begin anew
 * @c: the request, idle; nothing is done if it was not posted since
 *
 * Context: Any.
 */
void counted_check(struct counted *c)
{
	unsigned int cpu;

	if (!c->number)
		return;
	for_each_possible_cpu(cpu) {
		bool ran = cpumask_test_cpu(cpu, xcall_ran(c->x));
		bool offline = cpumask_test_cpu(cpu, xcall_offline(c->x));

		if (ran + offline != cpumask_test_cpu(cpu, &c->mask) ||
		    atomic_xchg(&c->ran[cpu], 0) != ran)
			atomic_inc(&wrong_counts);
	}
	c->number = 0;
}

/**
 * counted_run - the same in one call, for which xcall_run() has its own request
 * @c: the request, idle, not to be used in another way
 *
 * Context: Task context, sleeps.
 */
void counted_run(struct counted *c)
{
	bool missing = false;
	unsigned int cpu;
	int err;

	c->from = FROM_RUN;
	err = xcall_run(&c->mask, count_here, c);
	for_each_possible_cpu(cpu) {
		int ran = atomic_xchg(&c->ran[cpu], 0);

		if (ran > cpumask_test_cpu(cpu, &c->mask))
			atomic_inc(&wrong_counts);
		missing |= !ran && cpumask_test_cpu(cpu, &c->mask);
	}
	if (err != (missing ? -ENXIO : 0))
		atomic_inc(&wrong_counts);
}

/**
 * counted_pick_mask - take other CPUs, at random
 * @c: the request, idle
 *
 * Context: Any.
 */
void counted_pick_mask(struct counted *c)
{
	u32 r = prandom_u32_state(&c->rnd);
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		__cpumask_clear_cpu(cpu, &c->mask);
		if (r & BIT(cpu % 32))
			__cpumask_set_cpu(cpu, &c->mask);
	}
}
