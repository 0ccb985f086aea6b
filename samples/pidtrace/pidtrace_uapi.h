/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What /dev/pidtrace and the command pidtrace say to each other
 *
 * One open file is one tracing session, and its end is the session's end,
 * whether it is closed or its owner is killed. In this order:
 *
 *   PIDTRACE_SETUP   once: whom to trace, how many functions to count
 *   PIDTRACE_ENABLE  any number of times: put in a batch of probes
 *   PIDTRACE_READ    any number of times: the counts so far
 *   PIDTRACE_STATE   any number of times: is the target still there, was
 *                    anything lost
 *   PIDTRACE_DISABLE any number of times: take all probes out; the counts stay
 *
 * poll() says POLLIN when the target has exited or called exec, which ends its
 * probes.
 *
 * Every structure that is handed over starts with its own size, which must be
 * the one that the module knows, and fields called reserved and unknown flags
 * must be 0; so a later version can tell an older caller. All calls fail with
 * ENOTTY, EINVAL, EFAULT or ENOMEM in the usual meanings; others are listed.
 * Opening fails with EPERM without CAP_PERFMON or CAP_SYS_PTRACE in the initial
 * user namespace.
 */
#ifndef PIDTRACE_UAPI_H
#define PIDTRACE_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PIDTRACE_DEVICE		"/dev/pidtrace"
#define PIDTRACE_VERSION	1

/* Limits of one session. */
#define PIDTRACE_MAX_FUNCTIONS	262144
#define PIDTRACE_MAX_BATCH	65536
#define PIDTRACE_BUCKETS	64

/* pidtrace_setup.flags */
#define PIDTRACE_TIME		0x1	/* probes may ask for PIDTRACE_PAIR */
#define PIDTRACE_HISTOGRAM	0x2	/* times go to buckets, too */

/**
 * struct pidtrace_setup - whom to trace
 * @size: of this structure
 * @version: PIDTRACE_VERSION; another gives EPROTO
 * @flags: PIDTRACE_TIME, PIDTRACE_HISTOGRAM
 * @pid: of the target, as the caller sees it; ESRCH if there is none
 * @nr_functions: counters to provide, 1 to PIDTRACE_MAX_FUNCTIONS (E2BIG)
 * @reserved: 0
 *
 * EBUSY: this file was set up before.
 */
struct pidtrace_setup {
	__u32	size;
	__u32	version;
	__u32	flags;
	__s32	pid;
	__u32	nr_functions;
	__u32	reserved;
};

enum pidtrace_kind {
	PIDTRACE_ENTRY,
	PIDTRACE_RETURN,
	PIDTRACE_OFFSET,
};

/*
 * pidtrace_probe.flags: pair the entries and returns of this function to time
 * its calls. For all probes of the function or for none of them.
 */
#define PIDTRACE_PAIR		0x1

/**
 * struct pidtrace_probe - one probe, and what became of it
 * @addr: address of the instruction in the target
 * @func: address of its function
 * @size: size of the function in bytes
 * @function: index of the counters that it feeds, below nr_functions
 * @kind: enum pidtrace_kind
 * @flags: PIDTRACE_PAIR
 * @error: out: 0, or a negative errno
 * @reason: out: the refusal in words, terminated by a 0 byte
 */
struct pidtrace_probe {
	__u64	addr;
	__u64	func;
	__u64	size;
	__u32	function;
	__u32	kind;
	__u32	flags;
	__s32	error;
	__u8	reason[88];
};

/**
 * struct pidtrace_enable - a batch of probes
 * @size: of this structure
 * @nr: number of @probes, 1 to PIDTRACE_MAX_BATCH (E2BIG)
 * @probes: user address of an array of struct pidtrace_probe, written back
 * @nr_enabled: out: how many are in
 *
 * Success means that every probe has its own answer, good or bad. ENXIO: not
 * set up. ESRCH: the target is gone. EBUSY: its memory map is held by somebody
 * (the kernel log says who). EPERM, EINTR: as usual.
 */
struct pidtrace_enable {
	__u32	size;
	__u32	nr;
	__u64	probes;
	__u64	nr_enabled;
};

/**
 * struct pidtrace_count - what was counted for one function
 * @calls: hits of its entry probe, or of an offset probe
 * @returns: hits of its return probes
 * @timed: returns that were paired with their entry
 * @total_ns: time between entry and return, summed up over @timed. Callees are
 *	included; so, where the function is recursive, are the inner calls again.
 * @max_ns: the longest one
 */
struct pidtrace_count {
	__u64	calls;
	__u64	returns;
	__u64	timed;
	__u64	total_ns;
	__u64	max_ns;
};

/**
 * struct pidtrace_read - ask for counts
 * @size: of this structure
 * @first: index of the first function
 * @nr: number of functions; @first + @nr must not be above nr_functions
 * @reserved: 0
 * @counts: user address of @nr struct pidtrace_count
 * @buckets: user address of @nr * PIDTRACE_BUCKETS __u64, or 0. Bucket b counts
 *	times t with 2^b <= t < 2^(b+1) in nanoseconds; bucket 0 also has t = 0.
 *
 * ENXIO: not set up, or buckets without PIDTRACE_HISTOGRAM. The numbers are
 * read while they change; each is right for some moment of the call.
 */
struct pidtrace_read {
	__u32	size;
	__u32	first;
	__u32	nr;
	__u32	reserved;
	__u64	counts;
	__u64	buckets;
};

/* pidtrace_state.flags */
#define PIDTRACE_TARGET_EXITED	0x1
#define PIDTRACE_TARGET_EXEC	0x2	/* it runs another program now */

/**
 * struct pidtrace_state - how the session is
 * @size: of this structure
 * @flags: out: PIDTRACE_TARGET_*
 * @enabled: out: probes that are in
 * @hits: out: probe hits delivered
 * @no_thread: out: entries that were not timed since too many threads were
 *	inside probed functions at once
 * @too_deep: out: entries not timed since calls were nested too deep
 * @stale: out: entries whose function was left without a return probe being
 *	hit: by a tail call, longjmp() or an exception
 * @unpaired: out: returns whose entry was not seen
 */
struct pidtrace_state {
	__u32	size;
	__u32	flags;
	__u64	enabled;
	__u64	hits;
	__u64	no_thread;
	__u64	too_deep;
	__u64	stale;
	__u64	unpaired;
};

#define PIDTRACE_IOC		0xd7
#define PIDTRACE_SETUP		_IOW(PIDTRACE_IOC, 1, struct pidtrace_setup)
#define PIDTRACE_ENABLE		_IOWR(PIDTRACE_IOC, 2, struct pidtrace_enable)
#define PIDTRACE_READ		_IOW(PIDTRACE_IOC, 3, struct pidtrace_read)
#define PIDTRACE_STATE		_IOWR(PIDTRACE_IOC, 4, struct pidtrace_state)
#define PIDTRACE_DISABLE	_IO(PIDTRACE_IOC, 5)

#endif /* PIDTRACE_UAPI_H */
