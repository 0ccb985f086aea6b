// SPDX-License-Identifier: GPL-2.0-only
/*
 * xut - runs unit cases and reports them, see xut.h for how to write them.
 *
 * One case runs at a time on the whole machine: xut_mutex is held from before
 * its first step until its result is in the log.  A case that hangs is named by
 * the watchdog, every xut_limit seconds, with the step it said it was in; the
 * watchdog ends nothing, whoever started the machine has to.
 *
 * A trigger file keeps the KTAP of its last run in a buffer of fixed size.  A
 * run that does not fit ends with "Bail out!", which no reader takes for passed.
 */
#define pr_fmt(fmt) "xut: " fmt

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/glob.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <xsync/debugfs.h>
#include "xut.h"

#define XUT_LOG_SIZE	(128 * 1024)
#define XUT_GLOB_SIZE	1024

static const char xut_bail_out[] = "\nBail out! the log is full\n";

struct xut_log {
	size_t used;
	bool full;
	char text[XUT_LOG_SIZE];
};

unsigned int xut_soak;
EXPORT_SYMBOL_GPL(xut_soak);
module_param_named(soak, xut_soak, uint, 0600);
MODULE_PARM_DESC(soak, "0: short form of every case, N: stress cases run N times longer");

unsigned int xut_patience = 60;
EXPORT_SYMBOL_GPL(xut_patience);
module_param_named(patience, xut_patience, uint, 0600);
MODULE_PARM_DESC(patience, "seconds after which what did not come true never will (60)");

static unsigned int xut_limit = 120;
module_param_named(limit, xut_limit, uint, 0600);
MODULE_PARM_DESC(limit, "seconds after which a case that still runs is named (120)");

static DEFINE_MUTEX(xut_mutex);
static struct dentry *xut_dir;
static struct workqueue_struct *xut_wq;

/* Set and cleared under xut_mutex around the watchdog's life. */
static const struct xut *xut_current;
static const char *xut_current_suite;
static struct cpumask xut_affinity;

static void xut_watchdog(struct work_struct *work);
static DECLARE_DELAYED_WORK(xut_watchdog_work, xut_watchdog);

static void xut_watchdog(struct work_struct *work)
{
	pr_err("%s.%s still runs after %u s, in step: %s\n", xut_current_suite,
	       xut_current->name, xut_limit, READ_ONCE(xut_current->step));
	queue_delayed_work(xut_wq, &xut_watchdog_work, xut_limit * HZ);
}

static void xut_log_reset(struct xut_log *log)
{
	log->used = 0;
	log->full = false;
	log->text[0] = '\0';
}

static __printf(2, 0) void xut_vlog(struct xut_log *log, const char *fmt, va_list args)
{
	size_t room = sizeof(log->text) - sizeof(xut_bail_out) - log->used;
	int len;

	if (log->full)
		return;

	len = vsnprintf(log->text + log->used, room, fmt, args);
	if (len >= room) {
		memcpy(log->text + log->used, xut_bail_out, sizeof(xut_bail_out));
		log->used += sizeof(xut_bail_out) - 1;
		log->full = true;
		return;
	}
	log->used += len;
}

static __printf(2, 3) void xut_log(struct xut_log *log, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	xut_vlog(log, fmt, args);
	va_end(args);
}

/* One line of explanation, in the result of the case. */
static __printf(2, 3) void xut_explain(struct xut *t, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
#if IS_ENABLED(CONFIG_KUNIT)
	if (t->kunit)
		kunit_info(t->kunit, "%pV\n", &vaf);
#endif
	if (t->log)
		xut_log(t->log, "# %s: %pV\n", t->name, &vaf);
	va_end(args);
}

/**
 * xut_fail - note that an expectation of a case did not hold
 * @t: the case
 * @file: where
 * @line: where
 * @fmt: what
 *
 * Context: Task context.
 */
void xut_fail(struct xut *t, const char *file, int line, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	t->failed = true;
	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	xut_explain(t, "%s:%d: step %s: %pV", kbasename(file), line, t->step, &vaf);
	va_end(args);
}
EXPORT_SYMBOL_GPL(xut_fail);

/**
 * xut_info - add a line of explanation to the result of a case
 * @t: the case
 * @fmt: what
 *
 * Context: Task context.
 */
void xut_info(struct xut *t, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	xut_explain(t, "%pV", &vaf);
	va_end(args);
}
EXPORT_SYMBOL_GPL(xut_info);

/**
 * xut_skip - the case cannot run here; it has to return then
 * @t: the case
 * @why: a string that stays valid
 *
 * Context: Task context.
 */
void xut_skip(struct xut *t, const char *why)
{
	t->skipped = why;
}
EXPORT_SYMBOL_GPL(xut_skip);

/**
 * xut_step - say what the case does next, for the report of a hang
 * @t: the case
 * @step: a string that stays valid
 *
 * Context: Any.
 */
void xut_step(struct xut *t, const char *step)
{
	WRITE_ONCE(t->step, step);
}
EXPORT_SYMBOL_GPL(xut_step);

/**
 * xut_pin - bind the task that runs the case to a CPU, until the case ends
 * @t: the case
 * @cpu: where to
 *
 * Context: Task context, may sleep.
 */
void xut_pin(struct xut *t, unsigned int cpu)
{
	XUT_EXPECT_EQ(t, set_cpus_allowed_ptr(current, cpumask_of(cpu)), 0);
}
EXPORT_SYMBOL_GPL(xut_pin);

/**
 * xut_until_stopped - the end of a kernel thread's function
 *
 * Context: A kernel thread that somebody calls kthread_stop() for; sleeps.
 * Return: 0.
 */
int xut_until_stopped(void)
{
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}
EXPORT_SYMBOL_GPL(xut_until_stopped);

/**
 * xut_run_here - run a function in the context that the case is for
 * @t: the case, from a table made with XUT_CONTEXT_CASES()
 * @fn: what
 * @arg: its argument
 *
 * Context: Task context, may sleep.
 * Return: true if the function ran; otherwise the case is marked skipped or
 *	   failed.
 */
bool xut_run_here(struct xut *t, void (*fn)(void *arg), void *arg)
{
	int err = xut_run_in(t->context, fn, arg);

	if (err == -EOPNOTSUPP && t->context == XUT_RQLOCK)
		xut_skip(t, "this kernel has no tracepoints");
	else if (err == -EOPNOTSUPP)
		xut_skip(t, "no NMI can be sent on this machine");
	else
		XUT_EXPECT_EQ(t, err, 0);
	return !err;
}
EXPORT_SYMBOL_GPL(xut_run_here);

static void xut_run_case(const struct xut_suite *suite,
			 const struct xut_case *c, struct xut *t)
{
	t->name = c->name;
	t->context = c->context;
	t->with = suite->with;
	t->step = "start";

	xut_current = t;
	xut_current_suite = suite->name;
	cpumask_copy(&xut_affinity, current->cpus_ptr);
	queue_delayed_work(xut_wq, &xut_watchdog_work, xut_limit * HZ);
	c->run(t);
	cancel_delayed_work_sync(&xut_watchdog_work);
	set_cpus_allowed_ptr(current, &xut_affinity);
	xut_current = NULL;
}

static ssize_t xut_read_file(const char *path, char *buf, size_t size)
{
	struct file *f = filp_open(path, O_RDONLY, 0);
	loff_t pos = 0;
	ssize_t n;

	if (IS_ERR(f))
		return PTR_ERR(f);
	n = kernel_read(f, buf, size - 1, &pos);
	filp_close(f, NULL);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

static bool xut_write_file(const char *path, const char *text)
{
	struct file *f = filp_open(path, O_WRONLY, 0);
	loff_t pos = 0;
	ssize_t n;

	if (IS_ERR(f))
		return false;
	n = kernel_write(f, text, strlen(text), &pos);
	filp_close(f, NULL);
	return n == strlen(text);
}

/**
 * xut_set_param - set a module's parameter until xut_reset_param()
 * @t: the case
 * @path: its file below /sys/module
 * @value: what to set it to
 * @was: set to what it was
 *
 * Context: Task context, may sleep.
 * Return: false if that cannot be done: KUnit's threads see no files.  The case is
 *	   marked skipped then.
 */
bool xut_set_param(struct xut *t, const char *path, const char *value, char was[XUT_PARAM])
{
	if (xut_read_file(path, was, XUT_PARAM) > 0 && xut_write_file(path, value))
		return true;
	xut_skip(t, "the module's parameter cannot be set");
	return false;
}
EXPORT_SYMBOL_GPL(xut_set_param);

/**
 * xut_reset_param - undo xut_set_param()
 * @t: the case
 * @path: as then
 * @was: as it gave
 *
 * Context: Task context, may sleep.
 */
void xut_reset_param(struct xut *t, const char *path, const char was[XUT_PARAM])
{
	XUT_EXPECT(t, xut_write_file(path, was));
}
EXPORT_SYMBOL_GPL(xut_reset_param);

#if IS_ENABLED(CONFIG_KUNIT)
/**
 * xut_run_kunit - run the case that KUnit is at
 * @suite: its suite
 * @kunit: KUnit's view of it
 *
 * Context: Task context.
 */
void xut_run_kunit(const struct xut_suite *suite, struct kunit *kunit)
{
	struct xut t = { .kunit = kunit };
	const struct xut_case *c;

	for (c = suite->cases; c->name; c++)
		if (!strcmp(c->name, kunit->name))
			break;
	if (!c->name) {
		KUNIT_FAIL(kunit, "suite %s has no such case", suite->name);
		return;
	}

	mutex_lock(&xut_mutex);
	xut_run_case(suite, c, &t);
	mutex_unlock(&xut_mutex);

	if (t.failed)
		KUNIT_FAIL(kunit, "see the lines of %s above", t.name);
	else if (t.skipped)
		kunit_mark_skipped(kunit, "%s", t.skipped);
}
EXPORT_SYMBOL_GPL(xut_run_kunit);
#endif

static bool xut_matches(const struct xut_case *c, const char *globs)
{
	char glob[64];
	size_t len;

	for (;;) {
		globs = skip_spaces(globs);
		len = strcspn(globs, " \t\n");
		if (!len)
			return false;
		if (len < sizeof(glob)) {
			memcpy(glob, globs, len);
			glob[len] = '\0';
			if (glob_match(glob, c->name))
				return true;
		}
		globs += len;
	}
}

static unsigned int xut_count(const struct xut_suite *suite, const char *globs)
{
	const struct xut_case *c;
	unsigned int n = 0;

	for (c = suite->cases; c->name; c++)
		n += xut_matches(c, globs);
	return n;
}

static void xut_report(struct xut_log *log, unsigned int number, const struct xut *t)
{
	if (t->failed)
		xut_log(log, "not ok %u %s\n", number, t->name);
	else if (t->skipped)
		xut_log(log, "ok %u %s # SKIP %s\n", number, t->name, t->skipped);
	else
		xut_log(log, "ok %u %s\n", number, t->name);
}

static void xut_run_suite(struct xut_suite *suite, const char *globs)
{
	const struct xut_case *c;
	unsigned int number = 0;

	xut_log_reset(suite->log);
	xut_log(suite->log, "KTAP version 1\n# Subtest: %s\n1..%u\n",
		suite->name, xut_count(suite, globs));
	for (c = suite->cases; c->name; c++) {
		struct xut t = { .log = suite->log };

		if (!xut_matches(c, globs))
			continue;
		xut_run_case(suite, c, &t);
		xut_report(suite->log, ++number, &t);
	}
}

static ssize_t xut_trigger_write(struct file *file, const char __user *ubuf,
				 size_t count, loff_t *ppos)
{
	struct xut_suite *suite = file_inode(file)->i_private;
	char *globs;

	if (count >= XUT_GLOB_SIZE)
		return -EINVAL;
	globs = memdup_user_nul(ubuf, count);
	if (IS_ERR(globs))
		return PTR_ERR(globs);

	mutex_lock(&xut_mutex);
	xut_run_suite(suite, globs);
	mutex_unlock(&xut_mutex);
	kfree(globs);
	return count;
}

static ssize_t xut_trigger_read(struct file *file, char __user *ubuf,
				size_t count, loff_t *ppos)
{
	struct xut_suite *suite = file_inode(file)->i_private;
	ssize_t ret;

	mutex_lock(&xut_mutex);
	ret = simple_read_from_buffer(ubuf, count, ppos, suite->log->text,
				      suite->log->used);
	mutex_unlock(&xut_mutex);
	return ret;
}

static const struct file_operations xut_trigger_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = xut_trigger_read,
	.write = xut_trigger_write,
	.llseek = default_llseek,
};

static void xut_list(struct xut_suite *suite)
{
	const struct xut_case *c;

	xut_log_reset(suite->log);
	for (c = suite->cases; c->name; c++)
		xut_log(suite->log, "# %s\n", c->name);
}

/**
 * xut_register - make the suites of a module known
 * @suites: the suites
 * @n: how many
 *
 * Context: Task context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int xut_register(struct xut_suite *const *suites, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct xut_suite *suite = suites[i];

		suite->log = vzalloc(sizeof(*suite->log));
		if (!suite->log) {
			xut_unregister(suites, i);
			return -ENOMEM;
		}
		xut_list(suite);
		suite->file = debugfs_create_file(suite->name, 0600, xut_dir,
						  suite, &xut_trigger_fops);
		if (suite->fill_kunit)
			suite->fill_kunit();
	}
	return 0;
}
EXPORT_SYMBOL_GPL(xut_register);

/**
 * xut_unregister - forget the suites of a module, after a running case ended
 * @suites: the suites
 * @n: how many
 *
 * Context: Task context, may sleep.
 */
void xut_unregister(struct xut_suite *const *suites, unsigned int n)
{
	while (n--) {
		debugfs_remove(suites[n]->file);
		vfree(suites[n]->log);
	}
}
EXPORT_SYMBOL_GPL(xut_unregister);

static int __init xut_init(void)
{
	int err;

	xut_wq = alloc_workqueue("xut", WQ_UNBOUND, 0);
	if (!xut_wq)
		return -ENOMEM;
	err = xut_nmi_init();
	if (err)
		goto out_wq;
	err = xut_rqlock_init();
	if (err)
		goto out_nmi;
	xut_dir = debugfs_create_dir("trigger", xsync_debugfs_dir());
	return 0;

out_nmi:
	xut_nmi_exit();
out_wq:
	destroy_workqueue(xut_wq);
	return err;
}

static void __exit xut_exit(void)
{
	debugfs_remove(xut_dir);
	xut_rqlock_exit();
	xut_nmi_exit();
	destroy_workqueue(xut_wq);
}

module_init(xut_init);
module_exit(xut_exit);
MODULE_DESCRIPTION("Runs the unit cases of the xsync modules");
MODULE_LICENSE("GPL");
