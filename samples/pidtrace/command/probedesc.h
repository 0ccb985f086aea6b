/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * probedesc - a probe description: provider:module:function:name
 *
 * As in DTrace: the provider is pid$target, or pid and a process number; module
 * and function are shell patterns (* ? [a-z] [!a-z] and \ to quote), an empty
 * part matches everything, and with fewer than four parts the leading ones are
 * taken as empty. The name is "entry", "return", a pattern of these two, or the
 * offset of an instruction in hexadecimal. The function "-" takes the offset
 * as an address in the module, as objdump shows it.
 */
#ifndef PIDTRACE_PROBEDESC_H
#define PIDTRACE_PROBEDESC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util.h"

struct probedesc {
	char *text;		/* as the user wrote it */
	pid_t pid;		/* 0: the target, whichever that is */
	char *module;
	char *function;
	bool absolute;		/* the function is "-" */
	bool entry;
	bool ret;
	bool has_offset;	/* then neither entry nor ret */
	uint64_t offset;
};

/* Returns 0, or -1 with *@err; @desc needs probedesc_free() after success. */
int probedesc_parse(struct probedesc *desc, const char *text, struct error *err);
void probedesc_free(struct probedesc *desc);

/* Does all of @s match the shell pattern? Time is O(length * length). */
bool glob_match(const char *pattern, const char *s);

/* Does @pattern need glob_match(), or would strcmp() do? */
bool glob_is_literal(const char *pattern);

#endif
