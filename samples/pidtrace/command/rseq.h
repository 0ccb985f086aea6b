/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * rseq - restartable sequences, which must not be probed
 */
#ifndef PIDTRACE_RSEQ_H
#define PIDTRACE_RSEQ_H

#include "ranges.h"

struct Elf;	/* libelf's */

/* Appends the code range of each critical section in __rseq_cs. */
void rseq_read(struct Elf *elf, struct ranges *ranges);

#endif
