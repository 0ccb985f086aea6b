// SPDX-License-Identifier: GPL-2.0-only
/* taskq: interrupts of all CPUs dispatch as fast as they can. */
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <xsync/compat/hrtimer.h>
#include "taskq_test.h"
#include "taskq_test_thread.h"

static void count(void *arg)
{
	atomic_inc(arg);
}

#define STORM	64	/* entries on each CPU */

struct nmi_storm {
	struct xtaskq *tq;
	struct xtaskq_ent ents[STORM];
	atomic_t ran;
	unsigned long accepted, lost;
	unsigned int rounds;
};

static void storm_in_nmi(void *arg)
{
	struct nmi_storm *s = arg;
	int i;

	for (i = 0; i < STORM; i++)
		s->accepted += !!xtaskq_dispatch_any(s->tq, &s->ents[i], count, &s->ran);
}

static void storm(struct helper *h)
{
	struct nmi_storm *s = h->arg;
	unsigned int i;

	for (i = 0; i < s->rounds; i++) {
		s->lost += !!xut_nmi_self(storm_in_nmi, s);
		cond_resched();
	}
}

/* NMIs on all CPUs dispatch whatever is idle; what was accepted has run, once. */
static void nmi_dispatch_storm(struct xut *t)
{
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, 0);
	unsigned int i, n, nr = num_online_cpus();
	struct nmi_storm *s = kvcalloc(nr, sizeof(*s), GFP_KERNEL);
	struct helper *h = kcalloc(nr, sizeof(*h), GFP_KERNEL);
	u64 accepted = 0;

	if (!tq || !XUT_EXPECT(t, s && h))
		return;
	if (xut_nmi_self(count, &s[0].ran)) {
		xut_skip(t, "no NMI can be sent on this machine");
		goto end;
	}
	atomic_set(&s[0].ran, 0);
	for (i = 0; i < nr; i++) {
		s[i].tq = tq;
		s[i].rounds = 200 * (1 + xut_soak);
		for (n = 0; n < STORM; n++)
			xtaskq_init_ent(&s[i].ents[n]);
		h[i].arg = &s[i];
		if (!helper_begin(t, &h[i], storm, tq))
			break;
	}
	for (n = 0; n < i; n++)
		helper_end(t, &h[n]);
	XUT_EXPECT_EQ(t, xtaskq_wait(tq), 0);
	for (n = 0; n < i; n++) {
		XUT_EXPECT_EQ(t, atomic_read(&s[n].ran), s[n].accepted);
		XUT_EXPECT_EQ(t, s[n].lost, 0);
		accepted += s[n].accepted;
	}
	xut_info(t, "%llu accepted", accepted);
	XUT_EXPECT(t, accepted >= (u64)STORM * i);
end:
	XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
	kfree(h);
	kvfree(s);
}

#define ENTS		8		/* of a CPU; one half is dispatched in NMIs */
#define SPELL_NS	(20 * NSEC_PER_USEC)
#define ACCEPTED	100		/* by each CPU before the queue is destroyed */
#define ROUNDS		6

/* A CPU whose timer dispatches until it is refused. */
struct spell {
	struct xtaskq *tq;
	struct hrtimer timer;
	struct xtaskq_ent ents[ENTS];
	atomic_t ran;
	int accepted;
	int refused;
};

/* Of the entries that are idle; false: the queue is being destroyed. */
static bool spell_dispatch(struct spell *s, int from, int to, bool any)
{
	int i;

	for (i = from; i < to; i++) {
		xtaskqid_t id;

		if (!xtaskq_ent_idle(&s->ents[i]))
			continue;
		id = any ? xtaskq_dispatch_any(s->tq, &s->ents[i], count, &s->ran) :
			   xtaskq_dispatch_ent(s->tq, count, &s->ran, 0, &s->ents[i]);
		if (!id)
			return false;
		WRITE_ONCE(s->accepted, s->accepted + 1);
	}
	return true;
}

static void spell_in_nmi(void *arg)
{
	struct spell *s = arg;

	if (!spell_dispatch(s, ENTS / 2, ENTS, true))
		s->refused = 1;
}

static enum hrtimer_restart spell_in_timer(struct hrtimer *timer)
{
	struct spell *s = container_of(timer, struct spell, timer);
	int refused = !spell_dispatch(s, 0, ENTS / 2, false);

	if (!refused) {
		if (xut_nmi_self(spell_in_nmi, s))
			spell_in_nmi(s);
		refused = s->refused;
	}
	if (refused) {
		smp_store_release(&s->refused, 1);	/* to the case and all_refused() */
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, ns_to_ktime(SPELL_NS));
	return HRTIMER_RESTART;
}

static void spell_start(void *arg)
{
	struct spell *s = arg;

	hrtimer_start(&s->timer, ns_to_ktime(SPELL_NS), HRTIMER_MODE_REL_PINNED_HARD);
}

static void spell_init(struct spell *s, struct xtaskq *tq)
{
	int i;

	*s = (struct spell) { .tq = tq };
	for (i = 0; i < ENTS; i++)
		xtaskq_init_ent(&s->ents[i]);
	hrtimer_setup(&s->timer, spell_in_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
}

struct spells {
	struct spell *spell;
	unsigned int n;
	struct gate gate;
};

static bool all_accepted(struct spells *all)
{
	unsigned int i;

	for (i = 0; i < all->n; i++)
		if (READ_ONCE(all->spell[i].accepted) < ACCEPTED)
			return false;
	return true;
}

static bool all_refused(struct spells *all)
{
	unsigned int i;

	for (i = 0; i < all->n; i++)
		if (!smp_load_acquire(&all->spell[i].refused))	/* spell_in_timer() */
			return false;
	return true;
}

/* Until then the queue has something to do, and is not gone. */
static void open_when_all_are_refused(struct helper *h)
{
	struct spells *all = h->arg;

	while (!all_refused(all))
		usleep_range(20, 100);
	complete_all(&all->gate.open);
}

static void destroy_in_a_storm(struct xut *t, struct spells *all, unsigned int flags)
{
	struct xtaskq *tq = QUEUE(t, 2, XTASKQ_PRI_NORMAL, 0, 0, flags);
	struct helper h = { .arg = all };
	unsigned int i = 0, cpu;

	if (!tq)
		return;
	gate_init(&all->gate);
	XUT_EXPECT(t, xtaskq_dispatch(tq, gate_pass, &all->gate, XTASKQ_SLEEP));
	XUT_WAIT(t, atomic_read(&all->gate.inside) == 1);
	for_each_online_cpu(cpu) {
		struct spell *s = &all->spell[i++];

		spell_init(s, tq);
		XUT_EXPECT_EQ(t, smp_call_function_single(cpu, spell_start, s, true), 0);
	}
	xut_step(t, "all CPUs dispatch");
	XUT_WAIT(t, all_accepted(all));
	if (helper_begin(t, &h, open_when_all_are_refused, tq)) {
		xut_step(t, "destroying");
		XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
		XUT_EXPECT(t, all_refused(all));
		helper_end(t, &h);
	}
	for (i = 0; i < all->n; i++) {
		hrtimer_cancel(&all->spell[i].timer);
		XUT_EXPECT_EQ(t, atomic_read(&all->spell[i].ran), all->spell[i].accepted);
	}
}

/* Hard interrupts, and NMIs on top of them: each is let in and run, or refused. */
static void destroy_against_interrupts(struct xut *t)
{
	static const unsigned int flags[] = {
		0, XTASKQ_DEDICATED, XTASKQ_DEDICATED | XTASKQ_DYNAMIC
	};
	struct spells all = { .n = num_online_cpus() };
	unsigned int i;

	all.spell = kvcalloc(all.n, sizeof(*all.spell), GFP_KERNEL);
	if (!XUT_EXPECT(t, all.spell))
		return;
	for (i = 0; i < ROUNDS * (1 + xut_soak); i++)
		destroy_in_a_storm(t, &all, flags[i % ARRAY_SIZE(flags)]);
	kvfree(all.spell);
}

static const struct xut_case storm_cases[] = {
	XUT_CASE(nmi_dispatch_storm),
	XUT_CASE(destroy_against_interrupts),
	{}
};

XUT_SHARED_SUITE(taskq_storm, storm_cases);
