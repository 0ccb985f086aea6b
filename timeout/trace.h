/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints xsync_timeout:*; what xsync/trace.h says of probes is true of these.  Those
 * of armings are come to with the lock of the callout's table held: a probe must not arm,
 * cancel or wait.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xsync_timeout

#if !defined(_XSYNC_TIMEOUT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _XSYNC_TIMEOUT_TRACE_H

#include <linux/tracepoint.h>
#include <timeout/timeout.h>
#include <xsync/trace_guard.h>

DECLARE_EVENT_CLASS(xtimeout_arming,
	TP_PROTO(u64 id, xtimeout_func_t func, s64 due),
	TP_ARGS(id, func, due),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(const void *, func)
		__field(s64, due)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->func = func;
		__entry->due = due;
	),
	TP_printk("id=%llu func=%ps due=%lld", __entry->id, __entry->func, __entry->due)
);

/* A function is to be called at a time, in ns of the callout's clock. */
DEFINE_EVENT(xtimeout_arming, xtimeout_arm,
	TP_PROTO(u64 id, xtimeout_func_t func, s64 due),
	TP_ARGS(id, func, due)
);

/* It is not. */
DEFINE_EVENT(xtimeout_arming, xtimeout_cancel,
	TP_PROTO(u64 id, xtimeout_func_t func, s64 due),
	TP_ARGS(id, func, due)
);

/* The time has come: it goes to the threads. */
DEFINE_EVENT(xtimeout_arming, xtimeout_fire,
	TP_PROTO(u64 id, xtimeout_func_t func, s64 due),
	TP_ARGS(id, func, due)
);

DECLARE_EVENT_CLASS(xtimeout_call,
	TP_PROTO(u64 id, xtimeout_func_t func),
	TP_ARGS(id, func),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(const void *, func)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->func = func;
	),
	TP_printk("id=%llu func=%ps", __entry->id, __entry->func)
);

/* The function is called. */
DEFINE_EVENT(xtimeout_call, xtimeout_begin,
	TP_PROTO(u64 id, xtimeout_func_t func),
	TP_ARGS(id, func)
);

/* It has returned. */
DEFINE_EVENT(xtimeout_call, xtimeout_end,
	TP_PROTO(u64 id, xtimeout_func_t func),
	TP_ARGS(id, func)
);

/* The timer of a table has fired: tables are numbered by CPU, then clock. */
TRACE_EVENT(xtimeout_interrupt,
	TP_PROTO(unsigned int table),
	TP_ARGS(table),
	TP_STRUCT__entry(
		__field(unsigned int, table)
	),
	TP_fast_assign(
		__entry->table = table;
	),
	TP_printk("table=%u", __entry->table)
);

#endif /* _XSYNC_TIMEOUT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH timeout
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
