// SPDX-License-Identifier: GPL-2.0-only
/* debugfs - the folder that all layers show their state in. */
#include <linux/debugfs.h>
#include <linux/export.h>
#include "debugfs.h"
#include "internal.h"

static struct dentry *xsync_dir;

/**
 * xsync_debugfs_dir - the folder "xsync" at the top of debugfs
 *
 * Context: Any.
 * Return: the folder, or an error pointer that every debugfs function accepts.
 */
struct dentry *xsync_debugfs_dir(void)
{
	return xsync_dir;
}
EXPORT_SYMBOL_GPL(xsync_debugfs_dir);

void __init xsync_debugfs_init(void)
{
	xsync_dir = debugfs_create_dir("xsync", NULL);
}

void xsync_debugfs_exit(void)
{
	debugfs_remove(xsync_dir);
}
