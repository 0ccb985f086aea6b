/* SPDX-License-Identifier: GPL-2.0-only */
/* The folder in debugfs that all layers put their read-only state in. */
#ifndef _XSYNC_DEBUGFS_H
#define _XSYNC_DEBUGFS_H

struct dentry;

struct dentry *xsync_debugfs_dir(void);

#endif /* _XSYNC_DEBUGFS_H */
