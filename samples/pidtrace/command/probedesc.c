// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * probedesc - a probe description: provider:module:function:name
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "probedesc.h"

enum { PROVIDER, MODULE, FUNCTION, NAME, NR_PARTS };

/*
 * One [set] against one character. @p points behind the '['; returns what is
 * behind the ']', or NULL where there is none.
 */
static const char *match_set(const char *p, unsigned char c, bool *matched)
{
	bool negated = *p == '!' || *p == '^';
	bool hit = false;
	bool first = true;

	p += negated;
	for (; *p && (*p != ']' || first); first = false) {
		unsigned char low, high;

		if (*p == '\\' && p[1])
			p++;
		low = *p++;
		high = low;
		if (*p == '-' && p[1] && p[1] != ']') {
			p++;
			if (*p == '\\' && p[1])
				p++;
			high = *p++;
		}
		if (c >= low && c <= high)
			hit = true;
	}
	if (*p != ']')
		return NULL;
	*matched = hit != negated;
	return p + 1;
}

/* One element of a pattern against one character: what follows it, or NULL. */
static const char *match_one(const char *p, unsigned char c)
{
	bool matched;

	switch (*p) {
	case '?':
		return p + 1;
	case '[':
		p = match_set(p + 1, c, &matched);
		return p && matched ? p : NULL;
	case '\\':
		if (p[1])
			p++;
		break;
	}
	return (unsigned char)*p == c ? p + 1 : NULL;
}

/*
 * Only the last '*' seen is ever gone back to: if what follows it cannot be
 * matched further on, no other split of an earlier '*' helps.
 */
bool glob_match(const char *pattern, const char *s)
{
	const char *star = NULL, *star_s = NULL;
	const char *p = pattern;

	while (*s) {
		const char *next;

		if (*p == '*') {
			star = ++p;
			star_s = s;
			continue;
		}
		next = *p ? match_one(p, *s) : NULL;
		if (next) {
			p = next;
			s++;
		} else if (star) {
			p = star;
			s = ++star_s;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

bool glob_is_literal(const char *pattern)
{
	return !strpbrk(pattern, "*?[\\");
}

static int check_glob(const char *text, const char *pattern, struct error *err)
{
	const char *p = pattern;
	bool matched;

	while (*p) {
		if (*p == '\\' && !p[1])
			return error_set(err, "probe description '%s': '%s' ends in a backslash that quotes nothing",
					 text, pattern);
		if (*p == '[') {
			p = match_set(p + 1, 0, &matched);
			if (!p)
				return error_set(err, "probe description '%s': the '[' in '%s' has no ']'",
						 text, pattern);
		} else {
			p += *p == '\\' ? 2 : 1;
		}
	}
	return 0;
}

static int parse_provider(struct probedesc *desc, const char *s, struct error *err)
{
	unsigned long pid;
	char *end;

	if (!*s || !strcmp(s, "pid$target"))
		return 0;
	if (strncmp(s, "pid", 3))
		return error_set(err, "probe description '%s': there is no provider '%s'; use 'pid$target', or 'pid' and a process number",
				 desc->text, s);
	errno = 0;
	pid = strtoul(s + 3, &end, 10);
	if (!isdigit((unsigned char)s[3]) || *end || errno || !pid || pid > INT_MAX)
		return error_set(err, "probe description '%s': '%s' is no process number; use 'pid$target' (quoted, or the shell eats it) or for example 'pid1234'",
				 desc->text, s + 3);
	desc->pid = pid;
	return 0;
}

static int parse_offset(struct probedesc *desc, const char *s, struct error *err)
{
	const char *digits = !strncasecmp(s, "0x", 2) ? s + 2 : s;
	char *end;

	errno = 0;
	desc->offset = strtoull(digits, &end, 16);
	if (!isxdigit((unsigned char)*digits) || *end || errno)
		return error_set(err, "probe description '%s': '%s' is no probe name; use 'entry', 'return' or an offset in hexadecimal",
				 desc->text, s);
	desc->has_offset = true;
	return 0;
}

static int parse_name(struct probedesc *desc, const char *s, struct error *err)
{
	if (!*s)
		s = "*";
	desc->entry = glob_match(s, "entry");
	desc->ret = glob_match(s, "return");
	if (desc->entry || desc->ret)
		return 0;
	if (!glob_is_literal(s))
		return error_set(err, "probe description '%s': the name '%s' matches neither 'entry' nor 'return'",
				 desc->text, s);
	return parse_offset(desc, s, err);
}

static int parse_parts(struct probedesc *desc, char **part, struct error *err)
{
	if (parse_provider(desc, part[PROVIDER], err) ||
	    check_glob(desc->text, part[MODULE], err) ||
	    check_glob(desc->text, part[FUNCTION], err) ||
	    check_glob(desc->text, part[NAME], err) ||
	    parse_name(desc, part[NAME], err))
		return -1;

	desc->module = xstrdup(*part[MODULE] ? part[MODULE] : "*");
	desc->function = xstrdup(*part[FUNCTION] ? part[FUNCTION] : "*");
	desc->absolute = !strcmp(desc->function, "-");
	if (desc->absolute && !desc->has_offset)
		return error_set(err, "probe description '%s': the function '-' needs an address in hexadecimal as its name",
				 desc->text);
	return 0;
}

int probedesc_parse(struct probedesc *desc, const char *text, struct error *err)
{
	char *part[NR_PARTS] = { "", "", "", "" };
	char *copy, *colon, *p;
	int colons = 0;
	int result;
	int i;

	*desc = (struct probedesc){ 0 };
	for (const char *c = text; *c; c++)
		colons += *c == ':';
	if (!*text)
		return error_set(err, "the probe description is empty; use provider:module:function:name, for example 'pid$target:libc:malloc:entry'");
	if (colons >= NR_PARTS)
		return error_set(err, "probe description '%s' has %d parts; it takes four: provider:module:function:name",
				 text, colons + 1);

	desc->text = xstrdup(text);
	copy = xstrdup(text);
	p = copy;
	for (i = NR_PARTS - 1 - colons; i < NR_PARTS; i++) {
		part[i] = p;
		colon = strchr(p, ':');
		if (colon) {
			*colon = '\0';
			p = colon + 1;
		}
	}
	result = parse_parts(desc, part, err);
	free(copy);
	if (result)
		probedesc_free(desc);
	return result;
}

void probedesc_free(struct probedesc *desc)
{
	free(desc->text);
	free(desc->module);
	free(desc->function);
	*desc = (struct probedesc){ 0 };
}
