// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * target - the process that is traced
 *
 * A command is to be probed from its first instruction on, but its libraries
 * must be mapped for that. Both is true at the entry point of the program: the
 * dynamic linker has done its work and goes there next. The kernel tells the
 * address (AT_ENTRY in the auxiliary vector), ptrace puts a breakpoint there
 * and takes it out again when it was hit. Constructors of libraries have run by
 * then; those of the program have not. What it runs before that may be another
 * program yet (a wrapper whose library calls exec): then the entry point of
 * that one counts.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"
#include "words.h"

enum { CANNOT_EXECUTE = 126, NOT_FOUND = 127 };

/*
 * In the child: goes on only when the parent holds it, since a parent that dies
 * before would leave a command behind that nobody traces. Tells why exec failed
 * through @report, which exec closes.
 */
static void __attribute__((noreturn)) child(char **words, int go, int report)
{
	sigset_t none;
	char byte;
	int why;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (read(go, &byte, 1) != 1)
		_exit(1);
	execvp(words[0], words);
	why = errno;
	if (write(report, &why, sizeof(why)) < 0)
		_exit(1);
	_exit(NOT_FOUND);
}

static int wait_for(pid_t pid, int *status)
{
	pid_t got;

	do {
		got = waitpid(pid, status, 0);
	} while (got < 0 && errno == EINTR);
	return got == pid ? 0 : -1;
}

enum stop { STOP_ENDED, STOP_EXEC, STOP_BREAKPOINT };

/* Is the SIGTRAP that stopped @pid the breakpoint at @entry, and not its own? */
static bool at_breakpoint(pid_t pid, uint64_t entry)
{
	struct user_regs_struct regs;
	siginfo_t info;

	return entry && !ptrace(PTRACE_GETSIGINFO, pid, NULL, &info) &&
	       info.si_code == SI_KERNEL && !ptrace(PTRACE_GETREGS, pid, NULL, &regs) &&
	       regs.rip == entry + 1;
}

/*
 * Waits until the child has called exec, ran into the breakpoint at @entry (0:
 * there is none), or ended, with *@status as waitpid() gave it. Signals are the
 * child's and are passed on; one that stops it keeps it stopped until SIGCONT.
 */
static enum stop run_to_stop(pid_t pid, uint64_t entry, int *status)
{
	for (;;) {
		int request = PTRACE_CONT, signal, event;

		if (wait_for(pid, status) || !WIFSTOPPED(*status))
			return STOP_ENDED;
		signal = WSTOPSIG(*status);
		event = *status >> 16;
		if (event == PTRACE_EVENT_EXEC)
			return STOP_EXEC;
		if (!event && signal == SIGTRAP && at_breakpoint(pid, entry))
			return STOP_BREAKPOINT;
		if (event == PTRACE_EVENT_STOP && signal != SIGTRAP)
			request = PTRACE_LISTEN;
		if (event)
			signal = 0;
		/* ESRCH: killed meanwhile, which the next wait tells. */
		if (ptrace(request, pid, NULL, (void *)(intptr_t)signal) && errno != ESRCH)
			return STOP_ENDED;
	}
}

static int describe_end(int status, const char *command, struct error *err)
{
	if (WIFEXITED(status))
		return error_set(err, "'%s' ended before its entry point with status %d: its dynamic linker says why, above",
				 command, WEXITSTATUS(status));
	if (WIFSIGNALED(status))
		return error_set(err, "'%s' was killed before its entry point: %s",
				 command, strsignal(WTERMSIG(status)));
	return error_set(err, "lost '%s' while it was started: %s", command, strerror(errno));
}

static int describe_exec(int why, const char *program, struct error *err)
{
	bool missing = why == ENOENT || why == ENOTDIR;

	if (missing && strchr(program, '/') && !access(program, F_OK))
		error_set(err, "cannot run %s: the interpreter that it names is not there",
			  program);
	else if (missing)
		error_set(err, "cannot run '%s': command not found", program);
	else
		error_set(err, "cannot run '%s': %s", program, strerror(why));
	return missing ? NOT_FOUND : CANNOT_EXECUTE;
}

static int read_entry(pid_t pid, uint64_t *entry)
{
	Elf64_auxv_t aux;
	char path[64];
	int result = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (result && fread(&aux, sizeof(aux), 1, f) == 1) {
		if (aux.a_type == AT_ENTRY) {
			*entry = aux.a_un.a_val;
			result = 0;
		}
	}
	fclose(f);
	return result;
}

/* 1 if @pid runs a 64-bit x86 program, 0 if another, -1 if it cannot be told. */
static int is_x86_64(pid_t pid)
{
	unsigned char head[EI_NIDENT + 4];
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, head, sizeof(head));
	close(fd);
	if (n != sizeof(head))
		return -1;
	return head[EI_CLASS] == ELFCLASS64 && head[EI_DATA] == ELFDATA2LSB &&
	       head[EI_NIDENT + 2] == EM_X86_64 && !head[EI_NIDENT + 3];
}

static int check_class(pid_t pid, struct error *err)
{
	if (is_x86_64(pid))
		return 0;
	return error_set(err, "process %d does not run a 64-bit x86 program; only those can be traced",
			 pid);
}

/* Takes the breakpoint out again and puts the child in front of it. */
static int rewind_to(pid_t pid, uint64_t entry, long word)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
		return -1;
	regs.rip = entry;
	if (ptrace(PTRACE_POKETEXT, pid, (void *)entry, (void *)word) ||
	    ptrace(PTRACE_SETREGS, pid, NULL, &regs))
		return -1;
	/* From here on the command outlives us. */
	return ptrace(PTRACE_SETOPTIONS, pid, NULL, NULL) ? -1 : 0;
}

/* From the stop at an exec to the entry point, through further ones. */
static int run_to_entry(pid_t pid, const char *command, struct error *err)
{
	enum stop stop;
	uint64_t entry;
	int status;
	long word;

	do {
		if (check_class(pid, err))
			return -1;
		if (read_entry(pid, &entry))
			return error_set(err, "cannot find the entry point of '%s'", command);
		errno = 0;
		word = ptrace(PTRACE_PEEKTEXT, pid, (void *)entry, NULL);
		if (errno || ptrace(PTRACE_POKETEXT, pid, (void *)entry,
				    (void *)((word & ~0xffL) | 0xcc)))
			return error_set(err, "cannot stop '%s' at its entry point: %s",
					 command, strerror(errno));
		/* Killed: the wait tells. */
		ptrace(PTRACE_CONT, pid, NULL, NULL);
		stop = run_to_stop(pid, entry, &status);
	} while (stop == STOP_EXEC);

	if (stop == STOP_ENDED)
		return describe_end(status, command, err);
	if (rewind_to(pid, entry, word))
		return error_set(err, "cannot go on with '%s': %s", command, strerror(errno));
	return 0;
}

/* From the fork to the stop at the first exec. */
static int start_child(struct target *target, char **words, const char *command, int go,
		       int report, struct error *err)
{
	pid_t pid = target->pid;
	int status, why;

	if (ptrace(PTRACE_SEIZE, pid, NULL,
		   (void *)(PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC)) ||
	    write(go, "", 1) != 1)
		return error_set(err, "cannot start '%s', for want of ptrace(2): %s", command,
				 strerror(errno));
	if (run_to_stop(pid, 0, &status) == STOP_EXEC)
		return run_to_entry(pid, command, err);
	if (read(report, &why, sizeof(why)) == sizeof(why))
		return describe_exec(why, words[0], err);
	return describe_end(status, command, err);
}

static int open_pidfd(struct target *target, struct error *err)
{
	target->pidfd = syscall(SYS_pidfd_open, target->pid, 0);
	if (target->pidfd < 0)
		return error_set(err, "process %d is gone; ps and pgrep show what runs",
				 target->pid);
	return 0;
}

static int fork_child(struct target *target, char **words, const char *command,
		      const int go[2], const int report[2], struct error *err)
{
	int dumpable = prctl(PR_GET_DUMPABLE);
	int result;

	/*
	 * Run by a user who has its capabilities from the file, we are not dumpable,
	 * and a child like us could not be seized.
	 */
	prctl(PR_SET_DUMPABLE, 1);
	target->pid = fork();
	if (target->pid)
		prctl(PR_SET_DUMPABLE, dumpable == 1);
	if (target->pid < 0)
		return error_set(err, "cannot start '%s': %s", command, strerror(errno));
	if (!target->pid) {
		/* Or it would never see that its parent is gone. */
		close(go[1]);
		child(words, go[0], report[1]);
	}
	target->started = true;
	target->stopped = true;
	result = start_child(target, words, command, go[1], report[0], err);
	if (!result)
		result = open_pidfd(target, err);
	if (result)
		target_kill(target);
	return result;
}

int target_start(struct target *target, const char *command, struct error *err)
{
	int go[2], report[2];
	char **words;
	int result;

	*target = (struct target){ .pidfd = -1 };
	words = words_split(command, err);
	if (!words)
		return 1;
	if (pipe2(go, O_CLOEXEC)) {
		result = error_set(err, "cannot start '%s': %s", command, strerror(errno));
		goto no_go;
	}
	if (pipe2(report, O_CLOEXEC | O_NONBLOCK)) {
		result = error_set(err, "cannot start '%s': %s", command, strerror(errno));
		goto no_report;
	}
	result = fork_child(target, words, command, go, report, err);
	close(report[0]);
	close(report[1]);
no_report:
	close(go[0]);
	close(go[1]);
no_go:
	words_free(words);
	return result < 0 ? 1 : result;
}

/* What /proc/PID/status says; false: there is no such process. */
static bool read_status(pid_t pid, char *state, pid_t *tgid)
{
	char *line = NULL;
	size_t size = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	*state = 0;
	*tgid = 0;
	while (getline(&line, &size, f) > 0) {
		if (sscanf(line, "State: %c", state) != 1 && sscanf(line, "Tgid: %d", tgid) != 1)
			continue;
	}
	free(line);
	fclose(f);
	return *tgid != 0;
}

int target_attach(struct target *target, pid_t pid, struct error *err)
{
	char path[64], link[8], state;
	pid_t tgid;

	*target = (struct target){ .pid = pid, .pidfd = -1 };
	if (!read_status(pid, &state, &tgid))
		return error_set(err, "there is no process %d; ps and pgrep show what runs", pid);
	if (tgid != pid)
		return error_set(err, "%d is a thread of process %d; use -p %d",
				 pid, tgid, tgid);
	if (pid == getpid())
		return error_set(err, "process %d is pidtrace itself", pid);
	if (state == 'Z' || state == 'X')
		return error_set(err, "process %d has exited, and its parent has yet to collect it; ps and pgrep show what runs",
				 pid);
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (readlink(path, link, sizeof(link)) < 0) {
		if (errno != ENOENT)
			return error_set(err, "not allowed to look into process %d; %s", pid,
					 geteuid() ? "run as root" : "root may not do so here");
		return error_set(err, "process %d is a kernel thread; only programs can be traced",
				 pid);
	}
	if (check_class(pid, err))
		return -1;
	return open_pidfd(target, err);
}

bool status_has_shadow_stack(FILE *f)
{
	static const char key[] = "x86_Thread_features:";
	char *line = NULL, *word, *rest;
	bool found = false;
	size_t size = 0;

	while (getline(&line, &size, f) > 0) {
		if (strncmp(line, key, strlen(key)))
			continue;
		for (word = strtok_r(line + strlen(key), " \t\n", &rest); word;
		     word = strtok_r(NULL, " \t\n", &rest))
			found |= !strcmp(word, "shstk");
	}
	free(line);
	return found;
}

bool target_has_shadow_stack(pid_t pid)
{
	struct dirent *entry;
	bool found = false;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, atoi(entry->d_name));
		f = fopen(path, "re");
		if (!f)
			continue;
		found = status_has_shadow_stack(f);
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return found;
}

int target_resume(struct target *target, struct error *err)
{
	if (!target->stopped)
		return 0;
	target->stopped = false;
	if (ptrace(PTRACE_DETACH, target->pid, NULL, NULL))
		return error_set(err, "process %d was killed while it waited for its probes",
				 target->pid);
	return 0;
}

void target_kill(struct target *target)
{
	int status;

	if (!target->stopped)
		return;
	target->stopped = false;
	kill(target->pid, SIGKILL);
	while (!wait_for(target->pid, &status) && WIFSTOPPED(status))
		;
}
