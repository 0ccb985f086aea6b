/* SPDX-License-Identifier: GPL-2.0-only */
/* Run a function in each of the contexts that the layers promise to work in. */
#ifndef _XUT_CONTEXT_H
#define _XUT_CONTEXT_H

enum xut_context {
	XUT_TASK,	/* task, preemptible */
	XUT_SOFTIRQ,	/* soft hrtimer; a thread on PREEMPT_RT */
	XUT_HARDIRQ,	/* hard irq_work */
	XUT_HRTIMER,	/* hard hrtimer: the timer interrupt */
	XUT_IRQSOFF,	/* task with interrupts off */
	XUT_RQLOCK,	/* in schedule(), under this CPU's runqueue lock */
	XUT_NMI,	/* NMI that the CPU sent to itself */
	XUT_NR_CONTEXTS,
};

/**
 * xut_run_in - run a function in a context and wait until it returned
 * @context: where
 * @fn: what; must be fit for that context
 * @arg: its argument
 *
 * XUT_IRQSOFF, XUT_RQLOCK and XUT_NMI run on the CPU on which the caller is then;
 * a caller that wants a certain CPU binds itself to it, and even then the soft
 * hrtimer may run elsewhere on PREEMPT_RT.
 *
 * Context: Task context, may sleep.
 * Return: 0, -EOPNOTSUPP where the kernel has no tracepoints or NMIs cannot be
 *	   sent, -ETIMEDOUT if a sent one never came, -ENOMEM.
 */
int xut_run_in(enum xut_context context, void (*fn)(void *arg), void *arg);

/**
 * xut_nmi_self - send an NMI to this CPU and run a function in it
 * @fn: what; fit for NMI context
 * @arg: its argument
 *
 * Unlike xut_run_in() it may be called with preemption or interrupts off.
 *
 * Context: Task, softirq or hardirq context.
 * Return: as xut_run_in().
 */
int xut_nmi_self(void (*fn)(void *arg), void *arg);

/**
 * xut_rqlock_self - run a function under this CPU's runqueue lock
 * @fn: what; fit for being called there: it must not wake anybody
 * @arg: its argument
 *
 * Context: Task context, sleeps.
 * Return: 0, -EOPNOTSUPP where the kernel has no tracepoints.
 */
int xut_rqlock_self(void (*fn)(void *arg), void *arg);

int xut_rqlock_init(void);
void xut_rqlock_exit(void);
int xut_nmi_init(void);
void xut_nmi_exit(void);

#endif /* _XUT_CONTEXT_H */
