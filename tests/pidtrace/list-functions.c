// SPDX-License-Identifier: GPL-2.0-only
/*
 * list-functions - what pidtrace knows of the functions of an ELF file
 *
 *   F <address> <size> <source> <refusal> <name>...
 *   I <address>      each instruction of it
 *   R <address>      each return
 *   U <start> <end>  each range of unwind data
 *
 * for a script to compare with another program's opinion. Addresses in hex.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "insn.h"
#include "symbols.h"

static const char *const sources[] = {
	[SIZE_SYMBOL] = "symbol",
	[SIZE_UNWIND] = "unwind",
	[SIZE_NEXT] = "next",
};

static enum refusal refusal_of(const struct function *f, const uint8_t *code,
			       struct listing *list)
{
	if (!code)
		return REFUSE_NOT_IN_FILE;
	listing_make(list, code, f->size);
	if (f->overlaps)
		return REFUSE_OVERLAP;
	if (f->longer)
		return REFUSE_LONGER;
	return list->why;
}

static void show_function(const struct symbols *syms, const struct function *f,
			  struct listing *list)
{
	enum refusal why = refusal_of(f, symbols_code(syms, f->addr, f->size), list);

	printf("F %" PRIx64 " %" PRIx64 " %s ", f->addr, f->size, sources[f->source]);
	for (const char *s = refusal_short(why); *s; s++)
		putchar(*s == ' ' ? '-' : *s);
	for (size_t i = 0; i < f->nr_names; i++)
		printf(" %s", syms->name[f->first_name + i]);
	putchar('\n');
	if (why == REFUSE_NOT_IN_FILE)
		return;
	for (size_t i = 0; i < list->nr; i++)
		printf("I %" PRIx64 "\n", f->addr + list->boundary[i]);
	for (size_t i = 0; i < list->nr_rets; i++)
		printf("R %" PRIx64 "\n", f->addr + list->ret[i]);
}

int main(int argc, char **argv)
{
	struct listing list = { 0 };
	struct symbols *syms;
	struct error err;
	int fd;

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	syms = symbols_read(fd, argv[1], &err);
	close(fd);
	if (!syms) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < syms->nr; i++)
		show_function(syms, &syms->function[i], &list);
	for (size_t i = 0; i < syms->unwind.nr; i++)
		printf("U %" PRIx64 " %" PRIx64 "\n",
		       syms->unwind.r[i].start, syms->unwind.r[i].end);
	listing_free(&list);
	symbols_free(syms);
	return 0;
}
