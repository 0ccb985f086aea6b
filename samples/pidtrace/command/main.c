// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * pidtrace - count and time the functions of a process
 *
 * The order of things: open the session (cheap, and says what is missing),
 * start or find the target, plan the probes, put them in while a started target
 * still waits at its entry point, let it run, wait for its end or for ^C, take
 * the probes out, report.
 *
 * Whatever ends this program ends the session with it: the kernel takes the
 * probes out, and the target runs on.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"
#include "plan.h"
#include "report.h"
#include "session.h"
#include "target.h"

enum { SHOW_REFUSED = 10 };

static int complain(const struct error *err)
{
	fprintf(stderr, "pidtrace: %s\n", err->text);
	return EXIT_TROUBLE;
}

/* The signals that end a session and not, at once, this program. */
static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void say_how_it_ended(const struct target *target, const struct options *o)
{
	int status;

	if (!target->started || waitpid(target->pid, &status, WNOHANG) != target->pid)
		return;
	if (WIFSIGNALED(status))
		fprintf(stderr, "pidtrace: the target was killed: %s\n",
			strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) || o->verbose)
		fprintf(stderr, "pidtrace: the target exited with status %d\n",
			WEXITSTATUS(status));
}

/* Until the target is gone, or somebody wants the result now. */
static void wait_for_end(const struct target *target, const struct session *session, int signals,
			 const struct options *o)
{
	struct pollfd fd[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = target->pidfd, .events = POLLIN },
		{ .fd = session->fd, .events = POLLIN },
	};

	for (;;) {
		if (poll(fd, 3, -1) < 0 && errno != EINTR)
			return;
		if (fd[1].revents) {
			say_how_it_ended(target, o);
			return;
		}
		if (fd[0].revents)
			return;
		if (!fd[2].revents)
			continue;
		/* Its image is gone; if by exit, the process is about to follow. */
		fd[2].fd = -1;
		if (!session_target_did_exec(session))
			continue;
		fputs("pidtrace: the target runs another program now (exec), which ends its probes\n",
		      stderr);
		if (!target->started)
			return;
	}
}

/* Where the result goes; opened when there is going to be one, since that empties a file. */
static FILE *open_output(const struct options *o)
{
	FILE *out = o->output ? fopen(o->output, "we") : stdout;

	if (!out)
		fprintf(stderr, "pidtrace: cannot write %s: %s\n", o->output, strerror(errno));
	return out;
}

static int close_output(FILE *out, const struct options *o)
{
	if (!fflush(out) && !ferror(out) && !fclose(out))
		return EXIT_FINE;
	fprintf(stderr, "pidtrace: cannot write the result%s%s: %s\n", o->output ? " to " : "",
		o->output ? o->output : "", strerror(errno));
	return EXIT_TROUBLE;
}

static void write_result(FILE *out, const struct plan *plan, const struct result *result,
			 const struct options *o)
{
	if (o->csv) {
		report_csv(out, plan, result);
		report_lost(stderr, result);
	} else if (o->histogram) {
		report_histograms(out, plan, result, o->top);
	} else {
		report_table(out, plan, result, o->top);
	}
}

static size_t nr_placed(const struct plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->nr_probes; i++)
		n += !plan->probe[i].refused;
	return n;
}

static bool wants_time(const struct plan *plan)
{
	for (size_t i = 0; i < plan->nr_rows; i++)
		if (row_is_timed(&plan->row[i]))
			return true;
	return false;
}

/* From the probes, which are in, to the result. */
static int trace_target(struct session *session, struct target *target, const struct plan *plan,
			FILE *out, const struct options *o)
{
	int signals = catch_signals();
	struct error err, warning;
	struct result result;

	report_summary(stderr, plan);
	if (o->verbose)
		report_refused(stderr, plan, SIZE_MAX);
	if (target_resume(target, &err))
		complain(&err);
	wait_for_end(target, session, signals, o);
	close(signals);
	if (session_finish(session, &result, &warning, &err))
		return complain(&err);
	if (warning.text[0])
		complain(&warning);
	write_result(out, plan, &result, o);
	result_free(&result);
	return EXIT_FINE;
}

/* With the session open and the target there. */
static int probe_and_trace(struct session *session, struct target *target, struct plan *plan,
			   const struct options *o)
{
	struct error err;
	int status;
	FILE *out;

	if (plan->nr_probes &&
	    (session_setup(session, plan, wants_time(plan), o->histogram, &err) ||
	     session_enable(session, plan, &err)))
		return complain(&err);
	if (!nr_placed(plan)) {
		report_nothing(stderr, plan, o->verbose);
		return EXIT_TROUBLE;
	}
	out = open_output(o);
	if (!out)
		return EXIT_TROUBLE;
	status = trace_target(session, target, plan, out, o);
	return close_output(out, o) || status ? EXIT_TROUBLE : EXIT_FINE;
}

static int list(const struct plan *plan, const struct options *o)
{
	FILE *out = open_output(o);

	if (!out)
		return EXIT_TROUBLE;
	report_list(out, plan);
	if (close_output(out, o))
		return EXIT_TROUBLE;
	report_summary(stderr, plan);
	report_refused(stderr, plan, o->verbose ? SIZE_MAX : SHOW_REFUSED);
	return EXIT_FINE;
}

static int run(struct session *session, const struct options *o)
{
	struct target target;
	struct error err;
	struct plan plan;
	int status;

	if (o->command) {
		status = target_start(&target, o->command, &err);
		if (status) {
			complain(&err);
			return status;
		}
	} else if (target_attach(&target, o->pid, &err)) {
		return complain(&err);
	}
	if (plan_make(&plan, &target, o->desc, o->nr_desc, &err))
		status = complain(&err);
	else if (o->list)
		status = list(&plan, o);
	else
		status = probe_and_trace(session, &target, &plan, o);
	target_kill(&target);
	close(target.pidfd);
	plan_free(&plan);
	return status;
}

static int open_and_run(const struct options *o)
{
	struct session session = { .fd = -1 };
	struct error err;
	int status;

	if (!o->list && session_open(&session, &err))
		return complain(&err);
	status = run(&session, o);
	session_close(&session);
	return status;
}

int main(int argc, char **argv)
{
	struct options o;
	int status;

	options_parse(&o, argc, argv);
	status = open_and_run(&o);
	options_free(&o);
	return status;
}
