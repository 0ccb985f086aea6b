// SPDX-License-Identifier: GPL-2.0-only
/*
 * inbox - bring cross-call requests to their target CPUs and run them there.
 *
 * Structures.  A request owns a node for each possible CPU.  Each possible CPU has
 * two inboxes, lockless lists of such nodes: one emptied in an IPI, one by a thread
 * bound to that CPU.
 *
 *	xcall_send()   the hand-off of a post, or
 *	xcall_send_now() a task that is going to wait: puts a node into each target's
 *		       inbox, kicks
 *	xcall_kicked() the IPI on the target, or
 *	xcall_thread() the target's thread: takes the whole inbox and runs it
 *
 * Kicks.  One IPI is sent when an inbox has nothing under way: the sender adds its
 * node and sends if it takes kick from 0 to 1; the receiver sets kick to 0, then
 * takes the list.  Only the function that the IPI runs clears kick, so there is
 * never a second IPI of ours under way to a CPU, and the one descriptor that the
 * CPU has for us is free when kick is 0: the kernel frees it before it calls the
 * function.  A sender that is its own target empties its inbox itself and leaves
 * kick alone.
 *
 * The task that sends has interrupts off while it fills the inboxes, and on while
 * it sends to all of them at once: the kernel's function for that may wait for
 * another CPU.  It cannot be preempted from the one to the other.
 *
 * Order.  The nodes of one source CPU go through its outbox into the inboxes, each
 * a first-in-first-out queue; a task that sends empties its outbox first.  So per
 * source, target and mode, functions run in the order in which they were posted.
 *
 * Memory ordering.
 *  A  sender: llist_add(), then xchg(kick); receiver: kick = 0, full barrier,
 *     then llist_del_all().  The sender sends, or its node is taken.
 *  C  the kernel's release of the IPI's descriptor, then the release of kick: who
 *     takes kick by xchg() finds the descriptor free.
 *  D  target: running = 1, full barrier, then the read of cancelled; xcall_cancel():
 *     cancelled, full barrier, then the read of running.  Either the function does
 *     not begin, or it is waited for; release and acquire of running = 0 put what
 *     it did before what comes after the cancellation.
 *
 * Hotplug.  Sending runs with preemption off, so a target that was seen online
 * cannot go down before its node is in its inbox and its IPI sent.  What a CPU has
 * not run when it is dead is counted as offline by the dead callback and never runs:
 * its thread is closed, and an IPI that was sent is run by the CPU on its way down.
 * The offline callback closes the thread and waits for the function that it runs.
 * Parking, which comes later, would be too late for that: ksoftirqd is parked before,
 * and on PREEMPT_RT no timer that the function may sleep on fires then.  If the CPU
 * stays in the end, the online callback opens the thread again.  A thread function
 * must not wait for CPU hotplug; lockdep sees the mutex.
 *
 * Unload.  Requests are idle or cancelled by then, but IPIs of ours may be under
 * way, to CPUs that find nothing left to run; see xcall_inboxes_exit().
 *
 * Limits.  A thread has the default priority and can be starved.  All targets of
 * a request are sent to in one go, with interrupts or preemption off.  The kernel's
 * function that sends to several CPUs waits for each of them to have taken what else
 * it sent there from this CPU and did not wait for: a target that does not answer can
 * then delay the others, and what other CPUs send to those meanwhile.
 */
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/smpboot.h>
#include "inbox.h"
#include "trace.h"

struct xcall_inbox {
	struct llist_head list;
	unsigned long since;		/* jiffies when there was nothing to do before */
	xcall_func_t running;		/* written by its own CPU, for people */
};

struct xcall_cpu {
	struct xcall_inbox ipi;
	struct xcall_inbox thread;
	int kick;			/* 1: an IPI is under way */
	call_single_data_t csd;
	struct task_struct *task;
	struct mutex running;		/* held over each thread function; protects taken */
	struct llist_node *taken;	/* from the thread's inbox, the next one first */
	bool closed;			/* none begins; written by hotplug callbacks */
	struct xcall_counts counts;	/* of this CPU as a source */
};

static DEFINE_PER_CPU_ALIGNED(struct xcall_cpu, xcall_cpus);

/* The map belongs to the owner's module, which is there as long as its function. */
static void xcall_call(struct xcall *x)
{
	if (!(x->flags & XCALL_THREAD)) {
		x->func(x->arg);
		return;
	}
	lock_map_acquire(&x->map);
	x->func(x->arg);
	lock_map_release(&x->map);
}

static void xcall_run_node(struct xcall_inbox *box, struct xcall_node *node)
{
	struct xcall *x = node->call;
	unsigned int cpu = node - x->nodes;

	xchg(&node->running, 1);		/* D */
	if (!READ_ONCE(x->cancelled)) {
		WRITE_ONCE(box->running, x->func);
		xsync_trace(xcall_begin, x->func, x->flags);
		xcall_call(x);
		xsync_trace(xcall_end, x->func, x->flags);
		WRITE_ONCE(box->running, NULL);
		cpumask_set_cpu(cpu, x->ran);
	}
	smp_store_release(&node->running, 0);	/* D */
	xcall_node_passed(x);
}

/* Run all that is in an inbox of this CPU. */
static void xcall_run_inbox(struct xcall_inbox *box)
{
	struct llist_node *chain = llist_reverse_order(llist_del_all(&box->list));
	struct xcall_node *node, *next;

	llist_for_each_entry_safe(node, next, chain, node)
		xcall_run_node(box, node);
}

static void xcall_kicked(void *info)
{
	struct xcall_cpu *c = info;

	/* C */
	smp_store_release(&c->kick, 0);
	smp_mb();	/* A */
	xcall_run_inbox(&c->ipi);
}

static void xcall_kicked_here(void *unused)
{
	xcall_kicked(this_cpu_ptr(&xcall_cpus));
}

/* Returns whether it was empty. */
static bool xcall_add(struct xcall_inbox *box, struct xcall_node *node)
{
	/* Before anybody can find the node there, to whom the age would be wrong. */
	if (llist_empty(&box->list) && !READ_ONCE(box->running))
		WRITE_ONCE(box->since, jiffies);
	return llist_add(&node->node, &box->list);
}

/*
 * Put a request into a CPU's inbox, preemption being off.  Returns true if that CPU
 * has to be interrupted, which is the caller's task then.
 */
static bool xcall_deliver(struct xcall *x, unsigned int cpu)
{
	struct xcall_cpu *c = per_cpu_ptr(&xcall_cpus, cpu);

	if (!cpu_online(cpu)) {
		cpumask_set_cpu(cpu, x->offline);
		return false;
	}

	atomic_inc(&x->left);
	if (x->flags & XCALL_THREAD) {
		/* Whoever finds the inbox empty wakes; a thread that is closed sleeps on. */
		if (xcall_add(&c->thread, &x->nodes[cpu]))
			wake_up_process(c->task);
		return false;
	}

	xcall_add(&c->ipi, &x->nodes[cpu]);
	if (cpu == raw_smp_processor_id())
		return false;
	if (xchg(&c->kick, 1)) {	/* A */
		this_cpu_inc(xcall_cpus.counts.saved);
		return false;
	}
	this_cpu_inc(xcall_cpus.counts.sent);
	return true;
}

/* What the sender put into its own inbox, interrupts being off. */
static void xcall_run_own(const struct xcall *x)
{
	if (!(x->flags & XCALL_THREAD) &&
	    cpumask_test_cpu(raw_smp_processor_id(), x->targets))
		xcall_run_inbox(&this_cpu_ptr(&xcall_cpus)->ipi);
}

static void xcall_kick(unsigned int cpu)
{
	struct xcall_cpu *c = per_cpu_ptr(&xcall_cpus, cpu);
	int err = smp_call_function_single_async(cpu, &c->csd);

	if (likely(!err))
		return;
	/* Gone in spite of all: the dead callback finds the node. */
	WARN_ONCE(err != -ENXIO, "xsync: IPI to CPU %u: error %d\n", cpu, err);
	WRITE_ONCE(c->kick, 0);
}

/**
 * xcall_send - bring a request that was posted to its targets
 * @h: its hand-off
 *
 * Context: Interrupts off, no rq->lock held.
 */
void xcall_send(struct xsync_handoff *h)
{
	struct xcall *x = container_of(h, struct xcall, send);
	unsigned int cpu;

	for_each_cpu(cpu, x->targets)
		if (xcall_deliver(x, cpu))
			xcall_kick(cpu);
	xcall_run_own(x);
	xcall_node_passed(x);
}

/**
 * xcall_send_now - bring a request to its targets from a task
 * @x: the request, in flight
 *
 * Context: Task context, interrupts on.
 */
void xcall_send_now(struct xcall *x)
{
	unsigned int cpu;

	preempt_disable();
	local_irq_disable();
	xsync_outbox_pass_here();
	cpumask_clear(x->kicks);
	for_each_cpu(cpu, x->targets)
		if (xcall_deliver(x, cpu))
			__cpumask_set_cpu(cpu, x->kicks);
	local_irq_enable();

	smp_call_function_many(x->kicks, xcall_kicked_here, NULL, false);

	local_irq_disable();
	xcall_run_own(x);
	local_irq_enable();
	preempt_enable();
	xcall_node_passed(x);
}

void xcall_count_post(void)
{
	this_cpu_inc(xcall_cpus.counts.posts);
}

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

/* The thread of a CPU, for reports. */
struct task_struct *xcall_thread_of(unsigned int cpu)
{
	return per_cpu(xcall_cpus.task, cpu);
}

void xcall_counts(unsigned int cpu, struct xcall_counts *counts)
{
	*counts = per_cpu(xcall_cpus.counts, cpu);
}

/**
 * xcall_glance - look at an inbox of any CPU
 * @cpu: whose
 * @mode: which: XCALL_IPI or XCALL_THREAD
 * @g: what was seen; it may be otherwise already
 *
 * Context: Any.
 */
void xcall_glance(unsigned int cpu, unsigned int mode, struct xcall_glance *g)
{
	struct xcall_cpu *c = per_cpu_ptr(&xcall_cpus, cpu);
	struct xcall_inbox *box = mode == XCALL_THREAD ? &c->thread : &c->ipi;

	g->running = READ_ONCE(box->running);
	g->queued = !llist_empty(&box->list) || (mode == XCALL_THREAD && READ_ONCE(c->taken));
	g->age_ms = 0;
	if ((g->queued || g->running) && time_after(jiffies, READ_ONCE(box->since)))
		g->age_ms = jiffies_to_msecs(jiffies - READ_ONCE(box->since));
}

/**
 * xcall_cpu_online - let functions begin in the thread of a CPU
 * @cpu: the CPU
 *
 * Context: CPU hotplug callback.
 */
void xcall_cpu_online(unsigned int cpu)
{
	struct xcall_cpu *c = per_cpu_ptr(&xcall_cpus, cpu);

	WRITE_ONCE(c->closed, false);
	/* There is none yet while the module is being loaded. */
	if (c->task)
		wake_up_process(c->task);
}

/**
 * xcall_cpu_offline - let no more functions begin in the thread of a CPU
 * @cpu: the CPU, alive
 *
 * Waits for the one that runs.
 *
 * Context: CPU hotplug callback.
 */
void xcall_cpu_offline(unsigned int cpu)
{
	struct xcall_cpu *c = per_cpu_ptr(&xcall_cpus, cpu);

	/*
	 * At once, so that what is queued behind does not begin first; and for certain,
	 * since whoever takes the mutex after this sees it.
	 */
	WRITE_ONCE(c->closed, true);
	mutex_lock(&c->running);
	mutex_unlock(&c->running);
}

static void xcall_forget(struct llist_node *chain, unsigned int cpu)
{
	struct xcall_node *node, *next;

	llist_for_each_entry_safe(node, next, chain, node) {
		cpumask_set_cpu(cpu, node->call->offline);
		xcall_node_passed(node->call);
	}
}

static void xcall_thread_forget(unsigned int cpu)
{
	struct xcall_cpu *c = per_cpu_ptr(&xcall_cpus, cpu);

	mutex_lock(&c->running);
	xcall_forget(c->taken, cpu);
	WRITE_ONCE(c->taken, NULL);
	xcall_forget(llist_del_all(&c->thread.list), cpu);
	mutex_unlock(&c->running);
}

/**
 * xcall_cpu_dead - count as offline what a CPU has not run
 * @cpu: the CPU, which is gone
 *
 * Context: CPU hotplug callback.
 */
void xcall_cpu_dead(unsigned int cpu)
{
	struct xcall_cpu *c = per_cpu_ptr(&xcall_cpus, cpu);

	WRITE_ONCE(c->kick, 0);
	xcall_forget(llist_del_all(&c->ipi.list), cpu);
	xcall_thread_forget(cpu);
}

static int xcall_thread_should_run(unsigned int cpu)
{
	struct xcall_cpu *c = per_cpu_ptr(&xcall_cpus, cpu);

	return !READ_ONCE(c->closed) &&
	       (READ_ONCE(c->taken) || !llist_empty(&c->thread.list));
}

/* What is to be run next, or NULL. */
static struct xcall_node *xcall_thread_next(struct xcall_cpu *c)
{
	struct llist_node *node;

	lockdep_assert_held(&c->running);
	if (READ_ONCE(c->closed))
		return NULL;
	node = c->taken ?: llist_reverse_order(llist_del_all(&c->thread.list));
	if (!node)
		return NULL;
	WRITE_ONCE(c->taken, node->next);
	return llist_entry(node, struct xcall_node, node);
}

static void xcall_thread(unsigned int cpu)
{
	struct xcall_cpu *c = per_cpu_ptr(&xcall_cpus, cpu);
	struct xcall_node *node;

	do {
		mutex_lock(&c->running);
		node = xcall_thread_next(c);
		if (node)
			xcall_run_node(&c->thread, node);
		mutex_unlock(&c->running);
		cond_resched();
	} while (node && READ_ONCE(c->taken));
}

static struct smp_hotplug_thread xcall_threads = {
	.store = &xcall_cpus.task,
	.thread_should_run = xcall_thread_should_run,
	.thread_fn = xcall_thread,
	.thread_comm = "xcall/%u",
};

void xcall_inboxes_setup(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct xcall_cpu *c = per_cpu_ptr(&xcall_cpus, cpu);

		init_llist_head(&c->ipi.list);
		init_llist_head(&c->thread.list);
		INIT_CSD(&c->csd, xcall_kicked, c);
		mutex_init(&c->running);
	}
}

int xcall_inboxes_init(void)
{
	return smpboot_register_percpu_thread(&xcall_threads);
}

void xcall_inboxes_exit(void)
{
	unsigned int cpu;

	/* The sends of requests that were cancelled and freed. */
	xsync_outboxes_sync();
	smpboot_unregister_percpu_thread(&xcall_threads);
	/*
	 * An IPI may be under way although there is nothing left for it to run: a
	 * sender that is its own target has emptied the inbox.  It runs with interrupts
	 * off, for which RCU waits.
	 */
	for_each_possible_cpu(cpu)
		while (READ_ONCE(per_cpu(xcall_cpus.kick, cpu)))
			schedule_timeout_uninterruptible(1);
	synchronize_rcu();
	/* A thread does not run what it has not begun: cancelled, all of it. */
	for_each_possible_cpu(cpu)
		xcall_thread_forget(cpu);
}
