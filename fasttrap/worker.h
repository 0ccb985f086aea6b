/* SPDX-License-Identifier: GPL-2.0-only */
/* The one thread that registers, unregisters and frees. */
#ifndef _FASTTRAP_WORKER_H
#define _FASTTRAP_WORKER_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <taskq/taskq.h>
#include <xsync/xsync.h>

struct pid;

/* Read sections of this domain surround the consumers' callbacks. */
extern struct xsync_domain ft_domain;

/*
 * Held by the worker while it changes what the others look at: lists of
 * sessions, providers and probes, their counters. The worker itself reads them
 * without: nobody else changes them, except that sessions are added.
 */
extern struct mutex ft_lock;

/**
 * struct ft_pass - what the worker is at, for debugfs
 * @what: in a word, or NULL: nothing; ft_lock
 * @pid: the process that it is about, or 0
 * @since: in ns
 */
struct ft_pass {
	const char	*what;
	pid_t		pid;
	u64		since;
};

extern struct ft_pass ft_pass;

int ft_worker_init(void);
void ft_worker_exit(void);
void ft_pass_begin(const char *what, struct pid *pid);
void ft_pass_end(void);
bool ft_in_worker(void);
void ft_worker_run(struct xtaskq_ent *ent, xtaskq_func_t func, void *arg);
void ft_worker_run_any(struct xtaskq_ent *ent, xtaskq_func_t func);
void ft_worker_flush(void);

#endif /* _FASTTRAP_WORKER_H */
