/* SPDX-License-Identifier: GPL-2.0-only */
/* A consumer's handle, and everything it holds. */
#ifndef _FASTTRAP_SESSION_H
#define _FASTTRAP_SESSION_H

#include <linux/bitops.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include "fasttrap.h"

struct cred;
struct ft_garbage;
struct ft_probe;
struct pid;
struct task_struct;

enum ft_session_flag {
	FT_SESSION_ENDED,	/* delivers nothing and takes no requests */
	FT_SESSION_CLOSED,	/* the consumer gave its handle back */
	FT_SESSION_REAPED,	/* holds nothing any more */
};

/**
 * struct xfasttrap_session - a consumer's handle
 * @flags: enum ft_session_flag, set by anybody, never cleared
 * @ops: the consumer's
 * @arg: the consumer's
 * @ref: of the list, and of each request under way
 * @cred: the opener's, for who may be traced
 * @opener: its thread group; the session ends with it
 * @opener_node: in the table by opener; RCU
 * @node: in the list of all sessions; ft_lock
 * @forgotten: it is in no list any more
 * @nr: names it in debugfs
 * @comm: of the opener
 * @created: when, in ns
 * @ended: since when it waits for the reaper, in ns
 * @providers: what it traces, by ft_provider::session_node; worker, ft_lock
 * @probes: by id; worker, ft_lock
 * @next_id: of the next probe; worker
 * @nr_probes: in @probes
 * @nr_doomed: how many of them wait to be taken out
 * @nr_retired: probes whose target went away, so far
 * @hits_gone: hits of probes that are gone
 * @rcu: the exit event looks at a session under RCU
 */
struct xfasttrap_session {
	unsigned long			flags;
	const struct xfasttrap_ops	*ops;
	void				*arg;

	refcount_t			ref;
	const struct cred		*cred;
	struct pid			*opener;
	struct hlist_node		opener_node;
	struct list_head		node;
	struct completion		forgotten;
	u64				nr;
	char				comm[16];
	u64				created;
	u64				ended;

	struct list_head		providers;
	struct xarray			probes;
	u64				next_id;
	unsigned long			nr_probes;
	unsigned long			nr_doomed;
	u64				nr_retired;
	u64				hits_gone;
	struct rcu_head			rcu;
};

extern struct list_head ft_sessions;
extern unsigned int ft_max_session;
extern unsigned int ft_max_total;

static inline bool ft_session_ended(const struct xfasttrap_session *s)
{
	return test_bit(FT_SESSION_ENDED, &s->flags);
}

void ft_session_get(struct xfasttrap_session *s);
void ft_session_put(struct xfasttrap_session *s);
struct xfasttrap_session *ft_session_next(struct xfasttrap_session *s);
struct ft_probe *ft_session_new_probe(struct xfasttrap_session *s,
				      const struct xfasttrap_spec *spec,
				      enum xfasttrap_reason *reason);
void ft_session_cancel_probe(struct ft_probe *probe);
void ft_session_add_probe(struct ft_probe *probe);
void ft_session_add_hits(struct ft_probe *probe);
void ft_session_del_probe(struct ft_probe *probe);
void ft_session_check_release(struct xfasttrap_session *s);
void ft_sessions_opener_exit(struct task_struct *p);
void ft_sessions_end_all(void);

#endif /* _FASTTRAP_SESSION_H */
