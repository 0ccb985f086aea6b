/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of another process as 7.3 has them.
 *
 * Upstream change covered:
 *   6.5  get_user_pages_remote() loses its vmas argument
 */
#ifndef _XSYNC_COMPAT_MM_H
#define _XSYNC_COMPAT_MM_H

#include <linux/mm.h>
#include <linux/version.h>

/*
 * One page of @mm, readable, with a reference for put_page(). Caller holds
 * mmap_lock and keeps it. Returns 1, or something else and no page.
 */
static inline long xsync_get_user_page(struct mm_struct *mm, unsigned long addr,
				       struct page **page)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return get_user_pages_remote(mm, addr, 1, FOLL_FORCE, page, NULL);
#else
	return get_user_pages_remote(mm, addr, 1, FOLL_FORCE, page, NULL, NULL);
#endif
}

#endif /* _XSYNC_COMPAT_MM_H */
