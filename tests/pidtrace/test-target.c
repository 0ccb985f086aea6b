// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-target - commands stopped at their entry point, processes attached to
 *
 * test-target FOLDER, with the victims in it.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"
#include "maps.h"
#include "symbols.h"
#include "target.h"

static const char *folder;

/* A target whose standard output comes through a pipe. */
struct run {
	struct target target;
	int out;
	int result;
	struct error err;
};

static void run_start(struct run *run, const char *command)
{
	int saved = dup(STDOUT_FILENO);
	int out[2];

	fflush(stdout);
	if (pipe2(out, O_CLOEXEC))
		abort();
	dup2(out[1], STDOUT_FILENO);
	run->err.text[0] = '\0';
	run->result = target_start(&run->target, command, &run->err);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(out[1]);
	run->out = out[0];
}

/* Everything the target writes until it, and whoever shares the pipe, ends. */
static void run_read(struct run *run, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while (used + 1 < size && (n = read(run->out, text + used, size - 1 - used)) > 0)
		used += n;
	text[used] = '\0';
	close(run->out);
}

static int run_wait(struct run *run)
{
	int status = -1;

	waitpid(run->target.pid, &status, 0);
	return status;
}

static uint64_t entry_of(pid_t pid)
{
	Elf64_auxv_t aux;
	uint64_t entry = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	f = fopen(path, "r");
	while (f && fread(&aux, sizeof(aux), 1, f) == 1)
		if (aux.a_type == AT_ENTRY)
			entry = aux.a_un.a_val;
	fclose(f);
	return entry;
}

static bool maps_file(pid_t pid, const char *name)
{
	struct maps maps;
	struct error err;
	bool found = false;

	if (maps_read(&maps, pid, &err))
		return false;
	for (size_t i = 0; i < maps.nr; i++)
		found |= !strncmp(base_name(maps.map[i].path), name, strlen(name));
	maps_free(&maps);
	return found;
}

/* Stopped at the first instruction of the program, with no trace of how. */
static void check_stopped(const struct run *run)
{
	pid_t pid = run->target.pid;
	uint64_t entry = entry_of(pid);
	struct user_regs_struct regs;
	struct pollfd out = { .fd = run->out, .events = POLLIN };
	char path[64], expected[4], byte[4];
	int fd;

	expect(!ptrace(PTRACE_GETREGS, pid, NULL, &regs), "not stopped");
	expect(entry && regs.rip == entry, "at %llx, entry is %" PRIx64, regs.rip, entry);
	expect(poll(&out, 1, 0) == 0, "it has written something");

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY);
	expect(pread(fd, byte, 4, entry) == 4);
	close(fd);
	/* All of these start at crt1's _start: xor %ebp,%ebp, maybe behind endbr64. */
	memcpy(expected, byte[0] == '\x31' ? "\x31\xed\x49\x89" : "\xf3\x0f\x1e\xfa", 4);
	expect(!memcmp(byte, expected, 4), "first byte is %02x", (unsigned char)byte[0]);
}

static void check_program(const char *name, bool has_libc)
{
	char *command = xasprintf("%s/%s 7", folder, name);
	char text[256];
	struct run run;
	int status;

	run_start(&run, command);
	expect(!run.result, "%s: %s", name, run.err.text);
	if (!run.result) {
		check_stopped(&run);
		expect(maps_file(run.target.pid, "libc.so") == has_libc, "%s", name);
		expect(!target_resume(&run.target, &run.err), "%s", run.err.text);
		run_read(&run, text, sizeof(text));
		status = run_wait(&run);
		expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "%s: status %x", name,
		       status);
		expect(!strcmp(text, "constructor of the program\nthe program runs\n"), "%s wrote '%s'",
		       name, text);
	}
	free(command);
}

static void pie(void) { check_program("victim-pie", true); }
static void fixed(void) { check_program("victim-fixed", true); }
static void statically(void) { check_program("victim-static", false); }
static void static_pie(void) { check_program("victim-static-pie", false); }

/* Its constructor runs before the entry point, and its relocations are done. */
static void with_library(void)
{
	char *command = xasprintf("%s/victim-library 3", folder);
	static const char first[] = "constructor of the library\n";
	char text[256];
	struct run run;

	run_start(&run, command);
	expect(!run.result, "%s", run.err.text);
	expect(read(run.out, text, strlen(first)) == (ssize_t)strlen(first) &&
	       !memcmp(text, first, strlen(first)));
	check_stopped(&run);
	expect(maps_file(run.target.pid, "libvictim.so.1.2"));
	target_resume(&run.target, &run.err);
	run_read(&run, text, sizeof(text));
	expect(run_wait(&run) == 3 << 8);
	expect(!strcmp(text, "constructor of the program\nthe program runs\n"), "wrote '%s'", text);
	free(command);
}

static void with_script(void)
{
	char *path = xasprintf("%s/script", folder);
	char *command = xasprintf("'%s' 'a b' c", path);
	FILE *f = fopen(path, "w");
	char text[256];
	struct run run;

	fputs("#!/bin/sh\necho \"$# $1\"\nexit 4\n", f);
	fchmod(fileno(f), 0755);
	fclose(f);
	run_start(&run, command);
	expect(!run.result, "%s", run.err.text);
	expect(maps_file(run.target.pid, "dash") || maps_file(run.target.pid, "bash"));
	check_stopped(&run);
	target_resume(&run.target, &run.err);
	run_read(&run, text, sizeof(text));
	expect(run_wait(&run) == 4 << 8);
	expect(!strcmp(text, "2 a b\n"), "wrote '%s'", text);
	free(command);
	free(path);
}

/* What happens before the entry point leaves it as it was, and is not lost. */
static void check_early(const char *what, const char *library_says)
{
	char *command = xasprintf("%s/victim-early 5", folder);
	char text[256];
	struct run run;

	setenv("VICTIM_EARLY", what, 1);
	run_start(&run, command);
	unsetenv("VICTIM_EARLY");
	expect(!run.result, "%s", run.err.text);
	if (!run.result) {
		ssize_t n = strlen(library_says);

		expect(read(run.out, text, n) == n && !memcmp(text, library_says, n));
		check_stopped(&run);
		target_resume(&run.target, &run.err);
		run_read(&run, text, sizeof(text));
		expect(run_wait(&run) == 5 << 8);
		expect(!strcmp(text, "constructor of the program\nthe program runs\n"),
		       "wrote '%s'", text);
	}
	free(command);
}

static void traps_of_its_own(void) { check_early("trap", "own trap\nown trap\n"); }
static void stops_before(void) { check_early("stop", "continuing\nwent on\n"); }

static void execs_before(void)
{
	char *path = xasprintf("%s/victim-fixed", folder);

	check_early(path, "");
	free(path);
}

static void drop_capability(int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	syscall(SYS_capget, &header, data);
	data[cap / 32].effective &= ~(1U << cap % 32);
	data[cap / 32].permitted &= ~(1U << cap % 32);
	expect(!syscall(SYS_capset, &header, data), "capset: %s", strerror(errno));
}

/* As a command with file capabilities is, when a user runs it. */
static void not_dumpable(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		drop_capability(CAP_SYS_PTRACE);
		prctl(PR_SET_DUMPABLE, 0);
		pie();
		fflush(stdout);
		_exit(ktap_failed || prctl(PR_GET_DUMPABLE));
	}
	waitpid(pid, &status, 0);
	expect(!status, "status %#x", status);
}

static void ends_by_signal(void)
{
	char *command = xasprintf("%s/victim-pie -%d", folder, SIGTERM);
	char text[256];
	struct run run;

	run_start(&run, command);
	target_resume(&run.target, &run.err);
	run_read(&run, text, sizeof(text));
	expect(WTERMSIG(run_wait(&run)) == SIGTERM);
	free(command);
}

static void check_refused(const char *command, int result, const char *says)
{
	struct run run;

	run_start(&run, command);
	expect(run.result == result && strstr(run.err.text, says), "'%s' gave %d: %s", command,
	       run.result, run.err.text);
	if (run.target.pid > 0)
		expect(waitpid(run.target.pid, NULL, WNOHANG) < 0 && errno == ECHILD,
		       "'%s' left a process", command);
	close(run.out);
}

static void commands_that_do_not_run(void)
{
	char *path = xasprintf("%s/no-interpreter", folder);
	char *gone = xasprintf("%s/victim-gone", folder);
	char *other = xasprintf("%s/victim-32", folder);
	FILE *f = fopen(path, "w");

	fputs("#!/no/such/interpreter\n", f);
	fchmod(fileno(f), 0755);
	fclose(f);
	check_refused("no-such-command-anywhere", 127, "command not found");
	check_refused("/no/such/command", 127, "command not found");
	check_refused("/etc/passwd", 126, "Permission denied");
	check_refused("/", 126, "Permission denied");
	check_refused(path, 127, "interpreter");
	check_refused("'ls", 1, "without its partner");
	check_refused("", 1, "empty");
	check_refused(gone, 1, "before its entry point with status 127");
	check_refused(other, 1, "64-bit x86");
	free(path);
	free(gone);
	free(other);
}

/* The tracer is killed while the target waits: the target must run. */
static void killed_tracer(void)
{
	char *command = xasprintf("%s/victim-pie 0", folder);
	int ready[2], out[2];
	char text[64] = "";
	ssize_t n, used = 0;
	pid_t tracer;

	if (pipe(ready) || pipe(out))
		abort();
	tracer = fork();
	if (!tracer) {
		struct target target;
		struct error err;

		dup2(out[1], STDOUT_FILENO);
		if (target_start(&target, command, &err) || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	close(out[1]);
	close(ready[1]);
	expect(read(ready[0], text, 1) == 1);
	kill(tracer, SIGKILL);
	waitpid(tracer, NULL, 0);
	while ((n = read(out[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += n;
	text[used] = '\0';
	expect(!strcmp(text, "constructor of the program\nthe program runs\n"), "wrote '%s'", text);
	close(out[0]);
	close(ready[0]);
	free(command);
}

static void killed_target(void)
{
	char *command = xasprintf("%s/victim-pie 0", folder);
	struct run run;

	run_start(&run, command);
	target_kill(&run.target);
	expect(kill(run.target.pid, 0) && errno == ESRCH, "it is still there");
	close(run.out);
	free(command);
}

static void check_attach(pid_t pid, const char *says)
{
	struct target target;
	struct error err = { "" };
	int result = target_attach(&target, pid, &err);

	expect(says ? result && strstr(err.text, says) : !result, "process %d gave %d: %s", pid,
	       result, err.text);
	if (!result)
		close(target.pidfd);
}

static pid_t find_kernel_thread(void)
{
	unsigned int flags;
	char path[64];

	for (pid_t pid = 2; pid < 200; pid++) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
			flags = 0;
		fclose(f);
		if (flags & 0x00200000)	/* PF_KTHREAD */
			return pid;
	}
	return 0;
}

static void *sleeper(void *tid)
{
	__atomic_store_n((pid_t *)tid, syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	pause();
	return NULL;
}

static void attaching(void)
{
	pid_t zombie = fork(), child, kernel_thread = find_kernel_thread();
	pthread_t thread;
	siginfo_t info;
	pid_t tid = 0;

	if (!zombie)
		_exit(0);
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	waitid(P_PID, zombie, &info, WEXITED | WNOWAIT);
	pthread_create(&thread, NULL, sleeper, &tid);
	while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
		sched_yield();

	check_attach(child, NULL);
	check_attach(getpid(), "pidtrace itself");
	check_attach(tid, "is a thread of process");
	check_attach(zombie, "has exited");
	check_attach(4194304, "no process 4194304; ps and pgrep show what runs");
	if (kernel_thread)
		check_attach(kernel_thread, "kernel thread");
	else
		puts("# no kernel threads are to be seen here");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	waitpid(zombie, NULL, 0);
	check_attach(child, "no process");
	expect(!target_has_shadow_stack(child), "a process that is gone has a shadow stack");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "position independent program", pie },
		{ "program at a fixed address", fixed },
		{ "static program", statically },
		{ "static position independent program", static_pie },
		{ "library mapped, relocated, constructed", with_library },
		{ "script: its interpreter", with_script },
		{ "traps of its own before the entry point", traps_of_its_own },
		{ "stopped and continued before the entry point", stops_before },
		{ "another program before the entry point", execs_before },
		{ "started by who is not dumpable", not_dumpable },
		{ "program that ends by a signal", ends_by_signal },
		{ "commands that do not run", commands_that_do_not_run },
		{ "tracer killed: the target goes on", killed_tracer },
		{ "target given up: it is gone", killed_target },
		{ "processes to attach to", attaching },
	};

	if (argc != 2)
		return 2;
	folder = argv[1];
	return ktap_run(cases, ARRAY_SIZE(cases));
}
