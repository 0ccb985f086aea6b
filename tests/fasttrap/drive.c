// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of fasttrap with real processes: traces TARGET through the consumer in
 * xsync_fasttrap_test.ko and prints KTAP.
 *
 *   drive TARGET TEST-MODULE [CASE-GLOB]
 *
 * Each case starts from nothing: no session, no probe, the reaper idle; and ends
 * there, which is checked after each. Lines "# ..." before a result say what was
 * seen. Waits end after a limit that only a hang exceeds.
 *
 *   cases_*.c   what is tested, a file for each subject, with a table at its end
 *   session.c   sessions of fasttrap, and what they counted
 *   process.c   targets
 *   kernel.c    what the kernel says besides, and what is left in it
 *   expect.c    what must be so, and for how long to wait for it
 *
 * In the environment: XSYNC_FASTTRAP_SMALL for slow kernels, a fifth of the
 * probes; XSYNC_SOAK for ten times the rounds; XSYNC_PATIENCE for another limit,
 * in seconds.
 */
#include <fnmatch.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "drive.h"
#include "expect.h"
#include "kernel.h"
#include "process.h"

const char *target_path, *test_module;
int rounds = 1, fraction = 1;

static const struct test_case *const subjects[] = {
	hit_cases,
	removal_cases,
	target_end_cases,
	tracer_end_cases,
	refusal_cases,
	others_cases,
};

#define NR_SUBJECTS	(sizeof(subjects) / sizeof(*subjects))

/* Nothing may be left behind: not in the kernel, and not in the target. */
static void check_clean(struct target *t)
{
	int status;

	WAIT(nothing_left());
	EXPECT_SAID("same", t, "text");
	status = end_target(t);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
}

static bool run_case(const struct test_case *c, int number)
{
	struct target t;

	failed = false;
	start_target(&t);
	c->run(&t);
	check_clean(&t);
	printf("%s %d %s\n", failed ? "not ok" : "ok", number, c->name);
	return !failed;
}

static int count_cases(const char *glob)
{
	int n = 0;

	for (size_t i = 0; i < NR_SUBJECTS; i++) {
		for (const struct test_case *c = subjects[i]; c->name; c++)
			n += !fnmatch(glob, c->name, 0);
	}
	return n;
}

static bool run_cases(const char *glob)
{
	bool all = true;
	int n = 0;

	for (size_t i = 0; i < NR_SUBJECTS; i++) {
		for (const struct test_case *c = subjects[i]; c->name; c++) {
			if (!fnmatch(glob, c->name, 0))
				all &= run_case(c, ++n);
		}
	}
	return all;
}

int main(int argc, char **argv)
{
	const char *glob = argc > 3 ? argv[3] : "*";

	if (argc < 3) {
		fprintf(stderr, "usage: drive TARGET TEST-MODULE [CASE-GLOB]\n");
		return 2;
	}
	target_path = argv[1];
	test_module = argv[2];
	if (getenv("XSYNC_FASTTRAP_SMALL"))
		fraction = 5;
	if (getenv("XSYNC_SOAK"))
		rounds = 10;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	printf("KTAP version 1\n1..%d\n", count_cases(glob));
	return !run_cases(glob);
}
