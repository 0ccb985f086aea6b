/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xut - unit cases that run on kernels with and without KUnit.
 *
 * How to write them.  A case is one function; a table of cases is a suite; the
 * module says module_xut() with its suites and nothing else:
 *
 *	#include "xut.h"
 *
 *	static void two_dispatches_run_in_order(struct xut *t)
 *	{
 *		struct xtaskq *tq = xtaskq_create(...);
 *
 *		if (!XUT_EXPECT(t, !IS_ERR(tq)))
 *			return;
 *		...
 *		xut_step(t, "waiting for the second one");
 *		XUT_WAIT(t, atomic_read(&ran) == 2);
 *		XUT_EXPECT_EQ(t, xtaskq_destroy(tq), 0);
 *	}
 *
 *	static const struct xut_case order_cases[] = {
 *		XUT_CASE(two_dispatches_run_in_order),
 *		{}
 *	};
 *
 *	XUT_SUITE(taskq_order, order_cases);
 *
 *	module_xut(&taskq_order);
 *	MODULE_DESCRIPTION(...); MODULE_LICENSE("GPL");
 *
 * Rules.  Expectations, steps and waits are for task context only: code that
 * runs elsewhere stores what it saw and the case looks at it afterwards.  A
 * case that cannot run on this machine says why with xut_skip().  It never
 * asserts how long something took.  XUT_WAIT() ends after a limit that only a
 * hang exceeds; it is no way to wait "long enough" for something to happen.
 *
 * Contexts.  context.h runs a function in task, softirq, hardirq, timer
 * interrupt, with interrupts off, under the runqueue lock, and in an NMI.
 * XUT_CONTEXT_CASES(fn) makes one case of each, named after the context,
 * XUT_UNLOCKED_CASES(fn) of each but under the runqueue lock; fn calls
 *
 *	if (!xut_run_here(t, do_it, &arg))	// in the context of this case
 *		return;				// skipped, or failed already
 *
 * Parameters.  XUT_SUITE_WITH(name, cases, number) runs the cases of another suite
 * with t->with being that number; in other suites it is 0.
 *
 * Front ends.  With CONFIG_KUNIT each suite is a KUnit suite that runs when its
 * module is loaded.  On every kernel each suite has a file
 * /sys/kernel/debug/xsync/trigger/SUITE: writing a glob (or several, separated
 * by blanks) runs the cases that match it and returns when they are through,
 * reading it gives the KTAP of that run, or the list of cases before the first.
 *
 * CPUs.  A case that needs to stay on one says xut_pin(); the harness undoes it.
 *
 * Length.  xut_soak is the module parameter xsync_unit.soak: 0 for the short
 * form of every case, otherwise how many times longer stress cases run.
 * xsync_unit.patience is after how many seconds XUT_WAIT() gives up.
 */
#ifndef _XUT_H
#define _XUT_H

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kconfig.h>
#include <linux/module.h>
#include <linux/types.h>
#include "context.h"

#if IS_ENABLED(CONFIG_KUNIT)
#include <kunit/test.h>
#endif

struct kunit;
struct xut_log;

/**
 * struct xut - one run of one case
 * @name: the case
 * @context: the context of this case, if its suite has one for each
 * @with: the number that the suite gives its cases
 * @failed: an expectation did not hold
 * @skipped: why the case could not run, or NULL
 *
 * The other fields are private to the harness.
 */
struct xut {
	const char *name;
	enum xut_context context;
	int with;
	bool failed;
	const char *skipped;
	/* private: */
	const char *step;
	struct kunit *kunit;
	struct xut_log *log;
};

struct xut_case {
	const char *name;
	void (*run)(struct xut *t);
	enum xut_context context;
};

#define XUT_CASE(fn)	{ .name = #fn, .run = fn }

#define XUT_UNLOCKED_CASES(fn)						\
	{ .name = "task", .run = fn, .context = XUT_TASK },		\
	{ .name = "softirq", .run = fn, .context = XUT_SOFTIRQ },	\
	{ .name = "hardirq", .run = fn, .context = XUT_HARDIRQ },	\
	{ .name = "hrtimer", .run = fn, .context = XUT_HRTIMER },	\
	{ .name = "irqsoff", .run = fn, .context = XUT_IRQSOFF },	\
	{ .name = "nmi", .run = fn, .context = XUT_NMI }

#define XUT_CONTEXT_CASES(fn)						\
	XUT_UNLOCKED_CASES(fn),						\
	{ .name = "rqlock", .run = fn, .context = XUT_RQLOCK }

struct dentry;

struct xut_suite {
	const char *name;
	const struct xut_case *cases;
	int with;
	/* private: */
	void (*fill_kunit)(void);
	struct dentry *file;
	struct xut_log *log;
};

extern unsigned int xut_soak;
extern unsigned int xut_patience;

__printf(4, 5)
void xut_fail(struct xut *t, const char *file, int line, const char *fmt, ...);
__printf(2, 3)
void xut_info(struct xut *t, const char *fmt, ...);
void xut_skip(struct xut *t, const char *why);
void xut_step(struct xut *t, const char *step);
void xut_pin(struct xut *t, unsigned int cpu);
int xut_until_stopped(void);
bool xut_run_here(struct xut *t, void (*fn)(void *arg), void *arg);

#define XUT_PARAM	16	/* the longest value of a parameter */
bool xut_set_param(struct xut *t, const char *path, const char *value, char was[XUT_PARAM]);
void xut_reset_param(struct xut *t, const char *path, const char was[XUT_PARAM]);

/* All of these give whether the expectation held. */
#define XUT_EXPECT(t, cond)						\
({									\
	bool __held = !!(cond);						\
									\
	if (!__held)							\
		xut_fail((t), __FILE__, __LINE__, "not true: %s", #cond); \
	__held;								\
})

#define XUT_EXPECT_EQ(t, a, b)						\
({									\
	long long __a = (long long)(a), __b = (long long)(b);		\
									\
	if (__a != __b)							\
		xut_fail((t), __FILE__, __LINE__,			\
			 "%s is %lld, not %s (%lld)",			\
			 #a, __a, #b, __b);				\
	__a == __b;							\
})

#define XUT_LIMIT	(xut_patience * HZ)

#define XUT_WAIT(t, cond)						\
({									\
	unsigned long __end = jiffies + XUT_LIMIT;			\
	bool __held;							\
									\
	while (!(__held = !!(cond)) && time_before(jiffies, __end))	\
		usleep_range(20, 100);					\
	if (!__held)							\
		xut_fail((t), __FILE__, __LINE__,			\
			 "did not become true: %s", #cond);		\
	__held;								\
})

/* As XUT_WAIT(t, count == want), of very many: slow is what still changes. */
#define XUT_WAIT_COUNT(t, count, want)					\
({									\
	long long __want = (want), __is = (count), __was = __is;	\
	unsigned long __end = jiffies + XUT_LIMIT;			\
									\
	while (__is != __want && time_before(jiffies, __end)) {		\
		usleep_range(20, 100);					\
		__is = (count);						\
		if (__is != __was)					\
			__end = jiffies + XUT_LIMIT;			\
		__was = __is;						\
	}								\
	if (__is != __want)						\
		xut_fail((t), __FILE__, __LINE__,			\
			 "%s stays %lld, not %s (%lld)",		\
			 #count, __is, #want, __want);			\
	__is == __want;							\
})

int xut_register(struct xut_suite *const *suites, unsigned int n);
void xut_unregister(struct xut_suite *const *suites, unsigned int n);

#if IS_ENABLED(CONFIG_KUNIT)
void xut_run_kunit(const struct xut_suite *suite, struct kunit *kunit);

/*
 * A module of several files says XUT_SHARED_SUITE() and declares the suite in a
 * header of its own.
 *
 * KUnit reads its table after the module's init function, which fills it in
 * here; KUnit's name of a case is the key to ours.
 */
#define __XUT_SUITE(_storage, _name, _cases, _with)			\
_storage struct xut_suite _name;					\
static void _name##_run_kunit(struct kunit *kunit)			\
{									\
	xut_run_kunit(&_name, kunit);					\
}									\
static struct kunit_case _name##_kunit_cases[ARRAY_SIZE(_cases)];	\
static struct kunit_suite _name##_kunit_suite = {			\
	.name = #_name,							\
	.test_cases = _name##_kunit_cases,				\
};									\
kunit_test_suites(&_name##_kunit_suite);				\
static void _name##_fill_kunit(void)					\
{									\
	unsigned int i;							\
									\
	for (i = 0; i < ARRAY_SIZE(_cases) - 1; i++) {			\
		_name##_kunit_cases[i] = (struct kunit_case)		\
			KUNIT_CASE(_name##_run_kunit);			\
		_name##_kunit_cases[i].name = (_cases)[i].name;		\
	}								\
}									\
_storage struct xut_suite _name = {					\
	.name = #_name,							\
	.cases = (_cases),						\
	.with = (_with),						\
	.fill_kunit = _name##_fill_kunit,				\
}
#else
#define __XUT_SUITE(_storage, _name, _cases, _with)			\
_storage struct xut_suite _name = {					\
	.name = #_name,							\
	.cases = (_cases),						\
	.with = (_with),						\
}
#endif

#define XUT_SUITE(_name, _cases)	__XUT_SUITE(static, _name, _cases, 0)
#define XUT_SHARED_SUITE(_name, _cases)	__XUT_SUITE(, _name, _cases, 0)
#define XUT_SUITE_WITH(_name, _cases, _with)				\
	__XUT_SUITE(, _name, _cases, _with)

/* The init and exit functions of a module that consists of suites. */
#define module_xut(...)							\
static struct xut_suite *const xut_module_suites[] = { __VA_ARGS__ };	\
static int __init xut_module_init(void)					\
{									\
	return xut_register(xut_module_suites,				\
			    ARRAY_SIZE(xut_module_suites));		\
}									\
static void __exit xut_module_exit(void)				\
{									\
	xut_unregister(xut_module_suites,				\
		       ARRAY_SIZE(xut_module_suites));			\
}									\
module_init(xut_module_init);						\
module_exit(xut_module_exit)

#endif /* _XUT_H */
