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
 * A thread-mode function that sleeps is shown as its thread's stack.
 *
 * One report is made at a time, up to the stack that was asked for.  Nobody waits for
 * that: a report that comes meanwhile says who waits and for how long, without CPUs.
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
#include <linux/timekeeping.h>
#include "compat/stacktrace.h"
#include "inbox.h"
#include "trace.h"

#define XSYNC_STACK_DEPTH	24

static unsigned int xsync_stall_ms = 10000;
module_param_named(stall_ms, xsync_stall_ms, uint, 0600);
MODULE_PARM_DESC(stall_ms, "report a grace period or cross-call that is open for so long, 0: never (10000)");

static struct {
	unsigned long busy;		/* bit 0: whoever set it owns the rest */
	struct cpumask cpus;		/* what is not finished */
	u64 asked;
	call_single_data_t csd;
	unsigned long entries[XSYNC_STACK_DEPTH];
} xsync_stall;

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
		pr_warn("  %pS\n", (void *)xsync_stall.entries[i]);
}

/* On the CPU whose stack is asked for: the last part of a report. */
static void xsync_show_stack(void *unused)
{
	u64 late = xsync_age(xsync_stall.asked);
	unsigned int depth;

	depth = stack_trace_save(xsync_stall.entries, XSYNC_STACK_DEPTH, 0);
	pr_warn("CPU %u, asked for its stack, answered after %llu us, in %s[%d]%s\n",
		raw_smp_processor_id(), div_u64(late, NSEC_PER_USEC),
		current->comm, current->pid, depth ? ":" : ", without one");
	xsync_print_stack(depth);
	clear_bit_unlock(0, &xsync_stall.busy);
}

/* The end of the report by this CPU; the one that is asked ends it altogether. */
static void xsync_ask_for_stack(unsigned int cpu)
{
	INIT_CSD(&xsync_stall.csd, xsync_show_stack, NULL);
	xsync_stall.asked = ktime_get_mono_fast_ns();
	if (cpu >= nr_cpu_ids || smp_call_function_single_async(cpu, &xsync_stall.csd))
		clear_bit_unlock(0, &xsync_stall.busy);
}

static void xsync_show_thread(struct task_struct *task)
{
	unsigned int depth = stack_trace_save_tsk(task, xsync_stall.entries,
						  XSYNC_STACK_DEPTH, 0);

	pr_warn("%s[%d] is in state %c%s\n", task->comm, task->pid,
		task_state_to_char(task), depth ? ":" : "");
	xsync_print_stack(depth);
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
	bool asked = READ_ONCE(s->asked);
	char comm[TASK_COMM_LEN];
	unsigned int waiters, cpu;
	pid_t pid;

	cpu = asked ? xcall_first_unfinished(s->ask) : cpumask_first(s->pending);
	xsync_trace(xsync_stall, s->name, cpu, age_ns);
	waiters = xsync_waitlist_first(&s->waitlist, comm, &pid);
	pr_warn("%s: a grace period is held up for %llu ms; %u tasks (%s[%d]) and %ld callbacks wait\n",
		s->name, div_u64(age_ns, NSEC_PER_MSEC), waiters, comm, pid,
		atomic_long_read(&s->callbacks));
	if (test_and_set_bit_lock(0, &xsync_stall.busy))
		return;

	if (asked)
		xcall_unfinished(s->ask, &xsync_stall.cpus);
	else
		cpumask_copy(&xsync_stall.cpus, s->pending);
	if (asked && READ_ONCE(s->ask->send.queued))
		pr_warn("%s: by an interrupt that waits on some CPU to be sent\n", s->name);
	pr_warn("%s: by %s CPU %*pbl\n", s->name,
		asked ? "an interrupt that has not been taken on" : "a read section on",
		cpumask_pr_args(&xsync_stall.cpus));
	xsync_ask_for_stack(cpu);
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
	unsigned int cpu = xcall_first_unfinished(x);
	struct xcall_glance g = {};

	xsync_trace(xsync_stall, "xcall", cpu, age_ns);
	pr_warn("%s[%d] waits for %llu ms for %ps in the %s of other CPUs\n",
		current->comm, current->pid, div_u64(age_ns, NSEC_PER_MSEC), x->func,
		thread ? "thread" : "interrupt");
	if (test_and_set_bit_lock(0, &xsync_stall.busy))
		return;

	xcall_unfinished(x, &xsync_stall.cpus);
	if (cpu < nr_cpu_ids)
		xcall_glance(cpu, x->flags, &g);
	pr_warn("%s[%d] waits for CPU %*pbl; the first of them runs %ps\n",
		current->comm, current->pid, cpumask_pr_args(&xsync_stall.cpus), g.running);
	if (thread && cpu < nr_cpu_ids)
		xsync_show_thread(xcall_thread_of(cpu));
	xsync_ask_for_stack(cpu);
}
