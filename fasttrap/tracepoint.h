/* SPDX-License-Identifier: GPL-2.0-only */
/* Patched instructions, and the probes that share them. */
#ifndef _FASTTRAP_TRACEPOINT_H
#define _FASTTRAP_TRACEPOINT_H

#include <linux/list.h>
#include <linux/types.h>
#include <xsync/compat/uprobes.h>
#include "fasttrap.h"
#include "insn.h"

struct ft_file;
struct ft_provider;
struct xfasttrap_session;

enum ft_state {
	FT_ENABLED,
	FT_DISABLING,
	FT_RETIRED,
};

/* Each hit goes through all of them with preemption off. */
#define FT_MAX_SHARED	64

/**
 * struct ft_tracepoint - one instruction of one process image, patched
 * @uprobe: its registration
 * @mm: the image; mm_count held. All that the filter looks at
 * @pc: the address
 * @probes: who wants to hear of it. Hits walk it inside an xsync section
 * @nr: how many; worker
 * @hash_node: in the table by (mm, pc), or in a struct ft_garbage
 * @site_node: in the table by (inode, offset)
 * @file: keeps inode and mount; its count includes this one
 * @insn: the original bytes
 * @len: how many of them
 */
struct ft_tracepoint {
	struct xsync_uprobe	uprobe;
	struct mm_struct	*mm;
	unsigned long		pc;
	struct list_head	probes;
	unsigned int		nr;
	struct hlist_node	hash_node;
	struct hlist_node	site_node;
	struct ft_file		*file;
	u8			insn[FT_INSN_BYTES];
	u8			len;
};

/**
 * struct ft_probe - what a consumer asked for
 * @tp_node: in ft_tracepoint::probes; not reused before the grace period
 * @tp: where it sits
 * @session: whose it is
 * @provider: of which process
 * @provider_node: in ft_provider::probes, then ::doomed, then in a struct
 *	ft_garbage
 * @id: in the session
 * @cookie: the consumer's
 * @hits: delivered, and not yet added to the session
 * @kind: of the probe
 * @state: enum ft_state; only FT_ENABLED ones are delivered to
 */
struct ft_probe {
	struct list_head	tp_node;
	struct ft_tracepoint	*tp;
	struct xfasttrap_session	*session;
	struct ft_provider	*provider;
	struct list_head	provider_node;
	u64			id;
	u64			cookie;
	atomic64_t		hits;
	u8			kind;
	u8			state;
};

/**
 * struct ft_garbage - what was taken out in one pass and waits to be freed
 * @probes: by ft_probe::provider_node
 * @tracepoints: by ft_tracepoint::hash_node
 */
struct ft_garbage {
	struct list_head	probes;
	struct hlist_head	tracepoints;
};

extern unsigned int ft_max_inode;

struct ft_tracepoint *ft_tracepoint_get(struct mm_struct *mm, unsigned long pc,
					enum xfasttrap_kind kind,
					enum xfasttrap_reason *reason,
					struct ft_garbage *g);
void ft_tracepoint_add(struct ft_tracepoint *tp, struct ft_probe *probe);
void ft_tracepoint_del(struct ft_probe *probe, struct ft_garbage *g);
void ft_tracepoint_unused(struct ft_tracepoint *tp, struct ft_garbage *g);
void ft_garbage_init(struct ft_garbage *g);
void ft_garbage_collect(struct ft_garbage *g);

/* What was left in a target in spite of everything; under ft_lock. */
struct ft_stranded {
	pid_t		pid;
	char		comm[16];
	unsigned long	pc;
	u64		since;
};

#define FT_STRANDED_KEPT	32
extern struct ft_stranded ft_stranded[FT_STRANDED_KEPT];
extern unsigned long ft_nr_stranded;

/* hit.c */
extern const struct uprobe_consumer ft_consumer;

#endif /* _FASTTRAP_TRACEPOINT_H */
