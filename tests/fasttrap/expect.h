/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * expect - what a case expects, and what it waits for
 *
 * An expectation that does not hold fails the case, which goes on.
 */
#ifndef _EXPECT_H
#define _EXPECT_H

#include <stdbool.h>
#include <unistd.h>

/* Whether an expectation of this case did not hold; the driver resets it. */
extern bool failed;

/* Fails the case; says in which file and line, and why. */
void fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* What EXPECT() and EXPECT_EQ() call. Return whether it held. */
bool expect(bool held, const char *text, const char *file, int line);
bool expect_eq(long a, long b, const char *at, const char *bt,
	       const char *file, int line);

/* Where no case can go on: says so, with errno, and ends the driver. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The monotonic clock, in seconds. */
double now(void);

/* How many seconds to wait for what must come. */
double patience(void);

#define EXPECT(cond)	expect(cond, #cond, __FILE_NAME__, __LINE__)
#define EXPECT_EQ(a, b)	expect_eq(a, b, #a, #b, __FILE_NAME__, __LINE__)

/* Looks again and again until it is true, and fails the case if it never is. */
#define WAIT(cond) ({							\
	double end_ = now() + patience();				\
	bool held_;							\
									\
	while (!(held_ = (cond)) && now() < end_)			\
		usleep(1000);						\
	expect(held_, "did not become true: " #cond,			\
	       __FILE_NAME__, __LINE__);				\
})

#endif /* _EXPECT_H */
