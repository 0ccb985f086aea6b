/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that is to be traced: its memory, and who may trace it. */
#ifndef _FASTTRAP_TARGET_H
#define _FASTTRAP_TARGET_H

#include <linux/types.h>
#include "fasttrap.h"
#include "insn.h"

struct cred;
struct file;
struct inode;
struct mm_struct;
struct pid;
struct task_struct;

/**
 * struct ft_target - a process, held for the time of one pass
 * @pid: the thread group leader's; the caller's reference
 * @task: the leader, referenced
 * @mm: its memory, mm_users held
 */
struct ft_target {
	struct pid		*pid;
	struct task_struct	*task;
	struct mm_struct	*mm;
};

/**
 * struct ft_site - what is found at an address
 * @file: that is mapped there, referenced
 * @offset: of the address in it
 * @insn: the bytes there
 * @len: how many of them could be read, at least 1
 */
struct ft_site {
	struct file	*file;
	loff_t		offset;
	u8		insn[FT_INSN_BYTES];
	unsigned int	len;
};

int ft_target_open(struct ft_target *t, struct pid *pid, const struct cred *cred);
void ft_target_close(struct ft_target *t);
bool ft_target_alive(const struct ft_target *t);
bool ft_target_permits(const struct ft_target *t, const struct cred *cred);

enum xfasttrap_reason ft_target_site(struct mm_struct *mm, unsigned long addr,
				     struct ft_site *site);
int ft_target_byte(struct mm_struct *mm, unsigned long addr,
		   const struct inode *inode, loff_t offset);

#endif /* _FASTTRAP_TARGET_H */
