// SPDX-License-Identifier: GPL-2.0-only
/* In place of xsync_test_hotplug.c where CPUs neither come nor go. */
#include "xsync_test.h"

static void cpus_come_and_go(struct xut *t)
{
	xut_skip(t, "this kernel has no CPU hotplug");
}

static const struct xut_case hotplug_cases[] = {
	XUT_CASE(cpus_come_and_go),
	{}
};

XUT_SHARED_SUITE(hotplug, hotplug_cases);
XUT_SUITE_WITH(hotplug_ipi, hotplug_cases, XSYNC_IPI);
XUT_SHARED_SUITE(hotplug_thread, hotplug_cases);
