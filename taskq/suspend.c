// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues that stand still: because somebody asked for that, or because the system
 * suspends or hibernates.
 *
 * A queue is held while it was suspended more often than resumed, or is frozen.  Its
 * runners finish what they run and take nothing more; tasks that are dispatched stay
 * pending.  "Suspended" is true when all runners are idle.
 *
 * The system freezes user tasks first, then those kernel threads that let it; one of
 * these is ours.  So queues go on while user tasks are being frozen, which may have to
 * wait for them (a notifier of PM_SUSPEND_PREPARE would be too early).  Then our thread
 * is asked to freeze.  It freezes all queues that are not CPR_SAFE, and those that come
 * meanwhile, waits until none of them runs anything, lets itself be frozen, and lets
 * them go when it wakes up.  A function that does not return for long is named; when
 * the system gives up, the queues go on.
 *
 * Memory ordering.  The thread sets its state, then looks whether it is asked to freeze;
 * who asks sets that, then wakes it.
 */
#define pr_fmt(fmt) "xsync_taskq: " fmt

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/freezer.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include "internal.h"

/* How long functions may take to return before one of them is named. */
#define FREEZE_PATIENCE	HZ

/* All that are not CPR_SAFE; under xtaskq_list_lock. */
static bool all_frozen;

static struct task_struct *freezer;
static DECLARE_COMPLETION(freezer_ready);

int xtaskq_suspend(struct xtaskq *tq)
{
	int err = xtaskq_may_wait(tq, "suspend", _RET_IP_);

	if (err)
		return err;
	raw_spin_lock_irq(&tq->lock);
	if (tq->dead)
		err = -ESHUTDOWN;
	else
		WRITE_ONCE(tq->suspended, tq->suspended + 1);
	raw_spin_unlock_irq(&tq->lock);
	if (!err)
		xtaskq_wait_until(tq, XTASKQ_UNTIL_STILL, 0);
	return err;
}
EXPORT_SYMBOL_GPL(xtaskq_suspend);

void xtaskq_resume(struct xtaskq *tq)
{
	unsigned long flags;
	bool let_go = false;

	/* Once it is let go it may be destroyed, which waits for this reader. */
	rcu_read_lock();
	raw_spin_lock_irqsave(&tq->lock, flags);
	if (tq->suspended) {
		WRITE_ONCE(tq->suspended, tq->suspended - 1);
		let_go = !xtaskq_held(tq);
	} else {
		WARN_ONCE(1, "xsync_taskq: %s is resumed, but not suspended\n", tq->name);
	}
	raw_spin_unlock_irqrestore(&tq->lock, flags);
	if (let_go)
		xtaskq_let_go(tq);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(xtaskq_resume);

bool xtaskq_suspended(struct xtaskq *tq)
{
	return READ_ONCE(tq->suspended);
}
EXPORT_SYMBOL_GPL(xtaskq_suspended);

/**
 * xtaskq_freeze_new - a new queue stands still if all do
 * @tq: the queue
 *
 * Context: Under xtaskq_list_lock.
 */
void xtaskq_freeze_new(struct xtaskq *tq)
{
	lockdep_assert_held(&xtaskq_list_lock);
	raw_spin_lock_irq(&tq->lock);
	tq->frozen = all_frozen && !(tq->flags & XTASKQ_CPR_SAFE);
	raw_spin_unlock_irq(&tq->lock);
}

static void freeze_all(bool freeze)
{
	struct xtaskq *tq;

	mutex_lock(&xtaskq_list_lock);
	all_frozen = freeze;
	list_for_each_entry(tq, &xtaskq_list, link) {
		xtaskq_freeze_new(tq);
		if (!freeze)
			xtaskq_let_go(tq);
	}
	mutex_unlock(&xtaskq_list_lock);
}

/* A queue whose functions have not returned yet is named if asked for. */
static bool all_stand_still(bool name)
{
	struct xtaskq *tq;
	bool still = true;

	mutex_lock(&xtaskq_list_lock);
	list_for_each_entry(tq, &xtaskq_list, link) {
		raw_spin_lock_irq(&tq->lock);
		still = !tq->frozen || xtaskq_still(tq);
		raw_spin_unlock_irq(&tq->lock);
		if (still)
			continue;
		if (name)
			xtaskq_name_oldest(tq, "the system waits for it to suspend");
		break;
	}
	mutex_unlock(&xtaskq_list_lock);
	return still;
}

/* Or until the system has given up. */
static void wait_until_all_stand_still(void)
{
	unsigned long patience = jiffies + FREEZE_PATIENCE;
	bool named = false;

	while (!all_stand_still(false) && freezing(current)) {
		if (!named && time_after(jiffies, patience)) {
			all_stand_still(true);
			named = true;
		}
		schedule_timeout_uninterruptible(1);
	}
}

static void stand_still_while_frozen(void)
{
	freeze_all(true);
	wait_until_all_stand_still();
	try_to_freeze();
	freeze_all(false);
}

static int freezer_thread(void *unused)
{
	set_freezable();
	complete(&freezer_ready);
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		if (!freezing(current)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		stand_still_while_frozen();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/**
 * xtaskq_suspend_init - follow the system when it suspends
 *
 * Context: Task context, may sleep.
 * Return: 0, or why there is no thread.
 */
int xtaskq_suspend_init(void)
{
	if (!IS_ENABLED(CONFIG_FREEZER))
		return 0;
	freezer = kthread_run(freezer_thread, NULL, "xsync_freezer");
	if (IS_ERR(freezer))
		return PTR_ERR(freezer);
	/* It would be frozen without more ado if it were asked to before. */
	wait_for_completion(&freezer_ready);
	return 0;
}

void xtaskq_suspend_exit(void)
{
	if (freezer)
		kthread_stop(freezer);
}
