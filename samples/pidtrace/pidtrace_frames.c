// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Calls that were entered and not left yet, of each thread
 *
 * To time a call, its return must find its entry. At the first instruction of a
 * function the stack pointer points at the return address, and when one of its
 * return instructions is about to run it points there again. So a call is known
 * by thread, stack pointer and function, and a thread's open calls form a stack
 * with falling stack pointers.
 *
 * Not every call is left by a return: there are tail calls, longjmp() and
 * exceptions. Such a frame stays behind, but not unnoticed: the stack pointer
 * has risen above it, so a later entry at the same or a higher stack pointer,
 * or a return at a higher one, shows that it is stale. It is dropped and
 * counted. A thread that switches stacks (signal handlers with an alternate
 * stack, coroutines) can lose open calls that way; they are counted, too.
 *
 * Memory: all of it is allocated in advance, since a hit cannot allocate. A
 * fixed table of threads, each with a fixed stack. A thread owns an entry of
 * the table while it has open calls; it looks for one in a few places that its
 * hash value names. If all of these are taken, it takes over one whose owner has
 * exited inside a call. If there is none, the call is not timed, and counted as
 * that.
 *
 * Locking: none. Only a thread itself uses its stack: the callback runs in that
 * thread, with preemption off, and is not called from interrupts. Ownership of
 * an entry changes by cmpxchg() on its key, which orders what the new owner does
 * behind it; giving up ownership is a release store (A), and pairs with that
 * cmpxchg() (B), so the next owner's writes come after the last one's.
 */
#include <linux/bits.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "pidtrace_frames.h"

#define THREAD_BITS	10	/* 1024 threads inside probed functions at once */
#define THREADS		BIT(THREAD_BITS)
#define PLACES		16	/* where a thread looks for its entry */
#define DEPTH		128	/* open calls of one thread */

/* A thread number is below 2^22 on 64-bit machines (PID_MAX_LIMIT). */
#define TID_BITS	22

struct frame {
	unsigned long	sp;
	u64		since;
	u32		function;
};

struct thread {
	u64		owner;		/* thread_key(), or 0: free */
	unsigned int	depth;
	struct frame	frame[DEPTH];
};

struct frames {
	struct frames_lost __percpu	*lost;
	struct thread			thread[THREADS];
};

struct frames *frames_alloc(void)
{
	struct frames *f = kvzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return NULL;
	f->lost = alloc_percpu_gfp(struct frames_lost, GFP_KERNEL_ACCOUNT);
	if (!f->lost) {
		kvfree(f);
		return NULL;
	}
	return f;
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	free_percpu(f->lost);
	kvfree(f);
}

/* Thread numbers are used again; a number and its time of birth are not. */
static u64 thread_key(const struct task_struct *task)
{
	return task->start_boottime << TID_BITS | task->pid;
}

static bool is_gone(u64 key)
{
	const struct task_struct *task;
	bool gone;

	rcu_read_lock();
	task = pid_task(find_pid_ns(key & (BIT(TID_BITS) - 1), &init_pid_ns), PIDTYPE_PID);
	gone = !task || thread_key(task) != key;
	rcu_read_unlock();
	return gone;
}

static struct thread *place(struct frames *f, u64 key, unsigned int i)
{
	return &f->thread[(hash_64(key, THREAD_BITS) + i) % THREADS];
}

static struct thread *find_thread(struct frames *f, u64 key)
{
	unsigned int i;

	for (i = 0; i < PLACES; i++)
		if (READ_ONCE(place(f, key, i)->owner) == key)
			return place(f, key, i);
	return NULL;
}

/* Takes an entry of the table for the thread @key: a free one, or a dead one's. */
static struct thread *claim_thread(struct frames *f, u64 key)
{
	bool take_over;
	unsigned int i;

	for (take_over = false; ; take_over = true) {
		for (i = 0; i < PLACES; i++) {
			struct thread *t = place(f, key, i);
			u64 owner = READ_ONCE(t->owner);

			if (owner && !(take_over && is_gone(owner)))
				continue;
			if (cmpxchg(&t->owner, owner, key) != owner)	/* B */
				continue;
			if (t->depth)
				this_cpu_add(f->lost->stale, t->depth);
			t->depth = 0;
			return t;
		}
		if (take_over)
			return NULL;
	}
}

static void drop_stale(struct frames *f, struct thread *t, unsigned long sp)
{
	while (t->depth && t->frame[t->depth - 1].sp < sp) {
		t->depth--;
		this_cpu_inc(f->lost->stale);
	}
}

void frames_enter(struct frames *f, u32 function, unsigned long sp)
{
	u64 key = thread_key(current);
	struct thread *t = find_thread(f, key);

	if (!t)
		t = claim_thread(f, key);
	if (!t) {
		this_cpu_inc(f->lost->no_thread);
		return;
	}
	/* One at the same place has been left as well: its return address is gone. */
	drop_stale(f, t, sp + 1);
	if (t->depth == DEPTH) {
		this_cpu_inc(f->lost->too_deep);
		return;
	}
	t->frame[t->depth++] = (struct frame){
		.sp = sp,
		.function = function,
		.since = ktime_get_mono_fast_ns(),
	};
}

bool frames_leave(struct frames *f, u32 function, unsigned long sp, u64 *ns)
{
	u64 now = ktime_get_mono_fast_ns();
	struct thread *t = find_thread(f, thread_key(current));
	bool found = false;

	if (t) {
		drop_stale(f, t, sp);
		if (t->depth && t->frame[t->depth - 1].sp == sp) {
			struct frame *frame = &t->frame[--t->depth];

			/* Another one's: that one made a tail call to this function. */
			found = frame->function == function;
			if (found)
				*ns = now - frame->since;
			else
				this_cpu_inc(f->lost->stale);
		}
		if (!t->depth)
			smp_store_release(&t->owner, 0);	/* A */
	}
	if (!found)
		this_cpu_inc(f->lost->unpaired);
	return found;
}

void frames_sum_lost(const struct frames *f, struct frames_lost *sum)
{
	unsigned int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct frames_lost *lost = per_cpu_ptr(f->lost, cpu);

		sum->no_thread += READ_ONCE(lost->no_thread);
		sum->too_deep += READ_ONCE(lost->too_deep);
		sum->stale += READ_ONCE(lost->stale);
		sum->unpaired += READ_ONCE(lost->unpaired);
	}
}
