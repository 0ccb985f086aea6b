// SPDX-License-Identifier: GPL-2.0-only
/* What can be seen of xsync: reports of stalls, tracepoints. */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include "xsync_test.h"

#ifdef CONFIG_TRACEPOINTS
/*
 * A tracer on xsync's own tracepoints, which uses xsync in each of them: it is not
 * called for what it does there, or this would never end.
 */

struct own_probes {
	struct xsync_domain d;
	struct xsync_handoff h;
	struct xcall *x;
	atomic_t hits, handed, called;
	const char *stalls_of;		/* a domain, or "xcall" */
	atomic_t stalls;
	unsigned int stalled_cpu;
	unsigned int registered, errors;
	int change;			/* 1: register, -1: unregister */
};

static struct own_probes *own;

static void note_handed(struct xsync_handoff *h)
{
	atomic_inc(&own->handed);
}

static void note_called(void *unused)
{
	atomic_inc(&own->called);
}

static void use_xsync(void)
{
	unsigned long cookie = xsync_enter(&own->d);

	atomic_inc(&own->hits);
	xsync_exit(&own->d, cookie);
	xsync_start(&own->d);
	xsync_handoff(&own->h);
	xcall_post(own->x, cpu_online_mask);
}

/* One per prototype in xsync/trace.h. */
static void probe_round(void *data, const char *name, unsigned long seq)
{
	use_xsync();
}

static void probe_stall(void *data, const char *name, unsigned int cpu, u64 ns)
{
	if (own->stalls_of && !strcmp(name, own->stalls_of)) {
		own->stalled_cpu = cpu;
		atomic_inc(&own->stalls);
	}
	use_xsync();
}

static void probe_callback(void *data, const char *name, const void *func)
{
	use_xsync();
}

static void probe_post(void *data, xcall_func_t func, unsigned int mode,
		       const struct cpumask *mask)
{
	use_xsync();
}

static void probe_function(void *data, xcall_func_t func, unsigned int mode)
{
	use_xsync();
}

static const struct {
	const char *name;
	void *probe;
} own_tracepoints[] = {
	{ "xsync_round_open", probe_round },
	{ "xsync_round_end", probe_round },
	{ "xsync_stall", probe_stall },
	{ "xsync_callback", probe_callback },
	{ "xcall_post", probe_post },
	{ "xcall_begin", probe_function },
	{ "xcall_end", probe_function },
};

static void change_probe(struct tracepoint *tp)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(own_tracepoints); i++) {
		if (strcmp(tp->name, own_tracepoints[i].name))
			continue;
		if (own->change > 0)
			err = tracepoint_probe_register(tp, own_tracepoints[i].probe, NULL);
		else
			err = tracepoint_probe_unregister(tp, own_tracepoints[i].probe, NULL);
		own->errors += !!err;
		own->registered += own->change;
	}
}

/* A module's tracepoints are found as those who come later are told of them. */
static int each_module(struct notifier_block *nb, unsigned long event, void *data)
{
	struct tp_module *m = data;
	unsigned int i;

	if (event != MODULE_STATE_COMING || strncmp(m->mod->name, "xsync", 5))
		return NOTIFY_OK;
	for (i = 0; i < m->mod->num_tracepoints; i++)
		change_probe(tracepoint_ptr_deref(&m->mod->tracepoints_ptrs[i]));
	return NOTIFY_OK;
}

static struct notifier_block modules_nb = { .notifier_call = each_module };

static void change_probes(struct xut *t, int change)
{
	own->change = change;
	if (XUT_EXPECT_EQ(t, register_tracepoint_module_notifier(&modules_nb), 0))
		unregister_tracepoint_module_notifier(&modules_nb);
	tracepoint_synchronize_unregister();
}

static void callback_of_own(struct xsync_head *head)
{
}

static void trigger_tracepoints(struct xut *t)
{
	struct xsync_head head = {};
	struct reader r;
	unsigned int cpu;

	if (!spare_cpus(t, &cpu, 1))
		return;
	XUT_EXPECT_EQ(t, xcall_run(cpu_online_mask, note_called, NULL), 0);
	XUT_EXPECT_EQ(t, xsync_call(&own->d, &head, callback_of_own), 0);
	XUT_EXPECT_EQ(t, xsync_barrier(&own->d), 0);
	if (reader_enter(t, &r, &own->d, cpu)) {
		unsigned long ticket = xsync_start(&own->d);

		reader_leave(&r);
		XUT_EXPECT_EQ(t, xsync_wait(&own->d, ticket), 0);
	}
}

static bool own_begin(struct xut *t)
{
	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!XUT_EXPECT(t, own))
		return false;
	xsync_handoff_init(&own->h, note_handed);
	own->x = xcall_alloc(note_called, NULL, XCALL_IPI, GFP_KERNEL);
	if (XUT_EXPECT(t, own->x) && domain_begin(t, &own->d)) {
		change_probes(t, 1);
		XUT_EXPECT_EQ(t, own->registered, ARRAY_SIZE(own_tracepoints));
		return true;
	}
	xcall_free(own->x);
	kfree(own);
	return false;
}

static void own_end(struct xut *t)
{
	change_probes(t, -1);
	XUT_EXPECT_EQ(t, own->registered, 0);
	XUT_EXPECT_EQ(t, own->errors, 0);
	XUT_EXPECT_EQ(t, xcall_wait(own->x), 0);
	xsync_handoff_sync(&own->h);
	domain_end(t, &own->d);
	xcall_free(own->x);
}

static void own_tracepoints_do_not_recurse(struct xut *t)
{
	if (!own_begin(t))
		return;
	trigger_tracepoints(t);
	own_end(t);
	if (!t->skipped) {
		XUT_EXPECT(t, atomic_read(&own->hits) > 0);
		XUT_EXPECT(t, atomic_read(&own->handed) > 0);
		XUT_EXPECT(t, atomic_read(&own->called) > num_online_cpus());
	}
	kfree(own);
}

#define STALL_MS	"/sys/module/xsync/parameters/stall_ms"

static void look_for_stalls_of(const char *name)
{
	own->stalls_of = name;
	own->stalled_cpu = nr_cpu_ids;
	atomic_set(&own->stalls, 0);
}

/* Each of the waits is longer than stall_ms by far: one report each. */
static void held_call_is_reported(struct xut *t, unsigned int cpu, unsigned int mode)
{
	struct hold h = {};
	struct xcall *x = xcall_alloc(hold_here, &h, mode, GFP_KERNEL);
	int i;

	if (!XUT_EXPECT(t, x))
		return;
	look_for_stalls_of("xcall");
	XUT_EXPECT_EQ(t, xcall_post(x, cpumask_of(cpu)), 0);
	XUT_WAIT(t, smp_load_acquire(&h.begun));	/* pairs with hold_here() */
	for (i = 1; i <= 2; i++) {
		XUT_EXPECT_EQ(t, xcall_wait_timeout(x, 50 * NSEC_PER_MSEC), -ETIMEDOUT);
		XUT_EXPECT_EQ(t, atomic_read(&own->stalls), i);
		XUT_EXPECT_EQ(t, own->stalled_cpu, cpu);
	}
	WRITE_ONCE(h.release, 1);
	/* A last report of this one is right, where it takes long. */
	XUT_EXPECT_EQ(t, xcall_wait(x), 0);
	xcall_free(x);
}

static void held_calls_are_reported(struct xut *t)
{
	unsigned int cpu;

	if (!spare_cpus(t, &cpu, 1))
		return;
	xut_step(t, "by IPI");
	held_call_is_reported(t, cpu, XCALL_IPI);
	xut_step(t, "by thread");
	held_call_is_reported(t, cpu, XCALL_THREAD);
}

/* With few milliseconds as the time after which a stall is reported. */
static void with_short_stalls(struct xut *t, void (*run)(struct xut *t))
{
	char was[XUT_PARAM];

	if (!xut_set_param(t, STALL_MS, "2", was))
		return;
	if (own_begin(t)) {
		run(t);
		own_end(t);
		kfree(own);
	}
	xut_reset_param(t, STALL_MS, was);
}

static void stalled_call_is_reported(struct xut *t)
{
	with_short_stalls(t, held_calls_are_reported);
}

/* One round, one report, however long it takes. */
static void expect_one_stall(struct xut *t, struct xsync_domain *d, unsigned long ticket,
			     unsigned int cpu)
{
	int i;

	XUT_WAIT(t, atomic_read(&own->stalls));
	for (i = 0; i < 3; i++)
		XUT_EXPECT_EQ(t, xsync_wait_timeout(d, ticket, 10 * NSEC_PER_MSEC),
			      -ETIMEDOUT);
	XUT_EXPECT_EQ(t, atomic_read(&own->stalls), 1);
	XUT_EXPECT_EQ(t, own->stalled_cpu, cpu);
}

/* By a reader that stays past the stall time. */
static void reader_is_reported(struct xut *t)
{
	unsigned long ticket;
	struct xsync_domain d;
	unsigned int cpu;
	struct reader r;

	if (!spare_cpus(t, &cpu, 1) ||
	    !XUT_EXPECT_EQ(t, xsync_domain_init(&d, "xut_stalled", XSYNC_FENCED), 0))
		return;
	look_for_stalls_of("xut_stalled");
	if (reader_enter(t, &r, &d, cpu)) {
		ticket = xsync_start(&d);
		expect_one_stall(t, &d, ticket, cpu);
		reader_leave(&r);
		XUT_EXPECT_EQ(t, xsync_wait(&d, ticket), 0);
	}
	domain_end(t, &d);
}

/* By a CPU that does not take the round's interrupt. */
static void deaf_cpu_is_reported(struct xut *t)
{
	unsigned long ticket;
	struct xsync_domain d;
	unsigned int cpu;
	struct deaf deaf;

	if (!spare_cpus(t, &cpu, 1) ||
	    !XUT_EXPECT_EQ(t, xsync_domain_init(&d, "xut_stalled", XSYNC_IPI), 0))
		return;
	look_for_stalls_of("xut_stalled");
	if (deaf_begin(t, &deaf, cpu)) {
		ticket = xsync_start(&d);
		expect_one_stall(t, &d, ticket, cpu);
		deaf_end(&deaf);
		XUT_EXPECT_EQ(t, xsync_wait(&d, ticket), 0);
	} else {
		deaf_end(&deaf);
	}
	domain_end(t, &d);
}

static void reader_past_the_stall_time_is_reported(struct xut *t)
{
	with_short_stalls(t, reader_is_reported);
}

static void stalled_interrupt_is_reported(struct xut *t)
{
	with_short_stalls(t, deaf_cpu_is_reported);
}
#else
static void own_tracepoints_do_not_recurse(struct xut *t)
{
	xut_skip(t, "this kernel has no tracepoints");
}

static void stalled_call_is_reported(struct xut *t)
{
	xut_skip(t, "this kernel has no tracepoints");
}

static void reader_past_the_stall_time_is_reported(struct xut *t)
{
	xut_skip(t, "this kernel has no tracepoints");
}

static void stalled_interrupt_is_reported(struct xut *t)
{
	xut_skip(t, "this kernel has no tracepoints");
}
#endif

static const struct xut_case seen_cases[] = {
	XUT_CASE(stalled_call_is_reported),
	XUT_CASE(reader_past_the_stall_time_is_reported),
	XUT_CASE(stalled_interrupt_is_reported),
	XUT_CASE(own_tracepoints_do_not_recurse),
	{}
};

XUT_SHARED_SUITE(seen, seen_cases);
