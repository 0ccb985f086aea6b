/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * symbols - the functions of an ELF file
 *
 * Addresses are the file's own (link-time) virtual addresses, as objdump shows
 * them.
 */
#ifndef PIDTRACE_SYMBOLS_H
#define PIDTRACE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ranges.h"
#include "util.h"

/* What to think of the size of a function. */
enum size_source {
	SIZE_SYMBOL,		/* its symbol says */
	SIZE_UNWIND,		/* the symbol has none, unwind data does */
	SIZE_NEXT,		/* neither: it ends where the next one starts */
};

struct function {
	uint64_t addr;
	uint64_t size;
	bool indirect;		/* IFUNC: names without code, size is 0 */
	enum size_source source;
	bool overlaps;		/* another function starts inside this one */
	bool longer;		/* unwind data says that it goes on behind its symbol */
	/* Names in symbols.name[]; the first is the one to show. */
	size_t first_name;
	size_t nr_names;
};

/* Executable bytes of the file. */
struct text {
	struct range at;
	uint64_t offset;	/* in the file */
	uint8_t *bytes;
};

struct symbols {
	bool is_32bit;
	bool is_foreign;	/* for another processor than x86-64 */
	struct function *function;	/* sorted by address, then the indirect ones */
	size_t nr;		/* without them */
	size_t nr_indirect;
	char **name;
	size_t nr_names;
	struct text *text;
	size_t nr_text;
	struct ranges code;	/* sections that hold functions; no PLT */
	struct ranges unwind;	/* one for each function that unwind data knows */
	struct ranges rseq;	/* restartable sequences */
	size_t nr_unnamed;	/* in unwind, but no symbol covers them */
};

/*
 * Reads the functions of the ELF file @fd, which stays open; @path is for
 * messages and to find separate debug files. Returns NULL with *@err if it is
 * not an ELF file. A damaged file gives fewer functions, never a crash.
 */
struct symbols *symbols_read(int fd, const char *path, struct error *err);
void symbols_free(struct symbols *syms);

/* DT_SONAME of the ELF file @fd, or NULL; to be freed. */
char *symbols_soname(int fd);

/* The function that covers @addr, or NULL. */
const struct function *symbols_find(const struct symbols *syms, uint64_t addr);

/* Index of the first function that starts at @addr or behind it. */
size_t symbols_first(const struct symbols *syms, uint64_t addr);

/* @size bytes of code at @addr, or NULL if they are not all in the file. */
const uint8_t *symbols_code(const struct symbols *syms, uint64_t addr, uint64_t size);

#endif
