// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Counters of functions, one set for each CPU
 *
 * A probe is hit on several CPUs at once, so each CPU counts for itself in an
 * array of its own: no lock, no atomic operation, no cache line that moves
 * between CPUs. The hit callback runs with preemption off and is not called
 * from interrupts, so nothing else writes to this CPU's array meanwhile.
 *
 * Readers add the arrays up while they change. A u64 is read and written in one
 * piece on the 64-bit machines that this runs on; READ_ONCE() and WRITE_ONCE()
 * keep the compiler from splitting it. The numbers of one function are read one
 * after the other and may be of slightly different moments.
 *
 * The arrays are too large for the per-CPU allocator, whose areas are for small
 * things: they come from kvcalloc(), charged to the memory cgroup of whoever
 * traces.
 */
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "pidtrace_counters.h"

/*
 * The sizes are up to the caller: one that asks for too much gets an error, and
 * neither the out-of-memory killer nor a warning on the console.
 */
#define GFP_COUNTERS (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

struct counters_cpu {
	struct pidtrace_count	*count;		/* [nr_functions] */
	u64			*bucket;	/* [nr_functions * PIDTRACE_BUCKETS], or NULL */
};

struct counters {
	bool			histogram;
	struct counters_cpu	cpu[];		/* [nr_cpu_ids] */
};

static bool alloc_cpu(struct counters_cpu *c, u32 nr_functions, bool histogram)
{
	c->count = kvcalloc(nr_functions, sizeof(*c->count), GFP_COUNTERS);
	if (!c->count)
		return false;
	if (!histogram)
		return true;
	c->bucket = kvcalloc(nr_functions, PIDTRACE_BUCKETS * sizeof(*c->bucket),
			     GFP_COUNTERS);
	return c->bucket;
}

struct counters *counters_alloc(u32 nr_functions, bool histogram)
{
	struct counters *c;
	unsigned int cpu;

	c = kzalloc(struct_size(c, cpu, nr_cpu_ids), GFP_KERNEL_ACCOUNT);
	if (!c)
		return NULL;
	c->histogram = histogram;
	for_each_possible_cpu(cpu) {
		if (!alloc_cpu(&c->cpu[cpu], nr_functions, histogram)) {
			counters_free(c);
			return NULL;
		}
	}
	return c;
}

void counters_free(struct counters *c)
{
	unsigned int cpu;

	if (!c)
		return;
	for_each_possible_cpu(cpu) {
		kvfree(c->cpu[cpu].count);
		kvfree(c->cpu[cpu].bucket);
	}
	kfree(c);
}

bool counters_have_buckets(const struct counters *c)
{
	return c->histogram;
}

static void add(u64 *counter, u64 n)
{
	WRITE_ONCE(*counter, *counter + n);
}

void counters_call(struct counters *c, u32 function)
{
	add(&c->cpu[smp_processor_id()].count[function].calls, 1);
}

void counters_return(struct counters *c, u32 function)
{
	add(&c->cpu[smp_processor_id()].count[function].returns, 1);
}

void counters_time(struct counters *c, u32 function, u64 ns)
{
	struct counters_cpu *own = &c->cpu[smp_processor_id()];
	struct pidtrace_count *count = &own->count[function];

	add(&count->timed, 1);
	add(&count->total_ns, ns);
	if (ns > count->max_ns)
		WRITE_ONCE(count->max_ns, ns);
	if (own->bucket)
		add(&own->bucket[(size_t)function * PIDTRACE_BUCKETS + (ns ? ilog2(ns) : 0)], 1);
}

void counters_sum(const struct counters *c, u32 function, struct pidtrace_count *sum,
		  u64 *buckets)
{
	unsigned int cpu, b;

	memset(sum, 0, sizeof(*sum));
	if (buckets)
		memset(buckets, 0, PIDTRACE_BUCKETS * sizeof(*buckets));
	for_each_possible_cpu(cpu) {
		const struct counters_cpu *own = &c->cpu[cpu];
		const struct pidtrace_count *count = &own->count[function];
		const u64 *bucket = own->bucket + (size_t)function * PIDTRACE_BUCKETS;

		sum->calls += READ_ONCE(count->calls);
		sum->returns += READ_ONCE(count->returns);
		sum->timed += READ_ONCE(count->timed);
		sum->total_ns += READ_ONCE(count->total_ns);
		sum->max_ns = max_t(u64, sum->max_ns, READ_ONCE(count->max_ns));
		for (b = 0; buckets && b < PIDTRACE_BUCKETS; b++)
			buckets[b] += READ_ONCE(bucket[b]);
	}
}
