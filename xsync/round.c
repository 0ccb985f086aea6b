// SPDX-License-Identifier: GPL-2.0-only
/*
 * round - find out that every CPU has left, and who does that when.
 *
 * Problem.  A ticket must complete once every read section that was open when
 * it was given has ended.  It may be asked for in an NMI, so nobody may wait for
 * a lock; many ask at once, so they have to share the work; and no CPU may be
 * disturbed, so it is done by reading what each CPU's readers leave behind.
 *
 * Structures.  Each possible CPU has one word per domain on a cache line of its
 * own: sections completed << 8 | sections entered and not left.  The domain has
 * a sequence, even between rounds and odd in a round, the highest ticket given
 * (need), and a bit, XSYNC_DRIVING, whose holder alone moves the sequence on.
 *
 * A round begins by making the sequence odd; then all words are read.  CPUs with
 * nobody inside are done.  For the others the word is kept, and they are done as
 * soon as nobody is inside or another section has been completed: whoever is
 * inside then entered after the round began.  That is what keeps back-to-back
 * readers from holding up a grace period.  No CPU left: the sequence becomes
 * even.  A ticket is the first even value that a round which begins after it was
 * asked for will give: a round that is under way may have read words already.
 *
 * Rounds that interrupt.  Readers of an XSYNC_IPI domain leave out the barrier
 * between their count and their accesses.  After the sequence became odd the round
 * has each CPU pass a barrier instead, by a cross-call, and reads the words when all
 * have: a section that began before that barrier is seen inside, one that began
 * after it sees what was before the ticket, and for one that the IPI fell into both
 * hold.  The CPUs are those of xsync_asked; on the others readers pay (fence), and a
 * CPU changes sides only by its own hotplug callbacks: coming up it joins, passes a
 * barrier, then stops paying; going down the other way round.  So of a CPU that is
 * not asked, or not there any more when its IPI would be sent, no section without a
 * barrier is left.
 *
 * Who drives.  Everybody who starts, polls or waits tries to take XSYNC_DRIVING;
 * who does not get it leaves it to the holder, who looks again after letting go.  It
 * is a bit that is only ever tried, not a spinlock: also on a kernel for one CPU,
 * where a raw_spin_trylock() always succeeds, an NMI must find it taken.  At most
 * two rounds are made in one go.  While a round stays open a hard timer, 10 µs
 * doubling to 1 ms, looks again; it is armed by the kick, a hand-off, which also
 * does the wake-ups, and by whoever is going to sleep.
 *
 * Memory ordering.
 *  A  xsync_enter()'s barrier: count, then accesses.
 *  B  xsync_exit()'s barrier: accesses, then count.
 *  C  start: the caller's stores before the read of the sequence.  With D, by
 *     way of the sequence: a section that this ticket's round does not see
 *     inside sees those stores.
 *  D  round: odd sequence before the reads of the words.  Pairs with A: the
 *     reader's count is seen, or the reader sees what was before C.
 *  E  scan: acquire of the words, pairs with B; then release of the even
 *     sequence and acquire in xsync_passed(): what the sections did is before
 *     what the one who sees the ticket done does.
 *  F  start: need, then the try for XSYNC_DRIVING; holder: letting go, then the
 *     read of need.  A ticket is seen by the holder or by its starter's own try.
 *  G  the same between need or the odd sequence and XSYNC_POLLING, which the
 *     timer clears before it looks.
 *  I  the barrier that an IPI round has each CPU pass, between the ticket's C and
 *     the reads of the words; stands in for A.
 *  H  end of a round: even sequence, then the look for sleepers; see wait.c.
 *     Callbacks likewise: queued, then kicked.
 *
 * Hotplug.  All possible CPUs are read, so a CPU that comes up is not missed and
 * one that went down is seen with nobody inside.  A kick on a CPU that is not
 * online any more does not arm the timer, which could be lost; the dead callback
 * kicks all domains.
 *
 * Limits.  A CPU that never leaves keeps the ticket open; it is named once per
 * round after stall_ms.  There is one kick and one timer: while the CPU that has
 * them keeps its interrupts off, a round that is open goes on only when somebody
 * starts, polls or begins to wait, callbacks and who sleeps already hear of its end
 * later, and a stall is reported later.
 */
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include "compat/hrtimer.h"
#include "internal.h"
#include "trace.h"

#define XSYNC_POLL_MIN_NS	(10 * NSEC_PER_USEC)
#define XSYNC_POLL_MAX_NS	NSEC_PER_MSEC
#define XSYNC_ROUNDS_AT_ONCE	2

/* The CPUs that IPI rounds interrupt; changed under xsync_domains_lock. */
struct cpumask xsync_asked;

static unsigned long xsync_word(const struct xsync_state *s, unsigned int cpu)
{
	return smp_load_acquire(&per_cpu_ptr(s->readers, cpu)->word);	/* E */
}

/* Read all words, after the sequence became odd. */
static void xsync_scan(struct xsync_state *s)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		unsigned long word = xsync_word(s, cpu);

		if (!(word & XSYNC_NEST_MASK))
			continue;
		s->snap[cpu] = word;
		__cpumask_set_cpu(cpu, s->pending);
	}
}

/* Read the words of those who were inside. */
static void xsync_rescan(struct xsync_state *s)
{
	unsigned int cpu;

	for_each_cpu(cpu, s->pending) {
		unsigned long word = xsync_word(s, cpu);
		bool another = (word ^ s->snap[cpu]) & ~XSYNC_NEST_MASK;

		if (another || !(word & XSYNC_NEST_MASK))
			__cpumask_clear_cpu(cpu, s->pending);
	}
}

/* The round did not end with the first look at it: what follows takes time. */
static void xsync_stays_open(struct xsync_state *s)
{
	if (s->round_began)
		return;
	WRITE_ONCE(s->round_began, ktime_get_mono_fast_ns() ?: 1);
	xsync_trace(xsync_round_open, s->name, s->seq);
}

static void xsync_begin_round(struct xsync_state *s)
{
	/* Who sees it odd sees that the last round's time is no more. */
	smp_store_release(&s->seq, s->seq + 1);
	smp_mb();	/* D */
	if (!s->ask) {
		xsync_scan(s);
		return;
	}
	WRITE_ONCE(s->asked, true);
	xcall_post(s->ask, &xsync_asked);
}

/*
 * On a CPU that is not online what is posted stays until a hotplug callback: whoever
 * sleeps, or that callback, begins the round elsewhere.
 */
static bool xsync_can_begin(const struct xsync_state *s)
{
	return !s->ask || cpu_online(raw_smp_processor_id());
}

static void xsync_look(struct xsync_state *s)
{
	if (!s->asked) {
		xsync_rescan(s);
	} else if (xcall_done(s->ask)) {
		WRITE_ONCE(s->asked, false);
		xsync_scan(s);
	}
}

static void xsync_end_round(struct xsync_state *s)
{
	u64 began = s->round_began;

	xsync_hist_add(s->open, began ? xsync_age(began) : 0);
	WRITE_ONCE(s->round_began, 0);
	WRITE_ONCE(s->rounds, s->rounds + 1);
	smp_store_release(&s->seq, s->seq + 1);	/* E */
	xsync_trace(xsync_round_end, s->name, s->seq);
}

/*
 * Move the rounds on as far as they go now, XSYNC_DRIVING being held.  Returns
 * whether one ended.
 */
static bool xsync_drive_rounds(struct xsync_state *s)
{
	unsigned int ended = 0;

	while (ended < XSYNC_ROUNDS_AT_ONCE) {
		if (s->seq & 1)
			xsync_look(s);
		else if (xsync_open(s) && xsync_can_begin(s))
			xsync_begin_round(s);
		else
			break;

		if (s->asked || !cpumask_empty(s->pending)) {
			xsync_stays_open(s);
			break;
		}
		xsync_end_round(s);
		ended++;
	}
	return ended;
}

/**
 * xsync_try_advance - move the rounds on unless somebody else is at it
 * @s: the domain
 *
 * Somebody else, in the context that we interrupted or on another CPU, will see
 * what is needed.
 *
 * Context: Any.
 * Return: whether a round ended here.
 */
bool xsync_try_advance(struct xsync_state *s)
{
	unsigned long flags;
	bool ended;

	local_irq_save(flags);
	if (test_and_set_bit_lock(XSYNC_DRIVING, &s->flags)) {
		local_irq_restore(flags);
		return false;
	}
	ended = xsync_drive_rounds(s);
	clear_bit_unlock(XSYNC_DRIVING, &s->flags);
	local_irq_restore(flags);
	smp_mb();	/* F, G, H */
	return ended;
}

/* Somebody sleeps, or callbacks have a ticket: the end of a round is news. */
static bool xsync_awaited(const struct xsync_state *s)
{
	return !list_empty(&s->waitlist.waiters) || READ_ONCE(s->cb_waiting);
}

/**
 * xsync_help - try to move the rounds on, and tell those who sleep
 * @s: the domain
 *
 * Context: Any.
 */
void xsync_help(struct xsync_state *s)
{
	preempt_disable_notrace();
	if (xsync_try_advance(s) && xsync_awaited(s))
		xsync_handoff(&s->kick);
	preempt_enable_notrace();
}

/**
 * xsync_advance - try to move the rounds on, and see to it that they will
 * @s: the domain
 *
 * Preemption is off, so that news of the end of a round is not kept from others.
 *
 * Context: Any.
 */
void xsync_advance(struct xsync_state *s)
{
	preempt_disable_notrace();
	xsync_help(s);
	if (xsync_open(s) && !test_bit(XSYNC_POLLING, &s->flags))
		xsync_handoff(&s->kick);
	preempt_enable_notrace();
}

/**
 * xsync_ticket - take a ticket
 * @s: the domain
 *
 * The caller goes on to xsync_advance() or xsync_try_advance().
 *
 * Context: Any.
 * Return: the ticket.
 */
unsigned long xsync_ticket(struct xsync_state *s)
{
	unsigned long need, ticket;

	smp_mb();	/* C */
	ticket = (READ_ONCE(s->seq) + 3) & ~1UL;

	need = READ_ONCE(s->need);
	while (!xsync_seq_passed(need, ticket) &&
	       !try_cmpxchg(&s->need, &need, ticket))
		;
	smp_mb();	/* F, G */
	return ticket;
}

/**
 * xsync_inside - whether the caller is in a read section of the domain
 * @s: the domain
 *
 * A section keeps preemption off, so if this CPU has one open it is the caller's
 * or one that the caller interrupted.
 *
 * Context: Any.
 * Return: true if so.
 */
bool xsync_inside(const struct xsync_state *s)
{
	unsigned long word;

	preempt_disable();
	word = this_cpu_read(s->readers->word);
	preempt_enable();
	return word & XSYNC_NEST_MASK;
}

/* Report a round once that has been open for too long. */
static void xsync_look_for_stall(struct xsync_state *s)
{
	unsigned long seq = smp_load_acquire(&s->seq);	/* xsync_begin_round() */
	u64 began = READ_ONCE(s->round_began);
	u64 age;

	if (!(seq & 1) || !began || s->stalled_seq == seq)
		return;
	age = xsync_age(began);
	if (!xsync_stalled(age))
		return;

	s->stalled_seq = seq;
	s->stalls++;
	xsync_report_stall(s, age);
}

/* Have the rounds looked at again, the later the longer this one is open. */
static void xsync_arm_poller(struct xsync_state *s)
{
	unsigned long seq;

	if (!cpu_online(raw_smp_processor_id()) ||
	    test_and_set_bit(XSYNC_POLLING, &s->flags))
		return;

	xsync_look_for_stall(s);
	seq = READ_ONCE(s->seq);
	if (s->poll_seq != seq)
		s->poll_ns = XSYNC_POLL_MIN_NS;
	else
		s->poll_ns = min_t(u64, 2 * s->poll_ns, XSYNC_POLL_MAX_NS);
	s->poll_seq = seq;
	hrtimer_start(&s->poller, ns_to_ktime(s->poll_ns), HRTIMER_MODE_REL_HARD);
}

/*
 * Everything that takes more than looking: hard interrupt, or interrupts off in a task
 * or a hotplug callback, no rq->lock held.
 */
static void xsync_drive(struct xsync_state *s)
{
	xsync_try_advance(s);
	/* Before anybody is woken: who ends the round may not be able to tell others. */
	if (xsync_open(s))
		xsync_arm_poller(s);
	xsync_callbacks_move(s);
	if (xsync_waitlist_wake(&s->waitlist))
		xsync_handoff(&s->kick);
	if (xsync_open(s))
		xsync_arm_poller(s);
}

/**
 * xsync_drive_now - do at once what the kick does
 * @s: the domain
 *
 * For a task that is going to sleep: the kick may be waiting on a CPU that has its
 * interrupts off or is going down.  The timer is on the caller's CPU then.
 *
 * Context: Task context, interrupts on.
 */
void xsync_drive_now(struct xsync_state *s)
{
	local_irq_disable();
	xsync_drive(s);
	local_irq_enable();
}

static void xsync_kicked(struct xsync_handoff *h)
{
	xsync_drive(container_of(h, struct xsync_state, kick));
}

static enum hrtimer_restart xsync_poll_again(struct hrtimer *timer)
{
	struct xsync_state *s = container_of(timer, struct xsync_state, poller);

	clear_bit_unlock(XSYNC_POLLING, &s->flags);
	smp_mb();	/* G */
	xsync_drive(s);
	return HRTIMER_NORESTART;
}

static void xsync_answer(void *unused)
{
	smp_mb();	/* I */
}

int xsync_round_setup(struct xsync_state *s, enum xsync_flavour flavour)
{
	xsync_handoff_init(&s->kick, xsync_kicked);
	hrtimer_setup(&s->poller, xsync_poll_again, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_HARD);
	if (flavour != XSYNC_IPI)
		return 0;

	s->ask = xcall_alloc(xsync_answer, NULL, XCALL_IPI, GFP_KERNEL);
	if (!s->ask)
		return -ENOMEM;
	xcall_notify(s->ask, &s->kick);
	return 0;
}

/*
 * Nobody starts or waits any more and no ticket is open, so the timer is not
 * armed again; but a last kick or timer may be under way, one after the other.
 */
void xsync_round_teardown(struct xsync_state *s)
{
	xsync_handoff_sync(&s->kick);
	hrtimer_cancel(&s->poller);
	xcall_free(s->ask);
	s->ask = NULL;
	xsync_handoff_sync(&s->kick);
}
