// SPDX-License-Identifier: GPL-2.0-only
/*
 * xsync_beside_spl.ko: a queue of OpenZFS's and one of ours in one module, each under
 * the names that its owner exports.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <sys/taskq.h>
#include <taskq/taskq.h>
#include <tests/unit/xut.h>

#define HOPS	10000
#define THREADS	4

struct pair {
	taskq_t *theirs;
	struct xtaskq *ours;
	taskq_ent_t their_ent;
	struct xtaskq_ent our_ent;
	bool own_entries;
	unsigned int hops, lost;
	unsigned int strange;	/* functions that were not in their own queue alone */
	struct completion done;
};

static struct pair *pair_new(struct xut *t, bool own_entries)
{
	struct pair *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!XUT_EXPECT(t, p))
		return NULL;
	p->own_entries = own_entries;
	init_completion(&p->done);
	taskq_init_ent(&p->their_ent);
	xtaskq_init_ent(&p->our_ent);
	p->theirs = taskq_create("xut", THREADS, defclsyspri, 0, INT_MAX, 0);
	p->ours = xtaskq_create("xut", THREADS, XTASKQ_PRI_NORMAL, 0, 0, 0);
	return XUT_EXPECT(t, p->theirs && !IS_ERR(p->ours)) ? p : NULL;
}

static void pair_free(struct xut *t, struct pair *p)
{
	XUT_EXPECT_EQ(t, p->lost, 0);
	XUT_EXPECT_EQ(t, p->strange, 0);
	taskq_destroy(p->theirs);
	XUT_EXPECT_EQ(t, xtaskq_destroy(p->ours), 0);
	kfree(p);
}

static void our_hop(void *arg);

static void to_ours(struct pair *p)
{
	xtaskqid_t id = p->own_entries ?
		xtaskq_dispatch_ent(p->ours, our_hop, p, 0, &p->our_ent) :
		xtaskq_dispatch(p->ours, our_hop, p, XTASKQ_SLEEP);

	p->lost += !id;
	if (!id)
		complete(&p->done);
}

static void their_hop(void *arg)
{
	struct pair *p = arg;

	if (taskq_of_curthread() != p->theirs || xtaskq_current() ||
	    xtaskq_member(p->ours, current))
		p->strange++;
	if (++p->hops < HOPS)
		to_ours(p);
	else
		complete(&p->done);
}

static void our_hop(void *arg)
{
	struct pair *p = arg;

	if (xtaskq_current() != p->ours || taskq_of_curthread() ||
	    taskq_member(p->theirs, current))
		p->strange++;
	if (p->own_entries) {
		taskq_dispatch_ent(p->theirs, their_hop, p, 0, &p->their_ent);
	} else if (!taskq_dispatch(p->theirs, their_hop, p, TQ_SLEEP)) {
		p->lost++;
		complete(&p->done);
	}
}

/* ours -> theirs -> ours -> ... */
static void back_and_forth(struct xut *t, bool own_entries)
{
	struct pair *p = pair_new(t, own_entries);

	if (!p)
		return;
	to_ours(p);
	xut_step(t, "waiting for the last hop");
	if (!XUT_WAIT(t, completion_done(&p->done)))
		return;
	taskq_wait(p->theirs);
	XUT_EXPECT_EQ(t, xtaskq_wait(p->ours), 0);
	XUT_EXPECT_EQ(t, p->hops, HOPS);
	pair_free(t, p);
}

static void back_and_forth_by_own_entries(struct xut *t)
{
	back_and_forth(t, true);
}

static void back_and_forth_by_allocated_ones(struct xut *t)
{
	back_and_forth(t, false);
}

static void wait_for_theirs(void *arg)
{
	struct pair *p = arg;

	taskq_wait(p->theirs);
	complete(&p->done);
}

static void wait_for_ours(void *arg)
{
	struct pair *p = arg;

	p->lost += !!xtaskq_wait(p->ours);
	complete(&p->done);
}

/* A function of one queue that waits for the other does not wait for its own. */
static void each_waits_for_the_other(struct xut *t)
{
	struct pair *p = pair_new(t, false);

	if (!p)
		return;
	XUT_EXPECT(t, xtaskq_dispatch(p->ours, wait_for_theirs, p, XTASKQ_SLEEP));
	if (!XUT_WAIT(t, try_wait_for_completion(&p->done)))
		return;
	XUT_EXPECT(t, taskq_dispatch(p->theirs, wait_for_ours, p, TQ_SLEEP));
	if (!XUT_WAIT(t, try_wait_for_completion(&p->done)))
		return;
	pair_free(t, p);
}

static const struct xut_case beside_spl_cases[] = {
	XUT_CASE(back_and_forth_by_own_entries),
	XUT_CASE(back_and_forth_by_allocated_ones),
	XUT_CASE(each_waits_for_the_other),
	{}
};

XUT_SUITE(taskq_beside_spl, beside_spl_cases);

module_xut(&taskq_beside_spl);
MODULE_DESCRIPTION("OpenZFS's task queues and ours in one module");
MODULE_LICENSE("GPL");
