// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit cases of fasttrap: what can be seen without a process to trace.
 *
 * What needs one is in tests/fasttrap/, which drives the consumer in this module.
 */
#include <linux/cred.h>
#include <linux/kthread.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <fasttrap/fasttrap.h>
#include "fasttrap_test.h"
#include "xut.h"

static atomic_t releases;

static void no_hit(const struct xfasttrap_hit *hit, void *arg)
{
}

static void count_release(void *arg)
{
	atomic_inc(&releases);
}

/* No owner: xfasttrap_drain(NULL) finds these, and not the consumer's. */
static const struct xfasttrap_ops ops = {
	.hit		= no_hit,
	.release	= count_release,
};

static struct xfasttrap_session *open_session(struct xut *t)
{
	struct xfasttrap_session *s = xfasttrap_session_create(&ops, NULL);

	atomic_set(&releases, 0);
	return XUT_EXPECT(t, !IS_ERR(s)) ? s : NULL;
}

static void create_wants_callbacks(struct xut *t)
{
	static const struct xfasttrap_ops no_release = { .hit = no_hit };
	static const struct xfasttrap_ops no_callback = { .release = count_release };

	XUT_EXPECT_EQ(t, PTR_ERR(xfasttrap_session_create(NULL, NULL)), -EINVAL);
	XUT_EXPECT_EQ(t, PTR_ERR(xfasttrap_session_create(&no_release, NULL)), -EINVAL);
	XUT_EXPECT_EQ(t, PTR_ERR(xfasttrap_session_create(&no_callback, NULL)), -EINVAL);
}

static void create_wants_a_capability(struct xut *t)
{
	struct cred *less = prepare_creds();
	const struct cred *mine;
	struct xfasttrap_session *s;

	if (!XUT_EXPECT(t, less))
		return;
	cap_lower(less->cap_effective, CAP_PERFMON);
	mine = override_creds(less);
	s = xfasttrap_session_create(&ops, NULL);
	revert_creds(mine);
	if (XUT_EXPECT(t, !IS_ERR(s)))		/* CAP_SYS_PTRACE is enough */
		xfasttrap_session_close(s);

	cap_lower(less->cap_effective, CAP_SYS_PTRACE);
	mine = override_creds(less);
	s = xfasttrap_session_create(&ops, NULL);
	revert_creds(mine);
	put_cred(less);
	XUT_EXPECT_EQ(t, PTR_ERR_OR_ZERO(s), -EPERM);
	xfasttrap_drain(NULL);
}

static void close_releases_once(struct xut *t)
{
	struct xfasttrap_session *s = open_session(t);

	if (!s)
		return;
	XUT_EXPECT_EQ(t, atomic_read(&releases), 0);
	xfasttrap_session_close(s);
	xfasttrap_drain(NULL);			/* which closes nothing twice */
	XUT_EXPECT_EQ(t, atomic_read(&releases), 1);
}

static void drain_closes_what_is_open(struct xut *t)
{
	int i;

	for (i = 0; i < 10; i++)
		open_session(t);
	xfasttrap_drain(NULL);
	XUT_EXPECT_EQ(t, atomic_read(&releases), 10);
}

static void enable_checks_its_arguments(struct xut *t)
{
	struct xfasttrap_session *s = open_session(t);
	struct xfasttrap_spec spec = {};
	struct pid *pid = task_tgid(current);

	if (!s)
		return;
	XUT_EXPECT_EQ(t, xfasttrap_enable(s, pid, &spec, 0), -EINVAL);
	XUT_EXPECT_EQ(t, xfasttrap_enable(s, pid, NULL, 1), -EINVAL);
	XUT_EXPECT_EQ(t, xfasttrap_enable(s, NULL, &spec, 1), -EINVAL);
	XUT_EXPECT_EQ(t, xfasttrap_enable(s, pid, &spec, SIZE_MAX), -E2BIG);
	xfasttrap_session_close(s);
	xfasttrap_drain(NULL);
}

static int until_stopped(void *unused)
{
	return xut_until_stopped();
}

static void enable_refuses_kernel_threads(struct xut *t)
{
	struct xfasttrap_session *s = open_session(t);
	struct xfasttrap_spec spec = { .addr = 0x1000, .func = 0x1000, .size = 1 };
	struct task_struct *thread;

	if (!s)
		return;
	thread = kthread_run(until_stopped, NULL, "ft_target");
	if (XUT_EXPECT(t, !IS_ERR(thread))) {
		XUT_EXPECT_EQ(t, xfasttrap_enable(s, task_tgid(thread), &spec, 1), -EINVAL);
		kthread_stop(thread);
	}
	xfasttrap_session_close(s);
	xfasttrap_drain(NULL);
}

static void disable_skips_unknown_ids(struct xut *t)
{
	struct xfasttrap_session *s = open_session(t);
	const u64 ids[] = { 0, 1, 42, U64_MAX };

	if (!s)
		return;
	XUT_EXPECT_EQ(t, xfasttrap_disable(s, ids, ARRAY_SIZE(ids)), 0);
	XUT_EXPECT_EQ(t, xfasttrap_disable(s, NULL, 0), 0);
	xfasttrap_session_close(s);
	xfasttrap_drain(NULL);
}

static int open_and_exit(void *arg)
{
	struct xfasttrap_session **s = arg;

	*s = xfasttrap_session_create(&ops, NULL);
	return 0;
}

/*
 * opener exits -> ended, all requests refused, handle still good -> close
 *              -> released
 */
static void opener_exit_ends_the_session(struct xut *t)
{
	struct xfasttrap_session *s = NULL;
	struct task_struct *thread;

	atomic_set(&releases, 0);
	thread = kthread_create(open_and_exit, &s, "ft_opener");
	if (!XUT_EXPECT(t, !IS_ERR(thread)))
		return;
	get_task_struct(thread);
	wake_up_process(thread);
	xut_step(t, "waiting for the opener to exit");
	XUT_WAIT(t, READ_ONCE(s));
	kthread_stop(thread);
	put_task_struct(thread);
	if (!XUT_EXPECT(t, !IS_ERR(s)))
		return;
	xut_step(t, "waiting for the session to end");
	XUT_WAIT(t, xfasttrap_disable(s, NULL, 0) == -ESHUTDOWN);
	XUT_EXPECT_EQ(t, atomic_read(&releases), 0);
	xfasttrap_session_close(s);
	xfasttrap_drain(NULL);
	XUT_EXPECT_EQ(t, atomic_read(&releases), 1);
}

static void every_reason_has_a_text(struct xut *t)
{
	unsigned int i, j;

	for (i = 0; i < XFASTTRAP_NR_REASONS; i++) {
		XUT_EXPECT(t, strlen(xfasttrap_reason_text(i)) > 0);
		for (j = 0; j < i; j++)
			XUT_EXPECT(t, strcmp(xfasttrap_reason_text(i),
					     xfasttrap_reason_text(j)));
	}
	XUT_EXPECT(t, xfasttrap_reason_text(XFASTTRAP_NR_REASONS));
}

static const struct xut_case fasttrap_cases[] = {
	XUT_CASE(create_wants_callbacks),
	XUT_CASE(create_wants_a_capability),
	XUT_CASE(close_releases_once),
	XUT_CASE(drain_closes_what_is_open),
	XUT_CASE(enable_checks_its_arguments),
	XUT_CASE(enable_refuses_kernel_threads),
	XUT_CASE(disable_skips_unknown_ids),
	XUT_CASE(opener_exit_ends_the_session),
	XUT_CASE(every_reason_has_a_text),
	{}
};

XUT_SUITE(fasttrap, fasttrap_cases);

static struct xut_suite *const suites[] = { &fasttrap };

static int __init fasttrap_test_init(void)
{
	int err = xut_register(suites, ARRAY_SIZE(suites));

	if (err)
		return err;
	err = fasttrap_consumer_init();
	if (err)
		xut_unregister(suites, ARRAY_SIZE(suites));
	return err;
}

static void __exit fasttrap_test_exit(void)
{
	fasttrap_consumer_exit();
	xut_unregister(suites, ARRAY_SIZE(suites));
}

module_init(fasttrap_test_init);
module_exit(fasttrap_test_exit);
MODULE_DESCRIPTION("Unit cases of fasttrap, and a consumer for its tests");
MODULE_LICENSE("GPL");
