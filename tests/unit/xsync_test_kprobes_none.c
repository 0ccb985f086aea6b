// SPDX-License-Identifier: GPL-2.0-only
/* In place of the suites that need kprobes where there are none. */
#include "xsync_test.h"

static void with_kprobes(struct xut *t)
{
	xut_skip(t, "this kernel has no kprobes");
}

static const struct xut_case kprobes_cases[] = {
	XUT_CASE(with_kprobes),
	{}
};

XUT_SHARED_SUITE(interrupted, kprobes_cases);
XUT_SHARED_SUITE(traced, kprobes_cases);
XUT_SUITE_WITH(traced_ipi, kprobes_cases, XSYNC_IPI);
