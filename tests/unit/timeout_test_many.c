// SPDX-License-Identifier: GPL-2.0-only
/* timeout: very many, more than there are threads, and the system suspended meanwhile. */
#include <linux/cpu.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/suspend.h>
#include "taskq_test.h"
#include "timeout_test.h"

/*
 * A kernel with a shadow map takes long for each.  So does user-mode Linux that has more
 * CPUs than the host has to spare: a queued spinlock goes to the next in line, and the
 * others spin until the host runs it.
 */
#define MANY	(IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_UML) ? 10000 : 100000)

static bool ceiling;
module_param(ceiling, bool, 0600);
MODULE_PARM_DESC(ceiling, "past_the_ceiling lasts until this is false again (false)");

static unsigned int frozen_ms;
module_param(frozen_ms, uint, 0400);
MODULE_PARM_DESC(frozen_ms, "the system may be suspended, which takes so long (0: it may not)");

/* In one tick of one CPU; what the interrupt leaves to the threads must all come. */
static void due_in_one_tick(struct xut *t)
{
	struct xcallout *many = kvcalloc(MANY, sizeof(*many), GFP_KERNEL);
	atomic_t ran = ATOMIC_INIT(0);
	ktime_t due;
	int i;

	if (!XUT_EXPECT(t, many))
		return;
	/* Time enough to arm them before it; if it is not, they are due all the same. */
	migrate_disable();
	due = ktime_get() + 2 * NSEC_PER_SEC;
	for (i = 0; i < MANY; i++) {
		xcallout_init(&many[i], THIS_MODULE, count, &ran);
		if (!XUT_EXPECT_EQ(t, xcallout_arm(&many[i], due + i % TICK_NSEC, 0, 0,
						   XTIMEOUT_ABSOLUTE), 0))
			break;
	}
	migrate_enable();
	xut_step(t, "waiting for very many callouts that are due in one tick");
	XUT_WAIT_COUNT(t, atomic_read(&ran), i);
	while (i--)
		XUT_EXPECT_EQ(t, xcallout_stop_sync(&many[i]), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), MANY);
	kvfree(many);
}

/* What an interrupt dispatches needs none: nothing that has fired can be lost for that. */
static void fires_when_there_is_no_memory(struct xut *t)
{
	enum { N = 300 };
	struct xcallout *co = kvcalloc(N, sizeof(*co), GFP_KERNEL);
	atomic_t ran = ATOMIC_INIT(0);
	char was[XUT_PARAM];
	unsigned int i, ids = 0;

	if (!XUT_EXPECT(t, co))
		return;
	/* Each allocation of a queue's fails. */
	if (xut_set_param(t, FAIL_NTH, "1", was)) {
		for (i = 0; i < N; i++) {
			xcallout_init(&co[i], THIS_MODULE, count, &ran);
			XUT_EXPECT_EQ(t, xcallout_arm_ns(&co[i], NSEC_PER_MSEC), 0);
			ids += !!xtimeout(count, &ran, 1);
		}
		XUT_WAIT(t, atomic_read(&ran) == N + ids);
		for (i = 0; i < N; i++)
			XUT_EXPECT_EQ(t, xcallout_stop_sync(&co[i]), 0);
		xut_reset_param(t, FAIL_NTH, was);
	}
	kvfree(co);
}

/* Memory that the tables have for ids, beyond what they keep. */
static unsigned int spare_pieces(void)
{
	struct xtimeout_table *table;
	unsigned int i, n = 0;
	struct xcallout co;

	xcallout_init(&co, THIS_MODULE, count, NULL);
	/* The tables are per CPU, and this is one of them. */
	for_each_possible_cpu(i) {
		unsigned long base = (unsigned long)co.table - per_cpu_offset(co.table->index /
									     XTIMEOUT_CLOCKS);

		table = (void *)(base + per_cpu_offset(i));
		n = max(n, READ_ONCE(table->nspare));
	}
	return n;
}

/* Of very many all but each hundredth are cancelled, without waiting. */
static void memory_comes_back(struct xut *t)
{
	unsigned int n = MANY * (xut_soak ? 10 : 1), i;
	xtimeout_id_t *ids = kvcalloc(n, sizeof(*ids), GFP_KERNEL);
	atomic_t ran = ATOMIC_INIT(0);

	if (!XUT_EXPECT(t, ids))
		return;
	for (i = 0; i < n; i++) {
		ids[i] = xtimeout(count, &ran, FAR_TICKS + i % HZ);
		if (!XUT_EXPECT(t, ids[i]))
			break;
		cond_resched();
	}
	for (i = 0; i < n; i++) {
		if (i % 100)
			XUT_EXPECT(t, xuntimeout_nowait(ids[i]) > 0);
		cond_resched();
	}
	xut_step(t, "waiting for the memory to be given back");
	XUT_WAIT(t, spare_pieces() <= 4 * XTIMEOUT_SPARES);
	for (i = 0; i < n; i += 100)
		XUT_EXPECT(t, xuntimeout(ids[i]) > 0);
	XUT_WAIT(t, spare_pieces() <= 4 * XTIMEOUT_SPARES);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
	kvfree(ids);
}

struct in_timer {
	xtimeout_id_t ids[8 * XTIMEOUT_SPARES];
	unsigned int spares, got;
	atomic_t ran;
};

static void arm_in_timer(void *arg)
{
	struct in_timer *h = arg;
	struct xcallout co;
	unsigned int i;

	xcallout_init(&co, THIS_MODULE, count, NULL);
	h->spares = READ_ONCE(co.table->nspare);
	for (i = 0; i < ARRAY_SIZE(h->ids); i++) {
		h->ids[i] = xtimeout(count, &h->ran, FAR_TICKS);
		h->got += !!h->ids[i];
	}
}

/*
 * From a hard timer, and no thread makes up for what it takes: then it is the slab, which
 * is out of reach on PREEMPT_RT.  Elsewhere lockdep has nothing to say of it.
 */
static void more_than_are_spare(struct xut *t)
{
	struct in_timer *h = kvzalloc(sizeof(*h), GFP_KERNEL);
	struct full_pool *pool;
	unsigned int i;

	if (!XUT_EXPECT(t, h))
		return;
	XUT_WAIT(t, spare_pieces() <= 4 * XTIMEOUT_SPARES);
	pool = full_pool_make(t);
	if (!pool)
		goto free;
	XUT_EXPECT_EQ(t, xut_run_in(XUT_HRTIMER, arm_in_timer, h), 0);
	XUT_EXPECT(t, h->spares > 0 && h->spares < ARRAY_SIZE(h->ids));
	XUT_EXPECT_EQ(t, h->got, IS_ENABLED(CONFIG_PREEMPT_RT) ? h->spares :
							     ARRAY_SIZE(h->ids));
	full_pool_let_go(pool);
	full_pool_free(t, pool);
	for (i = 0; i < ARRAY_SIZE(h->ids); i++)
		if (h->ids[i])
			XUT_EXPECT(t, xuntimeout(h->ids[i]) > 0);
	XUT_EXPECT_EQ(t, atomic_read(&h->ran), 0);
free:
	kvfree(h);
}

/* Functions that wait for one that comes after them, one more than there are threads. */
static void past_the_ceiling(struct xut *t)
{
	struct full_pool *pool;
	struct xcallout last;

	if (!ceiling) {
		xut_skip(t, "somebody has to look at the kernel log: see tests/unit/timeouts");
		return;
	}
	pool = full_pool_make(t);
	if (!pool)
		return;
	xcallout_init(&last, THIS_MODULE, hold, &pool->held);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&last, 0), 0);
	XUT_WAIT(t, has_fired(&last));
	XUT_WAIT(t, !READ_ONCE(ceiling));
	XUT_EXPECT(t, has_fired(&last));
	XUT_EXPECT_EQ(t, xcallout_stop(&last), 1);
	full_pool_let_go(pool);
	full_pool_free(t, pool);
}

static void note_time(void *arg)
{
	WRITE_ONCE(*(ktime_t *)arg, ktime_get());
}

/*
 * Due while the system is suspended: not called before it goes on, and not lost.  How
 * long it is suspended is measured by the kernel's delay loops, and so not well.
 */
static void due_while_suspended(struct xut *t)
{
	static ktime_t ran[3];
	u64 due = frozen_ms * (u64)NSEC_PER_MSEC / 4;
	ktime_t begin = ktime_get();
	struct xcallout co, wall;
	unsigned int i;

	if (!frozen_ms) {
		xut_skip(t, "the system may not be suspended: see tests/unit/timeouts");
		return;
	}
	memset(ran, 0, sizeof(ran));
	xcallout_init(&co, THIS_MODULE, note_time, &ran[0]);
	xcallout_init_generic(&wall, THIS_MODULE, note_time, &ran[1], NULL, XTIMEOUT_WALL);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&co, due), 0);
	XUT_EXPECT_EQ(t, xcallout_arm_ns(&wall, due), 0);
	XUT_EXPECT(t, xtimeout_generic(THIS_MODULE, note_time, &ran[2], due, 0, 0));
	xut_step(t, "suspending");
	XUT_EXPECT_EQ(t, pm_suspend(PM_SUSPEND_TO_IDLE), 0);
	xut_step(t, "waiting for what was due meanwhile");
	for (i = 0; i < ARRAY_SIZE(ran); i++) {
		XUT_WAIT(t, READ_ONCE(ran[i]));
		XUT_EXPECT(t, ran[i] - begin >= 2 * due);
	}
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&co), 0);
	XUT_EXPECT_EQ(t, xcallout_stop_sync(&wall), 0);
}

static const struct xut_case many_cases[] = {
	XUT_CASE(due_in_one_tick),
	XUT_CASE(fires_when_there_is_no_memory),
	XUT_CASE(memory_comes_back),
	XUT_CASE(more_than_are_spare),
	XUT_CASE(past_the_ceiling),
	XUT_CASE(due_while_suspended),
	{}
};

XUT_SHARED_SUITE(timeout_many, many_cases);
