// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-corrupt - damaged ELF files
 *
 * test-corrupt ROUNDS FILE...
 *
 * Reads damaged copies of each file as pidtrace would. Any result is right;
 * a crash or a report of a sanitizer is not. Which copies are made depends on
 * nothing but the file, so a failure comes again.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "insn.h"
#include "ktap.h"
#include "symbols.h"

struct file {
	uint8_t *bytes;
	size_t size;
};

static uint64_t random_state;

static uint64_t random_below(uint64_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % n;
}

static void load(struct file *file, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		perror(path);
		exit(1);
	}
	file->size = st.st_size;
	file->bytes = xmalloc(file->size);
	if (read(fd, file->bytes, file->size) != st.st_size)
		exit(1);
	close(fd);
}

static const uint64_t interesting[] = {
	0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
	0x100000000, INT64_MAX, UINT64_MAX, UINT64_MAX - 7,
};

/* Damage where it matters: file header, program headers, section headers, ends. */
static size_t damage(uint8_t *bytes, size_t size)
{
	int n = 1 + random_below(8);

	for (int i = 0; i < n; i++) {
		uint64_t value = interesting[random_below(ARRAY_SIZE(interesting))];
		size_t region[] = { 64, 64 + 56 * 13, size, size };
		size_t width = 1 << random_below(4);
		size_t where = random_below(4), at;

		at = random_below(region[where]);
		if (where == 2)		/* section headers are at the end */
			at = size - 1 - random_below(size < 64 * 40 ? size : 64 * 40);
		if (at + width > size)
			continue;
		if (random_below(2))
			memcpy(bytes + at, &value, width);
		else
			bytes[at] ^= 1 << random_below(8);
	}
	return random_below(4) ? size : random_below(size + 1);
}

static void look_at(const char *path, int fd)
{
	struct listing list = { 0 };
	struct symbols *syms;
	struct error err;

	free(symbols_soname(fd));
	syms = symbols_read(fd, path, &err);
	for (size_t i = 0; syms && i < syms->nr; i++) {
		const struct function *f = &syms->function[i];
		const uint8_t *code = symbols_code(syms, f->addr, f->size);

		if (code)
			listing_make(&list, code, f->size);
		symbols_find(syms, f->addr + f->size);
	}
	listing_free(&list);
	symbols_free(syms);
}

static void rounds_of(const struct file *file, const char *path, int rounds)
{
	uint8_t *copy = xmalloc(file->size);

	random_state = 88172645463325252;
	for (int i = 0; i < rounds; i++) {
		int fd = memfd_create("damaged", MFD_CLOEXEC);
		size_t size;

		memcpy(copy, file->bytes, file->size);
		size = damage(copy, file->size);
		if (write(fd, copy, size) != (ssize_t)size)
			_exit(3);
		look_at(path, fd);
		close(fd);
	}
	free(copy);
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[1]) : 0;
	int failed = 0;

	if (rounds < 1)
		return 2;
	printf("KTAP version 1\n1..%d\n", argc - 2);
	for (int i = 2; i < argc; i++) {
		struct file file;
		int status;
		pid_t pid;

		load(&file, argv[i]);
		fflush(stdout);
		pid = fork();
		if (!pid) {
			/* A damaged size must not take the machine's memory. */
			alarm(600);
			rounds_of(&file, argv[i], rounds);
			exit(0);
		}
		waitpid(pid, &status, 0);
		failed += status != 0;
		printf("%s %d %d damaged copies of %s\n", status ? "not ok" : "ok", i - 1, rounds,
		       base_name(argv[i]));
		free(file.bytes);
	}
	return failed != 0;
}
