// SPDX-License-Identifier: GPL-2.0-only
/*
 * starts - grace periods asked for in every context while a reader is inside.
 *
 *	starts how=FLAVOUR calls=N
 *
 * N tickets in all, in turn from task, softirq, hard interrupt, timer interrupt, with
 * interrupts off and in NMI where one can be sent; the reader, on another CPU, leaves
 * after the last.  How many rounds that took is in xsync/domains.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include "../unit/context.h"
#include "bench.h"

/* As many in a row, so that irq_work that waits for the tick is not all there is. */
#define AT_ONCE	10

struct one_reader {
	struct xsync_domain *domain;
	struct completion inside;
	int leave;
	unsigned long ticket;	/* the last one given */
};

static int stay_inside(void *arg)
{
	struct one_reader *r = arg;
	unsigned long cookie = xsync_enter(r->domain);

	complete(&r->inside);
	while (!READ_ONCE(r->leave))
		cpu_relax();
	xsync_exit(r->domain, cookie);
	bench_until_stopped();
	return 0;
}

static void start_some(void *arg)
{
	struct one_reader *r = arg;
	unsigned int n;

	for (n = 0; n < AT_ONCE; n++)
		r->ticket = xsync_start(r->domain);
}

static int start_everywhere(struct one_reader *r, unsigned int calls)
{
	unsigned int done = 0, contexts = 0, n;
	int err;

	for (n = 0; done < calls; n++) {
		err = xut_run_in(n % XUT_NR_CONTEXTS, start_some, r);
		if (err == -EOPNOTSUPP)
			continue;
		if (err)
			return err;
		done += AT_ONCE;
		contexts |= BIT(n % XUT_NR_CONTEXTS);
	}
	bench_say("count tickets %u\n", done);
	bench_say("count contexts %u\n", hweight32(contexts));
	return 0;
}

static int starts_run(const struct bench_args *args)
{
	struct one_reader r = { .domain = bench_domain(args->how) };
	struct task_struct *reader;
	unsigned int cpu;
	int err;

	if (!r.domain)
		return -EINVAL;
	cpu = cpumask_next(cpumask_first(cpu_online_mask), cpu_online_mask);
	if (cpu >= nr_cpu_ids)
		return -ENXIO;

	init_completion(&r.inside);
	reader = kthread_create_on_cpu(stay_inside, &r, cpu, "bench-reader/%u");
	if (IS_ERR(reader))
		return PTR_ERR(reader);
	wake_up_process(reader);
	wait_for_completion(&r.inside);
	err = start_everywhere(&r, args->calls);
	WRITE_ONCE(r.leave, 1);
	if (!err)
		err = xsync_wait(r.domain, r.ticket);
	kthread_stop(reader);
	return err;
}

const struct bench_work bench_starts = { "starts", starts_run };
