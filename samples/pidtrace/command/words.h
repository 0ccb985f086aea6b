/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * words - a command line split into words
 */
#ifndef PIDTRACE_WORDS_H
#define PIDTRACE_WORDS_H

#include "util.h"

/*
 * Splits @text at blanks. '...' keeps everything, "..." everything but \" and
 * \\, and \ the next character; nothing else is special: no variables, no
 * wildcards, no redirection. Returns a NULL-terminated array to be freed with
 * words_free(), or NULL with *@err (an open quote, no word at all).
 */
char **words_split(const char *text, struct error *err);
void words_free(char **words);

#endif
