/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * drive - what the driver was told, and the cases that it runs
 */
#ifndef _DRIVE_H
#define _DRIVE_H

#include "process.h"

extern const char *target_path;	/* the program to trace */
extern const char *test_module;	/* the module that the sessions are in */
extern int rounds;		/* how many times longer repeated steps go on */
extern int fraction;		/* 1/fraction of the probes, on slow kernels */

/* A case gets a fresh target and must leave one that can be ended: that, or another. */
struct test_case {
	const char *name;
	void (*run)(struct target *t);
};

#define CASE(name)	{ #name, name }

/* One table for each file cases_*.c, ended by an empty case. */
extern const struct test_case hit_cases[];
extern const struct test_case removal_cases[];
extern const struct test_case target_end_cases[];
extern const struct test_case tracer_end_cases[];
extern const struct test_case refusal_cases[];
extern const struct test_case others_cases[];

#endif /* _DRIVE_H */
