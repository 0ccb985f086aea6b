// SPDX-License-Identifier: GPL-2.0-only
/*
 * xsync_timeout_unload.ko: a module that is unloaded with timeouts in every state.
 *
 * While it is loaded there are, in both forms: armed ones that are far, that never come
 * and that come all the time; of the wall clock, and that are told when it is set;
 * periodic ones and such as arm themselves; functions that are blocked, and one that
 * waits for its mutex.  With max_threads of xsync_timeout being BLOCKED, whatever else
 * fires stays FIRED.  Its exit arms more from interrupts on all CPUs, and calls
 * xtimeout_drain(), which must wait for the blocked functions: they are let go once it
 * sleeps.  After that no function may be called, whatever happens.
 *
 * With drain=0 it leaves all that to the layer, which is to say so.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>
#include <timeout/timeout.h>

#define BLOCKED		8
#define LATE		8	/* per CPU, armed by the exit function */
#define FAR_TICKS	(3600 * HZ)
#define FAR_NS		(3600 * (u64)NSEC_PER_SEC)
#define PERIOD_NS	(200 * NSEC_PER_USEC)

static bool drain = true;
module_param(drain, bool, 0);
MODULE_PARM_DESC(drain, "call xtimeout_drain() at unload (Y)");

static struct xcallout far, never, periodic, again, wall, wall_soon, told;
static struct xcallout blocked[BLOCKED];
static DEFINE_PER_CPU(struct xcallout [LATE], late);

static DEFINE_MUTEX(lock);
static DECLARE_COMPLETION(go);
static atomic_t nblocked, nreturned;
static bool drained;

static void unload_called(void *unused)
{
	WARN_ON(READ_ONCE(drained));
}

static void unload_arms_itself(void *unused)
{
	unload_called(NULL);
	xcallout_arm_ns(&again, PERIOD_NS);
}

static void unload_has_successor(void *unused)
{
	unload_called(NULL);
	xtimeout(unload_has_successor, NULL, 1);
}

static void unload_blocked(void *unused)
{
	unload_called(NULL);
	atomic_inc(&nblocked);
	wake_up_var(&nblocked);
	wait_for_completion(&go);
	atomic_inc(&nreturned);
}

static int arm_far(void)
{
	const unsigned int on_set = XTIMEOUT_WALL | XTIMEOUT_ON_SET;

	xcallout_init(&far, THIS_MODULE, unload_called, NULL);
	xcallout_init(&never, THIS_MODULE, unload_called, NULL);
	xcallout_init_generic(&wall, THIS_MODULE, unload_called, NULL, NULL, XTIMEOUT_WALL);
	xcallout_init_generic(&told, THIS_MODULE, unload_called, NULL, NULL, on_set);
	if (!xtimeout(unload_called, NULL, FAR_TICKS) ||
	    !xtimeout_generic(THIS_MODULE, unload_called, NULL, FAR_NS, 0, on_set))
		return -ENOMEM;
	return xcallout_arm_ns(&far, FAR_NS) ?: xcallout_arm_ns(&never, U64_MAX) ?:
	       xcallout_arm_ns(&wall, FAR_NS) ?: xcallout_arm_ns(&told, FAR_NS);
}

static int arm_near(void)
{
	xcallout_init(&periodic, THIS_MODULE, unload_called, NULL);
	xcallout_init(&again, THIS_MODULE, unload_arms_itself, NULL);
	xcallout_init_generic(&wall_soon, THIS_MODULE, unload_called, NULL, NULL,
			      XTIMEOUT_WALL);
	if (!xtimeout(unload_called, NULL, 1) || !xtimeout(unload_has_successor, NULL, 1))
		return -ENOMEM;
	return xcallout_arm(&periodic, PERIOD_NS, 0, PERIOD_NS, 0) ?:
	       xcallout_arm_ns(&again, PERIOD_NS) ?: xcallout_arm_ns(&wall_soon, PERIOD_NS);
}

/* Two have the same mutex: one is blocked with it, and one waits for it. */
static int arm_blocked(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < BLOCKED && !err; i++) {
		xcallout_init_generic(&blocked[i], THIS_MODULE, unload_blocked, NULL,
				      i < 2 ? &lock : NULL, 0);
		err = xcallout_arm_ns(&blocked[i], 0);
	}
	if (!err)
		wait_var_event(&nblocked, atomic_read(&nblocked) == BLOCKED - 1);
	return err;
}

/* With interrupts off. */
static void arm_late(void *unused)
{
	unsigned int i;

	for (i = 0; i < LATE; i++) {
		struct xcallout *co = this_cpu_ptr(&late[i]);

		xcallout_init(co, THIS_MODULE, unload_called, NULL);
		WARN_ON(xcallout_arm_ns(co, i * NSEC_PER_USEC));
		WARN_ON(!xtimeout(unload_called, NULL, i));
	}
}

/* Lets the blocked functions go when the exit function waits for them, or will not. */
static struct task_struct *waiter;

static void let_go(struct work_struct *work)
{
	while (task_is_running(waiter) && !READ_ONCE(drained))
		usleep_range(20, 100);
	complete_all(&go);
}

static DECLARE_WORK(let_go_work, let_go);

static void set_clock(s64 by)
{
	struct timespec64 ts = ns_to_timespec64(ktime_get_real_ns() + by);

	WARN_ON(do_settimeofday64(&ts));
}

static void drain_all(void)
{
	waiter = current;
	schedule_work(&let_go_work);
	WARN_ON(xtimeout_drain(THIS_MODULE));
	/* Before anybody may be let go that was not waited for. */
	WARN_ON(atomic_read(&nblocked) != atomic_read(&nreturned));
	WRITE_ONCE(drained, true);
	flush_work(&let_go_work);

	WARN_ON(xtimeout(unload_called, NULL, 1));
	WARN_ON(xcallout_arm_ns(&far, 0) != -ESHUTDOWN);
	set_clock(NSEC_PER_MSEC);
	set_clock(-NSEC_PER_MSEC);
}

static int __init unload_init(void)
{
	int err = arm_far() ?: arm_near() ?: arm_blocked();

	if (err) {
		complete_all(&go);
		WARN_ON(xtimeout_drain(THIS_MODULE));
	}
	return err;
}

static void __exit unload_exit(void)
{
	on_each_cpu(arm_late, NULL, 1);
	if (drain)
		drain_all();
	else
		complete_all(&go);
}

module_init(unload_init);
module_exit(unload_exit);
MODULE_DESCRIPTION("Is unloaded with timeouts in every state");
MODULE_LICENSE("GPL");
