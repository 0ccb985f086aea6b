// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * maps - the executable file mappings of a process
 *
 * A path in /proc/PID/maps is the name that the process itself knows, and it
 * may name another file by now: a library that was upgraded while the process
 * ran is shown as "(deleted)". /proc/PID/map_files leads to the mapped file
 * whatever its name is, but only root may follow it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "maps.h"

static const char deleted_suffix[] = " (deleted)";

/* The kernel writes a newline in a path as \012; nothing else is escaped. */
static void unescape(char *path)
{
	char *to = path;

	while (*path) {
		if (!strncmp(path, "\\012", 4)) {
			*to++ = '\n';
			path += 4;
		} else {
			*to++ = *path++;
		}
	}
	*to = '\0';
}

static bool ends_in(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

static bool parse_line(struct mapping *map, char *line)
{
	unsigned int major, minor;
	char perms[5];
	int at = 0;

	*map = (struct mapping){ 0 };
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &map->start, &map->end, perms, &map->offset, &major, &minor,
		   &map->inode, &at) < 7 || !at)
		return false;
	if (strlen(perms) < 3 || perms[2] != 'x' || line[at] != '/' || map->start >= map->end)
		return false;

	line[strcspn(line, "\n")] = '\0';
	map->dev = makedev(major, minor);
	map->path = xstrdup(line + at);
	unescape(map->path);
	map->deleted = ends_in(map->path, deleted_suffix);
	if (map->deleted)
		map->path[strlen(map->path) - strlen(deleted_suffix)] = '\0';
	return true;
}

void maps_parse(struct maps *maps, FILE *f)
{
	struct mapping map;
	char *line = NULL;
	size_t size = 0;

	*maps = (struct maps){ 0 };
	while (getline(&line, &size, f) > 0) {
		if (!parse_line(&map, line))
			continue;
		maps->map = array_grow(maps->map, maps->nr, &maps->cap, sizeof(map));
		maps->map[maps->nr++] = map;
	}
	free(line);
}

int maps_read(struct maps *maps, pid_t pid, struct error *err)
{
	char path[64];
	FILE *f;

	*maps = (struct maps){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (!f && (errno == EACCES || errno == EPERM))
		return error_set(err, "not allowed to look into process %d; %s", pid,
				 geteuid() ? "run as root" : "root may not do so here");
	if (!f)
		return error_set(err, "process %d is gone", pid);
	maps_parse(maps, f);
	fclose(f);
	if (!maps->nr)
		return error_set(err, "process %d maps no program: it is exiting", pid);
	return 0;
}

void maps_free(struct maps *maps)
{
	for (size_t i = 0; i < maps->nr; i++)
		free(maps->map[i].path);
	free(maps->map);
	*maps = (struct maps){ 0 };
}

int mapping_open(const struct mapping *map, pid_t pid, struct error *err)
{
	char *path;
	int fd;

	path = xasprintf("/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, map->start, map->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd >= 0)
		return fd;
	if (map->deleted)
		return error_set(err, "%s was replaced on disk after process %d mapped it; run as root to read the mapped one",
				 map->path, pid);

	path = xasprintf("/proc/%d/root%s", pid, map->path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return error_set(err, "cannot open %s: %s", map->path, strerror(errno));
	return fd;
}
