// SPDX-License-Identifier: GPL-2.0-only
/* xsync_test.ko: the unit cases of the xsync layer. */
#include "xsync_test.h"

module_xut(&contexts, &grace_period, &read_section, &refused_wait, &xsync, &call,
	   &callback, &handoff, &handoff_rules, &cross_call, &xcall, &inbox, &hostile,
	   &hotplug, &torture, &grace_period_ipi, &read_section_ipi, &xsync_ipi, &call_ipi,
	   &callback_ipi, &hotplug_ipi, &hotplug_thread, &torture_ipi, &ordering,
	   &ordering_ipi, &solaris, &giveup, &seen, &rendezvous, &rendezvous_ipi,
	   &lasting, &lasting_ipi, &interrupted, &traced, &traced_ipi);
MODULE_DESCRIPTION("Unit cases of xsync");
MODULE_LICENSE("GPL");
