// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload of the layer "xsync". */
#include <linux/module.h>

static int __init xsync_init(void)
{
	return 0;
}

static void __exit xsync_exit(void)
{
}

module_init(xsync_init);
module_exit(xsync_exit);
MODULE_DESCRIPTION("Grace periods and cross-calls from any context");
MODULE_LICENSE("GPL");
