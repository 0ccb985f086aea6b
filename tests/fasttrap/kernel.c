// SPDX-License-Identifier: GPL-2.0-only
/* Reads what fasttrap says in debugfs, and its parameters in either build. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "expect.h"
#include "kernel.h"

char *slurp(const char *path)
{
	static char buf[4 << 20];
	int fd = open(path, O_RDONLY);
	ssize_t got, len = 0;

	if (fd < 0)
		die("open %s", path);
	while ((got = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += got;
	close(fd);
	buf[len] = '\0';
	return buf;
}

int spill(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text));
	ret = ret < 0 ? -errno : 0;
	close(fd);
	return ret;
}

bool says(const char *path, const char *text)
{
	return strstr(slurp(path), text);
}

int lines_in(const char *path)
{
	int n = 0;

	for (char *p = slurp(path); (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

static const char *fasttrap_param(const char *name)
{
	static const char *const modules[] = { "xsync_fasttrap", "xsync_fasttrap_busted" };
	static char path[128];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", modules[i], name);
		if (!access(path, F_OK))
			return path;
	}
	die("no parameter %s", name);
}

void set_param(const char *name, const char *value, char *old, size_t size)
{
	const char *path = fasttrap_param(name);

	snprintf(old, size, "%s", slurp(path));
	if (spill(path, value))
		die("%s", path);
}

bool reaper_idle(void)
{
	static const char idle[] = "pending 0 sessions, 0 probes,";

	return !strncmp(slurp(REAPER), idle, sizeof(idle) - 1);
}

long nr_stranded(void)
{
	char *at = strstr(slurp(REAPER), "stranded ");

	return at ? atol(at + 9) : -1;
}

bool probes_reach(long n)
{
	char *at = strstr(slurp(PROVIDERS), " probes ");

	return at && atol(at + 8) >= n;
}

bool nothing_left(void)
{
	return reaper_idle() && !lines_in(PROVIDERS) && !lines_in(PROBES);
}
