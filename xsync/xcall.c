// SPDX-License-Identifier: GPL-2.0-only
/*
 * xcall - run a function on each CPU of a mask, asked for in any context.
 *
 * Structures.  A request (struct xcall) owns a node for each possible CPU, so
 * posting allocates nothing.  Each possible CPU has two inboxes, lockless lists
 * of such nodes: one emptied in an IPI, one by a thread bound to that CPU.
 *
 *	xcall_post()   any context: claims the request, notes the mask, hands off
 *	xcall_send()   the hand-off: puts a node into each target's inbox, kicks
 *	xcall_kicked() the IPI on the target, or
 *	xcall_thread() the target's thread: takes the whole inbox and runs it
 *
 * States of a request.  busy == 0: idle, the masks of the last run stand.  0 -> 1
 * by xcall_post().  left counts the nodes in inboxes, and one for the sender
 * until all are in.  Who takes it to 0 ends the run: busy = 0, waiters woken.
 * That happens under the lock of the wait list, and waiters take it once more
 * before they return, so the end of a run is done with a request before its owner
 * can free it.
 *
 * Kicks.  One IPI is sent when an inbox has nothing under way: the sender adds its
 * node and sends if it takes kick from 0 to 1; the receiver sets kick to 0, then
 * takes the list.  The IPI's descriptor is free again before its function runs,
 * and only that function clears kick, so it is never queued twice.  A sender that
 * is its own target empties its inbox itself and leaves kick alone.
 *
 * News.  The end of a run is also handed off, if the owner asked for that, after
 * busy = 0 and under the same lock: the function finds the request idle, and who
 * has freed the request knows that the hand-off was made.
 *
 * Order.  The nodes of one source CPU go through its outbox into the inboxes, each
 * a first-in-first-out queue: per source, target and mode, functions run in the
 * order in which they were posted.
 *
 * Memory ordering.
 *  A  sender: llist_add(), then xchg(kick); receiver: kick = 0, full barrier,
 *     then llist_del_all().  The sender sends, or its node is taken.
 *  C  the kernel's release of the IPI's descriptor, then the release of kick: who
 *     takes kick by xchg() finds the descriptor free.
 *  B  each node's fully ordered decrement of left, then the releases of runs and
 *     busy: whoever sees the request done sees what its functions did, and the masks.
 *
 * Hotplug.  Sending runs with interrupts off, so a target that was seen online
 * cannot go down before its node is in its inbox.  What a CPU has not run when it
 * is dead is counted as offline by the dead callback and never runs: a parked
 * thread is not woken, and an IPI that was sent is run by the CPU on its way down.
 * A thread function must not wait for CPU hotplug, which waits for the thread;
 * lockdep is told by a map that is held around each function and taken in the
 * offline callback.
 *
 * Unload.  Requests are gone by then, but not all IPIs; see xcall_exit().
 *
 * Limits.  A thread has the default priority and can be starved.  All targets of
 * a request are sent to in one interrupt.
 */
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/smpboot.h>
#include <linux/timekeeping.h>
#include "internal.h"

struct xcall_node {
	struct llist_node node;
	struct xcall *call;
};

struct xcall {
	xcall_func_t func;
	void *arg;
	unsigned int flags;
	unsigned long busy;
	atomic_t left;
	unsigned long runs;		/* ended, under waitlist.lock */
	struct xsync_waitlist waitlist;
	struct xsync_handoff send;
	struct xsync_handoff *notify;	/* the owner's */
	cpumask_var_t targets;		/* these three: of the run under way, */
	cpumask_var_t ran;		/* or of the last one */
	cpumask_var_t offline;
	struct xcall_node nodes[];	/* by target CPU */
};

struct xcall_cpu {
	struct llist_head ipi;
	struct llist_head thread;
	int kick;			/* 1: an IPI is under way */
	call_single_data_t csd;
	struct task_struct *task;
	struct xcall_counts counts;	/* of this CPU as a source */
};

static DEFINE_PER_CPU_ALIGNED(struct xcall_cpu, xcall_cpus);

static struct xsync_misuse xcall_misuse;

static struct lock_class_key xcall_thread_key;
static struct lockdep_map __maybe_unused xcall_thread_map;

/* One node less to run; the last one ends the run. */
static void xcall_put(struct xcall *x)
{
	unsigned long flags;

	if (!atomic_dec_and_test(&x->left))	/* B */
		return;

	raw_spin_lock_irqsave(&x->waitlist.lock, flags);
	smp_store_release(&x->runs, x->runs + 1);	/* B */
	smp_store_release(&x->busy, 0);		/* B */
	if (x->notify)
		xsync_handoff(x->notify);
	xsync_waitlist_wake_locked(&x->waitlist, UINT_MAX);
	raw_spin_unlock_irqrestore(&x->waitlist.lock, flags);
}

/* Run all that is in an inbox of this CPU. */
static void xcall_run_inbox(struct llist_head *inbox)
{
	struct llist_node *chain = llist_reverse_order(llist_del_all(inbox));
	struct xcall_node *node, *next;

	llist_for_each_entry_safe(node, next, chain, node) {
		struct xcall *x = node->call;

		x->func(x->arg);
		cpumask_set_cpu(node - x->nodes, x->ran);
		xcall_put(x);
	}
}

static void xcall_kicked(void *info)
{
	struct xcall_cpu *box = info;

	/* C */
	smp_store_release(&box->kick, 0);
	smp_mb();	/* A */
	xcall_run_inbox(&box->ipi);
}

static void xcall_kick(struct xcall_cpu *box, unsigned int cpu)
{
	int err;

	if (cpu == raw_smp_processor_id()) {
		xcall_run_inbox(&box->ipi);
		return;
	}
	if (xchg(&box->kick, 1)) {	/* A */
		this_cpu_inc(xcall_cpus.counts.saved);
		return;
	}
	err = smp_call_function_single_async(cpu, &box->csd);
	if (!err) {
		this_cpu_inc(xcall_cpus.counts.sent);
		return;
	}
	/* Gone in spite of all: the dead callback finds the node. */
	WARN_ONCE(err != -ENXIO, "xsync: IPI to CPU %u: error %d\n", cpu, err);
	WRITE_ONCE(box->kick, 0);
}

static void xcall_send_to(struct xcall *x, unsigned int cpu)
{
	struct xcall_cpu *box = per_cpu_ptr(&xcall_cpus, cpu);
	struct llist_node *node = &x->nodes[cpu].node;

	if (!cpu_online(cpu)) {
		cpumask_set_cpu(cpu, x->offline);
		return;
	}

	atomic_inc(&x->left);
	if (x->flags & XCALL_THREAD) {
		/* Whoever finds the inbox empty wakes; a parked thread stays so. */
		if (llist_add(node, &box->thread))
			wake_up_process(box->task);
	} else {
		llist_add(node, &box->ipi);
		xcall_kick(box, cpu);
	}
}

/* Hard interrupt on the CPU that posted, or interrupts off in its stead. */
static void xcall_send(struct xsync_handoff *h)
{
	struct xcall *x = container_of(h, struct xcall, send);
	unsigned int cpu;

	for_each_cpu(cpu, x->targets)
		xcall_send_to(x, cpu);
	xcall_put(x);
}

int xcall_post(struct xcall *x, const struct cpumask *mask)
{
	if (cmpxchg(&x->busy, 0, 1))
		return -EBUSY;

	this_cpu_inc(xcall_cpus.counts.posts);
	cpumask_copy(x->targets, mask);
	cpumask_clear(x->ran);
	cpumask_clear(x->offline);
	atomic_set(&x->left, 1);
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

static int xcall_wait_in(struct xcall *x, unsigned int task_state, u64 ns,
			 unsigned long ip)
{
	ktime_t expires = KTIME_MAX;
	unsigned long ticket;
	bool busy;
	int err;

	err = xcall_may_wait(ip);
	if (err)
		return err;
	might_sleep();

	/* Under the lock: who ended the run is through with the request then. */
	raw_spin_lock_irq(&x->waitlist.lock);
	busy = x->busy;
	ticket = x->runs + 1;
	raw_spin_unlock_irq(&x->waitlist.lock);
	if (!busy)
		return 0;

	if (ns < KTIME_MAX)
		expires = ktime_add_safe(ktime_get(), ns_to_ktime(ns));
	return xsync_waitlist_sleep(&x->waitlist, ticket, task_state, expires);
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

void xcall_notify(struct xcall *x, struct xsync_handoff *h)
{
	x->notify = h;
}
EXPORT_SYMBOL_GPL(xcall_notify);

static void xcall_release(struct xcall *x)
{
	free_cpumask_var(x->offline);
	free_cpumask_var(x->ran);
	free_cpumask_var(x->targets);
	kvfree(x);
}

struct xcall *xcall_alloc(xcall_func_t func, void *arg, unsigned int flags,
			  gfp_t gfp)
{
	struct xcall *x;
	unsigned int cpu;

	if (flags & ~XCALL_THREAD)
		return NULL;
	x = kvzalloc(struct_size(x, nodes, nr_cpu_ids), gfp);
	if (!x)
		return NULL;
	if (!zalloc_cpumask_var(&x->targets, gfp) ||
	    !zalloc_cpumask_var(&x->ran, gfp) ||
	    !zalloc_cpumask_var(&x->offline, gfp)) {
		xcall_release(x);
		return NULL;
	}

	x->func = func;
	x->arg = arg;
	x->flags = flags;
	xsync_waitlist_init(&x->waitlist, &x->runs);
	xsync_handoff_init(&x->send, xcall_send);
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		x->nodes[cpu].call = x;
	return x;
}
EXPORT_SYMBOL_GPL(xcall_alloc);

void xcall_free(struct xcall *x)
{
	if (!x || xcall_wait_in(x, TASK_UNINTERRUPTIBLE, KTIME_MAX, _RET_IP_))
		return;
	xcall_release(x);
}
EXPORT_SYMBOL_GPL(xcall_free);

int xcall_run(const struct cpumask *mask, xcall_func_t func, void *arg)
{
	struct xcall *x;
	int err;

	err = xcall_may_wait(_RET_IP_);
	if (err)
		return err;
	x = xcall_alloc(func, arg, XCALL_IPI, GFP_KERNEL);
	if (!x)
		return -ENOMEM;
	xcall_post(x, mask);
	err = xcall_wait(x);
	if (!err && !cpumask_empty(x->offline))
		err = -ENXIO;
	xcall_free(x);
	return err;
}
EXPORT_SYMBOL_GPL(xcall_run);

/**
 * xcall_in_function - whether the caller is a thread-mode function
 *
 * An IPI-mode function is atomic context and needs no mark of its own.
 *
 * Context: Any.
 * Return: true in such a function.
 */
bool xcall_in_function(void)
{
	return in_task() && raw_cpu_read(xcall_cpus.task) == current;
}

void xcall_counts(unsigned int cpu, struct xcall_counts *counts, bool *pending)
{
	struct xcall_cpu *box = per_cpu_ptr(&xcall_cpus, cpu);

	*counts = box->counts;
	*pending = !llist_empty(&box->ipi) || !llist_empty(&box->thread);
}

/* Runs in CPU hotplug's offline step, which functions must not wait for. */
void xcall_cpu_offline(void)
{
	lock_map_acquire(&xcall_thread_map);
	lock_map_release(&xcall_thread_map);
}

static void xcall_forget(struct llist_head *inbox, unsigned int cpu)
{
	struct llist_node *chain = llist_del_all(inbox);
	struct xcall_node *node, *next;

	llist_for_each_entry_safe(node, next, chain, node) {
		cpumask_set_cpu(cpu, node->call->offline);
		xcall_put(node->call);
	}
}

/**
 * xcall_cpu_dead - count as offline what a CPU has not run
 * @cpu: the CPU, which is gone
 *
 * Context: CPU hotplug callback.
 */
void xcall_cpu_dead(unsigned int cpu)
{
	struct xcall_cpu *box = per_cpu_ptr(&xcall_cpus, cpu);

	WRITE_ONCE(box->kick, 0);
	xcall_forget(&box->ipi, cpu);
	xcall_forget(&box->thread, cpu);
}

static int xcall_thread_should_run(unsigned int cpu)
{
	return !llist_empty(&per_cpu_ptr(&xcall_cpus, cpu)->thread);
}

static void xcall_thread(unsigned int cpu)
{
	lock_map_acquire(&xcall_thread_map);
	xcall_run_inbox(&per_cpu_ptr(&xcall_cpus, cpu)->thread);
	lock_map_release(&xcall_thread_map);
}

static struct smp_hotplug_thread xcall_threads = {
	.store = &xcall_cpus.task,
	.thread_should_run = xcall_thread_should_run,
	.thread_fn = xcall_thread,
	.thread_comm = "xcall/%u",
};

int xcall_init(void)
{
	unsigned int cpu;

	xsync_misuse_init(&xcall_misuse, "xcall");
	lockdep_init_map(&xcall_thread_map, "xcall_thread", &xcall_thread_key, 0);
	for_each_possible_cpu(cpu) {
		struct xcall_cpu *box = per_cpu_ptr(&xcall_cpus, cpu);

		init_llist_head(&box->ipi);
		init_llist_head(&box->thread);
		INIT_CSD(&box->csd, xcall_kicked, box);
	}
	return smpboot_register_percpu_thread(&xcall_threads);
}

static void xcall_nothing(void *unused)
{
}

void xcall_exit(void)
{
	smpboot_unregister_percpu_thread(&xcall_threads);
	/*
	 * An IPI may be under way although there is nothing left for it to run: a
	 * sender that is its own target has emptied the inbox.  What comes after it
	 * on each CPU runs with it, with interrupts off, for which RCU waits.
	 */
	on_each_cpu(xcall_nothing, NULL, 1);
	synchronize_rcu();
	xsync_handoff_sync(&xcall_misuse.report);
}
