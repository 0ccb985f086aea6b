// SPDX-License-Identifier: GPL-2.0-only
/*
 * Torture: cross-calls in both modes to random CPUs, from tasks, timers, NMIs and
 * from the hand-off of their own end, and hand-offs.
 *
 * All requests are counted; each belongs to one thread, timer or hand-off, which
 * posts it again when its run has ended.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include "xsync_test.h"
#include "xsync_test_torture.h"

#define CHAIN_LENGTH	8

static void handed_over(struct xsync_handoff *h)
{
	atomic_long_inc(&container_of(h, struct torture_handoff, h)->ran);
}

static void hand_off(struct torture_cpu *c, enum counted_from from)
{
	struct torture_handoff *h = &c->handoff[from];

	if (xsync_handoff(&h->h))
		atomic_long_inc(&h->accepted);
	torture_note(TORTURE_HANDOFFS);
}

/* Post once more if the last run has ended. */
static void post_again(struct counted *c, enum counted_from from, enum torture_kind kind)
{
	if (!xcall_done(c->x))
		return;
	counted_check(c);
	counted_pick_mask(c);
	if (counted_post(c, from))
		atomic_inc(&torture_state.failed);
	torture_note(kind);
}

void torture_call_in_timer(struct torture_cpu *c)
{
	post_again(c->by_timer[c->ticks / 2 % 2], FROM_TIMER, TORTURE_TIMER_POST);
	hand_off(c, FROM_TIMER);
}

void torture_call_in_nmi(struct torture_cpu *c)
{
	post_again(c->by_nmi[c->ticks / 8 % 2], FROM_NMI, TORTURE_NMI_POST);
	hand_off(c, FROM_NMI);
}

static struct counted *post_random(struct torture_cpu *c)
{
	struct counted *call = c->by_task[get_random_u32() % 2];

	counted_pick_mask(call);
	if (counted_post(call, FROM_TASK))
		atomic_inc(&torture_state.failed);
	return call;
}

static void ended(struct counted *call, enum torture_kind kind, int err)
{
	if (err)
		atomic_inc(&torture_state.failed);
	counted_check(call);
	torture_note(kind);
}

static void post_and_wait(struct torture_cpu *c)
{
	struct counted *call = post_random(c);

	ended(call, TORTURE_POST_WAIT, xcall_wait(call->x));
}

static void post_and_poll(struct torture_cpu *c)
{
	struct counted *call = post_random(c);

	while (!xcall_done(call->x))
		usleep_range(10, 50);
	ended(call, TORTURE_POST_POLL, 0);
}

static void post_and_time_out(struct torture_cpu *c)
{
	struct counted *call = post_random(c);
	int err;

	do
		err = xcall_wait_timeout(call->x, 5000);
	while (err == -ETIMEDOUT);
	ended(call, TORTURE_POST_TIMEOUT, err);
}

static void run_call(struct torture_cpu *c)
{
	counted_pick_mask(c->by_run);
	counted_run(c->by_run);
	torture_note(TORTURE_RUN);
}

static void sync_other(struct torture_cpu *c)
{
	if (xsync_synchronize(&torture_state.other))
		atomic_inc(&torture_state.failed);
	torture_note(TORTURE_OTHER_DOMAIN);
}

static void hand_off_in_task(struct torture_cpu *c)
{
	hand_off(c, FROM_TASK);
}

/* The end of each run of the chain's request. */
static void chain_goes_on(struct xsync_handoff *h)
{
	struct torture_cpu *c = container_of(h, struct torture_cpu, news);

	if (c->chain_left--) {
		post_again(c->chain, FROM_HANDOFF, TORTURE_CHAIN_POST);
		return;
	}
	counted_check(c->chain);
	smp_store_release(&c->chain_idle, 1);	/* pairs with start_chain() */
}

static void start_chain(struct torture_cpu *c)
{
	if (!smp_load_acquire(&c->chain_idle))	/* pairs with chain_goes_on() */
		return;
	c->chain_idle = 0;
	c->chain_left = CHAIN_LENGTH;
	post_again(c->chain, FROM_TASK, TORTURE_CHAIN_POST);
}

static const struct torture_op call_ops[] = {
	{ post_and_wait, 6 },
	{ post_and_poll, 2 },
	{ post_and_time_out, 2 },
	{ run_call, 4 },
	{ start_chain, 1 },
	{ sync_other, 1 },
	{ hand_off_in_task, 4 },
};

int torture_caller(void *arg)
{
	struct torture_cpu *c = arg;

	while (!READ_ONCE(torture_state.stop)) {
		torture_do_one(call_ops, ARRAY_SIZE(call_ops), c);
		cond_resched();
	}
	atomic_dec(&torture_state.running);
	thread_idle();
	return 0;
}

bool torture_calls_begin(struct xut *t, struct torture_cpu *c)
{
	unsigned int mode, from;
	bool all = true;

	for (mode = XCALL_IPI; mode <= XCALL_THREAD; mode++) {
		c->by_task[mode] = counted_alloc(mode);
		c->by_timer[mode] = counted_alloc(mode);
		c->by_nmi[mode] = counted_alloc(mode);
		all &= c->by_task[mode] && c->by_timer[mode] && c->by_nmi[mode];
	}
	for (from = 0; from <= FROM_NMI; from++)
		xsync_handoff_init(&c->handoff[from].h, handed_over);
	c->by_run = counted_alloc(XCALL_IPI);
	c->chain = counted_alloc(c->cpu % 2);
	all &= c->by_run && c->chain;
	if (!XUT_EXPECT(t, all))
		return false;
	xsync_handoff_init(&c->news, chain_goes_on);
	xcall_notify(c->chain->x, &c->news);
	c->chain_idle = 1;
	return true;
}

/* Its threads and its timer are gone. */
void torture_calls_end(struct xut *t, struct torture_cpu *c)
{
	unsigned int mode, from;

	if (c->chain && c->news.func) {
		XUT_WAIT(t, smp_load_acquire(&c->chain_idle)); /* from chain_goes_on() */
		xsync_handoff_sync(&c->news);
	}
	counted_free(c->chain);
	counted_free(c->by_run);
	for (mode = XCALL_IPI; mode <= XCALL_THREAD; mode++) {
		counted_free(c->by_task[mode]);
		counted_free(c->by_timer[mode]);
		counted_free(c->by_nmi[mode]);
	}
	for (from = 0; from <= FROM_NMI; from++) {
		struct torture_handoff *h = &c->handoff[from];

		if (!h->h.func)
			continue;
		xsync_handoff_sync(&h->h);
		XUT_EXPECT_EQ(t, atomic_long_read(&h->ran), atomic_long_read(&h->accepted));
	}
}
