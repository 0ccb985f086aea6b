/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * insn - instructions of a function, and which of them can be probed
 */
#ifndef PIDTRACE_INSN_H
#define PIDTRACE_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a place is not probed. */
enum refusal {
	REFUSE_NONE,
	/* the instruction is one that a displaced copy does not stand in for */
	REFUSE_UNDECODABLE,
	REFUSE_SYSCALL,
	REFUSE_INTERRUPT,
	REFUSE_REP_STRING,
	REFUSE_FLAGS,
	REFUSE_TRANSACTION,
	REFUSE_FAR,
	REFUSE_PRIVILEGED,
	REFUSE_PREFIX,
	REFUSE_SHADOW_STACK,
	REFUSE_RSEQ,
	/* the place */
	REFUSE_BOUNDARY,
	REFUSE_OUTSIDE,
	/* the function: its instructions, or which of them return, cannot be told */
	REFUSE_DATA,
	REFUSE_RUNS_OVER,
	REFUSE_INTO_MIDDLE,
	REFUSE_OVERLAP,
	REFUSE_LONGER,
	REFUSE_NOT_IN_FILE,
	REFUSE_INDIRECT,
	/* the kernel said no */
	REFUSE_KERNEL,
	NR_REFUSALS,
};

/* A few words for a table, and a sentence that explains. Never NULL. */
const char *refusal_short(enum refusal why);
const char *refusal_text(enum refusal why);

/* The instructions of one function, as offsets from its start. */
struct listing {
	uint32_t *boundary;	/* each instruction's start, ascending */
	size_t nr;
	size_t cap;
	uint32_t *ret;		/* those that return */
	size_t nr_rets;
	size_t cap_rets;
	uint32_t *target;	/* where its own branches go within it */
	size_t nr_targets;
	size_t cap_targets;
	enum refusal why;	/* not REFUSE_NONE: no rets can be relied upon */
	uint32_t where;		/* offset that @why is about */
};

/*
 * Decodes the @size bytes at @code in a row. The listing can be used again for
 * another function; it starts zeroed and ends with listing_free().
 */
void listing_make(struct listing *list, const uint8_t *code, size_t size);
void listing_free(struct listing *list);

/* Is there an instruction that starts at @offset? */
bool listing_is_boundary(const struct listing *list, uint64_t offset);

/*
 * Would a probe on the instruction at @code run it right, in a process with or
 * without a @shadow_stack?
 */
enum refusal insn_judge(const uint8_t *code, size_t size, bool shadow_stack);

#endif
