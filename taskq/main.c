// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload of the layer, and the queue for everybody. */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/module.h>
#include "internal.h"

#define SYSTEM_THREADS	64

struct xtaskq *xtaskq_system;
EXPORT_SYMBOL_GPL(xtaskq_system);

static int __init system_queue_create(void)
{
	struct xtaskq *tq = xtaskq_create("xtaskq_system", SYSTEM_THREADS, XTASKQ_PRI_NORMAL,
					  4, 0, XTASKQ_PREPOPULATE | XTASKQ_DEDICATED |
					  XTASKQ_DYNAMIC);

	if (IS_ERR(tq))
		return PTR_ERR(tq);
	xtaskq_system = tq;
	return 0;
}

/* In the opposite order of xtaskq_init(). */
static void xtaskq_undo(unsigned int steps)
{
	if (steps > 2)
		xtaskq_suspend_exit();
	if (steps > 1)
		xtaskq_percent_exit();
	xtaskq_deadman_exit();
	xtaskq_debugfs_exit();
}

static int __init xtaskq_init(void)
{
	int err;

	xtaskq_inboxes_init();
	xtaskq_debugfs_init();
	xtaskq_deadman_init();
	err = xtaskq_percent_init();
	if (err) {
		xtaskq_undo(1);
		return err;
	}
	err = xtaskq_suspend_init();
	if (err) {
		xtaskq_undo(2);
		return err;
	}
	err = system_queue_create();
	if (err)
		xtaskq_undo(3);
	return err;
}

/* Queues go before the inboxes that their dispatches may still be in. */
static void __exit xtaskq_exit(void)
{
	xtaskq_destroy(xtaskq_system);
	xtaskq_destroy_leftovers();
	xtaskq_undo(3);
	xtaskq_inboxes_flush();
}

module_init(xtaskq_init);
module_exit(xtaskq_exit);
MODULE_DESCRIPTION("Task queues that count their threads exactly");
MODULE_LICENSE("GPL");
