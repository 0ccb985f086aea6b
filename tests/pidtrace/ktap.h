/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ktap - report test cases
 *
 * A case is a function that calls expect(). Whatever happens in it, all cases
 * run; ktap_run() prints one line for each and returns the exit status.
 */
#ifndef TESTS_KTAP_H
#define TESTS_KTAP_H

#include <stdbool.h>
#include <stdio.h>

struct ktap_case {
	const char *name;
	void (*run)(void);
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static bool ktap_failed;

#define expect(condition, ...)							\
	do {									\
		if (!(condition)) {						\
			ktap_failed = true;					\
			printf("# %s:%d: %s: ", __FILE_NAME__, __LINE__, #condition);\
			printf("" __VA_ARGS__);					\
			putchar('\n');						\
		}								\
	} while (0)

static inline int ktap_run(const struct ktap_case *test, int n)
{
	int failed = 0;

	printf("KTAP version 1\n1..%d\n", n);
	for (int i = 0; i < n; i++) {
		ktap_failed = false;
		test[i].run();
		failed += ktap_failed;
		printf("%s %d %s\n", ktap_failed ? "not ok" : "ok", i + 1, test[i].name);
		fflush(stdout);
	}
	return failed != 0;
}

#endif
