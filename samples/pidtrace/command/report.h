/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * report - what a person, or a program, reads in the end
 */
#ifndef PIDTRACE_REPORT_H
#define PIDTRACE_REPORT_H

#include <stdio.h>

#include "plan.h"
#include "session.h"

/* One line: what matched, what is probed, what is refused and why. */
void report_summary(FILE *f, const struct plan *plan);

/* One line for each refused probe, at most @limit of them. */
void report_refused(FILE *f, const struct plan *plan, size_t limit);

/* Why no probe of the plan is in: one line, and with @all one for each refusal before it. */
void report_nothing(FILE *f, const struct plan *plan, bool all);

/* One line for each probe of the plan, as in "dtrace -l". */
void report_list(FILE *f, const struct plan *plan);

/* Calls and times of each function that was called; @top 0: of all. */
void report_table(FILE *f, const struct plan *plan, const struct result *result, size_t top);

/* The same, and the distribution of times of each function. */
void report_histograms(FILE *f, const struct plan *plan, const struct result *result, size_t top);

/* One line for each way in which calls went untimed; part of the table. */
void report_lost(FILE *f, const struct result *result);

/* Every row of the plan, also those never called. */
void report_csv(FILE *f, const struct plan *plan, const struct result *result);

#endif
