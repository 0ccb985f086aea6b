// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts a process to be traced, and talks with it through two pipes.
 *
 * The pipes are closed on exec, or one target would hold another one's input open
 * and that one would never see its end.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "drive.h"
#include "expect.h"
#include "process.h"

static void vsend_line(struct target *t, const char *fmt, va_list ap)
{
	vfprintf(t->to, fmt, ap);
	fputc('\n', t->to);
	fflush(t->to);
}

void send_line(struct target *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsend_line(t, fmt, ap);
	va_end(ap);
}

char *read_line(struct target *t)
{
	static char line[1024];

	if (!fgets(line, sizeof(line), t->from))
		snprintf(line, sizeof(line), "(gone)");
	line[strcspn(line, "\n")] = '\0';
	return line;
}

char *ask(struct target *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsend_line(t, fmt, ap);
	va_end(ap);
	return read_line(t);
}

void expect_said(const char *what, const char *said, const char *file, int line)
{
	if (strcmp(said, what))
		fail(file, line, "the target said %s, not %s", said, what);
}

void read_hello(struct target *t, const char *line)
{
	snprintf(t->hello, sizeof(t->hello), "%s", line);
	if (sscanf(line, "pid %*d start %lx count %ld stride %lu ret %lu spin %ld",
		   &t->start, &t->count, &t->stride, &t->ret, &t->spin) != 5)
		die("the target said: %s", line);
	t->count /= fraction;
	t->spin /= fraction;
}

void start_target(struct target *t)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		die("pipe");
	t->pid = fork();
	if (!t->pid) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		execl(target_path, target_path, NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	t->to = fdopen(to[1], "w");
	t->from = fdopen(from[0], "r");
	read_hello(t, read_line(t));
}

int end_target(struct target *t)
{
	int status;

	fclose(t->to);
	waitpid(t->pid, &status, 0);
	fclose(t->from);
	return status;
}

unsigned long odd(struct target *t, const char *name)
{
	char key[32], *at;

	snprintf(key, sizeof(key), " %s 0x", name);
	at = strstr(t->hello, key);
	if (!at)
		die("the target has no %s", name);
	return strtoul(at + strlen(key), NULL, 16);
}
