// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of fasttrap with real processes: traces TARGET through the consumer in
 * xsync_fasttrap_test.ko and prints KTAP.
 *
 *   drive TARGET TEST-MODULE [CASE-GLOB]
 *
 * Each case starts from nothing: no session, no probe, the reaper idle; and ends
 * there, which is checked after each. Lines "# ..." before a result say what was
 * seen. Waits end after a limit that only a hang exceeds.
 *
 * In the environment: XSYNC_FASTTRAP_SMALL for slow kernels, a fifth of the
 * probes; XSYNC_SOAK for ten times the rounds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEBUGFS		"/sys/kernel/debug/xsync/"
#define SESSION		DEBUGFS "trigger/fasttrap_session"
#define REAPER		DEBUGFS "fasttrap/reaper"
#define PROVIDERS	DEBUGFS "fasttrap/providers"
#define PROBES		DEBUGFS "fasttrap/probes"
#define TRACEFS		"/sys/kernel/tracing/"

/* enum xfasttrap_reason, by number */
enum {
	OK, BAD_SPEC, NOT_MAPPED, NOT_TEXT, NOT_A_RETURN, FOREIGN_BREAKPOINT,
	UNSUPPORTED, NO_MEMORY, TARGET_GONE, LIMIT_REACHED, NOT_INSTALLED, ABORTED,
};

static const char *target_path, *test_module;
static bool failed;
static int rounds = 1, fraction = 1;

#define EXPECT(cond)	expect(cond, #cond, __LINE__)
#define EXPECT_EQ(a, b)	expect_eq(a, b, #a, #b, __LINE__)

static bool expect(bool held, const char *text, int line)
{
	if (!held) {
		printf("# line %d: not true: %s\n", line, text);
		failed = true;
	}
	return held;
}

static bool expect_eq(long a, long b, const char *at, const char *bt, int line)
{
	if (a != b) {
		printf("# line %d: %s is %ld, not %s (%ld)\n", line, at, a, bt, b);
		failed = true;
	}
	return a == b;
}

static void die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	printf("Bail out! ");
	vprintf(fmt, ap);
	printf(": %s\n", strerror(err));
	va_end(ap);
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* How long to wait for what must come; a busted build's may never. */
static double patience(void)
{
	const char *seconds = getenv("XSYNC_PATIENCE");

	return seconds ? atof(seconds) : 120;
}

#define WAIT(cond) ({							\
	double end_ = now() + patience();				\
	bool held_;							\
									\
	while (!(held_ = (cond)) && now() < end_)			\
		usleep(1000);						\
	expect(held_, "did not become true: " #cond, __LINE__);		\
})

/* --- files ---------------------------------------------------------------- */

static char *slurp(const char *path)
{
	static char buf[4 << 20];
	int fd = open(path, O_RDONLY);
	ssize_t got, len = 0;

	if (fd < 0)
		die("open %s", path);
	while ((got = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += got;
	close(fd);
	buf[len] = '\0';
	return buf;
}

static int spill(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text));
	ret = ret < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static const char *fasttrap_param(const char *name)
{
	static const char *const modules[] = { "xsync_fasttrap", "xsync_fasttrap_busted" };
	static char path[128];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", modules[i], name);
		if (!access(path, F_OK))
			return path;
	}
	die("no parameter %s", name);
	return NULL;
}

static void set_param(const char *name, const char *value, char *old, size_t size)
{
	const char *path = fasttrap_param(name);

	snprintf(old, size, "%s", slurp(path));
	if (spill(path, value))
		die("%s", path);
}

static bool reaper_idle(void)
{
	static const char idle[] = "pending 0 sessions, 0 probes,";

	return !strncmp(slurp(REAPER), idle, sizeof(idle) - 1);
}

static bool says(const char *path, const char *text)
{
	return strstr(slurp(path), text);
}

static long nr_stranded(void)
{
	char *at = strstr(slurp(REAPER), "stranded ");

	return at ? atol(at + 9) : -1;
}

static int lines_in(const char *path)
{
	int n = 0;

	for (char *p = slurp(path); (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

/* --- targets -------------------------------------------------------------- */

struct target {
	pid_t pid;
	FILE *to, *from;
	unsigned long start, stride, ret;
	long count, spin;
	char hello[1024];
};

static void vsend_line(struct target *t, const char *fmt, va_list ap)
{
	vfprintf(t->to, fmt, ap);
	fputc('\n', t->to);
	fflush(t->to);
}

static void send_line(struct target *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsend_line(t, fmt, ap);
	va_end(ap);
}

static char *read_line(struct target *t)
{
	static char line[1024];

	if (!fgets(line, sizeof(line), t->from))
		snprintf(line, sizeof(line), "(gone)");
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static char *ask(struct target *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsend_line(t, fmt, ap);
	va_end(ap);
	return read_line(t);
}

#define EXPECT_SAID(what, ...)	expect_said(what, ask(__VA_ARGS__), __LINE__)

static void expect_said(const char *what, const char *said, int line)
{
	if (!strcmp(said, what))
		return;
	printf("# line %d: the target said %s, not %s\n", line, said, what);
	failed = true;
}

static void read_hello(struct target *t, const char *line)
{
	snprintf(t->hello, sizeof(t->hello), "%s", line);
	if (sscanf(line, "pid %*d start %lx count %ld stride %lu ret %lu spin %ld",
		   &t->start, &t->count, &t->stride, &t->ret, &t->spin) != 5)
		die("the target said: %s", line);
	t->count /= fraction;
	t->spin /= fraction;
}

static void start_target(struct target *t)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		die("pipe");
	t->pid = fork();
	if (!t->pid) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		execl(target_path, target_path, NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	t->to = fdopen(to[1], "w");
	t->from = fdopen(from[0], "r");
	read_hello(t, read_line(t));
}

/* Returns the status. */
static int end_target(struct target *t)
{
	int status;

	fclose(t->to);
	waitpid(t->pid, &status, 0);
	fclose(t->from);
	return status;
}

static unsigned long odd(struct target *t, const char *name)
{
	char key[32], *at;

	snprintf(key, sizeof(key), " %s 0x", name);
	at = strstr(t->hello, key);
	if (!at)
		die("the target has no %s", name);
	return strtoul(at + strlen(key), NULL, 16);
}

/* --- sessions ------------------------------------------------------------- */

static char command[4 << 20];
static size_t command_len;

static int open_session(void)
{
	int fd = open(SESSION, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("open %s", SESSION);
	return fd;
}

static void add(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	command_len += vsnprintf(command + command_len, sizeof(command) - command_len,
				 fmt, ap);
	va_end(ap);
}

static void begin_enable(pid_t pid)
{
	command_len = 0;
	add("enable %d\n", pid);
}

static char *answer(int fd)
{
	static char buf[4 << 20];
	ssize_t got, len = 0;

	while ((got = pread(fd, buf + len, sizeof(buf) - 1 - len, len)) > 0)
		len += got;
	buf[len] = '\0';
	return buf;
}

/* Returns the result, or the negative errno of the write. */
static long send_command(int fd)
{
	if (write(fd, command, command_len) < 0)
		return -errno;
	return atol(answer(fd));
}

static long tell(int fd, const char *text)
{
	command_len = 0;
	add("%s", text);
	return send_command(fd);
}

static long field(int fd, const char *name)
{
	char *at;

	tell(fd, "stat");
	at = strstr(answer(fd), name);
	return at ? atol(at + strlen(name) + 1) : -1;
}

static long count_of(int fd, long cookie)
{
	long key, count;
	int used;

	tell(fd, "counts");
	for (char *p = answer(fd); sscanf(p, "%ld %ld\n%n", &key, &count, &used) == 2; p += used) {
		if (key == cookie)
			return count;
	}
	return 0;
}

/* The reason of the n-th specification. */
static int reason_of(int fd, int n)
{
	int reason = -1;
	char *p = answer(fd);

	for (; p && n >= 0; n--) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	if (p)
		sscanf(p, "%*u %*d %d", &reason);
	return reason;
}

static void add_entry(struct target *t, long i, long cookie)
{
	unsigned long fn = t->start + i * t->stride;

	add("entry %#lx %#lx %lu %ld\n", fn, fn, t->stride, cookie);
}

static void add_return(struct target *t, long i, long cookie)
{
	unsigned long fn = t->start + i * t->stride;

	add("return %#lx %#lx %lu %ld\n", fn + t->ret, fn, t->stride, cookie);
}

static long enable_entries(int fd, struct target *t, long first, long n)
{
	begin_enable(t->pid);
	for (long i = first; i < first + n; i++)
		add_entry(t, i, i);
	return send_command(fd);
}

static long enable_both(int fd, struct target *t, long n)
{
	begin_enable(t->pid);
	for (long i = 0; i < n; i++) {
		add_entry(t, i, i);
		add_return(t, i, t->count + i);
	}
	return send_command(fd);
}

/* --- cases: hits ---------------------------------------------------------- */

static void entry_counts_are_exact(struct target *t)
{
	int fd = open_session();

	EXPECT_EQ(enable_entries(fd, t, 0, 20), 20);
	EXPECT_EQ(field(fd, "enabled"), 20);
	for (long i = 0; i < 20; i++)
		EXPECT_SAID("ok", t, "call %ld %ld", i, i + 1);
	for (long i = 0; i < 20; i++)
		EXPECT_EQ(count_of(fd, i), i + 1);
	EXPECT_EQ(field(fd, "hits"), 210);
	close(fd);
}

static void return_counts_are_exact(struct target *t)
{
	int fd = open_session();

	EXPECT_EQ(enable_both(fd, t, 20), 40);
	for (long i = 0; i < 20; i++)
		EXPECT_SAID("ok", t, "call %ld %ld", i, 1000 + i);
	for (long i = 0; i < 20; i++) {
		EXPECT_EQ(count_of(fd, i), 1000 + i);
		EXPECT_EQ(count_of(fd, t->count + i), 1000 + i);
	}
	close(fd);
}

static void odd_returns_and_offsets(struct target *t)
{
	int fd = open_session();

	begin_enable(t->pid);
	add("return %#lx %#lx 3 1\n", odd(t, "retimm"), odd(t, "retimm"));
	add("return %#lx %#lx 2 2\n", odd(t, "repret"), odd(t, "repret"));
	add("return %#lx %#lx 2 3\n", odd(t, "bndret"), odd(t, "bndret"));
	add("offset %#lx %#lx 16 4\n", t->start + 1, t->start);
	EXPECT_EQ(send_command(fd), 4);
	EXPECT_SAID("ok", t, "odd 7");
	EXPECT_SAID("ok", t, "call 0 7");
	for (long i = 1; i <= 4; i++)
		EXPECT_EQ(count_of(fd, i), 7);
	close(fd);
}

static void threads_hit_exactly(struct target *t)
{
	int fd = open_session();

	begin_enable(t->pid);
	add_entry(t, 6, 6);
	add_return(t, 6, 106);
	EXPECT_EQ(send_command(fd), 2);
	EXPECT_SAID("ok", t, "threads 8 6 500");
	EXPECT_EQ(count_of(fd, 6), 4000);
	EXPECT_EQ(count_of(fd, 106), 4000);
	close(fd);
}

static void sessions_share_tracepoints(struct target *t)
{
	int a = open_session(), b = open_session();

	EXPECT_EQ(enable_entries(a, t, 0, 100), 100);
	EXPECT_EQ(enable_entries(b, t, 50, 100), 100);
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(a, "hits"), 100);
	EXPECT_EQ(field(b, "hits"), 100);
	EXPECT_EQ(tell(a, "disable"), 100);
	EXPECT_SAID("differs at 800", t, "text");
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(a, "hits"), 100);
	EXPECT_EQ(field(b, "hits"), 200);
	close(b);
	WAIT(reaper_idle());
	EXPECT_SAID("same", t, "text");
	close(a);
}

static void two_targets_of_one_file(struct target *t)
{
	struct target other;
	int fd = open_session();

	start_target(&other);
	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	begin_enable(other.pid);
	for (long i = 5; i < 15; i++)
		add_entry(&other, i, 100 + i);
	EXPECT_EQ(send_command(fd), 10);
	EXPECT_SAID("ok", t, "all 2");
	EXPECT_SAID("ok", &other, "all 3");
	EXPECT_EQ(count_of(fd, 7), 2);
	EXPECT_EQ(count_of(fd, 107), 3);
	EXPECT_EQ(field(fd, "hits"), 20 + 30);
	end_target(&other);
	WAIT(field(fd, "retired") == 10);
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(fd, "hits"), 30 + 30);
	close(fd);
}

/* --- cases: taking probes out --------------------------------------------- */

static void disable_restores_the_text(struct target *t)
{
	int fd = open_session();

	EXPECT_SAID("same", t, "text");
	EXPECT_EQ(enable_entries(fd, t, 10, 300), 300);
	EXPECT_SAID("differs at 160", t, "text");
	EXPECT_SAID("ok", t, "call 10 5");
	EXPECT_EQ(tell(fd, "disable"), 300);
	EXPECT_SAID("same", t, "text");
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(count_of(fd, 10), 5);
	EXPECT_EQ(field(fd, "hits"), 5);
	EXPECT_EQ(field(fd, "enabled"), 0);
	/* and again, in the same session */
	EXPECT_EQ(enable_entries(fd, t, 10, 300), 300);
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(fd, "hits"), 305);
	close(fd);
}

static void disable_by_id(struct target *t)
{
	int fd = open_session();
	long id;

	EXPECT_EQ(enable_entries(fd, t, 0, 3), 3);
	if (sscanf(answer(fd), "%*d\n%*d %*d %*d\n%ld", &id) != 1)
		die("no id in: %s", answer(fd));
	command_len = 0;
	add("disable %ld %ld 777", id, id);
	EXPECT_EQ(send_command(fd), 1);
	EXPECT_SAID("ok", t, "all 2");
	EXPECT_EQ(count_of(fd, 0), 2);
	EXPECT_EQ(count_of(fd, 1), 0);
	EXPECT_EQ(count_of(fd, 2), 2);
	close(fd);
}

static void close_takes_everything_out(struct target *t)
{
	int fd = open_session();

	EXPECT_EQ(enable_entries(fd, t, 0, t->count), t->count);
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(fd, "hits"), t->count);
	close(fd);
	WAIT(reaper_idle());
	EXPECT_SAID("same", t, "text");
	EXPECT_SAID("ok", t, "all 1");
}

static void enable_and_disable_under_fire(struct target *t)
{
	int fd = open_session();

	EXPECT_SAID("ok", t, "spin %d", 8 / fraction);
	for (int round = 0; round < 5 * rounds; round++) {
		long before = field(fd, "hits");

		EXPECT_EQ(enable_both(fd, t, t->spin), 2 * t->spin);
		WAIT(field(fd, "hits") > before);
		EXPECT_EQ(tell(fd, "disable"), 2 * t->spin);
		before = field(fd, "hits");
		EXPECT_EQ(field(fd, "hits"), before);
	}
	EXPECT(atol(ask(t, "stop")) > 0);
	EXPECT_SAID("same", t, "text");
	close(fd);
}

static void close_under_fire(struct target *t)
{
	EXPECT_SAID("ok", t, "spin %d", 8 / fraction);
	for (int round = 0; round < 3 * rounds; round++) {
		int fd = open_session();

		EXPECT_EQ(enable_entries(fd, t, 0, t->spin), t->spin);
		WAIT(field(fd, "hits") > 0);
		close(fd);
	}
	WAIT(reaper_idle());
	EXPECT(atol(ask(t, "stop")) > 0);
	EXPECT_SAID("same", t, "text");
}

/* On one CPU, or -1: on all. */
static void pin(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < 64; i++) {
		if (cpu < 0 || i == cpu)
			CPU_SET(i, &set);
	}
	if (sched_setaffinity(pid, sizeof(set), &set))
		die("cpu %d", cpu);
}

/*
 * target:  | in the hit, until disable returned, or 300 ms from its begin |
 * driver:         | disable ............................................... | returned
 */
static void disable_waits_for_a_hit(struct target *t, bool shared)
{
	int a = open_session(), b = open_session();

	/* A held hit keeps its CPU for itself. */
	pin(0, 0);
	pin(t->pid, 1);
	EXPECT_EQ(enable_entries(a, t, 0, 1), 1);
	if (shared)
		EXPECT_EQ(enable_entries(b, t, 0, 1), 1);
	tell(a, "hold");
	send_line(t, "call 0 1");
	WAIT(field(a, "inside") == 1);
	EXPECT_EQ(tell(a, "disable"), 1);
	EXPECT_EQ(field(a, "inside"), 0);
	EXPECT(!strcmp(read_line(t), "ok"));
	EXPECT_EQ(field(a, "overlap"), 0);
	pin(0, -1);
	close(a);
	close(b);
}

static void disable_waits_for_hits(struct target *t)
{
	disable_waits_for_a_hit(t, false);
}

/* The breakpoint stays: only the layer's own grace period stands between. */
static void disable_waits_for_hits_when_shared(struct target *t)
{
	disable_waits_for_a_hit(t, true);
}

/* --- cases: the end of targets -------------------------------------------- */

static void killed_target_is_retired(struct target *t)
{
	int fd = open_session();
	long n = t->count / 5;

	EXPECT_EQ(enable_entries(fd, t, 0, n), n);
	EXPECT_SAID("ok", t, "spin %d", 8 / fraction);
	kill(t->pid, SIGKILL);
	EXPECT(WIFSIGNALED(end_target(t)));
	WAIT(field(fd, "exit") == 1);
	WAIT(field(fd, "retired") == n);
	EXPECT_EQ(field(fd, "exec"), 0);
	EXPECT_EQ(field(fd, "enabled"), 0);
	WAIT(!lines_in(PROVIDERS));
	close(fd);
	WAIT(reaper_idle());
	start_target(t);
}

static void target_killed_while_enabling(struct target *t)
{
	int fd = open_session(), status;
	pid_t killer = fork();
	long n, left;

	if (!killer) {
		while (!says(PROVIDERS, "state live"))
			usleep(100);
		kill(t->pid, SIGKILL);
		_exit(0);
	}
	n = enable_both(fd, t, t->count);
	left = n < 0 ? 0 : n;
	waitpid(killer, &status, 0);
	EXPECT(n == -ESRCH || (n > 0 && n <= 2 * t->count));
	if (n > 0 && n < 2 * t->count)
		EXPECT_EQ(reason_of(fd, 2 * t->count - 1), TARGET_GONE);
	end_target(t);
	WAIT(field(fd, "retired") == left);
	WAIT(!lines_in(PROVIDERS));
	close(fd);
	WAIT(reaper_idle());
	start_target(t);
}

static void exec_retires(struct target *t)
{
	int fd = open_session();
	long n = t->count / 5;

	EXPECT_EQ(enable_entries(fd, t, 0, n), n);
	read_hello(t, ask(t, "exec"));
	WAIT(field(fd, "exec") == 1);
	WAIT(field(fd, "retired") == n);
	EXPECT_EQ(field(fd, "exit"), 0);
	EXPECT_SAID("same", t, "text");
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(fd, "hits"), 0);
	/* The new image can be traced by the same session. */
	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	EXPECT_SAID("ok", t, "call 3 3");
	EXPECT_EQ(count_of(fd, 3), 3);
	close(fd);
}

static void forked_child_is_not_traced(struct target *t)
{
	int fd = open_session();

	EXPECT_EQ(enable_both(fd, t, 10), 20);
	EXPECT_SAID("exit 0", t, "fork 4 100");
	EXPECT_EQ(field(fd, "hits"), 0);
	EXPECT_SAID("ok", t, "call 4 3");
	EXPECT_EQ(count_of(fd, 4), 3);
	EXPECT_EQ(count_of(fd, t->count + 4), 3);
	close(fd);
	WAIT(reaper_idle());
	EXPECT_SAID("exit 0", t, "fork 4 100");
}

static void shared_memory_counts_as_the_target(struct target *t)
{
	int fd = open_session();

	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	EXPECT_SAID("exit 0", t, "vfork 4 9");
	EXPECT_EQ(count_of(fd, 4), 9);
	EXPECT_EQ(field(fd, "exec"), 0);
	EXPECT_EQ(field(fd, "exit"), 0);
	close(fd);
}

/* A process beside the target's first; a byte that is written to it makes it call. */
static int start_child(struct target *t, const char *how, pid_t *pid)
{
	char path[64];
	int other_end;

	if (sscanf(ask(t, how), "%d %d", pid, &other_end) != 2)
		die("%s", how);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", *pid, other_end);
	return open(path, O_WRONLY | O_CLOEXEC);
}

/* What fork copied are our own breakpoints, not somebody else's. */
static void forked_child_can_be_a_target(struct target *t)
{
	int fd = open_session(), to;
	pid_t twin;

	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	to = start_child(t, "twin 5 7", &twin);
	begin_enable(twin);
	for (long i = 0; i < 10; i++)
		add_entry(t, i, 100 + i);
	EXPECT_EQ(send_command(fd), 10);
	EXPECT_EQ(write(to, "x", 1), 1);
	WAIT(count_of(fd, 105) == 7);
	EXPECT_EQ(count_of(fd, 5), 0);
	EXPECT_SAID("ok", t, "call 5 3");
	EXPECT_EQ(count_of(fd, 5), 3);
	EXPECT_EQ(count_of(fd, 105), 7);
	kill(twin, SIGKILL);
	WAIT(field(fd, "retired") == 10);
	close(to);
	close(fd);
	WAIT(reaper_idle());
}

/*
 * target exits -> its memory lives on in another process -> hits count on, and
 * the reaper says what it waits for -> that one exits -> retired
 */
static void memory_outlives_the_process(struct target *t)
{
	int fd = open_session(), to;
	pid_t other;

	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	to = start_child(t, "share 5 7", &other);
	end_target(t);
	WAIT(says(REAPER, "its memory is in use"));
	EXPECT(says(PROVIDERS, "state exited"));
	EXPECT_EQ(write(to, "x", 1), 1);
	WAIT(count_of(fd, 5) == 7);
	EXPECT_EQ(field(fd, "exit"), 0);
	kill(other, SIGKILL);
	WAIT(field(fd, "exit") == 1);
	WAIT(field(fd, "retired") == 10);
	close(to);
	close(fd);
	WAIT(reaper_idle());
	start_target(t);
}

static void leader_that_exits_first_ends_nothing(struct target *t)
{
	int fd = open_session();
	char path[64];

	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	EXPECT_SAID("ok", t, "leader");
	snprintf(path, sizeof(path), "/proc/%d/stat", t->pid);
	WAIT(says(path, ") Z "));
	EXPECT_SAID("ok", t, "call 2 5");
	EXPECT_EQ(count_of(fd, 2), 5);
	EXPECT_EQ(enable_entries(fd, t, 20, 10), 10);
	EXPECT_SAID("ok", t, "call 22 5");
	EXPECT_EQ(count_of(fd, 22), 5);
	EXPECT_EQ(field(fd, "exit"), 0);
	end_target(t);
	WAIT(field(fd, "exit") == 1);
	WAIT(field(fd, "retired") == 20);
	close(fd);
	WAIT(reaper_idle());
	start_target(t);
}

/* --- cases: the end of tracers -------------------------------------------- */

static bool probes_reach(long n)
{
	char *at = strstr(slurp(PROVIDERS), " probes ");

	return at && atol(at + 8) >= n;
}

static bool nothing_left(void)
{
	return reaper_idle() && !lines_in(PROVIDERS) && !lines_in(PROBES);
}

static void tracer_killed_while_enabling(struct target *t)
{
	static const int permille[] = { 0, 20, 200, 600, 980 };
	int status;

	for (int k = 0; k < 5 * rounds; k++) {
		pid_t tracer = fork();

		if (!tracer) {
			int fd = open_session();

			enable_both(fd, t, t->count);
			pause();
		}
		WAIT(probes_reach(1 + 2 * t->count * permille[k % 5] / 1000));
		kill(tracer, SIGKILL);
		waitpid(tracer, &status, 0);
		EXPECT(WIFSIGNALED(status));
		WAIT(nothing_left());
		EXPECT_SAID("same", t, "text");
	}
	EXPECT_SAID("ok", t, "all 1");
}

static void tracer_killed_while_disabling(struct target *t)
{
	for (int k = 0; k < 3 * rounds; k++) {
		int status, ready[2];
		pid_t tracer;
		char byte;

		if (pipe(ready))
			die("pipe");
		tracer = fork();
		if (!tracer) {
			int fd = open_session();

			if (enable_entries(fd, t, 0, t->count) != t->count ||
			    write(ready[1], "x", 1) != 1)
				_exit(1);
			tell(fd, "disable");
			pause();
		}
		EXPECT_EQ(read(ready[0], &byte, 1), 1);
		WAIT(!probes_reach(t->count - t->count / 10 * (k % 5)));
		kill(tracer, SIGKILL);
		waitpid(tracer, &status, 0);
		EXPECT(WIFSIGNALED(status));
		WAIT(nothing_left());
		EXPECT_SAID("same", t, "text");
		close(ready[0]);
		close(ready[1]);
	}
}

/* A child inherits the descriptor; the session ends all the same. */
static void opener_exit_ends_the_session(struct target *t)
{
	int status, hold[2], say[2];
	pid_t tracer;
	char byte;

	if (pipe2(hold, O_CLOEXEC) || pipe2(say, O_CLOEXEC))
		die("pipe");
	tracer = fork();
	if (!tracer) {
		int fd = open_session();

		if (enable_entries(fd, t, 0, 500) != 500)
			_exit(1);
		if (fork())
			_exit(0);
		/* Until the driver lets go, then one more request. */
		close(hold[1]);
		if (read(hold[0], &byte, 1) < 0)
			_exit(2);
		byte = tell(fd, "disable") == -ESHUTDOWN ? 'y' : 'n';
		_exit(write(say[1], &byte, 1) != 1);
	}
	waitpid(tracer, &status, 0);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
	WAIT(nothing_left());
	EXPECT_SAID("same", t, "text");
	close(hold[0]);
	close(hold[1]);
	EXPECT(read(say[0], &byte, 1) == 1 && byte == 'y');
	close(say[0]);
	close(say[1]);
}

static void module_goes_with_sessions_open(struct target *t)
{
	int fd = open_session();
	long n = t->count / 5;
	char cmd[512];

	EXPECT_SAID("ok", t, "spin %d", 8 / fraction);
	EXPECT_EQ(enable_entries(fd, t, 0, n), n);
	tell(fd, "detach");
	close(fd);
	EXPECT_EQ(lines_in(PROBES), n);
	EXPECT_EQ(system("rmmod xsync_fasttrap_test"), 0);
	EXPECT(nothing_left());
	EXPECT(atol(ask(t, "stop")) > 0);
	EXPECT_SAID("same", t, "text");
	snprintf(cmd, sizeof(cmd), "insmod '%s'", test_module);
	EXPECT_EQ(system(cmd), 0);
}

static void tracers_come_and_go(struct target *t)
{
	int fd = open_session(), status;
	pid_t other;

	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	other = fork();
	if (!other)
		_exit(enable_entries(open_session(), t, 5, 10) != 10);
	waitpid(other, &status, 0);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
	WAIT(reaper_idle());
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(fd, "hits"), 10);
	EXPECT_EQ(tell(fd, "disable"), 10);
	EXPECT_SAID("same", t, "text");
	close(fd);
}

/* --- cases: refusals ------------------------------------------------------ */

static unsigned long stack_of(pid_t pid)
{
	char path[64], *at;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	at = strstr(slurp(path), "[stack]");
	while (at && at[-1] != '\n')
		at--;
	return at ? strtoul(at, NULL, 16) : 0;
}

static void bad_specifications_have_reasons(struct target *t)
{
	static const char *const unsupported[] = {
		"syscall", "sysenter", "int", "pushf", "rep", "xbegin", "lock",
	};
	const int nr = sizeof(unsupported) / sizeof(*unsupported);
	unsigned long fn = t->start, stack = stack_of(t->pid), shared;
	int fd = open_session(), n;

	shared = strtoul(ask(t, "shared"), NULL, 16);
	begin_enable(t->pid);
	add("entry %#lx %#lx 16 0\n", fn + 1, fn);
	add("return %#lx %#lx 16 0\n", fn + 16, fn);
	add("offset %#lx %#lx 16 0\n", fn - 1, fn);
	add("bogus %#lx %#lx 16 0\n", fn, fn);
	add("offset 0xffffffff81000000 0xffffffff81000000 16 0\n");
	add("entry %#lx %#lx 0 0\n", fn, fn);			/* 5 */
	add("entry 0x1000 0x1000 16 0\n");
	add("entry %#lx %#lx 16 0\n", stack, stack);
	add("entry %#lx %#lx 16 0\n", shared, shared);
	add("return %#lx %#lx 16 0\n", fn + 1, fn);
	add("entry %#lx %#lx 2 0\n", odd(t, "int3"), odd(t, "int3"));
	for (int i = 0; i < nr; i++)				/* 11 ... */
		add("entry %#lx %#lx 8 0\n", odd(t, unsupported[i]), odd(t, unsupported[i]));
	add("entry %#lx %#lx 16 0\n", fn, fn);
	EXPECT_EQ(send_command(fd), 1);
	for (n = 0; n <= 5; n++)
		EXPECT_EQ(reason_of(fd, n), BAD_SPEC);
	EXPECT_EQ(reason_of(fd, 6), NOT_MAPPED);
	EXPECT_EQ(reason_of(fd, 7), NOT_TEXT);
	EXPECT_EQ(reason_of(fd, 8), NOT_TEXT);
	EXPECT_EQ(reason_of(fd, 9), NOT_A_RETURN);
	EXPECT_EQ(reason_of(fd, 10), FOREIGN_BREAKPOINT);
	for (n = 11; n < 11 + nr; n++)
		EXPECT_EQ(reason_of(fd, n), UNSUPPORTED);
	EXPECT_EQ(reason_of(fd, n), OK);
	/* On an instruction that has a tracepoint the original bytes count. */
	begin_enable(t->pid);
	add("return %#lx %#lx 16 0\n", fn, fn);
	EXPECT_EQ(send_command(fd), 0);
	EXPECT_EQ(reason_of(fd, 0), NOT_A_RETURN);
	EXPECT_EQ(tell(fd, "disable"), 1);
	EXPECT_SAID("same", t, "text");
	close(fd);
}

static void limits_are_kept(struct target *t)
{
	static const char *const names[] = { "max_session", "max_total", "max_inode" };
	char old[32], ten[32];

	for (int k = 0; k < 3; k++) {
		int fd = open_session();

		set_param(names[k], "10", old, sizeof(old));
		EXPECT_EQ(enable_entries(fd, t, 0, 9), 9);
		EXPECT_EQ(enable_entries(fd, t, 9, 6), 1);
		EXPECT_EQ(reason_of(fd, 0), OK);
		EXPECT_EQ(reason_of(fd, 1), LIMIT_REACHED);
		EXPECT_EQ(reason_of(fd, 2), ABORTED);
		EXPECT_EQ(tell(fd, "disable"), 10);
		/* What was given back can be used again. */
		EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
		EXPECT_EQ(enable_entries(fd, t, 10, 11), k ? 0 : -E2BIG);
		set_param(names[k], old, ten, sizeof(ten));
		close(fd);
		WAIT(nothing_left());
	}
}

/* Each hit goes through all probes of an instruction with preemption off. */
static void sharing_is_limited(struct target *t)
{
	enum { SHARED = 64 };
	int fd = open_session();

	begin_enable(t->pid);
	for (int n = 0; n <= SHARED; n++)
		add_entry(t, 3, n);
	EXPECT_EQ(send_command(fd), SHARED);
	EXPECT_EQ(reason_of(fd, SHARED - 1), OK);
	EXPECT_EQ(reason_of(fd, SHARED), LIMIT_REACHED);
	EXPECT_SAID("ok", t, "call 3 2");
	EXPECT_EQ(count_of(fd, 0), 2);
	EXPECT_EQ(count_of(fd, SHARED - 1), 2);
	EXPECT_EQ(field(fd, "hits"), 2 * SHARED);
	EXPECT_EQ(tell(fd, "disable"), SHARED);
	EXPECT_SAID("same", t, "text");
	close(fd);
}

static void processes_that_are_not_there(struct target *t)
{
	int fd = open_session();
	struct target other;
	siginfo_t info;
	pid_t zombie;

	start_target(&other);
	kill(other.pid, SIGKILL);
	end_target(&other);
	EXPECT_EQ(enable_entries(fd, &other, 0, 10), -ESRCH);

	zombie = fork();
	if (!zombie)
		_exit(0);
	waitid(P_PID, zombie, &info, WEXITED | WNOWAIT);
	begin_enable(zombie);
	add_entry(t, 0, 0);
	EXPECT_EQ(send_command(fd), -ESRCH);
	waitpid(zombie, NULL, 0);
	close(fd);
}

static void keep_only(int cap)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {};

	data[cap / 32].permitted = 1U << (cap % 32);
	data[cap / 32].effective = data[cap / 32].permitted;
	if (syscall(SYS_capset, &head, data))
		_exit(10);
}

/* Whether a tracer with one capability has a session, and may trace. */
static void expect_allowed(struct target *t, int cap, int open_error, long enabled)
{
	pid_t tracer = fork();
	int status, fd;

	if (!tracer) {
		keep_only(cap);
		fd = open(SESSION, O_RDWR);
		if (fd < 0)
			_exit(errno != open_error);
		_exit(open_error || enable_entries(fd, t, 0, 1) != enabled);
	}
	waitpid(tracer, &status, 0);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void privilege_is_checked(struct target *t)
{
	expect_allowed(t, CAP_CHOWN, EPERM, 0);
	expect_allowed(t, CAP_PERFMON, 0, -EPERM);	/* the target has more */
	expect_allowed(t, CAP_SYS_PTRACE, 0, 1);
	WAIT(nothing_left());
}

/* --- cases: others in the way --------------------------------------------- */

/* Somebody sits on the target's mmap_lock: say so and do not wait for it. */
static void held_mmap_lock_is_reported(struct target *t)
{
	int fd = open_session(), other = open_session(), status;
	pid_t holder;

	EXPECT_EQ(enable_entries(fd, t, 0, 100), 100);
	holder = fork();
	if (!holder) {
		char cmd[32];

		close(fd);	/* or the driver's close would not be the last */
		snprintf(cmd, sizeof(cmd), "mmaplock %d", t->pid);
		tell(open_session(), cmd);
		_exit(0);
	}
	/* Not before: between two looks at the lock nothing helps. */
	WAIT(field(other, "locked") == 1);
	EXPECT_EQ(enable_entries(other, t, 200, 10), -EBUSY);
	close(fd);
	WAIT(says(REAPER, "mmap_lock of the process is held"));
	EXPECT(!reaper_idle());
	EXPECT(probes_reach(1));
	EXPECT_EQ(spill(SESSION, "unlock"), 0);
	waitpid(holder, &status, 0);
	WAIT(reaper_idle());
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(enable_entries(other, t, 200, 10), 10);
	close(other);
	WAIT(reaper_idle());
	EXPECT_SAID("same", t, "text");
}

/* Where @addr of the target is in its file. */
static unsigned long file_offset(pid_t pid, unsigned long addr)
{
	unsigned long from, to, offset, place = 0;
	char path[64], line[512];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %lx", &from, &to, &offset) == 3 &&
		    from <= addr && addr < to)
			place = addr - from + offset;
	}
	fclose(maps);
	return place;
}

/*
 * Another user of uprobes on the same instruction: its breakpoint stays when
 * ours goes, which is reported, and then keeps ours out.
 */
static void other_tracers_breakpoint_is_reported(struct target *t)
{
	int fd = open_session();
	char text[512];
	long before;

	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	snprintf(text, sizeof(text), "p:ftdrive/other %s:%#lx", target_path,
		 file_offset(t->pid, t->start));
	if (!EXPECT_EQ(spill(TRACEFS "uprobe_events", text), 0) ||
	    !EXPECT_EQ(spill(TRACEFS "events/ftdrive/other/enable", "1"), 0))
		return;
	before = nr_stranded();
	EXPECT_SAID("ok", t, "call 0 3");
	EXPECT_EQ(count_of(fd, 0), 3);
	EXPECT_EQ(tell(fd, "disable"), 10);
	EXPECT_EQ(nr_stranded(), before + 1);
	EXPECT_SAID("differs at 0", t, "text");
	EXPECT_EQ(enable_entries(fd, t, 0, 10), 9);
	EXPECT_EQ(reason_of(fd, 0), FOREIGN_BREAKPOINT);
	EXPECT_EQ(tell(fd, "disable"), 9);
	EXPECT_EQ(spill(TRACEFS "events/ftdrive/other/enable", "0"), 0);
	EXPECT_EQ(spill(TRACEFS "uprobe_events", "-:ftdrive/other"), 0);
	EXPECT_SAID("same", t, "text");
	close(fd);
}

static void two_probes_in_each_function(struct target *t)
{
	int fd = open_session();
	double start = now(), middle;

	EXPECT_EQ(enable_both(fd, t, t->count), 2 * t->count);
	middle = now();
	EXPECT_EQ(tell(fd, "disable"), 2 * t->count);
	printf("# enable %.1f us, disable %.1f us a probe\n",
	       (middle - start) / (2 * t->count) * 1e6,
	       (now() - middle) / (2 * t->count) * 1e6);
	EXPECT_SAID("same", t, "text");
	close(fd);
}

#define CASE(name)	{ #name, name }
static const struct {
	const char *name;
	void (*run)(struct target *t);
} cases[] = {
	CASE(entry_counts_are_exact),
	CASE(return_counts_are_exact),
	CASE(odd_returns_and_offsets),
	CASE(threads_hit_exactly),
	CASE(sessions_share_tracepoints),
	CASE(two_targets_of_one_file),
	CASE(disable_restores_the_text),
	CASE(disable_by_id),
	CASE(close_takes_everything_out),
	CASE(enable_and_disable_under_fire),
	CASE(close_under_fire),
	CASE(disable_waits_for_hits),
	CASE(disable_waits_for_hits_when_shared),
	CASE(killed_target_is_retired),
	CASE(target_killed_while_enabling),
	CASE(exec_retires),
	CASE(forked_child_is_not_traced),
	CASE(shared_memory_counts_as_the_target),
	CASE(forked_child_can_be_a_target),
	CASE(memory_outlives_the_process),
	CASE(leader_that_exits_first_ends_nothing),
	CASE(tracer_killed_while_enabling),
	CASE(tracer_killed_while_disabling),
	CASE(opener_exit_ends_the_session),
	CASE(module_goes_with_sessions_open),
	CASE(tracers_come_and_go),
	CASE(bad_specifications_have_reasons),
	CASE(limits_are_kept),
	CASE(sharing_is_limited),
	CASE(processes_that_are_not_there),
	CASE(privilege_is_checked),
	CASE(held_mmap_lock_is_reported),
	CASE(other_tracers_breakpoint_is_reported),
	CASE(two_probes_in_each_function),
};

/* Nothing may be left behind: not in the kernel, and not in the target. */
static void check_clean(struct target *t)
{
	int status;

	WAIT(nothing_left());
	EXPECT_SAID("same", t, "text");
	status = end_target(t);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	const int nr = sizeof(cases) / sizeof(*cases);
	const char *glob = argc > 3 ? argv[3] : "*";
	int planned = 0, n = 0;
	bool all = true;

	if (argc < 3) {
		fprintf(stderr, "usage: drive TARGET TEST-MODULE [CASE-GLOB]\n");
		return 2;
	}
	target_path = argv[1];
	test_module = argv[2];
	if (getenv("XSYNC_FASTTRAP_SMALL"))
		fraction = 5;
	if (getenv("XSYNC_SOAK"))
		rounds = 10;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < nr; i++)
		planned += !fnmatch(glob, cases[i].name, 0);
	printf("KTAP version 1\n1..%d\n", planned);
	for (int i = 0; i < nr; i++) {
		struct target t;

		if (fnmatch(glob, cases[i].name, 0))
			continue;
		failed = false;
		start_target(&t);
		cases[i].run(&t);
		check_clean(&t);
		printf("%s %d %s\n", failed ? "not ok" : "ok", ++n, cases[i].name);
		all &= !failed;
	}
	return !all;
}
