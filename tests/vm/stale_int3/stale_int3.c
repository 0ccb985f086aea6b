// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests only: passes over breakpoints that are not there.
 *
 * The kernel changes its own code (static keys, ftrace, alternatives of modules)
 * by writing an int3 over an instruction, having every CPU notice, and writing the
 * new one. QEMU's multi-threaded translation can translate the int3 while another
 * CPU takes it away, and run that translation when nobody waits for it any more
 * (seen in 7.2 and 10.0, Red Hat bug 2216496): "Oops: int3", and whatever ran in the
 * guest gets the blame. A processor cannot do that: its fetches follow the writes.
 *
 * So: an int3 of the kernel's that nobody claims, at a place where no int3 is, is
 * the emulator's. The instruction that is there is run, and the log says so. One
 * that is there goes on to be reported.
 */
#include <linux/kdebug.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/ptrace.h>
#include <linux/uaccess.h>

#define INT3	0xcc

static int int3_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct die_args *args = data;
	unsigned long at = args->regs->ip - 1;
	u8 byte;

	if (event != DIE_INT3 || user_mode(args->regs) ||
	    copy_from_kernel_nofault(&byte, (void *)at, 1) || byte == INT3)
		return NOTIFY_DONE;
	args->regs->ip = at;
	pr_info("stale_int3: the emulator ran into a breakpoint that is gone, at %pS\n",
		(void *)at);
	return NOTIFY_STOP;
}

static struct notifier_block int3_nb = {
	.notifier_call = int3_event,
	.priority = INT_MIN,	/* whoever may own a breakpoint comes first */
};

static int __init stale_int3_init(void)
{
	return register_die_notifier(&int3_nb);
}
module_init(stale_int3_init);

MODULE_DESCRIPTION("guests under QEMU's TCG: pass over stale breakpoints");
MODULE_LICENSE("GPL");
