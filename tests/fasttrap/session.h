/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session - a session of fasttrap, which is a descriptor of the consumer's file
 *
 * tests/unit/fasttrap_test_consumer.c says what can be written to it. A command
 * is put together from pieces and sent, or told at once; what it gave stays with
 * the descriptor until the next one. There is one command at a time, whichever
 * session it is for.
 */
#ifndef _SESSION_H
#define _SESSION_H

#include <sys/types.h>
#include "process.h"

#define SESSION		"/sys/kernel/debug/xsync/trigger/fasttrap_session"

/* enum xfasttrap_reason, by number */
enum {
	OK, BAD_SPEC, NOT_MAPPED, NOT_TEXT, NOT_A_RETURN, FOREIGN_BREAKPOINT,
	UNSUPPORTED, NO_MEMORY, TARGET_GONE, LIMIT_REACHED, NOT_INSTALLED, ABORTED,
};

/* A new session, until it is closed. */
int open_session(void);

/* Begins the command to enable what is added to it, in the process @pid. */
void begin_enable(pid_t pid);

/* Adds a specification, a line of text. */
void add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Adds one for the entry, or the return, of the target's function @i. */
void add_entry(struct target *t, long i, long cookie);
void add_return(struct target *t, long i, long cookie);

/* Sends the command. Returns its result, or the negative errno of the write. */
long send_command(int fd);

/* The whole of another command. Returns the same. */
long tell(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Enables the entries of @n functions, cookies from @first. Returns the same. */
long enable_entries(int fd, struct target *t, long first, long n);

/* Enables entries, cookies from 0, and returns, from t->count, of the first @n. */
long enable_both(int fd, struct target *t, long n);

/* All that the last command gave; valid until the next call. */
char *answer(int fd);

/* The reason of the @n-th specification of an enable, or -1. */
int reason_of(int fd, int n);

/* A number of "stat", by its name, or -1. A command of its own. */
long field(int fd, const char *name);

/* How many hits had that cookie. A command of its own. */
long count_of(int fd, long cookie);

#endif /* _SESSION_H */
