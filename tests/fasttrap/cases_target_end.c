// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a target, and what is like one: killed, exec, fork, vfork, memory
 * that outlives the process, and a first thread that the others outlive. Probes
 * are retired when the memory that they are in goes, and not before.
 *
 * Who ends the target in a case starts another one, for the check after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "drive.h"
#include "expect.h"
#include "kernel.h"
#include "process.h"
#include "session.h"

static void killed_target_is_retired(struct target *t)
{
	int fd = open_session();
	long n = t->count / 5;

	EXPECT_EQ(enable_entries(fd, t, 0, n), n);
	EXPECT_SAID("ok", t, "spin %d", 8 / fraction);
	kill(t->pid, SIGKILL);
	EXPECT(WIFSIGNALED(end_target(t)));
	WAIT(field(fd, "exit") == 1);
	WAIT(field(fd, "retired") == n);
	EXPECT_EQ(field(fd, "exec"), 0);
	EXPECT_EQ(field(fd, "enabled"), 0);
	WAIT(!lines_in(PROVIDERS));
	close(fd);
	WAIT(reaper_idle());
	start_target(t);
}

static void target_killed_while_enabling(struct target *t)
{
	int fd = open_session(), status;
	pid_t killer = fork();
	long n, left;

	if (!killer) {
		while (!says(PROVIDERS, "state live"))
			usleep(100);
		kill(t->pid, SIGKILL);
		_exit(0);
	}
	n = enable_both(fd, t, t->count);
	left = n < 0 ? 0 : n;
	waitpid(killer, &status, 0);
	EXPECT(n == -ESRCH || (n > 0 && n <= 2 * t->count));
	if (n > 0 && n < 2 * t->count)
		EXPECT_EQ(reason_of(fd, 2 * t->count - 1), TARGET_GONE);
	end_target(t);
	WAIT(field(fd, "retired") == left);
	WAIT(!lines_in(PROVIDERS));
	close(fd);
	WAIT(reaper_idle());
	start_target(t);
}

static void exec_retires(struct target *t)
{
	int fd = open_session();
	long n = t->count / 5;

	EXPECT_EQ(enable_entries(fd, t, 0, n), n);
	read_hello(t, ask(t, "exec"));
	WAIT(field(fd, "exec") == 1);
	WAIT(field(fd, "retired") == n);
	EXPECT_EQ(field(fd, "exit"), 0);
	EXPECT_SAID("same", t, "text");
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(fd, "hits"), 0);
	/* The new image can be traced by the same session. */
	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	EXPECT_SAID("ok", t, "call 3 3");
	EXPECT_EQ(count_of(fd, 3), 3);
	close(fd);
}

static void forked_child_is_not_traced(struct target *t)
{
	int fd = open_session();

	EXPECT_EQ(enable_both(fd, t, 10), 20);
	EXPECT_SAID("exit 0", t, "fork 4 100");
	EXPECT_EQ(field(fd, "hits"), 0);
	EXPECT_SAID("ok", t, "call 4 3");
	EXPECT_EQ(count_of(fd, 4), 3);
	EXPECT_EQ(count_of(fd, t->count + 4), 3);
	close(fd);
	WAIT(reaper_idle());
	EXPECT_SAID("exit 0", t, "fork 4 100");
}

static void shared_memory_counts_as_the_target(struct target *t)
{
	int fd = open_session();

	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	EXPECT_SAID("exit 0", t, "vfork 4 9");
	EXPECT_EQ(count_of(fd, 4), 9);
	EXPECT_EQ(field(fd, "exec"), 0);
	EXPECT_EQ(field(fd, "exit"), 0);
	close(fd);
}

/* A process beside the target's first; a byte that is written to it makes it call. */
static int start_child(struct target *t, const char *how, pid_t *pid)
{
	char path[64];
	int other_end;

	if (sscanf(ask(t, how), "%d %d", pid, &other_end) != 2)
		die("%s", how);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", *pid, other_end);
	return open(path, O_WRONLY | O_CLOEXEC);
}

/* What fork copied are our own breakpoints, not somebody else's. */
static void forked_child_can_be_a_target(struct target *t)
{
	int fd = open_session(), to;
	pid_t twin;

	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	to = start_child(t, "twin 5 7", &twin);
	begin_enable(twin);
	for (long i = 0; i < 10; i++)
		add_entry(t, i, 100 + i);
	EXPECT_EQ(send_command(fd), 10);
	EXPECT_EQ(write(to, "x", 1), 1);
	WAIT(count_of(fd, 105) == 7);
	EXPECT_EQ(count_of(fd, 5), 0);
	EXPECT_SAID("ok", t, "call 5 3");
	EXPECT_EQ(count_of(fd, 5), 3);
	EXPECT_EQ(count_of(fd, 105), 7);
	kill(twin, SIGKILL);
	WAIT(field(fd, "retired") == 10);
	close(to);
	close(fd);
	WAIT(reaper_idle());
}

/*
 * target exits -> its memory lives on in another process -> hits count on, and
 * the reaper says what it waits for -> that one exits -> retired
 */
static void memory_outlives_the_process(struct target *t)
{
	int fd = open_session(), to;
	pid_t other;

	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	to = start_child(t, "share 5 7", &other);
	end_target(t);
	WAIT(says(REAPER, "its memory is in use"));
	EXPECT(says(PROVIDERS, "state exited"));
	EXPECT_EQ(write(to, "x", 1), 1);
	WAIT(count_of(fd, 5) == 7);
	EXPECT_EQ(field(fd, "exit"), 0);
	kill(other, SIGKILL);
	WAIT(field(fd, "exit") == 1);
	WAIT(field(fd, "retired") == 10);
	close(to);
	close(fd);
	WAIT(reaper_idle());
	start_target(t);
}

static void leader_that_exits_first_ends_nothing(struct target *t)
{
	int fd = open_session();
	char path[64];

	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	EXPECT_SAID("ok", t, "leader");
	snprintf(path, sizeof(path), "/proc/%d/stat", t->pid);
	WAIT(says(path, ") Z "));
	EXPECT_SAID("ok", t, "call 2 5");
	EXPECT_EQ(count_of(fd, 2), 5);
	EXPECT_EQ(enable_entries(fd, t, 20, 10), 10);
	EXPECT_SAID("ok", t, "call 22 5");
	EXPECT_EQ(count_of(fd, 22), 5);
	EXPECT_EQ(field(fd, "exit"), 0);
	end_target(t);
	WAIT(field(fd, "exit") == 1);
	WAIT(field(fd, "retired") == 20);
	close(fd);
	WAIT(reaper_idle());
	start_target(t);
}

const struct test_case target_end_cases[] = {
	CASE(killed_target_is_retired),
	CASE(target_killed_while_enabling),
	CASE(exec_retires),
	CASE(forked_child_is_not_traced),
	CASE(shared_memory_counts_as_the_target),
	CASE(forked_child_can_be_a_target),
	CASE(memory_outlives_the_process),
	CASE(leader_that_exits_first_ends_nothing),
	{}
};
