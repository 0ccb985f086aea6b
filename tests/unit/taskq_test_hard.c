// SPDX-License-Identifier: GPL-2.0-only
/* taskq: what is hard to get right when several things meet. */
#include <linux/slab.h>
#include "taskq_test.h"
#include "taskq_test_thread.h"

static void count(void *arg)
{
	atomic_inc(arg);
}

static bool is_throttled(struct xtaskq *tq)
{
	bool throttled;

	raw_spin_lock_irq(&tq->lock);
	throttled = !list_empty(&tq->throttled);
	raw_spin_unlock_irq(&tq->lock);
	return throttled;
}

static void dispatch_sleeping(struct helper *h)
{
	h->id = xtaskq_dispatch(h->tq, count, h->arg, XTASKQ_SLEEP);
}

static void destroy(struct helper *h)
{
	h->err = xtaskq_destroy(h->tq);
}

/* It is woken as soon as the queue goes, and what it was given runs if it was not. */
static void destroy_against_a_sleeper_at_maxalloc(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 1, 0);
	atomic_t ran = ATOMIC_INIT(0);
	struct helper sleeper = { .arg = &ran }, destroyer = {};
	struct gate g;

	if (!tq)
		return;
	gate_init(&g);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
	if (!helper_begin(t, &sleeper, dispatch_sleeping, tq))
		return;
	/* It is given up after a second, which may be over. */
	XUT_WAIT(t, is_throttled(tq) || READ_ONCE(sleeper.done));
	if (helper_begin(t, &destroyer, destroy, tq)) {
		XUT_WAIT(t, READ_ONCE(tq->dead));
		XUT_EXPECT(t, !is_throttled(tq));
		xut_step(t, "the dispatch returns");
		helper_end(t, &sleeper);
		complete_all(&g.open);
		xut_step(t, "destroying");
		helper_end(t, &destroyer);
		XUT_EXPECT_EQ(t, destroyer.err, 0);
	}
	XUT_EXPECT_EQ(t, atomic_read(&g.passed), 1);
	XUT_EXPECT_EQ(t, atomic_read(&ran), !!sleeper.id);
}

/* An entry that is taken back is for who waits for one. */
static void cancel_against_a_sleeper_at_maxalloc(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 2, 0);
	atomic_t ran = ATOMIC_INIT(0);
	struct helper sleeper = { .arg = &ran };
	xtaskqid_t id;
	struct gate g;

	if (!tq)
		return;
	gate_init(&g);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
	id = xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP);
	if (helper_begin(t, &sleeper, dispatch_sleeping, tq)) {
		XUT_WAIT(t, is_throttled(tq) || READ_ONCE(sleeper.done));
		XUT_EXPECT_EQ(t, xtaskq_cancel_id_nowait(tq, id), 0);
		XUT_EXPECT(t, !is_throttled(tq));
		helper_end(t, &sleeper);
		XUT_EXPECT(t, sleeper.id);
	}
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
}

static void wait_for_id(struct helper *h)
{
	h->err = xtaskq_wait_id(h->tq, h->id);
}

#define WAITERS	16

/* Many for one id, and one each for an id of old and one that was never given. */
static void many_wait_for_one_id(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct helper *h = kcalloc(WAITERS, sizeof(*h), GFP_KERNEL);
	atomic_t ran = ATOMIC_INIT(0);
	xtaskqid_t old, id;
	struct gate g;
	int i, begun = 0;

	if (!tq || !XUT_EXPECT(t, h))
		return;
	gate_init(&g);
	old = xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP);
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, old), 0);
	id = xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP);
	for (i = 0; i < WAITERS; i++) {
		h[i].id = i == 0 ? old : i == 1 ? id + 1000 : id;
		begun += helper_begin(t, &h[i], wait_for_id, tq);
	}
	xut_step(t, "those for other ids return");
	if (begun == WAITERS) {
		XUT_WAIT(t, READ_ONCE(h[0].done) && READ_ONCE(h[1].done));
		for (i = 2; i < WAITERS; i++)
			XUT_EXPECT(t, !READ_ONCE(h[i].done));
	}
	complete_all(&g.open);
	xut_step(t, "all return");
	for (i = 0; i < begun; i++) {
		helper_end(t, &h[i]);
		XUT_EXPECT_EQ(t, h[i].err, 0);
	}
	kfree(h);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* As many functions that wait for each other as there are threads. */
static void all_threads_wait_for_one_another(struct xut *t)
{
	static const unsigned int flags[] = {
		0, XTASKQ_DEDICATED, XTASKQ_DEDICATED | XTASKQ_DYNAMIC
	};
	static const char *const steps[] = { "workqueue", "dedicated", "dynamic" };
	struct meeting m;
	unsigned int k, i, n = min(9U, xtaskq_workqueue_limit());

	for (k = 0; k < ARRAY_SIZE(flags); k++) {
		struct xtaskq *tq = QUEUE(t, n, XTASKQ_PRI_NORMAL, 0, 0, flags[k]);

		if (!tq)
			return;
		init_completion(&m.all_here);
		atomic_set(&m.missing, n);
		xut_step(t, steps[k]);
		for (i = 0; i < n; i++)
			XUT_EXPECT(t, xtaskq_dispatch(tq, meet, &m, i & 1 ? XTASKQ_FRONT : 0));
		XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
		XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	}
}

struct again {
	struct xtaskq *tq;
	struct xtaskq_ent ent;
	atomic_t left;
};

static void run_again(void *arg)
{
	struct again *a = arg;

	if (atomic_dec_return(&a->left) > 0)
		xtaskq_dispatch_ent(a->tq, run_again, a, XTASKQ_FRONT, &a->ent);
}

/* What was outstanding is done although its function goes on under new ids. */
static void outstanding_ends_while_tasks_go_on(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct again a = { .tq = tq, .left = ATOMIC_INIT(INT_MAX) };
	xtaskqid_t id;

	if (!tq)
		return;
	xtaskq_init_ent(&a.ent);
	id = xtaskq_dispatch_ent(tq, run_again, &a, 0, &a.ent);
	XUT_EXPECT(t, id);
	xut_step(t, "waiting for the first of them");
	XUT_EXPECT_EQ(t, xtaskq_wait_outstanding(tq, id), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait_outstanding(tq, 0), 0);
	XUT_EXPECT(t, atomic_read(&a.left) < INT_MAX);
	atomic_set(&a.left, 1);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* gate | 0 1 F2 F3  ->  2 3 0 1 */
static void front_in_order(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, XTASKQ_FRONT_FIFO);
	struct xtaskq_ent ents[6];
	struct gate g, gates[6];
	static const int order[] = { 2, 5, 0, 1 };
	int i;

	if (!tq)
		return;
	gate_init(&g);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
	XUT_WAIT(t, atomic_read(&g.inside) == 1);
	for (i = 0; i < 6; i++) {
		gate_init(&gates[i]);
		xtaskq_init_ent(&ents[i]);
		XUT_EXPECT(t, xtaskq_dispatch_ent(tq, gate_pass, &gates[i],
						  i < 2 ? 0 : XTASKQ_FRONT, &ents[i]));
	}
	/* The last of them, and one in the middle. */
	XUT_EXPECT(t, xtaskq_cancel_ent(tq, &ents[4]));
	XUT_EXPECT(t, xtaskq_cancel_ent(tq, &ents[5]));
	XUT_EXPECT(t, xtaskq_cancel_ent(tq, &ents[3]));
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, gate_pass, &gates[5], XTASKQ_FRONT, &ents[5]));
	complete_all(&g.open);
	for (i = 0; i < 4; i++) {
		XUT_WAIT(t, atomic_read(&gates[order[i]].inside) == 1);
		complete_all(&gates[order[i]].open);
	}
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	expect_balance(t, tq, 8, 5, 3, 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static bool first_is_reported(struct xtaskq *tq)
{
	unsigned int i;
	bool reported = false;

	raw_spin_lock_irq(&tq->lock);
	for (i = 0; i < tq->nslots; i++)
		reported |= tq->runners[i].tag.id == 1 && tq->runners[i].reported;
	raw_spin_unlock_irq(&tq->lock);
	return reported;
}

#define DEADMAN_MS	"/sys/module/xsync_taskq/parameters/deadman_ms"

/* What has run longest, and not before somebody waits for it. */
static void deadman_names_the_oldest(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, 0);
	char was[XUT_PARAM];
	struct gate g;
	int i;

	if (!tq)
		return;
	gate_init(&g);
	if (xut_set_param(t, DEADMAN_MS, "20", was)) {
		for (i = 1; i <= 2; i++) {
			XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
			XUT_WAIT(t, atomic_read(&g.inside) == i);
		}
		XUT_EXPECT_EQ(t, xtaskq_wait_timeout(tq, 100 * NSEC_PER_MSEC), -ETIMEDOUT);
		XUT_EXPECT(t, !first_is_reported(tq));
		XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
		XUT_WAIT(t, first_is_reported(tq));
		xut_reset_param(t, DEADMAN_MS, was);
	}
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* Each third allocation fails, with every flag; nothing is lost, nothing left. */
static void allocations_that_fail(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, 0);
	unsigned int i, accepted = 0, n = 300;
	atomic_t ran = ATOMIC_INIT(0);
	char was[XUT_PARAM];
	xtaskqid_t id;

	if (!tq)
		return;
	if (xut_set_param(t, FAIL_NTH, "3", was)) {
		for (i = 0; i < n; i++) {
			id = i % 3 ? xtaskq_dispatch(tq, count, &ran, i % 2) :
				     xtaskq_dispatch_delay(tq, count, &ran, i % 2, 1000 * i, 0);
			accepted += !!id;
		}
		XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
		xut_reset_param(t, FAIL_NTH, was);
		XUT_EXPECT_EQ(t, atomic_read(&ran), accepted);
		XUT_EXPECT(t, accepted && accepted < n);
		expect_balance(t, tq, n, accepted, 0, n - accepted);
	}
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static void destroy_other(void *arg)
{
	WARN_ON(xtaskq_destroy(arg));
}

/* To lockdep, too, the threads of the one are not those of the other. */
static void a_function_destroys_another_queue(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	struct xtaskq *other = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t ran = ATOMIC_INIT(0);

	if (!tq || !other)
		return;
	XUT_EXPECT(t, xtaskq_dispatch(other, count, &ran, XTASKQ_SLEEP));
	XUT_EXPECT_EQ(t, xtaskq_wait(other), 0);
	XUT_EXPECT(t, xtaskq_dispatch(tq, destroy_other, other, XTASKQ_SLEEP));
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* Notes its place in the order of those that ran, and stays if there is a gate. */
struct placed {
	struct gate *gate;
	atomic_t *next;
	int place;
};

static void take_place(void *arg)
{
	struct placed *p = arg;

	p->place = atomic_inc_return(p->next);
	if (p->gate)
		gate_pass(p->gate);
}

/*
 * one thread    kept: [------------------------------------]
 * the other     N [-----]  f  a  b            N [--]
 * refused           N                             N
 * taken back        F
 */
static void front_and_noqueue_together(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, 0);
	atomic_t next = ATOMIC_INIT(0);
	struct gate kept, g, again;
	struct placed n = { &g, &next }, n2 = { &again, &next };
	struct placed a = { NULL, &next }, b = a, f = a, taken = a;
	struct helper h = {};
	xtaskqid_t id_n, id;

	if (!tq)
		return;
	gate_init(&kept);
	gate_init(&g);
	gate_init(&again);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &kept, XTASKQ_SLEEP));
	XUT_WAIT(t, atomic_read(&kept.inside) == 1);
	id_n = xtaskq_dispatch(tq, take_place, &n, XTASKQ_NOQUEUE);
	XUT_EXPECT(t, id_n);
	XUT_EXPECT_EQ(t, xtaskq_dispatch(tq, take_place, &taken, XTASKQ_NOQUEUE | XTASKQ_FRONT), 0);
	XUT_WAIT(t, atomic_read(&g.inside) == 1);
	XUT_EXPECT(t, xtaskq_dispatch(tq, take_place, &a, XTASKQ_SLEEP));
	h.id = xtaskq_dispatch(tq, take_place, &b, XTASKQ_SLEEP);
	XUT_EXPECT(t, xtaskq_dispatch(tq, take_place, &f, XTASKQ_FRONT));
	id = xtaskq_dispatch(tq, take_place, &taken, XTASKQ_FRONT);
	XUT_EXPECT_EQ(t, xtaskq_dispatch(tq, take_place, &taken, XTASKQ_NOQUEUE), 0);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id_nowait(tq, id_n), -EBUSY);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id(tq, id), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, id), 0);
	if (helper_begin(t, &h, wait_for_id, tq)) {
		complete_all(&g.open);
		xut_step(t, "one thread does the rest");
		helper_end(t, &h);
		XUT_EXPECT_EQ(t, h.err, 0);
	}
	XUT_EXPECT(t, n.place == 1 && f.place == 2 && a.place == 3 && b.place == 4);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id(tq, id_n), -ENOENT);

	/* Its function has returned, the thread may not be idle again yet. */
	XUT_WAIT(t, (id = xtaskq_dispatch(tq, take_place, &n2, XTASKQ_NOQUEUE)));
	XUT_WAIT(t, atomic_read(&again.inside) == 1);
	XUT_EXPECT_EQ(t, xtaskq_dispatch(tq, take_place, &taken, XTASKQ_NOQUEUE), 0);
	complete_all(&again.open);
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, id), 0);
	XUT_EXPECT_EQ(t, taken.place, 0);
	XUT_EXPECT_EQ(t, atomic_read(&kept.inside), 1);
	complete_all(&kept.open);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static void so_many_threads(struct xut *t, unsigned int n, unsigned int flags)
{
	struct xtaskq *tq = QUEUE(t, n, XTASKQ_PRI_NORMAL, 0, 0, flags);
	struct gate g;
	unsigned int i;

	if (!tq)
		return;
	gate_init(&g);
	for (i = 0; i < n + 10; i++)
		XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_SLEEP));
	XUT_WAIT_COUNT(t, atomic_read(&g.inside), n);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&g.most), n);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* All of them at once, and as many dedicated ones; one more: see create. */
static void as_many_threads_as_a_workqueue_can_run(struct xut *t)
{
	unsigned int n = xtaskq_workqueue_limit();

	if (IS_ENABLED(CONFIG_KASAN) && !xut_soak) {
		xut_skip(t, "so many threads take long here; see soak");
		return;
	}
	xut_step(t, "workqueue");
	so_many_threads(t, n, 0);
	xut_step(t, "dedicated");
	so_many_threads(t, n, XTASKQ_DEDICATED);
}

static const struct xut_case hard_cases[] = {
	XUT_CASE(destroy_against_a_sleeper_at_maxalloc),
	XUT_CASE(cancel_against_a_sleeper_at_maxalloc),
	XUT_CASE(a_function_destroys_another_queue),
	XUT_CASE(many_wait_for_one_id),
	XUT_CASE(all_threads_wait_for_one_another),
	XUT_CASE(front_and_noqueue_together),
	XUT_CASE(outstanding_ends_while_tasks_go_on),
	XUT_CASE(front_in_order),
	XUT_CASE(deadman_names_the_oldest),
	XUT_CASE(allocations_that_fail),
	XUT_CASE(as_many_threads_as_a_workqueue_can_run),
	{}
};

XUT_SHARED_SUITE(taskq_hard, hard_cases);
