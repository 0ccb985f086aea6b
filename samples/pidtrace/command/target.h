/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * target - the process that is traced
 */
#ifndef PIDTRACE_TARGET_H
#define PIDTRACE_TARGET_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "util.h"

struct target {
	pid_t pid;
	int pidfd;		/* readable when the process has exited */
	bool started;		/* by us: it is our child */
	bool stopped;		/* at its entry point, held by ptrace */
};

/*
 * Starts a command and stops it at its entry point: its libraries are mapped
 * and relocated, main() has not run. Until then the command dies with us;
 * afterwards it does not. Returns 0, or with *@err: 126 it cannot be executed,
 * 127 it cannot be found, 1 anything else.
 */
int target_start(struct target *target, const char *command, struct error *err);

/* Takes a running process as the target. Returns 0, or -1 with *@err. */
int target_attach(struct target *target, pid_t pid, struct error *err);

/* Has any thread of @pid a shadow stack? */
bool target_has_shadow_stack(pid_t pid);

/* The same of one thread, from a stream in the format of /proc/PID/status. */
bool status_has_shadow_stack(FILE *f);

/* Lets a stopped target run; it is not traced with ptrace any more. */
int target_resume(struct target *target, struct error *err);

/* Ends a target that was started and never resumed. */
void target_kill(struct target *target);

#endif
