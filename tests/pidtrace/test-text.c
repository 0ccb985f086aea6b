// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-text - probe descriptions, patterns, command lines, memory maps
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ktap.h"
#include "maps.h"
#include "plan.h"
#include "probedesc.h"
#include "target.h"
#include "words.h"

static void globs(void)
{
	static const struct {
		const char *pattern, *s;
		bool match;
	} t[] = {
		{ "", "", true }, { "", "a", false }, { "*", "", true }, { "*", "abc", true },
		{ "?", "", false }, { "?", "a", true }, { "??", "a", false },
		{ "abc", "abc", true }, { "abc", "ab", false }, { "ab", "abc", false },
		{ "a*c", "ac", true }, { "a*c", "abbc", true }, { "a*c", "abcd", false },
		{ "*_step", "sqlite3_step", true }, { "sqlite3_*", "sqlite3Step", false },
		{ "*a*b*c*", "xxaxxbxxcxx", true }, { "*a*b*c*", "xxaxxcxxbxx", false },
		{ "a*aab", "aaaaab", true }, { "[abc]x", "bx", true }, { "[abc]x", "dx", false },
		{ "[a-c]", "b", true }, { "[a-c]", "d", false }, { "[!a-c]", "d", true },
		{ "[^a-c]", "b", false }, { "[]]", "]", true }, { "[!]]", "]", false },
		{ "[a-]", "-", true }, { "[\\]]", "]", true }, { "[\\-x]", "-", true },
		{ "\\*", "*", true }, { "\\*", "a", false }, { "a\\?", "a?", true },
		{ "*[0-9]", "fn7", true }, { "*[0-9]", "7fn", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		expect(glob_match(t[i].pattern, t[i].s) == t[i].match, "'%s' and '%s'",
		       t[i].pattern, t[i].s);
}

/* Patterns that take a naive matcher for ever. */
static void glob_is_not_exponential(void)
{
	char pattern[512], s[4096];

	for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[sizeof(pattern) - 2] = 'b';
	pattern[sizeof(pattern) - 1] = '\0';
	memset(s, 'a', sizeof(s) - 1);
	s[sizeof(s) - 1] = '\0';
	expect(!glob_match(pattern, s));
}

static void descriptions(void)
{
	static const struct {
		const char *text, *module, *function;
		pid_t pid;
		bool entry, ret, has_offset, absolute;
		uint64_t offset;
	} t[] = {
		{ "pid$target:libc:malloc:entry", "libc", "malloc", 0, true, false },
		{ "pid12:libc:malloc:return", "libc", "malloc", 12, false, true },
		{ ":::", "*", "*", 0, true, true }, { "entry", "*", "*", 0, true, false },
		{ "f:return", "*", "f", 0, false, true }, { "m:f:*", "m", "f", 0, true, true },
		{ "m:f:r*", "m", "f", 0, false, true }, { "m:f:[e]ntr?", "m", "f", 0, true, false },
		{ "::f:0", "*", "f", 0, .has_offset = true },
		{ "::f:1a", "*", "f", 0, .has_offset = true, .offset = 0x1a },
		{ "::f:0x1A", "*", "f", 0, .has_offset = true, .offset = 0x1a },
		{ ":a.out:-:4010f0", "a.out", "-", 0, .has_offset = true, .absolute = true,
		  .offset = 0x4010f0 },
		{ "::f:ffffffffffffffff", "*", "f", 0, .has_offset = true, .offset = UINT64_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct probedesc d;
		struct error err;

		if (probedesc_parse(&d, t[i].text, &err)) {
			expect(false, "%s: %s", t[i].text, err.text);
			continue;
		}
		expect(!strcmp(d.module, t[i].module) && !strcmp(d.function, t[i].function),
		       "%s: %s, %s", t[i].text, d.module, d.function);
		expect(d.pid == t[i].pid && d.entry == t[i].entry && d.ret == t[i].ret &&
		       d.has_offset == t[i].has_offset && d.absolute == t[i].absolute &&
		       d.offset == t[i].offset, "%s", t[i].text);
		probedesc_free(&d);
	}
}

static void wrong_descriptions(void)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{ "", "is empty" }, { "a:b:c:d:e", "has 5 parts" },
		{ "syscall::read:entry", "no provider 'syscall'" },
		{ "pid:m:f:entry", "no process number" }, { "pid0:m:f:entry", "no process number" },
		{ "pid-1:m:f:entry", "no process number" },
		{ "pid1x:m:f:entry", "no process number" },
		{ "pid99999999999999999999:m:f:entry", "no process number" },
		{ "m:[f:entry", "no ']'" }, { "[:f:entry", "no ']'" }, { "m:f:[e", "no ']'" },
		{ "m:f\\:entry", "quotes nothing" }, { "m:f:exit", "no probe name" },
		{ "m:f:0x", "no probe name" }, { "m:f:12g", "no probe name" },
		{ "m:f:10000000000000000", "no probe name" }, { "m:f:-1", "no probe name" },
		{ "m:f:x*", "matches neither" }, { "m:-:entry", "needs an address" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct probedesc d;
		struct error err;
		int result = probedesc_parse(&d, t[i].text, &err);

		expect(result && strstr(err.text, t[i].says), "'%s': %s", t[i].text,
		       result ? err.text : "accepted");
		expect(!result || !strchr(err.text, '\n'), "'%s': not one line", t[i].text);
	}
}

static uint64_t random_state = 88172645463325252;

static unsigned int random_below(unsigned int n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % n;
}

/* Anything at all: must be taken or refused, and must not upset a sanitizer. */
static void fuzzed_descriptions(void)
{
	static const char letters[] = "pid$target:::::*?[]!-^\\entryreturn0x19af\xff\x01 ";
	unsigned int taken = 0;

	for (int i = 0; i < 300000; i++) {
		char text[48];
		size_t n = random_below(sizeof(text));
		struct probedesc d;
		struct error err;

		for (size_t k = 0; k < n; k++)
			text[k] = letters[random_below(sizeof(letters) - 1)];
		text[n] = '\0';
		if (probedesc_parse(&d, text, &err))
			continue;
		taken++;
		glob_match(d.module, text);
		glob_match(d.function, "sqlite3_step");
		probedesc_free(&d);
	}
	expect(taken > 100, "only %u were taken: they test nothing", taken);
}

static void modules(void)
{
	static const char so[] = "/usr/lib/libsqlite3.so.0.8.6";
	static const struct {
		const char *pattern, *path, *soname;
		bool is_main, match;
	} t[] = {
		{ "libsqlite3.so.0.8.6", so, "libsqlite3.so.0", false, true },
		{ "libsqlite3.so.0", so, "libsqlite3.so.0", false, true },
		{ "libsqlite3.so", so, NULL, false, true },
		{ "libsqlite3", so, NULL, false, true },
		{ "libsqlite", so, "libsqlite3.so.0", false, false },
		{ "lib*", "/usr/bin/bash", NULL, true, false },
		{ "a.out", "/usr/bin/bash", NULL, true, true },
		{ "a.out", "/usr/lib/libc.so.6", "libc.so.6", false, false },
		{ "bash", "/usr/bin/bash", NULL, true, true },
		{ "libc", "/lib/libc.so.6", NULL, false, true },
		{ "libc", "/lib/libc.sound", NULL, false, false },
		{ "*", "/x", NULL, false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		expect(t[i].match ==
		       module_matches(t[i].pattern, t[i].path, t[i].soname, t[i].is_main),
		       "%s and %s", t[i].pattern, t[i].path);
}

/* @expected: the words joined by '|', or NULL: an error. */
static void check_words(const char *text, const char *expected)
{
	struct error err;
	char **words = words_split(text, &err);
	char joined[256] = "";

	for (size_t i = 0; words && words[i]; i++) {
		strcat(joined, i ? "|" : "");
		strcat(joined, words[i]);
	}
	expect(!words == !expected, "'%s'", text);
	expect(!words || !expected || !strcmp(joined, expected), "'%s' became '%s'", text, joined);
	words_free(words);
}

static void command_lines(void)
{
	check_words("ls", "ls");
	check_words("  a\tb\n c ", "a|b|c");
	check_words("a 'b c' d", "a|b c|d");
	check_words("a\"b c\"d", "ab cd");
	check_words("'' \"\"", "|");
	check_words("a\\ b \\'", "a b|'");
	check_words("\"\\\"\\\\\\n\"", "\"\\\\n");
	check_words("'\\'", "\\");
	check_words("sqlite3 :memory: \"select 'x'\"", "sqlite3|:memory:|select 'x'");
	check_words("end\\", "end\\");
	check_words("", NULL);
	check_words(" \t", NULL);
	check_words("a 'b", NULL);
	check_words("a \"b\\\"", NULL);
}

static void memory_maps(void)
{
	char text[] =
		"55d0c000-55d0d000 r--p 00000000 fe:01 42                         /usr/bin/x\n"
		"55d0d000-55d0f000 r-xp 00001000 fe:01 42                         /usr/bin/x\n"
		"7f000000-7f001000 r-xp 00000000 00:00 0\n"
		"7f001000-7f002000 r-xp 00002000 fe:01 7                          /a b/lib (1).so (deleted)\n"
		"7f002000-7f003000 r-xp 00000000 fe:01 8                          /with\\012newline\n"
		"7fff0000-7fff1000 r-xp 00000000 00:00 0                          [vdso]\n"
		"rubbish\n";
	FILE *f = fmemopen(text, sizeof(text) - 1, "r");
	struct maps maps;

	maps_parse(&maps, f);
	fclose(f);
	expect(maps.nr == 3, "%zu mappings", maps.nr);
	if (maps.nr == 3) {
		expect(maps.map[0].start == 0x55d0d000 && maps.map[0].end == 0x55d0f000 &&
		       maps.map[0].offset == 0x1000 && maps.map[0].inode == 42);
		expect(!strcmp(maps.map[0].path, "/usr/bin/x") && !maps.map[0].deleted);
		expect(!strcmp(maps.map[1].path, "/a b/lib (1).so") && maps.map[1].deleted);
		expect(!strcmp(maps.map[2].path, "/with\nnewline"));
	}
	maps_free(&maps);
}

static void thread_features(void)
{
	static const struct {
		const char *status;
		bool shadow_stack;
	} t[] = {
		{ "Name:\tx\nx86_Thread_features:\tshstk\nx86_Thread_features_locked:\t\n", true },
		{ "x86_Thread_features:\tshstk wrss ", true },
		{ "x86_Thread_features: wrss shstk", true },
		{ "x86_Thread_features:\t\nx86_Thread_features_locked:\tshstk wrss\n", false },
		{ "x86_Thread_features:\twrss\n", false },
		{ "x86_Thread_features:\tnoshstk shstk2\n", false },
		{ "Name:\tx86_Thread_features: shstk\n", false },
		{ "Name:\tx\nState:\tS (sleeping)\n", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		FILE *f = fmemopen((void *)t[i].status, strlen(t[i].status), "r");

		expect(status_has_shadow_stack(f) == t[i].shadow_stack, "%s", t[i].status);
		fclose(f);
	}
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{ "patterns", globs },
		{ "patterns take polynomial time", glob_is_not_exponential },
		{ "probe descriptions", descriptions },
		{ "wrong probe descriptions", wrong_descriptions },
		{ "300000 random probe descriptions", fuzzed_descriptions },
		{ "names of modules", modules },
		{ "command lines", command_lines },
		{ "/proc/PID/maps", memory_maps },
		{ "/proc/PID/status", thread_features },
	};

	return ktap_run(cases, ARRAY_SIZE(cases));
}
