// SPDX-License-Identifier: GPL-2.0-only
/*
 * A consumer's handle, and everything it holds.
 *
 *   xfasttrap_session --providers--> ft_provider (pid, mm) --probes--> ft_probe
 *          |                                                              ^
 *          +--probes, by id-----------------------------------------------+
 *
 * The end of a session is a flag and a wake-up, so it can be set in a task that
 * is exiting, from a file's release method, or by the exit of the opener:
 *
 *   FT_SESSION_ENDED    hits and requests see it and stop. The reaper takes out
 *                       what the session holds, then sets
 *   FT_SESSION_REAPED   When that and
 *   FT_SESSION_CLOSED   are set, the worker calls &xfasttrap_ops.release and
 *                       forgets the session. So a handle that outlives its
 *                       opener, in a descriptor that a child inherited, stays
 *                       good for xfasttrap_session_close().
 *
 * Memory: the list of sessions holds a reference and so does each request; the
 * exit event finds sessions under RCU.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/export.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "reaper.h"
#include "session.h"
#include "tracepoint.h"
#include "worker.h"

LIST_HEAD(ft_sessions);
unsigned int ft_max_session = 250000;
unsigned int ft_max_total = 500000;

/* Changed under ft_lock. */
static DEFINE_HASHTABLE(ft_openers, 6);
static u64 ft_next_session;
static unsigned long ft_nr_probes;

void ft_session_get(struct xfasttrap_session *s)
{
	refcount_inc(&s->ref);
}

void ft_session_put(struct xfasttrap_session *s)
{
	if (!refcount_dec_and_test(&s->ref))
		return;
	put_cred(s->cred);
	put_pid(s->opener);
	xa_destroy(&s->probes);
	kfree_rcu(s, rcu);
}

/* The worker's way through the list: only it removes, others add. */
struct xfasttrap_session *ft_session_next(struct xfasttrap_session *s)
{
	struct list_head *pos = s ? &s->node : &ft_sessions;

	mutex_lock(&ft_lock);
	pos = pos->next;
	mutex_unlock(&ft_lock);
	return pos == &ft_sessions ? NULL :
	       list_entry(pos, struct xfasttrap_session, node);
}

static void ft_session_end(struct xfasttrap_session *s)
{
	if (test_and_set_bit(FT_SESSION_ENDED, &s->flags))
		return;
	WRITE_ONCE(s->ended, ktime_get_ns());
	ft_reaper_kick();
}

/* An RCU reader: the event of a task whose thread group is gone. */
void ft_sessions_opener_exit(struct task_struct *p)
{
	struct pid *pid = task_tgid(p);
	struct xfasttrap_session *s;

	hash_for_each_possible_rcu(ft_openers, s, opener_node, (unsigned long)pid) {
		if (s->opener == pid)
			ft_session_end(s);
	}
}

/* A probe that has an id, for ft_session_add_probe() or _cancel_probe(). */
struct ft_probe *ft_session_new_probe(struct xfasttrap_session *s,
				      const struct xfasttrap_spec *spec,
				      enum xfasttrap_reason *reason)
{
	struct ft_probe *probe;

	*reason = XFASTTRAP_LIMIT;
	if (s->nr_probes >= READ_ONCE(ft_max_session) ||
	    ft_nr_probes >= READ_ONCE(ft_max_total))
		return NULL;

	*reason = XFASTTRAP_NO_MEMORY;
	probe = kzalloc(sizeof(*probe), GFP_KERNEL);
	if (!probe)
		return NULL;
	probe->session = s;
	probe->cookie = spec->cookie;
	probe->kind = spec->kind;
	probe->id = s->next_id + 1;
	if (xa_reserve(&s->probes, probe->id, GFP_KERNEL)) {
		kfree(probe);
		return NULL;
	}
	s->next_id++;
	*reason = XFASTTRAP_OK;
	return probe;
}

void ft_session_cancel_probe(struct ft_probe *probe)
{
	xa_release(&probe->session->probes, probe->id);
	kfree(probe);
}

/* ft_lock is held. The room was reserved, so this does not allocate. */
void ft_session_add_probe(struct ft_probe *probe)
{
	struct xfasttrap_session *s = probe->session;

	lockdep_assert_held(&ft_lock);
	WARN_ON_ONCE(xa_err(xa_store(&s->probes, probe->id, probe, GFP_NOWAIT)));
	s->nr_probes++;
	ft_nr_probes++;
}

/*
 * Move what a probe has counted to its session: when nobody finds the probe any
 * more, so that the sum never shrinks, and again when no hit can add to it.
 */
void ft_session_add_hits(struct ft_probe *probe)
{
	lockdep_assert_held(&ft_lock);
	probe->session->hits_gone += atomic64_xchg(&probe->hits, 0);
}

/* Forget the probe; its memory stays. ft_lock is held. */
void ft_session_del_probe(struct ft_probe *probe)
{
	struct xfasttrap_session *s = probe->session;

	lockdep_assert_held(&ft_lock);
	ft_session_add_hits(probe);
	s->nr_retired += probe->state == FT_RETIRED;
	xa_erase(&s->probes, probe->id);
	s->nr_probes--;
	ft_nr_probes--;
}

/* In the worker, after everything it held was freed. */
void ft_session_check_release(struct xfasttrap_session *s)
{
	if (!ft_session_ended(s) || !list_empty(&s->providers))
		return;
	set_bit(FT_SESSION_REAPED, &s->flags);
	if (!test_bit(FT_SESSION_CLOSED, &s->flags))
		return;

	s->ops->release(s->arg);
	mutex_lock(&ft_lock);
	list_del(&s->node);
	hash_del_rcu(&s->opener_node);
	mutex_unlock(&ft_lock);
	complete_all(&s->forgotten);
	ft_session_put(s);
}

static struct xfasttrap_session *ft_session_alloc(const struct xfasttrap_ops *ops,
						  void *arg)
{
	struct xfasttrap_session *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return NULL;
	s->ops = ops;
	s->arg = arg;
	refcount_set(&s->ref, 1);
	s->cred = get_current_cred();
	s->opener = get_pid(task_tgid(current));
	get_task_comm(s->comm, current->group_leader);
	s->created = ktime_get_ns();
	init_completion(&s->forgotten);
	INIT_LIST_HEAD(&s->providers);
	xa_init(&s->probes);
	return s;
}

/* A consumer without code to run is going away. */
static bool ft_owner_leaves(struct module *owner)
{
	return owner && !module_is_live(owner);
}

struct xfasttrap_session *
xfasttrap_session_create(const struct xfasttrap_ops *ops, void *arg)
{
	struct xfasttrap_session *s;

	might_sleep();
	if (!ops || !ops->hit || !ops->release)
		return ERR_PTR(-EINVAL);
	if (!capable(CAP_PERFMON) && !capable(CAP_SYS_PTRACE))
		return ERR_PTR(-EPERM);

	s = ft_session_alloc(ops, arg);
	if (!s)
		return ERR_PTR(-ENOMEM);

	mutex_lock(&ft_lock);
	if (ft_owner_leaves(ops->owner)) {
		mutex_unlock(&ft_lock);
		ft_session_put(s);
		return ERR_PTR(-ESHUTDOWN);
	}
	s->nr = ++ft_next_session;
	list_add_tail(&s->node, &ft_sessions);
	hash_add_rcu(ft_openers, &s->opener_node, (unsigned long)s->opener);
	mutex_unlock(&ft_lock);
	return s;
}
EXPORT_SYMBOL_GPL(xfasttrap_session_create);

void xfasttrap_session_close(struct xfasttrap_session *session)
{
	if (!test_and_set_bit(FT_SESSION_ENDED, &session->flags))
		WRITE_ONCE(session->ended, ktime_get_ns());
	/* The last touch: one that is reaped already is forgotten right now. */
	set_bit(FT_SESSION_CLOSED, &session->flags);
	ft_reaper_kick();
}
EXPORT_SYMBOL_GPL(xfasttrap_session_close);

/* Some session of @owner, or of anybody; referenced. */
static struct xfasttrap_session *ft_session_of(struct module *owner, bool anybody)
{
	struct xfasttrap_session *s;

	mutex_lock(&ft_lock);
	list_for_each_entry(s, &ft_sessions, node) {
		if (anybody || s->ops->owner == owner) {
			ft_session_get(s);
			mutex_unlock(&ft_lock);
			return s;
		}
	}
	mutex_unlock(&ft_lock);
	return NULL;
}

static void ft_drain(struct module *owner, bool anybody)
{
	struct xfasttrap_session *s;

	mutex_lock(&ft_lock);
	list_for_each_entry(s, &ft_sessions, node) {
		if (!anybody && s->ops->owner != owner)
			continue;
		set_bit(FT_SESSION_CLOSED, &s->flags);
		ft_session_end(s);
	}
	mutex_unlock(&ft_lock);
	/* Those that had ended before waited for nothing but their close. */
	ft_reaper_kick();

	while ((s = ft_session_of(owner, anybody))) {
		wait_for_completion(&s->forgotten);
		ft_session_put(s);
	}
}

/* For the layer's own exit: there is no consumer any more. */
void ft_sessions_end_all(void)
{
	WARN_ONCE(!list_empty(&ft_sessions),
		  "xsync_fasttrap: a consumer did not drain its sessions\n");
	ft_drain(NULL, true);
}

void xfasttrap_drain(struct module *owner)
{
	might_sleep();
	if (!WARN_ON_ONCE(ft_in_worker()))
		ft_drain(owner, false);
}
EXPORT_SYMBOL_GPL(xfasttrap_drain);

void xfasttrap_session_stat(struct xfasttrap_session *session,
			    struct xfasttrap_stat *stat)
{
	struct ft_probe *probe;
	unsigned long id;

	might_sleep();
	mutex_lock(&ft_lock);
	stat->reaping = ft_session_ended(session) ? session->nr_probes :
						    session->nr_doomed;
	stat->enabled = session->nr_probes - stat->reaping;
	stat->retired = session->nr_retired;
	stat->hits = session->hits_gone;
	xa_for_each(&session->probes, id, probe)
		stat->hits += atomic64_read(&probe->hits);
	mutex_unlock(&ft_lock);
}
EXPORT_SYMBOL_GPL(xfasttrap_session_stat);
