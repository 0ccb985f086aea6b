// SPDX-License-Identifier: GPL-2.0-only
/*
 * timeout torture: callouts of every kind and ids, armed, moved and cancelled in every
 * way, from threads, hard interrupts and functions, while CPUs go and come and the wall
 * clock is set.
 *
 * Each thread has slots, one callout each, and draws which one it does something to.
 * Where only the thread arms a slot it knows how often, and how often that was
 * cancelled; the rest must have run when all is idle.  Of the others it knows that they
 * are idle after a stop that waits.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <xsync/compat/hrtimer.h>
#include "timeout_test.h"
#include "xut_torture.h"

#define TIMER_NS	(500 * NSEC_PER_USEC)

static unsigned int seconds = 2;
module_param(seconds, uint, 0600);
MODULE_PARM_DESC(seconds, "how long the torture case runs; times 1 + xsync_unit.soak (2)");

enum kind {
	MOVED,		/* armed again whatever its state */
	GUARDED,	/* with a mutex; armed when it was stopped */
	WALL,		/* as MOVED, by the wall clock */
	TOLD,		/* far away, but told when that clock is set */
	NAMED,		/* an id */
	SELF,		/* the function arms it again */
	PERIODIC,
	WAITER,		/* the function stops the next WAITER, and so on in a circle */
	FREED,		/* the function frees it */
	TIMER,		/* armed and stopped in a hard interrupt */
	KINDS
};

static const char *const kind_names[KINDS] = {
	"moved", "with a mutex", "by the wall clock", "told when that is set", "ids",
	"armed by their functions", "periodic", "waited for by functions",
	"freed by their functions", "from timer interrupts",
};

#define OF_A_KIND	3
#define SLOTS		(KINDS * OF_A_KIND)

struct torturer;

struct slot {
	struct xcallout co;
	struct mutex mutex;		/* GUARDED: held around the function */
	struct torturer *of;
	struct slot *next;		/* WAITER: whom it stops */
	enum kind kind;
	xtimeout_id_t id;		/* 0: there is none */
	atomic_t ran, inside;
	int armed, cancelled;
	bool out;			/* GUARDED: armed and not stopped since */
};

struct torturer {
	struct slot slots[SLOTS];
	struct torture_thread thread;
	struct hrtimer timer;
	unsigned long did[KINDS];
	unsigned long cancelled[KINDS];
	atomic_t errors[KINDS], circles, freed;
	int to_free;
};

struct freed {
	struct xcallout co;
	struct torturer *of;
};

static bool torture_over;

static void wrong(struct torturer *w, enum kind kind)
{
	atomic_inc(&w->errors[kind]);
}

static void slot_runs(void *arg)
{
	struct slot *s = arg;
	u32 r = get_random_u32();

	if (atomic_inc_return(&s->inside) != 1)
		wrong(s->of, s->kind);
	if (s->kind == GUARDED && !mutex_is_locked(&s->mutex))
		wrong(s->of, s->kind);
	if (r % 128 == 0)
		usleep_range(10, 200);
	else if (r % 8 == 0)
		udelay(r % 16);
	atomic_inc(&s->ran);
	if (s->kind == SELF && r & 0x300)
		xcallout_arm_ns(&s->co, r % 50000);
	atomic_dec(&s->inside);
}

static void waiter_runs(void *arg)
{
	struct slot *s = arg;

	atomic_inc(&s->inside);
	if (xcallout_stop_sync(&s->next->co) == -EDEADLK)
		atomic_inc(&s->of->circles);
	atomic_dec(&s->inside);
}

static void freed_runs(void *arg)
{
	struct freed *f = arg;
	struct torturer *w = f->of;

	kfree(f);
	atomic_inc(&w->freed);
}

static void freed_arm(struct torturer *w)
{
	struct freed *f = kmalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return;
	f->of = w;
	xcallout_init(&f->co, THIS_MODULE, freed_runs, f);
	w->to_free++;
	if (xcallout_arm_ns(&f->co, get_random_u32() % 200000))
		wrong(w, FREED);
}

static void slot_arm(struct torturer *w, struct slot *s, u32 r)
{
	u64 slack = r & 0x1000 ? r % 30000 : 0;
	u64 period = s->kind == PERIODIC ? 20000 + r % 200000 : 0;
	u64 when = s->kind == TOLD ? FAR_NS : get_random_u32() % 200000;
	int moved = xcallout_arm(&s->co, when, slack, period, 0);

	if (moved < 0)
		wrong(w, s->kind);
	s->armed++;
	s->cancelled += moved == 1;
	s->out = true;
}

/* Stops, with a wait, and looks whether the sum is right. */
static void slot_stop(struct torturer *w, struct slot *s)
{
	int r = xcallout_stop_sync(&s->co);

	if (r < 0 || atomic_read(&s->inside))
		wrong(w, s->kind);
	s->cancelled += r == 1;
	s->out = false;
	w->cancelled[s->kind] += r == 1;
	if (s->kind != SELF && s->kind != PERIODIC && s->kind != WAITER &&
	    s->armed != s->cancelled + atomic_read(&s->ran))
		wrong(w, s->kind);
}

/* With its mutex held it is never busy. */
static void slot_stop_guarded(struct torturer *w, struct slot *s)
{
	int r;

	mutex_lock(&s->mutex);
	r = xcallout_stop(&s->co);
	s->out = false;
	s->cancelled += r == 1;
	if (r < 0 || s->armed != s->cancelled + atomic_read(&s->ran))
		wrong(w, s->kind);
	mutex_unlock(&s->mutex);
}

static void named_step(struct torturer *w, struct slot *s, u32 r)
{
	long left;

	if (!s->id) {
		atomic_set(&s->ran, 0);
		s->id = xtimeout_generic(THIS_MODULE, slot_runs, s, r % 200000, r % 1000, 0);
		if (!s->id)
			wrong(w, s->kind);
		return;
	}
	left = r & 0x100 ? xuntimeout_nowait(s->id) : xuntimeout(s->id);
	if (left == -EBUSY)
		return;
	if (left < -1 || atomic_read(&s->ran) != (left == -1) || atomic_read(&s->inside))
		wrong(w, s->kind);
	w->cancelled[NAMED] += left >= 0;
	s->id = 0;
}

/* By less than it takes to notice; another torturer may do it at the same time. */
static void set_wall(void)
{
	struct timespec64 ts = ns_to_timespec64(ktime_get_real_ns() + 1000);

	do_settimeofday64(&ts);
}

static void step(struct torturer *w, struct slot *s)
{
	u32 r = get_random_u32();

	w->did[s->kind]++;
	switch (s->kind) {
	case NAMED:
		named_step(w, s, r);
		break;
	case FREED:
		freed_arm(w);
		break;
	case TIMER:
		break;
	default:
		if (s->kind == TOLD && r % 16 == 0)
			set_wall();
		/* A stop with the mutex may cancel two armings, and says that of one. */
		if (s->kind == GUARDED ? !s->out : r & 0x10000)
			slot_arm(w, s, r);
		else if (s->kind == GUARDED && r & 0x20000)
			slot_stop_guarded(w, s);
		else
			slot_stop(w, s);
	}
}

/* Idle, or armed once; from a hard interrupt, which does not wait. */
static void timer_step(struct torturer *w, struct slot *s)
{
	int r = xcallout_stop(&s->co);

	if (r == -EBUSY)
		return;
	s->cancelled += r == 1;
	if (s->armed != s->cancelled + atomic_read(&s->ran))
		wrong(w, s->kind);
	/* Random numbers are not to be had here. */
	if (xcallout_arm_ns(&s->co, ktime_get_ns() % (2 * TIMER_NS)))
		wrong(w, s->kind);
	s->armed++;
	w->did[TIMER]++;
}

static void in_nmi_refused(void *arg)
{
	struct torturer *w = arg;
	struct slot *s = &w->slots[TIMER * OF_A_KIND];

	if (xcallout_arm_ns(&s->co, 0) != -EWOULDBLOCK ||
	    xcallout_stop(&s->co) != -EWOULDBLOCK ||
	    xtimeout(slot_runs, s, 1) || xuntimeout_nowait(2) != -EWOULDBLOCK)
		wrong(w, TIMER);
}

static enum hrtimer_restart timer_runs(struct hrtimer *timer)
{
	struct torturer *w = container_of(timer, struct torturer, timer);
	int i;

	for (i = 0; i < OF_A_KIND; i++)
		timer_step(w, &w->slots[TIMER * OF_A_KIND + i]);
	xut_nmi_self(in_nmi_refused, w);
	if (READ_ONCE(torture_over))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(TIMER_NS));
	return HRTIMER_RESTART;
}

/* Those whose functions arm or stop others have to be stopped until nobody does. */
static void slots_end(struct torturer *w)
{
	int i;

	for (i = 0; i < SLOTS; i++) {
		struct slot *s = &w->slots[i];

		if (s->kind != NAMED)
			slot_stop(w, s);
		else if (s->id)
			named_step(w, s, 0);
	}
}

static int torture(void *arg)
{
	struct torturer *w = arg;

	hrtimer_start(&w->timer, ns_to_ktime(TIMER_NS), HRTIMER_MODE_REL_HARD);
	while (!READ_ONCE(torture_over)) {
		step(w, &w->slots[get_random_u32() % SLOTS]);
		cond_resched();
	}
	hrtimer_cancel(&w->timer);
	slots_end(w);
	return torture_thread_through(&w->thread);
}

static void slot_init(struct torturer *w, unsigned int n)
{
	struct slot *s = &w->slots[n];
	bool last = n % OF_A_KIND == OF_A_KIND - 1;
	unsigned int flags = 0;

	s->of = w;
	s->kind = n / OF_A_KIND;
	s->next = last ? s - (OF_A_KIND - 1) : s + 1;
	mutex_init(&s->mutex);
	if (s->kind == WALL || s->kind == TOLD)
		flags |= XTIMEOUT_WALL;
	if (s->kind == TOLD)
		flags |= XTIMEOUT_ON_SET;
	xcallout_init_generic(&s->co, THIS_MODULE, s->kind == WAITER ? waiter_runs : slot_runs,
			      s, s->kind == GUARDED ? &s->mutex : NULL, flags);
}

static struct torturer *torturer_new(struct xut *t, unsigned int i)
{
	struct torturer *w = kvzalloc(sizeof(*w), GFP_KERNEL);
	unsigned int n;

	if (!XUT_EXPECT(t, w))
		return NULL;
	for (n = 0; n < SLOTS; n++)
		slot_init(w, n);
	hrtimer_setup(&w->timer, timer_runs, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	if (torture_thread_begin(t, &w->thread, torture, w, i))
		return w;
	kvfree(w);
	return NULL;
}

/* Its thread is through. */
static void torturer_free(struct xut *t, struct torturer *w, unsigned long *did,
			  unsigned long *cancelled)
{
	int i;

	XUT_WAIT(t, atomic_read(&w->freed) == w->to_free);
	for (i = 0; i < KINDS; i++) {
		if (!XUT_EXPECT_EQ(t, atomic_read(&w->errors[i]), 0))
			xut_info(t, "wrong: %s", kind_names[i]);
		did[i] += w->did[i];
		cancelled[i] += w->cancelled[i];
	}
	torture_thread_end(&w->thread);
	kvfree(w);
}

static void all_at_once(struct xut *t)
{
	unsigned int i, nr = 2 * num_online_cpus();
	unsigned long begin = jiffies, secs;
	struct torturer **torturers = kcalloc(nr, sizeof(*torturers), GFP_KERNEL);
	unsigned long did[KINDS] = {}, cancelled[KINDS] = {};
	int circles = 0;

	if (!XUT_EXPECT(t, torturers))
		return;
	WRITE_ONCE(torture_over, false);
	for (i = 0; i < nr; i++)
		torturers[i] = torturer_new(t, i);
	xut_step(t, "torture");
	let_cpus_go_and_come(t, &seconds);
	WRITE_ONCE(torture_over, true);
	secs = max((jiffies - begin) / HZ, 1UL);
	xut_step(t, "threads end");
	for (i = 0; i < nr; i++) {
		if (!torturers[i])
			continue;
		torture_thread_await(t, &torturers[i]->thread);
		circles += atomic_read(&torturers[i]->circles);
		torturer_free(t, torturers[i], did, cancelled);
	}
	for (i = 0; i < KINDS; i++)
		xut_info(t, "%s: %lu, %lu per second, %lu stopped in time", kind_names[i],
			 did[i], did[i] / secs, cancelled[i]);
	xut_info(t, "%d circles were refused", circles);
	kfree(torturers);
}

static const struct xut_case torture_cases[] = {
	XUT_CASE(all_at_once),
	{}
};

XUT_SHARED_SUITE(timeout_torture, torture_cases);
