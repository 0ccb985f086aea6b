/* SPDX-License-Identifier: GPL-2.0-only */
/* The suites of the xsync layer. */
#ifndef _XSYNC_TEST_H
#define _XSYNC_TEST_H

#include "xut.h"

extern struct xut_suite contexts;

#endif /* _XSYNC_TEST_H */
