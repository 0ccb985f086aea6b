// SPDX-License-Identifier: GPL-2.0-only
/* timeout: CPUs that go and come, a lock that a closing task holds. */
#include <linux/anon_inodes.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include "timeout_test.h"

/* A CPU that can be taken down, or 0. */
static unsigned int last_cpu(struct xut *t)
{
	unsigned int cpu = cpumask_last(cpu_online_mask);

	if (!IS_ENABLED(CONFIG_HOTPLUG_CPU) || !cpu || cpu >= nr_cpu_ids) {
		xut_skip(t, "no CPU can go offline");
		return 0;
	}
	return cpu;
}

struct on_cpu {
	struct xcallout *soon, *far;
	int n;
	atomic_t ran;
};

static long arm_on_cpu(void *arg)
{
	struct on_cpu *o = arg;
	int i, err = 0;

	for (i = 0; i < o->n; i++) {
		xcallout_init(&o->soon[i], THIS_MODULE, count, &o->ran);
		xcallout_init(&o->far[i], THIS_MODULE, count, &o->ran);
		err |= xcallout_arm_ns(&o->soon[i], 30 * NSEC_PER_MSEC + i);
		err |= xcallout_arm_ns(&o->far[i], FAR_NS);
	}
	return err;
}

/* What was armed there runs although the CPU is gone, and can be cancelled. */
static void cpu_goes_with_callouts_armed(struct xut *t)
{
	struct on_cpu o = { .n = 500, .ran = ATOMIC_INIT(0) };
	unsigned int cpu = last_cpu(t);
	struct xtimeout_table *table;
	int i;

	if (!cpu)
		return;
	o.soon = kvcalloc(o.n, sizeof(*o.soon), GFP_KERNEL);
	o.far = kvcalloc(o.n, sizeof(*o.far), GFP_KERNEL);
	if (!XUT_EXPECT(t, o.soon && o.far))
		goto free;
	XUT_EXPECT_EQ(t, work_on_cpu(cpu, arm_on_cpu, &o), 0);
	table = o.far[0].table;
	XUT_EXPECT_EQ(t, table->index / XTIMEOUT_CLOCKS, cpu);
	xut_step(t, "taking a CPU down");
	if (!XUT_EXPECT_EQ(t, remove_cpu(cpu), 0)) {
		for (i = 0; i < o.n; i++) {
			xcallout_stop_sync(&o.soon[i]);
			xcallout_stop_sync(&o.far[i]);
		}
		goto free;
	}
	/* The one timer has moved, and none of the callouts. */
	for (i = 0; i < o.n; i++)
		XUT_EXPECT(t, READ_ONCE(o.far[i].table) == table);
	xut_step(t, "waiting for what was armed on that CPU");
	XUT_WAIT(t, atomic_read(&o.ran) == o.n);
	for (i = 0; i < o.n; i++) {
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&o.soon[i]), 0);
		if (i & 1)
			XUT_EXPECT_EQ(t, xcallout_stop_sync(&o.far[i]), 1);
	}
	XUT_EXPECT_EQ(t, add_cpu(cpu), 0);
	for (i = 0; i < o.n; i += 2)
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&o.far[i]), 1);
	XUT_EXPECT_EQ(t, atomic_read(&o.ran), o.n);
free:
	kvfree(o.soon);
	kvfree(o.far);
}

/* On the CPU that is down, and when it is back; then all run. */
static void fired_on_cpu(struct xut *t, unsigned int cpu, struct on_cpu *o)
{
	int i;

	XUT_EXPECT_EQ(t, work_on_cpu(cpu, arm_on_cpu, o), 0);
	xut_step(t, "waiting for callouts to fire");
	for (i = 0; i < o->n; i++)
		XUT_WAIT(t, has_fired(&o->soon[i]));
	xut_step(t, "taking a CPU down");
	XUT_EXPECT_EQ(t, remove_cpu(cpu), 0);
	XUT_EXPECT_EQ(t, xcallout_stop(&o->soon[0]), 1);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&o->soon[1], 0), 1);
	XUT_WAIT(t, has_fired(&o->soon[1]));
	xut_step(t, "bringing a CPU up");
	XUT_EXPECT_EQ(t, add_cpu(cpu), 0);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&o->soon[2]), 1);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&o->soon[3], 0), 1);
	XUT_WAIT(t, has_fired(&o->soon[3]));
	XUT_EXPECT_EQ(t, atomic_read(&o->ran), 0);
}

/* Fired, all threads are blocked, and the CPU of the table goes, and comes back. */
static void cpu_goes_with_callouts_fired(struct xut *t)
{
	struct on_cpu o = { .n = 6, .ran = ATOMIC_INIT(0) };
	unsigned int cpu = last_cpu(t);
	struct full_pool *pool;
	int i;

	if (!cpu)
		return;
	o.soon = kcalloc(o.n, sizeof(*o.soon), GFP_KERNEL);
	o.far = kcalloc(o.n, sizeof(*o.far), GFP_KERNEL);
	if (!XUT_EXPECT(t, o.soon && o.far))
		goto free;
	pool = full_pool_make(t);
	if (!pool)
		goto free;
	fired_on_cpu(t, cpu, &o);
	full_pool_let_go(pool);
	full_pool_free(t, pool);
	XUT_WAIT(t, atomic_read(&o.ran) == o.n - 2);
	for (i = 0; i < o.n; i++) {
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&o.soon[i]), 0);
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&o.far[i]), 1);
	}
	XUT_EXPECT_EQ(t, atomic_read(&o.ran), o.n - 2);
free:
	kfree(o.soon);
	kfree(o.far);
}

/*
 * A state that x86 has no use for, between the kernel's hrtimers having left the
 * dying CPU and the CPU being dead: interrupts off, cpu_online() false.
 */
#define DYING_STATE	CPUHP_AP_IRQ_GIC_STARTING

static struct xcallout dying_callout;
static bool dying_was_online;
static int dying_armed;

static int arm_while_dying(unsigned int cpu)
{
	dying_was_online = cpu_online(cpu);
	dying_armed = xcallout_arm_ns(&dying_callout, 1000);
	return 0;
}

static void armed_on_a_dying_cpu(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	unsigned int cpu = last_cpu(t);
	int round;

	if (!cpu)
		return;
	xcallout_init(&dying_callout, THIS_MODULE, count, &ran);
	if (!XUT_EXPECT_EQ(t, cpuhp_setup_state_nocalls(DYING_STATE, "xut:dying", NULL,
							arm_while_dying), 0))
		return;
	for (round = 1; round <= 3; round++) {
		dying_armed = -1;
		xut_step(t, "taking a CPU down");
		XUT_EXPECT_EQ(t, remove_cpu(cpu), 0);
		XUT_EXPECT_EQ(t, dying_armed, 0);
		XUT_EXPECT(t, !dying_was_online);
		xut_step(t, "waiting for what was armed on a dying CPU");
		XUT_WAIT(t, atomic_read(&ran) == round);
		XUT_EXPECT_EQ(t, add_cpu(cpu), 0);
	}
	cpuhp_remove_state_nocalls(DYING_STATE);
	xcallout_stop_sync(&dying_callout);
}

/*
 * A task closes a file, and its release function takes a mutex; the timer interrupt
 * hits it there, and the timeout's function wants the same mutex.
 */
struct closing {
	struct mutex lock;	/* protects @locked_by_release, @hit */
	struct completion done;
	bool locked_by_release;
	int hit;
	struct file *file;
	xtimeout_id_t armed;
};

static void needs_the_lock(void *arg)
{
	struct closing *c = arg;

	mutex_lock(&c->lock);
	c->hit += c->locked_by_release;
	mutex_unlock(&c->lock);
	complete(&c->done);
}

static int closing_release(struct inode *inode, struct file *file)
{
	struct closing *c = file->private_data;
	ktime_t end = ktime_add_ns(ktime_get(), 3 * TICK_NSEC);

	mutex_lock(&c->lock);
	c->locked_by_release = true;
	/* The CPU is kept, so the timer interrupt comes here while the lock is held. */
	while (ktime_before(ktime_get(), end))
		cpu_relax();
	mutex_unlock(&c->lock);
	return 0;
}

static const struct file_operations closing_fops = {
	.owner = THIS_MODULE,
	.release = closing_release,
};

/* In a kernel thread: there __fput_sync() is the last close, wherever it is legal. */
static void close_file(void *arg)
{
	struct closing *c = arg;

	migrate_disable();
	c->armed = xtimeout(needs_the_lock, c, 1);
	__fput_sync(c->file);
	migrate_enable();
}

static void lock_held_by_a_closing_task(struct xut *t)
{
	struct xtaskq *tq = xtaskq_create("xut", 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct closing c = {};

	if (!XUT_EXPECT(t, !IS_ERR(tq)))
		return;
	mutex_init(&c.lock);
	init_completion(&c.done);
	/* On a busy machine the tick may be over before the file is closed: that is no hit. */
	while (c.hit < 3 * (1 + xut_soak)) {
		c.locked_by_release = false;
		c.file = anon_inode_getfile("xut", &closing_fops, &c, O_RDWR);
		if (!XUT_EXPECT(t, !IS_ERR(c.file)))
			break;
		XUT_EXPECT(t, xtaskq_dispatch(tq, close_file, &c, XTASKQ_SLEEP));
		XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
		if (!XUT_EXPECT(t, c.armed))
			break;
		xut_step(t, "waiting for a function that needs a closing task's lock");
		wait_for_completion(&c.done);
	}
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static const struct xut_case cpu_cases[] = {
	XUT_CASE(cpu_goes_with_callouts_armed),
	XUT_CASE(cpu_goes_with_callouts_fired),
	XUT_CASE(armed_on_a_dying_cpu),
	XUT_CASE(lock_held_by_a_closing_task),
	{}
};

XUT_SHARED_SUITE(timeout_cpu, cpu_cases);
