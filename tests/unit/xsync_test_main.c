// SPDX-License-Identifier: GPL-2.0-only
/* xsync_test.ko: the unit cases of the xsync layer. */
#include "xsync_test.h"

module_xut(&contexts, &grace_period, &read_section, &refused_wait, &xsync, &call,
	   &callback, &handoff, &handoff_rules, &cross_call, &xcall, &hotplug,
	   &torture);
MODULE_DESCRIPTION("Unit cases of xsync");
MODULE_LICENSE("GPL");
