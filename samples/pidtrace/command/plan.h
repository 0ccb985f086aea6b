/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * plan - which probes the descriptions ask for in a target
 */
#ifndef PIDTRACE_PLAN_H
#define PIDTRACE_PLAN_H

#include <stdbool.h>
#include <stdio.h>

#include "insn.h"
#include "probedesc.h"
#include "target.h"
#include "util.h"

enum probe_kind {
	PROBE_ENTRY,
	PROBE_RETURN,
	PROBE_OFFSET,
};

/* Stands for the name of a function that has none, as in a description. */
#define ROW_UNNAMED "-"

/*
 * What gets a line in the result: a function, or one instruction of it
 * (has_offset). Its index in plan.row is the cookie of its probes.
 */
struct row {
	const char *module;
	const char *name;
	char **alias;		/* further names */
	size_t nr_aliases;
	uint64_t func;		/* where the function is in the target */
	uint64_t size;
	uint64_t address;	/* and in the file, as objdump shows it */
	bool has_offset;
	uint64_t offset;
	size_t nr_entry;	/* probes planned */
	size_t nr_return;
};

struct probe {
	uint64_t addr;
	uint32_t row;
	enum probe_kind kind;
	bool refused;		/* by the kernel */
};

struct refused {
	uint32_t row;
	enum probe_kind kind;
	uint64_t offset;
	enum refusal why;
	char *detail;		/* instead of the reason's own text, or NULL */
};

struct plan {
	pid_t pid;
	struct row *row;
	size_t nr_rows, cap_rows;
	struct probe *probe;
	size_t nr_probes, cap_probes;
	struct refused *refused;
	size_t nr_refused, cap_refused;
	size_t nr_no_return;	/* functions that leave without a return instruction */
	size_t nr_unnamed;	/* functions of matching modules that have no name */
	struct image *image;
	size_t nr_images, cap_images;
};

/*
 * Finds what @desc[0..n) match in @target. Returns 0, or -1 with *@err when a
 * description matches nothing. plan_free() is to be called in either case.
 */
int plan_make(struct plan *plan, const struct target *target, const struct probedesc *desc,
	      size_t n, struct error *err);
void plan_free(struct plan *plan);

/* Notes that the kernel did not take a probe of the plan. */
void plan_refuse(struct plan *plan, struct probe *probe, const char *detail);

/* Can calls be timed, having a probe on both ends? */
static inline bool row_is_timed(const struct row *row)
{
	return row->nr_entry && row->nr_return;
}

/* "sqlite3_step", "sqlite3_step:1a", or "-:4e2a0"; to be freed. */
char *row_title(const struct row *row);

/* Does @module match one of the names of the file @path? @soname may be NULL. */
bool module_matches(const char *module, const char *path, const char *soname, bool is_main);

#endif
