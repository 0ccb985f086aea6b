// SPDX-License-Identifier: GPL-2.0-only
/*
 * Task queues as a port knows them: only names of taskq/solaris.h.
 *
 * The cases are those that OpenZFS's module of tests had for its task queues.  Where
 * functions slept there, to be in a certain order, they wait here until the case lets
 * them go on.  Most cases are run twice: with entries of the queue's and of the
 * caller's.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <taskq/solaris.h>
#include "taskq_test_gate.h"
#include "xut.h"

#define TASKS		8	/* of the cases about order */
#define QUEUES		8
#define QUEUE_TASKS	64
#define DELAYED		32

/* One task, and what became of it. */
struct task {
	taskq_ent_t ent;
	taskq_t *tq;
	taskqid_t id;
	struct scene *scene;
	unsigned int number;
	struct completion may_return;
	atomic_t ran;
	bool at_home;
	u64 due, began;
	unsigned int left;
};

/* The tasks of a case, and in which order they began. */
struct scene {
	spinlock_t lock;	/* of what comes next */
	unsigned int begun;
	unsigned int order[TASKS];
	atomic_t inside, most, missing;
	struct completion all_here;
	bool own_entries;
	unsigned int ntasks;
	struct task tasks[];
};

static struct scene *scene_new(struct xut *t, unsigned int ntasks, bool own_entries)
{
	struct scene *s = kvzalloc(struct_size(s, tasks, ntasks), GFP_KERNEL);
	unsigned int i;

	if (!XUT_EXPECT(t, s))
		return NULL;
	spin_lock_init(&s->lock);
	init_completion(&s->all_here);
	s->own_entries = own_entries;
	s->ntasks = ntasks;
	for (i = 0; i < ntasks; i++) {
		s->tasks[i].scene = s;
		s->tasks[i].number = i;
		init_completion(&s->tasks[i].may_return);
		taskq_init_ent(&s->tasks[i].ent);
	}
	return s;
}

static taskqid_t task_dispatch(taskq_t *tq, task_func_t func, struct task *task,
			       unsigned int flags)
{
	task->tq = tq;
	if (task->scene->own_entries)
		return taskq_dispatch_ent(tq, func, task, flags, &task->ent);
	return taskq_dispatch(tq, func, task, flags);
}

/* Whether each task has run as often as that, in its own queue. */
static void all_ran(struct xut *t, struct scene *s, int times)
{
	unsigned int i;

	for (i = 0; i < s->ntasks; i++) {
		if (!XUT_EXPECT_EQ(t, atomic_read(&s->tasks[i].ran), times))
			break;
		if (!XUT_EXPECT(t, s->tasks[i].at_home))
			break;
	}
}

static void run(void *arg)
{
	struct task *task = arg;

	task->at_home = taskq_member(task->tq, current) && taskq_of_curthread() == task->tq;
	atomic_inc(&task->ran);
}

/* Writes down that it has begun, and stays until it may return. */
static void begin_and_stay(void *arg)
{
	struct task *task = arg;
	struct scene *s = task->scene;

	spin_lock(&s->lock);
	s->order[s->begun % TASKS] = task->number;
	WRITE_ONCE(s->begun, s->begun + 1);
	spin_unlock(&s->lock);
	wait_for_completion(&task->may_return);
	run(task);
}

static void for_both(struct xut *t, void (*one)(struct xut *t, bool own_entries))
{
	one(t, false);
	one(t, true);
}

/* A queue or a failed case. */
#define TASKQ(t, ...)							\
({									\
	taskq_t *__tq = taskq_create("conform", __VA_ARGS__);		\
									\
	XUT_EXPECT(t, __tq);						\
	__tq;								\
})

static void one_single(struct xut *t, bool own_entries)
{
	taskq_t *tq = TASKQ(t, 1, maxclsyspri, 50, INT_MAX, TASKQ_PREPOPULATE);
	struct scene *s = scene_new(t, 1, own_entries);

	if (!tq || !s)
		return;
	XUT_EXPECT(t, task_dispatch(tq, run, &s->tasks[0], TQ_SLEEP) != TASKQID_INVALID);
	XUT_EXPECT_EQ(t, taskq_wait(tq), 0);
	all_ran(t, s, 1);
	XUT_EXPECT(t, !taskq_member(tq, current));
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
	kvfree(s);
}

static void single(struct xut *t)
{
	for_both(t, one_single);
}

/* Tasks go to all queues in turn; waiting for one queue is about that one. */
static void one_multiple(struct xut *t, bool own_entries)
{
	struct scene *scenes[QUEUES];
	taskq_t *queues[QUEUES];
	unsigned int i, n;

	for (i = 0; i < QUEUES; i++) {
		queues[i] = TASKQ(t, 4, maxclsyspri, 50, INT_MAX, TASKQ_PREPOPULATE);
		scenes[i] = scene_new(t, QUEUE_TASKS, own_entries);
		if (!queues[i] || !scenes[i])
			return;
	}
	for (n = 0; n < QUEUE_TASKS; n++)
		for (i = 0; i < QUEUES; i++)
			XUT_EXPECT(t, task_dispatch(queues[i], run, &scenes[i]->tasks[n],
						    TQ_SLEEP));
	for (i = 0; i < QUEUES; i++) {
		XUT_EXPECT_EQ(t, taskq_wait(queues[i]), 0);
		all_ran(t, scenes[i], 1);
	}
	for (i = 0; i < QUEUES; i++) {
		XUT_EXPECT_EQ(t, taskq_destroy(queues[i]), 0);
		kvfree(scenes[i]);
	}
}

static void multiple(struct xut *t)
{
	for_both(t, one_multiple);
}

/* It belongs to others too, so each task is waited for, not the queue. */
static void one_system(struct xut *t, bool own_entries)
{
	struct scene *s = scene_new(t, QUEUE_TASKS, own_entries);
	unsigned int i;

	if (!s)
		return;
	for (i = 0; i < s->ntasks; i++)
		s->tasks[i].id = task_dispatch(system_taskq, run, &s->tasks[i], TQ_SLEEP);
	for (i = 0; i < s->ntasks; i++) {
		XUT_EXPECT(t, s->tasks[i].id != TASKQID_INVALID);
		XUT_EXPECT_EQ(t, taskq_wait_id(system_taskq, s->tasks[i].id), 0);
	}
	all_ran(t, s, 1);
	kvfree(s);
}

static void system(struct xut *t)
{
	for_both(t, one_system);
}

enum wait_kind { WAIT_ALL, WAIT_ID, WAIT_OUTSTANDING };

static int wait_for(enum wait_kind kind, taskq_t *tq, taskqid_t id)
{
	switch (kind) {
	case WAIT_ALL:
		return taskq_wait(tq);
	case WAIT_ID:
		return taskq_wait_id(tq, id);
	default:
		return taskq_wait_outstanding(tq, id);
	}
}

/*
 * Of two tasks the first is in the gate, the second one is done.  Who waits for more than
 * one id has to wait for the first too, which gets out when the waiter sleeps.
 */
static void wait_of_kind(struct xut *t, enum wait_kind kind, bool own_entries)
{
	taskq_t *tq = TASKQ(t, 2, defclsyspri, 50, INT_MAX, TASKQ_PREPOPULATE);
	taskq_t *other = TASKQ(t, 1, defclsyspri, 1, INT_MAX, 0);
	struct scene *s = scene_new(t, 2, own_entries);
	struct gate g;
	struct opener o = { .waiter = current, .gate = &g };
	taskqid_t id;

	if (!tq || !other || !s)
		return;
	gate_init(&g);
	XUT_EXPECT(t, taskq_dispatch(tq, gate_pass, &g, TQ_SLEEP));
	id = task_dispatch(tq, run, &s->tasks[0], TQ_SLEEP);
	XUT_EXPECT_EQ(t, taskq_wait_id(tq, id), 0);
	XUT_EXPECT_EQ(t, atomic_read(&s->tasks[0].ran), 1);
	if (kind == WAIT_ID)
		id = task_dispatch(tq, run, &s->tasks[1], TQ_SLEEP);
	else
		XUT_EXPECT(t, taskq_dispatch(other, opener_func, &o, TQ_SLEEP));
	xut_step(t, "waiting for tasks");
	XUT_EXPECT_EQ(t, wait_for(kind, tq, id), 0);
	XUT_EXPECT_EQ(t, atomic_read(&g.passed), kind != WAIT_ID);
	XUT_EXPECT_EQ(t, atomic_read(&s->tasks[1].ran), kind == WAIT_ID);
	WRITE_ONCE(o.returned, true);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, taskq_destroy(other), 0);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
	kvfree(s);
}

/*
 * What came later is not waited for, neither by id nor as outstanding: the gate, in
 * which the last task is, is opened after both.
 */
static void wait_is_not_for_later_ones(struct xut *t, bool own_entries)
{
	taskq_t *tq = TASKQ(t, 2, defclsyspri, 50, INT_MAX, TASKQ_PREPOPULATE);
	struct scene *s = scene_new(t, TASKS, own_entries);
	struct gate g;
	unsigned int i;

	if (!tq || !s)
		return;
	gate_init(&g);
	for (i = 0; i < TASKS; i++)
		s->tasks[i].id = task_dispatch(tq, run, &s->tasks[i], TQ_SLEEP);
	XUT_EXPECT(t, taskq_dispatch(tq, gate_pass, &g, TQ_SLEEP));
	xut_step(t, "waiting for tasks before one that runs");
	XUT_EXPECT_EQ(t, taskq_wait_id(tq, s->tasks[TASKS / 2].id), 0);
	XUT_EXPECT_EQ(t, atomic_read(&s->tasks[TASKS / 2].ran), 1);
	XUT_EXPECT_EQ(t, taskq_wait_outstanding(tq, s->tasks[TASKS - 1].id), 0);
	all_ran(t, s, 1);
	XUT_EXPECT_EQ(t, atomic_read(&g.passed), 0);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, taskq_wait_outstanding(tq, 0), 0);
	XUT_EXPECT_EQ(t, atomic_read(&g.passed), 1);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
	kvfree(s);
}

static void one_wait(struct xut *t, bool own_entries)
{
	wait_of_kind(t, WAIT_ALL, own_entries);
	wait_of_kind(t, WAIT_ID, own_entries);
	wait_of_kind(t, WAIT_OUTSTANDING, own_entries);
	wait_is_not_for_later_ones(t, own_entries);
}

static void wait(struct xut *t)
{
	for_both(t, one_wait);
}

/*
 * Three threads stay in tasks 0, 1, 2; those from @first_front on are dispatched with
 * TQ_FRONT.  As one task after the other returns the next one begins, in the order
 * of @expected.
 */
static void begin_in_order(struct xut *t, unsigned int create_flags, bool own_entries,
			   unsigned int first_front, const unsigned int *expected)
{
	taskq_t *tq = TASKQ(t, 3, maxclsyspri, 50, INT_MAX,
			    TASKQ_PREPOPULATE | create_flags);
	struct scene *s = scene_new(t, TASKS, own_entries);
	unsigned int i, k;

	if (!tq || !s)
		return;
	for (i = 0; i < TASKS; i++) {
		unsigned int front = i >= first_front ? TQ_FRONT : 0;

		XUT_EXPECT(t, task_dispatch(tq, begin_and_stay, &s->tasks[i],
					    TQ_SLEEP | front));
		XUT_WAIT(t, READ_ONCE(s->begun) == min(i + 1, 3U));
	}
	for (i = 0; i < TASKS; i++) {
		XUT_WAIT(t, READ_ONCE(s->begun) == min(i + 3, TASKS + 0U));
		k = s->order[i];
		XUT_EXPECT_EQ(t, k, expected[i]);
		complete(&s->tasks[k].may_return);
	}
	/* If one of them was not the expected one. */
	for (i = 0; i < TASKS; i++)
		complete_all(&s->tasks[i].may_return);
	XUT_EXPECT_EQ(t, taskq_wait(tq), 0);
	all_ran(t, s, 1);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
	kvfree(s);
}

static void one_order(struct xut *t, bool own_entries)
{
	static const unsigned int expected[TASKS] = { 0, 1, 2, 3, 4, 5, 6, 7 };

	begin_in_order(t, 0, own_entries, TASKS, expected);
}

static void order(struct xut *t)
{
	for_both(t, one_order);
}

static void one_front(struct xut *t, bool own_entries)
{
	static const unsigned int last_first[TASKS] = { 0, 1, 2, 7, 6, 5, 3, 4 };
	static const unsigned int first_first[TASKS] = { 0, 1, 2, 5, 6, 7, 3, 4 };

	begin_in_order(t, 0, own_entries, 5, last_first);
	begin_in_order(t, TASKQ_FRONT_FIFO, own_entries, 5, first_first);
}

static void front(struct xut *t)
{
	for_both(t, one_front);
}

/* The entry is its own again when it is called. */
static void again(void *arg)
{
	struct task *task = arg;

	run(task);
	if (--task->left)
		task->id = task_dispatch(task->tq, again, task, TQ_SLEEP);
}

static void one_recurse(struct xut *t, bool own_entries)
{
	taskq_t *tq = TASKQ(t, 1, maxclsyspri, 50, INT_MAX, TASKQ_PREPOPULATE);
	struct scene *s = scene_new(t, 1, own_entries);
	const int depth = 100;

	if (!tq || !s)
		return;
	s->tasks[0].left = depth;
	XUT_EXPECT(t, task_dispatch(tq, again, &s->tasks[0], TQ_SLEEP));
	xut_step(t, "waiting for a task that dispatches itself");
	XUT_EXPECT_EQ(t, taskq_wait(tq), 0);
	XUT_EXPECT(t, s->tasks[0].id != TASKQID_INVALID);
	all_ran(t, s, depth);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
	kvfree(s);
}

static void recurse(struct xut *t)
{
	for_both(t, one_recurse);
}

#define CONTENTION_THREADS	100
#define CONTENTION_PRODUCERS	4
#define CONTENTION_TASKS	2048
/* User-mode Linux hands a lock that many want to CPUs that its host does not run. */
#define CONTENTION_TASKS_SOAK	(IS_ENABLED(CONFIG_UML) ? 16384 : 131072)

/* As many as there are threads wait for each other: all threads are used. */
static void run_among_others(void *arg)
{
	struct task *task = arg;
	struct scene *s = task->scene;
	int most, now = atomic_inc_return(&s->inside);

	do {
		most = atomic_read(&s->most);
	} while (now > most && atomic_cmpxchg(&s->most, most, now) != most);
	if (task->number < CONTENTION_THREADS) {
		if (atomic_dec_and_test(&s->missing))
			complete_all(&s->all_here);
		wait_for_completion(&s->all_here);
	}
	run(task);
	atomic_dec(&s->inside);
}

struct producer {
	struct scene *scene;
	taskq_t *tq;
	unsigned int first, refused;
};

static void produce(void *arg)
{
	struct producer *p = arg;
	struct scene *s = p->scene;
	unsigned int i;

	for (i = p->first; i < s->ntasks; i += CONTENTION_PRODUCERS)
		if (!task_dispatch(p->tq, run_among_others, &s->tasks[i], TQ_SLEEP))
			p->refused++;
}

static void one_contention(struct xut *t, bool own_entries)
{
	taskq_t *tq = TASKQ(t, CONTENTION_THREADS, maxclsyspri, 50, INT_MAX, TASKQ_PREPOPULATE);
	taskq_t *from = TASKQ(t, CONTENTION_PRODUCERS, maxclsyspri, 4, INT_MAX, 0);
	struct scene *s = scene_new(t, xut_soak ? CONTENTION_TASKS_SOAK : CONTENTION_TASKS,
				    own_entries);
	struct producer producers[CONTENTION_PRODUCERS];
	unsigned int i;

	if (!tq || !from || !s)
		return;
	atomic_set(&s->missing, CONTENTION_THREADS);
	for (i = 0; i < CONTENTION_PRODUCERS; i++) {
		producers[i] = (struct producer){ .scene = s, .tq = tq, .first = i };
		XUT_EXPECT(t, taskq_dispatch(from, produce, &producers[i], TQ_SLEEP));
	}
	xut_step(t, "waiting for many tasks of many threads");
	XUT_EXPECT_EQ(t, taskq_destroy(from), 0);
	XUT_EXPECT_EQ(t, taskq_wait(tq), 0);
	for (i = 0; i < CONTENTION_PRODUCERS; i++)
		XUT_EXPECT_EQ(t, producers[i].refused, 0);
	all_ran(t, s, 1);
	XUT_EXPECT_EQ(t, atomic_read(&s->most), CONTENTION_THREADS);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
	kvfree(s);
}

static void contention(struct xut *t)
{
	for_both(t, one_contention);
}

static void run_when_due(void *arg)
{
	struct task *task = arg;

	task->began = ktime_get_ns();
	run(task);
}

/* jiffies may be about to change when the time is looked at: one less is meant. */
static void task_delay(struct task *task, taskq_t *tq, long ticks)
{
	u64 least = max(ticks - 1, 0L) * (u64)TICK_NSEC;

	task->tq = tq;
	task->due = ktime_get_ns() + least;
	task->id = taskq_dispatch_delay(tq, run_when_due, task, TQ_SLEEP,
					(clock_t)jiffies + ticks);
}

/* Of each delay there are a few, one that is past is among them. */
static void delay(struct xut *t)
{
	taskq_t *tq = TASKQ(t, 4, maxclsyspri, 50, INT_MAX, TASKQ_PREPOPULATE);
	struct scene *s = scene_new(t, DELAYED, false);
	unsigned int i;

	if (!tq || !s)
		return;
	for (i = 0; i < DELAYED; i++)
		task_delay(&s->tasks[i], tq, (long)(i * 7 % 12) - 1);
	for (i = 0; i < DELAYED; i++)
		XUT_EXPECT(t, s->tasks[i].id != TASKQID_INVALID);
	xut_step(t, "waiting for delayed tasks");
	XUT_EXPECT_EQ(t, taskq_wait(tq), 0);
	all_ran(t, s, 1);
	for (i = 0; i < DELAYED; i++)
		XUT_EXPECT(t, s->tasks[i].began >= s->tasks[i].due);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
	kvfree(s);
}

/* gate is running | cancelled, kept | cancelled before it is due, in an hour */
static void one_cancel(struct xut *t, bool own_entries)
{
	taskq_t *tq = TASKQ(t, 1, maxclsyspri, 50, INT_MAX, TASKQ_PREPOPULATE);
	taskq_t *other = TASKQ(t, 1, maxclsyspri, 1, INT_MAX, 0);
	struct scene *s = scene_new(t, 3, own_entries);
	struct gate g;
	struct opener o = { .waiter = current, .gate = &g };
	taskqid_t running;
	unsigned int i;

	if (!tq || !other || !s)
		return;
	gate_init(&g);
	running = taskq_dispatch(tq, gate_pass, &g, TQ_SLEEP);
	XUT_WAIT(t, atomic_read(&g.inside) == 1);
	for (i = 0; i < 2; i++)
		s->tasks[i].id = task_dispatch(tq, run, &s->tasks[i], TQ_SLEEP);
	task_delay(&s->tasks[2], tq, 3600 * HZ);
	XUT_EXPECT_EQ(t, taskq_cancel_id(tq, s->tasks[0].id), 0);
	XUT_EXPECT_EQ(t, taskq_cancel_id(tq, s->tasks[0].id), ENOENT);
	XUT_EXPECT_EQ(t, taskq_cancel_id(tq, s->tasks[2].id), 0);
	XUT_EXPECT_EQ(t, taskq_wait_id(tq, s->tasks[2].id), 0);
	XUT_EXPECT(t, taskq_dispatch(other, opener_func, &o, TQ_SLEEP));
	xut_step(t, "cancelling a task that runs");
	XUT_EXPECT_EQ(t, taskq_cancel_id(tq, running), EBUSY);
	XUT_EXPECT_EQ(t, atomic_read(&g.passed), 1);
	WRITE_ONCE(o.returned, true);
	XUT_EXPECT_EQ(t, taskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, taskq_cancel_id(tq, s->tasks[1].id), ENOENT);
	for (i = 0; i < 3; i++)
		XUT_EXPECT_EQ(t, atomic_read(&s->tasks[i].ran), i == 1);
	XUT_EXPECT_EQ(t, taskq_destroy(other), 0);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
	kvfree(s);
}

/* Cancelled while they become due: each has run by then, or never will. */
static void cancel_race(struct xut *t)
{
	taskq_t *tq = TASKQ(t, 4, maxclsyspri, 50, INT_MAX, TASKQ_PREPOPULATE);
	struct scene *s = scene_new(t, DELAYED, false);
	unsigned int i;

	if (!tq || !s)
		return;
	for (i = 0; i < DELAYED; i++)
		task_delay(&s->tasks[i], tq, get_random_u32() % 4);
	for (i = 0; i < DELAYED; i++) {
		struct task *task = &s->tasks[i];
		int err;

		xut_step(t, "cancelling a task that may be due");
		err = taskq_cancel_id(tq, task->id);
		XUT_EXPECT(t, !err || err == ENOENT || err == EBUSY);
		task->left = !err;
		XUT_EXPECT_EQ(t, atomic_read(&task->ran), !task->left);
	}
	XUT_EXPECT_EQ(t, taskq_wait(tq), 0);
	for (i = 0; i < DELAYED; i++)
		XUT_EXPECT_EQ(t, atomic_read(&s->tasks[i].ran), !s->tasks[i].left);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
	kvfree(s);
}

static void cancel(struct xut *t)
{
	unsigned int rounds = 10 * (1 + xut_soak);

	for_both(t, one_cancel);
	while (rounds-- && !t->failed)
		cancel_race(t);
}

static void count(void *arg)
{
	atomic_inc(arg);
}

/* Whether a queue that was created runs a function and can be destroyed. */
static void queue_works(struct xut *t, taskq_t *tq)
{
	atomic_t ran = ATOMIC_INIT(0);

	if (!XUT_EXPECT(t, tq))
		return;
	XUT_EXPECT(t, taskq_dispatch(tq, count, &ran, TQ_SLEEP));
	XUT_EXPECT_EQ(t, taskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
}

static void names_create(struct xut *t)
{
	static char process;

	queue_works(t, taskq_create("conform", 2, minclsyspri, 2, 4, TASKQ_PREPOPULATE));
	queue_works(t, taskq_create("conform", 50, minclsyspri, 2, INT_MAX,
				    TASKQ_DYNAMIC | TASKQ_THREADS_CPU_PCT | TASKQ_CPR_SAFE |
				    TASKQ_DC_BATCH | TASKQ_DUTY_CYCLE | TASKQ_FRONT_FIFO));
	/* Rounded and cut off. */
	queue_works(t, taskq_create("conform", 0, minclsyspri, 2, 4, TASKQ_THREADS_CPU_PCT));
	queue_works(t, taskq_create("conform", 200, minclsyspri, 2, 4, TASKQ_THREADS_CPU_PCT));
	queue_works(t, taskq_create_instance("conform", 7, 2, minclsyspri, 2, 4, 0));
	queue_works(t, taskq_create_proc("conform", 2, minclsyspri, 2, 4, &process, 0));
	queue_works(t, taskq_create_sysdc("conform", 2, 2, 4, &process, 80, TASKQ_DC_BATCH));
	XUT_EXPECT(t, !taskq_create("conform", 0, minclsyspri, 2, 4, 0));
}

/* As many as a workqueue can run at a time, and one more: that takes its time. */
static void names_create_many_threads(struct xut *t)
{
	if (!xut_soak) {
		xut_skip(t, "only in the long form");
		return;
	}
	queue_works(t, taskq_create("conform", WQ_UNBOUND_MAX_ACTIVE + 1, minclsyspri, 2, 4, 0));
}

static void tell_thread(void *arg)
{
	WRITE_ONCE(*(struct task_struct **)arg, current);
}

static void names_create_synced(struct xut *t)
{
	struct task_struct **threads = NULL, *ran_in = NULL;
	taskq_t *tq = taskq_create_synced("conform", 3, minclsyspri, 2, 4,
					  TASKQ_DYNAMIC | TASKQ_PREPOPULATE, &threads);

	if (!XUT_EXPECT(t, tq && threads))
		return;
	XUT_EXPECT(t, threads[0] && threads[1] && threads[2]);
	XUT_EXPECT(t, threads[0] != threads[1] && threads[1] != threads[2] &&
		   threads[2] != threads[0]);
	XUT_EXPECT(t, taskq_dispatch(tq, tell_thread, &ran_in, TQ_SLEEP));
	XUT_EXPECT_EQ(t, taskq_wait(tq), 0);
	XUT_EXPECT(t, ran_in == threads[0] || ran_in == threads[1] || ran_in == threads[2]);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
	kfree(threads);
	XUT_EXPECT(t, !taskq_create_synced("conform", 0, minclsyspri, 2, 4, 0, &threads));
}

static void tell_nice(void *arg)
{
	*(int *)arg = task_nice(current);
}

static void nice_is(struct xut *t, int pri, int expected)
{
	taskq_t *tq = TASKQ(t, 1, pri, 2, 4, TASKQ_DYNAMIC);
	int nice = MAX_NICE + 1;

	if (!tq)
		return;
	XUT_EXPECT(t, taskq_dispatch(tq, tell_nice, &nice, TQ_SLEEP));
	XUT_EXPECT_EQ(t, taskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, nice, expected);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
}

static void names_priorities(struct xut *t)
{
	nice_is(t, minclsyspri, 0);
	nice_is(t, defclsyspri, 0);
	nice_is(t, TASKQ_DEFAULTPRI, 0);
	nice_is(t, maxclsyspri, MIN_NICE);
}

/* The gate | two in the entries that there are, one for which there is none */
static void names_dispatch(struct xut *t)
{
	taskq_t *tq = TASKQ(t, 1, defclsyspri, 3, 3, TASKQ_PREPOPULATE);
	atomic_t ran = ATOMIC_INIT(0);
	struct gate g;

	if (!tq)
		return;
	gate_init(&g);
	XUT_EXPECT(t, taskq_dispatch(tq, gate_pass, &g, TQ_SLEEP | TQ_NOQUEUE) !=
		   TASKQID_INVALID);
	XUT_EXPECT_EQ(t, taskq_dispatch(tq, count, &ran, TQ_SLEEP | TQ_NOQUEUE),
		      TASKQID_INVALID);
	XUT_EXPECT(t, taskq_dispatch(tq, count, &ran, TQ_NOALLOC));
	XUT_EXPECT(t, taskq_dispatch(tq, count, &ran, TQ_NOSLEEP | TQ_FRONT | TQ_NEW));
	XUT_EXPECT_EQ(t, taskq_dispatch(tq, count, &ran, TQ_NOALLOC), TASKQID_INVALID);
	XUT_EXPECT_EQ(t, taskq_dispatch(tq, count, &ran, TQ_NOSLEEP), TASKQID_INVALID);
	XUT_EXPECT_EQ(t, taskq_dispatch(tq, count, &ran, TQ_NOSLEEP | TQ_PUSHPAGE),
		      TASKQID_INVALID);
	complete_all(&g.open);
	XUT_EXPECT_EQ(t, taskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 2);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
}

static void names_dispatch_without_io(struct xut *t)
{
	taskq_t *tq = TASKQ(t, 1, defclsyspri, 2, INT_MAX, 0);
	atomic_t ran = ATOMIC_INIT(0);
	taskqid_t id;

	if (!tq)
		return;
	XUT_EXPECT(t, taskq_dispatch(tq, count, &ran, TQ_SLEEP | TQ_PUSHPAGE));
	XUT_EXPECT(t, taskq_dispatch_delay(tq, count, &ran, TQ_PUSHPAGE, jiffies));
	XUT_EXPECT(t, !(current->flags & PF_MEMALLOC_NOIO));
	XUT_EXPECT_EQ(t, taskq_wait_outstanding(tq, 0), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 2);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);

	id = taskq_dispatch_delay(system_delay_taskq, nulltask, NULL, TQ_SLEEP, jiffies);
	XUT_EXPECT(t, id != TASKQID_INVALID);
	XUT_EXPECT_EQ(t, taskq_wait_id(system_delay_taskq, id), 0);
}

static void names_suspend(struct xut *t)
{
	taskq_t *tq = TASKQ(t, 1, defclsyspri, 2, 4, 0);
	atomic_t ran = ATOMIC_INIT(0);
	taskq_ent_t ent = {};

	if (!tq)
		return;
	XUT_EXPECT_EQ(t, taskq_empty(tq), 1);
	XUT_EXPECT_EQ(t, taskq_empty_ent(&ent), 1);
	XUT_EXPECT_EQ(t, taskq_suspended(tq), 0);
	XUT_EXPECT_EQ(t, taskq_suspend(tq), 0);
	XUT_EXPECT_EQ(t, taskq_suspended(tq), 1);
	XUT_EXPECT(t, taskq_dispatch_ent(tq, count, &ran, 0, &ent));
	XUT_EXPECT_EQ(t, taskq_dispatch_ent(tq, count, &ran, 0, &ent), TASKQID_INVALID);
	XUT_EXPECT_EQ(t, taskq_empty(tq), 0);
	XUT_EXPECT_EQ(t, taskq_empty_ent(&ent), 0);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), -EBUSY);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 0);
	taskq_resume(tq);
	XUT_EXPECT_EQ(t, taskq_suspended(tq), 0);
	XUT_EXPECT_EQ(t, taskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	XUT_EXPECT_EQ(t, taskq_empty(tq), 1);
	XUT_EXPECT_EQ(t, taskq_empty_ent(&ent), 1);
	XUT_EXPECT_EQ(t, taskq_destroy(tq), 0);
}

struct self {
	taskq_t *tq;
	taskqid_t id;
	struct completion id_known;
	int wait, wait_id, outstanding, cancel, suspend, destroy;
};

static void wait_for_self(void *arg)
{
	struct self *self = arg;

	wait_for_completion(&self->id_known);
	self->wait = taskq_wait(self->tq);
	self->wait_id = taskq_wait_id(self->tq, self->id);
	self->outstanding = taskq_wait_outstanding(self->tq, 0);
	self->cancel = taskq_cancel_id(self->tq, self->id);
	self->suspend = taskq_suspend(self->tq);
	self->destroy = taskq_destroy(self->tq);
}

static void names_from_own_function(struct xut *t)
{
	struct self self = { .tq = TASKQ(t, 1, defclsyspri, 2, 4, 0) };

	if (!self.tq)
		return;
	init_completion(&self.id_known);
	self.id = taskq_dispatch(self.tq, wait_for_self, &self, TQ_SLEEP);
	complete(&self.id_known);
	xut_step(t, "waiting for a function that waits for itself");
	XUT_EXPECT_EQ(t, taskq_wait(self.tq), 0);
	XUT_EXPECT_EQ(t, self.wait, -EDEADLK);
	XUT_EXPECT_EQ(t, self.wait_id, -EDEADLK);
	XUT_EXPECT_EQ(t, self.outstanding, -EDEADLK);
	XUT_EXPECT_EQ(t, self.cancel, EDEADLK);
	XUT_EXPECT_EQ(t, self.suspend, -EDEADLK);
	XUT_EXPECT_EQ(t, self.destroy, -EDEADLK);
	XUT_EXPECT(t, !taskq_of_curthread());
	XUT_EXPECT_EQ(t, taskq_destroy(self.tq), 0);
}

static void names_ddi(struct xut *t)
{
	ddi_taskq_t *tq = ddi_taskq_create(NULL, "conform", 2, TASKQ_DEFAULTPRI, 0);
	atomic_t ran = ATOMIC_INIT(0);

	if (!XUT_EXPECT(t, tq))
		return;
	XUT_EXPECT_EQ(t, ddi_taskq_dispatch(tq, count, &ran, DDI_SLEEP), DDI_SUCCESS);
	XUT_EXPECT_EQ(t, ddi_taskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	XUT_EXPECT(t, !ddi_taskq_suspended(tq));
	XUT_EXPECT_EQ(t, ddi_taskq_suspend(tq), 0);
	XUT_EXPECT(t, ddi_taskq_suspended(tq));
	XUT_EXPECT_EQ(t, ddi_taskq_dispatch(tq, count, &ran, DDI_NOSLEEP), DDI_SUCCESS);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 1);
	ddi_taskq_resume(tq);
	XUT_EXPECT_EQ(t, ddi_taskq_wait(tq), 0);
	XUT_EXPECT_EQ(t, atomic_read(&ran), 2);
	XUT_EXPECT_EQ(t, ddi_taskq_destroy(tq), 0);
}

static const struct xut_case conform_cases[] = {
	XUT_CASE(single),
	XUT_CASE(multiple),
	XUT_CASE(system),
	XUT_CASE(wait),
	XUT_CASE(order),
	XUT_CASE(front),
	XUT_CASE(recurse),
	XUT_CASE(contention),
	XUT_CASE(delay),
	XUT_CASE(cancel),
	XUT_CASE(names_create),
	XUT_CASE(names_create_synced),
	XUT_CASE(names_priorities),
	XUT_CASE(names_dispatch),
	XUT_CASE(names_dispatch_without_io),
	XUT_CASE(names_suspend),
	XUT_CASE(names_from_own_function),
	XUT_CASE(names_ddi),
	XUT_CASE(names_create_many_threads),
	{}
};

XUT_SHARED_SUITE(taskq_conform, conform_cases);
