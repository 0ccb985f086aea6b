/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uprobes as 7.3 has them: a consumer is registered once, unregistered without
 * waiting, and one wait serves any number of unregistrations.
 *
 * Upstream changes covered:
 *   6.12  uprobe_register() returns the uprobe, unregistration is split into
 *         uprobe_unregister_nosync() and uprobe_unregister_sync(), the filter
 *         loses its context argument
 *   6.13  the handler gains a data argument (with UPROBE_HANDLER_IGNORE)
 */
#ifndef _XSYNC_COMPAT_UPROBES_H
#define _XSYNC_COMPAT_UPROBES_H

#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/uprobes.h>
#include <linux/version.h>

/**
 * struct xsync_uprobe - a consumer together with what names its registration
 * @consumer: handler and filter; set by the caller
 * @inode: of the file; the caller keeps inode and mount referenced
 * @offset: in the file
 * @uprobe: the kernel's object, where the kernel names one
 */
struct xsync_uprobe {
	struct uprobe_consumer	consumer;
	struct inode		*inode;
	loff_t			offset;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	struct uprobe		*uprobe;
#endif
};

/* Define @name as a consumer's handler that calls @fn(xsync_uprobe, regs). */
#ifdef UPROBE_HANDLER_IGNORE
#define XSYNC_UPROBE_HANDLER(name, fn)					\
static int name(struct uprobe_consumer *uc, struct pt_regs *regs,	\
		__u64 *data)						\
{									\
	return fn(container_of(uc, struct xsync_uprobe, consumer), regs); \
}
#else
#define XSYNC_UPROBE_HANDLER(name, fn)					\
static int name(struct uprobe_consumer *uc, struct pt_regs *regs)	\
{									\
	return fn(container_of(uc, struct xsync_uprobe, consumer), regs); \
}
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)

/* Define @name as a consumer's filter that calls @fn(xsync_uprobe, mm). */
#define XSYNC_UPROBE_FILTER(name, fn)					\
static bool name(struct uprobe_consumer *uc, struct mm_struct *mm)	\
{									\
	return fn(container_of(uc, struct xsync_uprobe, consumer), mm);	\
}

static inline int xsync_uprobe_register(struct xsync_uprobe *u)
{
	struct uprobe *uprobe;

	uprobe = uprobe_register(u->inode, u->offset, 0, &u->consumer);
	if (IS_ERR(uprobe))
		return PTR_ERR(uprobe);
	u->uprobe = uprobe;
	return 0;
}

static inline void xsync_uprobe_unregister_nosync(struct xsync_uprobe *u)
{
	uprobe_unregister_nosync(u->uprobe, &u->consumer);
}

static inline void xsync_uprobe_unregister_sync(void)
{
	uprobe_unregister_sync();
}

#else

#define XSYNC_UPROBE_FILTER(name, fn)					\
static bool name(struct uprobe_consumer *uc, enum uprobe_filter_ctx ctx, \
		 struct mm_struct *mm)					\
{									\
	return fn(container_of(uc, struct xsync_uprobe, consumer), mm);	\
}

static inline int xsync_uprobe_register(struct xsync_uprobe *u)
{
	return uprobe_register(u->inode, u->offset, &u->consumer);
}

/* Handlers run under the semaphore that this takes for writing: it waits. */
static inline void xsync_uprobe_unregister_nosync(struct xsync_uprobe *u)
{
	uprobe_unregister(u->inode, u->offset, &u->consumer);
}

static inline void xsync_uprobe_unregister_sync(void)
{
}

#endif

#endif /* _XSYNC_COMPAT_UPROBES_H */
