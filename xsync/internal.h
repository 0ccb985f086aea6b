/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of xsync.ko share: the update side of a domain, the list of
 * sleeping waiters, and the entry points between the files.
 */
#ifndef _XSYNC_INTERNAL_H
#define _XSYNC_INTERNAL_H

#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include "hist.h"
#include "xcall.h"
#include "xsync.h"

/* How long a waiter looks for itself before it sleeps. */
#define XSYNC_SPIN_NS	(20 * NSEC_PER_USEC)

/*
 * struct xsync_waitlist - tasks that sleep until a sequence has passed a ticket
 *
 * The lock is raw because waiters are woken in hard interrupts; it is never
 * taken in NMI or under rq->lock.
 */
struct xsync_waitlist {
	raw_spinlock_t lock;
	struct list_head waiters;	/* added and removed under lock */
	const unsigned long *seq;	/* the sequence they wait for */
};

/* struct xsync_misuse - the first call that could not be legal, to be reported */
struct xsync_misuse {
	struct xsync_handoff report;
	unsigned long count;		/* calls refused; statistics, may be short */
	unsigned long claimed;		/* bit 0: somebody filled in the rest */
	const char *owner;
	const char *where;
	unsigned long ip;
	int err;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

struct xsync_counts {
	unsigned long starts;
	unsigned long waits;
	unsigned long slept;	/* waits that did not end at once */
};

/* Bits of xsync_state.flags */
#define XSYNC_DRIVING	0	/* held by the one who moves the rounds on */
#define XSYNC_POLLING	1	/* the poller is armed */

/*
 * struct xsync_state - the update side of a domain
 *
 * Who may touch what: [any] by atomic operation from any context, [drive] by the
 * holder of XSYNC_DRIVING, [poll] by whoever set XSYNC_POLLING until the timer
 * clears it, [cb] under cb_lock, [init] set before the domain is used.
 */
struct xsync_state {
	unsigned long seq;		/* [drive] 2 × rounds done, odd in a round */
	unsigned long need;		/* [any] the highest ticket given */
	unsigned long flags;		/* [any] */

	u64 round_began;		/* [drive] ns; 0: it may end at once */
	unsigned long rounds;		/* [drive] statistics */
	cpumask_var_t pending;		/* [drive] CPUs the round waits for */
	struct xcall *ask;		/* [init] XSYNC_IPI: what a round begins with */
	bool asked;			/* [drive] it did; the words are not read yet */

	struct xsync_reader __percpu *readers;	/* [init] */
	struct xsync_counts __percpu *counts;	/* [init] statistics */
	struct xsync_hist __percpu *open;	/* [init] how long rounds stayed open */
	struct xsync_hist __percpu *waits;	/* [init] how long waiters waited */

	struct xsync_handoff kick;	/* runs xsync_drive() soon */
	struct hrtimer poller;		/* [poll] runs it again while a round is open */
	u64 poll_ns;			/* [poll] */
	unsigned long poll_seq;		/* [poll] */
	unsigned long stalled_seq;	/* [poll] the round last reported */
	unsigned long stalls;		/* [poll] statistics */

	struct xsync_waitlist waitlist;

	struct llist_head cb_new;	/* [any] queued, without a ticket yet */
	raw_spinlock_t cb_lock;		/* raw: taken in hard interrupts */
	struct llist_node *cb_waiting;	/* [cb] waiting for cb_ticket */
	unsigned long cb_ticket;	/* [cb] */
	struct llist_node *cb_ready;	/* [cb] for the worker to take */
	struct work_struct cb_work;
	struct task_struct *cb_task;	/* the worker while it runs callbacks */
	atomic_long_t callbacks;	/* [any] queued and not yet called */

	struct xsync_misuse misuse;
	struct xsync_domain *domain;	/* [init] */
	const char *name;		/* [init] */
	struct list_head node;		/* under xsync_domains_lock */

	unsigned long snap[];		/* [drive] word of each pending CPU */
};

static inline bool xsync_seq_passed(unsigned long seq, unsigned long ticket)
{
	return (long)(seq - ticket) >= 0;
}

/* E: what the ended sections did is before what the caller does now. */
static inline bool xsync_passed(const struct xsync_state *s, unsigned long ticket)
{
	return xsync_seq_passed(smp_load_acquire(&s->seq), ticket);	/* E */
}

/* A ticket is given and not done: somebody has to look again. */
static inline bool xsync_open(const struct xsync_state *s)
{
	return !xsync_seq_passed(READ_ONCE(s->seq), READ_ONCE(s->need));
}

/* round.c */
unsigned long xsync_ticket(struct xsync_state *s);
bool xsync_try_advance(struct xsync_state *s);
void xsync_help(struct xsync_state *s);
void xsync_advance(struct xsync_state *s);
void xsync_drive_now(struct xsync_state *s);
int xsync_round_setup(struct xsync_state *s, enum xsync_flavour flavour);
void xsync_round_teardown(struct xsync_state *s);
extern struct cpumask xsync_asked;
bool xsync_inside(const struct xsync_state *s);

/* wait.c */
void xsync_waitlist_init(struct xsync_waitlist *w, const unsigned long *seq);
int xsync_waitlist_sleep(struct xsync_waitlist *w, unsigned long ticket,
			 unsigned int state, ktime_t expires);
bool xsync_waitlist_wake_locked(struct xsync_waitlist *w, unsigned int max);
bool xsync_waitlist_wake(struct xsync_waitlist *w);
unsigned int xsync_waitlist_first(struct xsync_waitlist *w, char *comm, pid_t *pid);
int xsync_may_sleep(void);

/* misuse.c */
void xsync_misuse_init(struct xsync_misuse *m, const char *owner);
void xsync_misuse_report(struct xsync_misuse *m, const char *where, int err,
			 unsigned long ip);

/* callback.c */
void xsync_callbacks_setup(struct xsync_state *s);
void xsync_callbacks_class(struct xsync_state *s, const char *name,
			   struct lock_class_key *key);
void xsync_callbacks_move(struct xsync_state *s);
int xsync_callbacks_init(void);
void xsync_callbacks_exit(void);

/* domain.c */
extern struct mutex xsync_domains_lock;
extern struct list_head xsync_domains;
void xsync_domains_kick(void);
void xsync_domains_cpu_joins(unsigned int cpu);
void xsync_domains_cpu_leaves(unsigned int cpu);
int xsync_may_wait(struct xsync_state *s, unsigned long ip);

/* handoff.c */
void xsync_outbox_drain(unsigned int cpu);
void xsync_outbox_pass_here(void);
void xsync_outboxes_sync(void);
void xsync_relax(u64 since);
unsigned long xsync_outbox_counts(unsigned int cpu, bool *queued);
void xsync_handoff_setup(void);
void xsync_handoff_teardown(void);

/* xcall.c */
struct xcall_totals {
	unsigned long stalls;	/* waits that were reported */
	unsigned long refused;	/* waits that could not be legal */
	const struct xsync_hist __percpu *waits;
};

void xcall_totals(struct xcall_totals *totals);
int xcall_init(void);
void xcall_exit(void);

/* inbox.c */
bool xcall_in_function(void);
void xcall_inboxes_setup(void);
void xcall_cpu_online(unsigned int cpu);
void xcall_cpu_offline(unsigned int cpu);
void xcall_cpu_dead(unsigned int cpu);

/* stall.c */
ktime_t xsync_stall_at(ktime_t now);
bool xsync_stalled(u64 age_ns);
void xsync_report_stall(struct xsync_state *s, u64 age_ns);
void xcall_report_stall(struct xcall *x, u64 age_ns);

/* hotplug.c */
int xsync_hotplug_init(void);
void xsync_hotplug_exit(void);

/* debugfs.c */
void xsync_debugfs_init(void);
void xsync_debugfs_exit(void);

#endif /* _XSYNC_INTERNAL_H */
