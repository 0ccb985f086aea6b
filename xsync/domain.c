// SPDX-License-Identifier: GPL-2.0-only
/*
 * domain - life of a domain, tickets and waits.
 *
 * A domain in the public header is what readers need: a pointer to their words.
 * The update side is a struct xsync_state, allocated with it; round.c says how a
 * ticket gets done, wait.c how a task sleeps for it, callback.c how a function
 * runs after it.
 *
 * Waits.  A wait where it cannot be legal is refused with an error and noted
 * (misuse.c).  Where the machine can tell beforehand, lockdep does: a read
 * section is a recursive reader of the domain's class, a wait is a
 * lock_map_sync() of it, so a lock that a waiter holds and a section takes is
 * reported the first time both were seen, whether or not they meet.  Such a lock
 * spins, so where the kernel counts preemption the wait is refused before that.
 *
 * Life.  xsync_domains_lock guards the list of domains and their destruction.  A
 * domain is destroyed only while nobody is inside, no ticket is open and no
 * callback queued; the quiescing order is: off the list (no more kicks by
 * hotplug), worker, kick, timer, memory.
 *
 * The sequence does not begin at 0 but shortly before it wraps, so that the wrap
 * is passed on every machine.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "compat/lockdep.h"
#include "internal.h"

#define XSYNC_FIRST_SEQ	(-200UL)

/* Guards the list, and each domain on it from being destroyed. */
DEFINE_MUTEX(xsync_domains_lock);
LIST_HEAD(xsync_domains);

static void xsync_state_free(struct xsync_state *s)
{
	xcall_free(s->ask);
	free_cpumask_var(s->pending);
	free_percpu(s->waits);
	free_percpu(s->open);
	free_percpu(s->counts);
	free_percpu(s->readers);
	kvfree(s);
}

static struct xsync_state *xsync_state_alloc(const char *name,
					     enum xsync_flavour flavour)
{
	struct xsync_state *s;

	s = kvzalloc(struct_size(s, snap, nr_cpu_ids), GFP_KERNEL);
	if (!s)
		return NULL;
	s->name = name;
	s->readers = alloc_percpu(struct xsync_reader);
	s->counts = alloc_percpu(struct xsync_counts);
	s->open = alloc_percpu(struct xsync_hist);
	s->waits = alloc_percpu(struct xsync_hist);
	if (!s->readers || !s->counts || !s->open || !s->waits ||
	    !zalloc_cpumask_var(&s->pending, GFP_KERNEL) ||
	    xsync_round_setup(s, flavour)) {
		xsync_state_free(s);
		return NULL;
	}

	s->seq = XSYNC_FIRST_SEQ;
	s->need = XSYNC_FIRST_SEQ;
	xsync_waitlist_init(&s->waitlist, &s->seq);
	xsync_misuse_init(&s->misuse, name);
	xsync_callbacks_setup(s);
	return s;
}

/* The function behind xsync_domain_init(), which see. */
int __xsync_domain_init(struct xsync_domain *d, const char *name,
			enum xsync_flavour flavour,
			struct xsync_domain_keys *keys)
{
	struct xsync_state *s;
	unsigned int cpu;

	if (flavour != XSYNC_FENCED && flavour != XSYNC_IPI)
		return -EINVAL;
	s = xsync_state_alloc(name, flavour);
	if (!s)
		return -ENOMEM;

	s->domain = d;
	d->state = s;
	d->readers = s->readers;
	lockdep_init_map(&d->read_map, keys->read_name, &keys->read, 0);
	lockdep_init_map(&d->callback_map, keys->callback_name, &keys->callback, 0);
	xsync_callbacks_class(s, keys->worker_name, &keys->worker);

	mutex_lock(&xsync_domains_lock);
	for_each_possible_cpu(cpu)
		per_cpu_ptr(s->readers, cpu)->fence =
			!s->ask || !cpumask_test_cpu(cpu, &xsync_asked);
	list_add_tail(&s->node, &xsync_domains);
	mutex_unlock(&xsync_domains_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(__xsync_domain_init);

static bool xsync_domain_busy(struct xsync_state *s)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		if (READ_ONCE(per_cpu_ptr(s->readers, cpu)->word) & XSYNC_NEST_MASK)
			return true;

	return xsync_open(s) || atomic_long_read(&s->callbacks) ||
	       !list_empty(&s->waitlist.waiters);
}

int xsync_domain_destroy(struct xsync_domain *d)
{
	struct xsync_state *s = d->state;

	if (xsync_may_sleep())
		return -EWOULDBLOCK;
	if (READ_ONCE(s->cb_task) == current || xcall_in_function())
		return -EDEADLK;
	might_sleep();
	lock_map_acquire(&d->callback_map);
	lock_map_release(&d->callback_map);

	mutex_lock(&xsync_domains_lock);
	if (xsync_domain_busy(s)) {
		mutex_unlock(&xsync_domains_lock);
		return -EBUSY;
	}
	list_del(&s->node);
	mutex_unlock(&xsync_domains_lock);

	cancel_work_sync(&s->cb_work);
	xsync_round_teardown(s);
	xsync_handoff_sync(&s->misuse.report);
	d->state = NULL;
	d->readers = NULL;
	xsync_state_free(s);
	return 0;
}
EXPORT_SYMBOL_GPL(xsync_domain_destroy);

/**
 * xsync_domains_kick - have every domain looked at again
 *
 * Context: CPU hotplug callback.
 */
void xsync_domains_kick(void)
{
	struct xsync_state *s;

	mutex_lock(&xsync_domains_lock);
	list_for_each_entry(s, &xsync_domains, node)
		xsync_handoff(&s->kick);
	mutex_unlock(&xsync_domains_lock);
}

static void xsync_domains_fence(unsigned int cpu, int fence)
{
	struct xsync_state *s;

	lockdep_assert_held(&xsync_domains_lock);
	list_for_each_entry(s, &xsync_domains, node)
		if (s->ask)
			WRITE_ONCE(per_cpu_ptr(s->readers, cpu)->fence, fence);
}

/**
 * xsync_domains_cpu_joins - IPI rounds interrupt this CPU from now on
 * @cpu: this CPU
 *
 * Context: CPU hotplug callback.
 */
void xsync_domains_cpu_joins(unsigned int cpu)
{
	mutex_lock(&xsync_domains_lock);
	cpumask_set_cpu(cpu, &xsync_asked);
	/* A round that did not see the CPU: its C is before our next accesses. */
	smp_mb();
	xsync_domains_fence(cpu, 0);
	mutex_unlock(&xsync_domains_lock);
}

/**
 * xsync_domains_cpu_leaves - IPI rounds do not interrupt this CPU any more
 * @cpu: this CPU
 *
 * Context: CPU hotplug callback.
 */
void xsync_domains_cpu_leaves(unsigned int cpu)
{
	mutex_lock(&xsync_domains_lock);
	xsync_domains_fence(cpu, 1);
	/* The sections that paid nothing, before a round that does not see the CPU. */
	smp_mb();
	cpumask_clear_cpu(cpu, &xsync_asked);
	mutex_unlock(&xsync_domains_lock);
}

unsigned long xsync_start(struct xsync_domain *d)
{
	struct xsync_state *s = d->state;
	unsigned long ticket;

	this_cpu_inc(s->counts->starts);
	ticket = xsync_ticket(s);
	xsync_advance(s);
	return ticket;
}
EXPORT_SYMBOL_GPL(xsync_start);

bool xsync_poll(struct xsync_domain *d, unsigned long ticket)
{
	struct xsync_state *s = d->state;

	if (xsync_passed(s, ticket))
		return true;
	/*
	 * The kick may be waiting on a CPU that has its interrupts off, on this one
	 * perhaps: who polls looks for itself.
	 */
	if (!test_bit(XSYNC_DRIVING, &s->flags))
		xsync_help(s);
	return xsync_passed(s, ticket);
}
EXPORT_SYMBOL_GPL(xsync_poll);

/**
 * xsync_may_wait - whether waiting for the domain could ever end
 * @s: the domain
 * @ip: the caller, for the report
 *
 * Context: Any.
 * Return: 0, -EDEADLK, -EWOULDBLOCK.
 */
int xsync_may_wait(struct xsync_state *s, unsigned long ip)
{
	const char *where;
	int err = -EDEADLK;

	if (xsync_inside(s)) {
		where = "inside a read section of the domain";
	} else if (in_task() && READ_ONCE(s->cb_task) == current) {
		where = "in a callback of the domain";
	} else if (xcall_in_function()) {
		where = "in a cross-call function";
	} else if (xsync_may_sleep()) {
		where = "in atomic context";
		err = -EWOULDBLOCK;
	} else {
		return 0;
	}
	xsync_misuse_report(&s->misuse, where, err, ip);
	return err;
}

/* Most grace periods end in less time than a sleep takes. */
static bool xsync_spin(struct xsync_state *s, unsigned long ticket, u64 end)
{
	while (!xsync_passed(s, ticket)) {
		if (need_resched() || ktime_get_mono_fast_ns() > end)
			return false;
		cpu_relax();
		xsync_advance(s);
	}
	return true;
}

/* The ticket is not done yet. */
static int xsync_await(struct xsync_state *s, unsigned long ticket,
		       unsigned int task_state, u64 ns)
{
	u64 began = ktime_get_mono_fast_ns();
	ktime_t expires = KTIME_MAX;
	int err = 0;

	if (ns < KTIME_MAX)
		expires = ktime_add_safe(ktime_get(), ns_to_ktime(ns));
	if (!xsync_spin(s, ticket, began + XSYNC_SPIN_NS)) {
		this_cpu_inc(s->counts->slept);
		xsync_drive_now(s);
		err = xsync_waitlist_sleep(&s->waitlist, ticket, task_state, expires);
	}
	if (!err)
		xsync_hist_add(s->waits, xsync_age(began));
	return err;
}

/* @ns: KTIME_MAX means for ever. */
static int xsync_wait_in(struct xsync_domain *d, unsigned long ticket,
			 unsigned int task_state, u64 ns, unsigned long ip)
{
	struct xsync_state *s = d->state;
	int err;

	/* First of all: in an NMI not even the time may be asked for. */
	err = xsync_may_wait(s, ip);
	if (err)
		return err;
	might_sleep();
	lock_map_sync(&d->read_map);

	this_cpu_inc(s->counts->waits);
	if (!xsync_passed(s, ticket))
		return xsync_await(s, ticket, task_state, ns);
	xsync_hist_add(s->waits, 0);
	return 0;
}

int xsync_wait(struct xsync_domain *d, unsigned long ticket)
{
	return xsync_wait_in(d, ticket, TASK_UNINTERRUPTIBLE, KTIME_MAX, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xsync_wait);

int xsync_wait_killable(struct xsync_domain *d, unsigned long ticket)
{
	return xsync_wait_in(d, ticket, TASK_KILLABLE, KTIME_MAX, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xsync_wait_killable);

int xsync_wait_timeout(struct xsync_domain *d, unsigned long ticket, u64 ns)
{
	return xsync_wait_in(d, ticket, TASK_KILLABLE, ns, _RET_IP_);
}
EXPORT_SYMBOL_GPL(xsync_wait_timeout);

int xsync_synchronize(struct xsync_domain *d)
{
	return xsync_wait_in(d, xsync_start(d), TASK_UNINTERRUPTIBLE, KTIME_MAX,
			     _RET_IP_);
}
EXPORT_SYMBOL_GPL(xsync_synchronize);
