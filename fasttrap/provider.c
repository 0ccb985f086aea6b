// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a session traces: one image of one process.
 *
 *   live --+-- exec of the thread group ----------------> retired --> freed
 *          +-- exit of the thread group --> waiting ----> retired --> freed
 *                                           for the memory's last user
 *
 * An image ends when its thread group calls exec, or when its memory has no
 * user any more. A leader that exits before other threads ends nothing, and
 * memory may outlive the thread group in a child made by vfork() or
 * clone(CLONE_VM), whose hits count as the target's. So the exit event, which
 * since 6.16 comes before the exiting task lets go of its memory anyway, is only
 * the reason to look at mm_users, and the reaper looks again until it is zero.
 *
 * Events find providers by struct pid under RCU, set a flag and wake the reaper:
 * they come from tasks in the middle of exec and exit.
 *
 * Ordering against a provider that is being made (ft_provider_get()):
 *
 *   worker                            exec or exit
 *   add to the table                  new mm and credentials, or signal->live
 *                                     becomes 0
 *   B: smp_mb()                       C: full barrier
 *   is the image still the task's,    look into the table
 *   may the opener trace it?
 *
 * so that at least one of them sees the other. The permission is asked for again
 * because exec may have been between its new memory and its new credentials when
 * ft_target_open() looked.
 */
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include "provider.h"
#include "reaper.h"
#include "session.h"
#include "target.h"
#include "watch.h"
#include "worker.h"

/* Changed under ft_lock, by the worker. */
static DEFINE_HASHTABLE(ft_providers, 8);

static struct ft_provider *ft_provider_find(struct xfasttrap_session *s,
					    const struct ft_target *t)
{
	struct ft_provider *p;

	list_for_each_entry(p, &s->providers, session_node) {
		if (p->pid == t->pid && p->mm == t->mm && !p->retired)
			return p;
	}
	return NULL;
}

static struct ft_provider *ft_provider_alloc(struct xfasttrap_session *s,
					     const struct ft_target *t)
{
	struct ft_provider *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return NULL;
	p->session = s;
	p->pid = get_pid(t->pid);
	mmgrab(t->mm);
	p->mm = t->mm;
	get_task_comm(p->comm, t->task);
	p->created = ktime_get_ns();
	INIT_LIST_HEAD(&p->probes);
	INIT_LIST_HEAD(&p->doomed);
	return p;
}

/* Find the session's provider for this image or make it. */
struct ft_provider *ft_provider_get(struct xfasttrap_session *s,
				    const struct ft_target *t, int *err)
{
	struct ft_provider *p = ft_provider_find(s, t);

	if (p)
		return p;
	*err = -ENOMEM;
	p = ft_provider_alloc(s, t);
	if (!p)
		return NULL;

	mutex_lock(&ft_lock);
	list_add_tail(&p->session_node, &s->providers);
	hash_add_rcu(ft_providers, &p->pid_node, (unsigned long)p->pid);
	mutex_unlock(&ft_lock);

	smp_mb();	/* B: pairs with C, see above */
	if (!ft_target_alive(t))
		*err = -ESRCH;
	else if (!ft_target_permits(t, s->cred))
		*err = -EPERM;
	else
		return p;
	ft_provider_free(p);
	return NULL;
}

/* It has no probes, nor has any garbage that was its. */
void ft_provider_free(struct ft_provider *p)
{
	mutex_lock(&ft_lock);
	list_del(&p->session_node);
	hash_del_rcu(&p->pid_node);
	mutex_unlock(&ft_lock);
	mmdrop(p->mm);
	put_pid(p->pid);
	kfree_rcu(p, rcu);
}

/* Is there no point in enabling more? */
bool ft_provider_ended(const struct ft_provider *p)
{
	return READ_ONCE(p->flags) || atomic_read(&p->mm->mm_users) <= 1;
}

void ft_provider_add(struct ft_provider *p, struct ft_probe *probe,
		     struct ft_tracepoint *tp)
{
	probe->provider = p;
	probe->state = FT_ENABLED;
	mutex_lock(&ft_lock);
	list_add_tail(&probe->provider_node, &p->probes);
	p->nr++;
	ft_tracepoint_add(tp, probe);
	ft_session_add_probe(probe);
	mutex_unlock(&ft_lock);
}

/* No new hit is delivered; ft_provider_sweep() does the rest. ft_lock is held. */
void ft_provider_doom(struct ft_probe *probe, enum ft_state state)
{
	lockdep_assert_held(&ft_lock);
	WRITE_ONCE(probe->state, state);
	list_move_tail(&probe->provider_node, &probe->provider->doomed);
	probe->session->nr_doomed++;
}

void ft_provider_doom_all(struct ft_provider *p, enum ft_state state)
{
	struct ft_probe *probe, *next;

	mutex_lock(&ft_lock);
	list_for_each_entry_safe(probe, next, &p->probes, provider_node)
		ft_provider_doom(probe, state);
	mutex_unlock(&ft_lock);
}

/* Note why the reaper does not get on with @p, for debugfs; NULL: it does. */
void ft_provider_blocked(struct ft_provider *p, const char *why)
{
	mutex_lock(&ft_lock);
	if (!why)
		p->retries = 0;
	else if (p->blocked)
		p->retries++;
	else
		p->blocked_since = ktime_get_ns();
	p->blocked = why;
	mutex_unlock(&ft_lock);
}

/* Take the doomed probes out, into @g. Returns 0, or -EBUSY: some are left. */
int ft_provider_sweep(struct ft_provider *p, struct ft_watch *w,
		      struct ft_garbage *g)
{
	struct ft_probe *probe, *next;

	list_for_each_entry_safe(probe, next, &p->doomed, provider_node) {
		if (ft_watch(w, p->mm, p->pid)) {
			ft_provider_blocked(p, "mmap_lock of the process is held");
			return -EBUSY;
		}
		mutex_lock(&ft_lock);
		list_del(&probe->provider_node);
		p->nr--;
		p->session->nr_doomed--;
		ft_session_del_probe(probe);
		mutex_unlock(&ft_lock);
		ft_tracepoint_del(probe, g);
		cond_resched();
	}
	return 0;
}

static void ft_provider_retire(struct ft_provider *p, enum xfasttrap_end why)
{
	struct xfasttrap_session *s = p->session;

	mutex_lock(&ft_lock);
	p->retired = true;
	mutex_unlock(&ft_lock);
	ft_provider_doom_all(p, FT_RETIRED);
	if (s->ops->retired && !ft_session_ended(s))
		s->ops->retired(p->pid, why, s->arg);
}

/* Retire @p if its image is gone. Returns true if one has to look again. */
bool ft_provider_check_end(struct ft_provider *p)
{
	if (p->retired)
		return false;
	if (test_bit(FT_PROVIDER_EXEC, &p->flags)) {
		ft_provider_retire(p, XFASTTRAP_END_EXEC);
		return false;
	}
	if (!test_bit(FT_PROVIDER_EXIT, &p->flags))
		return false;
	if (atomic_read(&p->mm->mm_users)) {
		ft_provider_blocked(p, "the process exited, its memory is in use");
		return true;
	}
	ft_provider_retire(p, XFASTTRAP_END_EXIT);
	return false;
}

/* Somebody who traces @mm; for messages. ft_lock is held. */
pid_t ft_provider_name(const struct mm_struct *mm, char *comm, size_t size)
{
	struct ft_provider *p;
	int bucket;

	lockdep_assert_held(&ft_lock);
	hash_for_each(ft_providers, bucket, p, pid_node) {
		if (p->mm != mm)
			continue;
		strscpy(comm, p->comm, size);
		return pid_nr(p->pid);
	}
	strscpy(comm, "?", size);
	return 0;
}

/* An RCU reader, in the task that calls exec or exits. */
void ft_providers_event(struct task_struct *task, enum ft_provider_flag flag)
{
	struct pid *pid = task_tgid(task);
	struct ft_provider *p;
	bool found = false;

	smp_mb();	/* C: pairs with B, see above */
	hash_for_each_possible_rcu(ft_providers, p, pid_node, (unsigned long)pid) {
		if (p->pid != pid)
			continue;
		set_bit(flag, &p->flags);
		found = true;
	}
	if (found)
		ft_reaper_kick();
}
