/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * options - the command line
 */
#ifndef PIDTRACE_OPTIONS_H
#define PIDTRACE_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

#include "probedesc.h"

enum exit_status {
	EXIT_FINE = 0,
	EXIT_TROUBLE = 1,
	EXIT_USAGE = 2,
};

struct options {
	struct probedesc *desc;
	size_t nr_desc;
	size_t cap_desc;
	const char *command;	/* or else */
	pid_t pid;
	bool list;
	bool histogram;
	bool csv;
	bool verbose;
	size_t top;		/* 0: all */
	const char *output;	/* NULL: stdout */
};

/* Ends the program with EXIT_USAGE and a message if anything is wrong. */
void options_parse(struct options *options, int argc, char **argv);
void options_free(struct options *options);

#endif
