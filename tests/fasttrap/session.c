// SPDX-License-Identifier: GPL-2.0-only
/* Sends commands to sessions, and takes their answers apart. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "expect.h"
#include "session.h"

static char command[4 << 20];
static size_t command_len;

int open_session(void)
{
	int fd = open(SESSION, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("open %s", SESSION);
	return fd;
}

static void vadd(const char *fmt, va_list ap)
{
	command_len += vsnprintf(command + command_len, sizeof(command) - command_len,
				 fmt, ap);
}

void add(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vadd(fmt, ap);
	va_end(ap);
}

void begin_enable(pid_t pid)
{
	command_len = 0;
	add("enable %d\n", pid);
}

void add_entry(struct target *t, long i, long cookie)
{
	unsigned long fn = t->start + i * t->stride;

	add("entry %#lx %#lx %lu %ld\n", fn, fn, t->stride, cookie);
}

void add_return(struct target *t, long i, long cookie)
{
	unsigned long fn = t->start + i * t->stride;

	add("return %#lx %#lx %lu %ld\n", fn + t->ret, fn, t->stride, cookie);
}

char *answer(int fd)
{
	static char buf[4 << 20];
	ssize_t got, len = 0;

	while ((got = pread(fd, buf + len, sizeof(buf) - 1 - len, len)) > 0)
		len += got;
	buf[len] = '\0';
	return buf;
}

long send_command(int fd)
{
	if (write(fd, command, command_len) < 0)
		return -errno;
	return atol(answer(fd));
}

long tell(int fd, const char *fmt, ...)
{
	va_list ap;

	command_len = 0;
	va_start(ap, fmt);
	vadd(fmt, ap);
	va_end(ap);
	return send_command(fd);
}

long enable_entries(int fd, struct target *t, long first, long n)
{
	begin_enable(t->pid);
	for (long i = first; i < first + n; i++)
		add_entry(t, i, i);
	return send_command(fd);
}

long enable_both(int fd, struct target *t, long n)
{
	begin_enable(t->pid);
	for (long i = 0; i < n; i++) {
		add_entry(t, i, i);
		add_return(t, i, t->count + i);
	}
	return send_command(fd);
}

int reason_of(int fd, int n)
{
	int reason = -1;
	char *p = answer(fd);

	for (; p && n >= 0; n--) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	if (p)
		sscanf(p, "%*u %*d %d", &reason);
	return reason;
}

long field(int fd, const char *name)
{
	char *at;

	tell(fd, "stat");
	at = strstr(answer(fd), name);
	return at ? atol(at + strlen(name) + 1) : -1;
}

long count_of(int fd, long cookie)
{
	long key, count;
	int used;

	tell(fd, "counts");
	for (char *p = answer(fd); sscanf(p, "%ld %ld\n%n", &key, &count, &used) == 2; p += used) {
		if (key == cookie)
			return count;
	}
	return 0;
}
