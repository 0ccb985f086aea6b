/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel - what the kernel says in files, of fasttrap above all
 *
 * Text stays valid until the next file is read.
 */
#ifndef _KERNEL_H
#define _KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#define DEBUGFS		"/sys/kernel/debug/xsync/"
#define REAPER		DEBUGFS "fasttrap/reaper"
#define PROVIDERS	DEBUGFS "fasttrap/providers"
#define PROBES		DEBUGFS "fasttrap/probes"

/* All of a file. */
char *slurp(const char *path);

/* One write to a file. Returns 0 or a negative errno. */
int spill(const char *path, const char *text);

/* Whether @text is somewhere in the file. */
bool says(const char *path, const char *text);

/* How many lines the file has. */
int lines_in(const char *path);

/* Gives fasttrap's parameter a value, and the caller the one that it had. */
void set_param(const char *name, const char *value, char *old, size_t size);

/* No session and no probe waits for the reaper. */
bool reaper_idle(void);

/* How many breakpoints were left behind since the module was loaded, or -1. */
long nr_stranded(void);

/* The first provider, that is one session in one process, has @n probes or more. */
bool probes_reach(long n);

/* No provider, no probe, and the reaper idle. */
bool nothing_left(void);

#endif /* _KERNEL_H */
