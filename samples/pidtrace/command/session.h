/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * session - the kernel's side of tracing, through /dev/pidtrace
 */
#ifndef PIDTRACE_SESSION_H
#define PIDTRACE_SESSION_H

#include <stdbool.h>

#include "../pidtrace_uapi.h"
#include "plan.h"
#include "util.h"

struct session {
	int fd;			/* poll() says POLLIN when the target is gone */
	size_t nr_rows;
	bool histogram;
};

struct result {
	struct pidtrace_count *count;	/* one for each row of the plan */
	uint64_t *bucket;		/* PIDTRACE_BUCKETS for each row, or NULL */
	struct pidtrace_state state;
};

/*
 * Opens the device: fails early, with what to do, where tracing cannot work
 * at all. All of these return 0, or -1 with *@err.
 */
int session_open(struct session *s, struct error *err);

/* Names the target and reserves counters for the rows of @plan. */
int session_setup(struct session *s, const struct plan *plan, bool time, bool histogram,
		  struct error *err);

/* Puts the probes of @plan in; those that are not taken become refusals in it. */
int session_enable(struct session *s, struct plan *plan, struct error *err);

/* Does the target run another program now than the one that was probed? */
bool session_target_did_exec(const struct session *s);

/*
 * Takes all probes out and reads what was counted; free with result_free().
 * *@warning has a text if probes are still in, which end with the session.
 */
int session_finish(struct session *s, struct result *result, struct error *warning,
		   struct error *err);

void session_close(struct session *s);
void result_free(struct result *result);

#endif
