// SPDX-License-Identifier: GPL-2.0-only
/*
 * stall - name what does not end: once, and then it is waited for on.
 *
 * A grace period is looked at by its poller, a cross-call by whoever waits for it;
 * both come here when the module parameter stall_ms has gone by.  One report says
 * what does not end, since when, on which CPUs, and who waits.
 *
 * The stack.  A module cannot send an NMI to another CPU, so the first of the CPUs
 * is asked for its stack by an IPI: a read section with interrupts on shows itself
 * at once, one with interrupts off when they are on again, which the message says.
 * A thread-mode function that sleeps is shown as its thread's stack.  One stack is
 * asked for at a time; a report that comes meanwhile goes without.
 *
 * Unload.  The IPI is waited for with the others, see xcall_inboxes_exit().
 */
#define pr_fmt(fmt) "xsync: " fmt

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include "compat/stacktrace.h"
#include "inbox.h"
#include "trace.h"

#define XSYNC_STACK_DEPTH	24

static unsigned int xsync_stall_ms = 10000;
module_param_named(stall_ms, xsync_stall_ms, uint, 0600);
MODULE_PARM_DESC(stall_ms, "report a grace period or cross-call that is open for so long, 0: never (10000)");

/* One report at a time; raw because the poller runs in hard interrupts. */
static DEFINE_RAW_SPINLOCK(xsync_stall_lock);
static struct cpumask xsync_stall_cpus;	/* under xsync_stall_lock */

static struct {
	call_single_data_t csd;
	unsigned long busy;		/* bit 0: whoever set it owns the rest */
	u64 asked;
	unsigned long entries[XSYNC_STACK_DEPTH];
} xsync_stack;

/**
 * xsync_stalled - whether an age is to be reported
 * @age_ns: the age
 *
 * Context: Any.
 * Return: true if so.
 */
bool xsync_stalled(u64 age_ns)
{
	u64 limit = READ_ONCE(xsync_stall_ms);

	return limit && age_ns >= limit * NSEC_PER_MSEC;
}

/**
 * xsync_stall_at - when what begins now is to be reported
 * @now: of any clock
 *
 * Context: Any.
 * Return: the time; KTIME_MAX: never.
 */
ktime_t xsync_stall_at(ktime_t now)
{
	u64 limit = READ_ONCE(xsync_stall_ms);

	return limit ? ktime_add_ms(now, limit) : KTIME_MAX;
}

static void xsync_print_stack(unsigned int depth)
{
	unsigned int i;

	for (i = 0; i < depth; i++)
		pr_warn("  %pS\n", (void *)xsync_stack.entries[i]);
}

/* On the CPU whose stack is asked for. */
static void xsync_show_stack(void *unused)
{
	u64 late = ktime_get_mono_fast_ns() - xsync_stack.asked;
	unsigned int depth;

	depth = stack_trace_save(xsync_stack.entries, XSYNC_STACK_DEPTH, 0);
	pr_warn("CPU %u, asked for its stack, answered after %llu us, in %s[%d]%s\n",
		raw_smp_processor_id(), div_u64(late, NSEC_PER_USEC),
		current->comm, current->pid, depth ? ":" : ", without one");
	xsync_print_stack(depth);
	clear_bit_unlock(0, &xsync_stack.busy);
}

static void xsync_ask_for_stack(unsigned int cpu)
{
	if (cpu >= nr_cpu_ids || test_and_set_bit_lock(0, &xsync_stack.busy))
		return;

	INIT_CSD(&xsync_stack.csd, xsync_show_stack, NULL);
	xsync_stack.asked = ktime_get_mono_fast_ns();
	if (smp_call_function_single_async(cpu, &xsync_stack.csd))
		clear_bit_unlock(0, &xsync_stack.busy);
}

static void xsync_show_thread(struct task_struct *task)
{
	unsigned int depth;

	if (test_and_set_bit_lock(0, &xsync_stack.busy))
		return;
	depth = stack_trace_save_tsk(task, xsync_stack.entries, XSYNC_STACK_DEPTH, 0);
	pr_warn("%s[%d] is in state %c%s\n", task->comm, task->pid,
		task_state_to_char(task), depth ? ":" : "");
	xsync_print_stack(depth);
	clear_bit_unlock(0, &xsync_stack.busy);
}

/**
 * xsync_report_stall - say that a round of a domain stays open
 * @s: the domain
 * @age_ns: since when
 *
 * Context: Hard interrupt, or interrupts off.
 */
void xsync_report_stall(struct xsync_state *s, u64 age_ns)
{
	const char *what = "by a read section on";
	char comm[TASK_COMM_LEN];
	unsigned long flags;
	unsigned int waiters;
	pid_t pid;

	waiters = xsync_waitlist_first(&s->waitlist, comm, &pid);
	raw_spin_lock_irqsave(&xsync_stall_lock, flags);
	if (READ_ONCE(s->asked)) {
		what = "by an interrupt that has not been taken on";
		xcall_unfinished(s->ask, &xsync_stall_cpus);
	} else {
		cpumask_copy(&xsync_stall_cpus, s->pending);
	}
	pr_warn("%s: a grace period is held up for %llu ms %s CPU %*pbl; %u tasks (%s[%d]) and %ld callbacks wait\n",
		s->name, div_u64(age_ns, NSEC_PER_MSEC), what,
		cpumask_pr_args(&xsync_stall_cpus), waiters, comm, pid,
		atomic_long_read(&s->callbacks));
	xsync_trace(xsync_stall, s->name, cpumask_first(&xsync_stall_cpus), age_ns);
	xsync_ask_for_stack(cpumask_first(&xsync_stall_cpus));
	raw_spin_unlock_irqrestore(&xsync_stall_lock, flags);
}

/**
 * xcall_report_stall - say that a cross-call that the caller waits for stays open
 * @x: the request
 * @age_ns: since when the caller waits
 *
 * Context: Task context.
 */
void xcall_report_stall(struct xcall *x, u64 age_ns)
{
	bool thread = x->flags & XCALL_THREAD;
	struct xcall_glance g = {};
	unsigned long flags;
	unsigned int cpu;

	raw_spin_lock_irqsave(&xsync_stall_lock, flags);
	xcall_unfinished(x, &xsync_stall_cpus);
	cpu = cpumask_first(&xsync_stall_cpus);
	if (cpu < nr_cpu_ids)
		xcall_glance(cpu, x->flags, &g);
	pr_warn("%s[%d] waits for %llu ms for %ps on CPU %*pbl, in the %s; the first of them runs %ps\n",
		current->comm, current->pid, div_u64(age_ns, NSEC_PER_MSEC), x->func,
		cpumask_pr_args(&xsync_stall_cpus), thread ? "thread" : "interrupt",
		g.running);
	xsync_trace(xsync_stall, "xcall", cpu, age_ns);
	if (thread && cpu < nr_cpu_ids)
		xsync_show_thread(xcall_thread_of(cpu));
	xsync_ask_for_stack(cpu);
	raw_spin_unlock_irqrestore(&xsync_stall_lock, flags);
}
