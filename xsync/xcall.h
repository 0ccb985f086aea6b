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
 * The manner is that of dtrace_xcall() and xc_call() on Solaris, where a caller
 * spins until the others have answered; here nobody ever spins for another CPU
 * with interrupts off, and whoever must not wait posts.
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
 *   xcall_notify           yes   yes      yes      yes    yes      yes    no
 *   xcall_alloc            yes   no       no       no     no       no     by gfp
 *   xcall_free             yes   no       no       no     no       no     yes
 *   xcall_wait*            yes   error    error    error  error    error  yes
 *   xcall_run*             yes   error    error    error  error    error  yes
 *   xcall_cancel           yes   error    error    error  error    error  yes
 *
 * and in what context the functions run:
 *
 *   xsync_handoff          hard interrupt, or interrupts off in CPU hotplug or in
 *                          a task that is in xcall_run(); may wake, queue_work,
 *                          post; not sleep
 *   xcall, XCALL_IPI       interrupts off on the target CPU, usually in hard
 *                          interrupt, sometimes in the idle task, in CPU hotplug
 *                          or in a task that is in xcall_run(); not sleep
 *   xcall, XCALL_THREAD    a thread bound to the target CPU; may sleep
 *
 * All of it is the same on PREEMPT_RT: "interrupts off" includes that no
 * spinlock_t may be taken there.  "error" is -EDEADLK or -EWOULDBLOCK at once.
 * Nothing here may be waited for in a CPU hotplug callback; see xsync.h.
 *
 * A wait that lasts longer than the module's parameter stall_ms is reported once
 * in the kernel log, with the CPUs that it waits for and what they do.
 */
#ifndef _XSYNC_XCALL_H
#define _XSYNC_XCALL_H

#include <linux/cpumask.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
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

/**
 * xsync_handoff - run a function in hard interrupt context on this CPU
 * @h: the hand-off, made with xsync_handoff_init()
 *
 * What the caller stored before is seen by the function, also when this returns
 * false.  Functions handed off on one CPU run in order.  On a CPU that is going
 * down or coming up the function runs in a hotplug callback instead, with
 * interrupts off; after the CPU went down, on another one.
 *
 * Not promised: that the function has not begun, or even ended, on return; that
 * two calls on two CPUs do not run it at the same time; that a CPU gets on with
 * anything else while a function there hands itself off again for ever.  Where the machine has
 * no interrupt of its own for irq_work (user-mode Linux), it runs with the next
 * timer tick.
 *
 * Context: Any, including NMI and under rq->lock.
 * Return: true if exactly one later call of the function is due to this call;
 *	   false if it was already queued and had not begun.
 */
bool xsync_handoff(struct xsync_handoff *h);

/**
 * xsync_handoff_sync - wait until a hand-off is neither queued nor running
 * @h: the hand-off
 *
 * If nobody hands it off meanwhile, it is neither when this returns, and may be
 * freed.
 *
 * Context: Task context, may sleep.  Not in a CPU hotplug callback, nor in the
 *	    function itself.
 */
void xsync_handoff_sync(struct xsync_handoff *h);

typedef void (*xcall_func_t)(void *arg);

#define XCALL_IPI	0U	/* run in the target's interrupt */
#define XCALL_THREAD	1U	/* run in the target's thread; may sleep */

struct xcall;

struct xcall *__xcall_alloc(xcall_func_t func, void *arg, unsigned int flags,
			    gfp_t gfp, struct lock_class_key *key, const char *name);

/**
 * xcall_alloc - make a request
 * @func: what to run
 * @arg: its argument
 * @flags: XCALL_IPI or XCALL_THREAD
 * @gfp: how to allocate
 *
 * Each place in the source that calls this is a lockdep class of its own, named
 * after the expression @func.
 *
 * Context: Task context; may sleep as @gfp says.
 * Return: an idle request, or NULL.
 */
#define xcall_alloc(func, arg, flags, gfp)				\
({									\
	static struct lock_class_key __xcall_key;			\
									\
	__xcall_alloc((func), (arg), (flags), (gfp), &__xcall_key, #func); \
})

/**
 * xcall_notify - have something handed off at the end of each run of a request
 * @x: the request, idle
 * @h: what, or NULL: nothing; not freed before @x is
 *
 * The request is idle when the function of @h is called, so that may post it
 * again or look at xcall_ran().  For a run that ends while @h is queued and has
 * not begun there is no call of its own.  After xcall_free() of the request one
 * call may still be due: xsync_handoff_sync() waits for it.  A function that uses
 * the request has to be told to stop and waited for before xcall_free().
 *
 * Context: Any.
 */
void xcall_notify(struct xcall *x, struct xsync_handoff *h);

/**
 * xcall_free - free a request, after its run ended if it is in flight
 * @x: the request, or NULL
 *
 * A request that was cancelled is not waited for.  Where waiting is refused (see
 * xcall_wait()) the request is freed nevertheless, and no function of it begins any
 * more, but one that is running is not waited for.
 *
 * Context: Task context, may sleep.  Not in a cross-call function.
 */
void xcall_free(struct xcall *x);

/**
 * xcall_post - have a request run on each CPU of a mask
 * @x: the request; idle
 * @mask: which CPUs; copied
 *
 * Each CPU of the mask either runs the function exactly once or, if it was not
 * online when the request reached it or went down before it came to it, is in
 * xcall_offline() afterwards; so is a CPU that cannot exist.  Numbers from
 * nr_cpu_ids on are ignored.  An empty mask is done at once or soon.
 *
 * Functions that were posted on one CPU, for one CPU, in one mode, run in that
 * order.  A function may post other requests; its own is still in flight.  One in an
 * IPI that posts to its own CPU runs again in the same interrupt: two that post each
 * other for ever leave that CPU to nobody else.
 *
 * Not promised: any order between requests posted on different CPUs or in
 * different modes, nor that anything has begun on return.
 *
 * Context: Any, including NMI and under rq->lock.
 * Return: 0, or -EBUSY if @x is in flight.
 */
int xcall_post(struct xcall *x, const struct cpumask *mask);

/**
 * xcall_done - whether a request is idle
 * @x: the request
 *
 * Context: Any.
 * Return: true if it is not in flight; what its functions did is then ordered
 *	   before what the caller does next.
 */
bool xcall_done(struct xcall *x);

/**
 * xcall_wait - wait until the run of a request that is in flight has ended
 * @x: the request
 *
 * Context: Task context, sleeps.
 * Return: 0, at once if the request is idle; -EDEADLK in an XCALL_THREAD function,
 *	   -EWOULDBLOCK in atomic context, which an XCALL_IPI function is: nothing
 *	   was waited for.
 */
int __must_check xcall_wait(struct xcall *x);

/**
 * xcall_wait_killable - as xcall_wait(), until the task is killed
 * @x: the request
 *
 * Context: Task context, sleeps.
 * Return: as xcall_wait(), or -EINTR: the request is still in flight.
 */
int __must_check xcall_wait_killable(struct xcall *x);

/**
 * xcall_wait_timeout - as xcall_wait_killable(), but not for ever
 * @x: the request
 * @ns: for how many nanoseconds at most
 *
 * Context: Task context, sleeps.
 * Return: as xcall_wait_killable(), or -ETIMEDOUT: the request is still in flight.
 */
int __must_check xcall_wait_timeout(struct xcall *x, u64 ns);

/**
 * xcall_cancel - have no more functions of the run that is in flight begin
 * @x: the request
 *
 * Functions that are running are waited for; a CPU that does not answer is not.
 * When this returns 0 no function of the run is running, none will, and what
 * they did is ordered before what the caller does next; xcall_ran() tells which
 * ran.  The request may be freed at once, but stays in flight, so that it cannot be
 * posted, until every target has passed over it.
 *
 * Context: Task context, may sleep.  Nobody may post the request meanwhile.
 * Return: 0; errors as xcall_wait(), nothing being cancelled then.
 */
int __must_check xcall_cancel(struct xcall *x);

/**
 * xcall_ran - which CPUs ran the function in the last run
 * @x: the request, idle
 *
 * Context: Any.
 * Return: the CPUs; stands until @x is posted again.  After xcall_cancel() also of a
 *	   request that is not idle yet.
 */
const struct cpumask *xcall_ran(struct xcall *x);

/**
 * xcall_offline - which CPUs were not there to run the function in the last run
 * @x: the request, idle
 *
 * Context: Any.
 * Return: the CPUs; stands until @x is posted again.
 */
const struct cpumask *xcall_offline(struct xcall *x);

/**
 * xcall_run - run a function in an IPI on each CPU of a mask, and wait
 * @mask: which CPUs
 * @func: what to run, as for XCALL_IPI
 * @arg: its argument
 *
 * Faster than a post and a wait.  Beside the kernel's on_each_cpu_mask() see
 * Documentation/performance.rst: as fast from four CPUs on, slower with two.
 *
 * The kernel's function that sends the IPIs may wait, with preemption off, for a CPU
 * that has not yet taken what else was sent to it from here.
 *
 * Context: Task context, sleeps.
 * Return: 0 if all ran it; -ENXIO if some were not online and the others ran it;
 *	   -ENOMEM, or an error of xcall_wait(): none ran it.
 */
int xcall_run(const struct cpumask *mask, xcall_func_t func, void *arg);

/**
 * xcall_run_killable - as xcall_run(), until the task is killed
 * @mask: which CPUs
 * @func: what to run
 * @arg: its argument
 *
 * Context: Task context, sleeps.
 * Return: as xcall_run(), or -EINTR: some may have run it, none is running it and none
 *	   will, so @arg need not live on; those that were running it when the task
 *	   was killed were waited for.
 */
int __must_check xcall_run_killable(const struct cpumask *mask, xcall_func_t func,
				    void *arg);

/**
 * xcall_run_timeout - as xcall_run_killable(), but not for ever
 * @mask: which CPUs
 * @func: what to run
 * @arg: its argument
 * @ns: for how many nanoseconds at most; functions that are running then are waited
 *	for all the same
 *
 * Context: Task context, sleeps.
 * Return: as xcall_run_killable(), or -ETIMEDOUT, which promises the same as -EINTR.
 */
int __must_check xcall_run_timeout(const struct cpumask *mask, xcall_func_t func,
				   void *arg, u64 ns);

#endif /* _XSYNC_XCALL_H */
