// SPDX-License-Identifier: GPL-2.0-only
/*
 * timeouts - arming, cancelling, and from the due time to the function.
 *
 *	timeouts how=HOW callers=N calls=N	so many threads, each on a CPU of its own, arm
 *						and cancel so often each, one at a time
 *	held how=HOW calls=N			so many are armed, then all are cancelled; and
 *						how large one is
 *	late how=HOW calls=N			one after the other, each armed on the next CPU
 *						of on=, nothing else going on: how long after its
 *						due time each function begins
 *	others how=HOW others=N			so many are armed, on the CPUs of on= alike, and
 *						stay until told otherwise
 *
 * HOW: "callout" is in memory of the caller's; "id" is the same by xtimeout(), cancelled
 * with xuntimeout(), "id_nowait" with xuntimeout_nowait().  Beside them the kernel's
 * "hrtimer", "timer" and "delayed_work", each with what cancels it and waits.  Timers are
 * part of objects, and a search through many takes the longer the more pages those are
 * on, so hrtimers are as far from one another as callouts; "packed" are side by side.
 * For late: "callout", "id", and "wake", an hrtimer that wakes a thread: the least that leads from
 * a point in time into a task.
 *
 * A thread that sleeps is woken where it was last, and to wake it on another CPU takes
 * longer.  Since late goes from CPU to CPU, all have as many such wake-ups.
 *
 * All but those of late are armed for a time between one and two hours from now, which
 * never comes.  Nothing that is equal is armed twice: a tree must be searched.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <timeout/internal.h>
#include <timeout/timeout.h>
#include <xsync/compat/hrtimer.h>
#include <xsync/compat/workqueue.h>
#include "bench.h"

#define HOUR	(3600 * NSEC_PER_SEC)

/* Of late: how long each waits. */
#define SOONEST	(50 * NSEC_PER_USEC)
#define LATEST	(2 * NSEC_PER_MSEC)

/* How many one work item arms or cancels. */
#define BLOCK	256

/* What is armed besides, in blocks. */
struct crowd {
	struct list_head blocks;
	unsigned int size;
};

/* A way to have something done later. */
struct timeout_how {
	const char *name;
	size_t size;			/* of what the caller keeps, or from one to the next */
	size_t bytes;			/* of what is armed */
	void (*init)(void *timeout);
	bool (*arm)(void *timeout, u64 ns);
	void (*cancel)(void *timeout);
	struct crowd *crowd;
};

/* Some that are armed and cancelled on one CPU. */
struct block {
	struct list_head link;
	struct work_struct work;
	const struct timeout_how *how;
	unsigned int cpu;
	unsigned int n;
	u32 seed;
	bool failed;
	u64 timeouts[];			/* aligned as any of them */
};

/* Those who arm and cancel at the same time. */
struct hands {
	const struct timeout_how *how;
	unsigned int calls;
	atomic_t missing, left;
	int open;
	bool failed;
	u64 began, ended;
	struct completion done;
};

static void never(void *arg)
{
}

static void callout_init(void *timeout)
{
	xcallout_init(timeout, THIS_MODULE, never, NULL);
}

static bool callout_arm(void *timeout, u64 ns)
{
	return xcallout_arm_ns(timeout, ns) >= 0;
}

static void callout_cancel(void *timeout)
{
	xcallout_stop(timeout);
}

static void id_init(void *timeout)
{
}

static bool id_arm(void *timeout, u64 ns)
{
	xtimeout_id_t *id = timeout;

	*id = xtimeout(never, NULL, nsecs_to_jiffies(ns));
	return *id;
}

static void id_cancel(void *timeout)
{
	xuntimeout(*(xtimeout_id_t *)timeout);
}

static void id_cancel_nowait(void *timeout)
{
	xuntimeout_nowait(*(xtimeout_id_t *)timeout);
}

static enum hrtimer_restart hrtimer_never(struct hrtimer *timer)
{
	return HRTIMER_NORESTART;
}

static void hr_init(void *timeout)
{
	hrtimer_setup(timeout, hrtimer_never, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
}

static bool hr_arm(void *timeout, u64 ns)
{
	hrtimer_start(timeout, ns_to_ktime(ns), HRTIMER_MODE_REL);
	return true;
}

static void hr_cancel(void *timeout)
{
	hrtimer_cancel(timeout);
}

static void timer_never(struct timer_list *timer)
{
}

static void wheel_init(void *timeout)
{
	timer_setup((struct timer_list *)timeout, timer_never, 0);
}

static bool wheel_arm(void *timeout, u64 ns)
{
	mod_timer(timeout, jiffies + nsecs_to_jiffies(ns));
	return true;
}

static void wheel_cancel(void *timeout)
{
	timer_delete_sync(timeout);
}

static void work_never(struct work_struct *work)
{
}

static void delayed_init(void *timeout)
{
	INIT_DELAYED_WORK((struct delayed_work *)timeout, work_never);
}

static bool delayed_arm(void *timeout, u64 ns)
{
	return queue_delayed_work(system_dfl_wq, timeout, nsecs_to_jiffies(ns));
}

static void delayed_cancel(void *timeout)
{
	cancel_delayed_work_sync(timeout);
}

static struct crowd callouts = { LIST_HEAD_INIT(callouts.blocks) };
static struct crowd ids = { LIST_HEAD_INIT(ids.blocks) };
static struct crowd hrtimers = { LIST_HEAD_INIT(hrtimers.blocks) };
static struct crowd packed_hrtimers = { LIST_HEAD_INIT(packed_hrtimers.blocks) };
static struct crowd timers = { LIST_HEAD_INIT(timers.blocks) };
static struct crowd delayed_works = { LIST_HEAD_INIT(delayed_works.blocks) };

static const struct timeout_how hows[] = {
	{ "callout", sizeof(struct xcallout), sizeof(struct xcallout),
	  callout_init, callout_arm, callout_cancel, &callouts },
	{ "id", sizeof(xtimeout_id_t), sizeof(struct xtimeout_named),
	  id_init, id_arm, id_cancel, &ids },
	{ "id_nowait", sizeof(xtimeout_id_t), sizeof(struct xtimeout_named),
	  id_init, id_arm, id_cancel_nowait, &ids },
	{ "hrtimer", sizeof(struct xcallout), sizeof(struct hrtimer),
	  hr_init, hr_arm, hr_cancel, &hrtimers },
	{ "packed", sizeof(struct hrtimer), sizeof(struct hrtimer),
	  hr_init, hr_arm, hr_cancel, &packed_hrtimers },
	{ "timer", sizeof(struct timer_list), sizeof(struct timer_list),
	  wheel_init, wheel_arm, wheel_cancel, &timers },
	{ "delayed_work", sizeof(struct delayed_work), sizeof(struct delayed_work),
	  delayed_init, delayed_arm, delayed_cancel, &delayed_works },
};

static const struct timeout_how *find_how(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hows); i++)
		if (!strcmp(hows[i].name, name))
			return &hows[i];
	return NULL;
}

static u64 far_away(struct rnd_state *rnd)
{
	return HOUR + mul_u64_u32_shr(HOUR, prandom_u32_state(rnd), 32);
}

/* The CPUs of on=, round and round; the one before the first is -1. */
static unsigned int next_cpu(unsigned int cpu, const struct bench_args *args)
{
	cpu = cpumask_next(cpu, &args->on);
	return cpu < nr_cpu_ids ? cpu : cpumask_first(&args->on);
}

static void *nth(void *timeouts, const struct timeout_how *how, unsigned int n)
{
	return timeouts + n * how->size;
}

static void block_arm(struct work_struct *work)
{
	struct block *b = container_of(work, struct block, work);
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, b->seed);
	for (i = 0; i < b->n; i++) {
		b->how->init(nth(b->timeouts, b->how, i));
		if (!b->how->arm(nth(b->timeouts, b->how, i), far_away(&rnd)))
			b->failed = true;
	}
}

static void block_cancel(struct work_struct *work)
{
	struct block *b = container_of(work, struct block, work);
	unsigned int i;

	for (i = 0; i < b->n; i++)
		b->how->cancel(nth(b->timeouts, b->how, i));
}

/* Has a function called for each block, on the CPU of the block. */
static void crowd_each(struct crowd *crowd, work_func_t func)
{
	struct block *b;

	list_for_each_entry(b, &crowd->blocks, link) {
		INIT_WORK(&b->work, func);
		schedule_work_on(b->cpu, &b->work);
	}
	list_for_each_entry(b, &crowd->blocks, link)
		flush_work(&b->work);
}

static void crowd_drop(struct crowd *crowd)
{
	struct block *b, *next;

	crowd_each(crowd, block_cancel);
	list_for_each_entry_safe(b, next, &crowd->blocks, link)
		kfree(b);
	INIT_LIST_HEAD(&crowd->blocks);
	crowd->size = 0;
}

static int crowd_alloc(struct crowd *crowd, const struct timeout_how *how,
		       const struct bench_args *args)
{
	unsigned int n, cpu = -1;
	struct block *b;

	for (n = 0; n < args->others; n += b->n) {
		b = kzalloc(struct_size(b, timeouts, 0) + BLOCK * how->size, GFP_KERNEL);
		if (!b)
			return -ENOMEM;
		cpu = next_cpu(cpu, args);
		b->how = how;
		b->cpu = cpu;
		b->seed = n;
		b->n = min_t(unsigned int, args->others - n, BLOCK);
		list_add_tail(&b->link, &crowd->blocks);
	}
	return 0;
}

static int others_run(const struct bench_args *args)
{
	const struct timeout_how *how = find_how(args->how);
	struct crowd *crowd;
	struct block *b;
	int err;

	if (!how)
		return -EINVAL;
	crowd = how->crowd;
	if (crowd->size == args->others)
		return 0;
	crowd_drop(crowd);
	err = crowd_alloc(crowd, how, args);
	if (!err) {
		crowd_each(crowd, block_arm);
		list_for_each_entry(b, &crowd->blocks, link)
			if (b->failed)
				err = -ENOMEM;
	}
	crowd->size = args->others;
	if (err)
		crowd_drop(crowd);
	return err;
}

/* Nothing stays armed. */
void bench_timeouts_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hows); i++)
		crowd_drop(hows[i].crowd);
}

static void pass_gate(struct hands *h)
{
	if (atomic_dec_and_test(&h->missing)) {
		h->began = ktime_get_ns();
		smp_store_release(&h->open, 1);	/* with began */
		return;
	}
	/* Pairs with the store above. */
	while (!smp_load_acquire(&h->open))
		usleep_range(40, 50);
}

static int arm_and_cancel(struct hands *h, void *timeout)
{
	bool (*arm)(void *timeout, u64 ns) = h->how->arm;
	void (*cancel)(void *timeout) = h->how->cancel;
	struct rnd_state rnd;
	unsigned int n;

	prandom_seed_state(&rnd, raw_smp_processor_id());
	h->how->init(timeout);
	for (n = 0; n < h->calls; n++) {
		if (!arm(timeout, far_away(&rnd)))
			return -ENOMEM;
		cancel(timeout);
	}
	return 0;
}

static int hand(void *arg)
{
	struct hands *h = arg;
	void *timeout = kzalloc(h->how->size, GFP_KERNEL);

	pass_gate(h);
	if (!timeout || arm_and_cancel(h, timeout))
		WRITE_ONCE(h->failed, true);
	if (atomic_dec_and_test(&h->left)) {
		h->ended = ktime_get_ns();
		complete(&h->done);
	}
	kfree(timeout);
	bench_until_stopped();
	return 0;
}

static void stop_all(struct task_struct **threads, unsigned int n)
{
	while (n--)
		kthread_stop(threads[n]);
}

/* All of them, or none is left. */
static int create_all(struct hands *h, struct task_struct **threads,
		      const struct bench_args *args)
{
	unsigned int i, cpu = -1;

	for (i = 0; i < args->callers; i++) {
		cpu = next_cpu(cpu, args);
		threads[i] = kthread_create(hand, h, "bench-hand/%u", i);
		if (IS_ERR(threads[i])) {
			stop_all(threads, i);
			return PTR_ERR(threads[i]);
		}
		kthread_bind(threads[i], cpu);
	}
	return 0;
}

static int timeouts_run(const struct bench_args *args)
{
	struct hands h = {
		.how = find_how(args->how),
		.calls = args->calls,
		.missing = ATOMIC_INIT(args->callers),
		.left = ATOMIC_INIT(args->callers),
	};
	struct task_struct **threads;
	unsigned int i;
	int err;

	if (!h.how || args->callers > cpumask_weight(&args->on))
		return -EINVAL;
	threads = kcalloc(args->callers, sizeof(*threads), GFP_KERNEL);
	if (!threads)
		return -ENOMEM;
	init_completion(&h.done);
	err = create_all(&h, threads, args);
	if (!err) {
		for (i = 0; i < args->callers; i++)
			wake_up_process(threads[i]);
		wait_for_completion(&h.done);
		stop_all(threads, args->callers);
		err = h.failed ? -ENOMEM : 0;
		bench_say("sample %llu\n", h.ended - h.began);
	}
	kfree(threads);
	return err;
}

static int arm_all(const struct timeout_how *how, void *timeouts, unsigned int n)
{
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, n);
	for (i = 0; i < n; i++) {
		how->init(nth(timeouts, how, i));
		if (how->arm(nth(timeouts, how, i), far_away(&rnd)))
			continue;
		while (i--)
			how->cancel(nth(timeouts, how, i));
		return -ENOMEM;
	}
	return 0;
}

static int held_run(const struct bench_args *args)
{
	const struct timeout_how *how = find_how(args->how);
	unsigned int i;
	void *timeouts;
	u64 began;
	int err;

	if (!how)
		return -EINVAL;
	/* Pages: allocations are counted, and this is none of theirs. */
	timeouts = vzalloc(array_size(args->calls, how->size));
	if (!timeouts)
		return -ENOMEM;
	began = ktime_get_ns();
	err = arm_all(how, timeouts, args->calls);
	for (i = 0; !err && i < args->calls; i++)
		how->cancel(nth(timeouts, how, i));
	bench_say("sample %llu\n", ktime_get_ns() - began);
	bench_say("count entry_bytes %zu\n", how->bytes * args->calls);
	vfree(timeouts);
	return err;
}

struct late;

struct late_how {
	const char *name;
	bool (*arm)(struct late *l);
	void (*end)(struct late *l);	/* the function has been called: until it returned */
};

struct late {
	ktime_t due, began;
	struct completion done;
	struct xcallout callout;
	xtimeout_id_t id;
	struct hrtimer timer;
	struct task_struct *sleeper;
	int woken;
};

static void late_begins(void *arg)
{
	struct late *l = arg;

	l->began = ktime_get();
	complete(&l->done);
}

static bool late_callout(struct late *l)
{
	return xcallout_arm(&l->callout, l->due, 0, 0, XTIMEOUT_ABSOLUTE) >= 0;
}

static void late_callout_end(struct late *l)
{
	xcallout_stop_sync(&l->callout);
}

static bool late_id(struct late *l)
{
	l->id = xtimeout_generic(THIS_MODULE, late_begins, l, l->due, 0, XTIMEOUT_ABSOLUTE);
	return l->id;
}

static void late_id_end(struct late *l)
{
	xuntimeout(l->id);
}

static enum hrtimer_restart late_interrupt(struct hrtimer *timer)
{
	struct late *l = container_of(timer, struct late, timer);

	WRITE_ONCE(l->woken, 1);
	wake_up_process(l->sleeper);
	return HRTIMER_NORESTART;
}

static bool late_wake(struct late *l)
{
	hrtimer_start(&l->timer, l->due, HRTIMER_MODE_ABS_HARD);
	return true;
}

static void late_wake_end(struct late *l)
{
	hrtimer_cancel(&l->timer);
}

static const struct late_how late_hows[] = {
	{ "callout", late_callout, late_callout_end },
	{ "id", late_id, late_id_end },
	{ "wake", late_wake, late_wake_end },
};

static int late_sleeper(void *arg)
{
	struct late *l = arg;

	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		if (!READ_ONCE(l->woken)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		WRITE_ONCE(l->woken, 0);
		late_begins(l);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int late_measure(struct late *l, const struct late_how *how,
			const struct bench_args *args)
{
	unsigned int n, cpu = -1;
	struct rnd_state rnd;
	u64 wait;

	prandom_seed_state(&rnd, ktime_get_ns());
	for (n = 0; n < args->calls; n++) {
		cpu = next_cpu(cpu, args);
		set_cpus_allowed_ptr(current, cpumask_of(cpu));
		wait = SOONEST + prandom_u32_state(&rnd) % (LATEST - SOONEST);
		l->due = ktime_add_ns(ktime_get(), wait);
		if (!how->arm(l))
			return -ENOMEM;
		wait_for_completion(&l->done);
		how->end(l);
		bench_say("sample %lld\n", ktime_sub(l->began, l->due));
	}
	return 0;
}

static int late_run(const struct bench_args *args)
{
	const struct late_how *how = NULL;
	struct late *l;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(late_hows); i++)
		if (!strcmp(late_hows[i].name, args->how))
			how = &late_hows[i];
	if (!how)
		return -EINVAL;
	l = kzalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return -ENOMEM;
	init_completion(&l->done);
	xcallout_init(&l->callout, THIS_MODULE, late_begins, l);
	hrtimer_setup(&l->timer, late_interrupt, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	l->sleeper = kthread_run(late_sleeper, l, "bench-sleeper");
	err = PTR_ERR_OR_ZERO(l->sleeper);
	if (!err) {
		err = late_measure(l, how, args);
		set_cpus_allowed_ptr(current, cpu_possible_mask);
		kthread_stop(l->sleeper);
	}
	kfree(l);
	return err;
}

const struct bench_work bench_timeouts = { "timeouts", timeouts_run };
const struct bench_work bench_held = { "held", held_run };
const struct bench_work bench_late = { "late", late_run };
const struct bench_work bench_others = { "others", others_run };
