/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Calls that were entered and not left yet, of each thread
 */
#ifndef PIDTRACE_FRAMES_H
#define PIDTRACE_FRAMES_H

#include <linux/types.h>

struct frames;

/* What could not be timed, and why; see struct pidtrace_state. */
struct frames_lost {
	u64 no_thread;
	u64 too_deep;
	u64 stale;
	u64 unpaired;
};

/* Task context, may sleep. NULL: out of memory. */
struct frames *frames_alloc(void);
void frames_free(struct frames *f);

/*
 * From the hit callback, in the traced thread. @sp is the user stack pointer
 * while it points at the return address: at the first instruction of @function,
 * and at its return instruction.
 */
void frames_enter(struct frames *f, u32 function, unsigned long sp);

/* The same; true with the duration in *@ns if the entry is known. */
bool frames_leave(struct frames *f, u32 function, unsigned long sp, u64 *ns);

/* Task context. */
void frames_sum_lost(const struct frames *f, struct frames_lost *sum);

#endif /* PIDTRACE_FRAMES_H */
