// SPDX-License-Identifier: GPL-2.0-only
/* main - load and unload of xsync.ko. */
#include <linux/module.h>
#include "internal.h"

static int __init xsync_module_init(void)
{
	xsync_debugfs_init();
	return 0;
}

static void __exit xsync_module_exit(void)
{
	xsync_debugfs_exit();
}

module_init(xsync_module_init);
module_exit(xsync_module_exit);
MODULE_DESCRIPTION("Grace periods and cross-calls from any context");
MODULE_LICENSE("GPL");
