// SPDX-License-Identifier: GPL-2.0-only
/*
 * main - load and unload of xsync.ko.
 *
 * Every user of this module needs one of its symbols, so it cannot be unloaded
 * before them; and they have destroyed their domains, freed their requests and
 * synced their hand-offs by then.  What may still be under way are the last steps
 * of a pass, which the hand-off's teardown waits for.
 *
 * The order: the threads need the hotplug callbacks to give up what they did not
 * run; the callbacks need the outboxes.
 */
#include <linux/module.h>
#include "internal.h"

static int __init xsync_module_init(void)
{
	int err;

	xsync_handoff_setup();
	xcall_inboxes_setup();
	err = xsync_callbacks_init();
	if (err)
		return err;
	err = xsync_hotplug_init();
	if (err)
		goto out_callbacks;
	err = xcall_init();
	if (err)
		goto out_hotplug;
	xsync_debugfs_init();
	return 0;

out_hotplug:
	xsync_hotplug_exit();
out_callbacks:
	xsync_callbacks_exit();
	return err;
}

static void __exit xsync_module_exit(void)
{
	xsync_debugfs_exit();
	xcall_exit();
	xsync_hotplug_exit();
	xsync_callbacks_exit();
	xsync_handoff_teardown();
}

module_init(xsync_module_init);
module_exit(xsync_module_exit);
MODULE_DESCRIPTION("Grace periods and cross-calls from any context");
MODULE_LICENSE("GPL");
