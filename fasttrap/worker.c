// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one thread that registers, unregisters and frees.
 *
 * A task that is killed while it is inside uprobe_unregister() leaves the
 * breakpoints in the target: taking mmap_lock and allocating a page both give
 * up when a fatal signal is pending, and unregistration cannot report that. So
 * no task that anybody may kill ever calls uprobes. A kernel thread of ours
 * does, and since there is exactly one, it is also the only writer of every
 * structure of this layer but two: the list of sessions gets new ones from
 * their creators, and flags are set by whoever sees an event.
 *
 *   xfasttrap_enable() ---+                    +-> register, read back
 *   xfasttrap_disable() --+-> queue -> worker -+-> unregister, read back
 *   close, exec, exit ----+                    +-> grace periods, free
 *   timer (retries) ------+
 *
 * Locking: ft_lock keeps readers (debugfs, xfasttrap_session_stat()) out while
 * the worker changes lists. It is never held across a call of uprobes, a grace
 * period or a consumer's callback, and no handler wants it.
 */
#include <linux/err.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include "worker.h"

struct xsync_domain ft_domain;
/* The lists of sessions, providers and probes, for readers; see above. */
DEFINE_MUTEX(ft_lock);
struct ft_pass ft_pass;
static struct xtaskq *ft_worker;

bool ft_in_worker(void)
{
	return xtaskq_member(ft_worker, current);
}

/* In task context; @ent is idle. */
void ft_worker_run(struct xtaskq_ent *ent, xtaskq_func_t func, void *arg)
{
	WARN_ON_ONCE(!xtaskq_dispatch_ent(ft_worker, func, arg, 0, ent));
}

/* In any context; @ent is idle. */
void ft_worker_run_any(struct xtaskq_ent *ent, xtaskq_func_t func)
{
	WARN_ON_ONCE(!xtaskq_dispatch_any(ft_worker, ent, func, NULL));
}

/* Wait until the worker has nothing left to do. */
void ft_worker_flush(void)
{
	WARN_ON_ONCE(xtaskq_wait(ft_worker));
}

/* Say what the worker is at, and since when: it may get stuck in uprobes. */
void ft_pass_begin(const char *what, struct pid *pid)
{
	mutex_lock(&ft_lock);
	ft_pass.what = what;
	ft_pass.pid = pid_nr(pid);
	ft_pass.since = ktime_get_ns();
	mutex_unlock(&ft_lock);
}

void ft_pass_end(void)
{
	mutex_lock(&ft_lock);
	ft_pass.what = NULL;
	mutex_unlock(&ft_lock);
}

int __init ft_worker_init(void)
{
	int err;

	err = xsync_domain_init(&ft_domain, "fasttrap", XSYNC_FENCED);
	if (err)
		return err;
	ft_worker = xtaskq_create("xfasttrap", 1, XTASKQ_PRI_NORMAL, 0, 0,
				  XTASKQ_DEDICATED);
	if (IS_ERR(ft_worker)) {
		WARN_ON_ONCE(xsync_domain_destroy(&ft_domain));
		return PTR_ERR(ft_worker);
	}
	return 0;
}

/* Nothing is queued and nothing queues any more. */
void ft_worker_exit(void)
{
	WARN_ON_ONCE(xtaskq_destroy(ft_worker));
	WARN_ON_ONCE(xsync_domain_destroy(&ft_domain));
}
