// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-abi - what /dev/pidtrace says to right and to wrong calls
 *
 * Needs root and the module. The target is a child of this program, so its
 * functions are at the same addresses.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../samples/pidtrace/pidtrace_uapi.h"
#include "ktap.h"

/* nop; ret */
void probed(void);
__asm__(".text\n.globl probed\n.type probed,@function\n"
	"probed: nop\n ret\n.size probed, . - probed\n");

static pid_t child;
static int to_child[2], from_child[2];

/* Calls probed() as often as the bytes say that it reads. */
static void child_start(void)
{
	unsigned char n;

	if (pipe(to_child) || pipe(from_child))
		exit(1);
	child = fork();
	if (child)
		return;
	close(to_child[1]);
	while (read(to_child[0], &n, 1) == 1) {
		for (int i = 0; i < n; i++)
			probed();
		if (write(from_child[1], &n, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static void child_calls(unsigned char n)
{
	expect(write(to_child[1], &n, 1) == 1 && read(from_child[0], &n, 1) == 1);
}

/* The first byte of probed() in the child: 0x90, or a breakpoint. */
static unsigned char child_text(void)
{
	unsigned char byte = 0;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	fd = open(path, O_RDONLY);
	expect(pread(fd, &byte, 1, (off_t)(uintptr_t)probed) == 1);
	close(fd);
	return byte;
}

static int device(void)
{
	int fd = open(PIDTRACE_DEVICE, O_RDWR | O_CLOEXEC);

	expect(fd >= 0, "%s", strerror(errno));
	return fd;
}

static struct pidtrace_setup setup_of(pid_t pid, __u32 flags)
{
	return (struct pidtrace_setup){
		.size = sizeof(struct pidtrace_setup),
		.version = PIDTRACE_VERSION,
		.flags = flags,
		.pid = pid,
		.nr_functions = 1,
	};
}

static struct pidtrace_probe probe_of(__u32 kind)
{
	return (struct pidtrace_probe){
		.addr = (uintptr_t)probed + (kind == PIDTRACE_RETURN),
		.func = (uintptr_t)probed,
		.size = 2,
		.kind = kind,
	};
}

static int enable(int fd, void *probes, __u32 nr)
{
	struct pidtrace_enable e = {
		.size = sizeof(e),
		.nr = nr,
		.probes = (uintptr_t)probes,
	};

	return ioctl(fd, PIDTRACE_ENABLE, &e) ? -errno : (int)e.nr_enabled;
}

static int call(int fd, unsigned long command, void *arg)
{
	return ioctl(fd, command, arg) ? -errno : 0;
}

/* A session on the child with probes on both ends of probed(). */
static int session(__u32 flags)
{
	struct pidtrace_probe probe[2] = { probe_of(PIDTRACE_ENTRY), probe_of(PIDTRACE_RETURN) };
	struct pidtrace_setup setup = setup_of(child, flags);
	int fd = device();
	int result;

	if (flags & PIDTRACE_TIME) {
		probe[0].flags = PIDTRACE_PAIR;
		probe[1].flags = PIDTRACE_PAIR;
	}
	result = call(fd, PIDTRACE_SETUP, &setup);
	expect(!result, "%d", result);
	result = enable(fd, probe, 2);
	expect(result == 2 && !probe[0].error && !probe[1].error, "%d: %s, %s", result,
	       probe[0].reason, probe[1].reason);
	return fd;
}

static struct pidtrace_count count_of(int fd)
{
	struct pidtrace_count count = { 0 };
	struct pidtrace_read r = { .size = sizeof(r), .nr = 1, .counts = (uintptr_t)&count };
	int result = call(fd, PIDTRACE_READ, &r);

	expect(!result, "%d", result);
	return count;
}

static void counts_and_times(void)
{
	int fd = session(PIDTRACE_TIME | PIDTRACE_HISTOGRAM);
	__u64 bucket[PIDTRACE_BUCKETS], sum = 0;
	struct pidtrace_count count;
	struct pidtrace_read r = {
		.size = sizeof(r),
		.nr = 1,
		.counts = (uintptr_t)&count,
		.buckets = (uintptr_t)bucket,
	};

	child_calls(200);
	expect(!call(fd, PIDTRACE_READ, &r));
	expect(count.calls == 200 && count.returns == 200 && count.timed == 200);
	expect(count.max_ns && count.total_ns >= count.max_ns);
	for (int i = 0; i < PIDTRACE_BUCKETS; i++)
		sum += bucket[i];
	expect(sum == 200, "%llu in buckets", sum);
	close(fd);
}

static void disabling(void)
{
	struct pidtrace_probe probe = probe_of(PIDTRACE_ENTRY);
	int fd = session(0);

	child_calls(3);
	expect(child_text() == 0xcc);
	expect(!call(fd, PIDTRACE_DISABLE, NULL));
	expect(child_text() == 0x90);
	child_calls(5);
	expect(count_of(fd).calls == 3 && count_of(fd).timed == 0);
	expect(enable(fd, &probe, 1) == 1);
	child_calls(7);
	expect(count_of(fd).calls == 10 && count_of(fd).returns == 3);
	close(fd);
}

/* Not exit but close ends this one; the reaper does it behind our back. */
static void closing(void)
{
	int fd = session(0);

	expect(child_text() == 0xcc);
	close(fd);
	for (int i = 0; i < 60000 && child_text() != 0x90; i++)
		usleep(1000);
	expect(child_text() == 0x90, "the breakpoint is still there after a minute");
}

static void polling(void)
{
	pid_t first = child;
	struct pollfd p = { .events = POLLIN };
	struct pidtrace_state state = { .size = sizeof(state) };

	p.fd = session(0);
	expect(poll(&p, 1, 0) == 0);
	expect(!call(p.fd, PIDTRACE_STATE, &state) && state.enabled == 2 && !state.flags);
	child_calls(4);
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	expect(poll(&p, 1, 60000) == 1 && p.revents == POLLIN);
	expect(!call(p.fd, PIDTRACE_STATE, &state) && state.flags == PIDTRACE_TARGET_EXITED);
	expect(count_of(p.fd).calls == 4);
	close(p.fd);
	child_start();
}

static void wrong_setups(void)
{
	static const struct {
		const char *what;
		struct pidtrace_setup add;
		int error;
	} t[] = {
		{ "size", { .size = 1 }, EINVAL }, { "version", { .version = 1 }, EPROTO },
		{ "flags", { .flags = 4 }, EINVAL }, { "reserved", { .reserved = 1 }, EINVAL },
		{ "too many", { .nr_functions = PIDTRACE_MAX_FUNCTIONS }, E2BIG },
		{ "none", { .nr_functions = -1 }, EINVAL },
		{ "pid", { .pid = 100000000 }, ESRCH },
	};
	int fd = device();
	struct pidtrace_setup good = setup_of(child, 0);

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct pidtrace_setup s = good;
		int result;

		s.size += t[i].add.size;
		s.version += t[i].add.version;
		s.flags += t[i].add.flags;
		s.reserved += t[i].add.reserved;
		s.nr_functions += t[i].add.nr_functions;
		s.pid += t[i].add.pid;
		result = call(fd, PIDTRACE_SETUP, &s);
		expect(result == -t[i].error, "%s: %d", t[i].what, result);
	}
	expect(call(fd, PIDTRACE_SETUP, (void *)1) == -EFAULT);
	expect(call(fd, PIDTRACE_SETUP, &good) == 0);
	expect(call(fd, PIDTRACE_SETUP, &good) == -EBUSY);
	expect(call(fd, PIDTRACE_SETUP + 64, &good) == -ENOTTY);
	close(fd);
}

static void wrong_probes(void)
{
	struct pidtrace_probe good = probe_of(PIDTRACE_ENTRY), p;
	struct pidtrace_enable e = { .size = 1, .nr = 1, .probes = (uintptr_t)&good };
	int fd = session(0), untouched = device();

	expect(enable(untouched, &good, 1) == -ENXIO, "not set up");
	expect(enable(fd, &good, 0) == -EINVAL);
	expect(enable(fd, &good, PIDTRACE_MAX_BATCH + 1) == -E2BIG);
	expect(enable(fd, (void *)16, 1) == -EFAULT);
	expect(call(fd, PIDTRACE_ENABLE, &e) == -EINVAL, "size");
	p = good;
	p.kind = 3;
	expect(enable(fd, &p, 1) == -EINVAL, "kind");
	p = good;
	p.function = 1;
	expect(enable(fd, &p, 1) == -EINVAL, "function");
	p = good;
	p.flags = 2;
	expect(enable(fd, &p, 1) == -EINVAL, "flags");
	p = good;
	p.flags = PIDTRACE_PAIR;
	expect(enable(fd, &p, 1) == -EINVAL, "pairing in a session without times");

	/* Wrong in the kernel's eyes: each has an answer of its own. */
	p = good;
	p.addr += 1;
	expect(enable(fd, &p, 1) == 0 && p.error && p.reason[0], "entry not at the start");
	p = good;
	p.size = 0;
	expect(enable(fd, &p, 1) == 0 && p.error, "no size");
	p = good;
	p.size = UINT64_MAX;
	enable(fd, &p, 1);
	p = good;
	p.kind = PIDTRACE_RETURN;
	expect(enable(fd, &p, 1) == 0 && p.error, "no return instruction");
	p = good;
	p.addr = 4096;
	p.func = 4096;
	expect(enable(fd, &p, 1) == 0 && p.error, "not mapped");
	p = good;
	p.addr = (uintptr_t)&good;
	p.func = p.addr;
	expect(enable(fd, &p, 1) == 0 && p.error, "not text");
	p = good;
	p.addr = UINT64_MAX;
	p.func = UINT64_MAX;
	expect(enable(fd, &p, 1) == 0 && p.error, "not user space");
	child_calls(2);
	close(fd);
	close(untouched);
}

static void wrong_reads(void)
{
	struct pidtrace_count count;
	struct pidtrace_read r, good = {
		.size = sizeof(good),
		.nr = 1,
		.counts = (uintptr_t)&count,
	};
	struct pidtrace_state state = { .size = 1 };
	int fd = session(0), untouched = device();
	__u64 bucket[PIDTRACE_BUCKETS];

	expect(call(untouched, PIDTRACE_READ, &good) == -ENXIO);
	r = good;
	r.size = 1;
	expect(call(fd, PIDTRACE_READ, &r) == -EINVAL);
	r = good;
	r.reserved = 1;
	expect(call(fd, PIDTRACE_READ, &r) == -EINVAL);
	r = good;
	r.nr = 2;
	expect(call(fd, PIDTRACE_READ, &r) == -EINVAL);
	r = good;
	r.first = 2;
	expect(call(fd, PIDTRACE_READ, &r) == -EINVAL);
	r = good;
	r.first = 1;
	r.nr = UINT32_MAX;
	expect(call(fd, PIDTRACE_READ, &r) == -EINVAL);
	r = good;
	r.counts = 8;
	expect(call(fd, PIDTRACE_READ, &r) == -EFAULT);
	r = good;
	r.buckets = (uintptr_t)bucket;
	expect(call(fd, PIDTRACE_READ, &r) == -ENXIO, "no histogram");
	expect(call(fd, PIDTRACE_READ, NULL) == -EFAULT);
	expect(call(fd, PIDTRACE_STATE, &state) == -EINVAL);
	expect(call(fd, PIDTRACE_STATE, NULL) == -EFAULT);
	close(fd);
	close(untouched);
}

/* The session ends with the process that opened it, whoever holds the file. */
static void inherited(void)
{
	pid_t opener = fork();
	int status;

	if (!opener) {
		int fd = session(0);

		fcntl(fd, F_SETFD, 0);
		if (!fork()) {
			pause();
			_exit(0);
		}
		_exit(ktap_failed);
	}
	waitpid(opener, &status, 0);
	expect(!status);
	for (int i = 0; i < 60000 && child_text() != 0x90; i++)
		usleep(1000);
	expect(child_text() == 0x90, "the breakpoint is still there after a minute");
	/* What holds the file is in our process group, as is the child: the last case. */
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	signal(SIGTERM, SIG_DFL);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{ "counts, times, buckets", counts_and_times },
		{ "disable and enable again", disabling },
		{ "close ends the session", closing },
		{ "poll says that the target is gone", polling },
		{ "wrong setups", wrong_setups },
		{ "wrong probes", wrong_probes },
		{ "wrong reads", wrong_reads },
		{ "a file that a child inherited", inherited },
	};
	int result;

	setpgid(0, 0);
	child_start();
	result = ktap_run(cases, ARRAY_SIZE(cases));
	kill(child, SIGKILL);
	return result;
}
