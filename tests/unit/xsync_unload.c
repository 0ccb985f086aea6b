// SPDX-License-Identifier: GPL-2.0-only
/*
 * xsync_unload.ko: a module that is unloaded in the middle of everything.
 *
 * On each CPU a timer interrupt, and an NMI in the middle of it, take tickets and
 * queue a callback of two domains, post in both modes, hand off and dispatch a task, as
 * long as the module is loaded.  Its exit stops them, does all that once more, and cleans up
 * as the headers say, in the order in which one thing leads to the next.  Cross-calls that
 * were cancelled are left behind.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <taskq/taskq.h>
#include <xsync/compat/hrtimer.h>
#include <xsync/xcall.h>
#include <xsync/xsync.h>
#include "context.h"

#define TICK_NS	(500 * NSEC_PER_USEC)

/* What was asked for, and what of it ran; both counted in any context. */
struct count {
	atomic_t asked, ran;
};

struct source {
	struct hrtimer timer;
	struct xcall *by_ipi, *by_thread, *cancelled;
	struct xsync_handoff h;
	struct xsync_head heads[2];
	struct xtaskq_ent ent;
};

static struct xsync_domain domains[2];	/* by flavour */
static DEFINE_PER_CPU(struct source, sources);
static struct count posted, handed, called, dispatched;
static struct xtaskq *tq;
static bool stopping, all_cancelled;

static void post_ran(void *unused)
{
	atomic_inc(&posted.ran);
}

/* Before it was cancelled; later the module may be gone. */
static void cancelled_ran(void *unused)
{
	WARN_ON(READ_ONCE(all_cancelled));
}

static void handoff_ran(struct xsync_handoff *h)
{
	atomic_inc(&handed.ran);
}

static void call_ran(struct xsync_head *head)
{
	atomic_inc(&called.ran);
}

static void task_ran(void *unused)
{
	atomic_inc(&dispatched.ran);
}

static void ask_post(struct xcall *x)
{
	if (!xcall_post(x, cpu_online_mask))
		atomic_add(num_online_cpus(), &posted.asked);
}

static void ask_domain(struct xsync_domain *d, struct xsync_head *head)
{
	unsigned long cookie = xsync_enter(d);

	xsync_start(d);
	xsync_exit(d, cookie);
	if (!xsync_call(d, head, call_ran))
		atomic_inc(&called.asked);
}

/* Any context, with preemption off. */
static void ask_all(void *unused)
{
	struct source *s = this_cpu_ptr(&sources);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(domains); i++)
		ask_domain(&domains[i], &s->heads[i]);
	ask_post(s->by_ipi);
	ask_post(s->by_thread);
	if (xsync_handoff(&s->h))
		atomic_inc(&handed.asked);
	if (xtaskq_dispatch_any(tq, &s->ent, task_ran, NULL))
		atomic_inc(&dispatched.asked);
}

static enum hrtimer_restart ask_in_timer(struct hrtimer *timer)
{
	ask_all(NULL);
	/* Where there are none, the interrupt is enough. */
	xut_nmi_self(ask_all, NULL);
	if (READ_ONCE(stopping))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(TICK_NS));
	return HRTIMER_RESTART;
}

static void source_start(void *unused)
{
	hrtimer_start(&this_cpu_ptr(&sources)->timer, ns_to_ktime(TICK_NS),
		      HRTIMER_MODE_REL_PINNED_HARD);
}

static int source_setup(struct source *s)
{
	hrtimer_setup(&s->timer, ask_in_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	xsync_handoff_init(&s->h, handoff_ran);
	s->by_ipi = xcall_alloc(post_ran, NULL, XCALL_IPI, GFP_KERNEL);
	s->by_thread = xcall_alloc(post_ran, NULL, XCALL_THREAD, GFP_KERNEL);
	s->cancelled = xcall_alloc(cancelled_ran, NULL, XCALL_THREAD, GFP_KERNEL);
	return s->by_ipi && s->by_thread && s->cancelled ? 0 : -ENOMEM;
}

static void sources_free(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct source *s = per_cpu_ptr(&sources, cpu);

		xcall_free(s->by_ipi);
		xcall_free(s->by_thread);
		xsync_handoff_sync(&s->h);
	}
}

static void post_and_cancel(void *unused)
{
	WARN_ON(xcall_post(this_cpu_ptr(&sources)->cancelled, cpu_online_mask));
}

static void cancelled_free(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		xcall_free(per_cpu_ptr(&sources, cpu)->cancelled);
}

/* They are in the threads' inboxes still when their function is gone. */
static void leave_cancelled(void)
{
	unsigned int cpu;

	on_each_cpu(post_and_cancel, NULL, 1);
	for_each_possible_cpu(cpu)
		WARN_ON(xcall_cancel(per_cpu_ptr(&sources, cpu)->cancelled));
	WRITE_ONCE(all_cancelled, true);
	cancelled_free();
}

static void domain_finish(struct xsync_domain *d)
{
	int err = xsync_barrier(d) ?: xsync_synchronize(d) ?: xsync_domain_destroy(d);

	WARN(err, "xsync_unload: the end of a domain: %d\n", err);
}

static int __init unload_init(void)
{
	unsigned int cpu;
	int err;

	tq = xtaskq_create("unload", 2, XTASKQ_PRI_NORMAL, 0, 0, 0);
	if (IS_ERR(tq))
		return PTR_ERR(tq);
	err = xsync_domain_init(&domains[XSYNC_FENCED], "unload", XSYNC_FENCED);
	if (err)
		goto out_tq;
	err = xsync_domain_init(&domains[XSYNC_IPI], "unload_ipi", XSYNC_IPI);
	if (err)
		goto out_fenced;
	for_each_possible_cpu(cpu) {
		err = source_setup(per_cpu_ptr(&sources, cpu));
		if (err)
			goto out_sources;
	}
	on_each_cpu(source_start, NULL, 1);
	return 0;

out_sources:
	sources_free();
	cancelled_free();
	domain_finish(&domains[XSYNC_IPI]);
out_fenced:
	domain_finish(&domains[XSYNC_FENCED]);
out_tq:
	xtaskq_destroy(tq);
	return err;
}

static void expect_all(const char *what, struct count *c)
{
	WARN(atomic_read(&c->asked) != atomic_read(&c->ran) || !atomic_read(&c->ran),
	     "xsync_unload: %s: %d asked for, %d ran\n", what,
	     atomic_read(&c->asked), atomic_read(&c->ran));
}

static void __exit unload_exit(void)
{
	unsigned int cpu;

	WRITE_ONCE(stopping, true);
	for_each_possible_cpu(cpu)
		hrtimer_cancel(&per_cpu_ptr(&sources, cpu)->timer);
	on_each_cpu(ask_all, NULL, 1);

	WARN_ON(xtaskq_destroy(tq));
	sources_free();
	domain_finish(&domains[XSYNC_FENCED]);
	domain_finish(&domains[XSYNC_IPI]);
	expect_all("tasks", &dispatched);
	expect_all("cross-calls", &posted);
	expect_all("hand-offs", &handed);
	expect_all("callbacks", &called);
	leave_cancelled();
}

module_init(unload_init);
module_exit(unload_exit);
MODULE_DESCRIPTION("Is unloaded while all that it asked xsync for is under way");
MODULE_LICENSE("GPL");
