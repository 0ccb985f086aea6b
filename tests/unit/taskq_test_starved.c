// SPDX-License-Identifier: GPL-2.0-only
/*
 * taskq: when no memory can be had.
 *
 * The kernel's fault injection refuses memory to a task: all of it while the task starves,
 * or the nth allocation from now on.  tests/unit/starved sets it up; elsewhere the cases
 * are skipped.  Two tasks are treated so: the one that runs the case; and kthreadd, the
 * parent of all threads of the kernel, which can create none then.
 *
 * alloc_percpu() is left out of that: it has a stack printed when it gets no memory.  It is
 * made to give none from outside, with a kretprobe.
 */
#include <linux/cpumask.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "taskq_test.h"

#ifdef CONFIG_FAULT_INJECTION
static void starve(struct task_struct *task, bool starves)
{
	WRITE_ONCE(task->make_it_fail, starves);
}

static void refuse_nth(struct task_struct *task, unsigned int nth)
{
	WRITE_ONCE(task->fail_nth, nth);
}

static bool is_refused(struct task_struct *task)
{
	return !READ_ONCE(task->fail_nth);
}
#else
static void starve(struct task_struct *task, bool starves) {}
static void refuse_nth(struct task_struct *task, unsigned int nth) {}

static bool is_refused(struct task_struct *task)
{
	return false;
}
#endif

static bool can_starve(struct xut *t)
{
	void *memory;

	starve(current, true);
	memory = kmalloc(1, GFP_KERNEL);
	starve(current, false);
	kfree(memory);
	if (memory)
		xut_skip(t, "the kernel has no fault injection, or it is not set up: see tests/unit/starved");
	return !memory;
}

/* The parent of a queue's own thread, and of every other. */
static struct task_struct *kthreadd_of(struct xtaskq *tq)
{
	struct task_struct *parent;

	rcu_read_lock();
	parent = rcu_dereference(tq->runners[0].thread->real_parent);
	rcu_read_unlock();
	return parent;
}

static void count(void *arg)
{
	atomic_inc(arg);
}

/*
 * Of few threads: a queue that is larger than a page would be tried with vmalloc(), and
 * that has a stack printed too.
 */
static const struct kind {
	const char *name;
	int nthreads, minalloc;
	unsigned int flags;
} kinds[] = {
	{ "workqueue", 2, 0, 0 },
	{ "prepopulated", 1, 4, XTASKQ_PREPOPULATE },
	{ "percent", 50, 0, XTASKQ_THREADS_CPU_PCT },
	{ "reclaim", 1, 1, XTASKQ_PREPOPULATE | XTASKQ_MEM_RECLAIM },
	{ "dedicated", 3, 0, XTASKQ_DEDICATED },
	{ "percent of its own", 75, 0, XTASKQ_DEDICATED | XTASKQ_THREADS_CPU_PCT },
	{ "dynamic", 3, 1, XTASKQ_PREPOPULATE | XTASKQ_DEDICATED | XTASKQ_DYNAMIC },
};

static bool has_own_threads(const struct kind *k)
{
	return k->flags & (XTASKQ_DEDICATED | XTASKQ_MEM_RECLAIM);
}

static struct xtaskq *create(const struct kind *k)
{
	return xtaskq_create("xut", k->nthreads, XTASKQ_PRI_NORMAL, k->minalloc, 0, k->flags);
}

/* Threads of queues of this name, and of their workqueues. */
static unsigned int threads_left(void)
{
	struct task_struct *task;
	unsigned int n = 0;

	rcu_read_lock();
	for_each_process(task)
		n += strstarts(task->comm, "xut/") || !strcmp(task->comm, "kworker/R-xut");
	rcu_read_unlock();
	return n;
}

/* Whatever it could not be given, it has what was promised, and can be destroyed. */
static void expect_works(struct xut *t, struct xtaskq *tq)
{
	unsigned int live = tq->flags & XTASKQ_DYNAMIC ? 1 : tq->nthreads;
	atomic_t ran = ATOMIC_INIT(0);

	XUT_EXPECT_EQ(t, READ_ONCE(tq->nlive), live);
	XUT_EXPECT(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_SLEEP));
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	expect_balance(t, tq, 1, 1, 0, 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

#define ALLOCATIONS	1000	/* more than any creation makes */

/*
 * Queues are created with the first, the second, ... allocation refused, until one is
 * through before its turn comes.  Some can be done without, e.g. a name in debugfs.
 */
static void create_without_one(struct xut *t, const struct kind *k)
{
	unsigned int nth, needed = 0;
	struct xtaskq *tq = NULL;
	bool refused = true;

	xut_step(t, k->name);
	for (nth = 1; refused && nth < ALLOCATIONS; nth++) {
		refuse_nth(current, nth);
		tq = create(k);
		refused = is_refused(current);
		refuse_nth(current, 0);
		if (IS_ERR(tq)) {
			needed++;
			XUT_EXPECT_EQ(t, PTR_ERR(tq), -ENOMEM);
		} else {
			expect_works(t, tq);
		}
	}
	XUT_EXPECT(t, !refused && !IS_ERR(tq));
	XUT_EXPECT(t, needed);
	XUT_WAIT(t, !threads_left());
	xut_info(t, "%s: %u allocations, %u of them needed", k->name, nth - 2, needed);
}

static void create_without_one_allocation(struct xut *t)
{
	unsigned int i;

	if (!can_starve(t))
		return;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		create_without_one(t, &kinds[i]);
}

static void create_without_memory(struct xut *t)
{
	struct xtaskq *tq;
	unsigned int i;

	if (!can_starve(t))
		return;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		xut_step(t, kinds[i].name);
		starve(current, true);
		tq = create(&kinds[i]);
		starve(current, false);
		if (!XUT_EXPECT_EQ(t, PTR_ERR(tq), -ENOMEM))
			expect_works(t, tq);
	}
	XUT_WAIT(t, !threads_left());
}

static void create_without_threads(struct xut *t)
{
	struct task_struct *kthreadd;
	struct xtaskq *first, *tq;
	unsigned int i;

	if (!can_starve(t))
		return;
	first = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, XTASKQ_DEDICATED);
	if (!first)
		return;
	kthreadd = kthreadd_of(first);
	XUT_EXPECT_EQ(t, xtaskq_destroy(first), 0);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		xut_step(t, kinds[i].name);
		starve(kthreadd, true);
		tq = create(&kinds[i]);
		starve(kthreadd, false);
		if (!IS_ERR(tq))
			expect_works(t, tq);
		XUT_EXPECT_EQ(t, PTR_ERR_OR_ZERO(tq), has_own_threads(&kinds[i]) ? -ENOMEM : 0);
	}
	XUT_WAIT(t, !threads_left());
}

static const unsigned int one_thread[] = {
	0, XTASKQ_DEDICATED, XTASKQ_DEDICATED | XTASKQ_DYNAMIC, XTASKQ_MEM_RECLAIM
};

#define DISPATCH_FLAGS	16	/* NOSLEEP, FRONT, NOQUEUE, NOALLOC: all there are together */

/* All are refused, and none of them counts for maxalloc afterwards. */
static void dispatch_without_memory(struct xut *t)
{
	atomic_t ran = ATOMIC_INIT(0);
	unsigned int i, flags;
	struct xtaskq *tq;
	xtaskqid_t ids;

	if (!can_starve(t))
		return;
	for (i = 0; i < ARRAY_SIZE(one_thread); i++) {
		tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 1, one_thread[i]);
		if (!tq)
			return;
		ids = 0;
		starve(current, true);
		for (flags = 0; flags < DISPATCH_FLAGS; flags++) {
			ids |= xtaskq_dispatch(tq, count, &ran, flags);
			ids |= xtaskq_dispatch_delay(tq, count, &ran, flags, 0, 0);
		}
		starve(current, false);
		XUT_EXPECT_EQ(t, ids, 0);
		expect_balance(t, tq, 2 * DISPATCH_FLAGS, 0, 0, 2 * DISPATCH_FLAGS);

		XUT_EXPECT(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_NOSLEEP));
		XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
		XUT_EXPECT_EQ(t, atomic_read(&ran), i + 1);
		expect_balance(t, tq, 2 * DISPATCH_FLAGS + 1, 1, 0, 2 * DISPATCH_FLAGS);
		XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	}
}

#define SPARE	4

/* They are enough for whatever is dispatched one at a time, and for so many at once. */
static void dispatch_of_spare_entries(struct xut *t)
{
	unsigned int i, flags, k, dispatched, refused;
	atomic_t ran = ATOMIC_INIT(0);
	struct xtaskq *tq;
	struct gate g;

	if (!can_starve(t))
		return;
	for (k = 0; k < ARRAY_SIZE(one_thread); k++) {
		tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, SPARE, 0, one_thread[k] | XTASKQ_PREPOPULATE);
		if (!tq)
			return;
		gate_init(&g);
		dispatched = 0;
		refused = 0;
		starve(current, true);
		for (flags = 0; flags < DISPATCH_FLAGS; flags++) {
			dispatched += !!xtaskq_dispatch(tq, count, &ran, flags);
			XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
			refused += !xtaskq_dispatch_delay(tq, count, &ran, flags, 0, 0);
		}
		for (i = 0; i < SPARE; i++)
			dispatched += !!xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_NOALLOC);
		for (flags = 0; flags < DISPATCH_FLAGS; flags++)
			refused += !xtaskq_dispatch(tq, count, &ran, flags);
		complete_all(&g.open);
		XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
		starve(current, false);
		XUT_EXPECT_EQ(t, dispatched, DISPATCH_FLAGS + SPARE);
		XUT_EXPECT_EQ(t, refused, 2 * DISPATCH_FLAGS);
		XUT_EXPECT_EQ(t, atomic_read(&ran), (k + 1) * DISPATCH_FLAGS);
		XUT_EXPECT_EQ(t, atomic_read(&g.passed), SPARE);
		expect_balance(t, tq, dispatched + refused, dispatched, 0, refused);
		XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	}
}

/* How many dispatches find one, without any other memory. */
static unsigned int spare_entries(struct xut *t, struct xtaskq *tq)
{
	unsigned int n = 0;
	struct gate g;

	gate_init(&g);
	while (xtaskq_dispatch(tq, gate_pass, &g, XTASKQ_NOALLOC))
		n++;
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	return n;
}

#define ROUNDS_SPARE	100

/* Neither one that does not come nor one with a timer, while other tasks end. */
static void spare_entries_stay(struct xut *t)
{
	struct xtaskq *tq;
	atomic_t ran = ATOMIC_INIT(0);
	xtaskqid_t id;
	int i;

	if (!can_starve(t))
		return;
	tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, SPARE, 0, XTASKQ_PREPOPULATE | XTASKQ_DEDICATED);
	if (!tq)
		return;
	xut_step(t, "allocations that are refused");
	starve(current, true);
	for (i = 0; i < ROUNDS_SPARE; i++) {
		XUT_EXPECT(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_NOALLOC));
		while (!xtaskq_empty(tq))
			XUT_EXPECT(t, !xtaskq_dispatch_delay(tq, count, &ran, XTASKQ_SLEEP, 0, 0));
	}
	starve(current, false);
	XUT_EXPECT_EQ(t, spare_entries(t, tq), SPARE);

	xut_step(t, "a task that is not due");
	id = xtaskq_dispatch_delay(tq, count, &ran, XTASKQ_SLEEP, NSEC_PER_SEC * 3600, 0);
	XUT_EXPECT(t, id);
	XUT_EXPECT(t, xtaskq_dispatch(tq, count, &ran, XTASKQ_NOALLOC));
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, id + 1), 0);
	XUT_EXPECT_EQ(t, xtaskq_cancel_id(tq, id), 0);
	XUT_EXPECT_EQ(t, spare_entries(t, tq), SPARE);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* gate | 1 2 3 any F4: 1 and 2 are taken back, the others run; from begin to end. */
static void own_entries_need_no_memory(struct xut *t, struct xtaskq *tq)
{
	struct xtaskq_ent ents[6];
	atomic_t ran = ATOMIC_INIT(0);
	struct gate g;
	xtaskqid_t id;
	int i;

	gate_init(&g);
	for (i = 0; i < ARRAY_SIZE(ents); i++)
		xtaskq_init_ent(&ents[i]);
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, gate_pass, &g, XTASKQ_NOQUEUE, &ents[0]));
	XUT_WAIT(t, atomic_read(&g.inside) == 1);
	id = xtaskq_dispatch_ent(tq, count, &ran, 0, &ents[1]);
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, count, &ran, 0, &ents[2]));
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, count, &ran, 0, &ents[3]));
	XUT_EXPECT(t, xtaskq_dispatch_any(tq, &ents[4], count, &ran));
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, count, &ran, XTASKQ_FRONT, &ents[5]));
	XUT_EXPECT_EQ(t, xtaskq_cancel_id(tq, id), 0);
	XUT_EXPECT(t, xtaskq_cancel_ent(tq, &ents[2]));
	XUT_EXPECT_EQ(t, xtaskq_wait_timeout(tq, NSEC_PER_MSEC), -ETIMEDOUT);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait_outstanding(tq, 0), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 3);

	XUT_EXPECT_EQ(t, xtaskq_suspend(tq), 0);
	id = xtaskq_dispatch_ent(tq, count, &ran, 0, &ents[0]);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), -EBUSY);
	xtaskq_resume(tq);
	XUT_EXPECT_EQ(t, xtaskq_wait_id(tq, id), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 4);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	expect_balance(t, tq, 7, 5, 2, 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

static void nothing_else_needs_memory(struct xut *t)
{
	struct xtaskq *tq;
	unsigned int i;

	if (!can_starve(t))
		return;
	for (i = 0; i < ARRAY_SIZE(one_thread); i++) {
		tq = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, one_thread[i]);
		if (!tq)
			return;
		starve(current, true);
		own_entries_need_no_memory(t, tq);
		starve(current, false);
	}
}

#define TASKS	8

struct order {
	unsigned int n;
	unsigned int seen[TASKS];
	struct place {
		struct order *order;
		struct xtaskq_ent ent;
	} places[TASKS];
};

/* One thread at a time: no lock. */
static void come_in_order(void *arg)
{
	struct place *place = arg;
	struct order *order = place->order;

	order->seen[order->n++] = place - order->places;
}

/* kthreadd starves: it was asked for a thread since now, and gave none. */
static void wait_for_refusal(struct xut *t, struct task_struct *kthreadd)
{
	refuse_nth(kthreadd, 1);
	XUT_WAIT(t, is_refused(kthreadd));
	refuse_nth(kthreadd, 0);
}

/* The queue does what there is to do with the thread it has, and grows later. */
static void dynamic_without_threads(struct xut *t)
{
	struct xtaskq_ent ents[4];
	struct task_struct *kthreadd;
	struct order order = {};
	struct xtaskq *tq;
	struct gate g;
	unsigned int i;

	if (!can_starve(t))
		return;
	tq = QUEUE(t, 4, XTASKQ_PRI_NORMAL, 0, 0, XTASKQ_DEDICATED | XTASKQ_DYNAMIC);
	if (!tq)
		return;
	kthreadd = kthreadd_of(tq);
	gate_init(&g);
	for (i = 0; i < ARRAY_SIZE(ents); i++)
		xtaskq_init_ent(&ents[i]);

	starve(kthreadd, true);
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, gate_pass, &g, 0, &ents[0]));
	for (i = 0; i < TASKS; i++) {
		struct place *place = &order.places[i];

		place->order = &order;
		xtaskq_init_ent(&place->ent);
		XUT_EXPECT(t, xtaskq_dispatch_ent(tq, come_in_order, place, 0, &place->ent));
	}
	xut_step(t, "threads are refused");
	for (i = 0; i < 3; i++)
		wait_for_refusal(t, kthreadd);
	XUT_EXPECT_EQ(t, order.n, 0);
	complete_all(&g.open);
	xut_step(t, "one thread runs all");
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, READ_ONCE(tq->nlive), 1);
	XUT_EXPECT_EQ(t, order.n, TASKS);
	for (i = 0; i < TASKS; i++)
		XUT_EXPECT_EQ(t, order.seen[i], i);
	gate_init(&g);
	for (i = 0; i < ARRAY_SIZE(ents); i++)
		XUT_EXPECT(t, xtaskq_dispatch_ent(tq, gate_pass, &g, 0, &ents[i]));
	wait_for_refusal(t, kthreadd);
	starve(kthreadd, false);

	xut_step(t, "threads come");
	XUT_WAIT(t, atomic_read(&g.inside) == ARRAY_SIZE(ents));
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	expect_balance(t, tq, 1 + TASKS + ARRAY_SIZE(ents), 1 + TASKS + ARRAY_SIZE(ents), 0, 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
}

/* A task that says in which thread it ran. */
struct probe {
	struct xtaskq_ent ent;
	bool rescued, done;
};

/* A workqueue with WQ_MEM_RECLAIM has one thread for when none can be created. */
static void probe_thread(void *arg)
{
	struct probe *p = arg;

	p->rescued = strstarts(current->comm, "kworker/R-");
	smp_store_release(&p->done, true);	/* to probe() */
}

static bool probe(struct xut *t, struct xtaskq *tq, struct probe *p)
{
	p->done = false;
	XUT_EXPECT(t, xtaskq_dispatch_ent(tq, probe_thread, p, 0, &p->ent));
	return XUT_WAIT(t, smp_load_acquire(&p->done));		/* probe_thread() */
}

#define STAYING	256	/* more than the workqueues' threads that are idle in a pool */
#define ROUNDS	20

struct pool {
	struct xtaskq *ordinary;
	struct gate g;
	struct xtaskq_ent ents[STAYING];
	unsigned int n;
	struct probe probe;
};

/*
 * Has functions that stay use up the threads that workqueues share, until one does not
 * begin: for ROUNDS, in each of which a task that came later was rescued.  A thread that
 * comes back from somebody else's work makes it start anew.
 */
static void use_up(struct xut *t, struct pool *pool, struct xtaskq *reclaim)
{
	unsigned int rounds = 0;

	while (rounds < ROUNDS && pool->n < STAYING) {
		if (atomic_read(&pool->g.inside) == pool->n) {
			XUT_EXPECT(t, xtaskq_dispatch_ent(pool->ordinary, gate_pass, &pool->g, 0,
							  &pool->ents[pool->n++]));
			rounds = 0;
		}
		if (!probe(t, reclaim, &pool->probe))
			return;
		rounds += pool->probe.rescued && atomic_read(&pool->g.inside) < pool->n;
	}
	XUT_EXPECT_EQ(t, rounds, ROUNDS);
	xut_info(t, "%u functions stay, one does not begin", pool->n - 1);
}

/* The pool of threads is that of one CPU and those near to it. */
static void queues_in_reclaim(struct xut *t, struct pool *pool)
{
	struct xtaskq *reclaim = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, XTASKQ_MEM_RECLAIM);
	struct xtaskq *dedicated = QUEUE(t, 1, XTASKQ_PRI_NORMAL, 0, 0, XTASKQ_DEDICATED);
	struct task_struct *kthreadd;
	struct probe p = {};

	if (!reclaim || !dedicated)
		return;
	kthreadd = kthreadd_of(dedicated);
	xtaskq_init_ent(&p.ent);
	xut_pin(t, cpumask_first(cpu_online_mask));

	starve(kthreadd, true);
	starve(current, true);
	xut_step(t, "the threads of workqueues are used up");
	use_up(t, pool, reclaim);
	xut_step(t, "a queue with a thread of its own");
	XUT_EXPECT(t, probe(t, dedicated, &p));
	XUT_EXPECT_EQ(t, xtaskq_wait(dedicated), 0);
	starve(current, false);
	starve(kthreadd, false);

	xut_step(t, "there is memory again");
	XUT_WAIT(t, atomic_read(&pool->g.inside) == pool->n);
	complete_all(&pool->g.open);
	XUT_EXPECT_EQ(t, xtaskq_destroy(reclaim), 0);
	XUT_EXPECT_EQ(t, xtaskq_destroy(dedicated), 0);
	XUT_EXPECT_EQ(t, xtaskq_wait(pool->ordinary), 0);
	expect_balance(t, pool->ordinary, pool->n, pool->n, 0, 0);
}

static void reclaim_queue_runs_without_threads(struct xut *t)
{
	struct pool *pool;
	unsigned int i;

	if (!can_starve(t))
		return;
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!XUT_EXPECT(t, pool))
		return;
	gate_init(&pool->g);
	for (i = 0; i < STAYING; i++)
		xtaskq_init_ent(&pool->ents[i]);
	pool->ordinary = QUEUE(t, STAYING, XTASKQ_PRI_NORMAL, 0, 0, 0);
	if (pool->ordinary) {
		queues_in_reclaim(t, pool);
		XUT_EXPECT_EQ(t, xtaskq_destroy(pool->ordinary), 0);
	}
	kfree(pool);
}

#ifdef CONFIG_KRETPROBES
/* What alloc_percpu() had for the task at its nth time, and did not give. */
static struct percpu_refusal {
	struct task_struct *task;
	unsigned int nth;
	void __percpu *kept;
} refusal;

static int refuse_percpu(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (current != refusal.task || !refusal.nth || --refusal.nth)
		return 0;
	refusal.kept = (void __force __percpu *)regs_return_value(regs);
	regs_set_return_value(regs, 0);
	return 0;
}

static void create_without_percpu(struct xut *t, const struct kind *k)
{
	unsigned int nth, needed = 0;
	bool refused = true;
	struct xtaskq *tq;

	xut_step(t, k->name);
	for (nth = 1; refused && nth < ALLOCATIONS; nth++) {
		refusal = (struct percpu_refusal){ .task = current, .nth = nth };
		tq = create(k);
		refused = refusal.kept;
		refusal.task = NULL;
		free_percpu(refusal.kept);
		needed += refused;
		XUT_EXPECT_EQ(t, PTR_ERR_OR_ZERO(tq), refused ? -ENOMEM : 0);
		if (!IS_ERR(tq))
			expect_works(t, tq);
	}
	XUT_EXPECT(t, needed && !refused);
	XUT_WAIT(t, !threads_left());
	xut_info(t, "%s: %u allocations", k->name, needed);
}

static void create_without_percpu_memory(struct xut *t)
{
	struct kretprobe probe = {
		.kp.symbol_name = "pcpu_alloc_noprof",
		.handler = refuse_percpu,
	};
	unsigned int i;

	if (!can_starve(t))
		return;
	if (!XUT_EXPECT_EQ(t, register_kretprobe(&probe), 0))
		return;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		create_without_percpu(t, &kinds[i]);
	unregister_kretprobe(&probe);
}
#else
static void create_without_percpu_memory(struct xut *t)
{
	xut_skip(t, "this kernel has no kretprobes");
}
#endif

static const struct xut_case starved_cases[] = {
	XUT_CASE(create_without_one_allocation),
	XUT_CASE(create_without_memory),
	XUT_CASE(create_without_threads),
	XUT_CASE(create_without_percpu_memory),
	XUT_CASE(dispatch_without_memory),
	XUT_CASE(dispatch_of_spare_entries),
	XUT_CASE(spare_entries_stay),
	XUT_CASE(nothing_else_needs_memory),
	XUT_CASE(dynamic_without_threads),
	XUT_CASE(reclaim_queue_runs_without_threads),
	{}
};

XUT_SHARED_SUITE(taskq_starved, starved_cases);
