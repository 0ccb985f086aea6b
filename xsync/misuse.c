// SPDX-License-Identifier: GPL-2.0-only
/*
 * misuse - report the first wait that could not be legal.
 *
 * A wait in a read section, in a callback or in atomic context is refused with
 * an error instead of hanging.  The caller may be anywhere, in an NMI too, so
 * the message is not printed there: the first refused call is noted down, and a
 * hand-off prints it.  Later ones are only counted.
 *
 * It is a message, not a WARN(): the machine goes on in a defined state, the
 * caller is told, and the backtrace of a hand-off would show nothing.
 */
#define pr_fmt(fmt) "xsync: " fmt

#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "internal.h"

static void xsync_misuse_print(struct xsync_handoff *h)
{
	struct xsync_misuse *m = container_of(h, struct xsync_misuse, report);

	pr_warn("%s: %s[%d] asked to wait %s, at %pS: refused with %d\n",
		m->owner, m->comm, m->pid, m->where, (void *)m->ip, m->err);
}

void xsync_misuse_init(struct xsync_misuse *m, const char *owner)
{
	m->owner = owner;
	xsync_handoff_init(&m->report, xsync_misuse_print);
}

/**
 * xsync_misuse_report - note a refused wait
 * @m: of the domain, or of all cross-calls
 * @where: the reason, as the end of "asked to wait"
 * @err: what the caller gets
 * @ip: the caller
 *
 * Context: Any.
 */
void xsync_misuse_report(struct xsync_misuse *m, const char *where, int err,
			 unsigned long ip)
{
	WRITE_ONCE(m->count, READ_ONCE(m->count) + 1);
	if (test_and_set_bit(0, &m->claimed))
		return;

	m->where = where;
	m->err = err;
	m->ip = ip;
	m->pid = current->pid;
	memcpy(m->comm, current->comm, sizeof(m->comm));
	m->comm[sizeof(m->comm) - 1] = '\0';
	xsync_handoff(&m->report);
}
