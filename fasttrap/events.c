// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exec and exit of processes, by the kernel's own tracepoints.
 *
 * Both handlers run in the task that it is about, with preemption possibly off.
 * They set flags and kick the reaper. The kernel's tracepoints are not exported
 * by name; they are found by walking the list of all.
 *
 * Fork needs no handler: a child's copies of breakpoints go at their first hit.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <xsync/compat/sched_events.h>
#include "events.h"
#include "provider.h"
#include "session.h"

static struct tracepoint *ft_exec_event, *ft_exit_event;

static void ft_on_exec(void *data, struct task_struct *p, pid_t old_pid,
		       struct linux_binprm *bprm)
{
	rcu_read_lock();
	ft_providers_event(p, FT_PROVIDER_EXEC);
	rcu_read_unlock();
}

/*
 * Called for each thread. Whichever sees that none is left acts: a leader
 * that exits first still sees the others, on every kernel.
 */
static void ft_on_exit(struct task_struct *p)
{
	if (atomic_read(&p->signal->live))
		return;
	rcu_read_lock();
	ft_providers_event(p, FT_PROVIDER_EXIT);
	ft_sessions_opener_exit(p);
	rcu_read_unlock();
}

XSYNC_EXIT_EVENT(ft_exit_handler, ft_on_exit);

static void ft_find_event(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "sched_process_exec"))
		ft_exec_event = tp;
	else if (!strcmp(tp->name, "sched_process_exit"))
		ft_exit_event = tp;
}

int __init ft_events_init(void)
{
	int err;

	check_trace_callback_type_sched_process_exec(ft_on_exec);
	for_each_kernel_tracepoint(ft_find_event, NULL);
	if (!ft_exec_event || !ft_exit_event) {
		pr_err("xsync_fasttrap: this kernel has no tracepoints sched_process_exec and sched_process_exit\n");
		return -ENODEV;
	}

	err = tracepoint_probe_register(ft_exec_event, ft_on_exec, NULL);
	if (err)
		return err;
	err = tracepoint_probe_register(ft_exit_event, ft_exit_handler, NULL);
	if (err) {
		tracepoint_probe_unregister(ft_exec_event, ft_on_exec, NULL);
		tracepoint_synchronize_unregister();
	}
	return err;
}

/* No handler runs afterwards. */
void ft_events_exit(void)
{
	tracepoint_probe_unregister(ft_exit_event, ft_exit_handler, NULL);
	tracepoint_probe_unregister(ft_exec_event, ft_on_exec, NULL);
	tracepoint_synchronize_unregister();
}
