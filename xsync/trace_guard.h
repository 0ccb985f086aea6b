/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tracepoints of all layers are reported through, see trace.h. */
#ifndef _XSYNC_TRACE_GUARD_H
#define _XSYNC_TRACE_GUARD_H

#include <linux/types.h>

bool xsync_trace_begin(void);
void xsync_trace_end(void);

/* Report a tracepoint unless that would lead back to it, or RCU cannot have it. */
#define xsync_trace(event, ...)						\
do {									\
	if (trace_##event##_enabled() && xsync_trace_begin()) {		\
		trace_##event(__VA_ARGS__);				\
		xsync_trace_end();					\
	}								\
} while (0)

#endif /* _XSYNC_TRACE_GUARD_H */
