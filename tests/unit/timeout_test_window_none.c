// SPDX-License-Identifier: GPL-2.0-only
/* timeout_test_window.c where the kernel has no tracepoints. */
#include "timeout_test.h"

static void windows_are_held(struct xut *t)
{
	xut_skip(t, "this kernel has no tracepoints");
}

static const struct xut_case window_cases[] = {
	XUT_CASE(windows_are_held),
	{}
};

XUT_SHARED_SUITE(timeout_window, window_cases);
