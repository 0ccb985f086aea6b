// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * options - the command line
 */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

enum { KEY_TOP = 256, KEY_CSV };

const char *argp_program_version = "pidtrace 0.1";

static const struct argp_option option_list[] = {
	{ .key = 'n', .name = "name", .arg = "DESCRIPTION", .group = 1, .doc =
	"Probes to trace: provider:module:function:name, see below. May be given several times"
	},
	{ .key = 'c', .name = "command", .arg = "COMMAND", .group = 2, .doc =
	"Start COMMAND and trace it from its entry point on. It is split at blanks, with quotes as in a shell, but no shell runs it"
	},
	{ .key = 'p', .name = "pid", .arg = "PID", .group = 2, .doc =
	"Trace the running process PID until it ends or until ^C"
	},
	{ .key = 'l', .name = "list", .group = 3, .doc =
	"List what would be probed, and go no further. Needs neither the kernel module nor, for processes of your own, privilege"
	},
	{ .key = 'q', .name = "quantize", .group = 4, .doc =
	"Show how the time from entry to return is distributed, function by function, in powers of two. Probes both ends of each function that matches"
	},
	{ .key = KEY_TOP, .name = "top", .arg = "N", .group = 4, .doc =
	"Show only the N functions on top"
	},
	{ .key = KEY_CSV, .name = "csv", .group = 4, .doc =
	"Write comma-separated values: every function, also those never called"
	},
	{ .key = 'o', .name = "output", .arg = "FILE", .group = 4, .doc =
	"Write the result to FILE and not to the standard output"
	},
	{ .key = 'v', .name = "verbose", .group = 4, .doc =
	"Say of each probe that was refused why"
	},
	{ 0 }
};

static const char doc[] =
	"Count and time the functions of a process, without changing or stopping it.\n"
	"\vA probe description has four parts, as in DTrace:\n"
	"\n"
	"  provider   pid$target, or pid and a process number (pid1234)\n"
	"  module     file that is mapped: libc.so.6, libc.so, libc, or a.out for the\n"
	"             program itself\n"
	"  function   its name as in the symbol table\n"
	"  name       entry, return, or the offset of an instruction in hexadecimal\n"
	"\n"
	"Module and function are shell patterns (* ? [a-z] [!a-z]). An empty part\n"
	"means everything; leading parts may be left out. Quote a description, or\n"
	"the shell expands $target and the patterns.\n"
	"\n"
	"Examples:\n"
	"  pidtrace -n 'pid$target:libsqlite3*:sqlite3_*:entry' -c 'sqlite3 my.db'\n"
	"  pidtrace -n 'pid$target:libc:malloc:' -p 1234      calls, returns and times\n"
	"  pidtrace -q -n 'pid$target:libc:read' -p 1234      how the times spread\n"
	"  pidtrace -l -n 'pid$target:a.out::' -c /bin/ls     what could be probed\n"
	"\n"
	"Exit status: 0 traced; 1 something went wrong, and one line says what; 2 wrong\n"
	"usage; 126 or 127 the COMMAND cannot be run or found. The status of the\n"
	"target itself is only reported.";

static void add_description(struct options *o, const char *text, struct argp_state *state)
{
	struct error err;

	o->desc = array_grow(o->desc, o->nr_desc, &o->cap_desc, sizeof(*o->desc));
	if (probedesc_parse(&o->desc[o->nr_desc], text, &err))
		argp_error(state, "%s", err.text);
	o->nr_desc++;
}

static long parse_number(const char *text, const char *what, struct argp_state *state)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || n < 1 || n > INT_MAX)
		argp_error(state, "'%s' is no %s", text, what);
	return n;
}

/* The target may also be named in the descriptions: pid1234. */
static void find_target(struct options *o, struct argp_state *state)
{
	if (o->command && o->pid)
		argp_error(state, "give either -c or -p, not both");
	for (size_t i = 0; i < o->nr_desc && !o->command && !o->pid; i++)
		o->pid = o->desc[i].pid;
	if (!o->command && !o->pid)
		argp_error(state, "say what to trace: -c COMMAND or -p PID");
}

static void check(struct options *o, struct argp_state *state)
{
	if (!o->nr_desc)
		argp_error(state, "say what to probe, for example -n 'pid$target:a.out::entry'");
	find_target(o, state);
	if (o->histogram && o->list)
		argp_error(state, "-l traces nothing, so -q has no meaning with it");
	if (o->histogram && o->csv && o->top)
		argp_error(state, "--csv writes every function, so --top has no meaning with it");
	for (size_t i = 0; i < o->nr_desc && o->histogram; i++) {
		if (o->desc[i].has_offset)
			argp_error(state, "-q is about functions, but '%s' is one instruction",
				   o->desc[i].text);
		o->desc[i].entry = true;
		o->desc[i].ret = true;
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'n':
		add_description(o, arg, state);
		break;
	case 'c':
		o->command = arg;
		break;
	case 'p':
		o->pid = parse_number(arg, "process number", state);
		break;
	case 'l':
		o->list = true;
		break;
	case 'q':
		o->histogram = true;
		break;
	case 'o':
		o->output = arg;
		break;
	case 'v':
		o->verbose = true;
		break;
	case KEY_TOP:
		o->top = parse_number(arg, "number of functions", state);
		break;
	case KEY_CSV:
		o->csv = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is not expected; put the whole command into quotes: -c 'COMMAND ARGUMENT'",
			   arg);
		break;
	case ARGP_KEY_END:
		check(o, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

void options_parse(struct options *options, int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list,
		.parser = parse_option,
		.args_doc = "-n DESCRIPTION... {-c COMMAND | -p PID}",
		.doc = doc,
	};

	*options = (struct options){ 0 };
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, options);
}

void options_free(struct options *options)
{
	for (size_t i = 0; i < options->nr_desc; i++)
		probedesc_free(&options->desc[i]);
	free(options->desc);
}
