// SPDX-License-Identifier: GPL-2.0-only
/*
 * The deadman: names the function that holds a queue up.
 *
 * A queue is held up if tasks are pending, all its threads are busy, and the function
 * that has run longest has done so for deadman_ms.  Four times in that time all queues
 * are looked at.  Each run of a function is named once.
 */
#define pr_fmt(fmt) "xsync_taskq: " fmt

#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <xsync/compat/workqueue.h>
#include "internal.h"

static void deadman_look(struct work_struct *work);
static DECLARE_DELAYED_WORK(deadman_work, deadman_look);

static unsigned int deadman_ms = 10000;
static bool deadman_on;	/* under the lock of parameters; it may be set before the module is up */

static void deadman_arm(unsigned int ms)
{
	if (ms)
		mod_delayed_work(system_dfl_wq, &deadman_work, max(msecs_to_jiffies(ms / 4), 1UL));
}

static int deadman_ms_set(const char *text, const struct kernel_param *kp)
{
	int err = param_set_uint(text, kp);

	if (!err && deadman_on)
		deadman_arm(deadman_ms);
	return err;
}

static const struct kernel_param_ops deadman_ms_ops = {
	.set = deadman_ms_set,
	.get = param_get_uint,
};

module_param_cb(deadman_ms, &deadman_ms_ops, &deadman_ms, 0600);
MODULE_PARM_DESC(deadman_ms, "name a function that keeps tasks waiting for so long, in ms; 0: never (10000)");

/* What has run longest, or NULL. */
static struct xtaskq_runner *oldest(struct xtaskq *tq)
{
	struct xtaskq_runner *r = NULL;
	unsigned int i;

	lockdep_assert_held(&tq->lock);
	for (i = 0; i < tq->nslots; i++) {
		struct xtaskq_runner *other = &tq->runners[i];

		if (other->tag.id && (!r || other->since < r->since))
			r = other;
	}
	return r;
}

/**
 * xtaskq_name_oldest - say which function of a queue has run longest
 * @tq: the queue, on the list of queues, which is locked
 * @what: what that is bad for
 *
 * Context: Task context.
 */
void xtaskq_name_oldest(struct xtaskq *tq, const char *what)
{
	unsigned int busy, pending;
	xtaskq_func_t func = NULL;
	struct xtaskq_runner *r;
	pid_t pid = 0;
	u64 since = 0;

	raw_spin_lock_irq(&tq->lock);
	r = oldest(tq);
	if (r) {
		func = READ_ONCE(r->func);
		since = r->since;
		pid = r->task->pid;
	}
	busy = tq->nlive - tq->nidle;
	pending = tq->npending;
	raw_spin_unlock_irq(&tq->lock);
	if (func)
		pr_warn("%s: %s: %ps has run for %llu ms in thread %d; %u of %u threads are busy, %u tasks wait\n",
			tq->name, what, func, div_u64(xsync_age(since), NSEC_PER_MSEC),
			pid, busy, READ_ONCE(tq->nthreads), pending);
}

static bool is_held_up(struct xtaskq *tq, u64 limit_ns)
{
	struct xtaskq_runner *r;
	bool held_up = false;

	raw_spin_lock_irq(&tq->lock);
	r = tq->npending && !tq->nidle && !xtaskq_held(tq) ? oldest(tq) : NULL;
	if (r && !r->reported && xsync_age(r->since) >= limit_ns) {
		r->reported = true;
		held_up = true;
	}
	raw_spin_unlock_irq(&tq->lock);
	return held_up;
}

static void deadman_look(struct work_struct *work)
{
	unsigned int ms = READ_ONCE(deadman_ms);
	struct xtaskq *tq;

	if (!ms)
		return;
	mutex_lock(&xtaskq_list_lock);
	list_for_each_entry(tq, &xtaskq_list, link)
		if (is_held_up(tq, (u64)ms * NSEC_PER_MSEC))
			xtaskq_name_oldest(tq, "tasks are held up");
	mutex_unlock(&xtaskq_list_lock);
	deadman_arm(ms);
}

void xtaskq_deadman_init(void)
{
	kernel_param_lock(THIS_MODULE);
	deadman_on = true;
	deadman_arm(deadman_ms);
	kernel_param_unlock(THIS_MODULE);
}

void xtaskq_deadman_exit(void)
{
	kernel_param_lock(THIS_MODULE);
	deadman_on = false;
	deadman_ms = 0;
	kernel_param_unlock(THIS_MODULE);
	cancel_delayed_work_sync(&deadman_work);
}
