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
 * change tables either, so one pass is enough.
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

/* Cancels a callout of a dead owner; gives its id if it has to be waited for, else 0. */
static u64 drain_one(struct xtimeout_table *table, struct xcallout *co,
		     unsigned int *found)
{
	(*found)++;
	if (!xcallout_cancel(table, co) || xcallout_busy(table, co))
		return co->id;
	if (co->named)
		xtimeout_named_done(table, co);
	return 0;
}

/* Cancels what can be; gives the id of something that has to be waited for, or 0. */
static u64 drain_pass(struct xtimeout_table *table, struct module *owner,
		      unsigned int *found)
{
	struct timerqueue_node *node = timerqueue_getnext(&table->armed);
	struct xcallout *co, *next;
	struct xtimeout_run *run;
	u64 busy = 0;

	while (node) {
		co = container_of(node, struct xcallout, node);
		node = timerqueue_iterate_next(node);
		if (!owner || co->owner == owner)
			busy = drain_one(table, co, found) ?: busy;
	}
	list_for_each_entry_safe(co, next, &table->fired, link)
		if (!owner || co->owner == owner)
			busy = drain_one(table, co, found) ?: busy;
	/* What cannot be cancelled any more: a thread has it, or runs its function. */
	list_for_each_entry(co, &table->taken, held) {
		if (!owner || co->owner == owner) {
			(*found)++;
			busy = co->id;
		}
	}
	list_for_each_entry(run, &table->runs, link) {
		if (!owner || run->owner == owner) {
			(*found)++;
			busy = run->id;
		}
	}
	return busy;
}

/*
 * Cancels and waits; @owner NULL: everybody's.  @self: the id of the callout whose
 * function the caller is in, or 0.  @found: how much there was.
 */
static int drain(struct module *owner, u64 self, unsigned int *found)
{
	struct xtimeout_table *table;
	unsigned long flags;
	int err = 0;
	u64 busy;

	*found = 0;
	for_each_xtimeout_table(table) {
		do {
			raw_spin_lock_irqsave(&table->lock, flags);
			busy = drain_pass(table, owner, found);
			if (busy)
				err = xtimeout_wait_for(table, busy, self, flags);
			else
				raw_spin_unlock_irqrestore(&table->lock, flags);
		} while (busy && !err);
		if (err)
			break;
	}
	return err;
}

int xtimeout_drain(struct module *owner)
{
	int err = xtimeout_may_wait("xtimeout_drain");
	struct xtimeout_run self = {};
	unsigned int found;

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
	unsigned int found;

	drain(NULL, 0, &found);
}

static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;
	struct dead_owner dead = { .owner = mod };
	unsigned int found;

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
		pr_err("%s is being unloaded and had %u timeouts left: it does not call xtimeout_drain()\n",
		       mod->name, found);
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
