// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load and unload of xsync_fasttrap.
 *
 * Order of quiescing. Consumers use our symbols, so they are unloaded, and have
 * drained their sessions, before our exit function runs. It then takes away, one
 * after the other, everything that could still lead into our code:
 *
 *   1. debugfs: nobody reads;
 *   2. the kernel's exec and exit events: nobody flags and kicks any more;
 *   3. sessions: normally none, a consumer that did not drain is reported and
 *      its sessions are reaped here: no uprobe is registered any more and no
 *      handler runs;
 *   4. the retry callout, and what it may have queued;
 *   5. the worker's queue and the domain of the read sections, and the thread that
 *      tries locks for the worker.
 *
 * What remains are kfree_rcu()s, which need no code of ours.
 */
#include <linux/module.h>
#include "debugfs.h"
#include "events.h"
#include "reaper.h"
#include "session.h"
#include "tracepoint.h"
#include "watch.h"
#include "worker.h"

module_param_named(max_inode, ft_max_inode, uint, 0600);
MODULE_PARM_DESC(max_inode, "tracepoints in one file, in all processes together: each one makes every exec that maps the file slower (10000)");
module_param_named(max_session, ft_max_session, uint, 0600);
MODULE_PARM_DESC(max_session, "probes of one session (250000)");
module_param_named(max_total, ft_max_total, uint, 0600);
MODULE_PARM_DESC(max_total, "probes of all sessions together (500000)");

static int __init ft_init(void)
{
	int err;

	err = ft_watch_init();
	if (err)
		return err;
	err = ft_worker_init();
	if (err)
		goto watch;
	ft_reaper_init();
	err = ft_events_init();
	if (err)
		goto reaper;
	ft_debugfs_init();
	return 0;
reaper:
	ft_reaper_exit();
	ft_worker_exit();
watch:
	ft_watch_exit();
	return err;
}

static void __exit ft_exit(void)
{
	ft_debugfs_exit();
	ft_events_exit();
	ft_sessions_end_all();
	ft_reaper_exit();
	ft_worker_exit();
	ft_watch_exit();
}

module_init(ft_init);
module_exit(ft_exit);
MODULE_DESCRIPTION("The life of pid-provider probes over uprobes");
MODULE_LICENSE("GPL");
