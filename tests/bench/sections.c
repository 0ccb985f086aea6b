// SPDX-License-Identifier: GPL-2.0-only
/*
 * sections - what a read section costs that does nothing.
 *
 *	sections how=FLAVOUR|srcu|srcu_fast calls=N
 *
 * One sample: N sections in a tight loop, the time of all of them.  A section is so
 * short that only many of them can be timed; the loop itself is in the figure, the
 * same for all.
 */
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/srcu.h>
#include <linux/string.h>
#include "bench.h"

DEFINE_STATIC_SRCU(bench_srcu);

static noinline void sections_of(struct xsync_domain *d, unsigned int n)
{
	while (n--) {
		unsigned long cookie = xsync_enter(d);

		barrier();
		xsync_exit(d, cookie);
	}
}

static void sections_fenced(unsigned int n)
{
	sections_of(&bench_fenced, n);
}

static void sections_ipi(unsigned int n)
{
	sections_of(&bench_ipi, n);
}

static noinline void sections_srcu(unsigned int n)
{
	while (n--) {
		int idx = srcu_read_lock(&bench_srcu);

		barrier();
		srcu_read_unlock(&bench_srcu, idx);
	}
}

/* Since 6.15; since 6.19 the structure has to be of that kind. */
#ifdef DEFINE_STATIC_SRCU_FAST
DEFINE_STATIC_SRCU_FAST(bench_srcu_fast);

static noinline void sections_srcu_fast(unsigned int n)
{
	while (n--) {
		struct srcu_ctr __percpu *ctr = srcu_read_lock_fast(&bench_srcu_fast);

		barrier();
		srcu_read_unlock_fast(&bench_srcu_fast, ctr);
	}
}
#else
#define sections_srcu_fast NULL
#endif

static const struct {
	const char *how;
	void (*run)(unsigned int n);
} sections[] = {
	{ "fenced", sections_fenced },
	{ "ipi", sections_ipi },
	{ "srcu", sections_srcu },
	{ "srcu_fast", sections_srcu_fast },
};

static int sections_run(const struct bench_args *args)
{
	unsigned int i;
	u64 began;

	for (i = 0; i < ARRAY_SIZE(sections); i++)
		if (!strcmp(sections[i].how, args->how))
			break;
	if (i == ARRAY_SIZE(sections))
		return -EINVAL;
	if (!sections[i].run)
		return -EOPNOTSUPP;

	began = ktime_get_ns();
	sections[i].run(args->calls);
	bench_say("sample %llu\n", ktime_get_ns() - began);
	return 0;
}

const struct bench_work bench_sections = { "sections", sections_run };
