// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload of the layer, and its folder in debugfs. */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <xsync/debugfs.h>
#include "internal.h"

static unsigned int max_threads = XTIMEOUT_THREADS;
module_param(max_threads, uint, 0400);
MODULE_PARM_DESC(max_threads, "how many functions may be blocked at a time");

struct xtaskq *xtimeout_pool;
static struct dentry *xtimeout_dir;

static int tables_show(struct seq_file *m, void *unused)
{
	xtimeout_tables_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tables);

static int running_show(struct seq_file *m, void *unused)
{
	xtimeout_runs_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(running);

static int __init xtimeout_init(void)
{
	int err;

	xtimeout_tables_init();
	err = xtimeout_ids_init();
	if (err)
		return err;
	xtimeout_pool = xtaskq_create("xtimeout", max_threads, XTASKQ_PRI_HIGH, 0, 0,
				      XTASKQ_DEDICATED | XTASKQ_DYNAMIC);
	if (IS_ERR(xtimeout_pool)) {
		err = PTR_ERR(xtimeout_pool);
		goto free_ids;
	}
	err = xtimeout_hotplug_init();
	if (err)
		goto destroy_pool;
	err = xtimeout_owners_init();
	if (err)
		goto exit_hotplug;
	xtimeout_reserve_fill();

	xtimeout_dir = debugfs_create_dir("timeout", xsync_debugfs_dir());
	debugfs_create_file("tables", 0400, xtimeout_dir, NULL, &tables_fops);
	debugfs_create_file("running", 0400, xtimeout_dir, NULL, &running_fops);
	return 0;

exit_hotplug:
	xtimeout_hotplug_exit();
destroy_pool:
	xtaskq_destroy(xtimeout_pool);
free_ids:
	xtimeout_ids_exit();
	return err;
}

/* See "Unload" in table.c. */
static void __exit xtimeout_exit(void)
{
	debugfs_remove(xtimeout_dir);
	xtimeout_owners_exit();
	xtimeout_drain_all();
	xtimeout_hotplug_exit();
	xtimeout_tables_exit();
	xtaskq_destroy(xtimeout_pool);
	xtimeout_ids_exit();
}

module_init(xtimeout_init);
module_exit(xtimeout_exit);
MODULE_DESCRIPTION("Timeouts and callouts that call back from a thread");
MODULE_LICENSE("GPL");
