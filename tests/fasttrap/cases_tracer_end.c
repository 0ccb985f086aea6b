// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a tracer: killed at work, gone while others hold its descriptor, or
 * its module unloaded. Nothing of it is left, and other tracers go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "drive.h"
#include "expect.h"
#include "kernel.h"
#include "process.h"
#include "session.h"

static void tracer_killed_while_enabling(struct target *t)
{
	static const int permille[] = { 0, 20, 200, 600, 980 };
	int status;

	for (int k = 0; k < 5 * rounds; k++) {
		pid_t tracer = fork();

		if (!tracer) {
			int fd = open_session();

			enable_both(fd, t, t->count);
			pause();
		}
		WAIT(probes_reach(1 + 2 * t->count * permille[k % 5] / 1000));
		kill(tracer, SIGKILL);
		waitpid(tracer, &status, 0);
		EXPECT(WIFSIGNALED(status));
		WAIT(nothing_left());
		EXPECT_SAID("same", t, "text");
	}
	EXPECT_SAID("ok", t, "all 1");
}

static void tracer_killed_while_disabling(struct target *t)
{
	for (int k = 0; k < 3 * rounds; k++) {
		int status, ready[2];
		pid_t tracer;
		char byte;

		if (pipe(ready))
			die("pipe");
		tracer = fork();
		if (!tracer) {
			int fd = open_session();

			if (enable_entries(fd, t, 0, t->count) != t->count ||
			    write(ready[1], "x", 1) != 1)
				_exit(1);
			tell(fd, "disable");
			pause();
		}
		EXPECT_EQ(read(ready[0], &byte, 1), 1);
		WAIT(!probes_reach(t->count - t->count / 10 * (k % 5)));
		kill(tracer, SIGKILL);
		waitpid(tracer, &status, 0);
		EXPECT(WIFSIGNALED(status));
		WAIT(nothing_left());
		EXPECT_SAID("same", t, "text");
		close(ready[0]);
		close(ready[1]);
	}
}

/* A child inherits the descriptor; the session ends all the same. */
static void opener_exit_ends_the_session(struct target *t)
{
	int status, hold[2], say[2];
	pid_t tracer;
	char byte;

	if (pipe2(hold, O_CLOEXEC) || pipe2(say, O_CLOEXEC))
		die("pipe");
	tracer = fork();
	if (!tracer) {
		int fd = open_session();

		if (enable_entries(fd, t, 0, 500) != 500)
			_exit(1);
		if (fork())
			_exit(0);
		/* Until the driver lets go, then one more request. */
		close(hold[1]);
		if (read(hold[0], &byte, 1) < 0)
			_exit(2);
		byte = tell(fd, "disable") == -ESHUTDOWN ? 'y' : 'n';
		_exit(write(say[1], &byte, 1) != 1);
	}
	waitpid(tracer, &status, 0);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
	WAIT(nothing_left());
	EXPECT_SAID("same", t, "text");
	close(hold[0]);
	close(hold[1]);
	EXPECT(read(say[0], &byte, 1) == 1 && byte == 'y');
	close(say[0]);
	close(say[1]);
}

static void module_goes_with_sessions_open(struct target *t)
{
	int fd = open_session();
	long n = t->count / 5;
	char cmd[512];

	EXPECT_SAID("ok", t, "spin %d", 8 / fraction);
	EXPECT_EQ(enable_entries(fd, t, 0, n), n);
	tell(fd, "detach");
	close(fd);
	EXPECT_EQ(lines_in(PROBES), n);
	EXPECT_EQ(system("rmmod xsync_fasttrap_test"), 0);
	EXPECT(nothing_left());
	EXPECT(atol(ask(t, "stop")) > 0);
	EXPECT_SAID("same", t, "text");
	snprintf(cmd, sizeof(cmd), "insmod '%s'", test_module);
	EXPECT_EQ(system(cmd), 0);
}

static void tracers_come_and_go(struct target *t)
{
	int fd = open_session(), status;
	pid_t other;

	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	other = fork();
	if (!other)
		_exit(enable_entries(open_session(), t, 5, 10) != 10);
	waitpid(other, &status, 0);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
	WAIT(reaper_idle());
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(fd, "hits"), 10);
	EXPECT_EQ(tell(fd, "disable"), 10);
	EXPECT_SAID("same", t, "text");
	close(fd);
}

const struct test_case tracer_end_cases[] = {
	CASE(tracer_killed_while_enabling),
	CASE(tracer_killed_while_disabling),
	CASE(opener_exit_ends_the_session),
	CASE(module_goes_with_sessions_open),
	CASE(tracers_come_and_go),
	{}
};
