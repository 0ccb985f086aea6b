// SPDX-License-Identifier: GPL-2.0-only
/*
 * Torture: readers look at objects that updaters replace.
 *
 * An object is published at age 0, 1 when it has been replaced, and one more with
 * each grace period that passes from then on, until it is freed.  A section that sees
 * an age of 2 or more at its end, of an object that it found at its begin, saw a
 * grace period end too early; how old the object was says how late that was noticed.
 * Sections are RCU's read sections as well, and RCU frees the objects, so that the
 * age is there to be seen.
 *
 * The updaters take turns at what they wait with.  A callback queues itself again
 * for the next age; the timer has a ticket of its own and asks at each tick; what it
 * and NMIs publish was made for them by the updater.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <xsync/compat/hrtimer.h>
#include "xsync_test.h"
#include "xsync_test_torture.h"

#define SLOTS		4
#define TICK_NS		NSEC_PER_MSEC
#define MOST_CALLBACKS	1000	/* then the updaters wait instead */

struct object {
	struct xsync_head head;
	struct rcu_head rcu;
	struct llist_node grave;
	unsigned int age;
};

static struct object *slots[SLOTS];
static struct llist_head graves;		/* what interrupts are through with */
static atomic_t callbacks;			/* objects that age by callback */
static DEFINE_PER_CPU(unsigned long [TORTURE_AGES + 1], ages_seen);
static DEFINE_PER_CPU(struct rnd_state [FROM_NMI + 1], reader_rnd);

static u32 reader_random(enum counted_from from)
{
	return prandom_u32_state(this_cpu_ptr(&reader_rnd[from]));
}

/* Mostly short; in a task up to 10 ms now and then. */
static void linger(enum counted_from from, u32 r)
{
	unsigned int n = r & 0x1ff;

	while (n--)
		cpu_relax();
	if (from != FROM_TASK)
		return;
	if ((r & 0x3fff0000) == 0)
		mdelay(10);
	else if ((r & 0x00ff0000) == 0)
		udelay(r >> 24);
}

static void look_in_nmi(void *arg);

static void look(struct torture_cpu *c, enum counted_from from, unsigned int depth)
{
	unsigned long cookie = xsync_enter(&torture_state.domain);
	u32 r = reader_random(from);
	struct object *o = READ_ONCE(slots[r % SLOTS]);
	unsigned long flags;

	if (r >> 28 < 4 && depth < 4)
		look(c, from, depth + 1);
	linger(from, r);
	if (from == FROM_TASK && r % 512 == 0) {
		/* So that no other NMI is sent meanwhile. */
		local_irq_save(flags);
		xut_nmi_self(look_in_nmi, c);
		local_irq_restore(flags);
	}
	this_cpu_inc(ages_seen[min_t(unsigned int, READ_ONCE(o->age), TORTURE_AGES)]);
	torture_note(TORTURE_TASK_SECTIONS + from);
	xsync_exit(&torture_state.domain, cookie);
}

static void retire_by_callback(struct object *o);

/* Interrupts publish what was made for them. */
static struct object *publish_spare(struct object **spare, enum counted_from from)
{
	struct object *o = xchg(spare, NULL);

	if (o)
		o = xchg(&slots[reader_random(from) % SLOTS], o);
	if (o)
		WRITE_ONCE(o->age, 1);
	return o;
}

static void look_in_nmi(void *arg)
{
	struct torture_cpu *c = arg;
	struct object *o;

	look(c, FROM_NMI, 0);
	o = publish_spare(&c->spares[1], FROM_NMI);
	if (!o)
		return;
	retire_by_callback(o);
	torture_note(TORTURE_NMI_CALL);
}

/* In an NMI that comes from the timer, and not again in another one. */
static void act_in_nmi(void *arg)
{
	look_in_nmi(arg);
	torture_call_in_nmi(arg);
}

/* The timer's own object, at an age that has just been reached: on to the next. */
static void begin_age(struct torture_cpu *c)
{
	if (c->polled->age < TORTURE_AGES) {
		c->ticket = xsync_start(&torture_state.domain);
		torture_note(TORTURE_TIMER_TICKET);
		return;
	}
	llist_add(&c->polled->grave, &graves);
	c->polled = NULL;
}

/* At each tick it is asked for. */
static void age_by_tick(struct torture_cpu *c)
{
	if (!c->polled) {
		c->polled = publish_spare(&c->spares[0], FROM_TIMER);
		if (c->polled)
			begin_age(c);
	} else if (xsync_poll(&torture_state.domain, c->ticket)) {
		WRITE_ONCE(c->polled->age, c->polled->age + 1);
		begin_age(c);
	}
}

static void publish_in_timer(struct torture_cpu *c)
{
	struct object *o = publish_spare(&c->spares[0], FROM_TIMER);

	if (!o)
		return;
	retire_by_callback(o);
	torture_note(TORTURE_TIMER_CALL);
}

static enum hrtimer_restart torture_tick(struct hrtimer *timer)
{
	struct torture_cpu *c = container_of(timer, struct torture_cpu, timer);

	look(c, FROM_TIMER, 0);
	if (c->ticks++ % 2)
		publish_in_timer(c);
	else
		age_by_tick(c);
	torture_call_in_timer(c);
	if (c->ticks % 8 == 0)
		xut_nmi_self(act_in_nmi, c);
	if (READ_ONCE(torture_state.stop))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(TICK_NS));
	return HRTIMER_RESTART;
}

static void start_timer(struct torture_cpu *c)
{
	hrtimer_cancel(&c->timer);
	c->timer_cpu = raw_smp_processor_id();
	hrtimer_start(&c->timer, ns_to_ktime(TICK_NS), HRTIMER_MODE_REL_PINNED_HARD);
}

int torture_reader(void *arg)
{
	struct torture_cpu *c = arg;

	hrtimer_setup(&c->timer, torture_tick, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_PINNED_HARD);
	start_timer(c);
	while (!READ_ONCE(torture_state.stop)) {
		if (c->timer_cpu != raw_smp_processor_id())
			start_timer(c);
		look(c, FROM_TASK, 0);
		cond_resched();
	}
	hrtimer_cancel(&c->timer);
	atomic_dec(&torture_state.running);
	thread_idle();
	return 0;
}

static void age_by_callback(struct xsync_head *head)
{
	struct object *o = container_of(head, struct object, head);

	WRITE_ONCE(o->age, o->age + 1);
	if (o->age < TORTURE_AGES) {
		if (xsync_call(&torture_state.domain, head, age_by_callback))
			atomic_inc(&torture_state.failed);
		return;
	}
	kfree_rcu(o, rcu);
	atomic_dec(&callbacks);
}

static void retire_by_callback(struct object *o)
{
	atomic_inc(&callbacks);
	if (xsync_call(&torture_state.domain, &o->head, age_by_callback))
		atomic_inc(&torture_state.failed);
}

/* A grace period has passed: all that the updater has replaced is older. */
static void age_pipe(struct torture_cpu *c)
{
	unsigned int i = TORTURE_AGES - 1;
	struct object *o = c->pipe[--i];

	if (o) {
		WRITE_ONCE(o->age, o->age + 1);
		kfree_rcu(o, rcu);
	}
	while (i--) {
		o = c->pipe[i];
		if (o)
			WRITE_ONCE(o->age, o->age + 1);
		c->pipe[i + 1] = o;
	}
	c->pipe[0] = NULL;
}

static struct object *replace(void)
{
	struct object *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (!o) {
		atomic_inc(&torture_state.failed);
		return NULL;
	}
	o = xchg(&slots[get_random_u32() % SLOTS], o);
	WRITE_ONCE(o->age, 1);
	return o;
}

static void waited(struct torture_cpu *c, enum torture_kind kind, int err)
{
	if (err)
		atomic_inc(&torture_state.failed);
	age_pipe(c);
	torture_note(kind);
}

static void update_by_synchronize(struct torture_cpu *c)
{
	c->pipe[0] = replace();
	waited(c, TORTURE_SYNCHRONIZE, xsync_synchronize(&torture_state.domain));
}

static void update_by_killable(struct torture_cpu *c)
{
	unsigned long ticket;

	c->pipe[0] = replace();
	ticket = xsync_start(&torture_state.domain);
	waited(c, TORTURE_KILLABLE, xsync_wait_killable(&torture_state.domain, ticket));
}

static void update_by_timeout(struct torture_cpu *c)
{
	unsigned long ticket;
	int err;

	c->pipe[0] = replace();
	ticket = xsync_start(&torture_state.domain);
	do
		err = xsync_wait_timeout(&torture_state.domain, ticket, 5000);
	while (err == -ETIMEDOUT);
	waited(c, TORTURE_TIMEOUT, err);
}

static void update_by_poll(struct torture_cpu *c)
{
	unsigned long ticket;

	c->pipe[0] = replace();
	ticket = xsync_start(&torture_state.domain);
	while (!xsync_poll(&torture_state.domain, ticket))
		usleep_range(10, 50);
	waited(c, TORTURE_POLL, 0);
}

static void update_by_call(struct torture_cpu *c)
{
	struct object *o;

	if (atomic_read(&callbacks) > MOST_CALLBACKS) {
		update_by_synchronize(c);
		return;
	}
	o = replace();
	if (o)
		retire_by_callback(o);
	torture_note(TORTURE_CALL);
}

static const struct torture_op update_ops[] = {
	{ update_by_synchronize, 4 },
	{ update_by_killable, 1 },
	{ update_by_timeout, 2 },
	{ update_by_poll, 2 },
	{ update_by_call, 3 },
};

static void fill_spare(struct object **spare)
{
	struct object *o;

	if (READ_ONCE(*spare))
		return;
	o = kzalloc(sizeof(*o), GFP_KERNEL);
	if (o)
		kfree(xchg(spare, o));
}

static void free_graves(void)
{
	struct object *o, *next;

	llist_for_each_entry_safe(o, next, llist_del_all(&graves), grave)
		kfree_rcu(o, rcu);
}

int torture_updater(void *arg)
{
	struct torture_cpu *c = arg;

	while (!READ_ONCE(torture_state.stop)) {
		fill_spare(&c->spares[0]);
		fill_spare(&c->spares[1]);
		torture_do_one(update_ops, ARRAY_SIZE(update_ops), c);
		free_graves();
		cond_resched();
	}
	atomic_dec(&torture_state.running);
	thread_idle();
	return 0;
}

bool torture_objects_begin(struct xut *t)
{
	unsigned int i, cpu;

	init_llist_head(&graves);
	atomic_set(&callbacks, 0);
	for_each_possible_cpu(cpu) {
		memset(per_cpu_ptr(&ages_seen, cpu), 0, sizeof(ages_seen));
		for (i = 0; i < ARRAY_SIZE(reader_rnd); i++)
			prandom_seed_state(per_cpu_ptr(&reader_rnd[i], cpu),
					   get_random_u64());
	}
	for (i = 0; i < SLOTS; i++) {
		slots[i] = kzalloc(sizeof(*slots[i]), GFP_KERNEL);
		if (!XUT_EXPECT(t, slots[i]))
			return false;
	}
	return true;
}

static void torture_report_ages(struct xut *t)
{
	unsigned long too_old = 0;
	unsigned int cpu, age;

	for (age = 0; age <= TORTURE_AGES; age++) {
		unsigned long sum = 0;

		for_each_possible_cpu(cpu)
			sum += per_cpu(ages_seen, cpu)[age];
		if (sum)
			xut_info(t, "objects of age %u seen: %lu", age, sum);
		if (age > 1)
			too_old += sum;
	}
	XUT_EXPECT_EQ(t, too_old, 0);
}

static void torture_free_cpu(struct torture_cpu *c)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(c->pipe); i++)
		kfree(c->pipe[i]);
	for (i = 0; i < ARRAY_SIZE(c->spares); i++)
		kfree(c->spares[i]);
	kfree(c->polled);
}

void torture_objects_end(struct xut *t)
{
	unsigned int i, cpu;

	xut_step(t, "callbacks end");
	XUT_WAIT(t, atomic_read(&callbacks) == 0);
	torture_report_ages(t);
	free_graves();
	for_each_possible_cpu(cpu)
		torture_free_cpu(per_cpu_ptr(torture_state.cpus, cpu));
	for (i = 0; i < SLOTS; i++)
		kfree(xchg(&slots[i], NULL));
}
