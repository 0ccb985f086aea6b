// SPDX-License-Identifier: GPL-2.0-only
/*
 * victim - a program to be stopped at its entry point
 *
 * Says when each part of it runs, and ends as its argument says: with that
 * status, or by that signal if it is negative.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef WITH_LIBRARY
int victim_global(int n);
#endif

static void say(const char *s)
{
	if (write(STDOUT_FILENO, s, strlen(s)) < 0)
		abort();
}

__attribute__((constructor)) static void construct(void)
{
	say("constructor of the program\n");
}

int main(int argc, char **argv)
{
	int end = argc > 1 ? atoi(argv[1]) : 0;

	say("the program runs\n");
#ifdef WAIT
	pause();
#endif
#ifdef WITH_LIBRARY
	end = victim_global(end) - 1;
#endif
	if (end < 0)
		raise(-end);
	return end;
}
