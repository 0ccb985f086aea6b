// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one can see of this layer, in xsync/fasttrap/ of debugfs.
 *
 * providers  one line each:
 *	pid PID comm COMM session N state STATE probes N age SECONDS
 *	STATE is live, exited (memory still in use), retired, or ending.
 * probes     one line each:
 *	pid PID session N id N KIND 0xADDR STATE hits N
 *	KIND is entry, return or offset; STATE enabled, disabling or retired.
 * reaper     first line, for scripts to wait on:
 *	pending N sessions, N probes, stranded N
 *	Pending are sessions that ended and still hold something or wait for the
 *	worker, and probes that are on their way out. Stranded counts breakpoints
 *	that were still there after two unregistrations, since the module was
 *	loaded. Then what the worker is at (enable, disable, reap), if anything; a
 *	line for each blocked step, with its reason, age and number of retries;
 *	and one for each of the last stranded breakpoints.
 *
 * The names of processes come last where they could hold blanks.
 */
#include <linux/debugfs.h>
#include <linux/pid.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <xsync/debugfs.h>
#include "debugfs.h"
#include "provider.h"
#include "session.h"
#include "tracepoint.h"
#include "worker.h"

static struct dentry *ft_dir;

static void ft_show_age(struct seq_file *m, u64 since)
{
	u64 ms = div_u64(ktime_get_ns() - since, NSEC_PER_MSEC);
	u32 rest;

	ms = div_u64_rem(ms, MSEC_PER_SEC, &rest);
	seq_printf(m, " age %llu.%03u", ms, rest);
}

static const char *ft_provider_state(const struct ft_provider *p)
{
	if (ft_session_ended(p->session))
		return "ending";
	if (p->retired)
		return "retired";
	return test_bit(FT_PROVIDER_EXIT, &p->flags) ? "exited" : "live";
}

static int providers_show(struct seq_file *m, void *unused)
{
	struct xfasttrap_session *s;
	struct ft_provider *p;

	mutex_lock(&ft_lock);
	list_for_each_entry(s, &ft_sessions, node) {
		list_for_each_entry(p, &s->providers, session_node) {
			seq_printf(m, "pid %d session %llu state %s probes %lu",
				   pid_nr(p->pid), s->nr, ft_provider_state(p), p->nr);
			ft_show_age(m, p->created);
			seq_printf(m, " comm %s\n", p->comm);
		}
	}
	mutex_unlock(&ft_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(providers);

/*
 * Tens of thousands of probes do not fit into one buffer. The position is kept
 * as (session, id) between buffers, for which ft_lock is dropped.
 */
struct ft_cursor {
	u64		session;
	unsigned long	id;
};

/* The first probe at or after the cursor. */
static struct ft_probe *ft_cursor_find(struct ft_cursor *c)
{
	struct xfasttrap_session *s;
	struct ft_probe *probe;

	list_for_each_entry(s, &ft_sessions, node) {
		if (s->nr < c->session)
			continue;
		if (s->nr > c->session) {
			c->session = s->nr;
			c->id = 0;
		}
		probe = xa_find(&s->probes, &c->id, ULONG_MAX, XA_PRESENT);
		if (probe)
			return probe;
	}
	return NULL;
}

static void *probes_start(struct seq_file *m, loff_t *pos)
{
	struct ft_cursor *c = m->private;

	mutex_lock(&ft_lock);
	if (!*pos)
		*c = (struct ft_cursor){};
	return ft_cursor_find(c);
}

static void *probes_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct ft_cursor *c = m->private;

	++*pos;
	c->id++;
	return ft_cursor_find(c);
}

static void probes_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&ft_lock);
}

static int probes_show(struct seq_file *m, void *v)
{
	static const char * const kinds[] = {
		[XFASTTRAP_ENTRY]	= "entry",
		[XFASTTRAP_RETURN]	= "return",
		[XFASTTRAP_OFFSET]	= "offset",
	};
	static const char * const states[] = {
		[FT_ENABLED]	= "enabled",
		[FT_DISABLING]	= "disabling",
		[FT_RETIRED]	= "retired",
	};
	struct ft_probe *probe = v;

	seq_printf(m, "pid %d session %llu id %llu %s 0x%lx %s hits %lld\n",
		   pid_nr(probe->provider->pid), probe->session->nr, probe->id,
		   kinds[probe->kind], probe->tp->pc, states[probe->state],
		   atomic64_read(&probe->hits));
	return 0;
}

static const struct seq_operations ft_probes_ops = {
	.start	= probes_start,
	.next	= probes_next,
	.stop	= probes_stop,
	.show	= probes_show,
};

static int probes_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &ft_probes_ops, sizeof(struct ft_cursor));
}

static const struct file_operations probes_fops = {
	.owner		= THIS_MODULE,
	.open		= probes_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= seq_release_private,
};

static void ft_show_pending(struct seq_file *m)
{
	unsigned long sessions = 0, probes = 0;
	struct xfasttrap_session *s;

	list_for_each_entry(s, &ft_sessions, node) {
		bool ended = ft_session_ended(s);

		probes += ended ? s->nr_probes : s->nr_doomed;
		/* One that only waits for its consumer's close is not pending. */
		sessions += ended && (!test_bit(FT_SESSION_REAPED, &s->flags) ||
				      test_bit(FT_SESSION_CLOSED, &s->flags));
	}
	seq_printf(m, "pending %lu sessions, %lu probes, stranded %lu\n",
		   sessions, probes, ft_nr_stranded);
}

static void ft_show_blocked(struct seq_file *m, const struct xfasttrap_session *s)
{
	const struct ft_provider *p;

	list_for_each_entry(p, &s->providers, session_node) {
		if (!p->blocked)
			continue;
		seq_printf(m, "blocked pid %d session %llu probes %lu", pid_nr(p->pid),
			   s->nr, p->nr);
		ft_show_age(m, p->blocked_since);
		seq_printf(m, " retries %u: %s\n", p->retries, p->blocked);
	}
}

static int reaper_show(struct seq_file *m, void *unused)
{
	unsigned long i, kept = min(ft_nr_stranded, FT_STRANDED_KEPT + 0UL);
	struct xfasttrap_session *s;

	mutex_lock(&ft_lock);
	ft_show_pending(m);
	if (ft_pass.what) {
		seq_printf(m, "at %s pid %d", ft_pass.what, ft_pass.pid);
		ft_show_age(m, ft_pass.since);
		seq_putc(m, '\n');
	}
	list_for_each_entry(s, &ft_sessions, node) {
		ft_show_blocked(m, s);
		if (ft_session_ended(s)) {
			seq_printf(m, "ended session %llu probes %lu", s->nr, s->nr_probes);
			ft_show_age(m, s->ended);
			seq_printf(m, " comm %s\n", s->comm);
		}
	}
	for (i = 0; i < kept; i++) {
		seq_printf(m, "stranded pid %d 0x%lx", ft_stranded[i].pid, ft_stranded[i].pc);
		ft_show_age(m, ft_stranded[i].since);
		seq_printf(m, " comm %s\n", ft_stranded[i].comm);
	}
	mutex_unlock(&ft_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(reaper);

void __init ft_debugfs_init(void)
{
	ft_dir = debugfs_create_dir("fasttrap", xsync_debugfs_dir());
	debugfs_create_file("providers", 0400, ft_dir, NULL, &providers_fops);
	debugfs_create_file("probes", 0400, ft_dir, NULL, &probes_fops);
	debugfs_create_file("reaper", 0400, ft_dir, NULL, &reaper_fops);
}

void ft_debugfs_exit(void)
{
	debugfs_remove(ft_dir);
}
