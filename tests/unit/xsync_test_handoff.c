// SPDX-License-Identifier: GPL-2.0-only
/* xsync_handoff() and xsync_handoff_sync(). */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include "xsync_test.h"

struct handed {
	struct xsync_handoff h;
	bool first, second;
	unsigned int from, on;
	int ran, left;
	bool irqsoff, hardirq, nmi;
};

static void note_handed(struct xsync_handoff *h)
{
	struct handed *n = container_of(h, struct handed, h);

	n->on = raw_smp_processor_id();
	n->irqsoff = irqs_disabled();
	n->hardirq = in_hardirq();
	n->nmi = in_nmi();
	smp_store_release(&n->ran, n->ran + 1);	/* pairs with handed_over() */
}

static int handed_over(const struct handed *n)
{
	return smp_load_acquire(&n->ran);	/* pairs with note_handed() */
}

/* With interrupts off on this CPU the function cannot begin in between. */
static void hand_off_twice(void *arg)
{
	struct handed *n = arg;
	unsigned long flags;

	local_irq_save(flags);
	n->from = raw_smp_processor_id();
	n->first = xsync_handoff(&n->h);
	n->second = xsync_handoff(&n->h);
	local_irq_restore(flags);
}

static void handoff_from(struct xut *t)
{
	struct handed n = {};

	xsync_handoff_init(&n.h, note_handed);
	if (!xut_run_here(t, hand_off_twice, &n))
		return;
	XUT_EXPECT(t, n.first);
	XUT_EXPECT(t, !n.second);
	XUT_WAIT(t, handed_over(&n));
	xsync_handoff_sync(&n.h);
	XUT_EXPECT_EQ(t, n.ran, 1);
	XUT_EXPECT_EQ(t, n.on, n.from);
	XUT_EXPECT(t, n.irqsoff);
	XUT_EXPECT(t, n.hardirq);
	XUT_EXPECT(t, !n.nmi);
}

static const struct xut_case handoff_cases[] = {
	XUT_CONTEXT_CASES(handoff_from),
	{}
};

XUT_SHARED_SUITE(handoff, handoff_cases);

static void hand_off_again(struct xsync_handoff *h)
{
	struct handed *n = container_of(h, struct handed, h);

	if (n->ran + 1 < n->left)
		n->first = xsync_handoff(h);
	note_handed(h);
}

static void function_hands_itself_off_again(struct xut *t)
{
	struct handed n = { .left = 50 };

	xsync_handoff_init(&n.h, hand_off_again);
	XUT_EXPECT(t, xsync_handoff(&n.h));
	XUT_WAIT(t, handed_over(&n) == 50);
	xsync_handoff_sync(&n.h);
	XUT_EXPECT_EQ(t, n.ran, 50);
	XUT_EXPECT(t, n.first);
}

struct freed {
	struct xsync_handoff h;
	struct work_struct work;
	struct workqueue_struct *wq;
	atomic_t *gone;
};

/* Freed by another thread, at the latest moment and perhaps at once. */
static void free_in_thread(struct work_struct *work)
{
	struct freed *f = container_of(work, struct freed, work);
	atomic_t *gone = f->gone;

	memset(f, 0x5a, sizeof(*f));
	kfree(f);
	atomic_inc(gone);
}

static void hand_on(struct xsync_handoff *h)
{
	struct freed *f = container_of(h, struct freed, h);

	queue_work(f->wq, &f->work);
}

static void function_gives_its_memory_away(struct xut *t)
{
	struct workqueue_struct *wq = alloc_workqueue("xut_free", WQ_UNBOUND, 0);
	atomic_t gone = ATOMIC_INIT(0);
	int i, handed = 0;

	if (!XUT_EXPECT(t, wq))
		return;
	for (i = 0; i < 500; i++) {
		struct freed *f = kzalloc(sizeof(*f), GFP_KERNEL);

		if (!XUT_EXPECT(t, f))
			break;
		f->gone = &gone;
		f->wq = wq;
		INIT_WORK(&f->work, free_in_thread);
		xsync_handoff_init(&f->h, hand_on);
		handed += xsync_handoff(&f->h);
	}
	XUT_WAIT(t, atomic_read(&gone) == handed);
	XUT_EXPECT_EQ(t, handed, i);
	destroy_workqueue(wq);
}

/* Functions handed off on one CPU run in order, whatever interrupts what. */

#define IN_ORDER	200

struct ordered {
	struct xsync_handoff h;
	int *next;
	int place;
};

static void take_place(struct xsync_handoff *h)
{
	struct ordered *o = container_of(h, struct ordered, h);

	o->place = (*o->next)++;
}

static void hand_off_next(void *arg)
{
	struct ordered *o = arg;

	xsync_handoff(&o->h);
}

static void functions_run_in_order(struct xut *t)
{
	static struct ordered o[IN_ORDER];
	int i, handed = 0, next = 0;

	xut_pin(t, cpumask_first(cpu_online_mask));
	for (i = 0; i < IN_ORDER; i++) {
		enum xut_context c = i % 2 ? XUT_NMI : XUT_IRQSOFF;

		o[handed] = (struct ordered) { .next = &next };
		xsync_handoff_init(&o[handed].h, take_place);
		if (!xut_run_in(c, hand_off_next, &o[handed]))
			handed++;
	}
	for (i = 0; i < handed; i++) {
		xsync_handoff_sync(&o[i].h);
		XUT_EXPECT_EQ(t, o[i].place, i);
	}
}

/*
 * The function runs on another CPU until it is told to end.  Both threads exist
 * before it begins: meanwhile that CPU does nothing for anybody.
 */
struct held {
	struct xsync_handoff h;
	int begun, release, syncing, synced, too_early;
};

static void hold_pass(struct xsync_handoff *h)
{
	struct held *n = container_of(h, struct held, h);

	smp_store_release(&n->begun, 1);	/* pairs with sync_thread() */
	while (!READ_ONCE(n->release))
		cpu_relax();
}

static int hand_off_thread(void *arg)
{
	struct held *n = arg;

	xsync_handoff(&n->h);
	thread_idle();
	return 0;
}

static int sync_thread(void *arg)
{
	struct held *n = arg;

	while (!smp_load_acquire(&n->begun))	/* pairs with hold_pass() */
		usleep_range(20, 100);
	WRITE_ONCE(n->syncing, 1);
	xsync_handoff_sync(&n->h);
	n->too_early = !READ_ONCE(n->release);
	smp_store_release(&n->synced, 1);	/* pairs with the case */
	thread_idle();
	return 0;
}

/* It sleeps between its looks; a wrong one does not come to that. */
static bool sleeps_in_sync(const struct held *n, struct task_struct *sync)
{
	return READ_ONCE(n->syncing) &&
	       READ_ONCE(sync->__state) == TASK_UNINTERRUPTIBLE;
}

static void sync_waits_for_function(struct xut *t)
{
	struct task_struct *handing, *sync;
	struct held n = {};
	unsigned int cpu;

	if (!spare_cpus(t, &cpu, 1))
		return;
	xsync_handoff_init(&n.h, hold_pass);
	sync = thread_on(t, raw_smp_processor_id(), sync_thread, &n);
	if (!sync)
		return;
	handing = thread_on(t, cpu, hand_off_thread, &n);

	xut_step(t, "sync has looked");
	XUT_WAIT(t, READ_ONCE(n.synced) || sleeps_in_sync(&n, sync));
	WRITE_ONCE(n.release, 1);
	xut_step(t, "sync returns");
	XUT_WAIT(t, smp_load_acquire(&n.synced));	/* pairs with sync_thread() */
	XUT_EXPECT(t, !n.too_early);

	kthread_stop(sync);
	put_task_struct(sync);
	if (handing) {
		kthread_stop(handing);
		put_task_struct(handing);
	}
}

static const struct xut_case handoff_rules_cases[] = {
	XUT_CASE(function_hands_itself_off_again),
	XUT_CASE(function_gives_its_memory_away),
	XUT_CASE(functions_run_in_order),
	XUT_CASE(sync_waits_for_function),
	{}
};

XUT_SHARED_SUITE(handoff_rules, handoff_rules_cases);
