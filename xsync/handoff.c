// SPDX-License-Identifier: GPL-2.0-only
/*
 * handoff - move work out of a context in which next to nothing is legal.
 *
 * Problem.  In an NMI, or under a runqueue lock, a probe may not wake, take an
 * ordinary lock or send an IPI.  It may add to a lockless list and queue a hard
 * irq_work on its own CPU.  Everything in this module that starts in any context
 * goes through the one step here.
 *
 * Structures.  Each possible CPU has an outbox: a lockless list and one hard
 * irq_work.  xsync_handoff() claims the caller's node, adds it to the outbox of
 * this CPU and queues the irq_work.  A pass takes the whole list, turns it round
 * and runs it, so the functions of one CPU run in the order of their llist_add().
 *
 * States of a node.  queued == 0: idle.  0 -> 1 by whoever hands it off; from
 * then on the node is the outbox's.  1 -> 0 by the pass, right before it calls
 * the function.  The pass does not look at the node after that: it may be gone.
 *
 * Hotplug.  An irq_work that is queued on a CPU which is past the point where
 * its SMP functions die is lost, and takes all other irq_work of that CPU with
 * it.  So on a CPU that is not online nothing is queued; the node waits in the
 * outbox until the CPU's dead callback (it went down) or online callback (it
 * came up) makes the pass.  With preemption off a CPU that was seen online
 * cannot reach that point, since it is taken down by stop_machine().  There is
 * one pass at a time per outbox: in the irq_work, in the online callback and in a
 * task that sends a cross-call it runs on its own CPU with interrupts off, in the
 * dead callback that CPU is gone.
 *
 * Memory ordering.
 *  A  xsync_handoff()'s xchg() against the pass's smp_mb(): whoever is told
 *     "already queued" has its earlier stores seen by the function.
 *  B  the pass's first smp_mb() against xsync_handoff_sync()'s acquire: whoever
 *     sees the node idle sees the pass that runs it as begun.
 *  C  the end of a pass against xsync_handoff_sync()'s acquire: what the functions
 *     did is before what the one who waited does.
 *
 * Limits.  A pass runs all there is with interrupts off.  The same function may
 * run on two CPUs at once when it is handed off on another CPU while it runs.
 */
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include "internal.h"
#include "xcall.h"

struct xsync_outbox {
	struct llist_head list;
	struct irq_work work;
	unsigned long passes;	/* odd while a pass runs; written by the pass */
	unsigned long handoffs;	/* how many were queued; written by this CPU */
};

static DEFINE_PER_CPU_ALIGNED(struct xsync_outbox, xsync_outboxes);

bool xsync_handoff(struct xsync_handoff *h)
{
	struct xsync_outbox *box;
	bool claimed;

	/* Whoever claimed it must not be kept from its CPU before it is in the outbox. */
	preempt_disable_notrace();
	claimed = !xchg(&h->queued, 1);	/* A */
	if (!claimed)
		goto out;

	box = this_cpu_ptr(&xsync_outboxes);
	this_cpu_inc(xsync_outboxes.handoffs);
	llist_add(&h->node, &box->list);
	if (likely(cpu_online(raw_smp_processor_id())))
		irq_work_queue(&box->work);
out:
	preempt_enable_notrace();
	return claimed;
}
EXPORT_SYMBOL_GPL(xsync_handoff);

static void xsync_outbox_pass(struct xsync_outbox *box)
{
	struct xsync_handoff *h, *next;
	struct llist_node *chain;

	lockdep_assert_irqs_disabled();

	WRITE_ONCE(box->passes, box->passes + 1);
	smp_mb();	/* B */

	chain = llist_reverse_order(llist_del_all(&box->list));
	llist_for_each_entry_safe(h, next, chain, node) {
		xsync_handoff_func_t func = h->func;

		WRITE_ONCE(h->queued, 0);
		smp_mb();	/* A */
		func(h);
	}

	/* C: all functions of the pass before its end. */
	smp_store_release(&box->passes, box->passes + 1);
}

static void xsync_outbox_work(struct irq_work *work)
{
	xsync_outbox_pass(container_of(work, struct xsync_outbox, work));
}

/**
 * xsync_outbox_drain - make the pass that no irq_work will make
 * @cpu: this CPU, which has come online, or one that is dead
 *
 * Context: CPU hotplug callback.
 */
void xsync_outbox_drain(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	xsync_outbox_pass(per_cpu_ptr(&xsync_outboxes, cpu));
	local_irq_restore(flags);
}

/**
 * xsync_outbox_pass_here - make the pass of this CPU that is due, at once
 *
 * Context: Task context, interrupts off, no rq->lock held.
 */
void xsync_outbox_pass_here(void)
{
	struct xsync_outbox *box = this_cpu_ptr(&xsync_outboxes);

	if (!llist_empty(&box->list))
		xsync_outbox_pass(box);
}

/**
 * xsync_relax - between two looks at what is short, as a rule
 * @since: when the looking began
 *
 * A pass that is held up by a CPU going down is not short.
 *
 * Context: Task context, may sleep.
 */
void xsync_relax(u64 since)
{
	if (ktime_get_mono_fast_ns() - since < XSYNC_SPIN_NS)
		cpu_relax();
	else
		schedule_timeout_uninterruptible(1);
}

static void xsync_outbox_wait_pass(struct xsync_outbox *box)
{
	unsigned long pass = smp_load_acquire(&box->passes);	/* C */
	u64 since = ktime_get_mono_fast_ns();

	if (!(pass & 1))
		return;
	while (smp_load_acquire(&box->passes) == pass)	/* C */
		xsync_relax(since);
}

void xsync_handoff_sync(struct xsync_handoff *h)
{
	u64 since = ktime_get_mono_fast_ns();
	unsigned int cpu;

	might_sleep();
	do {
		while (smp_load_acquire(&h->queued))	/* B */
			xsync_relax(since);
		for_each_possible_cpu(cpu)
			xsync_outbox_wait_pass(per_cpu_ptr(&xsync_outboxes, cpu));
	} while (smp_load_acquire(&h->queued));	/* B */
}
EXPORT_SYMBOL_GPL(xsync_handoff_sync);

/**
 * xsync_outbox_counts - for debugfs
 * @cpu: whose outbox
 * @queued: set to whether something is in it
 *
 * Return: how many hand-offs went through it.
 */
unsigned long xsync_outbox_counts(unsigned int cpu, bool *queued)
{
	struct xsync_outbox *box = per_cpu_ptr(&xsync_outboxes, cpu);

	*queued = !llist_empty(&box->list);
	return READ_ONCE(box->handoffs);
}

void xsync_handoff_setup(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct xsync_outbox *box = per_cpu_ptr(&xsync_outboxes, cpu);

		init_llist_head(&box->list);
		box->work = IRQ_WORK_INIT_HARD(xsync_outbox_work);
	}
}

/**
 * xsync_outboxes_sync - wait for what was handed off on all CPUs
 *
 * Context: Task context, may sleep.
 */
void xsync_outboxes_sync(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		irq_work_sync(&per_cpu_ptr(&xsync_outboxes, cpu)->work);
}

/* Nobody is left who could hand anything off; the last passes may still run. */
void xsync_handoff_teardown(void)
{
	unsigned int cpu;

	xsync_outboxes_sync();
	for_each_possible_cpu(cpu)
		WARN_ONCE(!llist_empty(&per_cpu_ptr(&xsync_outboxes, cpu)->list),
			  "xsync: a hand-off on CPU %u outlived its owner\n", cpu);
}
