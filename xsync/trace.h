/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints xsync:*.
 *
 * They are for people who look at xsync, and for those whose tracer sits on them:
 * a probe on such a tracepoint may use all that is legal in any context, and is not
 * called for that while it runs: while a tracepoint is reported in a context, others
 * in the same one are not.  What it starts or posts goes on later, in interrupts,
 * and is reported there: a probe that starts something each time has itself called
 * for ever.  Nor is anything reported where RCU is not
 * watching, or on a CPU that is not online.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xsync

#if !defined(_XSYNC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _XSYNC_TRACE_H

#include <linux/cpumask.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include "trace_guard.h"
#include "xcall.h"

#define XSYNC_TRACE_NAME	32

DECLARE_EVENT_CLASS(xsync_round,
	TP_PROTO(const char *name, unsigned long seq),
	TP_ARGS(name, seq),
	TP_STRUCT__entry(
		__array(char, name, XSYNC_TRACE_NAME)
		__field(unsigned long, seq)
	),
	TP_fast_assign(
		strscpy(__entry->name, name, XSYNC_TRACE_NAME);
		__entry->seq = seq;
	),
	TP_printk("domain=%s seq=%lu", __entry->name, __entry->seq)
);

/* A round stays open after its first look: seq is odd. */
DEFINE_EVENT(xsync_round, xsync_round_open,
	TP_PROTO(const char *name, unsigned long seq),
	TP_ARGS(name, seq)
);

/* A round ended: tickets up to seq are done. */
DEFINE_EVENT(xsync_round, xsync_round_end,
	TP_PROTO(const char *name, unsigned long seq),
	TP_ARGS(name, seq)
);

TRACE_EVENT(xsync_stall,
	TP_PROTO(const char *name, unsigned int cpu, u64 ns),
	TP_ARGS(name, cpu, ns),
	TP_STRUCT__entry(
		__array(char, name, XSYNC_TRACE_NAME)
		__field(unsigned int, cpu)
		__field(u64, ns)
	),
	TP_fast_assign(
		strscpy(__entry->name, name, XSYNC_TRACE_NAME);
		__entry->cpu = cpu;
		__entry->ns = ns;
	),
	TP_printk("domain=%s cpu=%u ns=%llu", __entry->name, __entry->cpu, __entry->ns)
);

TRACE_EVENT(xsync_callback,
	TP_PROTO(const char *name, const void *func),
	TP_ARGS(name, func),
	TP_STRUCT__entry(
		__array(char, name, XSYNC_TRACE_NAME)
		__field(const void *, func)
	),
	TP_fast_assign(
		strscpy(__entry->name, name, XSYNC_TRACE_NAME);
		__entry->func = func;
	),
	TP_printk("domain=%s func=%ps", __entry->name, __entry->func)
);

TRACE_EVENT(xcall_post,
	TP_PROTO(xcall_func_t func, unsigned int mode, const struct cpumask *mask),
	TP_ARGS(func, mode, mask),
	TP_STRUCT__entry(
		__field(const void *, func)
		__field(unsigned int, mode)
		__field(unsigned int, cpus)
	),
	TP_fast_assign(
		__entry->func = func;
		__entry->mode = mode;
		__entry->cpus = cpumask_weight(mask);
	),
	TP_printk("func=%ps mode=%s cpus=%u", __entry->func,
		  __entry->mode == XCALL_THREAD ? "thread" : "ipi", __entry->cpus)
);

DECLARE_EVENT_CLASS(xcall_function,
	TP_PROTO(xcall_func_t func, unsigned int mode),
	TP_ARGS(func, mode),
	TP_STRUCT__entry(
		__field(const void *, func)
		__field(unsigned int, mode)
	),
	TP_fast_assign(
		__entry->func = func;
		__entry->mode = mode;
	),
	TP_printk("func=%ps mode=%s", __entry->func,
		  __entry->mode == XCALL_THREAD ? "thread" : "ipi")
);

DEFINE_EVENT(xcall_function, xcall_begin,
	TP_PROTO(xcall_func_t func, unsigned int mode),
	TP_ARGS(func, mode)
);

DEFINE_EVENT(xcall_function, xcall_end,
	TP_PROTO(xcall_func_t func, unsigned int mode),
	TP_ARGS(func, mode)
);

#endif /* _XSYNC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH xsync
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
