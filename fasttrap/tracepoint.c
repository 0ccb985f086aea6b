// SPDX-License-Identifier: GPL-2.0-only
/*
 * Patched instructions, and the probes that share them.
 *
 *   (mm, pc) --hash--> ft_tracepoint --probes--> ft_probe, ft_probe, ...
 *                          |                      of any session
 *                          +--> ft_file --> struct file: inode and mount
 *
 * One tracepoint is one registration with uprobes, which names a file and an
 * offset, narrowed down to one mm by the filter. That mm is kept by mm_count, so
 * that its address is not reused while a handler may compare with it.
 *
 * uprobes' own success means little: a process that is dying accepts everything,
 * and an unregistration reports nothing. So the byte is read back, both ways.
 *
 *   register --> byte differs? --> gone again, XFASTTRAP_NOT_INSTALLED
 *   unregister --> original byte back? --no--> register and unregister once
 *         more --> original byte back? --no--> stranded: reported and left
 *
 * A breakpoint of another user of uprobes on the same instruction looks as if it
 * were stranded; it is reported in words that allow for it.
 *
 * Freeing. Since 6.12 handlers may run until the one wait that serves any number
 * of unregistrations. After that wait no handler has the tracepoint. Probes that
 * leave a tracepoint which others go on using are protected by the grace period
 * of ft_domain alone. ft_garbage_collect() does both for a whole pass.
 *
 * Locking: everything here runs in the worker. ft_lock is taken around changes
 * that debugfs could see.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "provider.h"
#include "session.h"
#include "target.h"
#include "tracepoint.h"
#include "worker.h"

#define FT_HASH_BITS	14

unsigned int ft_max_inode = 10000;
struct ft_stranded ft_stranded[FT_STRANDED_KEPT];
unsigned long ft_nr_stranded;

/**
 * struct ft_file - a file that has tracepoints
 * @node: in the table by inode
 * @file: keeps inode and mount
 * @nr: how many tracepoints, in whichever process
 */
struct ft_file {
	struct hlist_node	node;
	struct file		*file;
	unsigned int		nr;
};

static DEFINE_HASHTABLE(ft_tracepoints, FT_HASH_BITS);
static DEFINE_HASHTABLE(ft_sites, FT_HASH_BITS);
static DEFINE_HASHTABLE(ft_files, 6);

/* Takes over the reference on @file. */
static struct ft_file *ft_file_get(struct file *file, enum xfasttrap_reason *reason)
{
	struct inode *inode = file_inode(file);
	struct ft_file *f;

	hash_for_each_possible(ft_files, f, node, (unsigned long)inode) {
		if (file_inode(f->file) != inode)
			continue;
		*reason = XFASTTRAP_LIMIT;
		if (f->nr >= READ_ONCE(ft_max_inode))
			f = NULL;
		else
			f->nr++;
		fput(file);
		return f;
	}

	*reason = XFASTTRAP_NO_MEMORY;
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f) {
		fput(file);
		return NULL;
	}
	f->file = file;
	f->nr = 1;
	hash_add(ft_files, &f->node, (unsigned long)inode);
	return f;
}

static void ft_file_put(struct ft_file *f)
{
	if (--f->nr)
		return;
	hash_del(&f->node);
	fput(f->file);
	kfree(f);
}

static unsigned long ft_hash(const struct mm_struct *mm, unsigned long pc)
{
	return (unsigned long)mm ^ pc;
}

static unsigned long ft_site_hash(const struct inode *inode, loff_t offset)
{
	return (unsigned long)inode ^ (unsigned long)offset;
}

static struct ft_tracepoint *ft_tracepoint_find(struct mm_struct *mm,
						unsigned long pc)
{
	struct ft_tracepoint *tp;

	hash_for_each_possible(ft_tracepoints, tp, hash_node, ft_hash(mm, pc)) {
		if (tp->mm == mm && tp->pc == pc)
			return tp;
	}
	return NULL;
}

/* The byte at the tracepoint, or why it cannot be said. */
static int ft_tracepoint_byte(struct ft_tracepoint *tp)
{
	return ft_target_byte(tp->mm, tp->pc, tp->uprobe.inode, tp->uprobe.offset);
}

static struct ft_tracepoint *ft_tracepoint_alloc(struct mm_struct *mm,
						 unsigned long pc,
						 const struct ft_site *site,
						 struct ft_file *file)
{
	struct ft_tracepoint *tp = kzalloc(sizeof(*tp), GFP_KERNEL);

	if (!tp)
		return NULL;
	tp->uprobe.consumer = ft_consumer;
	tp->uprobe.inode = file_inode(file->file);
	tp->uprobe.offset = site->offset;
	mmgrab(mm);
	tp->mm = mm;
	tp->pc = pc;
	INIT_LIST_HEAD(&tp->probes);
	tp->file = file;
	memcpy(tp->insn, site->insn, sizeof(tp->insn));
	tp->len = site->len;
	return tp;
}

static void ft_tracepoint_free(struct ft_tracepoint *tp)
{
	ft_file_put(tp->file);
	mmdrop(tp->mm);
	kfree(tp);
}

static enum xfasttrap_reason ft_register_reason(int err)
{
	switch (err) {
	case 0:
		return XFASTTRAP_OK;
	case -ENOMEM:
		return XFASTTRAP_NO_MEMORY;
	case -EFAULT:
	case -EINTR:
		return XFASTTRAP_NOT_INSTALLED;
	}
	return XFASTTRAP_UNSUPPORTED;
}

/* Is the breakpoint in the target now? */
static bool ft_tracepoint_armed(struct ft_tracepoint *tp)
{
	int byte = ft_tracepoint_byte(tp);

	return byte >= 0 && ft_insn_armed(tp->insn, byte);
}

/*
 * May one more probe sit on it? The address may have been mapped anew since, and
 * each hit walks all probes with preemption off.
 */
static enum xfasttrap_reason ft_tracepoint_share(struct ft_tracepoint *tp,
						 enum xfasttrap_kind kind)
{
	if (tp->nr >= FT_MAX_SHARED)
		return XFASTTRAP_LIMIT;
	if (!ft_tracepoint_armed(tp))
		return XFASTTRAP_NOT_INSTALLED;
	return ft_insn_check(tp->insn, tp->len, kind);
}

/*
 * fork copies breakpoints: what looks like somebody else's may be ours, of the
 * process that this one was forked from. Then its tracepoint knows the original.
 */
static void ft_site_unmask(struct ft_site *site)
{
	struct inode *inode = file_inode(site->file);
	struct ft_tracepoint *tp;

	if (!ft_insn_is_breakpoint(site->insn))
		return;
	hash_for_each_possible(ft_sites, tp, site_node, ft_site_hash(inode, site->offset)) {
		if (tp->uprobe.inode != inode || tp->uprobe.offset != site->offset)
			continue;
		memcpy(site->insn, tp->insn, sizeof(site->insn));
		site->len = tp->len;
		return;
	}
}

/* Register and read back. What did not work is unregistered, or in @g. */
static enum xfasttrap_reason ft_tracepoint_install(struct ft_tracepoint *tp,
						   struct ft_garbage *g)
{
	enum xfasttrap_reason reason;

	reason = ft_register_reason(xsync_uprobe_register(&tp->uprobe));
	if (reason != XFASTTRAP_OK) {
		ft_tracepoint_free(tp);
		return reason;
	}
	hash_add(ft_tracepoints, &tp->hash_node, ft_hash(tp->mm, tp->pc));
	hash_add(ft_sites, &tp->site_node,
		 ft_site_hash(tp->uprobe.inode, tp->uprobe.offset));

	if (ft_tracepoint_armed(tp))
		return XFASTTRAP_OK;
	ft_tracepoint_unused(tp, g);
	return XFASTTRAP_NOT_INSTALLED;
}

/*
 * Find the tracepoint or make it. One that is new has no probes and is for
 * ft_tracepoint_unused() if it does not get one.
 */
struct ft_tracepoint *ft_tracepoint_get(struct mm_struct *mm, unsigned long pc,
					enum xfasttrap_kind kind,
					enum xfasttrap_reason *reason,
					struct ft_garbage *g)
{
	struct ft_tracepoint *tp = ft_tracepoint_find(mm, pc);
	struct ft_site site;
	struct ft_file *file;

	if (tp) {
		*reason = ft_tracepoint_share(tp, kind);
		return *reason == XFASTTRAP_OK ? tp : NULL;
	}

	*reason = ft_target_site(mm, pc, &site);
	if (*reason != XFASTTRAP_OK)
		return NULL;
	ft_site_unmask(&site);
	*reason = ft_insn_check(site.insn, site.len, kind);
	if (*reason != XFASTTRAP_OK) {
		fput(site.file);
		return NULL;
	}
	file = ft_file_get(site.file, reason);
	if (!file)
		return NULL;
	tp = ft_tracepoint_alloc(mm, pc, &site, file);
	if (!tp) {
		ft_file_put(file);
		*reason = XFASTTRAP_NO_MEMORY;
		return NULL;
	}
	*reason = ft_tracepoint_install(tp, g);
	return *reason == XFASTTRAP_OK ? tp : NULL;
}

/* From here on hits are delivered. */
void ft_tracepoint_add(struct ft_tracepoint *tp, struct ft_probe *probe)
{
	probe->tp = tp;
	tp->nr++;
	list_add_tail_rcu(&probe->tp_node, &tp->probes);
}

/* No probe sits on it: unregister, without waiting for handlers. */
void ft_tracepoint_unused(struct ft_tracepoint *tp, struct ft_garbage *g)
{
	xsync_uprobe_unregister_nosync(&tp->uprobe);
	hash_del(&tp->hash_node);
	hash_del(&tp->site_node);
	hlist_add_head(&tp->hash_node, &g->tracepoints);
}

/* The probe is in no provider's list any more; it goes into @g. */
void ft_tracepoint_del(struct ft_probe *probe, struct ft_garbage *g)
{
	struct ft_tracepoint *tp = probe->tp;

	list_del_rcu(&probe->tp_node);
	list_add(&probe->provider_node, &g->probes);
	if (!--tp->nr)
		ft_tracepoint_unused(tp, g);
}

static bool ft_is_stranded(struct ft_tracepoint *tp)
{
	int byte = ft_tracepoint_byte(tp);

	return byte >= 0 && byte != tp->insn[0] && ft_insn_armed(tp->insn, byte);
}

static void ft_report_stranded(struct ft_tracepoint *tp)
{
	struct ft_stranded *s;

	mutex_lock(&ft_lock);
	s = &ft_stranded[ft_nr_stranded++ % FT_STRANDED_KEPT];
	s->pid = ft_provider_name(tp->mm, s->comm, sizeof(s->comm));
	s->pc = tp->pc;
	s->since = ktime_get_ns();
	pr_warn_ratelimited("xsync_fasttrap: breakpoint at 0x%lx of process %d (%s) is still there after two unregistrations: stranded, or another tracer's\n",
			    s->pc, s->pid, s->comm);
	mutex_unlock(&ft_lock);
}

/*
 * What is still armed although it was unregistered gets a second try. Nobody
 * runs in the consumers any more, so they can be registered again.
 */
static void ft_repair(struct ft_garbage *g)
{
	struct ft_tracepoint *tp;
	struct hlist_node *tmp;
	HLIST_HEAD(stranded);

	hlist_for_each_entry_safe(tp, tmp, &g->tracepoints, hash_node) {
		if (!ft_is_stranded(tp))
			continue;
		hlist_del(&tp->hash_node);
		hlist_add_head(&tp->hash_node, &stranded);
		if (!xsync_uprobe_register(&tp->uprobe))
			xsync_uprobe_unregister_nosync(&tp->uprobe);
	}
	if (hlist_empty(&stranded))
		return;

	xsync_uprobe_unregister_sync();
	hlist_for_each_entry_safe(tp, tmp, &stranded, hash_node) {
		if (ft_is_stranded(tp))
			ft_report_stranded(tp);
		hlist_del(&tp->hash_node);
		hlist_add_head(&tp->hash_node, &g->tracepoints);
	}
}

void ft_garbage_init(struct ft_garbage *g)
{
	INIT_LIST_HEAD(&g->probes);
	INIT_HLIST_HEAD(&g->tracepoints);
}

/*
 * Wait until nobody can be in a callback of what @g holds, and free it. The
 * list is empty afterwards.
 */
void ft_garbage_collect(struct ft_garbage *g)
{
	struct ft_tracepoint *tp;
	struct ft_probe *probe, *next;
	struct hlist_node *tmp;

	if (list_empty(&g->probes) && hlist_empty(&g->tracepoints))
		return;
	if (!hlist_empty(&g->tracepoints)) {
		xsync_uprobe_unregister_sync();
		ft_repair(g);
	}
	/* Memory that somebody may still be in is lost rather than freed. */
	if (WARN_ON_ONCE(xsync_synchronize(&ft_domain)))
		return;

	mutex_lock(&ft_lock);
	list_for_each_entry(probe, &g->probes, provider_node)
		ft_session_add_hits(probe);
	mutex_unlock(&ft_lock);
	list_for_each_entry_safe(probe, next, &g->probes, provider_node)
		kfree(probe);
	hlist_for_each_entry_safe(tp, tmp, &g->tracepoints, hash_node)
		ft_tracepoint_free(tp);
	ft_garbage_init(g);
}
