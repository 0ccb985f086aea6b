// SPDX-License-Identifier: GPL-2.0-only
/*
 * xcall - run a function on each CPU of a mask, asked for in any context.
 *
 * Structures.  A request (struct xcall) owns all that a run needs, so posting
 * allocates nothing; inbox.c brings it to its targets.  xcall_post() hands that
 * off; xcall_run(), whose caller waits anyhow, does it itself.
 *
 * States of a request.  busy == 0: idle, the masks of the last run stand.  0 -> 1
 * by a post.  left counts the nodes in inboxes, and one for the sender until all
 * are in.  Who takes it to 0 ends the run: busy = 0, waiters woken.  That happens
 * under the lock of the wait list, and waiters take it once more before they
 * return, so who was told of the end can post again at once.
 *
 * References.  The owner has one and the run in flight another, so a request that
 * was cancelled can be freed while a CPU that does not answer still has a node of
 * it; the last one frees the memory, in whatever context that is.
 *
 * Cancelling.  Each node is passed by its target nevertheless, but without calling
 * the function; only functions that are running are waited for.  That is what lets
 * xcall_run_killable() and xcall_run_timeout() return, their argument being on the
 * caller's stack perhaps, while a target has its interrupts off.
 *
 * News.  The end of a run is also handed off, if the owner asked for that, after
 * busy = 0 and under the same lock: the function finds the request idle, and who
 * has freed the request knows that the hand-off was made.
 *
 * Waiting.  A waiter looks for itself first: an answer is faster than a sleep and a
 * wake-up.  It does so for as long as an IPI takes on a machine, and for as long as
 * one may take in a virtual one only if nobody else wants its CPU; if somebody does,
 * sleeping lets callers that share a CPU put their requests into the same inboxes,
 * for which one IPI does.
 *
 * Memory ordering.
 *  B  each node's fully ordered decrement of left, then the releases of runs and
 *     busy: whoever sees the request done sees what its functions did, and the masks.
 *  D  see inbox.c.
 *
 * lockdep.  A thread-mode function is held under a map of the place where its
 * request was made, of which each wait is a lock_map_sync(): a lock that a waiter
 * holds and a function takes is reported the first time both were seen.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "compat/lockdep.h"
#include "inbox.h"
#include "trace.h"

/* An IPI takes microseconds, or as long as a hypervisor lets its target wait. */
#define XCALL_SPIN_NS	(500 * NSEC_PER_USEC)

static struct xsync_misuse xcall_misuse;
static unsigned long xcall_stalls;	/* statistics, may be short */
static struct xsync_hist __percpu *xcall_waits;

/* A request that xcall_run() has used, for the next one on this CPU. */
static DEFINE_PER_CPU(struct xcall *, xcall_spare);

/**
 * xcall_put - give a reference back
 * @x: the request
 *
 * Context: Any but NMI and under rq->lock.
 */
void xcall_put(struct xcall *x)
{
	if (refcount_dec_and_test(&x->refs))
		kvfree_rcu(x, rcu);
}

/**
 * xcall_node_passed - there is one node less to run; the last one ends the run
 * @x: the request
 *
 * Context: Any but NMI and under rq->lock.
 */
void xcall_node_passed(struct xcall *x)
{
	struct xsync_handoff *news;
	unsigned long flags;

	if (!atomic_dec_and_test(&x->left))	/* B */
		return;

	raw_spin_lock_irqsave(&x->waitlist.lock, flags);
	/* Of this run: who finds the request idle may ask for other news. */
	news = READ_ONCE(x->notify);
	smp_store_release(&x->runs, x->runs + 1);	/* B */
	smp_store_release(&x->busy, 0);		/* B */
	if (news)
		xsync_handoff(news);
	xsync_waitlist_wake_locked(&x->waitlist, UINT_MAX);
	raw_spin_unlock_irqrestore(&x->waitlist.lock, flags);
	xcall_put(x);
}

/* From idle to in flight; false if it was in flight. */
static bool xcall_begin(struct xcall *x, const struct cpumask *mask)
{
	if (cmpxchg(&x->busy, 0, 1))
		return false;

	xcall_get(x);
	xcall_count_post();
	WRITE_ONCE(x->cancelled, false);
	/* The caller's mask may end with, or have bits for, more than can exist. */
	bitmap_copy_clear_tail(cpumask_bits(x->targets), cpumask_bits(mask), nr_cpu_ids);
	xsync_trace(xcall_post, x->func, x->flags, x->targets);
	cpumask_clear(x->ran);
	cpumask_clear(x->offline);
	atomic_set(&x->left, 1);
	return true;
}

int xcall_post(struct xcall *x, const struct cpumask *mask)
{
	if (!xcall_begin(x, mask))
		return -EBUSY;
	xsync_handoff(&x->send);
	return 0;
}
EXPORT_SYMBOL_GPL(xcall_post);

bool xcall_done(struct xcall *x)
{
	return !smp_load_acquire(&x->busy);	/* B */
}
EXPORT_SYMBOL_GPL(xcall_done);

const struct cpumask *xcall_ran(struct xcall *x)
{
	return x->ran;
}
EXPORT_SYMBOL_GPL(xcall_ran);

const struct cpumask *xcall_offline(struct xcall *x)
{
	return x->offline;
}
EXPORT_SYMBOL_GPL(xcall_offline);

/**
 * xcall_unfinished - which CPUs a run still waits for, for a report
 * @x: the request
 * @cpus: set to them
 *
 * Context: Any.
 */
void xcall_unfinished(const struct xcall *x, struct cpumask *cpus)
{
	cpumask_andnot(cpus, x->targets, x->ran);
	cpumask_andnot(cpus, cpus, x->offline);
}

/**
 * xcall_first_unfinished - the first of them
 * @x: the request
 *
 * Context: Any.
 * Return: the CPU, or nr_cpu_ids.
 */
unsigned int xcall_first_unfinished(const struct xcall *x)
{
	unsigned int cpu;

	for_each_cpu(cpu, x->targets)
		if (!cpumask_test_cpu(cpu, x->ran) && !cpumask_test_cpu(cpu, x->offline))
			return cpu;
	return nr_cpu_ids;
}

static int xcall_may_wait(unsigned long ip)
{
	const char *where = "in a cross-call function";
	int err = -EDEADLK;

	if (!xcall_in_function()) {
		where = "in atomic context";
		err = xsync_may_sleep();
		if (!err)
			return 0;
	}
	xsync_misuse_report(&xcall_misuse, where, err, ip);
	return err;
}

/* Whether to look on, after so long a time and with so long to wait. */
static bool xcall_spins_on(u64 spent, u64 ns)
{
	if (spent >= ns || spent > XCALL_SPIN_NS)
		return false;
	return spent < XSYNC_SPIN_NS || single_task_running();
}

/* Returns whether the run ended before it was time to sleep. */
static bool xcall_spin(const struct xcall *x, unsigned long ticket, u64 began, u64 ns)
{
	unsigned int looks = 0;

	while (!xsync_seq_passed(smp_load_acquire(&x->runs), ticket)) {	/* B */
		cpu_relax();
		/* To ask for the time takes longer than a look. */
		if (++looks % 16)
			continue;
		if (need_resched() || !xcall_spins_on(xsync_age(began), ns))
			return false;
	}
	return true;
}

/* Sleep; a wait that takes too long is reported once, and goes on. */
static int xcall_sleep(struct xcall *x, unsigned long ticket,
		       unsigned int task_state, u64 ns, u64 began)
{
	ktime_t now = ktime_get();
	ktime_t stall = xsync_stall_at(now);
	ktime_t expires = KTIME_MAX;
	int err;

	if (ns < KTIME_MAX)
		expires = ktime_add_safe(now, ns_to_ktime(ns));
	if (stall < expires) {
		err = xsync_waitlist_sleep(&x->waitlist, ticket, task_state, stall);
		if (err != -ETIMEDOUT)
			return err;
		WRITE_ONCE(xcall_stalls, xcall_stalls + 1);
		xcall_report_stall(x, xsync_age(began));
	}
	return xsync_waitlist_sleep(&x->waitlist, ticket, task_state, expires);
}

/* Wait for the end of a run. */
static int xcall_await(struct xcall *x, unsigned long ticket,
		       unsigned int task_state, u64 ns)
{
	u64 began = ktime_get_mono_fast_ns();
	int err = 0;

	if (xcall_spin(x, ticket, began, ns)) {
		/* Who ended the run is through with the request then. */
		raw_spin_lock_irq(&x->waitlist.lock);
		raw_spin_unlock_irq(&x->waitlist.lock);
	} else {
		err = xcall_sleep(x, ticket, task_state, ns, began);
	}
	if (!err)
		xsync_hist_add(xcall_waits, xsync_age(began));
	return err;
}

static int xcall_wait_in(struct xcall *x, unsigned int task_state, u64 ns,
			 unsigned long ip)
{
	unsigned long ticket;
	bool busy;
	int err;

	err = xcall_may_wait(ip);
	if (err)
		return err;
	might_sleep();
	if (x->flags & XCALL_THREAD)
		lock_map_sync(&x->map);

	raw_spin_lock_irq(&x->waitlist.lock);
	busy = x->busy;
	ticket = x->runs + 1;
	raw_spin_unlock_irq(&x->waitlist.lock);
	return busy ? xcall_await(x, ticket, task_state, ns) : 0;
}

int xcall_wait(struct xcall *x)
{
	return xcall_wait_in(x, TASK_UNINTERRUPTIBLE, KTIME_MAX, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xcall_wait);

int xcall_wait_killable(struct xcall *x)
{
	return xcall_wait_in(x, TASK_KILLABLE, KTIME_MAX, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xcall_wait_killable);

int xcall_wait_timeout(struct xcall *x, u64 ns)
{
	return xcall_wait_in(x, TASK_KILLABLE, ns, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xcall_wait_timeout);

static void xcall_await_running(struct xcall *x)
{
	u64 since = ktime_get_mono_fast_ns();
	unsigned int cpu;

	might_sleep();
	if (x->flags & XCALL_THREAD)
		lock_map_sync(&x->map);

	WRITE_ONCE(x->cancelled, true);
	smp_mb();	/* D */
	for_each_cpu(cpu, x->targets)
		while (smp_load_acquire(&x->nodes[cpu].running))	/* D */
			xsync_relax(since);
}

int xcall_cancel(struct xcall *x)
{
	int err = xcall_may_wait(_RET_IP_);

	if (!err)
		xcall_await_running(x);
	return err;
}
EXPORT_SYMBOL_GPL(xcall_cancel);

void xcall_notify(struct xcall *x, struct xsync_handoff *h)
{
	WRITE_ONCE(x->notify, h);
}
EXPORT_SYMBOL_GPL(xcall_notify);

/* The four masks are behind the nodes, all in one allocation. */
static size_t xcall_size(void)
{
	struct xcall *x;

	return size_add(struct_size(x, nodes, nr_cpu_ids), 4 * cpumask_size());
}

/* The function behind xcall_alloc(), which see. */
struct xcall *__xcall_alloc(xcall_func_t func, void *arg, unsigned int flags,
			    gfp_t gfp, struct lock_class_key *key, const char *name)
{
	struct xcall *x;
	unsigned int cpu;
	void *masks;

	if (flags & ~XCALL_THREAD)
		return NULL;
	x = kvzalloc(xcall_size(), gfp);
	if (!x)
		return NULL;

	masks = &x->nodes[nr_cpu_ids];
	x->targets = masks;
	x->ran = masks + cpumask_size();
	x->offline = masks + 2 * cpumask_size();
	x->kicks = masks + 3 * cpumask_size();
	x->func = func;
	x->arg = arg;
	x->flags = flags;
	refcount_set(&x->refs, 1);
	lockdep_init_map(&x->map, name, key, 0);
	xsync_waitlist_init(&x->waitlist, &x->runs);
	xsync_handoff_init(&x->send, xcall_send);
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		x->nodes[cpu].call = x;
	return x;
}
EXPORT_SYMBOL_GPL(__xcall_alloc);

void xcall_free(struct xcall *x)
{
	unsigned long flags;

	if (!x)
		return;

	if (!READ_ONCE(x->cancelled) &&
	    xcall_wait_in(x, TASK_UNINTERRUPTIBLE, KTIME_MAX, _RET_IP_))
		WRITE_ONCE(x->cancelled, true);

	/* What may still end is nobody's news any more. */
	raw_spin_lock_irqsave(&x->waitlist.lock, flags);
	x->notify = NULL;
	raw_spin_unlock_irqrestore(&x->waitlist.lock, flags);
	xcall_put(x);
}
EXPORT_SYMBOL_GPL(xcall_free);

static struct xcall *xcall_take_spare(xcall_func_t func, void *arg)
{
	struct xcall *x = this_cpu_xchg(xcall_spare, NULL);

	if (!x)
		return xcall_alloc(func, arg, XCALL_IPI, GFP_KERNEL);
	x->func = func;
	x->arg = arg;
	return x;
}

static void xcall_give_spare(struct xcall *x)
{
	if (this_cpu_cmpxchg(xcall_spare, NULL, x))
		xcall_put(x);
}

static int xcall_run_in(const struct cpumask *mask, xcall_func_t func, void *arg,
			unsigned int task_state, u64 ns, unsigned long ip)
{
	unsigned long ticket;
	struct xcall *x;
	int err;

	err = xcall_may_wait(ip);
	if (err)
		return err;
	might_sleep();
	x = xcall_take_spare(func, arg);
	if (!x)
		return -ENOMEM;

	/* Nobody else knows the request, and its last run has ended. */
	ticket = x->runs + 1;
	xcall_begin(x, mask);
	xcall_send_now(x);
	err = xcall_await(x, ticket, task_state, ns);
	if (err) {
		xcall_await_running(x);
		xcall_put(x);
		return err;
	}
	if (!cpumask_empty(x->offline))
		err = -ENXIO;
	xcall_give_spare(x);
	return err;
}

int xcall_run(const struct cpumask *mask, xcall_func_t func, void *arg)
{
	return xcall_run_in(mask, func, arg, TASK_UNINTERRUPTIBLE, KTIME_MAX, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xcall_run);

int xcall_run_killable(const struct cpumask *mask, xcall_func_t func, void *arg)
{
	return xcall_run_in(mask, func, arg, TASK_KILLABLE, KTIME_MAX, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xcall_run_killable);

int xcall_run_timeout(const struct cpumask *mask, xcall_func_t func, void *arg, u64 ns)
{
	return xcall_run_in(mask, func, arg, TASK_KILLABLE, ns, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xcall_run_timeout);

/* For debugfs. */
void xcall_totals(struct xcall_totals *totals)
{
	totals->stalls = READ_ONCE(xcall_stalls);
	totals->refused = READ_ONCE(xcall_misuse.count);
	totals->waits = xcall_waits;
}

int xcall_init(void)
{
	int err;

	xsync_misuse_init(&xcall_misuse, "xcall");
	xcall_waits = alloc_percpu(struct xsync_hist);
	if (!xcall_waits)
		return -ENOMEM;
	err = xcall_inboxes_init();
	if (err)
		free_percpu(xcall_waits);
	return err;
}

void xcall_exit(void)
{
	unsigned int cpu;

	xcall_inboxes_exit();
	for_each_possible_cpu(cpu)
		if (per_cpu(xcall_spare, cpu))
			xcall_put(per_cpu(xcall_spare, cpu));
	xsync_handoff_sync(&xcall_misuse.report);
	free_percpu(xcall_waits);
}
