/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints xsync_taskq:*; what xsync/trace.h says of probes is true of these. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xsync_taskq

#if !defined(_XSYNC_TASKQ_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _XSYNC_TASKQ_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>
#include <taskq/taskq.h>
#include <xsync/trace_guard.h>

#define XTASKQ_TRACE_NAME	32

DECLARE_EVENT_CLASS(xtaskq_task,
	TP_PROTO(const char *name, xtaskq_func_t func, xtaskqid_t id),
	TP_ARGS(name, func, id),
	TP_STRUCT__entry(
		__array(char, name, XTASKQ_TRACE_NAME)
		__field(const void *, func)
		__field(u64, id)
	),
	TP_fast_assign(
		strscpy(__entry->name, name, XTASKQ_TRACE_NAME);
		__entry->func = func;
		__entry->id = id;
	),
	TP_printk("queue=%s func=%ps id=%llu", __entry->name, __entry->func, __entry->id)
);

/* A task was dispatched, to run at once or later. */
DEFINE_EVENT(xtaskq_task, xtaskq_dispatch,
	TP_PROTO(const char *name, xtaskq_func_t func, xtaskqid_t id),
	TP_ARGS(name, func, id)
);

/* It was taken back. */
DEFINE_EVENT(xtaskq_task, xtaskq_cancel,
	TP_PROTO(const char *name, xtaskq_func_t func, xtaskqid_t id),
	TP_ARGS(name, func, id)
);

/* Its function is called. */
DEFINE_EVENT(xtaskq_task, xtaskq_begin,
	TP_PROTO(const char *name, xtaskq_func_t func, xtaskqid_t id),
	TP_ARGS(name, func, id)
);

/* Its function has returned. */
DEFINE_EVENT(xtaskq_task, xtaskq_end,
	TP_PROTO(const char *name, xtaskq_func_t func, xtaskqid_t id),
	TP_ARGS(name, func, id)
);

#endif /* _XSYNC_TASKQ_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH taskq
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
