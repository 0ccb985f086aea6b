// SPDX-License-Identifier: GPL-2.0-only
/*
 * Refusals: specifications that are wrong, limits, processes that are not there,
 * and tracers without the right. Each has its reason, and the rest is enabled.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "drive.h"
#include "expect.h"
#include "kernel.h"
#include "process.h"
#include "session.h"

static unsigned long stack_of(pid_t pid)
{
	char path[64], *at;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	at = strstr(slurp(path), "[stack]");
	while (at && at[-1] != '\n')
		at--;
	return at ? strtoul(at, NULL, 16) : 0;
}

static void bad_specifications_have_reasons(struct target *t)
{
	static const char *const unsupported[] = {
		"syscall", "sysenter", "int", "pushf", "rep", "xbegin", "lock",
	};
	const int nr = sizeof(unsupported) / sizeof(*unsupported);
	unsigned long fn = t->start, stack = stack_of(t->pid), shared;
	int fd = open_session(), n;

	shared = strtoul(ask(t, "shared"), NULL, 16);
	begin_enable(t->pid);
	add("entry %#lx %#lx 16 0\n", fn + 1, fn);
	add("return %#lx %#lx 16 0\n", fn + 16, fn);
	add("offset %#lx %#lx 16 0\n", fn - 1, fn);
	add("bogus %#lx %#lx 16 0\n", fn, fn);
	add("offset 0xffffffff81000000 0xffffffff81000000 16 0\n");
	add("entry %#lx %#lx 0 0\n", fn, fn);			/* 5 */
	add("entry 0x1000 0x1000 16 0\n");
	add("entry %#lx %#lx 16 0\n", stack, stack);
	add("entry %#lx %#lx 16 0\n", shared, shared);
	add("return %#lx %#lx 16 0\n", fn + 1, fn);
	add("entry %#lx %#lx 2 0\n", odd(t, "int3"), odd(t, "int3"));
	for (int i = 0; i < nr; i++)				/* 11 ... */
		add("entry %#lx %#lx 8 0\n", odd(t, unsupported[i]), odd(t, unsupported[i]));
	add("entry %#lx %#lx 16 0\n", fn, fn);
	EXPECT_EQ(send_command(fd), 1);
	for (n = 0; n <= 5; n++)
		EXPECT_EQ(reason_of(fd, n), BAD_SPEC);
	EXPECT_EQ(reason_of(fd, 6), NOT_MAPPED);
	EXPECT_EQ(reason_of(fd, 7), NOT_TEXT);
	EXPECT_EQ(reason_of(fd, 8), NOT_TEXT);
	EXPECT_EQ(reason_of(fd, 9), NOT_A_RETURN);
	EXPECT_EQ(reason_of(fd, 10), FOREIGN_BREAKPOINT);
	for (n = 11; n < 11 + nr; n++)
		EXPECT_EQ(reason_of(fd, n), UNSUPPORTED);
	EXPECT_EQ(reason_of(fd, n), OK);
	/* On an instruction that has a tracepoint the original bytes count. */
	begin_enable(t->pid);
	add("return %#lx %#lx 16 0\n", fn, fn);
	EXPECT_EQ(send_command(fd), 0);
	EXPECT_EQ(reason_of(fd, 0), NOT_A_RETURN);
	EXPECT_EQ(tell(fd, "disable"), 1);
	EXPECT_SAID("same", t, "text");
	close(fd);
}

static void limits_are_kept(struct target *t)
{
	static const char *const names[] = { "max_session", "max_total", "max_inode" };
	char old[32], ten[32];

	for (int k = 0; k < 3; k++) {
		int fd = open_session();

		set_param(names[k], "10", old, sizeof(old));
		EXPECT_EQ(enable_entries(fd, t, 0, 9), 9);
		EXPECT_EQ(enable_entries(fd, t, 9, 6), 1);
		EXPECT_EQ(reason_of(fd, 0), OK);
		EXPECT_EQ(reason_of(fd, 1), LIMIT_REACHED);
		EXPECT_EQ(reason_of(fd, 2), ABORTED);
		EXPECT_EQ(tell(fd, "disable"), 10);
		/* What was given back can be used again. */
		EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
		EXPECT_EQ(enable_entries(fd, t, 10, 11), k ? 0 : -E2BIG);
		set_param(names[k], old, ten, sizeof(ten));
		close(fd);
		WAIT(nothing_left());
	}
}

/* Each hit goes through all probes of an instruction with preemption off. */
static void sharing_is_limited(struct target *t)
{
	enum { SHARED = 64 };
	int fd = open_session();

	begin_enable(t->pid);
	for (int n = 0; n <= SHARED; n++)
		add_entry(t, 3, n);
	EXPECT_EQ(send_command(fd), SHARED);
	EXPECT_EQ(reason_of(fd, SHARED - 1), OK);
	EXPECT_EQ(reason_of(fd, SHARED), LIMIT_REACHED);
	EXPECT_SAID("ok", t, "call 3 2");
	EXPECT_EQ(count_of(fd, 0), 2);
	EXPECT_EQ(count_of(fd, SHARED - 1), 2);
	EXPECT_EQ(field(fd, "hits"), 2 * SHARED);
	EXPECT_EQ(tell(fd, "disable"), SHARED);
	EXPECT_SAID("same", t, "text");
	close(fd);
}

static void processes_that_are_not_there(struct target *t)
{
	int fd = open_session();
	struct target other;
	siginfo_t info;
	pid_t zombie;

	start_target(&other);
	kill(other.pid, SIGKILL);
	end_target(&other);
	EXPECT_EQ(enable_entries(fd, &other, 0, 10), -ESRCH);

	zombie = fork();
	if (!zombie)
		_exit(0);
	waitid(P_PID, zombie, &info, WEXITED | WNOWAIT);
	begin_enable(zombie);
	add_entry(t, 0, 0);
	EXPECT_EQ(send_command(fd), -ESRCH);
	waitpid(zombie, NULL, 0);
	close(fd);
}

static void keep_only(int cap)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {};

	data[cap / 32].permitted = 1U << (cap % 32);
	data[cap / 32].effective = data[cap / 32].permitted;
	if (syscall(SYS_capset, &head, data))
		_exit(10);
}

/* Whether a tracer with one capability has a session, and may trace. */
static void expect_allowed(struct target *t, int cap, int open_error, long enabled)
{
	pid_t tracer = fork();
	int status, fd;

	if (!tracer) {
		keep_only(cap);
		fd = open(SESSION, O_RDWR);
		if (fd < 0)
			_exit(errno != open_error);
		_exit(open_error || enable_entries(fd, t, 0, 1) != enabled);
	}
	waitpid(tracer, &status, 0);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void privilege_is_checked(struct target *t)
{
	expect_allowed(t, CAP_CHOWN, EPERM, 0);
	expect_allowed(t, CAP_PERFMON, 0, -EPERM);	/* the target has more */
	expect_allowed(t, CAP_SYS_PTRACE, 0, 1);
	WAIT(nothing_left());
}

const struct test_case refusal_cases[] = {
	CASE(bad_specifications_have_reasons),
	CASE(limits_are_kept),
	CASE(sharing_is_limited),
	CASE(processes_that_are_not_there),
	CASE(privilege_is_checked),
	{}
};
