// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * session - the kernel's side of tracing, through /dev/pidtrace
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "session.h"

enum { OLDEST_MAJOR = 6, OLDEST_MINOR = 1 };

/* Is the running kernel one that the module can be built for at all? */
static int check_kernel(struct error *err)
{
	unsigned int major = 0, minor = 0;
	struct utsname uts;

	if (uname(&uts))
		return 0;
	if (strcmp(uts.machine, "x86_64"))
		return error_set(err, "this machine is %s; tracing works on x86_64 only",
				 uts.machine);
	if (sscanf(uts.release, "%u.%u", &major, &minor) != 2)
		return 0;
	if (major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR))
		return error_set(err, "Linux %s is too old; tracing needs %d.%d or newer",
				 uts.release, OLDEST_MAJOR, OLDEST_MINOR);
	return 0;
}

static int explain_open(struct error *err)
{
	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		if (check_kernel(err))
			return -1;
		return error_set(err, "the kernel module is not loaded; as root: modprobe pidtrace");
	case EACCES:
	case EPERM:
		return error_set(err, "tracing needs root, or access to %s with CAP_PERFMON or CAP_SYS_PTRACE",
				 PIDTRACE_DEVICE);
	default:
		return error_set(err, "cannot open " PIDTRACE_DEVICE ": %s", strerror(errno));
	}
}

int session_open(struct session *s, struct error *err)
{
	*s = (struct session){ .fd = open(PIDTRACE_DEVICE, O_RDWR | O_CLOEXEC) };
	return s->fd < 0 ? explain_open(err) : 0;
}

static int explain(const char *what, const struct plan *plan, struct error *err)
{
	switch (errno) {
	case EPROTO:
	case ENOTTY:
		return error_set(err, "the loaded kernel module is of another version than this program; as root: rmmod pidtrace && modprobe pidtrace");
	case ESRCH:
		return error_set(err, "process %d is gone; ps and pgrep show what runs",
				 plan->pid);
	case E2BIG:
		return error_set(err, "too many probes for one session: %zu on %zu functions; name fewer functions",
				 plan->nr_probes, plan->nr_rows);
	case ENOMEM:
		return error_set(err, "not enough memory to %s: %zu probes on %zu functions; name fewer functions",
				 what, plan->nr_probes, plan->nr_rows);
	case EPERM:
		return error_set(err, "not allowed to trace process %d; that takes CAP_SYS_PTRACE",
				 plan->pid);
	case EBUSY:
		return error_set(err, "process %d does not let go of its memory map; the kernel log (dmesg) says more",
				 plan->pid);
	default:
		return error_set(err, "cannot %s: %s", what, strerror(errno));
	}
}

int session_setup(struct session *s, const struct plan *plan, bool time, bool histogram,
		  struct error *err)
{
	struct pidtrace_setup setup = {
		.size = sizeof(setup),
		.version = PIDTRACE_VERSION,
		.flags = (time ? PIDTRACE_TIME : 0) | (histogram ? PIDTRACE_HISTOGRAM : 0),
		.pid = plan->pid,
		.nr_functions = plan->nr_rows,
	};

	s->nr_rows = plan->nr_rows;
	s->histogram = histogram;
	if (plan->nr_rows > PIDTRACE_MAX_FUNCTIONS)
		return error_set(err, "%zu functions are too many for one session, which counts at most %u; name fewer",
				 plan->nr_rows, PIDTRACE_MAX_FUNCTIONS);
	if (ioctl(s->fd, PIDTRACE_SETUP, &setup))
		return explain("set up the session", plan, err);
	return 0;
}

static const __u32 kinds[] = {
	[PROBE_ENTRY] = PIDTRACE_ENTRY,
	[PROBE_RETURN] = PIDTRACE_RETURN,
	[PROBE_OFFSET] = PIDTRACE_OFFSET,
};

static int enable_batch(struct session *s, struct plan *plan, struct pidtrace_probe *batch,
			size_t first, size_t n, struct error *err)
{
	struct pidtrace_enable enable = {
		.size = sizeof(enable),
		.nr = n,
		.probes = (uintptr_t)batch,
	};

	memset(batch, 0, n * sizeof(*batch));
	for (size_t i = 0; i < n; i++) {
		const struct probe *probe = &plan->probe[first + i];
		const struct row *row = &plan->row[probe->row];

		batch[i].addr = probe->addr;
		batch[i].func = row->func;
		batch[i].size = row->size;
		batch[i].function = probe->row;
		batch[i].kind = kinds[probe->kind];
		batch[i].flags = row_is_timed(row) ? PIDTRACE_PAIR : 0;
	}
	if (ioctl(s->fd, PIDTRACE_ENABLE, &enable))
		return explain("enable the probes", plan, err);
	for (size_t i = 0; i < n; i++) {
		batch[i].reason[sizeof(batch[i].reason) - 1] = '\0';
		if (batch[i].error)
			plan_refuse(plan, &plan->probe[first + i],
				    batch[i].reason[0] ? (char *)batch[i].reason :
				    strerror(-batch[i].error));
	}
	return 0;
}

int session_enable(struct session *s, struct plan *plan, struct error *err)
{
	struct pidtrace_probe *batch;
	int result = 0;

	batch = xcalloc(PIDTRACE_MAX_BATCH, sizeof(*batch));
	for (size_t first = 0; first < plan->nr_probes && !result; first += PIDTRACE_MAX_BATCH) {
		size_t n = plan->nr_probes - first;

		if (n > PIDTRACE_MAX_BATCH)
			n = PIDTRACE_MAX_BATCH;
		result = enable_batch(s, plan, batch, first, n, err);
	}
	free(batch);
	return result;
}

static int read_counts(struct session *s, struct result *result)
{
	enum { CHUNK = 4096 };

	for (size_t first = 0; first < s->nr_rows; first += CHUNK) {
		struct pidtrace_read read = {
			.size = sizeof(read),
			.first = first,
			.nr = s->nr_rows - first < CHUNK ? s->nr_rows - first : CHUNK,
			.counts = (uintptr_t)&result->count[first],
		};

		if (result->bucket)
			read.buckets = (uintptr_t)&result->bucket[first * PIDTRACE_BUCKETS];
		if (ioctl(s->fd, PIDTRACE_READ, &read))
			return -1;
	}
	return 0;
}

int session_finish(struct session *s, struct result *result, struct error *warning,
		   struct error *err)
{
	*result = (struct result){ .state.size = sizeof(result->state) };
	result->count = xcalloc(s->nr_rows, sizeof(*result->count));
	if (s->histogram)
		result->bucket = xcalloc(s->nr_rows * PIDTRACE_BUCKETS, sizeof(*result->bucket));
	warning->text[0] = '\0';
	/* What was counted until now holds, whatever becomes of the probes. */
	if (ioctl(s->fd, PIDTRACE_DISABLE))
		error_set(warning, "the probes are not out yet: %s; they go with this program, see /sys/kernel/debug/xsync/fasttrap/reaper",
			  strerror(errno));
	if (ioctl(s->fd, PIDTRACE_STATE, &result->state) || read_counts(s, result)) {
		result_free(result);
		return error_set(err, "cannot read the counts: %s", strerror(errno));
	}
	return 0;
}

bool session_target_did_exec(const struct session *s)
{
	struct pidtrace_state state = { .size = sizeof(state) };

	return !ioctl(s->fd, PIDTRACE_STATE, &state) && (state.flags & PIDTRACE_TARGET_EXEC);
}

void session_close(struct session *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void result_free(struct result *result)
{
	free(result->count);
	free(result->bucket);
	*result = (struct result){ 0 };
}
