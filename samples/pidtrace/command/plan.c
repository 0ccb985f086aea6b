// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * plan - which probes the descriptions ask for in a target
 *
 * Mappings lead to files (images), files to functions, functions to rows of
 * the plan, and rows to probes. Only files whose name matches a description are
 * read. A function is looked at once per description and name, and its code is
 * decoded once, so the work grows with the number of names and not with its
 * square.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps.h"
#include "plan.h"
#include "symbols.h"

struct image {
	char *path;
	uint64_t dev;
	uint64_t inode;
	char *soname;
	bool is_main;
	const char *module;	/* the name to show */
	struct symbols *syms;	/* NULL: not read, nothing in it is asked for */
};

/* What one description found. */
struct found {
	bool module;
	bool row;
};

struct search {
	struct plan *plan;
	const struct probedesc *desc;
	size_t nr_desc;
	struct found *found;
	bool *applies;		/* desc[i] matches the module at hand */
	bool shadow_stack;	/* the target has one */
	struct listing listing;
};

bool module_matches(const char *module, const char *path, const char *soname, bool is_main)
{
	const char *base = base_name(path);
	const char *so = strstr(base, ".so");
	char *cut;
	bool match;

	if (glob_match(module, base) || (soname && glob_match(module, soname)) ||
	    (is_main && glob_match(module, "a.out")))
		return true;
	if (!so || (so[3] && so[3] != '.'))
		return false;
	cut = xstrndup(base, so + 3 - base);
	match = glob_match(module, cut);
	cut[so - base] = '\0';
	match = match || glob_match(module, cut);
	free(cut);
	return match;
}

static struct image *find_image(struct plan *plan, const struct mapping *map)
{
	for (size_t i = 0; i < plan->nr_images; i++) {
		struct image *image = &plan->image[i];

		if (image->inode == map->inode && image->dev == map->dev &&
		    !strcmp(image->path, map->path))
			return image;
	}
	return NULL;
}

/* Sets search.applies; returns whether anything does. */
static bool match_module(struct search *search, const struct image *image)
{
	bool any = false;

	for (size_t i = 0; i < search->nr_desc; i++) {
		search->applies[i] = module_matches(search->desc[i].module, image->path,
						    image->soname, image->is_main);
		if (search->applies[i]) {
			search->found[i].module = true;
			any = true;
		}
	}
	return any;
}

static void add_image(struct search *search, const struct mapping *map, const char *exe,
		      struct error *err)
{
	struct plan *plan = search->plan;
	struct image image = {
		.path = xstrdup(map->path),
		.dev = map->dev,
		.inode = map->inode,
		.is_main = !strcmp(map->path, exe),
	};
	struct error unread;
	int fd = mapping_open(map, plan->pid, &unread);

	if (fd >= 0)
		image.soname = symbols_soname(fd);
	image.module = image.soname && !image.is_main ? image.soname : base_name(image.path);
	/* A file that cannot be read matters only if it is asked for. */
	if (match_module(search, &image)) {
		if (fd >= 0)
			image.syms = symbols_read(fd, map->path, &unread);
		if (image.syms)
			plan->nr_unnamed += image.syms->nr_unnamed;
		else
			*err = unread;
	}
	if (fd >= 0)
		close(fd);
	plan->image = array_grow(plan->image, plan->nr_images, &plan->cap_images, sizeof(image));
	plan->image[plan->nr_images++] = image;
}

static uint32_t add_row(struct plan *plan, const struct image *image, const struct function *f,
			uint64_t bias)
{
	struct row row = {
		.module = image->module,
		.name = ROW_UNNAMED,
		.func = f->addr + bias,
		.size = f->size,
		.address = f->addr,
	};

	if (f->nr_names) {
		row.name = image->syms->name[f->first_name];
		row.alias = &image->syms->name[f->first_name + 1];
		row.nr_aliases = f->nr_names - 1;
	}
	plan->row = array_grow(plan->row, plan->nr_rows, &plan->cap_rows, sizeof(row));
	plan->row[plan->nr_rows] = row;
	return plan->nr_rows++;
}

static void add_probe(struct plan *plan, uint32_t row, enum probe_kind kind, uint64_t offset)
{
	struct probe probe = {
		.addr = plan->row[row].func + offset,
		.row = row,
		.kind = kind,
	};

	plan->probe = array_grow(plan->probe, plan->nr_probes, &plan->cap_probes, sizeof(probe));
	plan->probe[plan->nr_probes++] = probe;
	if (kind == PROBE_RETURN)
		plan->row[row].nr_return++;
	else
		plan->row[row].nr_entry++;
}

static void add_refused(struct plan *plan, uint32_t row, enum probe_kind kind, uint64_t offset,
			enum refusal why)
{
	struct refused refused = { .row = row, .kind = kind, .offset = offset, .why = why };

	plan->refused = array_grow(plan->refused, plan->nr_refused, &plan->cap_refused,
				   sizeof(refused));
	plan->refused[plan->nr_refused++] = refused;
}

void plan_refuse(struct plan *plan, struct probe *probe, const char *detail)
{
	struct row *row = &plan->row[probe->row];

	probe->refused = true;
	if (probe->kind == PROBE_RETURN)
		row->nr_return--;
	else
		row->nr_entry--;
	add_refused(plan, probe->row, probe->kind, probe->addr - row->func, REFUSE_KERNEL);
	plan->refused[plan->nr_refused - 1].detail = xstrdup(detail);
}

/* Finds the code of @f, or says why there is none to put a probe on. */
static enum refusal find_code(const struct symbols *syms, const struct function *f,
			      const uint8_t **code)
{
	*code = symbols_code(syms, f->addr, f->size);
	if (f->indirect)
		return REFUSE_INDIRECT;
	return *code ? REFUSE_NONE : REFUSE_NOT_IN_FILE;
}

/* A probe on the instruction at @offset, which is one. */
static enum refusal judge(const struct search *search, const struct symbols *syms,
			  const struct function *f, const uint8_t *code, uint64_t offset)
{
	if (ranges_find(&syms->rseq, f->addr + offset))
		return REFUSE_RSEQ;
	return insn_judge(code + offset, f->size - offset, search->shadow_stack);
}

static void plan_entry(struct search *search, const struct symbols *syms,
		       const struct function *f, uint32_t row)
{
	const uint8_t *code;
	enum refusal why = find_code(syms, f, &code);

	if (!why)
		why = judge(search, syms, f, code, 0);
	if (why)
		add_refused(search->plan, row, PROBE_ENTRY, 0, why);
	else
		add_probe(search->plan, row, PROBE_ENTRY, 0);
}

static void plan_returns(struct search *search, const struct symbols *syms,
			 const struct function *f, uint32_t row)
{
	struct listing *list = &search->listing;
	struct plan *plan = search->plan;
	const uint8_t *code;
	enum refusal why = find_code(syms, f, &code);

	if (!why && (f->overlaps || f->longer))
		why = f->overlaps ? REFUSE_OVERLAP : REFUSE_LONGER;
	if (why) {
		add_refused(plan, row, PROBE_RETURN, 0, why);
		return;
	}
	listing_make(list, code, f->size);
	if (list->why) {
		add_refused(plan, row, PROBE_RETURN, list->where, list->why);
		return;
	}
	plan->nr_no_return += !list->nr_rets;
	for (size_t i = 0; i < list->nr_rets; i++) {
		why = judge(search, syms, f, code, list->ret[i]);
		if (why)
			add_refused(plan, row, PROBE_RETURN, list->ret[i], why);
		else
			add_probe(plan, row, PROBE_RETURN, list->ret[i]);
	}
}

static void plan_offset(struct search *search, const struct symbols *syms,
			const struct function *f, uint32_t row, uint64_t offset)
{
	const uint8_t *code;
	enum refusal why = find_code(syms, f, &code);

	if (!why && offset >= f->size)
		why = REFUSE_OUTSIDE;
	if (!why) {
		listing_make(&search->listing, code, f->size);
		if (!listing_is_boundary(&search->listing, offset))
			why = REFUSE_BOUNDARY;
		else
			why = judge(search, syms, f, code, offset);
	}
	if (why)
		add_refused(search->plan, row, PROBE_OFFSET, offset, why);
	else
		add_probe(search->plan, row, offset ? PROBE_OFFSET : PROBE_ENTRY, offset);
}

static void add_offset(struct search *search, const struct image *image,
		       const struct function *f, uint64_t bias, uint64_t offset)
{
	struct plan *plan = search->plan;
	uint32_t row;

	for (size_t i = plan->nr_rows; i-- && plan->row[i].func == f->addr + bias; )
		if (plan->row[i].has_offset && plan->row[i].offset == offset)
			return;
	row = add_row(plan, image, f, bias);
	plan->row[row].has_offset = true;
	plan->row[row].offset = offset;
	plan_offset(search, image->syms, f, row, offset);
}

static bool name_matches(const struct probedesc *desc, const struct symbols *syms,
			 const struct function *f)
{
	for (size_t i = 0; i < f->nr_names; i++)
		if (glob_match(desc->function, syms->name[f->first_name + i]))
			return true;
	return false;
}

static void plan_function(struct search *search, const struct image *image,
			  const struct function *f, uint64_t bias)
{
	bool entry = false, ret = false;
	uint32_t row;

	for (size_t i = 0; i < search->nr_desc; i++) {
		const struct probedesc *desc = &search->desc[i];

		if (!search->applies[i])
			continue;
		if (desc->absolute) {
			if (desc->offset - f->addr < f->size) {
				search->found[i].row = true;
				add_offset(search, image, f, bias, desc->offset - f->addr);
			}
			continue;
		}
		if (!name_matches(desc, image->syms, f))
			continue;
		search->found[i].row = true;
		entry |= desc->entry;
		ret |= desc->ret;
		if (desc->has_offset)
			add_offset(search, image, f, bias, desc->offset);
	}
	if (!entry && !ret)
		return;
	row = add_row(search->plan, image, f, bias);
	if (entry)
		plan_entry(search, image->syms, f, row);
	if (ret)
		plan_returns(search, image->syms, f, row);
}

/* Functions that only unwind data knows, for descriptions with an address. */
static void plan_unnamed(struct search *search, const struct image *image, uint64_t low,
			 uint64_t high, uint64_t bias)
{
	for (size_t i = 0; i < search->nr_desc; i++) {
		uint64_t addr = search->desc[i].offset;
		const struct range *range;
		struct function f = { 0 };

		if (!search->applies[i] || !search->desc[i].absolute || search->found[i].row)
			continue;
		range = ranges_find(&image->syms->unwind, addr);
		if (!range || addr < low || addr >= high)
			continue;
		search->found[i].row = true;
		f.addr = range->start;
		f.size = range->end - range->start;
		add_offset(search, image, &f, bias, addr - f.addr);
	}
}

static void plan_mapping(struct search *search, const struct image *image,
			 const struct mapping *map)
{
	const struct symbols *syms = image->syms;

	if (!syms || !match_module(search, image))
		return;
	for (size_t i = 0; i < syms->nr_text; i++) {
		const struct text *text = &syms->text[i];
		uint64_t length = map->end - map->start;
		uint64_t low = text->at.start, high = text->at.end;
		uint64_t bias;

		/* The part of this segment that this mapping shows. */
		if (text->offset + (high - low) <= map->offset ||
		    map->offset + length <= text->offset)
			continue;
		bias = map->start - map->offset + text->offset - text->at.start;
		if (map->start - bias > low)
			low = map->start - bias;
		if (map->end - bias < high)
			high = map->end - bias;
		for (size_t k = symbols_first(syms, low); k < syms->nr; k++) {
			if (syms->function[k].addr >= high)
				break;
			plan_function(search, image, &syms->function[k], bias);
		}
		for (size_t k = syms->nr; k < syms->nr + syms->nr_indirect; k++)
			if (syms->function[k].addr >= low && syms->function[k].addr < high)
				plan_function(search, image, &syms->function[k], bias);
		plan_unnamed(search, image, low, high, bias);
	}
}

/* "libc.so.6 libm.so.6 ...", for a message. */
static void list_modules(const struct plan *plan, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < plan->nr_images; i++) {
		const char *module = plan->image[i].module;

		if (used + strlen(module) + 6 > size) {
			snprintf(text + used, size - used, " ...");
			return;
		}
		used += snprintf(text + used, size - used, "%s%s", used ? " " : "", module);
	}
}

static int explain_nothing(const struct search *search, size_t i, struct error *err)
{
	const struct probedesc *desc = &search->desc[i];
	const struct plan *plan = search->plan;
	char modules[256];

	if (!search->found[i].module) {
		list_modules(plan, modules, sizeof(modules));
		return error_set(err, "'%s' matches nothing: process %d maps no '%s'; it maps %s",
				 desc->text, plan->pid, desc->module, modules);
	}
	if (desc->absolute)
		return error_set(err, "'%s' matches nothing: no function of %s covers that address",
				 desc->text, desc->module);
	if (plan->nr_unnamed)
		return error_set(err, "'%s' matches nothing: no function of %s is called '%s' (%zu have no name: the file is stripped; a debug symbols package would name them)",
				 desc->text, desc->module, desc->function, plan->nr_unnamed);
	return error_set(err, "'%s' matches nothing: no function of %s is called '%s'; see pidtrace -l",
			 desc->text, desc->module, desc->function);
}

static void read_exe(pid_t pid, char *exe, size_t size)
{
	static const char deleted[] = " (deleted)";
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, exe, size - 1);
	exe[n < 0 ? 0 : n] = '\0';
	if (n > (ssize_t)strlen(deleted) && !strcmp(exe + n - strlen(deleted), deleted))
		exe[n - strlen(deleted)] = '\0';
}

static int search_maps(struct search *search, const struct maps *maps, struct error *err)
{
	char exe[PATH_MAX];

	read_exe(search->plan->pid, exe, sizeof(exe));
	err->text[0] = '\0';
	for (size_t i = 0; i < maps->nr; i++) {
		const struct mapping *map = &maps->map[i];

		if (!find_image(search->plan, map))
			add_image(search, map, exe, err);
		plan_mapping(search, find_image(search->plan, map), map);
	}
	for (size_t i = 0; i < search->nr_desc; i++) {
		if (search->found[i].row)
			continue;
		/* A file that could not be read explains more than its absence. */
		return search->found[i].module && err->text[0] ? -1 :
		       explain_nothing(search, i, err);
	}
	return 0;
}

static int check_pids(const struct plan *plan, const struct probedesc *desc, size_t n,
		      struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (desc[i].pid && desc[i].pid != plan->pid)
			return error_set(err, "'%s' is about process %d, but the target is process %d; use 'pid$target'",
					 desc[i].text, desc[i].pid, plan->pid);
	return 0;
}

int plan_make(struct plan *plan, const struct target *target, const struct probedesc *desc,
	      size_t n, struct error *err)
{
	struct search search = {
		.plan = plan,
		.desc = desc,
		.nr_desc = n,
		.shadow_stack = target_has_shadow_stack(target->pid),
	};
	struct maps maps;
	int result;

	*plan = (struct plan){ .pid = target->pid };
	if (check_pids(plan, desc, n, err) || maps_read(&maps, plan->pid, err))
		return -1;
	search.found = xcalloc(n, sizeof(*search.found));
	search.applies = xcalloc(n, sizeof(*search.applies));
	result = search_maps(&search, &maps, err);
	free(search.found);
	free(search.applies);
	listing_free(&search.listing);
	maps_free(&maps);
	return result;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->nr_images; i++) {
		free(plan->image[i].path);
		free(plan->image[i].soname);
		symbols_free(plan->image[i].syms);
	}
	for (size_t i = 0; i < plan->nr_refused; i++)
		free(plan->refused[i].detail);
	free(plan->image);
	free(plan->row);
	free(plan->probe);
	free(plan->refused);
	*plan = (struct plan){ 0 };
}

char *row_title(const struct row *row)
{
	if (!strcmp(row->name, ROW_UNNAMED))
		return xasprintf("-:%" PRIx64, row->address + row->offset);
	if (row->has_offset)
		return xasprintf("%s:%" PRIx64, row->name, row->offset);
	return xstrdup(row->name);
}
