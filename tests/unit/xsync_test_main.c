// SPDX-License-Identifier: GPL-2.0-only
/* xsync_test.ko: the unit cases of the xsync layer. */
#include "xsync_test.h"

module_xut(&contexts);
MODULE_DESCRIPTION("Unit cases of xsync");
MODULE_LICENSE("GPL");
