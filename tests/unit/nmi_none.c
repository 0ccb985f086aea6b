// SPDX-License-Identifier: GPL-2.0-only
/* Where no NMI can be sent: user-mode Linux, and what is not x86. */
#include <linux/errno.h>
#include <linux/export.h>
#include "context.h"

int xut_nmi_self(void (*fn)(void *arg), void *arg)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(xut_nmi_self);

int xut_nmi_init(void)
{
	return 0;
}

void xut_nmi_exit(void)
{
}
