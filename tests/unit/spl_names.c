// SPDX-License-Identifier: GPL-2.0-only
/*
 * spl_names.ko: exports the names that OpenZFS's spl.ko exports for task queues, as a
 * stand-in for it: the loader refuses a second owner of a name, so ours load beside
 * this one only if none of theirs is among them.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/module.h>
#include "spl_names.h"

#define SPL_NAME(name)					\
int name(void)						\
{							\
	return -EOPNOTSUPP;				\
}							\
EXPORT_SYMBOL(name)

SPL_NAME(taskq_create);
SPL_NAME(taskq_create_synced);
SPL_NAME(taskq_destroy);
SPL_NAME(taskq_dispatch);
SPL_NAME(taskq_dispatch_delay);
SPL_NAME(taskq_dispatch_ent);
SPL_NAME(taskq_empty_ent);
SPL_NAME(taskq_init_ent);
SPL_NAME(taskq_cancel_id);
SPL_NAME(taskq_wait);
SPL_NAME(taskq_wait_id);
SPL_NAME(taskq_wait_outstanding);
SPL_NAME(taskq_member);
SPL_NAME(taskq_of_curthread);
SPL_NAME(system_taskq);
SPL_NAME(system_delay_taskq);

MODULE_DESCRIPTION("The names of spl.ko's task queues");
MODULE_LICENSE("GPL");
