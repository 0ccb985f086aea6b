// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hit: from uprobes to the consumers' callbacks.
 *
 * All consumers of an (inode, offset) are called for every process that has a
 * breakpoint there, whatever their filters said, and a fork copies breakpoints.
 * So the first thing is to compare the mm. UPROBE_HANDLER_REMOVE is returned
 * exactly when it differs: if every other consumer agrees, and since 6.12 if
 * their filters confirm it under the lock, uprobes takes this breakpoint out of
 * current's mm, and of no other. That is how a forked child gets rid of the
 * copies, one hit each. A process that is somebody's target gets a 0 from that
 * one's consumer and keeps it.
 *
 * The same file may be mapped twice in one process; the breakpoint at the other
 * address is not ours to report, hence the comparison of the pc.
 *
 * Ordering: a probe is filled in before list_add_rcu() publishes it, and freed
 * only after it was unlinked and a grace period of ft_domain has passed. The
 * state and the session's end are plain flags: a hit that begins before they
 * are set may still be delivered, and the grace period waits for it.
 */
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/uprobes.h>
#include <asm/ptrace.h>
#include "session.h"
#include "tracepoint.h"
#include "worker.h"

static void ft_deliver(struct ft_probe *probe, struct pt_regs *regs)
{
	struct xfasttrap_session *session = probe->session;
	const struct xfasttrap_hit hit = {
		.regs	= regs,
		.addr	= probe->tp->pc,
		.cookie	= probe->cookie,
		.id	= probe->id,
		.kind	= probe->kind,
	};

	if (READ_ONCE(probe->state) != FT_ENABLED || ft_session_ended(session))
		return;
	atomic64_inc(&probe->hits);
	session->ops->hit(&hit, session->arg);
}

static int ft_hit(struct xsync_uprobe *uprobe, struct pt_regs *regs)
{
	struct ft_tracepoint *tp = container_of(uprobe, struct ft_tracepoint, uprobe);
	struct ft_probe *probe;
	unsigned long cookie;

	if (current->mm != tp->mm)
		return UPROBE_HANDLER_REMOVE;
	if (instruction_pointer(regs) != tp->pc)
		return 0;

	cookie = xsync_enter(&ft_domain);
	list_for_each_entry_rcu(probe, &tp->probes, tp_node)
		ft_deliver(probe, regs);
	xsync_exit(&ft_domain, cookie);
	return 0;
}

/* Under mmap_lock and the consumer's semaphore, in whichever process. */
static bool ft_filter(struct xsync_uprobe *uprobe, struct mm_struct *mm)
{
	return container_of(uprobe, struct ft_tracepoint, uprobe)->mm == mm;
}

XSYNC_UPROBE_HANDLER(ft_handler, ft_hit)
XSYNC_UPROBE_FILTER(ft_consumer_filter, ft_filter)

const struct uprobe_consumer ft_consumer = {
	.handler = ft_handler,
	.filter = ft_consumer_filter,
};
