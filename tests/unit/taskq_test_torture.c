// SPDX-License-Identifier: GPL-2.0-only
/*
 * taskq torture: every way to dispatch, take back and wait, at once, on queues of every
 * kind, which are suspended now and then, while CPUs go and come; and the same once more
 * while allocations fail.
 *
 * Each thread has slots, a task each.  What it does next is drawn: with a slot that is
 * idle it dispatches, with one that is under way it takes back or waits.  What that
 * tells it of the task must be true at that moment: it ran exactly once, or was taken
 * back and never runs.  Each thread also has a timer, whose interrupt dispatches slots
 * of its own, directly and, with an NMI on top, handed off; these are counted.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <xsync/compat/hrtimer.h>
#include "taskq_test.h"
#include "xut_torture.h"

#define QUEUES		5
#define SLOTS		24
#define TIMER_SLOTS	4	/* the last ones of them */
#define TIMER_NS	(500 * NSEC_PER_USEC)

static unsigned int seconds = 2;
module_param(seconds, uint, 0600);
MODULE_PARM_DESC(seconds, "how long the torture case runs; times 1 + xsync_unit.soak (2)");

struct slot {
	struct xtaskq_ent ent;
	struct xtaskq *tq;
	xtaskqid_t id;			/* 0: idle */
	bool own;			/* the queue's entry, not ent */
	bool handed;			/* by dispatch_any */
	atomic_t ran;
	int expected;			/* timer slots: how often it was dispatched */
};

enum did {
	DID_DISPATCH, DID_ENT, DID_ANY, DID_DELAY, DID_NOQUEUE, DID_NOWAKE, DID_REFUSED,
	DID_TIMER, DID_NMI, DID_CANCEL, DID_TOO_LATE, DID_CANCEL_ENT, DID_WAIT_ID,
	DID_WAIT, DID_OUTSTANDING, DID_SUSPEND, DID_CREATE, DID_NR,
};

static const char *const did_names[DID_NR] = {
	"dispatched", "with an entry", "from any context", "delayed", "not to be queued",
	"woken afterwards", "refused", "from timer interrupts", "from NMIs", "taken back by id",
	"too late for that", "taken back by entry", "waited for", "waits for all",
	"waits for all until then", "suspensions", "queues created and destroyed",
};

struct torturer {
	struct slot slots[SLOTS];
	struct torture_thread thread;
	struct hrtimer timer;
	unsigned long did[DID_NR];
	unsigned long errors;
};

static struct xtaskq *queues[QUEUES];
static bool torture_over;

static struct xtaskq *any_queue(void)
{
	return queues[get_random_u32() % QUEUES];
}

static void slot_runs(void *arg)
{
	struct slot *s = arg;
	u32 r = get_random_u32();

	if (r % 64 == 0)
		usleep_range(10, 200);
	else if (r % 4 == 0)
		udelay(r % 16);
	atomic_inc(&s->ran);
}

/* There are many of these: nobody could wait for them if they took their time. */
static void timer_slot_runs(void *arg)
{
	struct slot *s = arg;

	atomic_inc(&s->ran);
}

/* Of the timer's slots: those whose entry is idle go again, counted. */
static void timer_dispatch(struct torturer *w, struct slot *s, bool any)
{
	struct xtaskq *tq = queues[s->expected % QUEUES];
	xtaskqid_t id;

	if (!xtaskq_ent_idle(&s->ent))
		return;
	id = any ? xtaskq_dispatch_any(tq, &s->ent, timer_slot_runs, s) :
		   xtaskq_dispatch_ent(tq, timer_slot_runs, s, 0, &s->ent);
	if (!id)
		return;
	s->expected++;
	w->did[any ? DID_NMI : DID_TIMER]++;
}

static void in_nmi_dispatch(void *arg)
{
	struct torturer *w = arg;
	int i;

	for (i = SLOTS - TIMER_SLOTS / 2; i < SLOTS; i++)
		timer_dispatch(w, &w->slots[i], true);
}

static enum hrtimer_restart in_timer_dispatch(struct hrtimer *timer)
{
	struct torturer *w = container_of(timer, struct torturer, timer);
	int i;

	for (i = SLOTS - TIMER_SLOTS; i < SLOTS - TIMER_SLOTS / 2; i++)
		timer_dispatch(w, &w->slots[i], false);
	if (xut_nmi_self(in_nmi_dispatch, w))
		in_nmi_dispatch(w);
	if (READ_ONCE(torture_over))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(TIMER_NS));
	return HRTIMER_RESTART;
}

static void slot_dispatch(struct torturer *w, struct slot *s)
{
	u32 r = get_random_u32();
	unsigned int front = r & 0x100 ? XTASKQ_FRONT : 0;
	enum did did = r % 6;

	atomic_set(&s->ran, 0);
	s->tq = any_queue();
	s->own = did == DID_DISPATCH || did == DID_DELAY;
	s->handed = did == DID_ANY;
	switch (did) {
	case DID_DISPATCH:
		s->id = xtaskq_dispatch(s->tq, slot_runs, s, front |
					(r & 0x200 ? XTASKQ_NOSLEEP : XTASKQ_SLEEP));
		break;
	case DID_ENT:
		s->id = xtaskq_dispatch_ent(s->tq, slot_runs, s, front, &s->ent);
		break;
	case DID_ANY:
		s->id = xtaskq_dispatch_any(s->tq, &s->ent, slot_runs, s);
		break;
	case DID_DELAY:
		s->id = xtaskq_dispatch_delay(s->tq, slot_runs, s, front, r % 200000, r % 5000);
		break;
	case DID_NOQUEUE:
		s->id = xtaskq_dispatch_ent(s->tq, slot_runs, s, XTASKQ_NOQUEUE, &s->ent);
		break;
	default:
		s->id = xtaskq_dispatch_ent(s->tq, slot_runs, s, front | XTASKQ_NOWAKE, &s->ent);
		xtaskq_wake_up(s->tq, 1);
	}
	w->did[s->id ? did : DID_REFUSED]++;
}

/* It is over, as the caller was told, and so it was. */
static void slot_over(struct torturer *w, struct slot *s, int ran)
{
	w->errors += atomic_read(&s->ran) != ran;
	s->id = 0;
}

static void slot_cancel(struct torturer *w, struct slot *s)
{
	int err = xtaskq_cancel_id(s->tq, s->id);

	if (err && err != -EBUSY && err != -ENOENT)
		w->errors++;
	w->did[err ? DID_TOO_LATE : DID_CANCEL]++;
	slot_over(w, s, !!err);
}

/* What is handed on, or runs, stays as it is. */
static void slot_cancel_at_once(struct torturer *w, struct slot *s)
{
	int err = xtaskq_cancel_id_nowait(s->tq, s->id);

	if (err == -EBUSY)
		return;
	w->errors += err && err != -ENOENT;
	w->did[err ? DID_TOO_LATE : DID_CANCEL]++;
	slot_over(w, s, !!err);
}

static void slot_end(struct torturer *w, struct slot *s)
{
	switch (get_random_u32() % 4) {
	case 0:
		slot_cancel(w, s);
		break;
	case 1:
		slot_cancel_at_once(w, s);
		break;
	case 2:
		if (s->own || !xtaskq_cancel_ent(s->tq, &s->ent))
			break;
		w->did[DID_CANCEL_ENT]++;
		slot_over(w, s, 0);
		break;
	default:
		w->errors += !!xtaskq_wait_id(s->tq, s->id);
		w->did[DID_WAIT_ID]++;
		slot_over(w, s, 1);
	}
}

static void count(void *arg)
{
	atomic_inc(arg);
}

/* A queue of its own, from begin to end. */
static void own_queue(struct torturer *w)
{
	static const unsigned int flags[] = {
		0, XTASKQ_DEDICATED, XTASKQ_DEDICATED | XTASKQ_DYNAMIC, XTASKQ_THREADS_CPU_PCT
	};
	struct xtaskq *tq = xtaskq_create("torture_own", 2, XTASKQ_PRI_NORMAL, 0, 0,
					  flags[get_random_u32() % ARRAY_SIZE(flags)]);
	atomic_t ran = ATOMIC_INIT(0);
	int i, accepted = 0;

	if (IS_ERR(tq))
		return;
	for (i = 0; i < 20; i++)
		accepted += !!xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP);
	w->errors += !!xtaskq_destroy(tq) || atomic_read(&ran) != accepted;
	w->did[DID_CREATE]++;
}

static void do_queue(struct torturer *w)
{
	struct xtaskq *tq = any_queue();
	u32 r = get_random_u32() % 64;
	int err = 0;

	if (r < 24) {
		err = xtaskq_wait_outstanding_timeout(tq, 0, NSEC_PER_MSEC);
		w->did[DID_OUTSTANDING]++;
	} else if (r < 48) {
		err = xtaskq_wait_timeout(tq, NSEC_PER_MSEC);
		w->did[DID_WAIT]++;
	} else if (r < 63) {
		w->errors += !!xtaskq_suspend(tq);
		udelay(r);
		xtaskq_resume(tq);
		w->did[DID_SUSPEND]++;
	} else {
		own_queue(w);
	}
	w->errors += err && err != -ETIMEDOUT;
}

static int torture(void *arg)
{
	struct torturer *w = arg;
	int i;

	hrtimer_start(&w->timer, ns_to_ktime(TIMER_NS), HRTIMER_MODE_REL_HARD);
	while (!READ_ONCE(torture_over)) {
		struct slot *s = &w->slots[get_random_u32() % (SLOTS - TIMER_SLOTS)];

		if (get_random_u32() % 16 == 0)
			do_queue(w);
		else if (s->id)
			slot_end(w, s);
		else
			slot_dispatch(w, s);
		cond_resched();
	}
	hrtimer_cancel(&w->timer);
	for (i = 0; i < SLOTS - TIMER_SLOTS; i++)
		if (w->slots[i].id)
			slot_cancel(w, &w->slots[i]);
	return torture_thread_through(&w->thread);
}

static struct torturer *torturer_new(struct xut *t, unsigned int i)
{
	struct torturer *w = kvzalloc(sizeof(*w), GFP_KERNEL);
	int n;

	if (!XUT_EXPECT(t, w))
		return NULL;
	for (n = 0; n < SLOTS; n++)
		xtaskq_init_ent(&w->slots[n].ent);
	hrtimer_setup(&w->timer, in_timer_dispatch, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	if (torture_thread_begin(t, &w->thread, torture, w, i))
		return w;
	kvfree(w);
	return NULL;
}

/* When the queues have run dry. */
static void torturer_free(struct xut *t, struct torturer *w, unsigned long *did)
{
	int i;

	for (i = SLOTS - TIMER_SLOTS; i < SLOTS; i++)
		XUT_EXPECT_EQ(t, atomic_read(&w->slots[i].ran), w->slots[i].expected);
	XUT_EXPECT_EQ(t, w->errors, 0);
	for (i = 0; i < DID_NR; i++)
		did[i] += w->did[i];
	torture_thread_end(&w->thread);
	kvfree(w);
}

static bool queues_begin(struct xut *t)
{
	static const struct {
		int nthreads, maxalloc;
		unsigned int flags;
	} kinds[QUEUES] = {
		{ 1, 0, 0 },
		{ 3, 16, XTASKQ_FRONT_FIFO },
		{ 2, 0, XTASKQ_DEDICATED | XTASKQ_CPR_SAFE },
		{ 8, 0, XTASKQ_DEDICATED | XTASKQ_DYNAMIC },
		{ 100, 0, XTASKQ_THREADS_CPU_PCT | XTASKQ_MEM_RECLAIM },
	};
	int i;

	for (i = 0; i < QUEUES; i++) {
		queues[i] = QUEUE(t, kinds[i].nthreads, XTASKQ_PRI_NORMAL, 0,
				  kinds[i].maxalloc, kinds[i].flags);
		if (!queues[i])
			return false;
	}
	return true;
}

static void queues_end(struct xut *t)
{
	u64 ends;
	int i;

	for (i = 0; i < QUEUES && queues[i]; i++) {
		XUT_EXPECT_EQ(t, xtaskq_wait(queues[i]), 0);
		raw_spin_lock_irq(&queues[i]->lock);
		ends = queues[i]->linked - queues[i]->executed - queues[i]->cancelled;
		raw_spin_unlock_irq(&queues[i]->lock);
		XUT_EXPECT_EQ(t, ends, 0);
	}
}

static void all_at_once(struct xut *t)
{
	unsigned int i, nr = 2 * num_online_cpus();
	unsigned long begin = jiffies, secs;
	struct torturer **torturers = kcalloc(nr, sizeof(*torturers), GFP_KERNEL);
	unsigned long did[DID_NR] = {};

	memset(queues, 0, sizeof(queues));
	WRITE_ONCE(torture_over, false);
	if (XUT_EXPECT(t, torturers) && queues_begin(t)) {
		for (i = 0; i < nr; i++)
			torturers[i] = torturer_new(t, i);
		xut_step(t, "torture");
		let_cpus_go_and_come(t, &seconds);
		WRITE_ONCE(torture_over, true);
		secs = max((jiffies - begin) / HZ, 1UL);
		xut_step(t, "threads end");
		for (i = 0; i < nr; i++)
			if (torturers[i])
				torture_thread_await(t, &torturers[i]->thread);
		xut_step(t, "queues run dry");
		queues_end(t);
		for (i = 0; i < nr; i++)
			if (torturers[i])
				torturer_free(t, torturers[i], did);
		for (i = 0; i < DID_NR; i++)
			xut_info(t, "%s: %lu, %lu per second", did_names[i], did[i], did[i] / secs);
	}
	for (i = 0; i < QUEUES && queues[i]; i++)
		XUT_EXPECT_EQ(t, xtaskq_destroy(queues[i]), 0);
	kfree(torturers);
}

static void all_at_once_and_allocations_fail(struct xut *t)
{
	char was[XUT_PARAM];

	if (!xut_set_param(t, FAIL_NTH, "20", was))
		return;
	all_at_once(t);
	xut_reset_param(t, FAIL_NTH, was);
}

static const struct xut_case torture_cases[] = {
	XUT_CASE(all_at_once),
	XUT_CASE(all_at_once_and_allocations_fail),
	{}
};

XUT_SHARED_SUITE(taskq_torture, torture_cases);
