// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes out what ended, and tries again what could not be taken out.
 *
 *   session end, exec, exit:    flag ---+
 *                                       +--> kick --> worker: one pass
 *   callout, 10 ms .. 1 s later: -------+                |
 *        ^                                               |
 *        +------------- something is blocked ------------+
 *
 * A pass goes through all sessions: probes of ended sessions and of images that
 * are gone are unregistered, then one wait for uprobes and one grace period
 * serve all of them, then memory is freed and sessions without anything are
 * released. What is blocked (a target whose mmap_lock is held by somebody, an
 * exited process whose memory is still in use) keeps its reason, age and number
 * of retries, which debugfs shows, and the callout kicks again, later each time.
 *
 * A kick is legal in any context: it goes through the task queue's hand-off. One
 * entry serves all kicks; the bit says that a pass which has not begun will see
 * whatever flag was set before.
 *
 *   flag                             D: clear the bit, full barrier
 *   E: test_and_set_bit: ordered     look at the flags
 */
#include <linux/bitops.h>
#include <linux/module.h>
#include <linux/time64.h>
#include <timeout/timeout.h>
#include "provider.h"
#include "reaper.h"
#include "session.h"
#include "tracepoint.h"
#include "watch.h"
#include "worker.h"

#define FT_RETRY_MIN	(10 * NSEC_PER_MSEC)
#define FT_RETRY_MAX	(1000 * NSEC_PER_MSEC)

static unsigned long ft_kicked;
static struct xtaskq_ent ft_reap_ent;
static struct xcallout ft_retry;
static u64 ft_retry_delay = FT_RETRY_MIN;

/* Returns true if it is blocked, and by then has a reason for debugfs. */
static bool ft_reap_provider(struct ft_provider *p, bool ended,
			     struct ft_watch *w, struct ft_garbage *g)
{
	bool blocked = false;

	if (ended)
		ft_provider_doom_all(p, FT_DISABLING);
	else
		blocked = ft_provider_check_end(p);
	blocked |= !!ft_provider_sweep(p, w, g);
	if (!blocked && p->blocked)
		ft_provider_blocked(p, NULL);
	return blocked;
}

static bool ft_reap_session(struct xfasttrap_session *s, struct ft_garbage *g)
{
	bool ended = ft_session_ended(s), blocked = false;
	struct ft_watch w = {};
	struct ft_provider *p;

	list_for_each_entry(p, &s->providers, session_node)
		blocked |= ft_reap_provider(p, ended, &w, g);
	return blocked;
}

/* After the grace period: nobody looks at the providers' probes any more. */
static void ft_reap_empty(struct xfasttrap_session *s)
{
	bool ended = ft_session_ended(s);
	struct ft_provider *p, *next;

	list_for_each_entry_safe(p, next, &s->providers, session_node) {
		if (!p->nr && (ended || p->retired))
			ft_provider_free(p);
	}
	ft_session_check_release(s);
}

static void ft_reap(void *unused)
{
	struct xfasttrap_session *s, *next;
	struct ft_garbage garbage;
	bool blocked = false;

	ft_garbage_init(&garbage);
	clear_bit(0, &ft_kicked);
	smp_mb__after_atomic();		/* D: pairs with E */

	ft_pass_begin("reap", NULL);
	for (s = ft_session_next(NULL); s; s = ft_session_next(s))
		blocked |= ft_reap_session(s, &garbage);
	ft_garbage_collect(&garbage);
	for (s = ft_session_next(NULL); s; s = next) {
		next = ft_session_next(s);
		ft_reap_empty(s);
	}
	ft_pass_end();

	if (!blocked) {
		ft_retry_delay = FT_RETRY_MIN;
		return;
	}
	xcallout_arm_ns(&ft_retry, ft_retry_delay);
	ft_retry_delay = min_t(u64, 2 * ft_retry_delay, FT_RETRY_MAX);
}

void ft_reaper_kick(void)
{
	if (!test_and_set_bit(0, &ft_kicked))	/* E: pairs with D */
		ft_worker_run_any(&ft_reap_ent, ft_reap);
}

static void ft_retry_due(void *unused)
{
	ft_reaper_kick();
}

void __init ft_reaper_init(void)
{
	xtaskq_init_ent(&ft_reap_ent);
	xcallout_init(&ft_retry, THIS_MODULE, ft_retry_due, NULL);
}

/*
 * There are no sessions, so no pass finds anything blocked any more: flush the
 * pass that may be under way, the callout it may have armed, and what that
 * queued.
 */
void ft_reaper_exit(void)
{
	ft_worker_flush();
	xcallout_stop_sync(&ft_retry);
	ft_worker_flush();
}
