/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xcall - cross-calls and hand-offs that can be asked for in any context.
 *
 * xsync_handoff() moves work out of the context that found it: the function
 * runs soon after, on the same CPU, in hard interrupt context with no scheduler
 * lock held.
 *
 * xcall_post() runs a function on each CPU of a mask, in an IPI or in a thread
 * that is bound to the CPU, exactly once per CPU, or says which CPUs were not
 * there.  Nothing is allocated and nobody is waited for when it is posted.
 *
 * Who may call what from where:
 *
 *                          task  softirq  hardirq  IRQs   under    NMI    sleeps
 *                                                  off    rq->lock
 *   xsync_handoff          yes   yes      yes      yes    yes      yes    no
 *   xsync_handoff_sync     yes   no       no       no     no       no     yes
 *   xcall_post             yes   yes      yes      yes    yes      yes    no
 *   xcall_done             yes   yes      yes      yes    yes      yes    no
 *   xcall_ran, _offline    yes   yes      yes      yes    yes      yes    no
 *   xcall_alloc            yes   no       no       no     no       no     by gfp
 *   xcall_free             yes   no       no       no     no       no     yes
 *   xcall_wait*, xcall_run yes   error    error    error  error    error  yes
 *
 * and in what context the functions run:
 *
 *   xsync_handoff          hard interrupt, or interrupts off in a CPU hotplug
 *                          callback; may wake, queue_work, post; not sleep
 *   xcall, XCALL_IPI       interrupts off on the target CPU, usually in hard
 *                          interrupt, sometimes in the idle task; not sleep
 *   xcall, XCALL_THREAD    a thread bound to the target CPU; may sleep
 *
 * All of it is the same on PREEMPT_RT: "interrupts off" includes that no
 * spinlock_t may be taken there.  "error" is -EDEADLK or -EWOULDBLOCK at once.
 */
#ifndef _XSYNC_XCALL_H
#define _XSYNC_XCALL_H

#include <linux/cpumask.h>
#include <linux/llist.h>
#include <linux/types.h>

struct xsync_handoff;
typedef void (*xsync_handoff_func_t)(struct xsync_handoff *h);

/**
 * struct xsync_handoff - a function to be run outside the current context
 *
 * The storage is the caller's; every field is private.
 *
 *   idle --xsync_handoff()--> queued --interrupt on that CPU--> idle, func runs
 *
 * It is idle again before its function is called and is not touched after that
 * call began, so the function may hand it off again, hand it on, or free it.
 */
struct xsync_handoff {
	/* private: */
	struct llist_node node;
	xsync_handoff_func_t func;
	unsigned long queued;
};

/**
 * xsync_handoff_init - make a hand-off ready for use
 * @h: the hand-off; must not be queued
 * @func: what to run
 *
 * Context: Any.
 */
static inline void xsync_handoff_init(struct xsync_handoff *h,
				      xsync_handoff_func_t func)
{
	h->func = func;
	h->queued = 0;
}

bool xsync_handoff(struct xsync_handoff *h);
void xsync_handoff_sync(struct xsync_handoff *h);

typedef void (*xcall_func_t)(void *arg);

#define XCALL_IPI	0U	/* run in the target's interrupt */
#define XCALL_THREAD	1U	/* run in the target's thread; may sleep */

struct xcall;

struct xcall *xcall_alloc(xcall_func_t func, void *arg, unsigned int flags,
			  gfp_t gfp);
void xcall_free(struct xcall *x);

int xcall_post(struct xcall *x, const struct cpumask *mask);
bool xcall_done(struct xcall *x);
int __must_check xcall_wait(struct xcall *x);
int __must_check xcall_wait_killable(struct xcall *x);
int __must_check xcall_wait_timeout(struct xcall *x, u64 ns);

const struct cpumask *xcall_ran(struct xcall *x);
const struct cpumask *xcall_offline(struct xcall *x);

int xcall_run(const struct cpumask *mask, xcall_func_t func, void *arg);

#endif /* _XSYNC_XCALL_H */
