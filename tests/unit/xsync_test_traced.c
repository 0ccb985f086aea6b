// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracing the tracer: probes on xsync's own functions, which use xsync.
 *
 * A kprobe's handler uses everything from inside the function that it is for, and
 * comes to the functions that are probed again; the kernel passes over those.  The
 * function tracer's callback is in a section each time any of them is entered.
 */
#include <linux/ftrace.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "xsync_test_spots.h"
#include "xsync_test_usage.h"

#define TIMES	20
#define HITS	200	/* at each function */

static struct usage usage;
static atomic_t hits;

/* Whatever can be called or runs behind it; what is not there under its name is left out. */
static const char * const functions[] = {
	"xsync_start", "xsync_ticket", "xsync_advance", "xsync_help", "xsync_try_advance", "xsync_drive_now",
	"xsync_drive_rounds", "xsync_scan", "xsync_rescan",
	"xsync_poll", "xsync_wait", "xsync_wait_killable", "xsync_wait_timeout",
	"xsync_synchronize", "xsync_may_wait", "xsync_inside", "xsync_may_sleep",
	"xsync_waitlist_sleep", "xsync_waitlist_wake", "xsync_waitlist_wake_locked",
	"xsync_call", "xsync_barrier", "xsync_callbacks_move", "xsync_callbacks_run",
	"xsync_handoff", "xsync_handoff_sync", "xsync_outbox_work", "xsync_outbox_pass",
	"xsync_kicked", "xsync_drive", "xsync_poll_again", "xsync_answer",
	"__xsync_domain_init", "xsync_domain_destroy",
	"xcall_post", "xcall_done", "xcall_send", "xcall_send_now", "xcall_deliver",
	"xcall_kick", "xcall_kicked", "xcall_kicked_here", "xcall_thread",
	"xcall_run_inbox", "xcall_run_node", "xcall_node_passed", "xcall_put",
	"xcall_wait", "xcall_wait_killable", "xcall_wait_timeout", "xcall_wait_in",
	"xcall_run", "xcall_run_killable", "xcall_run_timeout", "xcall_run_in",
	"__xcall_alloc", "xcall_notify", "xcall_cancel", "xcall_ran", "xcall_offline",
	"xcall_free", "xcall_may_wait", "xcall_in_function",
};

static void use_when_hit(void *arg)
{
	atomic_inc(&hits);
	use_anywhere(arg);
}

static void kprobes_on_xsync_use_xsync(struct xut *t)
{
	struct spots s = { .hit = use_when_hit, .arg = &usage };
	unsigned int times = TIMES * (1 + xut_soak);
	unsigned int i;

	s.limit = HITS * (1 + xut_soak);
	atomic_set(&hits, 0);
	if (!usage_begin(t, &usage, t->with, USERS * times))
		return;
	if (spots_begin(t, &s, ARRAY_SIZE(functions))) {
		for (i = 0; i < ARRAY_SIZE(functions); i++)
			spots_add(&s, functions[i], false);
		xut_step(t, "running");
		use_on_all_cpus(t, &usage, 1, times);
		xut_info(t, "%u functions, %u of them come to, %d times; not in this build: %u",
			 s.functions, spots_hit(&s, 0, s.nr), atomic_read(&hits), s.missing);
		XUT_EXPECT(t, s.functions >= ARRAY_SIZE(functions) / 2);
		XUT_EXPECT(t, spots_hit(&s, 0, s.nr) >= s.functions / 2);
		spots_end(t, &s);
	}
	usage_end(t, &usage);
}

static void section_when_entered(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	atomic_inc(&hits);
	use_section(&usage);
}

static int trace_begin(struct ftrace_ops *ops)
{
	static const char * const globs[] = { "xsync_*", "xcall_*" };
	char glob[16];
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < ARRAY_SIZE(globs); i++) {
		strscpy(glob, globs[i], sizeof(glob));
		err = ftrace_set_filter(ops, (unsigned char *)glob, strlen(glob), !i);
	}
	return err ?: register_ftrace_function(ops);
}

static void use_xsync_traced(struct xut *t, struct ftrace_ops *ops)
{
	unsigned int times = TIMES * (1 + xut_soak);

	atomic_set(&hits, 0);
	if (!usage_begin(t, &usage, t->with, USERS * times))
		return;
	if (XUT_EXPECT_EQ(t, trace_begin(ops), 0)) {
		xut_step(t, "running");
		use_on_all_cpus(t, &usage, 1, times);
		XUT_EXPECT_EQ(t, unregister_ftrace_function(ops), 0);
		xut_info(t, "functions were entered %d times", atomic_read(&hits));
		XUT_EXPECT(t, atomic_read(&hits) > times);
	}
	usage_end(t, &usage);
}

static void ftrace_on_xsync_uses_xsync(struct xut *t)
{
	struct ftrace_ops *ops;

	if (!IS_ENABLED(CONFIG_DYNAMIC_FTRACE)) {
		xut_skip(t, "this kernel has no function tracer");
		return;
	}
	/* Whoever has given a filter back cannot set another one. */
	ops = kzalloc(sizeof(*ops), GFP_KERNEL);
	if (!XUT_EXPECT(t, ops))
		return;
	ops->func = section_when_entered;
	use_xsync_traced(t, ops);
	ftrace_free_filter(ops);
	kfree(ops);
}

static const struct xut_case traced_cases[] = {
	XUT_CASE(kprobes_on_xsync_use_xsync),
	XUT_CASE(ftrace_on_xsync_uses_xsync),
	{}
};

XUT_SHARED_SUITE(traced, traced_cases);
XUT_SUITE_WITH(traced_ipi, traced_cases, XSYNC_IPI);
