// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage - use a domain and its calls in every way, and count.
 *
 * Tasks, interrupts, probes and NMIs share one request of each mode, one hand-off
 * and one callback, so that most find them busy.  What was accepted must have run
 * exactly as often, on every CPU, when all has come to rest.
 */
#include <linux/cpumask.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include "xsync_test_usage.h"

static void use_ran(void *arg)
{
	struct use_request *r = arg;

	atomic_inc(raw_cpu_ptr(r->ran));
}

static void use_handed(struct xsync_handoff *h)
{
	atomic_inc(&container_of(h, struct usage, h)->handed_ran);
}

static void use_called(struct xsync_head *head)
{
	atomic_inc(&container_of(head, struct usage, head)->called_ran);
}

static bool use_nested(struct usage *u)
{
	return raw_cpu_read(u->d.readers->word) & XSYNC_NEST_MASK;
}

static void look_at_thing(struct usage *u, unsigned int thing)
{
	if (READ_ONCE(u->dead[thing]))
		atomic_inc(&u->too_early);
}

/* Inside a section: the ticket must not be done. */
static void use_ticket(struct usage *u)
{
	unsigned long ticket = xsync_start(&u->d);

	if (xsync_poll(&u->d, ticket))
		atomic_inc(&u->done_inside);
}

noinline void use_section(struct usage *u)
{
	unsigned long outer = xsync_enter(&u->d), inner;
	unsigned int thing = atomic_read(&u->current_thing);

	atomic_inc(&u->sections);
	look_at_thing(u, thing);
	inner = xsync_enter(&u->d);
	xsync_exit(&u->d, inner);
	look_at_thing(u, thing);
	xsync_exit(&u->d, outer);

	outer = xsync_enter(&u->d);
	inner = xsync_enter(&u->d);
	look_at_thing(u, atomic_read(&u->current_thing));
	xsync_exit(&u->d, inner);
	xsync_exit(&u->d, outer);
}

static void use_post(struct use_request *r)
{
	xcall_done(r->x);
	if (!xcall_post(r->x, cpu_online_mask))
		atomic_inc(&r->posted);
}

void use_anywhere(void *usage)
{
	struct usage *u = usage;
	unsigned long cookie;

	/* Of a section that we interrupted. */
	if (use_nested(u))
		use_ticket(u);
	use_section(u);
	cookie = xsync_enter(&u->d);
	use_ticket(u);
	xsync_exit(&u->d, cookie);

	use_post(&u->by_ipi);
	use_post(&u->by_thread);
	if (xsync_handoff(&u->h))
		atomic_inc(&u->handed);
	if (!xsync_call(&u->d, &u->head, use_called))
		atomic_inc(&u->called);
}

static int use_poll(struct usage *u)
{
	unsigned long ticket = xsync_start(&u->d);

	while (!xsync_poll(&u->d, ticket))
		usleep_range(10, 50);
	return 0;
}

static int use_grace_period(struct usage *u, unsigned int turn)
{
	switch (turn % 5) {
	case 0:
		return xsync_synchronize(&u->d);
	case 1:
		return xsync_wait(&u->d, xsync_start(&u->d));
	case 2:
		return xsync_wait_timeout(&u->d, xsync_start(&u->d), U64_MAX);
	case 3:
		return use_poll(u);
	default:
		return xsync_wait_killable(&u->d, xsync_start(&u->d));
	}
}

static int use_wait(struct use_request *r, unsigned int turn)
{
	switch (turn % 3) {
	case 0:
		return xcall_wait(r->x);
	case 1:
		return xcall_wait_killable(r->x);
	default:
		return xcall_wait_timeout(r->x, U64_MAX);
	}
}

static void use_nothing(void *unused)
{
}

static int use_run(unsigned int turn)
{
	switch (turn % 3) {
	case 0:
		return xcall_run(cpu_online_mask, use_nothing, NULL);
	case 1:
		return xcall_run_killable(cpu_online_mask, use_nothing, NULL);
	default:
		return xcall_run_timeout(cpu_online_mask, use_nothing, NULL, U64_MAX);
	}
}

struct use_own {
	struct xsync_domain d;
	struct xsync_handoff h;
	struct xcall *x;
};

static void use_own_handed(struct xsync_handoff *h)
{
}

static int use_own_request(struct use_own *own, unsigned int turn)
{
	int err;

	xsync_handoff_init(&own->h, use_own_handed);
	own->x = xcall_alloc(use_nothing, NULL, turn % 2 ? XCALL_THREAD : XCALL_IPI,
			     GFP_KERNEL);
	if (!own->x)
		return -ENOMEM;
	xcall_notify(own->x, &own->h);
	err = xcall_post(own->x, cpu_online_mask) ?: xcall_cancel(own->x);
	/* One in two is freed with what was cancelled still in its inboxes. */
	if (!err && turn & 2)
		err = xcall_wait(own->x);
	if (!err && xcall_done(own->x) &&
	    !(cpumask_subset(xcall_ran(own->x), cpu_online_mask) &&
	      cpumask_empty(xcall_offline(own->x))))
		err = -EINVAL;
	xcall_free(own->x);
	xsync_handoff_sync(&own->h);
	return err;
}

/* What is one's own, from its begin to its end. */
static int use_own(unsigned int turn)
{
	struct use_own *own = kzalloc(sizeof(*own), GFP_KERNEL);
	int err;

	if (!own)
		return -ENOMEM;
	err = use_own_request(own, turn);
	if (!err)
		err = xsync_domain_init(&own->d, "own", turn % 2 ? XSYNC_IPI : XSYNC_FENCED) ?:
		      xsync_synchronize(&own->d) ?: xsync_domain_destroy(&own->d);
	kfree(own);
	return err;
}

void use_in_task(struct usage *u)
{
	unsigned int turn = atomic_fetch_inc(&u->current_thing);
	unsigned long flags;
	int err;

	err = use_grace_period(u, turn);
	WRITE_ONCE(u->dead[turn], 1);

	/* First where nothing that was handed off runs in between. */
	local_irq_save(flags);
	use_anywhere(u);
	local_irq_restore(flags);
	use_anywhere(u);
	if (err || use_wait(&u->by_ipi, turn) || use_wait(&u->by_thread, turn) ||
	    use_run(turn) || use_own(turn) || xsync_barrier(&u->d) || use_nested(u))
		atomic_inc(&u->errors);
}

struct use_thread {
	struct usage *u;
	unsigned int n, times;
	struct task_struct *task;
	int done;
};

static int use_thread_fn(void *arg)
{
	struct use_thread *user = arg;
	unsigned int i;

	for (i = 0; i < user->n * user->times; i++) {
		use_in_task(&user->u[i % user->n]);
		cond_resched();
	}
	smp_store_release(&user->done, 1);	/* to use_on_all_cpus() */
	thread_idle();
	return 0;
}

void use_on_all_cpus(struct xut *t, struct usage *u, unsigned int n, unsigned int times)
{
	struct use_thread users[USERS] = {};
	unsigned int cpu, nr = 0, i;

	for_each_online_cpu(cpu) {
		if (nr == USERS)
			break;
		users[nr] = (struct use_thread) { .u = u, .n = n, .times = times };
		users[nr].task = thread_on(t, cpu, use_thread_fn, &users[nr]);
		if (!users[nr].task)
			break;
		nr++;
	}
	for (i = 0; i < nr; i++) {
		XUT_WAIT(t, smp_load_acquire(&users[i].done));	/* use_thread_fn() */
		kthread_stop(users[i].task);
		put_task_struct(users[i].task);
	}
}

static bool request_begin(struct use_request *r, unsigned int mode)
{
	r->ran = alloc_percpu(atomic_t);
	r->x = xcall_alloc(use_ran, r, mode, GFP_KERNEL);
	return r->ran && r->x;
}

static void request_end(struct xut *t, struct use_request *r)
{
	unsigned int cpu;

	xcall_free(r->x);
	for_each_online_cpu(cpu)
		if (r->ran)
			XUT_EXPECT_EQ(t, atomic_read(per_cpu_ptr(r->ran, cpu)),
				      atomic_read(&r->posted));
	free_percpu(r->ran);
}

bool usage_begin(struct xut *t, struct usage *u, enum xsync_flavour flavour,
		 unsigned int things)
{
	bool all;

	*u = (struct usage) { .things = things };
	xsync_handoff_init(&u->h, use_handed);
	u->dead = kvzalloc(things + 1, GFP_KERNEL);
	all = request_begin(&u->by_ipi, XCALL_IPI) &&
	      request_begin(&u->by_thread, XCALL_THREAD);
	if (XUT_EXPECT(t, u->dead && all) &&
	    XUT_EXPECT_EQ(t, xsync_domain_init(&u->d, t->name, flavour), 0))
		return true;
	request_end(t, &u->by_ipi);
	request_end(t, &u->by_thread);
	kvfree(u->dead);
	return false;
}

/* Nobody uses it any more, but what was accepted may be under way. */
void usage_end(struct xut *t, struct usage *u)
{
	unsigned int cpu;

	xut_step(t, "what was accepted has run");
	request_end(t, &u->by_ipi);
	request_end(t, &u->by_thread);
	xsync_handoff_sync(&u->h);
	XUT_EXPECT_EQ(t, atomic_read(&u->handed_ran), atomic_read(&u->handed));
	XUT_EXPECT_EQ(t, xsync_barrier(&u->d), 0);
	XUT_EXPECT_EQ(t, atomic_read(&u->called_ran), atomic_read(&u->called));

	for_each_possible_cpu(cpu)
		XUT_EXPECT_EQ(t, per_cpu_ptr(u->d.readers, cpu)->word & XSYNC_NEST_MASK, 0);
	XUT_EXPECT_EQ(t, atomic_read(&u->too_early), 0);
	XUT_EXPECT_EQ(t, atomic_read(&u->done_inside), 0);
	XUT_EXPECT_EQ(t, atomic_read(&u->errors), 0);
	domain_end(t, &u->d);
	kvfree(u->dead);
}
