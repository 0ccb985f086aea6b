/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * maps - the executable file mappings of a process
 */
#ifndef PIDTRACE_MAPS_H
#define PIDTRACE_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "util.h"

struct mapping {
	uint64_t start;
	uint64_t end;
	uint64_t offset;	/* in the file */
	uint64_t dev;
	uint64_t inode;
	bool deleted;		/* the file has no name any more */
	char *path;		/* as the process sees it */
};

struct maps {
	struct mapping *map;
	size_t nr;
	size_t cap;
};

/* Reads /proc/@pid/maps. Returns 0, or -1 with *@err. */
int maps_read(struct maps *maps, pid_t pid, struct error *err);

/* The same from a stream in that file's format. */
void maps_parse(struct maps *maps, FILE *f);

void maps_free(struct maps *maps);

/*
 * Opens the file behind a mapping: by /proc/@pid/map_files where we may, since
 * that is the very file that is mapped, else by its path. Returns a file
 * descriptor, or -1 with *@err.
 */
int mapping_open(const struct mapping *map, pid_t pid, struct error *err);

#endif
