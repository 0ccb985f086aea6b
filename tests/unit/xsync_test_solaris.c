// SPDX-License-Identifier: GPL-2.0-only
/* The names of xsync/solaris.h, used as a port would. */
#include <linux/cpumask.h>
#include <xsync/solaris.h>
#include "xsync_test.h"

struct xsync_domain dtrace_xsync_domain;

static atomic_t ran;
static unsigned long ran_on[BITS_TO_LONGS(NR_CPUS)];
static atomic_long_t sum;

static bool solaris_begin(struct xut *t)
{
	atomic_set(&ran, 0);
	atomic_long_set(&sum, 0);
	memset(ran_on, 0, sizeof(ran_on));
	return domain_begin(t, &dtrace_xsync_domain);
}

static void sync_waits_for_probe_context(struct xut *t)
{
	dtrace_icookie_t cookie;
	unsigned long ticket;
	unsigned int cpu;
	struct reader r;
	bool off;
	int err;

	if (!spare_cpus(t, &cpu, 1) || !solaris_begin(t))
		return;
	cookie = dtrace_interrupt_disable();
	off = irqs_disabled();
	ticket = xsync_start(&dtrace_xsync_domain);
	off = off && !xsync_poll(&dtrace_xsync_domain, ticket);
	err = dtrace_sync();
	dtrace_interrupt_enable(cookie);
	XUT_EXPECT(t, off);
	XUT_EXPECT(t, !irqs_disabled());
	XUT_EXPECT_EQ(t, err, -EDEADLK);

	XUT_EXPECT_EQ(t, dtrace_sync(), 0);
	XUT_EXPECT(t, xsync_poll(&dtrace_xsync_domain, ticket));
	if (reader_enter(t, &r, &dtrace_xsync_domain, cpu)) {
		XUT_EXPECT(t, !xsync_poll(&dtrace_xsync_domain,
					  xsync_start(&dtrace_xsync_domain)));
		reader_leave(&r);
	}
	domain_end(t, &dtrace_xsync_domain);
}

static void count_here(void *arg)
{
	if (arg == &ran && irqs_disabled())
		atomic_inc(&ran);
	set_bit(raw_smp_processor_id(), ran_on);
}

static void xcall_runs_on_one_or_all(struct xut *t)
{
	unsigned int cpu;

	if (!solaris_begin(t))
		return;
	for_each_online_cpu(cpu) {
		memset(ran_on, 0, sizeof(ran_on));
		XUT_EXPECT_EQ(t, dtrace_xcall(cpu, count_here, &ran), 0);
		XUT_EXPECT(t, cpumask_equal(to_cpumask(ran_on), cpumask_of(cpu)));
	}
	atomic_set(&ran, 0);
	XUT_EXPECT_EQ(t, dtrace_xcall(DTRACE_CPUALL, count_here, &ran), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), num_online_cpus());
	XUT_EXPECT(t, cpumask_equal(to_cpumask(ran_on), cpu_online_mask));

	XUT_EXPECT_EQ(t, dtrace_xcall(nr_cpu_ids, count_here, &ran), -EINVAL);
	XUT_EXPECT_EQ(t, dtrace_xcall(-2, count_here, &ran), -EINVAL);
	domain_end(t, &dtrace_xsync_domain);
}

static int add_up(xc_arg_t a, xc_arg_t b, xc_arg_t c)
{
	atomic_long_add(a + 10 * b + 100 * c, &sum);
	return 1;
}

static void xc_call_passes_arguments(struct xut *t)
{
	unsigned long set[BITS_TO_LONGS(NR_CPUS)] = {};
	int err;

	if (!solaris_begin(t))
		return;
	cpumask_copy(to_cpumask(set), cpu_online_mask);
	XUT_EXPECT_EQ(t, xc_call(1, 2, 3, set, add_up), 0);
	XUT_EXPECT_EQ(t, atomic_long_read(&sum), 321 * num_online_cpus());
	XUT_EXPECT_EQ(t, xc_sync(3, 2, 1, set, add_up), 0);
	XUT_EXPECT_EQ(t, atomic_long_read(&sum), 444 * num_online_cpus());

	local_irq_disable();
	err = xc_call(1, 2, 3, set, add_up);
	local_irq_enable();
	XUT_EXPECT_EQ(t, err, -EWOULDBLOCK);
	XUT_EXPECT_EQ(t, atomic_long_read(&sum), 444 * num_online_cpus());
	domain_end(t, &dtrace_xsync_domain);
}

static const struct xut_case solaris_cases[] = {
	XUT_CASE(sync_waits_for_probe_context),
	XUT_CASE(xcall_runs_on_one_or_all),
	XUT_CASE(xc_call_passes_arguments),
	{}
};

XUT_SHARED_SUITE(solaris, solaris_cases);
