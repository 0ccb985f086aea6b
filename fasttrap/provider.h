/* SPDX-License-Identifier: GPL-2.0-only */
/* What a session traces: one image of one process. */
#ifndef _FASTTRAP_PROVIDER_H
#define _FASTTRAP_PROVIDER_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include "fasttrap.h"
#include "tracepoint.h"

struct ft_target;
struct ft_watch;
struct mm_struct;
struct pid;
struct task_struct;

enum ft_provider_flag {
	FT_PROVIDER_EXEC,	/* the thread group called exec */
	FT_PROVIDER_EXIT,	/* the thread group exited */
};

/**
 * struct ft_provider - one image of one process, as one session traces it
 * @flags: enum ft_provider_flag, set by the events, never cleared
 * @session: whose it is
 * @pid: the thread group leader's, referenced
 * @mm: the image; mm_count held
 * @comm: of the leader when the session first traced it
 * @created: when, in ns
 * @pid_node: in the table by pid; RCU
 * @session_node: in the session's list; worker, ft_lock
 * @probes: enabled ones; worker, ft_lock
 * @doomed: probes to be taken out; worker, ft_lock
 * @nr: how many in both lists; worker, ft_lock
 * @retired: the image is gone and the consumer knows
 * @blocked: why the reaper does not get on, or NULL; worker, ft_lock
 * @blocked_since: in ns
 * @retries: how often it tried
 * @rcu: the events look at a provider under RCU
 */
struct ft_provider {
	unsigned long			flags;
	struct xfasttrap_session	*session;
	struct pid			*pid;
	struct mm_struct		*mm;
	char				comm[16];
	u64				created;
	struct hlist_node		pid_node;
	struct list_head		session_node;
	struct list_head		probes;
	struct list_head		doomed;
	unsigned long			nr;
	bool				retired;
	const char			*blocked;
	u64				blocked_since;
	unsigned int			retries;
	struct rcu_head			rcu;
};

struct ft_provider *ft_provider_get(struct xfasttrap_session *s,
				    const struct ft_target *t, int *err);
void ft_provider_free(struct ft_provider *p);
bool ft_provider_ended(const struct ft_provider *p);
void ft_provider_add(struct ft_provider *p, struct ft_probe *probe,
		     struct ft_tracepoint *tp);
void ft_provider_doom(struct ft_probe *probe, enum ft_state state);
void ft_provider_doom_all(struct ft_provider *p, enum ft_state state);
int ft_provider_sweep(struct ft_provider *p, struct ft_watch *w,
		      struct ft_garbage *g);
bool ft_provider_check_end(struct ft_provider *p);
void ft_provider_blocked(struct ft_provider *p, const char *why);
pid_t ft_provider_name(const struct mm_struct *mm, char *comm, size_t size);
void ft_providers_event(struct task_struct *p, enum ft_provider_flag flag);

#endif /* _FASTTRAP_PROVIDER_H */
