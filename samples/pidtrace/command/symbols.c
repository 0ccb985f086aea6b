// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * symbols - the functions of an ELF file
 *
 * Three sources, each of which may be missing. Symbol tables: .symtab and
 * .dynsym of the file, the .symtab of its separate debug file (by build id or
 * .gnu_debuglink), and the MiniDebugInfo in .gnu_debugdata; libdwfl finds and
 * joins these. Unwind data (.eh_frame): where a function starts and ends, but
 * not what it is called. Section headers: which sections hold functions at all.
 *
 * Several names of one address are one function. A name is shown in this order
 * of preference: global before weak before local, then the fewest leading
 * underscores, then the shortest.
 *
 * The file is not trusted: every number in it is checked against what it
 * refers to, and code is read into memory of our own, so a file that is
 * truncated meanwhile cannot kill us.
 */
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ehframe.h"
#include "rseq.h"
#include "symbols.h"

/* A symbol on its way to become a function. */
struct symbol {
	uint64_t addr;
	uint64_t size;
	char *name;
	unsigned char bind;
	unsigned char type;
};

struct collection {
	struct symbol *sym;
	size_t nr;
	size_t cap;
};

const uint8_t *symbols_code(const struct symbols *syms, uint64_t addr, uint64_t size)
{
	for (size_t i = 0; i < syms->nr_text; i++) {
		const struct text *text = &syms->text[i];

		if (addr >= text->at.start && addr < text->at.end && size <= text->at.end - addr)
			return text->bytes + (addr - text->at.start);
	}
	return NULL;
}

size_t symbols_first(const struct symbols *syms, uint64_t addr)
{
	size_t low = 0, high = syms->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (syms->function[mid].addr < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct function *symbols_find(const struct symbols *syms, uint64_t addr)
{
	size_t next = symbols_first(syms, addr);
	const struct function *f;

	if (next < syms->nr && syms->function[next].addr == addr)
		return &syms->function[next];
	if (!next)
		return NULL;
	f = &syms->function[next - 1];
	return addr - f->addr < f->size ? f : NULL;
}

/*
 * Code reaches no further than a displacement of 32 bits. A file that claims
 * more, or the same bytes many times over, is not read beyond that.
 */
#define MAX_TEXT (2ULL << 30)

static bool read_segment(struct text *text, const GElf_Phdr *phdr, int fd)
{
	ssize_t got;

	text->bytes = xmalloc(phdr->p_filesz);
	got = pread(fd, text->bytes, phdr->p_filesz, phdr->p_offset);
	if (got <= 0 || phdr->p_vaddr + got < phdr->p_vaddr) {
		free(text->bytes);
		return false;
	}
	text->at = (struct range){ phdr->p_vaddr, phdr->p_vaddr + got };
	text->offset = phdr->p_offset;
	return true;
}

/* Reads the executable segments. */
static void read_text(struct symbols *syms, Elf *elf, int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	uint64_t left = MAX_TEXT;
	size_t n, cap = 0;

	if (size < 0 || elf_getphdrnum(elf, &n))
		return;
	if (left > (uint64_t)size)
		left = size;
	for (size_t i = 0; i < n; i++) {
		struct text text;
		GElf_Phdr phdr;

		if (!gelf_getphdr(elf, i, &phdr) || phdr.p_type != PT_LOAD ||
		    !(phdr.p_flags & PF_X) || phdr.p_offset >= (uint64_t)size)
			continue;
		if (phdr.p_filesz > size - phdr.p_offset)
			phdr.p_filesz = size - phdr.p_offset;
		if (phdr.p_filesz > left || !read_segment(&text, &phdr, fd))
			continue;
		left -= phdr.p_filesz;
		syms->text = array_grow(syms->text, syms->nr_text, &cap, sizeof(text));
		syms->text[syms->nr_text++] = text;
	}
}

/* Where functions can be: executable sections, or segments if there are none. */
static void find_code(struct symbols *syms, Elf *elf)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		names = 0;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_PROGBITS ||
		    !(shdr.sh_flags & SHF_EXECINSTR) || !(shdr.sh_flags & SHF_ALLOC))
			continue;
		name = elf_strptr(elf, names, shdr.sh_name);
		if (name && !strncmp(name, ".plt", 4))
			continue;
		if (symbols_code(syms, shdr.sh_addr, shdr.sh_size))
			ranges_add(&syms->code, shdr.sh_addr, shdr.sh_size);
	}
	if (!syms->code.nr)
		for (size_t i = 0; i < syms->nr_text; i++)
			ranges_add(&syms->code, syms->text[i].at.start,
				   syms->text[i].at.end - syms->text[i].at.start);
	ranges_sort(&syms->code);
}

static void find_unwind(struct symbols *syms, Elf *elf)
{
	struct ranges all = { 0 };

	ehframe_read(elf, &all);
	for (size_t i = 0; i < all.nr; i++)
		if (ranges_find(&syms->code, all.r[i].start))
			ranges_add(&syms->unwind, all.r[i].start, all.r[i].end - all.r[i].start);
	free(all.r);
	ranges_sort(&syms->unwind);
}

static void collect(struct collection *c, const char *name, const GElf_Sym *sym,
		    uint64_t addr)
{
	unsigned char type = GELF_ST_TYPE(sym->st_info);
	const char *at;

	if (!name || !*name || sym->st_shndx == SHN_UNDEF ||
	    (type != STT_FUNC && type != STT_GNU_IFUNC))
		return;
	/* "name@VERSION" and "name@@VERSION" in a .symtab */
	at = strchr(name + 1, '@');
	c->sym = array_grow(c->sym, c->nr, &c->cap, sizeof(*c->sym));
	c->sym[c->nr++] = (struct symbol){
		.addr = addr,
		.size = sym->st_size,
		.name = at ? xstrndup(name, at - name) : xstrdup(name),
		.bind = GELF_ST_BIND(sym->st_info),
		.type = type,
	};
}

/*
 * What libdwfl finds: the best symbol table there is, in whichever file. It
 * may ask a debuginfod server where DEBUGINFOD_URLS names one; this program
 * does not use the network, so the variable is away meanwhile.
 */
static void collect_dwfl(struct collection *c, int fd, const char *path)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
	};
	const char *urls = getenv("DEBUGINFOD_URLS");
	char *saved = urls ? xstrdup(urls) : NULL;
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwfl_Module *module = NULL;
	int own = dup(fd);
	int n;

	unsetenv("DEBUGINFOD_URLS");
	if (dwfl && own >= 0) {
		dwfl_report_begin(dwfl);
		module = dwfl_report_elf(dwfl, base_name(path), path, own, 0, true);
		dwfl_report_end(dwfl, NULL, NULL);
	}
	if (!module && own >= 0)
		close(own);
	n = module ? dwfl_module_getsymtab(module) : 0;
	for (int i = 0; i < n; i++) {
		const char *name;
		GElf_Word shndx;
		GElf_Addr addr;
		GElf_Sym sym;

		name = dwfl_module_getsym_info(module, i, &sym, &addr, &shndx, NULL, NULL);
		if (name)
			collect(c, name, &sym, addr);
	}
	if (dwfl)
		dwfl_end(dwfl);
	if (saved)
		setenv("DEBUGINFOD_URLS", saved, 1);
	free(saved);
}

/* .dynsym, for names that the .symtab does not have. */
static void collect_dynsym(struct collection *c, Elf *elf)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *data;
		GElf_Shdr shdr;
		GElf_Sym sym;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_DYNSYM)
			continue;
		data = elf_getdata(scn, NULL);
		if (!data)
			continue;
		for (int i = 0; gelf_getsym(data, i, &sym); i++)
			collect(c, elf_strptr(elf, shdr.sh_link, sym.st_name), &sym,
				sym.st_value);
	}
}

static char *find_soname(Elf *elf)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *data;
		GElf_Shdr shdr;
		GElf_Dyn dyn;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_DYNAMIC)
			continue;
		data = elf_getdata(scn, NULL);
		if (!data)
			continue;
		for (int i = 0; gelf_getdyn(data, i, &dyn) && dyn.d_tag != DT_NULL; i++) {
			const char *name;

			if (dyn.d_tag != DT_SONAME)
				continue;
			name = elf_strptr(elf, shdr.sh_link, dyn.d_un.d_val);
			if (name && *name)
				return xstrdup(name);
		}
	}
	return NULL;
}

char *symbols_soname(int fd)
{
	char *soname;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return NULL;
	soname = find_soname(elf);
	elf_end(elf);
	return soname;
}

static int bind_rank(unsigned char bind)
{
	return bind == STB_LOCAL ? 2 : bind == STB_WEAK ? 1 : 0;
}

static bool is_indirect(const struct symbol *s)
{
	return s->type == STT_GNU_IFUNC;
}

/* Indirect ones last. */
static int by_addr_and_preference(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	size_t m, n;
	int d;

	if (is_indirect(x) != is_indirect(y))
		return is_indirect(x) ? 1 : -1;
	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	d = bind_rank(x->bind) - bind_rank(y->bind);
	if (d)
		return d;
	m = strspn(x->name, "_");
	n = strspn(y->name, "_");
	if (m != n)
		return m < n ? -1 : 1;
	m = strlen(x->name);
	n = strlen(y->name);
	if (m != n)
		return m < n ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Sets where @f ends; @next is the start of the function behind it. */
static void set_bounds(struct symbols *syms, struct function *f, uint64_t next)
{
	const struct range *unwind = ranges_find(&syms->unwind, f->addr);
	uint64_t end = ranges_find(&syms->code, f->addr)->end;

	f->source = SIZE_SYMBOL;
	if (!f->size && unwind && unwind->start == f->addr) {
		f->size = unwind->end - f->addr;
		f->source = SIZE_UNWIND;
	}
	if (!f->size) {
		f->size = (next < end ? next : end) - f->addr;
		f->source = SIZE_NEXT;
	}
	if (f->size > end - f->addr)
		f->size = end - f->addr;
	f->overlaps = next - f->addr < f->size;
	f->longer = unwind && unwind->start == f->addr &&
		    unwind->end - f->addr > f->size && next >= unwind->end;
}

static int by_identity(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	int d;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	d = strcmp(x->name, y->name);
	return d ? d : bind_rank(x->bind) - bind_rank(y->bind);
}

/* Drops what is in two tables or points to nowhere. */
static void reduce(struct symbols *syms, struct collection *c)
{
	size_t unique = 0, kept = 0;

	if (c->nr)
		qsort(c->sym, c->nr, sizeof(*c->sym), by_identity);
	for (size_t i = 0; i < c->nr; i++) {
		struct symbol *s = &c->sym[i];
		struct symbol *last = unique ? &c->sym[unique - 1] : NULL;

		if (last && last->addr == s->addr && !strcmp(last->name, s->name)) {
			if (s->size > last->size)
				last->size = s->size;
			free(s->name);
		} else {
			c->sym[unique++] = *s;
		}
	}
	for (size_t i = 0; i < unique; i++) {
		if (ranges_find(&syms->code, c->sym[i].addr))
			c->sym[kept++] = c->sym[i];
		else
			free(c->sym[i].name);
	}
	c->nr = kept;
}

static void build_functions(struct symbols *syms, struct collection *c)
{
	size_t all = 0, cap = 0;

	reduce(syms, c);
	if (c->nr)
		qsort(c->sym, c->nr, sizeof(*c->sym), by_addr_and_preference);
	syms->name = xcalloc(c->nr, sizeof(*syms->name));
	for (size_t i = 0; i < c->nr; i++) {
		struct symbol *s = &c->sym[i];
		struct function *f = all ? &syms->function[all - 1] : NULL;

		if (!f || f->addr != s->addr || f->indirect != is_indirect(s)) {
			syms->function = array_grow(syms->function, all, &cap, sizeof(*f));
			f = &syms->function[all++];
			*f = (struct function){
				.addr = s->addr,
				.indirect = is_indirect(s),
				.first_name = syms->nr_names,
			};
			syms->nr += !f->indirect;
			syms->nr_indirect += f->indirect;
		}
		/* That of an indirect one is the size of the code that chooses. */
		if (s->size > f->size && !f->indirect)
			f->size = s->size;
		syms->name[syms->nr_names++] = s->name;
		f->nr_names++;
	}
	free(c->sym);
	for (size_t i = 0; i < syms->nr; i++)
		set_bounds(syms, &syms->function[i],
			   i + 1 < syms->nr ? syms->function[i + 1].addr : UINT64_MAX);
	for (size_t i = 0; i < syms->unwind.nr; i++)
		syms->nr_unnamed += !symbols_find(syms, syms->unwind.r[i].start);
}

static int check_header(struct symbols *syms, Elf *elf, const char *path, struct error *err)
{
	GElf_Ehdr ehdr;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &ehdr))
		return error_set(err, "%s is not an ELF file", path);
	syms->is_32bit = gelf_getclass(elf) != ELFCLASS64;
	syms->is_foreign = ehdr.e_machine != EM_X86_64;
	return 0;
}

struct symbols *symbols_read(int fd, const char *path, struct error *err)
{
	struct collection c = { 0 };
	struct symbols *syms;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf) {
		error_set(err, "cannot read %s: %s", path, elf_errmsg(-1));
		return NULL;
	}
	syms = xcalloc(1, sizeof(*syms));
	if (check_header(syms, elf, path, err)) {
		elf_end(elf);
		symbols_free(syms);
		return NULL;
	}
	if (!syms->is_32bit && !syms->is_foreign) {
		read_text(syms, elf, fd);
		find_code(syms, elf);
		find_unwind(syms, elf);
		rseq_read(elf, &syms->rseq);
		ranges_sort(&syms->rseq);
		collect_dwfl(&c, fd, path);
		collect_dynsym(&c, elf);
		build_functions(syms, &c);
	}
	elf_end(elf);
	return syms;
}

void symbols_free(struct symbols *syms)
{
	if (!syms)
		return;
	for (size_t i = 0; i < syms->nr_names; i++)
		free(syms->name[i]);
	for (size_t i = 0; i < syms->nr_text; i++)
		free(syms->text[i].bytes);
	free(syms->name);
	free(syms->text);
	free(syms->function);
	free(syms->code.r);
	free(syms->unwind.r);
	free(syms->rseq.r);
	free(syms);
}
