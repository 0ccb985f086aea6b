// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of consumers: sets of probes to enable and to disable.
 *
 *   caller                          worker
 *   make the request, 2 references
 *   queue it ---------------------> run it: one pass over the set
 *   wait, killably <--------------- complete
 *   copy the answers, put           put
 *
 * Everything that the pass needs belongs to the request, so a caller that is
 * killed only leaves: it marks the request abandoned, an enabling stops at the
 * next probe, a disabling goes on to the end, and the last reference frees it.
 * The probes that were enabled belong to the session and end with it.
 *
 * A pass over a set to enable ends early when the session ends, the caller is
 * gone, the target is gone, memory or a limit is used up, or somebody sits on
 * the target's mmap_lock. What was not reached says so.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "provider.h"
#include "reaper.h"
#include "reason.h"
#include "session.h"
#include "target.h"
#include "tracepoint.h"
#include "watch.h"
#include "worker.h"

/**
 * struct ft_request - one call of xfasttrap_enable() or xfasttrap_disable()
 * @ref: of the caller and of the worker
 * @ent: in the worker's queue
 * @done: the answers are there
 * @session: referenced
 * @abandoned: the caller was killed
 * @result: what the call returns
 * @target: enable: the process, referenced; otherwise NULL
 * @set: copies of specifications or ids, or NULL for every probe
 * @n: how many
 */
struct ft_request {
	refcount_t			ref;
	struct xtaskq_ent		ent;
	struct completion		done;
	struct xfasttrap_session	*session;
	bool				abandoned;
	long				result;
	struct pid			*target;
	void				*set;
	size_t				n;
};

static struct ft_request *ft_request_alloc(struct xfasttrap_session *s,
					   const void *set, size_t n, size_t size)
{
	struct ft_request *req = kzalloc(sizeof(*req), GFP_KERNEL_ACCOUNT);

	if (!req)
		return NULL;
	if (set) {
		req->set = kvmalloc_array(n, size, GFP_KERNEL_ACCOUNT);
		if (!req->set) {
			kfree(req);
			return NULL;
		}
		memcpy(req->set, set, n * size);
	}
	req->n = n;
	refcount_set(&req->ref, 2);
	xtaskq_init_ent(&req->ent);
	init_completion(&req->done);
	ft_session_get(s);
	req->session = s;
	return req;
}

static void ft_request_put(struct ft_request *req)
{
	if (!refcount_dec_and_test(&req->ref))
		return;
	ft_session_put(req->session);
	put_pid(req->target);
	kvfree(req->set);
	kfree(req);
}

static void ft_request_finish(struct ft_request *req, long result)
{
	req->result = result;
	complete(&req->done);
	ft_request_put(req);
}

/* Returns the result; the caller still has its reference. */
static long ft_request_run(struct ft_request *req, xtaskq_func_t func)
{
	ft_worker_run(&req->ent, func, req);
	if (!wait_for_completion_killable(&req->done))
		return req->result;
	WRITE_ONCE(req->abandoned, true);
	return -EINTR;
}

static void ft_answer(struct xfasttrap_spec *spec, enum xfasttrap_reason reason,
		      int error)
{
	spec->reason = reason;
	spec->error = error;
}

static enum xfasttrap_reason ft_check_spec(const struct xfasttrap_spec *spec)
{
	if ((unsigned int)spec->kind > XFASTTRAP_OFFSET || spec->addr >= TASK_SIZE_MAX ||
	    spec->addr < spec->func || spec->addr - spec->func >= spec->size)
		return XFASTTRAP_BAD_SPEC;
	if (spec->kind == XFASTTRAP_ENTRY && spec->addr != spec->func)
		return XFASTTRAP_BAD_SPEC;
	return XFASTTRAP_OK;
}

static enum xfasttrap_reason ft_enable_one(struct ft_provider *p,
					   struct xfasttrap_spec *spec,
					   struct ft_garbage *g)
{
	enum xfasttrap_reason reason = ft_check_spec(spec);
	struct ft_tracepoint *tp;
	struct ft_probe *probe;

	if (reason != XFASTTRAP_OK)
		return reason;
	probe = ft_session_new_probe(p->session, spec, &reason);
	if (!probe)
		return reason;
	tp = ft_tracepoint_get(p->mm, spec->addr, spec->kind, &reason, g);
	if (!tp) {
		ft_session_cancel_probe(probe);
		if (ft_provider_ended(p))
			reason = XFASTTRAP_TARGET_GONE;
		return reason;
	}
	spec->id = probe->id;
	ft_provider_add(p, probe, tp);
	return XFASTTRAP_OK;
}

/* Has the pass to stop before the next probe? Returns the error for the rest. */
static int ft_enable_stop(struct ft_request *req, struct ft_provider *p,
			  struct ft_watch *w)
{
	if (ft_session_ended(req->session))
		return -ESHUTDOWN;
	if (READ_ONCE(req->abandoned))
		return -EINTR;
	if (ft_provider_ended(p))
		return -ESRCH;
	return ft_watch(w, p->mm, p->pid);
}

static bool ft_ends_pass(enum xfasttrap_reason reason)
{
	return reason == XFASTTRAP_NO_MEMORY || reason == XFASTTRAP_LIMIT;
}

static long ft_enable_set(struct ft_request *req, struct ft_provider *p,
			  struct ft_watch *w)
{
	struct xfasttrap_spec *spec = req->set, *end = spec + req->n;
	enum xfasttrap_reason reason = XFASTTRAP_OK;
	struct ft_garbage garbage;
	long enabled = 0;
	int stop = 0;

	ft_garbage_init(&garbage);
	for (; spec < end && !ft_ends_pass(reason); spec++) {
		stop = ft_enable_stop(req, p, w);
		if (stop)
			break;
		reason = ft_enable_one(p, spec, &garbage);
		ft_answer(spec, reason, ft_reason_errno(reason));
		enabled += reason == XFASTTRAP_OK;
		cond_resched();
	}
	for (; spec < end; spec++) {
		if (stop == -ESRCH)
			ft_answer(spec, XFASTTRAP_TARGET_GONE, stop);
		else
			ft_answer(spec, XFASTTRAP_ABORTED, stop ?: -ECANCELED);
	}
	ft_garbage_collect(&garbage);
	return enabled;
}

static long ft_enable(struct ft_request *req)
{
	struct xfasttrap_session *s = req->session;
	struct ft_watch w = {};
	struct ft_provider *p;
	struct ft_target t;
	long ret;
	int err;

	if (ft_session_ended(s))
		return -ESHUTDOWN;
	if (READ_ONCE(req->abandoned))
		return -EINTR;
	err = ft_target_open(&t, req->target, s->cred);
	if (err)
		return err;
	ret = ft_watch(&w, t.mm, t.pid);
	if (ret)
		goto close;
	p = ft_provider_get(s, &t, &err);
	ret = err;
	if (!p)
		goto close;
	ret = ft_enable_set(req, p, &w);
	/* A target that nothing is traced in is not worth a call of @retired. */
	if (!p->nr)
		ft_provider_free(p);
close:
	ft_target_close(&t);
	return ret;
}

static void ft_enable_request(void *arg)
{
	struct ft_request *req = arg;
	long ret;

	ft_pass_begin("enable", req->target);
	ret = ft_enable(req);
	ft_pass_end();
	ft_request_finish(req, ret);
}

long xfasttrap_enable(struct xfasttrap_session *session, struct pid *target,
		      struct xfasttrap_spec *specs, size_t n)
{
	struct ft_request *req;
	size_t i;
	long ret;

	might_sleep();
	if (WARN_ON_ONCE(ft_in_worker()))
		return -EDEADLK;
	if (!session || !target || !specs || !n)
		return -EINVAL;
	if (n > READ_ONCE(ft_max_session))
		return -E2BIG;
	if (ft_session_ended(session))
		return -ESHUTDOWN;

	for (i = 0; i < n; i++) {
		specs[i].id = 0;
		ft_answer(&specs[i], XFASTTRAP_ABORTED, -ECANCELED);
	}
	req = ft_request_alloc(session, specs, n, sizeof(*specs));
	if (!req)
		return -ENOMEM;
	req->target = get_pid(target);
	ret = ft_request_run(req, ft_enable_request);
	if (ret >= 0)
		memcpy(specs, req->set, n * sizeof(*specs));
	ft_request_put(req);
	return ret;
}
EXPORT_SYMBOL_GPL(xfasttrap_enable);

/* Mark what is to be disabled. Returns how many. */
static long ft_disable_mark(struct ft_request *req)
{
	struct xfasttrap_session *s = req->session;
	const u64 *ids = req->set;
	struct ft_probe *probe;
	unsigned long id;
	long n = 0;
	size_t i;

	mutex_lock(&ft_lock);
	if (!ids) {
		xa_for_each(&s->probes, id, probe) {
			if (probe->state != FT_ENABLED)
				continue;
			ft_provider_doom(probe, FT_DISABLING);
			n++;
		}
	}
	for (i = 0; ids && i < req->n; i++) {
		probe = xa_load(&s->probes, ids[i]);
		if (!probe || probe->state != FT_ENABLED)
			continue;
		ft_provider_doom(probe, FT_DISABLING);
		n++;
	}
	mutex_unlock(&ft_lock);
	return n;
}

static long ft_disable(struct ft_request *req)
{
	struct xfasttrap_session *s = req->session;
	struct ft_watch w = {};
	struct ft_garbage garbage;
	struct ft_provider *p;
	int err = 0;
	long n;

	if (ft_session_ended(s))
		return -ESHUTDOWN;
	ft_garbage_init(&garbage);
	n = ft_disable_mark(req);
	list_for_each_entry(p, &s->providers, session_node)
		err = ft_provider_sweep(p, &w, &garbage) ?: err;
	ft_garbage_collect(&garbage);
	if (err)
		ft_reaper_kick();	/* which tries again, later and later */
	return err ?: n;
}

static void ft_disable_request(void *arg)
{
	struct ft_request *req = arg;
	long ret;

	ft_pass_begin("disable", NULL);
	ret = ft_disable(req);
	ft_pass_end();
	ft_request_finish(req, ret);
}

long xfasttrap_disable(struct xfasttrap_session *session, const u64 *ids,
		       size_t n)
{
	struct ft_request *req;
	long ret;

	might_sleep();
	if (WARN_ON_ONCE(ft_in_worker()))
		return -EDEADLK;
	if (!session)
		return -EINVAL;
	if (ft_session_ended(session))
		return -ESHUTDOWN;

	req = ft_request_alloc(session, ids, n, sizeof(*ids));
	if (!req)
		return -ENOMEM;
	ret = ft_request_run(req, ft_disable_request);
	ft_request_put(req);
	return ret;
}
EXPORT_SYMBOL_GPL(xfasttrap_disable);
