/* SPDX-License-Identifier: GPL-2.0-only */
/* A cross-call request, and the inboxes through which it reaches its targets. */
#ifndef _XSYNC_INBOX_H
#define _XSYNC_INBOX_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include "internal.h"
#include "xcall.h"

struct xcall_node {
	struct llist_node node;
	struct xcall *call;
	int running;			/* its function may be; see D in inbox.c */
};

/*
 * struct xcall - a request
 *
 * Who may touch what: [own] the owner while the request is idle, [run] the run in
 * flight, [any] atomically from anywhere.
 */
struct xcall {
	xcall_func_t func;		/* [own] */
	void *arg;			/* [own] */
	unsigned int flags;		/* set once */
	bool cancelled;			/* [any] what has not begun does not begin */
	unsigned long busy;		/* [any] 1: in flight */
	atomic_t left;			/* [run] nodes not passed, and the sender */
	refcount_t refs;		/* the owner, and the run in flight */
	unsigned long runs;		/* ended; under waitlist.lock */
	struct xsync_waitlist waitlist;
	struct xsync_handoff send;	/* [run] */
	struct xsync_handoff *notify;	/* the owner's; under waitlist.lock */
	struct lockdep_map map;		/* held around XCALL_THREAD functions */
	struct rcu_head rcu;
	struct cpumask *targets;	/* these three: of the run under way, */
	struct cpumask *ran;		/* or of the last one */
	struct cpumask *offline;
	struct cpumask *kicks;		/* for the sender alone */
	struct xcall_node nodes[];	/* by target CPU; the masks are behind them */
};

/* struct xcall_counts - what a CPU did as a source */
struct xcall_counts {
	unsigned long posts;	/* requests */
	unsigned long sent;	/* IPIs */
	unsigned long saved;	/* IPIs not sent: one was on its way already */
};

/* struct xcall_glance - what an inbox looks like from another CPU */
struct xcall_glance {
	bool queued;			/* something is there */
	unsigned int age_ms;		/* since it was empty */
	xcall_func_t running;		/* what runs of it now, or NULL */
};

/* xcall.c */
void xcall_unfinished(const struct xcall *x, struct cpumask *cpus);
unsigned int xcall_first_unfinished(const struct xcall *x);
void xcall_node_passed(struct xcall *x);
void xcall_put(struct xcall *x);

static inline void xcall_get(struct xcall *x)
{
	refcount_inc(&x->refs);
}

/* inbox.c */
void xcall_send(struct xsync_handoff *h);
void xcall_send_now(struct xcall *x);
void xcall_count_post(void);
void xcall_counts(unsigned int cpu, struct xcall_counts *counts);
void xcall_glance(unsigned int cpu, unsigned int mode, struct xcall_glance *g);
struct task_struct *xcall_thread_of(unsigned int cpu);
int xcall_inboxes_init(void);
void xcall_inboxes_exit(void);

#endif /* _XSYNC_INBOX_H */
