// SPDX-License-Identifier: GPL-2.0-only
/* Read sections, tickets and waits. */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <xsync/internal.h>
#include "xsync_test.h"

#define MANY	1000

/* A grace period is started in this context, while nobody and while somebody is inside. */

struct started {
	struct xsync_domain *d;
	unsigned long ticket;
	bool done_at_once;
};

static void start_it(void *arg)
{
	struct started *s = arg;

	s->ticket = xsync_start(s->d);
	s->done_at_once = xsync_poll(s->d, s->ticket);
}

static void start_completes(struct xut *t)
{
	struct xsync_domain d;
	struct started s = { .d = &d };

	if (!domain_begin(t, &d))
		return;
	if (xut_run_here(t, start_it, &s)) {
		if (t->with == XSYNC_FENCED)
			XUT_EXPECT(t, s.done_at_once);
		XUT_WAIT(t, xsync_poll(&d, s.ticket));
	}
	domain_end(t, &d);
}

static void start_waits_for_reader(struct xut *t, struct xsync_domain *d,
				   unsigned int cpu)
{
	struct started s = { .d = d };
	struct reader r;

	if (!reader_enter(t, &r, d, cpu))
		return;
	if (xut_run_here(t, start_it, &s)) {
		XUT_EXPECT(t, !s.done_at_once);
		XUT_EXPECT(t, !xsync_poll(d, s.ticket));
	}
	reader_leave(&r);
	if (!t->skipped) {
		xut_step(t, "nobody looks but the poller");
		XUT_WAIT(t, xsync_passed(d->state, s.ticket));
	}
}

static void start_from(struct xut *t)
{
	struct xsync_domain d;
	unsigned int cpu;

	start_completes(t);
	if (t->skipped || !spare_cpus(t, &cpu, 1) || !domain_begin(t, &d))
		return;
	start_waits_for_reader(t, &d, cpu);
	domain_end(t, &d);
}

static const struct xut_case grace_period_cases[] = {
	XUT_CONTEXT_CASES(start_from),
	{}
};

XUT_SHARED_SUITE(grace_period, grace_period_cases);
XUT_SUITE_WITH(grace_period_ipi, grace_period_cases, XSYNC_IPI);

/* A section in this context holds up the tickets that were given inside. */

struct section {
	struct xsync_domain *d;
	unsigned long ticket;
	bool done_inside;
	bool done_nested;
};

static void nest(void *arg)
{
	struct section *s = arg;
	unsigned long outer = xsync_enter(s->d);
	unsigned long inner = xsync_enter(s->d);

	xsync_exit(s->d, inner);
	s->ticket = xsync_start(s->d);
	s->done_nested = xsync_poll(s->d, s->ticket);
	inner = xsync_enter(s->d);
	xsync_exit(s->d, inner);
	/* A start looks at the open round. */
	xsync_start(s->d);
	s->done_inside = xsync_poll(s->d, s->ticket);
	xsync_exit(s->d, outer);
}

static void section_in(struct xut *t)
{
	struct xsync_domain d;
	struct section s = { .d = &d };

	if (!domain_begin(t, &d))
		return;
	if (xut_run_here(t, nest, &s)) {
		XUT_EXPECT(t, !s.done_nested);
		XUT_EXPECT(t, !s.done_inside);
		XUT_WAIT(t, xsync_poll(&d, s.ticket));
	}
	domain_end(t, &d);
}

static const struct xut_case read_section_cases[] = {
	XUT_CONTEXT_CASES(section_in),
	{}
};

XUT_SHARED_SUITE(read_section, read_section_cases);
XUT_SUITE_WITH(read_section_ipi, read_section_cases, XSYNC_IPI);

/* A wait in this context: allowed in a task, refused everywhere else. */

struct waited {
	struct xsync_domain *d, other;
	struct xcall *x;
	int wait, killable, timeout, synchronize, barrier, destroy, in_section;
	int xcall_wait, xcall_wait_killable, xcall_wait_timeout, xcall_cancel;
	int xcall_run, xcall_run_killable, xcall_run_timeout;
};

static void nothing(void *arg)
{
}

static void wait_all_ways(void *arg)
{
	struct waited *w = arg;
	unsigned long ticket = xsync_start(w->d);
	unsigned long cookie;

	w->wait = xsync_wait(w->d, ticket);
	w->killable = xsync_wait_killable(w->d, ticket);
	w->timeout = xsync_wait_timeout(w->d, ticket, NSEC_PER_SEC);
	w->synchronize = xsync_synchronize(w->d);
	w->barrier = xsync_barrier(w->d);
	w->destroy = xsync_domain_destroy(&w->other);

	w->xcall_wait = xcall_wait(w->x);
	w->xcall_wait_killable = xcall_wait_killable(w->x);
	w->xcall_wait_timeout = xcall_wait_timeout(w->x, NSEC_PER_SEC);
	w->xcall_cancel = xcall_cancel(w->x);
	w->xcall_run = xcall_run(cpu_online_mask, nothing, NULL);
	w->xcall_run_killable = xcall_run_killable(cpu_online_mask, nothing, NULL);
	w->xcall_run_timeout = xcall_run_timeout(cpu_online_mask, nothing, NULL, NSEC_PER_SEC);

	cookie = xsync_enter(w->d);
	w->in_section = xsync_wait(w->d, ticket);
	xsync_exit(w->d, cookie);
}

static void wait_in(struct xut *t)
{
	int want = t->context == XUT_TASK ? 0 : -EWOULDBLOCK;
	struct xsync_domain d;
	struct waited w = { .d = &d, .destroy = -EBUSY };

	w.x = xcall_alloc(nothing, NULL, XCALL_IPI, GFP_KERNEL);
	if (!XUT_EXPECT(t, w.x) || !domain_begin(t, &d))
		goto free;
	if (!domain_begin(t, &w.other))
		goto end;
	if (xut_run_here(t, wait_all_ways, &w)) {
		XUT_EXPECT_EQ(t, w.wait, want);
		XUT_EXPECT_EQ(t, w.killable, want);
		XUT_EXPECT_EQ(t, w.timeout, want);
		XUT_EXPECT_EQ(t, w.synchronize, want);
		XUT_EXPECT_EQ(t, w.barrier, want);
		XUT_EXPECT_EQ(t, w.destroy, want);
		XUT_EXPECT_EQ(t, w.xcall_wait, want);
		XUT_EXPECT_EQ(t, w.xcall_wait_killable, want);
		XUT_EXPECT_EQ(t, w.xcall_wait_timeout, want);
		XUT_EXPECT_EQ(t, w.xcall_cancel, want);
		XUT_EXPECT_EQ(t, w.xcall_run, want);
		XUT_EXPECT_EQ(t, w.xcall_run_killable, want);
		XUT_EXPECT_EQ(t, w.xcall_run_timeout, want);
		XUT_EXPECT_EQ(t, w.in_section, -EDEADLK);
		XUT_EXPECT_EQ(t, d.state->misuse.count, want ? 6 : 1);
	}
	if (w.destroy)
		domain_end(t, &w.other);
end:
	domain_end(t, &d);
free:
	xcall_free(w.x);
}

static const struct xut_case refused_wait_cases[] = {
	XUT_CONTEXT_CASES(wait_in),
	{}
};

XUT_SHARED_SUITE(refused_wait, refused_wait_cases);

/*
 *	reader  [-----------]
 *	ticket       t
 *	done                 t
 */
static void reader_before_ticket_is_waited_for(struct xut *t)
{
	struct xsync_domain d;
	unsigned long ticket;
	unsigned int cpu, i;
	struct reader r;

	if (!spare_cpus(t, &cpu, 1) || !domain_begin(t, &d))
		return;
	if (reader_enter(t, &r, &d, cpu)) {
		ticket = xsync_start(&d);
		for (i = 0; i < MANY; i++) {
			xsync_start(&d);
			if (!XUT_EXPECT(t, !xsync_poll(&d, ticket)))
				break;
		}
		reader_leave(&r);
		XUT_EXPECT_EQ(t, xsync_wait(&d, ticket), 0);
		XUT_EXPECT(t, xsync_poll(&d, ticket));
	}
	domain_end(t, &d);
}

/* The same on every CPU but this one: none may be skipped. */
static void reader_on_each_cpu_is_waited_for(struct xut *t)
{
	struct xsync_domain d;
	unsigned long ticket;
	unsigned int first, cpu;
	struct reader r;

	if (!spare_cpus(t, &first, 1) || !domain_begin(t, &d))
		return;
	for_each_online_cpu(cpu) {
		if (cpu < first || !reader_enter(t, &r, &d, cpu))
			continue;
		ticket = xsync_start(&d);
		XUT_EXPECT(t, !xsync_poll(&d, ticket));
		reader_leave(&r);
		XUT_EXPECT_EQ(t, xsync_wait(&d, ticket), 0);
	}
	domain_end(t, &d);
}

/*
 *	reader a  [-----------]
 *	ticket         t
 *	reader b            [------------]
 *	done                   t
 */
static void reader_after_ticket_is_not_waited_for(struct xut *t)
{
	struct xsync_domain d;
	unsigned int cpus[2];
	struct reader a, b;
	unsigned long ticket;

	if (!spare_cpus(t, cpus, 2) || !domain_begin(t, &d))
		return;
	if (reader_enter(t, &a, &d, cpus[0])) {
		ticket = xsync_start(&d);
		if (round_has_begun(t, &d) && reader_enter(t, &b, &d, cpus[1])) {
			reader_leave(&a);
			XUT_EXPECT_EQ(t, xsync_wait(&d, ticket), 0);
			reader_leave(&b);
		} else {
			reader_leave(&a);
		}
	}
	domain_end(t, &d);
}

/*
 *	reader a  [-----------]
 *	ticket         t
 *	reader b            [------------]
 *	ticket                u
 *	done                   t          u
 *
 * u must not be content with the round that t began.
 */
static void round_in_progress_is_not_joined(struct xut *t)
{
	unsigned long ticket, second;
	struct xsync_domain d;
	unsigned int cpus[2];
	struct reader a, b;
	unsigned int i;

	if (!spare_cpus(t, cpus, 2) || !domain_begin(t, &d))
		return;
	if (!reader_enter(t, &a, &d, cpus[0]))
		goto end;
	ticket = xsync_start(&d);
	if (!round_has_begun(t, &d) || !reader_enter(t, &b, &d, cpus[1])) {
		reader_leave(&a);
		goto end;
	}
	second = xsync_start(&d);
	reader_leave(&a);

	xut_step(t, "wait for the first ticket");
	XUT_EXPECT_EQ(t, xsync_wait(&d, ticket), 0);
	for (i = 0; i < MANY; i++) {
		xsync_start(&d);
		if (!XUT_EXPECT(t, !xsync_poll(&d, second)))
			break;
	}
	reader_leave(&b);
	xut_step(t, "wait for the second ticket");
	XUT_EXPECT_EQ(t, xsync_wait(&d, second), 0);
end:
	domain_end(t, &d);
}

/*
 *	reader  [------][-------------]	(never seen outside)
 *	ticket      t
 *	done               t
 */
static void reader_that_came_back_has_passed(struct xut *t)
{
	struct xsync_domain d;
	unsigned long ticket;
	unsigned int cpu, i;
	struct reader r;

	if (!spare_cpus(t, &cpu, 1) || !domain_begin(t, &d))
		return;
	if (reader_enter(t, &r, &d, cpu)) {
		for (i = 0; i < 20; i++) {
			ticket = xsync_start(&d);
			XUT_EXPECT(t, !xsync_poll(&d, ticket));
			if (!round_has_begun(t, &d) || !reader_reenter(t, &r) ||
			    !XUT_WAIT(t, xsync_poll(&d, ticket)))
				break;
		}
		reader_leave(&r);
	}
	domain_end(t, &d);
}

/* A section in an NMI, in one with interrupts off, in one of the task. */

static void section_in_nmi(void *arg)
{
	struct section *s = arg;
	unsigned long cookie = xsync_enter(s->d);

	s->ticket = xsync_start(s->d);
	s->done_inside = xsync_poll(s->d, s->ticket);
	xsync_exit(s->d, cookie);
}

static void sections_nest_over_contexts(struct xut *t)
{
	unsigned long outer, middle, flags;
	struct xsync_domain d;
	struct section s = { .d = &d };
	int err;

	if (!domain_begin(t, &d))
		return;
	outer = xsync_enter(&d);
	local_irq_save(flags);
	middle = xsync_enter(&d);
	err = xut_nmi_self(section_in_nmi, &s);
	xsync_exit(&d, middle);
	local_irq_restore(flags);
	if (!err) {
		XUT_EXPECT(t, !s.done_inside);
		XUT_EXPECT(t, !xsync_poll(&d, s.ticket));
	}
	xsync_exit(&d, outer);

	if (err == -EOPNOTSUPP)
		xut_skip(t, "no NMI can be sent on this machine");
	else if (XUT_EXPECT_EQ(t, err, 0))
		XUT_EXPECT_EQ(t, xsync_wait(&d, s.ticket), 0);
	domain_end(t, &d);
}

/* The sequence begins 200 before it wraps. */
static void tickets_wrap(struct xut *t)
{
	unsigned long first, ticket = 0;
	struct xsync_domain d;
	unsigned int i;

	if (!domain_begin(t, &d))
		return;
	first = xsync_start(&d);
	XUT_EXPECT(t, first > LONG_MAX);
	for (i = 0; i < 150; i++) {
		ticket = xsync_start(&d);
		/* A fenced one is done already. */
		if (t->with != XSYNC_FENCED &&
		    !XUT_EXPECT_EQ(t, xsync_wait(&d, ticket), 0))
			break;
		if (!XUT_EXPECT(t, xsync_poll(&d, first)) ||
		    !XUT_EXPECT(t, xsync_poll(&d, ticket)) ||
		    !XUT_EXPECT(t, !xsync_poll(&d, ticket + 2)))
			break;
	}
	XUT_EXPECT(t, ticket < LONG_MAX);
	domain_end(t, &d);
}

/* Tickets given while a reader is inside, in all contexts: two rounds serve them. */
static void tickets_share_rounds(struct xut *t)
{
	struct xsync_domain d;
	struct started s = { .d = &d };
	unsigned long first, rounds;
	unsigned int cpu, i;
	struct reader r;

	if (!spare_cpus(t, &cpu, 1) || !domain_begin(t, &d))
		return;
	if (reader_enter(t, &r, &d, cpu)) {
		rounds = d.state->rounds;
		first = xsync_start(&d);
		for (i = 0; i < MANY; i++)
			xut_run_in(i % XUT_NR_CONTEXTS, start_it, &s);
		XUT_EXPECT_EQ(t, s.ticket, first + 2);
		reader_leave(&r);
		XUT_EXPECT_EQ(t, xsync_wait(&d, s.ticket), 0);
		XUT_EXPECT_EQ(t, d.state->rounds - rounds, 2);
	}
	domain_end(t, &d);
}

/* Sleeping waiters share them as well. */

#define WAITERS	32

struct waiter {
	struct xsync_domain *d;
	struct task_struct *task;
	int err;
	int done;
};

static int wait_thread(void *arg)
{
	struct waiter *w = arg;

	w->err = xsync_synchronize(w->d);
	smp_store_release(&w->done, 1);	/* with err, to the case */
	thread_idle();
	return 0;
}

static int waiters_done(const struct waiter *w)
{
	int i, n = 0;

	for (i = 0; i < WAITERS; i++)
		n += smp_load_acquire(&w[i].done);	/* pairs with wait_thread() */
	return n;
}

static int waiters_asleep(struct xsync_domain *d)
{
	struct xsync_waitlist *w = &d->state->waitlist;
	struct list_head *node;
	int n = 0;

	raw_spin_lock_irq(&w->lock);
	list_for_each(node, &w->waiters)
		n++;
	raw_spin_unlock_irq(&w->lock);
	return n;
}

static void sleepers_share_rounds(struct xut *t)
{
	static struct waiter w[WAITERS];
	struct xsync_domain d;
	unsigned long rounds;
	unsigned int cpu, i;
	struct reader r;

	if (!spare_cpus(t, &cpu, 1) || !domain_begin(t, &d))
		return;
	if (!reader_enter(t, &r, &d, cpu))
		goto end;

	rounds = d.state->rounds;
	for (i = 0; i < WAITERS; i++) {
		w[i] = (struct waiter) { .d = &d };
		w[i].task = thread_on(t, raw_smp_processor_id(), wait_thread, &w[i]);
	}
	xut_step(t, "all asleep");
	XUT_WAIT(t, waiters_asleep(&d) == WAITERS);
	XUT_EXPECT_EQ(t, waiters_done(w), 0);
	reader_leave(&r);
	xut_step(t, "all awake");
	XUT_WAIT(t, waiters_done(w) == WAITERS);
	XUT_EXPECT(t, d.state->rounds - rounds <= 2);
	for (i = 0; i < WAITERS; i++) {
		XUT_EXPECT_EQ(t, w[i].err, 0);
		if (w[i].task) {
			kthread_stop(w[i].task);
			put_task_struct(w[i].task);
		}
	}
end:
	domain_end(t, &d);
}

static int killed_thread(void *arg)
{
	struct waiter *w = arg;

	allow_signal(SIGKILL);
	w->err = xsync_wait_killable(w->d, xsync_start(w->d));
	smp_store_release(&w->done, 1);	/* with err, to the case */
	flush_signals(current);
	thread_idle();
	return 0;
}

static void waits_end_early_on_request(struct xut *t)
{
	struct waiter w = {};
	struct xsync_domain d;
	unsigned long ticket;
	unsigned int cpu;
	struct reader r;

	if (!spare_cpus(t, &cpu, 1) || !domain_begin(t, &d))
		return;
	w.d = &d;
	if (!reader_enter(t, &r, &d, cpu))
		goto end;

	ticket = xsync_start(&d);
	xut_step(t, "time out");
	XUT_EXPECT_EQ(t, xsync_wait_timeout(&d, ticket, 1000), -ETIMEDOUT);
	XUT_EXPECT_EQ(t, xsync_wait_timeout(&d, ticket, NSEC_PER_MSEC), -ETIMEDOUT);

	xut_step(t, "kill");
	w.task = thread_on(t, raw_smp_processor_id(), killed_thread, &w);
	if (w.task) {
		XUT_WAIT(t, waiters_asleep(&d) == 1);
		send_sig(SIGKILL, w.task, 1);
		XUT_WAIT(t, smp_load_acquire(&w.done));	/* pairs with killed_thread() */
		XUT_EXPECT_EQ(t, w.err, -EINTR);
		XUT_EXPECT_EQ(t, waiters_asleep(&d), 0);
		kthread_stop(w.task);
		put_task_struct(w.task);
	}
	XUT_EXPECT(t, !xsync_poll(&d, ticket));
	reader_leave(&r);
	XUT_EXPECT_EQ(t, xsync_wait_timeout(&d, ticket, U64_MAX), 0);
end:
	domain_end(t, &d);
}

static void atomic_wait_is_refused(struct xut *t)
{
	int preempt, rcu, bh, again;
	struct xsync_domain d;
	unsigned long ticket;

	if (!domain_begin(t, &d))
		return;
	ticket = xsync_start(&d);
	preempt_disable();
	preempt = xsync_wait(&d, ticket);
	preempt_enable();
	rcu_read_lock();
	rcu = xsync_wait(&d, ticket);
	rcu_read_unlock();
	local_bh_disable();
	bh = xsync_wait(&d, ticket);
	local_bh_enable();
	again = xsync_wait(&d, ticket);

	/* What the kernel does not count cannot be seen. */
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT))
		XUT_EXPECT_EQ(t, preempt, -EWOULDBLOCK);
	if (IS_ENABLED(CONFIG_PREEMPT_RCU) || IS_ENABLED(CONFIG_PREEMPT_COUNT))
		XUT_EXPECT_EQ(t, rcu, -EWOULDBLOCK);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		XUT_EXPECT_EQ(t, bh, -EWOULDBLOCK);
	XUT_EXPECT_EQ(t, again, 0);
	domain_end(t, &d);
}

static void destroy_refuses_what_is_in_use(struct xut *t)
{
	struct xsync_domain d;
	unsigned long ticket;
	unsigned int cpu;
	struct reader r;

	if (!spare_cpus(t, &cpu, 1) || !domain_begin(t, &d))
		return;
	if (!reader_enter(t, &r, &d, cpu))
		goto end;
	XUT_EXPECT_EQ(t, xsync_domain_destroy(&d), -EBUSY);
	ticket = xsync_start(&d);
	XUT_EXPECT_EQ(t, xsync_domain_destroy(&d), -EBUSY);
	reader_leave(&r);
	XUT_EXPECT_EQ(t, xsync_wait(&d, ticket), 0);
end:
	domain_end(t, &d);
}

static void unknown_flavour_is_refused(struct xut *t)
{
	struct xsync_domain d;

	XUT_EXPECT_EQ(t, xsync_domain_init(&d, t->name, XSYNC_IPI + 1), -EINVAL);
}

/* As if the round had begun long ago: the next look reports it, and only that. */
static void stall_is_reported_once(struct xut *t)
{
	struct xsync_domain d;
	unsigned long ticket;
	unsigned int cpu, i;
	struct reader r;

	if (!spare_cpus(t, &cpu, 1) || !domain_begin(t, &d))
		return;
	if (!reader_enter(t, &r, &d, cpu))
		goto end;
	ticket = xsync_start(&d);
	XUT_EXPECT_EQ(t, d.state->stalls, 0);
	WRITE_ONCE(d.state->round_began, ktime_get_mono_fast_ns() - 3600 * NSEC_PER_SEC);
	XUT_WAIT(t, READ_ONCE(d.state->stalls) == 1);
	/* The poller has been there again each time this comes back. */
	for (i = 0; i < 3; i++)
		XUT_EXPECT_EQ(t, xsync_wait_timeout(&d, ticket, 5 * NSEC_PER_MSEC),
			      -ETIMEDOUT);
	XUT_EXPECT_EQ(t, d.state->stalls, 1);
	reader_leave(&r);
	XUT_EXPECT_EQ(t, xsync_wait(&d, ticket), 0);
end:
	domain_end(t, &d);
}

static const struct xut_case xsync_cases[] = {
	XUT_CASE(reader_before_ticket_is_waited_for),
	XUT_CASE(reader_on_each_cpu_is_waited_for),
	XUT_CASE(reader_after_ticket_is_not_waited_for),
	XUT_CASE(round_in_progress_is_not_joined),
	XUT_CASE(reader_that_came_back_has_passed),
	XUT_CASE(sections_nest_over_contexts),
	XUT_CASE(tickets_wrap),
	XUT_CASE(tickets_share_rounds),
	XUT_CASE(sleepers_share_rounds),
	XUT_CASE(waits_end_early_on_request),
	XUT_CASE(atomic_wait_is_refused),
	XUT_CASE(destroy_refuses_what_is_in_use),
	XUT_CASE(unknown_flavour_is_refused),
	XUT_CASE(stall_is_reported_once),
	{}
};

XUT_SHARED_SUITE(xsync, xsync_cases);
XUT_SUITE_WITH(xsync_ipi, xsync_cases, XSYNC_IPI);
