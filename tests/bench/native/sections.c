// SPDX-License-Identifier: GPL-2.0-only
/*
 * sections - read sections at native speed, in user space.
 *
 *	sections ROUNDS NUMBER
 *
 * User-mode Linux turns interrupts off around each per-CPU operation, by system
 * calls, and an emulator shows what it costs to emulate.  So here the public header
 * itself is compiled with shim.h; beside it SRCU as Debian's 6.12 has it (two calls,
 * a barrier in each) and its fast form of 7.3 (no barrier), written anew with the
 * same operations.  Prints the lines of row.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONFIG_X86	1
#include <xsync/xsync.h>

struct srcu_counts {
	unsigned long locks[2], unlocks[2];
};

struct srcu {
	unsigned int idx;
	struct srcu_counts *counts;
	unsigned long *fast;
};

__thread int bench_preempt_count = 1 << 30;
static __thread struct xsync_reader reader;
static __thread struct srcu_counts counts;
static __thread unsigned long fast[2];

static struct xsync_domain domain;
static struct srcu srcu;

static noinline void xsync(unsigned long n)
{
	while (n--) {
		unsigned long cookie = xsync_enter(&domain);

		barrier();
		xsync_exit(&domain, cookie);
	}
}

static void fenced(unsigned long n)
{
	reader.fence = 1;
	xsync(n);
}

static void ipi(unsigned long n)
{
	reader.fence = 0;
	xsync(n);
}

static noinline int srcu_lock(struct srcu *s)
{
	int idx = READ_ONCE(s->idx) & 1;

	this_cpu_inc(s->counts->locks[idx]);
	smp_mb();	/* B there */
	return idx;
}

static noinline void srcu_unlock(struct srcu *s, int idx)
{
	smp_mb();	/* C there */
	this_cpu_inc(s->counts->unlocks[idx]);
}

static noinline void srcu_normal(unsigned long n)
{
	while (n--) {
		int idx = srcu_lock(&srcu);

		barrier();
		srcu_unlock(&srcu, idx);
	}
}

static noinline void srcu_fast(unsigned long n)
{
	while (n--) {
		unsigned long *ctr = READ_ONCE(srcu.fast);

		this_cpu_inc(ctr[0]);
		barrier();
		barrier();
		this_cpu_inc(ctr[1]);
	}
}

#define KINDS	4

static const struct {
	const char *name;
	void (*run)(unsigned long n);
} variants[KINDS] = {
	{ "fenced", fenced },
	{ "ipi", ipi },
	{ "srcu", srcu_normal },
	{ "srcu_fast", srcu_fast },
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned long round, rounds, number;

	if (argc != 3)
		return 2;
	rounds = strtoul(argv[1], NULL, 10);
	number = strtoul(argv[2], NULL, 10);

	domain.readers = bench_percpu(&reader);
	srcu.counts = bench_percpu(&counts);
	srcu.fast = bench_percpu(fast);
	for (round = 0; round < rounds * KINDS; round++) {
		unsigned int kind = (round + round / KINDS) % KINDS;
		double began = now();

		variants[kind].run(number);
		printf("sample\tsections\t1\t1\t%s\t%lu\t%.4f\n", variants[kind].name,
		       round / KINDS, (now() - began) / number);
	}
	/* Every section has come to its end, or the instructions were not the same. */
	return (reader.word & XSYNC_NEST_MASK) || bench_preempt_count != 1 << 30;
}
