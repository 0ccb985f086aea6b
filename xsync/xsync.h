/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xsync - ask from any context whether every CPU has left your read sections.
 *
 * A tracer brackets its probe code with xsync_enter() and xsync_exit() on a
 * domain of its own.  Whoever wants to free or change what that code may be
 * looking at takes a ticket with xsync_start(), from any context, and acts
 * once the ticket is done.
 *
 * What is promised, for every read section S of a domain and every ticket t:
 *
 *  - either S ended before t completed, and everything S did is ordered before
 *    any xsync_poll() or xsync_wait() that sees t done;
 *  - or S sees everything that is ordered before the xsync_start() that gave t.
 *
 * What is not promised: a grace period does not wait for sections that begin
 * after its ticket was given, and sections of another domain never delay it.
 *
 * xsync_synchronize() is what dtrace_sync() is to DTrace on Solaris, except that
 * there it is a cross-call which every CPU answers; sections that nest and a
 * domain of one's own are as in the kernel's SRCU, tickets as in its polled grace
 * periods.
 *
 * Who may call what from where:
 *
 *                          task  softirq  hardirq  IRQs   under    NMI    sleeps
 *                                                  off    rq->lock
 *   xsync_enter, _exit     yes   yes      yes      yes    yes      yes    no
 *   xsync_start            yes   yes      yes      yes    yes      yes    no
 *   xsync_poll             yes   yes      yes      yes    yes      yes    no
 *   xsync_call             yes   yes      yes      yes    yes      yes    no
 *   xsync_wait*            yes   error    error    error  error    error  yes
 *   xsync_synchronize      yes   error    error    error  error    error  yes
 *   xsync_barrier          yes   error    error    error  error    error  yes
 *   xsync_domain_init      yes   no       no       no     no       no     yes
 *   xsync_domain_destroy   yes   error    error    error  error    error  yes
 *
 * The table is the same on PREEMPT_RT; "hardirq" there means interrupts that
 * are not threaded.  "error": the call returns -EDEADLK or -EWOULDBLOCK at once
 * and the domain reports the first such call in the kernel log; it never hangs.
 * Without CONFIG_PREEMPT_COUNT a held spinlock cannot be seen, and sleeping
 * under one is then the caller's bug as with any sleeping function.
 *
 * Waits, barriers and xsync_domain_destroy() must not be called in a CPU hotplug
 * callback: what was handed off on the CPU that goes or comes is held until a
 * callback of xsync's own, which may come after yours.
 *
 * Read sections: preemption is off in them, so they must not sleep, must not
 * take a spinlock_t on PREEMPT_RT, and may touch user memory only by the
 * nofault accessors.  They nest, up to 255 levels on one CPU, all contexts
 * taken together.
 */
#ifndef _XSYNC_XSYNC_H
#define _XSYNC_XSYNC_H

#include <linux/bug.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/kconfig.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/types.h>

/**
 * enum xsync_flavour - how the readers of a domain are found
 * @XSYNC_FENCED: every reader pays a full memory barrier on entry; a grace
 *		  period only reads one cache line per CPU and sends no IPI, so
 *		  isolated and nohz_full CPUs stay undisturbed.
 * @XSYNC_IPI: readers pay no barrier; each round interrupts every online CPU
 *	       once, so that each passes one.  For the hottest probes, where grace
 *	       periods are few; this is how dtrace_sync() works on Solaris.
 *
 * The flavour is fixed where the domain is initialised; readers never name it.
 */
enum xsync_flavour {
	XSYNC_FENCED,
	XSYNC_IPI,
};

/**
 * struct xsync_reader - one CPU's readers of one domain
 * @word: number of sections completed << 8 | sections entered and not left;
 *	  written by its own CPU alone, read by grace periods.
 * @fence: readers pay a barrier: always 1 for XSYNC_FENCED, for XSYNC_IPI while
 *	   rounds do not interrupt this CPU.  Changed on its own CPU.
 *
 * Private.
 */
struct xsync_reader {
	unsigned long word;
	int fence;
} ____cacheline_aligned_in_smp;

#define XSYNC_NEST_MASK	0xffUL
#define XSYNC_GEN_STEP	(XSYNC_NEST_MASK + 1)

struct xsync_state;

/**
 * struct xsync_domain - a set of read sections that grace periods wait for
 *
 * The storage is the caller's, usually a static object or part of a larger one;
 * every field is private.  It must stay in place from xsync_domain_init() until
 * xsync_domain_destroy() has returned 0.
 */
struct xsync_domain {
	/* private: set once by xsync_domain_init() */
	struct xsync_reader __percpu *readers;
	struct xsync_state *state;
	/* private: lockdep's view of read sections and of callbacks */
	struct lockdep_map read_map;
	struct lockdep_map callback_map;
};

/* Lock classes of the domains that are initialised at one place in the source. */
struct xsync_domain_keys {
	struct lock_class_key read;
	struct lock_class_key callback;
	struct lock_class_key worker;
	const char *read_name;
	const char *callback_name;
	const char *worker_name;
};

int __xsync_domain_init(struct xsync_domain *d, const char *name,
			enum xsync_flavour flavour,
			struct xsync_domain_keys *keys);

/**
 * xsync_domain_init - make a domain ready for use
 * @d: the domain
 * @name: for messages and debugfs; must outlive the domain
 * @flavour: XSYNC_FENCED or XSYNC_IPI
 *
 * Each place in the source that calls this is a lockdep class of its own, named
 * after the expression @d.  lockdep takes domains of one place for one another: it
 * reports a callback of one that waits for the callbacks of another.
 *
 * Context: Task context, may sleep.
 * Return: 0, -ENOMEM, or -EINVAL for a flavour that does not exist.
 */
#define xsync_domain_init(d, name, flavour)				\
({									\
	static struct xsync_domain_keys __xsync_keys = {		\
		.read_name = #d,					\
		.callback_name = #d " callbacks",			\
		.worker_name = #d " worker",				\
	};								\
									\
	__xsync_domain_init((d), (name), (flavour), &__xsync_keys);	\
})

/**
 * xsync_domain_destroy - end a domain that is not in use
 * @d: the domain
 *
 * Whoever calls this must have seen to it that nobody can enter, start, poll, queue
 * or wait any more; it finds out about readers, tickets and callbacks that have not
 * finished, but not about every task that is about to return from a wait.  A
 * callback that is running is waited for.
 *
 * Context: Task context, may sleep.
 * Return: 0; -EBUSY, the domain being as before, while a reader is inside, a
 *	   ticket is open or a callback is queued; -EDEADLK in a callback of @d or
 *	   in an XCALL_THREAD function; -EWOULDBLOCK in atomic context.
 */
int xsync_domain_destroy(struct xsync_domain *d);

#ifdef CONFIG_DEBUG_LOCK_ALLOC
/*
 * lockdep cannot be used where RCU is not watching (the idle loop's innermost
 * part); whether it does cannot change inside a section.
 */
static __always_inline void xsync_lockdep_enter(struct xsync_domain *d)
{
	if (rcu_is_watching())
		lock_acquire(&d->read_map, 0, !!in_nmi(), 2, 1, NULL, _THIS_IP_);
}

static __always_inline void xsync_lockdep_exit(struct xsync_domain *d,
					       unsigned long cookie)
{
	WARN_ONCE(cookie != raw_smp_processor_id(),
		  "xsync: section of %ps left on another CPU than entered\n", d);
	if (rcu_is_watching())
		lock_release(&d->read_map, _THIS_IP_);
}
#else
static __always_inline void xsync_lockdep_enter(struct xsync_domain *d) { }
static __always_inline void xsync_lockdep_exit(struct xsync_domain *d,
					       unsigned long cookie) { }
#endif

/*
 * Orders a section's accesses before the store that ends it.  Where stores are
 * never reordered with earlier loads and stores the compiler is all there is
 * to stop.
 */
#if defined(CONFIG_X86) || defined(CONFIG_UML_X86)
#define xsync_exit_barrier()	barrier()
#else
#define xsync_exit_barrier()	smp_mb()	/* B, see xsync_exit() */
#endif

/**
 * xsync_enter - begin a read section
 * @d: the domain
 *
 * From here to the matching xsync_exit() the section stays on this CPU with
 * preemption off, and no ticket given after this point is done before the
 * section ends.  Sections nest in every way that contexts nest.  Allocates
 * nothing, takes no lock, wakes nobody.
 *
 * Context: Any, including NMI and under rq->lock.
 * Return: a cookie for the matching xsync_exit().
 */
static __always_inline unsigned long xsync_enter(struct xsync_domain *d)
{
	preempt_disable_notrace();
	/* One instruction or with interrupts off: an interrupt cannot split it. */
	this_cpu_inc(d->readers->word);
	/*
	 * A: the count before the section's accesses, at every level: a nested
	 * section may have interrupted the outer one right before its barrier.
	 * Pairs with C (xsync_start()) and D (the round's scan) in round.c; where
	 * rounds interrupt this CPU, I there is this barrier.
	 */
	if (this_cpu_read(d->readers->fence))
		smp_mb();	/* A */
	else
		barrier();
	xsync_lockdep_enter(d);
	return raw_smp_processor_id();
}

/**
 * xsync_exit - end a read section
 * @d: the domain
 * @cookie: what the matching xsync_enter() returned
 *
 * Context: As xsync_enter(), on the same CPU.
 */
static __always_inline void xsync_exit(struct xsync_domain *d,
				       unsigned long cookie)
{
	unsigned long nest = this_cpu_read(d->readers->word) & XSYNC_NEST_MASK;

	xsync_lockdep_exit(d, cookie);
	/* B: the section's accesses before its end; pairs with E in round.c. */
	xsync_exit_barrier();
	/*
	 * Interrupts between the read above and here leave the level as it was.
	 * The outermost exit also counts the section, so that a grace period
	 * can tell a CPU that came back from one that never left.
	 */
	this_cpu_add(d->readers->word,
		     nest == 1 ? XSYNC_GEN_STEP - 1 : -1UL);
	preempt_enable_notrace();
}

/**
 * xsync_start - take a ticket for a grace period
 * @d: the domain
 *
 * The grace period goes on by itself.  Often it is over at once: with nobody
 * inside, the ticket is done when this returns.
 *
 * A ticket stays valid until half of all unsigned longs have been used up.
 *
 * Context: Any, including NMI and under rq->lock, also inside a read section.
 * Return: the ticket for xsync_poll() and xsync_wait(); any value.
 */
unsigned long xsync_start(struct xsync_domain *d);

/**
 * xsync_poll - whether a grace period is over
 * @d: the domain
 * @ticket: from xsync_start()
 *
 * Once true it stays true.  Who polls also looks for readers that have left, so a
 * domain of flavour XSYNC_FENCED can be polled with interrupts off until the ticket
 * is done.  Polling again and again would be for ever where a section of the domain, or
 * a function of xsync, may have been interrupted on this CPU, as by an NMI or a probe;
 * and with XSYNC_IPI, where a round needs this CPU's interrupts.
 *
 * Context: Any, including NMI and under rq->lock.
 * Return: true if every section that was open when the ticket was given has
 *	   ended; its accesses are then ordered before the caller's next ones.
 */
bool xsync_poll(struct xsync_domain *d, unsigned long ticket);

/**
 * xsync_wait - wait until a grace period is over
 * @d: the domain
 * @ticket: from xsync_start()
 *
 * Context: Task context, sleeps.
 * Return: 0; -EDEADLK in a read section or a callback of @d or in an
 *	   XCALL_THREAD function, -EWOULDBLOCK in atomic context, which an
 *	   XCALL_IPI function is: nothing was waited for.
 */
int __must_check xsync_wait(struct xsync_domain *d, unsigned long ticket);

/**
 * xsync_wait_killable - wait until a grace period is over or the task killed
 * @d: the domain
 * @ticket: from xsync_start(); still valid after -EINTR
 *
 * Context: Task context, sleeps.
 * Return: as xsync_wait(), or -EINTR after a fatal signal.
 */
int __must_check xsync_wait_killable(struct xsync_domain *d,
				     unsigned long ticket);

/**
 * xsync_wait_timeout - wait until a grace period is over, killably, but not for ever
 * @d: the domain
 * @ticket: from xsync_start(); still valid after -EINTR and -ETIMEDOUT
 * @ns: for how many nanoseconds at most
 *
 * Context: Task context, sleeps.
 * Return: as xsync_wait_killable(), or -ETIMEDOUT.
 */
int __must_check xsync_wait_timeout(struct xsync_domain *d,
				    unsigned long ticket, u64 ns);

/**
 * xsync_synchronize - wait for a grace period
 * @d: the domain
 *
 * Context: Task context, sleeps.
 * Return: as xsync_wait().
 */
int __must_check xsync_synchronize(struct xsync_domain *d);

struct xsync_head;
typedef void (*xsync_func_t)(struct xsync_head *head);

/**
 * struct xsync_head - a callback that waits for a grace period
 *
 * Embed it in what is to be freed.  Zeroed memory is a valid idle head; so is
 * one after xsync_head_init().  Every field is private.
 *
 *   idle --xsync_call()--> queued --grace period, then worker--> idle, func runs
 *
 * The head is idle again before its function is called, so the function may
 * free it or queue it again.
 */
struct xsync_head {
	/* private: */
	struct llist_node node;
	xsync_func_t func;	/* NULL: idle */
};

/**
 * xsync_head_init - make a head idle
 * @head: the head; must not be queued
 *
 * Context: Any.
 */
static inline void xsync_head_init(struct xsync_head *head)
{
	head->func = NULL;
}

/**
 * xsync_call - run a function after a grace period
 * @d: the domain
 * @head: caller-owned; idle
 * @func: what to run, in a worker thread; may sleep, may free @head or queue it
 *	  again, may not wait for a ticket of this domain
 *
 * Callbacks of one domain run one at a time, in order.
 *
 * Not promised: on which CPU, or that callbacks of different domains keep any
 * order.
 *
 * Context: Any, including NMI and under rq->lock.
 * Return: 0; -EBUSY if @head is queued and its function not called yet; -EINVAL if
 *	   @func is NULL.
 */
int xsync_call(struct xsync_domain *d, struct xsync_head *head,
	       xsync_func_t func);

/**
 * xsync_barrier - wait for all callbacks that were queued before
 * @d: the domain
 *
 * Before a module unloads it must have waited for its callbacks this way.
 *
 * Not promised: anything about callbacks queued meanwhile, nor that a grace
 * period passed if there was no callback to wait for.
 *
 * Context: Task context, sleeps.
 * Return: 0, -EDEADLK and -EWOULDBLOCK as xsync_wait().
 */
int __must_check xsync_barrier(struct xsync_domain *d);

#endif /* _XSYNC_XSYNC_H */
