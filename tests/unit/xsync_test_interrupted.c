// SPDX-License-Identifier: GPL-2.0-only
/*
 * An NMI between any two instructions of every function, which uses the same
 * domains, requests, hand-offs and callbacks as what it interrupted.  A case is of
 * both flavours: to place the probes takes most of its time.
 *
 * A kprobe on each instruction sends an NMI to its own CPU and waits for it.  Two
 * instructions that the kernel patches itself have none between them.
 */
#include <linux/cpumask.h>
#include <linux/string.h>
#include "xsync_test_spots.h"
#include "xsync_test_usage.h"

#define ROOM		6000		/* places in one case */
#define NMIS		8		/* at each place of most cases */
#define TIMES		5		/* that each CPU uses everything, in all ways */
#define MOST		16		/* functions in one case */

static struct usage usages[2];	/* by flavour */
static atomic_t nmis, lost;

static void use_in_nmi(void *arg)
{
	use_anywhere(&usages[atomic_inc_return(&nmis) % ARRAY_SIZE(usages)]);
}

static void send_nmi(void *unused)
{
	if (xut_nmi_self(use_in_nmi, NULL))
		atomic_inc(&lost);
}

static bool nmis_can_be_sent(struct xut *t)
{
	int err;

	atomic_set(&nmis, 0);
	atomic_set(&lost, 0);
	err = xut_nmi_self(use_in_nmi, NULL);
	if (err == -EOPNOTSUPP)
		xut_skip(t, "no NMI can be sent on this machine");
	else
		XUT_EXPECT_EQ(t, err, 0);
	return !err;
}

/* Every function that others can call: NMIs must have fallen into each. */
static const char * const public[] = {
	"__xsync_domain_init", "xsync_domain_destroy", "xsync_start", "xsync_poll",
	"xsync_wait", "xsync_wait_killable", "xsync_wait_timeout", "xsync_synchronize",
	"xsync_call", "xsync_barrier", "xsync_handoff", "xsync_handoff_sync",
	"__xcall_alloc", "xcall_free", "xcall_notify", "xcall_post", "xcall_done",
	"xcall_ran", "xcall_offline", "xcall_cancel", "xcall_wait", "xcall_wait_killable",
	"xcall_wait_timeout", "xcall_run", "xcall_run_killable", "xcall_run_timeout",
};

static bool is_public(const char *function)
{
	return match_string(public, ARRAY_SIZE(public), function) >= 0;
}

static void expect_nmis(struct xut *t, const struct spots *s)
{
	unsigned int places = spots_hit(s, 0, s->nr);

	xut_info(t, "%u places in %u functions, %u of them come to; %d NMIs; not in this build: %u functions",
		 s->nr, s->functions, places, atomic_read(&nmis), s->missing);
	XUT_EXPECT_EQ(t, atomic_read(&lost), 0);
	XUT_EXPECT(t, atomic_read(&nmis) > places);
}

static void expect_nmis_in(struct xut *t, const struct spots *s, const char *function,
			   unsigned int from, unsigned int to)
{
	if (is_public(function) && !XUT_EXPECT(t, spots_hit(s, from, to)))
		xut_info(t, "no NMI in %s", function);
}

/*
 * The first is what the case is about: it has to be run through.  The others are
 * behind it, or beside it.
 */
static void interrupt(struct xut *t, int limit, const char *const *functions,
		      unsigned int n)
{
	struct spots s = { .hit = send_nmi, .limit = limit * (1 + xut_soak) };
	unsigned int i, from[MOST + 1];

	if (!XUT_EXPECT(t, n <= MOST) || !spots_begin(t, &s, ROOM))
		return;
	xut_step(t, "probes come");
	for (i = 0; i < n; i++) {
		from[i] = s.nr;
		spots_add(&s, functions[i], true);
	}
	from[n] = s.nr;
	xut_step(t, "running");
	use_on_all_cpus(t, usages, ARRAY_SIZE(usages), TIMES * (1 + xut_soak));
	expect_nmis(t, &s);
	for (i = 0; i < n; i++)
		expect_nmis_in(t, &s, functions[i], from[i], from[i + 1]);
	XUT_EXPECT(t, spots_hit(&s, from[0], from[1]) > (from[1] - from[0]) / 3);
	spots_end(t, &s);
}

static void interrupt_all(struct xut *t, int limit, const char *const *functions,
			  unsigned int n)
{
	unsigned int things = USERS * TIMES * (1 + xut_soak);

	if (!usage_begin(t, &usages[XSYNC_FENCED], XSYNC_FENCED, things))
		return;
	if (usage_begin(t, &usages[XSYNC_IPI], XSYNC_IPI, things)) {
		if (nmis_can_be_sent(t))
			interrupt(t, limit, functions, n);
		usage_end(t, &usages[XSYNC_IPI]);
	}
	usage_end(t, &usages[XSYNC_FENCED]);
}

#define INTERRUPTED(name, limit, ...)					\
static void name(struct xut *t)						\
{									\
	static const char * const functions[] = { __VA_ARGS__ };	\
									\
	interrupt_all(t, limit, functions, ARRAY_SIZE(functions));	\
}

INTERRUPTED(nmi_in_start, NMIS, "xsync_start", "xsync_ticket", "xsync_advance", "xsync_help", "xsync_try_advance",
	    "xsync_drive_rounds", "xsync_scan", "xsync_rescan", "xsync_word");
INTERRUPTED(nmi_in_poll, NMIS, "xsync_poll", "xsync_poll_again", "xsync_arm_poller", "xsync_answer");
INTERRUPTED(nmi_in_wait, NMIS, "xsync_wait_killable", "xsync_wait", "xsync_wait_timeout",
	    "xsync_wait_in", "xsync_may_wait", "xsync_inside", "xsync_may_sleep",
	    "xsync_await", "xsync_spin", "xsync_drive_now", "xsync_waitlist_sleep", "xsync_waitlist_wake",
	    "xsync_waitlist_wake_locked");
INTERRUPTED(nmi_in_synchronize, NMIS, "xsync_synchronize", "xsync_barrier", "xsync_barrier_reached");
INTERRUPTED(nmi_in_call, NMIS, "xsync_call", "xsync_callbacks_move", "xsync_callbacks_take",
	    "xsync_callbacks_run");
INTERRUPTED(nmi_in_domain, NMIS, "__xsync_domain_init", "xsync_domain_destroy", "xsync_state_alloc",
	    "xsync_domain_busy", "xsync_round_setup", "xsync_round_teardown", "xsync_state_free");
INTERRUPTED(nmi_in_handoff, NMIS, "xsync_handoff", "xsync_outbox_work", "xsync_outbox_pass",
	    "xsync_kicked", "xsync_drive", "xsync_handoff_sync", "xsync_outbox_wait_pass",
	    "xsync_outbox_pass_here", "xsync_relax");
INTERRUPTED(nmi_in_post, NMIS, "xcall_post", "xcall_begin", "xcall_done", "xcall_send", "xcall_deliver",
	    "xcall_add", "xcall_kick", "xcall_kicked", "xcall_thread", "xcall_run_inbox",
	    "xcall_run_node", "xcall_node_passed", "xcall_put");
INTERRUPTED(nmi_in_run, NMIS, "xcall_run", "xcall_run_in", "xcall_run_killable", "xcall_run_timeout",
	    "xcall_take_spare", "xcall_send_now", "xcall_kicked_here", "xcall_give_spare");
INTERRUPTED(nmi_in_xcall_wait, NMIS, "xcall_wait", "xcall_wait_in", "xcall_wait_killable",
	    "xcall_wait_timeout", "xcall_may_wait", "xcall_in_function", "xcall_await",
	    "xcall_spin", "xcall_sleep");
INTERRUPTED(nmi_in_cancel, NMIS, "xcall_cancel", "xcall_await_running", "__xcall_alloc", "xcall_notify",
	    "xcall_ran", "xcall_offline", "xcall_free");

/*
 * Sections that nest and follow each other, while things are replaced on all CPUs:
 * whoever replaces one has to wait for the section, wherever an NMI fell into it.
 */
INTERRUPTED(nmi_in_section, 60, "use_section");

static const struct xut_case interrupted_cases[] = {
	XUT_CASE(nmi_in_section),
	XUT_CASE(nmi_in_start),
	XUT_CASE(nmi_in_poll),
	XUT_CASE(nmi_in_wait),
	XUT_CASE(nmi_in_synchronize),
	XUT_CASE(nmi_in_call),
	XUT_CASE(nmi_in_domain),
	XUT_CASE(nmi_in_handoff),
	XUT_CASE(nmi_in_post),
	XUT_CASE(nmi_in_run),
	XUT_CASE(nmi_in_xcall_wait),
	XUT_CASE(nmi_in_cancel),
	{}
};

XUT_SHARED_SUITE(interrupted, interrupted_cases);
