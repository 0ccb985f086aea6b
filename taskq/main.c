// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload of the layer, and its folder in debugfs. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <xsync/debugfs.h>
#include "internal.h"

static struct dentry *xtaskq_dir;

static int queues_show(struct seq_file *m, void *unused)
{
	xtaskq_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(queues);

static int __init xtaskq_init(void)
{
	xtaskq_inboxes_init();
	xtaskq_dir = debugfs_create_dir("taskq", xsync_debugfs_dir());
	debugfs_create_file("queues", 0400, xtaskq_dir, NULL, &queues_fops);
	return 0;
}

/* Queues go before the inboxes that their dispatches may still be in. */
static void __exit xtaskq_exit(void)
{
	debugfs_remove(xtaskq_dir);
	xtaskq_destroy_leftovers();
	xtaskq_inboxes_flush();
}

module_init(xtaskq_init);
module_exit(xtaskq_exit);
MODULE_DESCRIPTION("Task queues that count their threads exactly");
MODULE_LICENSE("GPL");
