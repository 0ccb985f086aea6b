/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fasttrap - the life of pid-provider probes in user processes
 *
 * A consumer (a tracer module) opens a *session*, asks for sets of entry and
 * return probes in a running process, gets a callback for each hit, and closes
 * the session. Everything in between is this layer's: the breakpoints are
 * uprobes, put in and taken out by one worker thread and never by a task that
 * somebody may kill; a target that execs or exits retires its probes; closing
 * a session, also by the kill -9 of its owner, only marks it, and a reaper
 * takes out what it held.
 *
 * Objects, and who frees them:
 *
 *   session     a consumer's handle. Made by xfasttrap_session_create(), gone
 *               when it was closed and reaped: &xfasttrap_ops.release says so.
 *   provider    one process image (an mm) that a session traces. Retired when
 *               the image goes away by exec or exit.
 *   probe       what the consumer asked for: kind, address, cookie.
 *   tracepoint  one patched instruction, (mm, pc). Probes of several sessions
 *               share it.
 *
 * States of a probe:
 *
 *   created --> enabled --> disabling --> disabled --> reaped
 *      |           |                         ^
 *      |           +--> retired -------------+     exec or exit of the target
 *      +--> refused                                &xfasttrap_spec.error says why
 *
 *   created    known, not yet in the target; nobody but the worker sees it
 *   enabled    the breakpoint was read back from the target's memory
 *   disabling  hits are no longer delivered; the breakpoint may still be there
 *   disabled   the breakpoint is gone (read back); memory waits for its grace
 *              period
 *   retired    as disabling, because the target went away
 *   reaped     freed
 *
 * Contexts:
 *
 *   xfasttrap_session_create      task, may sleep
 *   xfasttrap_enable, _disable    task, may sleep, killable
 *   xfasttrap_session_close       task, also one that is exiting; O(1)
 *   xfasttrap_session_stat        task, may sleep
 *   xfasttrap_drain               task, may sleep, not killable
 *   xfasttrap_reason_text         any
 *   &xfasttrap_ops.hit            called in the traced task, preemption off,
 *                                 inside an xsync read section
 *   &xfasttrap_ops.retired        called in the worker, may sleep
 *   &xfasttrap_ops.release        called in the worker, may sleep
 *
 * The same on PREEMPT_RT. None of these functions may be called from a callback
 * of this layer, with the exception of xfasttrap_reason_text(), and of
 * xfasttrap_session_close(), which &xfasttrap_ops.retired may call.
 *
 * Known and intended: the target can see the breakpoint bytes in its own text
 * and an [uprobes] mapping; a core dump holds the copied pages. Children by
 * vfork() and clone(CLONE_VM) run in the target's mm, so their hits count as
 * the target's. Return probes sit on the function's own return instructions:
 * a function that is left by a tail jump, longjmp() or an exception passes
 * none of them, so entries need not equal returns.
 *
 * The semantics follow the pid provider of DTrace (fasttrap), except that a
 * return probe fires before its instruction and not after it.
 */
#ifndef _FASTTRAP_FASTTRAP_H
#define _FASTTRAP_FASTTRAP_H

#include <linux/types.h>

struct module;
struct pid;
struct pt_regs;
struct xfasttrap_session;

/**
 * enum xfasttrap_kind - where in a function a probe sits
 * @XFASTTRAP_ENTRY: on the first instruction of the function
 * @XFASTTRAP_RETURN: on one return instruction of the function; a function
 *	with several takes one probe for each
 * @XFASTTRAP_OFFSET: on any other instruction. The caller vouches that it is
 *	an instruction boundary and one that uprobes runs correctly: this layer
 *	has no decoder of its own yet.
 */
enum xfasttrap_kind {
	XFASTTRAP_ENTRY,
	XFASTTRAP_RETURN,
	XFASTTRAP_OFFSET,
};

/**
 * enum xfasttrap_reason - why a probe was refused
 * @XFASTTRAP_OK: it was not
 * @XFASTTRAP_BAD_SPEC: kind unknown, or address outside [func, func + size),
 *	or an entry probe that is not at @func of its specification
 * @XFASTTRAP_NOT_MAPPED: nothing is mapped at the address
 * @XFASTTRAP_NOT_TEXT: mapped, but not as private executable file pages
 * @XFASTTRAP_NOT_A_RETURN: a return probe whose bytes are no return instruction
 * @XFASTTRAP_FOREIGN_BREAKPOINT: a breakpoint that is not ours is there already
 * @XFASTTRAP_UNSUPPORTED: the instruction cannot be probed (uprobes refused it,
 *	or it is known to be run wrongly by uprobes)
 * @XFASTTRAP_NO_MEMORY: out of memory; the batch stopped here
 * @XFASTTRAP_TARGET_GONE: the target exited or called exec meanwhile
 * @XFASTTRAP_LIMIT: a limit of this layer was reached; the batch stopped here
 * @XFASTTRAP_NOT_INSTALLED: uprobes reported success, but the breakpoint was
 *	not found in the target
 * @XFASTTRAP_ABORTED: the batch ended before this probe was reached
 * @XFASTTRAP_NR_REASONS: how many there are
 */
enum xfasttrap_reason {
	XFASTTRAP_OK,
	XFASTTRAP_BAD_SPEC,
	XFASTTRAP_NOT_MAPPED,
	XFASTTRAP_NOT_TEXT,
	XFASTTRAP_NOT_A_RETURN,
	XFASTTRAP_FOREIGN_BREAKPOINT,
	XFASTTRAP_UNSUPPORTED,
	XFASTTRAP_NO_MEMORY,
	XFASTTRAP_TARGET_GONE,
	XFASTTRAP_LIMIT,
	XFASTTRAP_NOT_INSTALLED,
	XFASTTRAP_ABORTED,
	XFASTTRAP_NR_REASONS,
};

/**
 * xfasttrap_reason_text - a reason in words that a person can act on
 * @reason: from &xfasttrap_spec.reason
 *
 * Context: Any.
 * Return: A constant string, never NULL.
 */
const char *xfasttrap_reason_text(enum xfasttrap_reason reason);

/**
 * struct xfasttrap_spec - one probe that a consumer asks for, and the answer
 * @addr: address of the instruction, in the target's address space
 * @func: address of the first instruction of the function it is in
 * @size: size of that function in bytes, at least 1
 * @kind: where in the function it sits
 * @cookie: the consumer's, handed to each &xfasttrap_hit
 * @id: out: names the probe within its session, for xfasttrap_disable(); never
 *	0, never reused; 0 where the probe was refused
 * @error: out: 0, or a negative errno
 * @reason: out: the reason for @error, finer than an errno
 */
struct xfasttrap_spec {
	unsigned long		addr;
	unsigned long		func;
	unsigned long		size;
	enum xfasttrap_kind	kind;
	u64			cookie;
	u64			id;
	int			error;
	enum xfasttrap_reason	reason;
};

/**
 * struct xfasttrap_hit - one hit of one probe, as its callback sees it
 * @regs: the traced task's user registers at the probe; read only. The
 *	instruction has not run yet: at an entry and at a return probe the stack
 *	pointer points at the return address.
 * @addr: address of the probe in the target, equal to the instruction pointer
 * @cookie: from &xfasttrap_spec.cookie
 * @id: from &xfasttrap_spec.id
 * @kind: from &xfasttrap_spec.kind
 *
 * current is the task that hit the probe.
 */
struct xfasttrap_hit {
	const struct pt_regs	*regs;
	unsigned long		addr;
	u64			cookie;
	u64			id;
	enum xfasttrap_kind	kind;
};

/**
 * enum xfasttrap_end - why a provider was retired
 * @XFASTTRAP_END_EXEC: the target called exec; its old image is gone
 * @XFASTTRAP_END_EXIT: the last thread of the target's image exited
 */
enum xfasttrap_end {
	XFASTTRAP_END_EXEC,
	XFASTTRAP_END_EXIT,
};

/**
 * struct xfasttrap_ops - a consumer's callbacks
 * @owner: THIS_MODULE of the consumer. No reference is held on it: its exit
 *	function must call xfasttrap_drain() before anything that the callbacks
 *	use goes away.
 * @hit: a probe was hit. Runs in the traced task, preemption disabled, inside
 *	an xsync read section, possibly on several CPUs at once. It must not
 *	sleep, must touch user memory by nofault accessors only, may take raw
 *	spinlocks but no spinlock_t (PREEMPT_RT), and should take microseconds:
 *	the target waits for it.
 * @retired: optional. The target that this provider traced went away; @pid
 *	is its struct pid (no reference is passed on). Its probes deliver no
 *	more hits. Called once for each provider.
 * @release: the session is reaped and its handle was given back, by
 *	xfasttrap_session_close() or xfasttrap_drain(): no callback of it runs or
 *	will run, @arg may be freed. Called exactly once, also when the session
 *	never enabled anything.
 */
struct xfasttrap_ops {
	struct module *owner;
	void (*hit)(const struct xfasttrap_hit *hit, void *arg);
	void (*retired)(struct pid *pid, enum xfasttrap_end why, void *arg);
	void (*release)(void *arg);
};

/**
 * xfasttrap_session_create - open a session
 * @ops: the consumer's callbacks; must stay valid until @release was called
 * @arg: handed to each of them
 *
 * The session belongs to the thread group of the caller: when that exits, the
 * session ends, whoever still holds a descriptor for it, and everything it held
 * is taken out. The handle itself stays valid, and &xfasttrap_ops.release is not
 * called, until xfasttrap_session_close() or xfasttrap_drain() was.
 *
 * Costs of probes are machine-wide (a registered uprobe makes every exec that
 * maps the file slower), so the caller needs CAP_PERFMON or CAP_SYS_PTRACE in
 * the initial user namespace.
 *
 * Context: Task context. May sleep.
 * Return: The session, or ERR_PTR(): -EPERM without the capability, -EINVAL
 * for missing callbacks, -ENOMEM, -ESHUTDOWN when @ops->owner is being unloaded.
 */
struct xfasttrap_session *
xfasttrap_session_create(const struct xfasttrap_ops *ops, void *arg);

/**
 * xfasttrap_session_close - end a session
 * @session: from xfasttrap_session_create(); the handle is invalid afterwards
 *
 * Marks the session and hands it to the reaper. No new hit is delivered from
 * now on, but callbacks that are running may go on after the return; @release
 * says when they are over. Legal in a task that is exiting (a file's release
 * method after kill -9).
 *
 * Context: Task context. O(1), does not wait for the reaper.
 */
void xfasttrap_session_close(struct xfasttrap_session *session);

/**
 * xfasttrap_enable - put a set of probes into a process
 * @session: the session
 * @target: the process, by its thread group leader's struct pid
 * @specs: what to enable; the out fields are filled in for each one
 * @n: number of @specs
 *
 * One call is one pass of the worker over the whole set. It may be partly
 * successful: each spec carries its own error and reason. A probe counts as
 * enabled only when its breakpoint was read back from the target's memory.
 *
 * A caller that is killed while it waits gets -EINTR at once; the pass stops
 * at the next probe, and the probes that were enabled end with the session.
 *
 * Not promised: anything about hits between the first and the last probe of
 * the set; a running target sees them come in one after the other.
 *
 * Context: Task context. May sleep, for about 20 microseconds a probe.
 * Return: The number of probes enabled, which may be 0, or a negative errno
 * when none was looked at: -ESRCH no such process or it is exiting, -EPERM the
 * opener may not trace it, -EINVAL (bad argument, kernel thread, a 32-bit
 * process), -E2BIG too many probes, -ENOMEM, -EBUSY the memory map of the
 * target is held by somebody (reported on the console with the pid), -EINTR
 * killed, -ESHUTDOWN the session is ending, -EDEADLK called from a callback.
 */
long xfasttrap_enable(struct xfasttrap_session *session, struct pid *target,
		      struct xfasttrap_spec *specs, size_t n);

/**
 * xfasttrap_disable - take a set of probes out again
 * @session: the session
 * @ids: &xfasttrap_spec.id of each, or NULL for every enabled probe
 * @n: number of @ids; ignored where @ids is NULL
 *
 * When this returns >= 0, no callback for one of these probes is running or
 * will run, and the breakpoints that no other probe shares are gone from the
 * target. An unknown or already disabled id is skipped.
 *
 * Context: Task context. May sleep.
 * Return: The number of probes disabled, or -EINTR (killed: the worker goes on
 * and finishes it), -EBUSY (the memory map of a target is held by somebody: the
 * probes deliver nothing any more, the reaper goes on trying to take them out),
 * -ENOMEM, -EINVAL, -ESHUTDOWN the session is ending, -EDEADLK called from a
 * callback.
 */
long xfasttrap_disable(struct xfasttrap_session *session, const u64 *ids,
		       size_t n);

/**
 * struct xfasttrap_stat - what a session holds now
 * @enabled: probes that deliver hits
 * @retired: probes whose target went away, so far
 * @reaping: probes on their way out
 * @hits: hits delivered so far
 */
struct xfasttrap_stat {
	u64	enabled;
	u64	retired;
	u64	reaping;
	u64	hits;
};

/**
 * xfasttrap_session_stat - count what a session holds
 * @session: the session
 * @stat: out
 *
 * The numbers are taken one by one and need not add up while probes move.
 *
 * Context: Task context. May sleep.
 */
void xfasttrap_session_stat(struct xfasttrap_session *session,
			    struct xfasttrap_stat *stat);

/**
 * xfasttrap_drain - end every session of a module and wait for the reaper
 * @owner: THIS_MODULE
 *
 * For a consumer's exit function, where xfasttrap_session_create() refuses the
 * module already. Takes the place of xfasttrap_session_close() for each session
 * that was not closed: their handles are invalid afterwards. No callback of the
 * module runs or will run then.
 *
 * Context: Task context. May sleep, not killable: it must not be called from
 * one of the callbacks or the wait would be for itself.
 */
void xfasttrap_drain(struct module *owner);

#endif /* _FASTTRAP_FASTTRAP_H */
