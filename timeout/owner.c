// SPDX-License-Identifier: GPL-2.0-only
/*
 * Getting rid of all that a module has armed.
 *
 * Problem.  A module that unloads must know that none of its functions will be
 * called any more and none runs, while callouts of its own may be arming each other
 * and itself.  So the owner is declared dead first: from then on nothing of it can
 * be armed.  Arming looks at that under the lock of the table, and drain takes each
 * table's lock after the declaration: an arming that was let through is found there,
 * and one that comes later is not let through.  A dead owner's callouts do not
 * change tables either, nor does what has fired become armed: one pass over what is
 * armed is enough, one over what has fired, and one that waits for what threads have.
 *
 * A table's armed callouts are gone through in the order of time, some under one hold of
 * the lock, but never a part of what is due at the same time.  Between two holds lockdep
 * is told of each function that was found: whoever drains would wait for it if it ran.
 *
 * The declaration holds until the module is gone: its memory, and so the address
 * that stands for it, may then become another module's.
 *
 * A module that goes without draining is reported, and drained when its exit
 * function has returned: late, but before its code is freed.
 *
 * Locking.  dead_lock (a mutex) around changes of the list, RCU for looking.
 */
#define pr_fmt(fmt) "xsync_timeout: " fmt

#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "internal.h"

/* How many armed callouts are looked at under one hold of a table's lock. */
#define DRAIN_BATCH	64

struct dead_owner {
	struct list_head link;
	struct module *owner;
	struct rcu_head rcu;
};

static DEFINE_MUTEX(dead_lock);
static LIST_HEAD(dead_owners);

bool xtimeout_owner_is_dead(struct module *owner)
{
	struct dead_owner *dead;
	bool found = false;

	rcu_read_lock();
	list_for_each_entry_rcu(dead, &dead_owners, link) {
		if (dead->owner == owner) {
			found = true;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

static int declare_dead(struct module *owner)
{
	struct dead_owner *dead = kmalloc(sizeof(*dead), GFP_KERNEL);

	if (!dead)
		return -ENOMEM;
	dead->owner = owner;
	mutex_lock(&dead_lock);
	if (xtimeout_owner_is_dead(owner))
		kfree(dead);
	else
		list_add_rcu(&dead->link, &dead_owners);
	mutex_unlock(&dead_lock);
	return 0;
}

static void forget_dead(struct module *owner)
{
	struct dead_owner *dead, *next;

	mutex_lock(&dead_lock);
	list_for_each_entry_safe(dead, next, &dead_owners, link) {
		if (!owner || dead->owner == owner) {
			list_del_rcu(&dead->link);
			kfree_rcu(dead, rcu);
		}
	}
	mutex_unlock(&dead_lock);
}

/* Cancels a callout unless a thread has it; false: one has. */
static bool drain_one(struct xtimeout_table *table, struct xcallout *co)
{
	if (!xcallout_cancel(table, co))
		return false;
	if (co->named)
		xtimeout_named_done(table, co);
	return true;
}

/* The first armed callout that is due at a time or later. */
static struct timerqueue_node *armed_from(struct xtimeout_table *table, ktime_t when)
{
	struct rb_node *node = table->armed.rb_root.rb_root.rb_node;
	struct timerqueue_node *first = NULL;

	while (node) {
		struct timerqueue_node *this = rb_entry(node, struct timerqueue_node, node);

		if (this->expires < when) {
			node = node->rb_right;
		} else {
			first = this;
			node = node->rb_left;
		}
	}
	return first;
}

/*
 * Cancels what is armed from @from on, until many have been looked at or a second
 * function is found.  @func: the first one.  True: there is more, from @from on.
 */
static bool drain_armed_some(struct xtimeout_table *table, struct module *owner,
			     ktime_t *from, xtimeout_func_t *func)
{
	struct timerqueue_node *node, *next;
	unsigned int n = 0;

	lockdep_assert_held(&table->lock);
	for (node = armed_from(table, *from); node; node = next) {
		struct xcallout *co = container_of(node, struct xcallout, node);
		bool same = node->expires == *from;

		*from = node->expires;
		/* Not in the middle of what is due at one time: it is begun with again. */
		if (n++ >= DRAIN_BATCH && !same)
			return true;
		next = timerqueue_iterate_next(node);
		if (owner && co->owner != owner)
			continue;
		if (*func && co->func != *func)
			return true;
		*func = co->func;
		drain_one(table, co);
	}
	return false;
}

/* Cancels all that is armed.  True: there was some. */
static bool drain_armed(struct xtimeout_table *table, struct module *owner)
{
	bool more, found = false;
	unsigned long flags;
	ktime_t from = 0;

	do {
		xtimeout_func_t func = NULL;

		raw_spin_lock_irqsave(&table->lock, flags);
		more = drain_armed_some(table, owner, &from, &func);
		xtimeout_unlock(table, flags);
		if (func) {
			found = true;
			xtimeout_might_wait_for(func);
		}
		cond_resched();
	} while (more);
	return found;
}

/* Cancels what of one function has fired and no thread has.  NULL: there is none. */
static xtimeout_func_t drain_fired_some(struct xtimeout_table *table, struct module *owner)
{
	xtimeout_func_t func = NULL;
	struct xcallout *co, *next;

	lockdep_assert_held(&table->lock);
	list_for_each_entry_safe(co, next, &table->fired, link) {
		if ((owner && co->owner != owner) || (func && co->func != func))
			continue;
		if (drain_one(table, co))
			func = co->func;
	}
	return func;
}

/* Cancels all that has fired and no thread has.  True: there was some. */
static bool drain_fired(struct xtimeout_table *table, struct module *owner)
{
	bool found = false;
	xtimeout_func_t func;
	unsigned long flags;

	do {
		raw_spin_lock_irqsave(&table->lock, flags);
		func = drain_fired_some(table, owner);
		xtimeout_unlock(table, flags);
		if (func) {
			found = true;
			xtimeout_might_wait_for(func);
		}
		cond_resched();
	} while (func);
	return found;
}

/* Something that a thread has, or whose function runs: its id, or 0. */
static u64 busy_one(struct xtimeout_table *table, struct module *owner, xtimeout_func_t *func)
{
	struct xtimeout_run *run;
	struct xcallout *co;

	lockdep_assert_held(&table->lock);
	list_for_each_entry(co, &table->fired, link) {
		if (!owner || co->owner == owner) {
			*func = co->func;
			return co->id;
		}
	}
	list_for_each_entry(co, &table->taken, held) {
		if (!owner || co->owner == owner) {
			*func = co->func;
			return co->id;
		}
	}
	list_for_each_entry(run, &table->runs, link) {
		if (!owner || run->owner == owner) {
			*func = run->func;
			return run->id;
		}
	}
	return 0;
}

/* Waits for all that could not be cancelled. */
static int drain_busy(struct xtimeout_table *table, struct module *owner, u64 self,
		      bool *found)
{
	xtimeout_func_t func, told = NULL;
	unsigned long flags;
	int err = 0;
	u64 busy;

	do {
		raw_spin_lock_irqsave(&table->lock, flags);
		busy = busy_one(table, owner, &func);
		if (busy && func == told) {
			err = xtimeout_wait_for(table, busy, self, flags);
			continue;
		}
		xtimeout_unlock(table, flags);
		if (busy) {
			*found = true;
			xtimeout_might_wait_for(func);
			told = func;
		}
	} while (busy && !err);
	return err;
}

/*
 * Cancels and waits; @owner NULL: everybody's.  @self: the id of the callout whose
 * function the caller is in, or 0.  @found: whether there was anything.
 */
static int drain(struct module *owner, u64 self, bool *found)
{
	struct xtimeout_table *table;
	int err = 0;

	*found = false;
	for_each_xtimeout_table(table) {
		*found |= drain_armed(table, owner);
		*found |= drain_fired(table, owner);
	}
	/* Last of all: if it must not wait, the rest has been done. */
	for_each_xtimeout_table(table) {
		err = drain_busy(table, owner, self, found);
		if (err)
			break;
	}
	return err;
}

int xtimeout_drain(struct module *owner)
{
	int err = xtimeout_may_wait("xtimeout_drain", _RET_IP_);
	struct xtimeout_run self = {};
	bool found;

	if (err)
		return err;
	if (!owner)
		return -EINVAL;
	if (xtimeout_self(&self) && self.owner == owner)
		return -EDEADLK;
	err = declare_dead(owner);
	if (err)
		return err;
	return drain(owner, self.id, &found);
}
EXPORT_SYMBOL_GPL(xtimeout_drain);

void xtimeout_drain_all(void)
{
	bool found;

	/* Nobody is dead: a periodic one may be armed again behind the pass. */
	do
		drain(NULL, 0, &found);
	while (found);
}

static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;
	struct dead_owner dead = { .owner = mod };
	bool found;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	/* It may not have declared itself dead, and one pass has to be enough. */
	mutex_lock(&dead_lock);
	list_add_rcu(&dead.link, &dead_owners);
	mutex_unlock(&dead_lock);
	drain(mod, 0, &found);
	mutex_lock(&dead_lock);
	list_del_rcu(&dead.link);
	mutex_unlock(&dead_lock);
	synchronize_rcu();
	if (found)
		pr_err("%s is being unloaded and had timeouts left: it does not call xtimeout_drain()\n",
		       mod->name);
	forget_dead(mod);
	return NOTIFY_OK;
}

static struct notifier_block module_nb = {
	.notifier_call = module_event,
};

int xtimeout_owners_init(void)
{
	return register_module_notifier(&module_nb);
}

void xtimeout_owners_exit(void)
{
	unregister_module_notifier(&module_nb);
	forget_dead(NULL);
}
