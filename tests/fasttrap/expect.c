// SPDX-License-Identifier: GPL-2.0-only
/* Expectations of cases; what did not hold is said in a line "# FILE:LINE: ...". */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "expect.h"

bool failed;

void fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("# %s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	failed = true;
}

bool expect(bool held, const char *text, const char *file, int line)
{
	if (!held)
		fail(file, line, "not true: %s", text);
	return held;
}

bool expect_eq(long a, long b, const char *at, const char *bt,
	       const char *file, int line)
{
	if (a != b)
		fail(file, line, "%s is %ld, not %s (%ld)", at, a, bt, b);
	return a == b;
}

void die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	printf("Bail out! ");
	vprintf(fmt, ap);
	printf(": %s\n", strerror(err));
	va_end(ap);
	exit(1);
}

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* A hang is told from slowness by two minutes; a busted build need not be given them. */
double patience(void)
{
	const char *seconds = getenv("XSYNC_PATIENCE");

	return seconds ? atof(seconds) : 120;
}
