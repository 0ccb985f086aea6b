/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of xsync.ko tell each other. */
#ifndef _XSYNC_INTERNAL_H
#define _XSYNC_INTERNAL_H

void xsync_debugfs_init(void);
void xsync_debugfs_exit(void);

#endif /* _XSYNC_INTERNAL_H */
