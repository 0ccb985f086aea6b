// SPDX-License-Identifier: GPL-2.0-only
/*
 * xsync_bench.ko: the file in debugfs, see bench.h.
 *
 * One piece of work at a time: bench_mutex is held while it runs, so the text of
 * the last one is complete whenever it can be read.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <xsync/debugfs.h>
#include "bench.h"

#define BENCH_LINE	256
#define BENCH_TEXT	(64 * 1024)

static const struct bench_work *const bench_works[] = {
	&bench_callers, &bench_readers, &bench_starts, &bench_started, &bench_sections,
	&bench_task, &bench_tasks, &bench_queues, &bench_timeouts, &bench_held, &bench_late,
	&bench_others,
};

struct xsync_domain bench_fenced;
struct xsync_domain bench_ipi;

/* While a piece of work is done; what the last one said is read under it, too. */
DEFINE_MUTEX(bench_mutex);
static char bench_text[BENCH_TEXT];	/* under bench_mutex */
static size_t bench_used;
static struct bench_args bench_args;
static struct dentry *bench_file;

/**
 * bench_say - add a line to what can be read
 * @fmt: the line
 *
 * Context: Task context, in the run function of a piece of work.
 */
void bench_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	bench_used += vscnprintf(bench_text + bench_used,
				 sizeof(bench_text) - bench_used, fmt, args);
	va_end(args);
}

/* The end of a thread that somebody will stop. */
void bench_until_stopped(void)
{
	while (!kthread_should_stop())
		schedule_timeout_idle(1);
}

/* The domain that a name of a flavour stands for, or NULL. */
struct xsync_domain *bench_domain(const char *how)
{
	if (!strcmp(how, "fenced"))
		return &bench_fenced;
	if (!strcmp(how, "ipi"))
		return &bench_ipi;
	return NULL;
}

static int bench_set(struct bench_args *args, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		return -EINVAL;
	*value++ = '\0';

	if (!strcmp(word, "how")) {
		args->how = value;
		return 0;
	}
	if (!strcmp(word, "callers"))
		return kstrtouint(value, 10, &args->callers);
	if (!strcmp(word, "calls"))
		return kstrtouint(value, 10, &args->calls);
	if (!strcmp(word, "length"))
		return kstrtouint(value, 10, &args->length);
	if (!strcmp(word, "others"))
		return kstrtouint(value, 10, &args->others);
	if (!strcmp(word, "watch"))
		return kstrtoint(value, 10, &args->watch);
	if (!strcmp(word, "on"))
		return cpulist_parse(value, &args->on);
	return -EINVAL;
}

static int bench_parse(struct bench_args *args, char *words)
{
	char *word;
	int err;

	args->how = "";
	args->callers = 1;
	args->calls = 1;
	args->length = 0;
	args->others = 0;
	args->watch = -1;
	cpumask_copy(&args->on, cpu_online_mask);

	while ((word = strsep(&words, " "))) {
		err = bench_set(args, word);
		if (err)
			return err;
	}
	if (!args->callers || !args->calls || args->watch >= (int)nr_cpu_ids ||
	    !cpumask_intersects(&args->on, cpu_online_mask))
		return -EINVAL;
	return 0;
}

static int bench_run(char *line)
{
	char *name = strsep(&line, " ");
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(bench_works); i++)
		if (!strcmp(bench_works[i]->name, name))
			break;
	if (i == ARRAY_SIZE(bench_works) || !line)
		return -EINVAL;

	err = bench_parse(&bench_args, line);
	if (err)
		return err;
	bench_used = 0;
	bench_text[0] = '\0';
	err = bench_works[i]->run(&bench_args);
	if (!err && bench_used == sizeof(bench_text) - 1)
		err = -ENOSPC;
	return err;
}

static ssize_t bench_write(struct file *file, const char __user *ubuf, size_t count,
			   loff_t *ppos)
{
	char *line;
	int err;

	if (count >= BENCH_LINE)
		return -EINVAL;
	line = memdup_user_nul(ubuf, count);
	if (IS_ERR(line))
		return PTR_ERR(line);

	mutex_lock(&bench_mutex);
	err = bench_run(strim(line));
	mutex_unlock(&bench_mutex);
	kfree(line);
	return err ?: count;
}

static ssize_t bench_read(struct file *file, char __user *ubuf, size_t count,
			  loff_t *ppos)
{
	ssize_t ret;

	mutex_lock(&bench_mutex);
	ret = simple_read_from_buffer(ubuf, count, ppos, bench_text, bench_used);
	mutex_unlock(&bench_mutex);
	return ret;
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = bench_read,
	.write = bench_write,
	.llseek = default_llseek,
};

static int __init bench_init(void)
{
	int err;

	err = xsync_domain_init(&bench_fenced, "bench-fenced", XSYNC_FENCED);
	if (err)
		return err;
	err = xsync_domain_init(&bench_ipi, "bench-ipi", XSYNC_IPI);
	if (err) {
		WARN_ON(xsync_domain_destroy(&bench_fenced));
		return err;
	}
	bench_file = debugfs_create_file("bench", 0600, xsync_debugfs_dir(), NULL,
					 &bench_fops);
	return 0;
}

static void __exit bench_exit(void)
{
	debugfs_remove(bench_file);
	bench_timeouts_exit();
	WARN_ON(xsync_domain_destroy(&bench_ipi));
	WARN_ON(xsync_domain_destroy(&bench_fenced));
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("Work for measuring xsync and what it is compared with");
MODULE_LICENSE("GPL");
