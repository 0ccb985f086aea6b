/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * solaris - the names by which a port of DTrace knows what xsync does.
 *
 * For a port's own sources; nothing of xsync uses it.  The semantics are those of
 * the illumos kernel (dtrace_sync(), dtrace_xcall() of its DTrace, xc_call() and
 * xc_sync() of its x86 cross-calls); each function says what differs.
 *
 * Common to all: where Solaris spins until the others have answered, the caller here
 * sleeps.  So these are for task context, while on Solaris some were called in
 * interrupts as well; called where it cannot be legal they return an error and do
 * nothing, and the compiler sees to it that somebody looks.  What must go on from
 * an interrupt is xsync_call() and xcall_post().
 *
 * The port defines the domain of its probe context and begins it before the first
 * probe fires:
 *
 *	struct xsync_domain dtrace_xsync_domain;
 *
 *	err = xsync_domain_init(&dtrace_xsync_domain, "dtrace", XSYNC_FENCED);
 */
#ifndef _XSYNC_SOLARIS_H
#define _XSYNC_SOLARIS_H

#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/smp.h>
#include <linux/types.h>
#include <xsync/xcall.h>
#include <xsync/xsync.h>

extern struct xsync_domain dtrace_xsync_domain;

typedef int processorid_t;
typedef void (*dtrace_xcall_t)(void *);
typedef uintptr_t xc_arg_t;
typedef int (*xc_func_t)(xc_arg_t, xc_arg_t, xc_arg_t);

typedef struct dtrace_icookie {
	unsigned long flags;
	unsigned long section;
} dtrace_icookie_t;

#define DTRACE_CPUALL	(-1)

/**
 * dtrace_interrupt_disable - enter probe context
 *
 * Differs: the cookie is a structure; on PREEMPT_RT, too, interrupts are really off.
 *
 * Context: Any.
 * Return: a cookie for dtrace_interrupt_enable().
 */
static inline dtrace_icookie_t dtrace_interrupt_disable(void)
{
	dtrace_icookie_t cookie;

	local_irq_save(cookie.flags);
	cookie.section = xsync_enter(&dtrace_xsync_domain);
	return cookie;
}

/**
 * dtrace_interrupt_enable - leave probe context
 * @cookie: from the matching dtrace_interrupt_disable()
 *
 * Differs: must be called on the CPU of the other, which there goes without saying.
 *
 * Context: Any.
 */
static inline void dtrace_interrupt_enable(dtrace_icookie_t cookie)
{
	xsync_exit(&dtrace_xsync_domain, cookie.section);
	local_irq_restore(cookie.flags);
}

/**
 * dtrace_sync - wait until every CPU has left the probe context it was in
 *
 * Differs: waits for what dtrace_interrupt_disable() and xsync_enter() of the domain
 * began, not for every stretch with interrupts off.
 *
 * Context: Task context, sleeps.
 * Return: 0, or an error of xsync_synchronize(): nothing was waited for, so nothing
 *	   may be freed.
 */
static inline int __must_check dtrace_sync(void)
{
	return xsync_synchronize(&dtrace_xsync_domain);
}

/**
 * dtrace_xcall - run a function on a CPU, or on all, and wait
 * @cpu: which, or DTRACE_CPUALL
 * @func: what to run, with interrupts off; must not sleep
 * @arg: its argument
 *
 * Differs: a CPU that is not online is told.
 *
 * Context: Task context, sleeps.
 * Return: 0; -EINVAL if there can be no such CPU; else as xcall_run(), where with
 *	   DTRACE_CPUALL only CPUs that were online to begin with count.
 */
static inline int __must_check dtrace_xcall(processorid_t cpu, dtrace_xcall_t func,
					    void *arg)
{
	if (cpu == DTRACE_CPUALL)
		return xcall_run(cpu_online_mask, func, arg);
	if (cpu < 0 || cpu >= nr_cpu_ids)
		return -EINVAL;
	return xcall_run(cpumask_of(cpu), func, arg);
}

/* private: the three arguments of a cross-call on their way. */
struct __xc_call {
	xc_func_t func;
	xc_arg_t arg[3];
};

/* private: */
static inline void __xc_func(void *arg)
{
	struct __xc_call *call = arg;

	call->func(call->arg[0], call->arg[1], call->arg[2]);
}

/**
 * xc_call - run a function on a set of CPUs, and wait until all have run it
 * @arg1: its first argument
 * @arg2: its second argument
 * @arg3: its third argument
 * @set: a bit for each CPU, BITS_TO_LONGS(nr_cpu_ids) words; the caller's CPU may
 *	 be among them
 * @func: what to run, with interrupts off; must not sleep; its result is not used
 *
 * Differs: the caller sleeps; CPUs of @set that are not online are told, there they
 * must not be in it.
 *
 * Context: Task context, sleeps.
 * Return: as xcall_run().
 */
static inline int __must_check xc_call(xc_arg_t arg1, xc_arg_t arg2, xc_arg_t arg3,
				       unsigned long *set, xc_func_t func)
{
	struct __xc_call call = { .func = func, .arg = { arg1, arg2, arg3 } };

	return xcall_run(to_cpumask(set), __xc_func, &call);
}

/**
 * xc_sync - run a function on a set of CPUs, and wait until all have run it
 * @arg1: as xc_call()
 * @arg2: as xc_call()
 * @arg3: as xc_call()
 * @set: as xc_call()
 * @func: as xc_call()
 *
 * Differs: there no CPU goes on before all have run @func; here only the caller
 * waits, since CPUs that wait for each other with interrupts off can deadlock.
 *
 * Context: Task context, sleeps.
 * Return: as xcall_run().
 */
static inline int __must_check xc_sync(xc_arg_t arg1, xc_arg_t arg2, xc_arg_t arg3,
				       unsigned long *set, xc_func_t func)
{
	return xc_call(arg1, arg2, arg3, set, func);
}

#endif /* _XSYNC_SOLARIS_H */
