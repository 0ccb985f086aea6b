/* SPDX-License-Identifier: GPL-2.0-only */
/* What one can see of this layer. */
#ifndef _FASTTRAP_DEBUGFS_H
#define _FASTTRAP_DEBUGFS_H

void ft_debugfs_init(void);
void ft_debugfs_exit(void);

#endif /* _FASTTRAP_DEBUGFS_H */
