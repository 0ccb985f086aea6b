/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rdmsrq() and wrmsrq() are the names since 6.16 (commit c435e608cf59,
 * "x86/msr: Rename 'rdmsrl()' to 'rdmsrq()'").
 */
#ifndef _XSYNC_COMPAT_MSR_H
#define _XSYNC_COMPAT_MSR_H

#include <asm/msr.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#ifndef rdmsrq
#define rdmsrq(msr, val)	rdmsrl(msr, val)
#define wrmsrq(msr, val)	wrmsrl(msr, val)
#endif
#endif

#endif /* _XSYNC_COMPAT_MSR_H */
