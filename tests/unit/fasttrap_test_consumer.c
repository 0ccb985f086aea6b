// SPDX-License-Identifier: GPL-2.0-only
/*
 * A consumer of fasttrap that a program drives through a file.
 *
 * Each open of xsync/trigger/fasttrap_session is a session and lives as long as
 * that descriptor. A write is one command; what it gave is read back from the
 * start of the file.
 *
 *   enable PID                 first line; then one line for each probe:
 *   KIND ADDR FUNC SIZE COOKIE   entry|return|offset, numbers as C writes them
 *                              answer: RESULT, then ID ERROR REASON-NUMBER a line
 *   disable [ID ...]           answer: RESULT
 *   stat                       answer: enabled N retired N reaping N hits N
 *                              exec N exit N inside N overlap N released N
 *                              locked N
 *   counts                     answer: COOKIE COUNT a line, without zeros
 *   hold                       the next hit stays inside until a disable began,
 *                              and until it returned in spite of that (counted
 *                              as overlap), for 300 ms at most
 *   detach                     the session outlives this file, until the module
 *                              goes
 *   mmaplock PID               hold mmap_lock of PID, for reading, and return
 *                              once this was given:
 *   unlock                     which has to come through another descriptor
 *
 * RESULT is what the layer returned, a negative errno included.
 */
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <fasttrap/fasttrap.h>
#include <xsync/debugfs.h>
#include "fasttrap_test.h"

#define NR_COOKIES	16384
#define MAX_COMMAND	(8 << 20)
#define ANSWER_LINE	48
#define HOLD_BEGIN_NS	(8 * NSEC_PER_SEC)
#define HOLD_NS		(300 * NSEC_PER_MSEC)

/**
 * struct consumer - one session and what its callbacks counted
 * @ref: of the file and of the session
 * @lock: one command at a time
 * @session: or NULL after detach
 * @answer: of the last command
 * @hold: take the next hit for the test of the grace period
 * @inside: hits that are held now
 * @disabling: disable has begun
 * @disabled: and returned
 * @overlap: held hits that saw @disabled
 * @exec: how often a target called exec
 * @exit: how often a target exited
 * @counts: hits by cookie
 */
struct consumer {
	struct kref			ref;
	struct mutex			lock;		/* see above */
	struct xfasttrap_session	*session;
	char				*answer;
	atomic_t			hold;
	atomic_t			inside;
	bool				disabling;
	bool				disabled;
	atomic_t			overlap;
	atomic_t			exec;
	atomic_t			exit;
	atomic64_t			counts[NR_COOKIES];
};

static struct dentry *consumer_file;
static atomic_t released;
static bool locked, unlocked;	/* by mmaplock, one at a time */
static DECLARE_WAIT_QUEUE_HEAD(unlock_wait);

static void consumer_free(struct kref *ref)
{
	struct consumer *c = container_of(ref, struct consumer, ref);

	kvfree(c->answer);
	vfree(c);
}

/* Preemption is off: not for as long as the kernel's watchdogs wait. */
static void consumer_hold(struct consumer *c)
{
	u64 limit = ktime_get_ns() + HOLD_BEGIN_NS;

	atomic_inc(&c->inside);
	while (!READ_ONCE(c->disabling) && ktime_get_ns() < limit)
		cpu_relax();
	limit = ktime_get_ns() + HOLD_NS;
	while (!READ_ONCE(c->disabled) && ktime_get_ns() < limit)
		cpu_relax();
	if (READ_ONCE(c->disabled))
		atomic_inc(&c->overlap);
	atomic_dec(&c->inside);
}

static void consumer_hit(const struct xfasttrap_hit *hit, void *arg)
{
	unsigned long ip = instruction_pointer((struct pt_regs *)hit->regs);
	struct consumer *c = arg;

	if (hit->cookie < NR_COOKIES && hit->addr == ip)
		atomic64_inc(&c->counts[hit->cookie]);
	if (atomic_read(&c->hold) && atomic_xchg(&c->hold, 0))
		consumer_hold(c);
}

static void consumer_retired(struct pid *pid, enum xfasttrap_end why, void *arg)
{
	struct consumer *c = arg;

	atomic_inc(why == XFASTTRAP_END_EXEC ? &c->exec : &c->exit);
}

static void consumer_release(void *arg)
{
	struct consumer *c = arg;

	atomic_inc(&released);
	kref_put(&c->ref, consumer_free);
}

static const struct xfasttrap_ops consumer_ops = {
	.owner		= THIS_MODULE,
	.hit		= consumer_hit,
	.retired	= consumer_retired,
	.release	= consumer_release,
};

/* Room for @lines lines, or NULL. */
static char *consumer_answer(struct consumer *c, struct seq_buf *b, size_t lines)
{
	size_t size = (lines + 8) * ANSWER_LINE;

	kvfree(c->answer);
	c->answer = kvzalloc(size, GFP_KERNEL);
	seq_buf_init(b, c->answer, c->answer ? size : 0);
	return c->answer;
}

static int parse_kind(const char *word, enum xfasttrap_kind *kind)
{
	if (!strcmp(word, "entry"))
		*kind = XFASTTRAP_ENTRY;
	else if (!strcmp(word, "return"))
		*kind = XFASTTRAP_RETURN;
	else if (!strcmp(word, "offset"))
		*kind = XFASTTRAP_OFFSET;
	else if (!strcmp(word, "bogus"))
		*kind = (enum xfasttrap_kind)17;
	else
		return -EINVAL;
	return 0;
}

static int parse_spec(char *line, struct xfasttrap_spec *spec)
{
	char kind[8];

	if (sscanf(line, "%7s %li %li %li %lli", kind, (long *)&spec->addr,
		   (long *)&spec->func, (long *)&spec->size,
		   (long long *)&spec->cookie) != 5)
		return -EINVAL;
	return parse_kind(kind, &spec->kind);
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	while ((text = strchr(text, '\n'))) {
		text++;
		n++;
	}
	return n;
}

static int do_enable(struct consumer *c, char *args)
{
	size_t i, n = 0, lines = count_lines(args);
	struct xfasttrap_spec *specs;
	struct seq_buf b;
	struct pid *pid;
	char *line;
	int err = -ENOMEM, nr;
	long ret = -ESRCH;

	specs = kvcalloc(lines, sizeof(*specs), GFP_KERNEL);
	if (!specs || !consumer_answer(c, &b, lines))
		goto free;
	err = kstrtoint(strsep(&args, "\n"), 0, &nr);
	while (!err && (line = strsep(&args, "\n"))) {
		if (*line)
			err = parse_spec(line, &specs[n++]);
	}
	if (err)
		goto free;

	pid = find_get_pid(nr);
	if (pid)
		ret = xfasttrap_enable(c->session, pid, specs, n);
	put_pid(pid);
	err = ret == -EINTR ? -EINTR : 0;
	seq_buf_printf(&b, "%ld\n", ret);
	for (i = 0; i < n && ret >= 0; i++)
		seq_buf_printf(&b, "%llu %d %d\n", specs[i].id, specs[i].error,
			       specs[i].reason);
free:
	kvfree(specs);
	return err;
}

static int do_disable(struct consumer *c, char *args)
{
	size_t n = 0, words = strlen(args) / 2 + 1;
	struct seq_buf b;
	char *word;
	u64 *ids;
	int err = -ENOMEM;
	long ret;

	ids = kvcalloc(words, sizeof(*ids), GFP_KERNEL);
	if (!ids || !consumer_answer(c, &b, 1))
		goto free;
	err = 0;
	while (!err && (word = strsep(&args, "\n "))) {
		if (*word)
			err = kstrtou64(word, 0, &ids[n++]);
	}
	if (err)
		goto free;
	WRITE_ONCE(c->disabling, true);
	ret = xfasttrap_disable(c->session, n ? ids : NULL, n);
	WRITE_ONCE(c->disabled, true);
	err = ret == -EINTR ? -EINTR : 0;
	seq_buf_printf(&b, "%ld\n", ret);
free:
	kvfree(ids);
	return err;
}

static int do_stat(struct consumer *c)
{
	struct xfasttrap_stat stat;
	struct seq_buf b;

	if (!consumer_answer(c, &b, 8))
		return -ENOMEM;
	xfasttrap_session_stat(c->session, &stat);
	seq_buf_printf(&b, "enabled %llu retired %llu reaping %llu hits %llu exec %d exit %d inside %d overlap %d released %d locked %d\n",
		       stat.enabled, stat.retired, stat.reaping, stat.hits,
		       atomic_read(&c->exec), atomic_read(&c->exit),
		       atomic_read(&c->inside), atomic_read(&c->overlap),
		       atomic_read(&released), READ_ONCE(locked));
	return 0;
}

static int do_counts(struct consumer *c)
{
	struct seq_buf b;
	unsigned int i;

	if (!consumer_answer(c, &b, NR_COOKIES))
		return -ENOMEM;
	for (i = 0; i < NR_COOKIES; i++) {
		if (atomic64_read(&c->counts[i]))
			seq_buf_printf(&b, "%u %lld\n", i, atomic64_read(&c->counts[i]));
	}
	return 0;
}

static int do_mmaplock(char *args)
{
	struct task_struct *task;
	struct mm_struct *mm;
	struct pid *pid;
	int err, nr;

	err = kstrtoint(strim(args), 0, &nr);
	if (err)
		return err;
	pid = find_get_pid(nr);
	task = pid ? get_pid_task(pid, PIDTYPE_TGID) : NULL;
	put_pid(pid);
	if (!task)
		return -ESRCH;
	mm = get_task_mm(task);
	put_task_struct(task);
	if (!mm)
		return -ESRCH;

	mmap_read_lock(mm);
	WRITE_ONCE(locked, true);
	err = wait_event_killable(unlock_wait, READ_ONCE(unlocked));
	WRITE_ONCE(locked, false);
	mmap_read_unlock(mm);
	WRITE_ONCE(unlocked, false);
	mmput(mm);
	return err;
}

static int do_command(struct consumer *c, char *text)
{
	char *word = text + strcspn(text, "\n ");

	if (*word)
		*word++ = '\0';
	if (!c->session)
		return -EBADFD;
	if (!strcmp(text, "enable"))
		return do_enable(c, word);
	if (!strcmp(text, "disable"))
		return do_disable(c, word);
	if (!strcmp(text, "stat"))
		return do_stat(c);
	if (!strcmp(text, "counts"))
		return do_counts(c);
	if (!strcmp(text, "mmaplock"))
		return do_mmaplock(word);
	if (!strcmp(text, "hold"))
		atomic_set(&c->hold, 1);
	else if (!strcmp(text, "detach"))
		c->session = NULL;
	else
		return -EINVAL;
	return 0;
}

static ssize_t consumer_write(struct file *file, const char __user *ubuf,
			      size_t len, loff_t *pos)
{
	struct consumer *c = file->private_data;
	char *text;
	int err;

	if (len > MAX_COMMAND)
		return -E2BIG;
	text = kvmalloc(len + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	err = -EFAULT;
	if (copy_from_user(text, ubuf, len))
		goto free;
	text[len] = '\0';

	/* Another command of this descriptor may be the one that waits for it. */
	if (!strncmp(text, "unlock", 6)) {
		WRITE_ONCE(unlocked, true);
		wake_up_all(&unlock_wait);
		err = 0;
		goto free;
	}
	err = mutex_lock_killable(&c->lock);
	if (!err) {
		err = do_command(c, text);
		mutex_unlock(&c->lock);
	}
free:
	kvfree(text);
	return err ?: len;
}

static ssize_t consumer_read(struct file *file, char __user *ubuf, size_t len,
			     loff_t *pos)
{
	struct consumer *c = file->private_data;
	ssize_t ret = mutex_lock_killable(&c->lock);

	if (ret)
		return ret;
	if (c->answer)
		ret = simple_read_from_buffer(ubuf, len, pos, c->answer,
					      strlen(c->answer));
	mutex_unlock(&c->lock);
	return ret;
}

static int consumer_open(struct inode *inode, struct file *file)
{
	struct consumer *c = vzalloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	kref_init(&c->ref);
	mutex_init(&c->lock);
	kref_get(&c->ref);
	c->session = xfasttrap_session_create(&consumer_ops, c);
	if (IS_ERR(c->session)) {
		int err = PTR_ERR(c->session);

		vfree(c);
		return err;
	}
	file->private_data = c;
	return 0;
}

static int consumer_close(struct inode *inode, struct file *file)
{
	struct consumer *c = file->private_data;

	if (c->session)
		xfasttrap_session_close(c->session);
	kref_put(&c->ref, consumer_free);
	return 0;
}

static const struct file_operations consumer_fops = {
	.owner		= THIS_MODULE,
	.open		= consumer_open,
	.release	= consumer_close,
	.read		= consumer_read,
	.write		= consumer_write,
	.llseek		= default_llseek,
};

int __init fasttrap_consumer_init(void)
{
	struct dentry *dir = debugfs_lookup("trigger", xsync_debugfs_dir());

	if (!dir)
		return -ENODEV;
	consumer_file = debugfs_create_file("fasttrap_session", 0600, dir, NULL,
					    &consumer_fops);
	dput(dir);
	return PTR_ERR_OR_ZERO(consumer_file);
}

void fasttrap_consumer_exit(void)
{
	debugfs_remove(consumer_file);
	xfasttrap_drain(THIS_MODULE);
}
