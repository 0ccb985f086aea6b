// SPDX-License-Identifier: GPL-2.0-only
/*
 * The manager of a dynamic queue.
 *
 * XTASKQ_DYNAMIC: kthreads are created up to nthreads by a manager, a work item on
 * the queue's workqueue.  Another one creates threads for it, which may take long when
 * memory is short, and a third stops them.  Whatever functions do, a task must not wait
 * for one that sleeps; but many threads that run short functions only fight over locks.
 *  - A dispatch wakes an idle runner unless the one that got a task last is awake in
 *    its function, or about to be: it will be back soon.  If it is not, the manager,
 *    which was told, looks at the next tick.
 *  - A runner that leaves the idle list empty tells the manager before it calls its
 *    function, so that there is a spare thread however long that takes.
 *  - While tasks are pending the manager looks at every tick.  If all busy runners
 *    sleep it doubles them; if none has returned for a tick it wakes an idle one; if
 *    none has for a tenth of a second it adds one, and when there is one per CPU that is
 *    awake, after a second (they may be spinning for a task that is pending).  Idle
 *    threads are woken first, others created.  A tick without a return is no reason to
 *    create one: where a hypervisor takes away CPUs for longer, more runners that spin
 *    for a lock make it worse.
 *  - Every few seconds idle threads are stopped, all but one.
 *
 * The trimmer takes them off the idle list, then waits for a grace period: whoever took
 * one off that list before has woken it by then.  Their slots are not used until they
 * are gone.  A thread that has left because it was one too many can be used again.
 */
#define pr_fmt(fmt) "xsync_taskq: " fmt

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include "internal.h"

/* How long a dynamic queue keeps threads that have nothing to do. */
#define TRIM_AFTER	(5 * HZ)

/* Is the runner that got a task last awake, and so about to come for the next one? */
static bool last_is_awake(struct xtaskq *tq)
{
	return tq->last && !tq->last->idle && task_is_running(tq->last->thread);
}

/**
 * xtaskq_manager_kick - who is to be told that an entry of a dynamic queue is pending
 * @tq: the queue, locked
 * @kick: filled in
 */
void xtaskq_manager_kick(struct xtaskq *tq, struct xtaskq_kick *kick)
{
	enum xtaskq_watch watch = tq->watch;

	if (xtaskq_held(tq))
		return;
	if (!tq->nidle && tq->nlive >= tq->nthreads)
		return;
	if (!tq->nidle || last_is_awake(tq))
		watch = XTASKQ_WATCH;
	else
		kick->runner = xtaskq_runner_take(tq);
	/* Already so: nobody need be told. */
	if (watch != tq->watch) {
		tq->watch = watch;
		kick->watch = watch;
	}
}

/**
 * xtaskq_manager_is_due - whether the last idle runner is about to be busy
 * @tq: the queue, locked
 *
 * Return: true if so: xtaskq_manager_call() is due after the lock.
 */
bool xtaskq_manager_is_due(struct xtaskq *tq)
{
	if (!(tq->flags & XTASKQ_DYNAMIC) || tq->nidle || tq->nlive >= tq->nthreads ||
	    tq->watch == XTASKQ_WATCH)
		return false;
	tq->watch = XTASKQ_WATCH;
	return true;
}

/* For xtaskq_runner_create(); false: there is a thread that runs, or is being stopped. */
static bool slot_claim(struct xtaskq *tq, unsigned int slot)
{
	struct xtaskq_runner *r = &tq->runners[slot];
	bool claimed;

	raw_spin_lock_irq(&tq->lock);
	claimed = !r->live && !r->stopping;
	r->creating = claimed;
	raw_spin_unlock_irq(&tq->lock);
	return claimed;
}

/* One is to be idle, or nothing pending, or there are as many threads as there may be. */
static bool are_enough(struct xtaskq *tq)
{
	bool enough;

	raw_spin_lock_irq(&tq->lock);
	enough = tq->nlive >= tq->nthreads || (tq->nidle && !tq->npending);
	raw_spin_unlock_irq(&tq->lock);
	return enough;
}

/* Fills up to @n free slots.  Nobody else does. */
static int runners_create(struct xtaskq *tq, unsigned int n)
{
	unsigned int slot;
	int err = 0;

	for (slot = 0; !err && n && slot < tq->nslots && !are_enough(tq); slot++) {
		if (!slot_claim(tq, slot))
			continue;
		err = xtaskq_runner_create(tq, slot);
		n--;
	}
	return err;
}

/* Creates what the manager wants. */
static void manager_create(struct work_struct *work)
{
	struct xtaskq *tq = container_of(work, struct xtaskq, create);
	int err = runners_create(tq, atomic_xchg(&tq->wanted, 0));

	if (err)
		pr_warn_ratelimited("%s: no new thread (error %d), %u have to do\n",
				    tq->name, err, READ_ONCE(tq->nlive));
	queue_delayed_work(tq->wq, &tq->trim, TRIM_AFTER);
}

/* Remembers when a function has last returned.  Under the lock. */
static bool manager_sees_return(struct xtaskq *tq)
{
	if (tq->seen == tq->executed)
		return false;
	tq->seen = tq->executed;
	tq->seen_at = jiffies;
	return true;
}

/* How many threads more it takes to get done what is pending. */
static unsigned int threads_wanted(struct xtaskq *tq)
{
	unsigned int i, awake = 0, asleep = 0;
	unsigned long patience;

	for (i = 0; i < tq->nslots; i++) {
		struct xtaskq_runner *r = &tq->runners[i];

		if (!r->thread || READ_ONCE(r->idle))
			continue;
		if (task_is_running(r->thread))
			awake++;
		else
			asleep++;
	}
	if (!awake)
		return asleep;
	patience = awake < num_online_cpus() ? HZ / 10 : HZ;
	if (time_before(jiffies, tq->seen_at + patience))
		return 0;
	tq->seen_at = jiffies;
	return 1;
}

/* Wakes up to @n idle runners; gives how many there were. */
static unsigned int runners_wake(struct xtaskq *tq, unsigned int n)
{
	struct xtaskq_runner *r;
	unsigned int woken;

	for (woken = 0; woken < n; woken++) {
		raw_spin_lock_irq(&tq->lock);
		r = xtaskq_runner_take(tq);
		preempt_disable();
		raw_spin_unlock_irq(&tq->lock);
		if (r)
			xtaskq_runner_wake(r);
		preempt_enable();
		if (!r)
			break;
	}
	return woken;
}

/* The manager: has been told to look, or looks again. */
static void manager_look(struct work_struct *work)
{
	struct xtaskq *tq = container_of(to_delayed_work(work), struct xtaskq, look);
	unsigned int nidle, npending, wanted = 1;
	bool over, returned;

	raw_spin_lock_irq(&tq->lock);
	nidle = tq->nidle;
	npending = xtaskq_held(tq) ? 0 : tq->npending;
	returned = manager_sees_return(tq);
	over = nidle ? !npending : tq->nlive >= tq->nthreads;
	tq->watch = over ? XTASKQ_WATCH_NOT : XTASKQ_WATCH;
	raw_spin_unlock_irq(&tq->lock);

	if (over)
		return;
	if (npending) {
		wanted = min(npending, threads_wanted(tq));
		if (wanted)
			wanted -= runners_wake(tq, wanted);
		else if (!returned)
			runners_wake(tq, 1);
	}
	if (wanted) {
		atomic_set(&tq->wanted, wanted);
		queue_work(tq->wq, &tq->create);
	}
	queue_delayed_work(tq->wq, &tq->look, 1);
}

/*
 * Takes idle runners off their list, those that have been there longest, all but one;
 * none while there is something for them to do.
 */
static void runners_retire(struct xtaskq *tq)
{
	struct xtaskq_runner *r;

	lockdep_assert_held(&tq->lock);
	while (tq->nidle > 1 && !tq->npending) {
		r = list_last_entry(&tq->idle, struct xtaskq_runner, link);
		list_del(&r->link);
		r->live = false;
		tq->nidle--;
		tq->nlive--;
	}
}

/* The slots of all threads that are not runners any more; false: there are none. */
static bool slots_retire(struct xtaskq *tq)
{
	unsigned int slot;
	bool any = false;

	raw_spin_lock_irq(&tq->lock);
	runners_retire(tq);
	for (slot = 0; slot < tq->nslots; slot++) {
		struct xtaskq_runner *r = &tq->runners[slot];

		r->stopping = r->thread && !r->live && !r->creating;
		any |= r->stopping;
	}
	raw_spin_unlock_irq(&tq->lock);
	return any;
}

static void slots_empty(struct xtaskq *tq)
{
	unsigned int slot;

	for (slot = 0; slot < tq->nslots; slot++) {
		struct xtaskq_runner *r = &tq->runners[slot];

		if (!r->stopping)
			continue;
		kthread_stop(r->thread);
		raw_spin_lock_irq(&tq->lock);
		r->thread = NULL;
		r->stopping = false;
		raw_spin_unlock_irq(&tq->lock);
	}
}

static void manager_trim(struct work_struct *work)
{
	struct xtaskq *tq = container_of(to_delayed_work(work), struct xtaskq, trim);

	if (slots_retire(tq)) {
		/* Somebody may have given one of them work before, and not woken it yet. */
		synchronize_rcu();
		slots_empty(tq);
	}
	if (READ_ONCE(tq->nlive) > 1)
		queue_delayed_work(tq->wq, &tq->trim, TRIM_AFTER);
}

/**
 * xtaskq_manager_call - have the manager look at a queue
 * @tq: the queue
 * @watch: when
 *
 * Context: Any but NMI, and not under scheduler locks.
 */
void xtaskq_manager_call(struct xtaskq *tq, enum xtaskq_watch watch)
{
	mod_delayed_work(tq->wq, &tq->look, watch == XTASKQ_WATCH ? 1 : 0);
}

void xtaskq_manager_init(struct xtaskq *tq)
{
	INIT_DELAYED_WORK(&tq->look, manager_look);
	INIT_WORK(&tq->create, manager_create);
	INIT_DELAYED_WORK(&tq->trim, manager_trim);
}

/**
 * xtaskq_manager_stop - the manager and its helpers do nothing any more
 * @tq: the queue; nobody calls the manager any more
 *
 * In this order: the one has the next do something.
 *
 * Context: Task context, sleeps.
 */
void xtaskq_manager_stop(struct xtaskq *tq)
{
	cancel_delayed_work_sync(&tq->look);
	cancel_work_sync(&tq->create);
	cancel_delayed_work_sync(&tq->trim);
}
