// SPDX-License-Identifier: GPL-2.0-only
/* Where there are no tracepoints, nothing gets under the runqueue lock. */
#include <linux/errno.h>
#include <linux/export.h>
#include "context.h"

int xut_rqlock_self(void (*fn)(void *arg), void *arg)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(xut_rqlock_self);

int xut_rqlock_init(void)
{
	return 0;
}

void xut_rqlock_exit(void)
{
}
