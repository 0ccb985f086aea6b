// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload of the layer. */
#define pr_fmt(fmt) "xsync_timeout: " fmt

#include <linux/err.h>
#include <linux/module.h>
#include <linux/printk.h>
#include "internal.h"

static unsigned int max_threads = XTIMEOUT_THREADS;
module_param(max_threads, uint, 0400);
MODULE_PARM_DESC(max_threads, "how many functions may be blocked at a time (256)");

struct xtaskq *xtimeout_pool;
struct xsync_hist __percpu *xtimeout_lateness;

static int pool_create(void)
{
	xtimeout_pool = xtaskq_create("xtimeout", max_threads, XTASKQ_PRI_HIGH, 0, 0,
				      XTASKQ_DEDICATED | XTASKQ_DYNAMIC);
	if (!IS_ERR(xtimeout_pool))
		return 0;
	pr_err("no threads for functions, max_threads=%u: error %ld\n", max_threads,
	       PTR_ERR(xtimeout_pool));
	return PTR_ERR(xtimeout_pool);
}

static int __init xtimeout_init(void)
{
	int err;

	xtimeout_tables_init();
	xtimeout_lateness = alloc_percpu(struct xsync_hist);
	if (!xtimeout_lateness)
		return -ENOMEM;
	err = pool_create();
	if (err)
		goto free_lateness;
	err = xtimeout_spares_fill();
	if (err)
		goto free_spares;
	err = xtimeout_changes_init();
	if (err)
		goto free_spares;
	err = xtimeout_owners_init();
	if (err)
		goto exit_changes;
	xtimeout_debugfs_init();
	return 0;

exit_changes:
	xtimeout_changes_exit();
free_spares:
	xtaskq_destroy(xtimeout_pool);
	xtimeout_spares_free();
free_lateness:
	free_percpu(xtimeout_lateness);
	return err;
}

/* See "Unload" in table.c. */
static void __exit xtimeout_exit(void)
{
	xtimeout_debugfs_exit();
	xtimeout_owners_exit();
	xtimeout_drain_all();
	xtimeout_changes_exit();
	xtimeout_tables_exit();
	xtaskq_destroy(xtimeout_pool);
	xtimeout_spares_free();
	free_percpu(xtimeout_lateness);
}

module_init(xtimeout_init);
module_exit(xtimeout_exit);
MODULE_DESCRIPTION("Timeouts and callouts that call back from a thread");
MODULE_LICENSE("GPL");
