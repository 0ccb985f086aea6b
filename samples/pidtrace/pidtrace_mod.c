// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * pidtrace - a small tracer on top of xsync's fasttrap
 *
 * An example to copy from: what a tracer module has to do itself, and what the
 * layers below do for it. Its other half is the command pidtrace, which finds
 * out where functions start and return; the two talk through a control device,
 * see pidtrace_uapi.h.
 *
 * Objects: an open file is a struct tracer is a fasttrap session. Two parties
 * hold the tracer, and whichever lets go last frees it:
 *
 *   the file      until it is closed
 *   the session   until fasttrap calls release(): no callback runs any more
 *
 * Neither is always the last. After close(), and after kill -9 of the command,
 * hits may be in flight on other CPUs until fasttrap has taken the probes out.
 * The other way round, a session ends when the process that opened it exits,
 * while a child may still hold the file.
 *
 * Locking: tracer.lock serialises the calls on one file. The hit callback takes
 * no lock: what it uses is set up by PIDTRACE_SETUP, before the first probe is
 * enabled, and does not change until release(). tracer.ended is written by one
 * callback and read by anybody.
 *
 * Unloading: an open file pins the module. Sessions of closed files may still be
 * on their way out, so the exit function removes the device, then waits for
 * them with xfasttrap_drain().
 */
#include <linux/build_bug.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <fasttrap/fasttrap.h>

#include "pidtrace_counters.h"
#include "pidtrace_frames.h"
#include "pidtrace_uapi.h"

/* The cookie of a probe: the index of its counters, and whether to pair it. */
#define COOKIE_PAIR	BIT_ULL(32)

struct tracer {
	struct kref			ref;
	struct xfasttrap_session	*session;
	struct mutex			lock;		/* one call at a time */
	struct pid			*target;	/* NULL until PIDTRACE_SETUP */
	u32				nr_functions;
	struct counters			*counters;
	struct frames			*frames;	/* NULL: nothing is timed */
	wait_queue_head_t		wait;
	unsigned int			ended;		/* PIDTRACE_TARGET_* */
};

static void tracer_free(struct kref *ref)
{
	struct tracer *t = container_of(ref, struct tracer, ref);

	frames_free(t->frames);
	counters_free(t->counters);
	put_pid(t->target);
	kfree(t);
}

/* A probe was hit: in the traced thread, preemption off, no sleeping. */
static void tracer_hit(const struct xfasttrap_hit *hit, void *arg)
{
	u32 function = hit->cookie;
	struct tracer *t = arg;
	u64 ns;

	if (hit->kind == XFASTTRAP_RETURN) {
		counters_return(t->counters, function);
		if ((hit->cookie & COOKIE_PAIR) &&
		    frames_leave(t->frames, function, hit->regs->sp, &ns))
			counters_time(t->counters, function, ns);
	} else {
		counters_call(t->counters, function);
		if (hit->cookie & COOKIE_PAIR)
			frames_enter(t->frames, function, hit->regs->sp);
	}
}

static void tracer_retired(struct pid *pid, enum xfasttrap_end why, void *arg)
{
	struct tracer *t = arg;

	WRITE_ONCE(t->ended, why == XFASTTRAP_END_EXEC ? PIDTRACE_TARGET_EXEC :
							  PIDTRACE_TARGET_EXITED);
	wake_up_all(&t->wait);
}

static void tracer_release(void *arg)
{
	struct tracer *t = arg;

	kref_put(&t->ref, tracer_free);
}

static const struct xfasttrap_ops tracer_ops = {
	.owner		= THIS_MODULE,
	.hit		= tracer_hit,
	.retired	= tracer_retired,
	.release	= tracer_release,
};

static int pidtrace_open(struct inode *inode, struct file *file)
{
	struct xfasttrap_session *session;
	struct tracer *t;

	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return -ENOMEM;
	kref_init(&t->ref);	/* the file's */
	kref_get(&t->ref);	/* the session's */
	mutex_init(&t->lock);
	init_waitqueue_head(&t->wait);

	/* Checks the caller's capabilities, too. */
	session = xfasttrap_session_create(&tracer_ops, t);
	if (IS_ERR(session)) {
		kfree(t);
		return PTR_ERR(session);
	}
	t->session = session;
	file->private_data = t;
	return nonseekable_open(inode, file);
}

/* Also how a killed command ends; must not wait for anything. */
static int pidtrace_release(struct inode *inode, struct file *file)
{
	struct tracer *t = file->private_data;

	xfasttrap_session_close(t->session);
	kref_put(&t->ref, tracer_free);
	return 0;
}

static __poll_t pidtrace_poll(struct file *file, struct poll_table_struct *table)
{
	struct tracer *t = file->private_data;

	poll_wait(file, &t->wait, table);
	return READ_ONCE(t->ended) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int tracer_setup(struct tracer *t, void __user *arg)
{
	struct pidtrace_setup setup;
	struct pid *target;

	if (copy_from_user(&setup, arg, sizeof(setup)))
		return -EFAULT;
	if (setup.version != PIDTRACE_VERSION)
		return -EPROTO;
	if (setup.size != sizeof(setup) || setup.reserved || !setup.nr_functions ||
	    (setup.flags & ~(PIDTRACE_TIME | PIDTRACE_HISTOGRAM)))
		return -EINVAL;
	if (setup.nr_functions > PIDTRACE_MAX_FUNCTIONS)
		return -E2BIG;
	if (t->target)
		return -EBUSY;

	target = find_get_pid(setup.pid);
	if (!target)
		return -ESRCH;
	t->counters = counters_alloc(setup.nr_functions, setup.flags & PIDTRACE_HISTOGRAM);
	if (!t->counters)
		goto no_memory;
	if (setup.flags & PIDTRACE_TIME) {
		t->frames = frames_alloc();
		if (!t->frames)
			goto no_memory;
	}
	t->nr_functions = setup.nr_functions;
	t->target = target;
	return 0;

no_memory:
	counters_free(t->counters);
	t->counters = NULL;
	put_pid(target);
	return -ENOMEM;
}

static const enum xfasttrap_kind kinds[] = {
	[PIDTRACE_ENTRY]	= XFASTTRAP_ENTRY,
	[PIDTRACE_RETURN]	= XFASTTRAP_RETURN,
	[PIDTRACE_OFFSET]	= XFASTTRAP_OFFSET,
};

/* One probe as the caller describes it, none of which is trusted. */
static int get_probe(const struct tracer *t, const struct pidtrace_probe __user *from,
		     struct xfasttrap_spec *spec)
{
	struct pidtrace_probe probe;

	if (copy_from_user(&probe, from, sizeof(probe)))
		return -EFAULT;
	if (probe.kind >= ARRAY_SIZE(kinds) || probe.function >= t->nr_functions ||
	    (probe.flags & ~PIDTRACE_PAIR))
		return -EINVAL;
	/* Only these two kinds have the stack pointer at the return address. */
	if ((probe.flags & PIDTRACE_PAIR) && (!t->frames || probe.kind == PIDTRACE_OFFSET))
		return -EINVAL;

	spec->addr = probe.addr;
	spec->func = probe.func;
	spec->size = probe.size;
	spec->kind = kinds[probe.kind];
	spec->cookie = probe.function | (probe.flags & PIDTRACE_PAIR ? COOKIE_PAIR : 0);
	return 0;
}

static int put_answer(struct pidtrace_probe __user *to, const struct xfasttrap_spec *spec)
{
	u8 reason[sizeof(to->reason)] = { 0 };

	if (spec->error)
		strscpy(reason, xfasttrap_reason_text(spec->reason), sizeof(reason));
	if (put_user(spec->error, &to->error) ||
	    copy_to_user(to->reason, reason, sizeof(reason)))
		return -EFAULT;
	return 0;
}

static long enable_specs(struct tracer *t, struct pidtrace_probe __user *probes,
			 struct xfasttrap_spec *specs, u32 nr)
{
	long enabled;
	u32 i;
	int err;

	for (i = 0; i < nr; i++) {
		err = get_probe(t, &probes[i], &specs[i]);
		if (err)
			return err;
	}
	enabled = xfasttrap_enable(t->session, t->target, specs, nr);
	for (i = 0; enabled >= 0 && i < nr; i++) {
		err = put_answer(&probes[i], &specs[i]);
		if (err)
			return err;
	}
	return enabled;
}

static int tracer_enable(struct tracer *t, struct pidtrace_enable __user *arg)
{
	struct xfasttrap_spec *specs;
	struct pidtrace_enable enable;
	long enabled;

	if (copy_from_user(&enable, arg, sizeof(enable)))
		return -EFAULT;
	if (enable.size != sizeof(enable) || !enable.nr)
		return -EINVAL;
	if (enable.nr > PIDTRACE_MAX_BATCH)
		return -E2BIG;
	if (!t->target)
		return -ENXIO;

	specs = kvcalloc(enable.nr, sizeof(*specs), GFP_KERNEL_ACCOUNT);
	if (!specs)
		return -ENOMEM;
	enabled = enable_specs(t, u64_to_user_ptr(enable.probes), specs, enable.nr);
	kvfree(specs);
	if (enabled < 0)
		return enabled;
	return put_user((u64)enabled, &arg->nr_enabled);
}

/* Sums up and hands over the counts of one function after the other. */
static int tracer_read(struct tracer *t, void __user *arg)
{
	struct pidtrace_count __user *counts;
	u64 bucket[PIDTRACE_BUCKETS];
	struct pidtrace_count count;
	struct pidtrace_read read;
	u64 __user *buckets;
	u32 i;

	if (copy_from_user(&read, arg, sizeof(read)))
		return -EFAULT;
	if (!t->target || (read.buckets && !counters_have_buckets(t->counters)))
		return -ENXIO;
	if (read.size != sizeof(read) || read.reserved || read.first > t->nr_functions ||
	    read.nr > t->nr_functions - read.first)
		return -EINVAL;

	counts = u64_to_user_ptr(read.counts);
	buckets = u64_to_user_ptr(read.buckets);
	for (i = 0; i < read.nr; i++) {
		counters_sum(t->counters, read.first + i, &count, read.buckets ? bucket : NULL);
		if (copy_to_user(&counts[i], &count, sizeof(count)))
			return -EFAULT;
		if (read.buckets &&
		    copy_to_user(&buckets[(size_t)i * PIDTRACE_BUCKETS], bucket, sizeof(bucket)))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

static int tracer_state(struct tracer *t, void __user *arg)
{
	struct pidtrace_state state;
	struct frames_lost lost = { 0 };
	struct xfasttrap_stat stat;
	u32 size;

	if (get_user(size, (u32 __user *)arg))
		return -EFAULT;
	if (size != sizeof(state))
		return -EINVAL;
	xfasttrap_session_stat(t->session, &stat);
	if (t->frames)
		frames_sum_lost(t->frames, &lost);
	state = (struct pidtrace_state) {
		.size		= sizeof(state),
		.flags		= READ_ONCE(t->ended),
		.enabled	= stat.enabled,
		.hits		= stat.hits,
		.no_thread	= lost.no_thread,
		.too_deep	= lost.too_deep,
		.stale		= lost.stale,
		.unpaired	= lost.unpaired,
	};
	return copy_to_user(arg, &state, sizeof(state)) ? -EFAULT : 0;
}

static int tracer_disable(struct tracer *t)
{
	long disabled = xfasttrap_disable(t->session, NULL, 0);

	return disabled < 0 ? disabled : 0;
}

static int tracer_ioctl(struct tracer *t, unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case PIDTRACE_SETUP:
		return tracer_setup(t, arg);
	case PIDTRACE_ENABLE:
		return tracer_enable(t, arg);
	case PIDTRACE_READ:
		return tracer_read(t, arg);
	case PIDTRACE_STATE:
		return tracer_state(t, arg);
	case PIDTRACE_DISABLE:
		return tracer_disable(t);
	default:
		return -ENOTTY;
	}
}

static long pidtrace_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct tracer *t = file->private_data;
	long result;

	if (mutex_lock_killable(&t->lock))
		return -EINTR;
	result = tracer_ioctl(t, cmd, (void __user *)arg);
	mutex_unlock(&t->lock);
	return result;
}

static const struct file_operations pidtrace_fops = {
	.owner		= THIS_MODULE,
	.open		= pidtrace_open,
	.release	= pidtrace_release,
	.poll		= pidtrace_poll,
	.unlocked_ioctl	= pidtrace_ioctl,
};

static struct miscdevice pidtrace_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "pidtrace",
	.mode	= 0600,
	.fops	= &pidtrace_fops,
};

static int __init pidtrace_init(void)
{
	/* The interface has no holes, which would leak memory or differ by compiler. */
	static_assert(sizeof(struct pidtrace_setup) == 24);
	static_assert(sizeof(struct pidtrace_probe) == 128);
	static_assert(sizeof(struct pidtrace_enable) == 24);
	static_assert(sizeof(struct pidtrace_count) == 40);
	static_assert(sizeof(struct pidtrace_read) == 32);
	static_assert(sizeof(struct pidtrace_state) == 56);

	return misc_register(&pidtrace_device);
}
module_init(pidtrace_init);

static void __exit pidtrace_exit(void)
{
	misc_deregister(&pidtrace_device);
	xfasttrap_drain(THIS_MODULE);
}
module_exit(pidtrace_exit);

MODULE_DESCRIPTION("pidtrace: count and time the functions of a process");
MODULE_LICENSE("Dual MIT/GPL");
