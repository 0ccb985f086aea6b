/* SPDX-License-Identifier: GPL-2.0-only */
/* Looks whether somebody sits on a process's mmap_lock. */
#ifndef _FASTTRAP_WATCH_H
#define _FASTTRAP_WATCH_H

struct mm_struct;
struct pid;

/**
 * struct ft_watch - when to look again, in one pass
 * @mm: that was looked at last
 * @next: when it is due, in jiffies
 */
struct ft_watch {
	struct mm_struct	*mm;
	unsigned long		next;
};

int ft_watch_init(void);
void ft_watch_exit(void);
int ft_watch(struct ft_watch *w, struct mm_struct *mm, struct pid *pid);

#endif /* _FASTTRAP_WATCH_H */
