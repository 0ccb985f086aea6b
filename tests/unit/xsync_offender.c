// SPDX-License-Identifier: GPL-2.0-only
/*
 * xsync_offender.ko: deadlocks that do not happen, for lockdep to find beforehand.
 *
 * Each offence takes a lock on both sides of something that is waited for, one side
 * after the other, so that nothing hangs; and the same with a lock for each side is
 * what nobody may complain about.
 */
#include <linux/cpu.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <xsync/xcall.h>
#include <xsync/xsync.h>

static char *offence = "none";
module_param(offence, charp, 0);
MODULE_PARM_DESC(offence, "what to do: none, callback, thread, hotplug");

static DEFINE_MUTEX(lock);
static DEFINE_MUTEX(other);
static struct xsync_domain domain;

static struct mutex *callback_takes;

static void take_in_callback(struct xsync_head *head)
{
	mutex_lock(callback_takes);
	mutex_unlock(callback_takes);
}

/* A callback takes what is held over the barrier. */
static void callback(bool offend)
{
	struct xsync_head head = {};

	callback_takes = offend ? &lock : &other;
	WARN_ON(xsync_call(&domain, &head, take_in_callback));
	WARN_ON(xsync_barrier(&domain));
	mutex_lock(&lock);
	WARN_ON(xsync_barrier(&domain));
	mutex_unlock(&lock);
}

static void take_in_thread(void *mutex)
{
	mutex_lock(mutex);
	mutex_unlock(mutex);
}

/* A thread-mode function takes what is held over the wait for another run of it. */
static void thread(bool offend)
{
	struct xcall *x = xcall_alloc(take_in_thread, offend ? &lock : &other,
				      XCALL_THREAD, GFP_KERNEL);

	if (WARN_ON(!x))
		return;
	WARN_ON(xcall_post(x, cpu_online_mask));
	WARN_ON(xcall_wait(x));
	mutex_lock(&lock);
	WARN_ON(xcall_wait(x));
	mutex_unlock(&lock);
	xcall_free(x);
}

#ifdef CONFIG_HOTPLUG_CPU
static void wait_for_hotplug(void *offend)
{
	if (!offend)
		return;
	cpus_read_lock();
	cpus_read_unlock();
}

/* A thread-mode function waits for CPUs that go, which wait for their threads. */
static void hotplug(bool offend)
{
	struct xcall *x = xcall_alloc(wait_for_hotplug, offend ? &domain : NULL,
				      XCALL_THREAD, GFP_KERNEL);
	unsigned int cpu = cpumask_last(cpu_online_mask);

	if (WARN_ON(!x))
		return;
	WARN_ON(xcall_post(x, cpu_online_mask));
	WARN_ON(xcall_wait(x));
	xcall_free(x);
	WARN_ON(remove_cpu(cpu));
	WARN_ON(add_cpu(cpu));
}
#else
static void hotplug(bool offend)
{
}
#endif

static int __init offender_init(void)
{
	int err = xsync_domain_init(&domain, "offender", XSYNC_FENCED);

	if (err)
		return err;
	callback(!strcmp(offence, "callback"));
	thread(!strcmp(offence, "thread"));
	hotplug(!strcmp(offence, "hotplug"));
	return 0;
}

static void __exit offender_exit(void)
{
	WARN_ON(xsync_domain_destroy(&domain));
}

module_init(offender_init);
module_exit(offender_exit);
MODULE_DESCRIPTION("Deadlocks of xsync for lockdep to find");
MODULE_LICENSE("GPL");
