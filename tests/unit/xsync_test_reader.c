// SPDX-License-Identifier: GPL-2.0-only
/* Threads and readers that the cases hold where they want them. */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <xsync/internal.h>
#include "xsync_test.h"

struct task_struct *thread_on(struct xut *t, unsigned int cpu,
			      int (*fn)(void *arg), void *arg)
{
	struct task_struct *task = kthread_create(fn, arg, "xut/%u", cpu);

	if (!XUT_EXPECT(t, !IS_ERR(task)))
		return NULL;
	kthread_bind(task, cpu);
	/* kthread_stop() may come before its function has begun. */
	get_task_struct(task);
	wake_up_process(task);
	return task;
}

/* What a thread does that is through: wait for kthread_stop(). */
void thread_idle(void)
{
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
}

void hold_here(void *arg)
{
	struct hold *h = arg;

	smp_store_release(&h->begun, 1);	/* pairs with the case */
	while (!READ_ONCE(h->release))
		cpu_relax();
}

static int deaf_thread(void *arg)
{
	struct deaf *d = arg;

	local_irq_disable();
	smp_store_release(&d->silent, 1);	/* pairs with deaf_begin() */
	while (!READ_ONCE(d->hear))
		cpu_relax();
	local_irq_enable();
	thread_idle();
	return 0;
}

bool deaf_begin(struct xut *t, struct deaf *d, unsigned int cpu)
{
	*d = (struct deaf){};
	d->task = thread_on(t, cpu, deaf_thread, d);
	return d->task && XUT_WAIT(t, smp_load_acquire(&d->silent));	/* deaf_thread() */
}

void deaf_end(struct deaf *d)
{
	WRITE_ONCE(d->hear, 1);
	if (!d->task)
		return;
	kthread_stop(d->task);
	put_task_struct(d->task);
}

static int reader_thread(void *arg)
{
	struct reader *r = arg;
	unsigned long cookie = xsync_enter(r->d);
	int done = 1;

	WRITE_ONCE(r->inside, 1);
	while (!READ_ONCE(r->leave)) {
		cpu_relax();
		if (READ_ONCE(r->again) < done)
			continue;
		/* With interrupts off nobody on this CPU looks in between. */
		local_irq_disable();
		xsync_exit(r->d, cookie);
		cookie = xsync_enter(r->d);
		local_irq_enable();
		WRITE_ONCE(r->inside, ++done);
	}
	xsync_exit(r->d, cookie);

	thread_idle();
	return 0;
}

bool reader_enter(struct xut *t, struct reader *r, struct xsync_domain *d,
		  unsigned int cpu)
{
	*r = (struct reader) { .d = d };
	r->task = thread_on(t, cpu, reader_thread, r);
	if (!r->task)
		return false;
	if (XUT_WAIT(t, READ_ONCE(r->inside) == 1))
		return true;
	reader_leave(r);
	return false;
}

bool reader_reenter(struct xut *t, struct reader *r)
{
	WRITE_ONCE(r->again, r->again + 1);
	return XUT_WAIT(t, READ_ONCE(r->inside) == 1 + r->again);
}

void reader_leave(struct reader *r)
{
	WRITE_ONCE(r->leave, 1);
	kthread_stop(r->task);
	put_task_struct(r->task);
}

bool spare_cpus(struct xut *t, unsigned int *cpus, unsigned int n)
{
	unsigned int mine = cpumask_first(cpu_online_mask);
	unsigned int cpu = mine;
	unsigned int i;

	for (i = 0; i < n; i++) {
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids) {
			xut_skip(t, "needs more CPUs");
			return false;
		}
		cpus[i] = cpu;
	}
	xut_pin(t, mine);
	return true;
}

bool domain_begin(struct xut *t, struct xsync_domain *d)
{
	return XUT_EXPECT_EQ(t, xsync_domain_init(d, t->name, t->with), 0);
}

static bool driven(const struct xsync_state *s)
{
	return test_bit_acquire(XSYNC_DRIVING, &s->flags);
}

/*
 * Whoever begins a round asks after that, and who finds it answered scans after that:
 * both while driving, so nobody must be at it when @asked is looked at, nor after that.
 */
static bool scanned(struct xsync_state *s)
{
	/* Before driven(): pairs with the store in xsync_begin_round(). */
	if (!(smp_load_acquire(&s->seq) & 1) || driven(s))
		return false;
	/* Before driven() again: pairs with the end of XSYNC_DRIVING. */
	return !smp_load_acquire(&s->asked) && !driven(s);
}

bool round_has_begun(struct xut *t, struct xsync_domain *d)
{
	return XUT_WAIT(t, scanned(d->state));
}

void domain_end(struct xut *t, struct xsync_domain *d)
{
	xut_step(t, "end of the domain");
	XUT_EXPECT_EQ(t, xsync_barrier(d), 0);
	XUT_EXPECT_EQ(t, xsync_synchronize(d), 0);
	XUT_EXPECT_EQ(t, xsync_domain_destroy(d), 0);
}
