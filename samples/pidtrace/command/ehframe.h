/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ehframe - where functions start and end, from .eh_frame
 */
#ifndef PIDTRACE_EHFRAME_H
#define PIDTRACE_EHFRAME_H

#include "ranges.h"

struct Elf;	/* libelf's */

/* Appends the address range of each frame description entry to @ranges. */
void ehframe_read(struct Elf *elf, struct ranges *ranges);

#endif
