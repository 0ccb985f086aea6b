/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * process - a process to be traced, which runs target.c and does what it is told
 *
 * A line to it, a line from it; target.c says which there are. What was read stays
 * valid until the next line is read.
 */
#ifndef _PROCESS_H
#define _PROCESS_H

#include <stdio.h>
#include <sys/types.h>

struct target {
	pid_t pid;
	FILE *to, *from;
	unsigned long start, stride;	/* where functions are, how far apart */
	unsigned long ret;		/* where in each its return is */
	long count, spin;		/* functions, and those that "spin" calls */
	char hello[1024];		/* what it said at its start */
};

/* Starts one; @t is overwritten. */
void start_target(struct target *t);

/* Closes its input, which ends it, and returns its status once it is gone. */
int end_target(struct target *t);

/* Sends a line, and does not wait for the answer. */
void send_line(struct target *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The next line from it, or "(gone)". */
char *read_line(struct target *t);

/* Sends a line and returns the answer. */
char *ask(struct target *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Takes what a target says at its start, of which an exec makes a new one. */
void read_hello(struct target *t, const char *line);

/* Where the target has odd_@name of probed.S. */
unsigned long odd(struct target *t, const char *name);

/* EXPECT_SAID(what, target, fmt, ...): asked this, it answers just that. */
#define EXPECT_SAID(what, ...)						\
	expect_said(what, ask(__VA_ARGS__), __FILE_NAME__, __LINE__)

/* What EXPECT_SAID() calls. */
void expect_said(const char *what, const char *said, const char *file, int line);

#endif /* _PROCESS_H */
