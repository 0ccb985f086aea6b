/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * util - allocation that cannot fail, and error messages
 *
 * A function that can fail returns a negative number and leaves one line for
 * the user in a struct error; only main.c prints and exits.
 */
#ifndef PIDTRACE_UTIL_H
#define PIDTRACE_UTIL_H

#include <stddef.h>
#include <stdint.h>

struct error {
	char text[512];
};

/* Fills in @err; always returns -1, so that a caller can return it. */
int error_set(struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* These end the program with a message when there is no memory. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Room for one more in an array that grows by doubling: @n elements are in
 * use, *@cap fit. Returns the array, which may have moved.
 */
void *array_grow(void *array, size_t n, size_t *cap, size_t size);

/* Part of a path after the last slash. */
const char *base_name(const char *path);

#endif
