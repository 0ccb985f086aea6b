// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-symbols - functions of files whose contents are known
 *
 * test-symbols FOLDER, with the libraries made from victim-lib.c in it.
 */
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "insn.h"
#include "ktap.h"
#include "symbols.h"

static const char *folder;

static struct symbols *open_symbols(const char *name)
{
	char *path = xasprintf("%s/%s", folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct error err = { "" };
	struct symbols *syms = symbols_read(fd, path, &err);

	expect(syms, "%s: %s", path, err.text);
	close(fd);
	free(path);
	return syms;
}

static const struct function *find(const struct symbols *syms, const char *name)
{
	for (size_t i = 0; i < syms->nr; i++)
		for (size_t k = 0; k < syms->function[i].nr_names; k++)
			if (!strcmp(syms->name[syms->function[i].first_name + k], name))
				return &syms->function[i];
	return NULL;
}

static void kinds(void)
{
	struct symbols *syms = open_symbols("libvictim.so.1.2");
	const struct function *f;

	if (!syms)
		return;
	f = find(syms, "victim_global");
	expect(f && f->nr_names == 4 && f == find(syms, "victim_alias") &&
	       f == find(syms, "victim_weak") && f == find(syms, "__victim_alias"),
	       "%zu names", f ? f->nr_names : 0);
	expect(f && !strcmp(syms->name[f->first_name], "victim_alias"), "the shortest global name");
	expect(f && f->source == SIZE_SYMBOL && !f->overlaps && !f->longer);
	expect(find(syms, "victim_static") && find(syms, "construct"), "local functions");
	expect(!find(syms, "victim_data") && !find(syms, "write"), "data, or another file's");
	expect(!find(syms, "victim_indirect") && find(syms, "choose") && syms->nr_indirect == 1,
	       "%zu indirect", syms->nr_indirect);
	f = &syms->function[syms->nr];
	expect(f->indirect && !f->size && f->addr == find(syms, "choose")->addr &&
	       f->nr_names == 1 && !strcmp(syms->name[f->first_name], "victim_indirect"));
	symbols_free(syms);
}

static void bounds(void)
{
	struct symbols *syms = open_symbols("libvictim.so.1.2");
	const struct function *f;

	if (!syms)
		return;
	f = find(syms, "victim_bare");
	expect(f && f->source == SIZE_NEXT && f->size == 2 && !f->overlaps, "size %" PRIu64,
	       f ? f->size : 0);
	f = find(syms, "victim_unsized");
	expect(f && f->source == SIZE_UNWIND && f->size == 3, "size %" PRIu64, f ? f->size : 0);
	f = find(syms, "victim_outer");
	expect(f && f->overlaps && f->size == 3);
	f = find(syms, "victim_inner");
	expect(f && !f->overlaps && f->size == 2);
	f = find(syms, "victim_global");
	expect(f && symbols_find(syms, f->addr) == f && symbols_find(syms, f->addr - 1) != f);
	expect(f && symbols_find(syms, f->addr + f->size - 1) == f &&
	       symbols_find(syms, f->addr + f->size) != f);
	expect(!symbols_find(syms, 0) && !symbols_find(syms, UINT64_MAX));
	expect(f && symbols_code(syms, f->addr, f->size));
	expect(f && !symbols_code(syms, f->addr, UINT64_MAX));
	symbols_free(syms);
}

/* Names of local functions come from wherever debug data is. */
static void debug_data(void)
{
	static const struct {
		const char *file;
		bool local;
		size_t unnamed;		/* of construct, victim_static, chosen, choose */
	} t[] = {
		{ "libvictim.so.1.2", true, 0 },
		{ "libvictim-stripped.so", false, 4 },
		{ "libvictim-link.so", true, 0 },
		{ "libvictim-mini.so", true, 0 },
		{ "libvictim-partial.so", true, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct symbols *syms = open_symbols(t[i].file);
		const struct function *f;

		if (!syms)
			continue;
		f = find(syms, "victim_static");
		expect(!!f == t[i].local, "%s", t[i].file);
		expect(find(syms, "victim_global") && find(syms, "victim_weak"), "%s", t[i].file);
		expect(!f || (f->size && symbols_code(syms, f->addr, f->size)), "%s", t[i].file);
		expect(syms->nr_unnamed == t[i].unnamed, "%s: %zu unnamed", t[i].file,
		       syms->nr_unnamed);
		symbols_free(syms);
	}
}

static void restartable(void)
{
	struct symbols *syms = open_symbols("librseq.so");
	const struct function *f;

	if (!syms)
		return;
	f = find(syms, "sequence");
	expect(f && syms->rseq.nr == 1, "%zu sequences", syms->rseq.nr);
	expect(f && !ranges_find(&syms->rseq, f->addr) && ranges_find(&syms->rseq, f->addr + 1) &&
	       ranges_find(&syms->rseq, f->addr + 5) && !ranges_find(&syms->rseq, f->addr + 6));
	symbols_free(syms);
}

static void other_files(void)
{
	static const char *const files[] = { "/dev/null", "/etc/passwd", "/proc/self/mem", "/" };
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int fd = open(files[i], O_RDONLY | O_CLOEXEC);
		struct symbols *syms = symbols_read(fd, files[i], &err);

		expect(!syms && strstr(err.text, files[i]), "%s", files[i]);
		symbols_free(syms);
		close(fd);
	}
}

/* Sixty thousand segments, each of which claims the whole file. */
static void claims(void)
{
	enum { SEGMENTS = 60000 };
	Elf64_Ehdr ehdr = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		.e_phoff = sizeof(ehdr), .e_ehsize = sizeof(ehdr),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = SEGMENTS,
	};
	Elf64_Phdr phdr = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X };
	size_t size = sizeof(ehdr) + SEGMENTS * sizeof(phdr), held = 0;
	FILE *f = tmpfile();
	struct symbols *syms;
	struct error err;

	phdr.p_filesz = size;
	phdr.p_memsz = size;
	expect(fwrite(&ehdr, sizeof(ehdr), 1, f) == 1);
	for (size_t i = 0; i < SEGMENTS; i++) {
		phdr.p_vaddr = i * 2 * size;
		expect(fwrite(&phdr, sizeof(phdr), 1, f) == 1);
	}
	expect(!fflush(f));
	syms = symbols_read(fileno(f), "claims", &err);
	expect(syms, "%s", err.text);
	for (size_t i = 0; syms && i < syms->nr_text; i++)
		held += syms->text[i].at.end - syms->text[i].at.start;
	expect(held && held <= size, "%zu bytes of a file of %zu", held, size);
	symbols_free(syms);
	fclose(f);
}

static void sonames(void)
{
	char *path = xasprintf("%s/libvictim.so.1.2", folder);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *soname = symbols_soname(fd);

	expect(soname && !strcmp(soname, "libvictim.so.1"), "%s", soname);
	free(soname);
	close(fd);
	free(path);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "kinds of symbols, several names of one function", kinds },
		{ "where functions end", bounds },
		{ "stripped, debug link, MiniDebugInfo, part of a symbol table", debug_data },
		{ "restartable sequences", restartable },
		{ "files that are not ELF", other_files },
		{ "more segments than there are bytes", claims },
		{ "names of libraries", sonames },
	};

	if (argc != 2)
		return 2;
	folder = argv[1];
	return ktap_run(cases, ARRAY_SIZE(cases));
}
