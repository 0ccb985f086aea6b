// SPDX-License-Identifier: GPL-2.0-only
/*
 * xsync_timeout_offender.ko: deadlocks with timeouts that do not happen, for lockdep to
 * find beforehand.
 *
 * In each offence a function takes a mutex, returns, and is armed again; and what would
 * wait for it is called with that mutex held while it is only armed, so that nothing
 * hangs.  The same with a mutex for each side is what nobody may complain about.  Each
 * offence has a function of its own, since that is what lockdep goes by.
 */
#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/wait_bit.h>
#include <timeout/timeout.h>

#define FAR_TICKS	(3600 * HZ)
#define FAR_NS		(3600 * (u64)NSEC_PER_SEC)

static char *offence = "none";
module_param(offence, charp, 0);
MODULE_PARM_DESC(offence, "what to do: none, untimeout, stop_sync, own_mutex, nowait, drain");

static DEFINE_MUTEX(lock);
static DEFINE_MUTEX(other);
static atomic_t ran;

static void take(struct mutex *mutex)
{
	mutex_lock(mutex);
	mutex_unlock(mutex);
	atomic_inc(&ran);
	wake_up_var(&ran);
}

static void wait_until_ran(int times)
{
	wait_var_event(&ran, atomic_read(&ran) == times);
	atomic_set(&ran, 0);
}

static void taken_by_timeout(void *mutex)
{
	take(mutex);
}

/* The function takes what is held over xuntimeout(). */
static void untimeout(bool offend)
{
	struct mutex *mutex = offend ? &lock : &other;
	xtimeout_id_t id;

	WARN_ON(!xtimeout(taken_by_timeout, mutex, 1));
	wait_until_ran(1);
	id = xtimeout(taken_by_timeout, mutex, FAR_TICKS);
	mutex_lock(&lock);
	WARN_ON(xuntimeout(id) <= 0);
	mutex_unlock(&lock);
}

static void taken_by_callout(void *mutex)
{
	take(mutex);
}

/* The function takes what is held over xcallout_stop_sync(). */
static void stop_sync(bool offend)
{
	struct xcallout co;

	xcallout_init(&co, THIS_MODULE, taken_by_callout, offend ? &lock : &other);
	WARN_ON(xcallout_arm_ns(&co, 0));
	wait_until_ran(1);
	WARN_ON(xcallout_stop_sync(&co));
	WARN_ON(xcallout_arm_ns(&co, FAR_NS));
	mutex_lock(&lock);
	WARN_ON(xcallout_stop_sync(&co) != 1);
	mutex_unlock(&lock);
}

static void called_with_mutex(void *unused)
{
	atomic_inc(&ran);
	wake_up_var(&ran);
}

/* xcallout_stop_sync() with the callout's own mutex; xcallout_stop() is the one for it. */
static void own_mutex(bool offend)
{
	struct xcallout co;
	int stopped;

	xcallout_init_generic(&co, THIS_MODULE, called_with_mutex, NULL, &lock, 0);
	WARN_ON(xcallout_arm_ns(&co, 0));
	wait_until_ran(1);
	WARN_ON(xcallout_stop_sync(&co));
	WARN_ON(xcallout_arm_ns(&co, FAR_NS));
	mutex_lock(&lock);
	stopped = offend ? xcallout_stop_sync(&co) : xcallout_stop(&co);
	mutex_unlock(&lock);
	WARN_ON(stopped != 1);
	WARN_ON(xcallout_stop_sync(&co));
}

static void taken_but_not_waited_for(void *mutex)
{
	take(mutex);
}

/* What does not wait may be called with what the function takes: no offence. */
static void nowait(bool offend)
{
	struct mutex *mutex = offend ? &lock : &other;
	struct xcallout co;
	xtimeout_id_t id;

	xcallout_init(&co, THIS_MODULE, taken_but_not_waited_for, mutex);
	WARN_ON(xcallout_arm_ns(&co, 0));
	WARN_ON(!xtimeout(taken_but_not_waited_for, mutex, 1));
	wait_until_ran(2);
	WARN_ON(xcallout_stop_sync(&co));
	WARN_ON(xcallout_arm_ns(&co, FAR_NS));
	id = xtimeout(taken_but_not_waited_for, mutex, FAR_TICKS);
	mutex_lock(&lock);
	WARN_ON(xcallout_stop(&co) != 1);
	WARN_ON(xuntimeout_nowait(id) <= 0);
	mutex_unlock(&lock);
}

static void taken_by_drained(void *mutex)
{
	take(mutex);
}

/* The function takes what is held over xtimeout_drain(). */
static void drain(bool offend)
{
	struct mutex *mutex = offend ? &lock : &other;
	static struct xcallout co;

	xcallout_init(&co, THIS_MODULE, taken_by_drained, mutex);
	WARN_ON(xcallout_arm_ns(&co, 0));
	wait_until_ran(1);
	WARN_ON(xcallout_stop_sync(&co));
	WARN_ON(xcallout_arm_ns(&co, FAR_NS));
	mutex_lock(&lock);
	WARN_ON(xtimeout_drain(THIS_MODULE));
	mutex_unlock(&lock);
	WARN_ON(xcallout_armed(&co));
}

static int __init offender_init(void)
{
	untimeout(!strcmp(offence, "untimeout"));
	stop_sync(!strcmp(offence, "stop_sync"));
	own_mutex(!strcmp(offence, "own_mutex"));
	nowait(!strcmp(offence, "nowait"));
	/* The last one: nothing can be armed afterwards. */
	drain(!strcmp(offence, "drain"));
	return 0;
}

static void __exit offender_exit(void)
{
	WARN_ON(xtimeout_drain(THIS_MODULE));
}

module_init(offender_init);
module_exit(offender_exit);
MODULE_DESCRIPTION("Deadlocks with timeouts for lockdep to find");
MODULE_LICENSE("GPL");
