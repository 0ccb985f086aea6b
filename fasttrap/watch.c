// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks whether somebody sits on a process's mmap_lock.
 *
 * uprobes takes mmap_lock for writing, without a limit, while it holds
 * machine-wide locks that every fork needs: if somebody sits on it, all forks
 * wait. So it is tried before a pass and every 100 ms in it, and a second
 * without success ends the pass. That cannot prevent a stall that begins between
 * two looks, and it does not see other processes that map the same file.
 *
 * A target that is busy takes the lock for reading at each hit, from as many
 * threads as it has. Trying alone would never find it free, although whoever
 * queues gets it at once. The kernel has no lock with a time limit, but one that
 * gives up when its task is killed; so a thread of our own queues, and is sent
 * SIGKILL when the time is over. It does nothing else: a task with a fatal
 * signal must never get into uprobes, see worker.c.
 *
 *   worker                             watcher
 *   complete(begin) -----------------> mmap_write_lock_killable()
 *   wait for done, 1 s                 complete(done)
 *      over: give_up = true, SIGKILL     or killed: give_up? else again
 *      wait for done
 *
 * A signal that comes too late meets the next attempt, which tries again since
 * nobody told it to give up.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include "watch.h"

#define FT_WATCH_EVERY	msecs_to_jiffies(100)
#define FT_WATCH_LIMIT	HZ

/* The worker's one request; written by it before begin, by the thread before done. */
static struct mm_struct *ft_watch_mm;
static bool ft_watch_give_up, ft_watch_got;
static DECLARE_COMPLETION(ft_watch_begin);
static DECLARE_COMPLETION(ft_watch_done);
static struct task_struct *ft_watcher;

static void ft_watch_attempt(struct mm_struct *mm)
{
	int err;

	do {
		err = mmap_write_lock_killable(mm);
		if (!err)
			mmap_write_unlock(mm);
		flush_signals(current);
	} while (err && !READ_ONCE(ft_watch_give_up));
	ft_watch_got = !err;
}

static int ft_watcher_main(void *unused)
{
	allow_signal(SIGKILL);
	for (;;) {
		if (wait_for_completion_interruptible(&ft_watch_begin)) {
			flush_signals(current);
			continue;
		}
		if (!ft_watch_mm)
			return 0;
		ft_watch_attempt(ft_watch_mm);
		complete(&ft_watch_done);
	}
}

/* In the worker: queue for the lock and see whether that leads anywhere. */
static bool ft_watch_queue(struct mm_struct *mm)
{
	ft_watch_mm = mm;
	WRITE_ONCE(ft_watch_give_up, false);
	complete(&ft_watch_begin);
	if (!wait_for_completion_timeout(&ft_watch_done, FT_WATCH_LIMIT)) {
		WRITE_ONCE(ft_watch_give_up, true);
		send_sig(SIGKILL, ft_watcher, 1);
		wait_for_completion(&ft_watch_done);
	}
	return ft_watch_got;
}

/* Is the lock to be had? Start a pass with @w zeroed. Returns 0 or -EBUSY. */
int ft_watch(struct ft_watch *w, struct mm_struct *mm, struct pid *pid)
{
	if (w->mm == mm && time_before(jiffies, w->next))
		return 0;
	if (!atomic_read(&mm->mm_users))
		return 0;	/* nobody is left to hold it */

	/* For writing, as uprobes will; nothing is changed, so no mmap_write_lock(). */
	if (down_write_trylock(&mm->mmap_lock)) {
		up_write(&mm->mmap_lock);
	} else if (!ft_watch_queue(mm)) {
		pr_warn_ratelimited("xsync_fasttrap: mmap_lock of process %d is held for more than a second: not waiting for it\n",
				    pid_nr(pid));
		return -EBUSY;
	}
	w->mm = mm;
	w->next = jiffies + FT_WATCH_EVERY;
	return 0;
}

int __init ft_watch_init(void)
{
	ft_watcher = kthread_run(ft_watcher_main, NULL, "xfasttrap_watch");
	return PTR_ERR_OR_ZERO(ft_watcher);
}

/* No pass is under way, nor comes one. */
void ft_watch_exit(void)
{
	struct task_struct *watcher = get_task_struct(ft_watcher);

	/* No memory to look at is the end; kthread_stop() waits for it. */
	ft_watch_mm = NULL;
	complete(&ft_watch_begin);
	kthread_stop(watcher);
	put_task_struct(watcher);
}
