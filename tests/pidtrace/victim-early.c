// SPDX-License-Identifier: GPL-2.0-only
/*
 * victim-early - a library that does odd things before the entry point
 *
 * $VICTIM_EARLY says what, once: "trap", "stop", or a program to run instead.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(const char *s)
{
	if (write(STDOUT_FILENO, s, strlen(s)) < 0)
		abort();
}

static void on_trap(int signal)
{
	(void)signal;
	say("own trap\n");
}

static char state_of(pid_t pid)
{
	char path[64], text[512];
	const char *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	end = strrchr(text, ')');
	return end ? end[2] : 'X';
}

/*
 * Stops until somebody says SIGCONT, who first says so, a while after it has begun
 * to stop: if the stop does not hold, the other goes on before.
 */
static void stop(void)
{
	pid_t self = getpid();
	char state;

	if (!fork()) {
		do {
			state = state_of(self);
		} while (state != 'T' && state != 't' && state != 'X');
		usleep(200 * 1000);
		say("continuing\n");
		kill(self, SIGCONT);
		_exit(0);
	}
	raise(SIGSTOP);
	say("went on\n");
}

__attribute__((constructor)) static void construct(void)
{
	char *what = getenv("VICTIM_EARLY");

	if (!what)
		return;
	unsetenv("VICTIM_EARLY");
	if (!strcmp(what, "trap")) {
		signal(SIGTRAP, on_trap);
		raise(SIGTRAP);
		__asm__ volatile("int3");
	} else if (!strcmp(what, "stop")) {
		stop();
	} else {
		execl(what, what, "5", NULL);
		abort();
	}
}
