/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench - pieces of work that can be asked for, and timed, one at a time.
 *
 * Whoever writes
 *
 *	WORK how=NAME [callers=N] [calls=N] [length=NS] [others=N] [on=CPUS] [watch=CPU]
 *
 * to /sys/kernel/debug/xsync/bench has that work done, and reads there afterwards
 * what it took, a line per fact:
 *
 *	sample NS [...]		a time, and figures that belong to it
 *	count WHAT N		what does not depend on how fast the machine is
 *
 * Which work is compared with which, in what order and how often, is for user
 * space to say: tests/bench/guest.
 *
 * Another layer adds a file with a table of struct bench_work of its own, and names
 * that in bench_main.c.
 */
#ifndef _BENCH_H
#define _BENCH_H

#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <xsync/xsync.h>

struct bench_args {
	const char *how;
	unsigned int callers;
	unsigned int calls;	/* of each caller */
	unsigned int length;	/* of a section, in ns */
	unsigned int others;	/* that are there besides */
	int watch;		/* the CPU whose interrupts count; < 0: all */
	struct cpumask on;	/* where callers may run */
};

struct bench_work {
	const char *name;
	int (*run)(const struct bench_args *args);
};

/* A function that waits, by the name that how= gives it. */
struct bench_call {
	const char *name;
	int (*call)(void);
	struct xsync_domain *domain;	/* whose readers it waits for, or NULL */
};

__printf(1, 2)
void bench_say(const char *fmt, ...);

/* bench_main.c */
extern struct mutex bench_mutex;	/* held while a piece of work is done */
void bench_until_stopped(void);
extern struct xsync_domain bench_fenced;
extern struct xsync_domain bench_ipi;
struct xsync_domain *bench_domain(const char *how);

/* callers.c */
extern const struct bench_work bench_callers;
const struct bench_call *bench_find_call(const char *how);

/* readers.c, starts.c, started.c, sections.c */
extern const struct bench_work bench_readers;
extern const struct bench_work bench_starts;
extern const struct bench_work bench_started;
extern const struct bench_work bench_sections;

/* tasks.c */
extern const struct bench_work bench_task;
extern const struct bench_work bench_tasks;
extern const struct bench_work bench_queues;

/* timeouts.c */
extern const struct bench_work bench_timeouts;
extern const struct bench_work bench_held;
extern const struct bench_work bench_late;
extern const struct bench_work bench_others;
void bench_timeouts_exit(void);

/* interrupts.c */
struct file;

struct bench_interrupts {
	unsigned long count[4];
};

struct file *bench_interrupts_open(void);
int bench_interrupts_read(struct file *file, struct bench_interrupts *irqs, int cpu);
void bench_interrupts_say(const struct bench_interrupts *before,
			  const struct bench_interrupts *after);

#endif /* _BENCH_H */
