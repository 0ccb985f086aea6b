// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that is to be traced: its memory, and who may trace it.
 *
 * Memory. Everything is read through the target's own mappings and never
 * trusted to stay: uprobes looks again under its own locks, and the result is
 * read back. The file is that of the mapping, since on overlayfs the path leads
 * to another inode than the one that uprobes has to be given. Reading faults a
 * text page in at most, which registering there does anyway.
 *
 * Permission. The kernel's ptrace_may_access() is not exported. What is checked
 * here against the credentials of the session's opener is its core: the opener
 * has CAP_SYS_PTRACE in the user namespaces that the target's image and
 * credentials belong to; or its real ids equal all of the target's, it holds
 * every capability that the target holds, and the target is dumpable. Left out
 * are the security modules' hooks (Yama's restricted mode, SELinux and the
 * like): opening a session needs a capability that they hand out already.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mmu_context.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/user_namespace.h>
#include <xsync/compat/exec_state.h>
#include <xsync/compat/mm.h>
#include "target.h"

static bool ft_same_ids(const struct cred *cred, const struct cred *tcred)
{
	return uid_eq(cred->uid, tcred->euid) && uid_eq(cred->uid, tcred->suid) &&
	       uid_eq(cred->uid, tcred->uid) && gid_eq(cred->gid, tcred->egid) &&
	       gid_eq(cred->gid, tcred->sgid) && gid_eq(cred->gid, tcred->gid);
}

/* As the opener: the kernel only answers this question for current. */
static bool ft_may_ptrace(const struct cred *cred, struct user_namespace *ns)
{
	const struct cred *mine = override_creds(cred);
	bool may = ns_capable(ns, CAP_SYS_PTRACE);

	revert_creds(mine);
	return may;
}

/*
 * May @cred trace the target? exec changes memory and credentials one after the
 * other, so an answer about a process in the middle of it mixes the two: ask once
 * more when exec would be noticed (ft_provider_get()).
 */
bool ft_target_permits(const struct ft_target *t, const struct cred *cred)
{
	const struct cred *tcred;
	bool may, dumpable;

	rcu_read_lock();
	tcred = __task_cred(t->task);
	may = (ft_same_ids(cred, tcred) && cred->user_ns == tcred->user_ns &&
	       cap_issubset(tcred->cap_permitted, cred->cap_effective)) ||
	      ft_may_ptrace(cred, tcred->user_ns);
	/*
	 * A: dumpability after the ids: a task that drops privileges is made
	 * undumpable first. Pairs with the barrier in commit_creds().
	 */
	smp_rmb();
	dumpable = xsync_image_dumpable(t->task, t->mm) ||
		   ft_may_ptrace(cred, xsync_image_user_ns(t->task, t->mm));
	rcu_read_unlock();
	return may && dumpable;
}

/* The memory of a thread group, also when its leader has exited already. */
static struct mm_struct *ft_group_mm(struct task_struct *leader)
{
	struct mm_struct *mm = NULL;
	struct task_struct *t;

	rcu_read_lock();
	for_each_thread(leader, t) {
		mm = get_task_mm(t);
		if (mm)
			break;
	}
	rcu_read_unlock();
	return mm;
}

/*
 * Returns 0 and a target for ft_target_close(); -ESRCH: no such process, or it
 * is exiting; -EINVAL: no 64-bit user process; -EPERM: not for @cred.
 */
int ft_target_open(struct ft_target *t, struct pid *pid, const struct cred *cred)
{
	int err = -ESRCH;

	t->pid = pid;
	t->task = get_pid_task(pid, PIDTYPE_TGID);
	if (!t->task)
		return -ESRCH;
	if (t->task->flags & PF_KTHREAD) {
		err = -EINVAL;
		goto put_task;
	}
	t->mm = ft_group_mm(t->task);
	if (!t->mm)
		goto put_task;
	err = -EPERM;
	if (!ft_target_permits(t, cred))
		goto put_mm;
	err = -EINVAL;
	if (!is_64bit_mm(t->mm))
		goto put_mm;
	return 0;
put_mm:
	mmput_async(t->mm);
put_task:
	put_task_struct(t->task);
	return err;
}

/* The last user's exit_mmap() may take long: not in the worker. */
void ft_target_close(struct ft_target *t)
{
	mmput_async(t->mm);
	put_task_struct(t->task);
}

/*
 * Does the thread group still run this image? False also when only our own
 * reference keeps the memory.
 */
bool ft_target_alive(const struct ft_target *t)
{
	struct task_struct *thread;
	bool alive = false;

	if (atomic_read(&t->mm->mm_users) <= 1 || !atomic_read(&t->task->signal->live))
		return false;

	rcu_read_lock();
	for_each_thread(t->task, thread) {
		task_lock(thread);
		alive = thread->mm == t->mm;
		task_unlock(thread);
		if (alive)
			break;
	}
	rcu_read_unlock();
	return alive;
}

/* Bytes from one page, mmap_lock held; returns how many. */
static unsigned int ft_read_page(struct mm_struct *mm, unsigned long addr,
				 u8 *buf, unsigned int len)
{
	struct page *page;
	char *from;

	if (xsync_get_user_page(mm, addr, &page) != 1)
		return 0;
	len = min_t(unsigned int, len, PAGE_SIZE - offset_in_page(addr));
	from = kmap_local_page(page);
	memcpy(buf, from + offset_in_page(addr), len);
	kunmap_local(from);
	put_page(page);
	return len;
}

/* uprobes takes exactly this, and reports success for everything else. */
static bool ft_is_text(const struct vm_area_struct *vma)
{
	const unsigned long flags = VM_HUGETLB | VM_MAYEXEC | VM_MAYSHARE |
				    VM_WRITE | VM_EXEC;

	return vma->vm_file && S_ISREG(file_inode(vma->vm_file)->i_mode) &&
	       (vma->vm_flags & flags) == (VM_MAYEXEC | VM_EXEC);
}

static loff_t ft_vma_offset(const struct vm_area_struct *vma, unsigned long addr)
{
	return ((loff_t)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
}

/* On XFASTTRAP_OK the caller puts site->file. */
enum xfasttrap_reason ft_target_site(struct mm_struct *mm, unsigned long addr,
				     struct ft_site *site)
{
	enum xfasttrap_reason reason = XFASTTRAP_NOT_MAPPED;
	struct vm_area_struct *vma;
	unsigned int len;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (!vma)
		goto unlock;
	reason = XFASTTRAP_NOT_TEXT;
	if (!ft_is_text(vma))
		goto unlock;
	reason = XFASTTRAP_NOT_MAPPED;
	site->len = ft_read_page(mm, addr, site->insn, FT_INSN_BYTES);
	if (!site->len)
		goto unlock;
	len = FT_INSN_BYTES - site->len;
	if (len && vma->vm_end - addr > site->len)
		site->len += ft_read_page(mm, addr + site->len,
					  site->insn + site->len, len);
	site->file = get_file(vma->vm_file);
	site->offset = ft_vma_offset(vma, addr);
	reason = XFASTTRAP_OK;
unlock:
	mmap_read_unlock(mm);
	return reason;
}

/*
 * The byte at @addr; -ESRCH when the memory is gone, -ENOENT when the file is
 * not mapped there any more, -EFAULT when it cannot be read.
 */
int ft_target_byte(struct mm_struct *mm, unsigned long addr,
		   const struct inode *inode, loff_t offset)
{
	struct vm_area_struct *vma;
	int ret = -ENOENT;
	u8 byte;

	if (!mmget_not_zero(mm))
		return -ESRCH;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (vma && vma->vm_file && file_inode(vma->vm_file) == inode &&
	    ft_vma_offset(vma, addr) == offset)
		ret = ft_read_page(mm, addr, &byte, 1) ? byte : -EFAULT;
	mmap_read_unlock(mm);
	mmput_async(mm);
	return ret;
}
