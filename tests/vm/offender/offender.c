// SPDX-License-Identifier: GPL-2.0-only
/*
 * One offence of each kind that the debug kernels are there to notice, done on
 * load. If a run with this module were clean, a clean run would mean nothing.
 * Lockdep's comes first: it is switched off by the first report of KASAN.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static DEFINE_MUTEX(first);	/* these two are taken in both orders */
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(lock);	/* held over a sleep */

static void leak(void)
{
	void *lost = kmalloc(123, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(lost);
	pr_info("offender: leaked something\n");
}

static void sleep_in_atomic(void)
{
	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

static void use_after_free(void)
{
	char *gone = kmalloc(64, GFP_KERNEL);

	if (!gone)
		return;
	kfree(gone);
	OPTIMIZER_HIDE_VAR(gone);
	WRITE_ONCE(gone[1], 1);
}

static void nothing(struct timer_list *unused)
{
}

static void free_active_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, nothing, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static void invert_locks(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

#ifdef CONFIG_X86
/* The guard against the emulator's stale breakpoints must let this one through. */
static bool breakpoint;
module_param(breakpoint, bool, 0);
MODULE_PARM_DESC(breakpoint, "run into a breakpoint that is nobody's, and do nothing else");

static bool run_into_breakpoint(void)
{
	if (breakpoint)
		asm volatile("int3");
	return breakpoint;
}
#else
static bool run_into_breakpoint(void)
{
	return false;
}
#endif

static int __init offender_init(void)
{
	if (run_into_breakpoint())
		return 0;
	invert_locks();
	leak();
	sleep_in_atomic();
	if (IS_ENABLED(CONFIG_KASAN))
		use_after_free();
	free_active_timer();
	return 0;
}

static void __exit offender_exit(void)
{
}

module_init(offender_init);
module_exit(offender_exit);
MODULE_DESCRIPTION("Offends against what the debug kernels check");
MODULE_LICENSE("GPL");
