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
 *
 * The stale translation stays until somebody writes to what it was made of. In code
 * that is run all the time, a tracepoint in __schedule() say, that is for ever: the
 * byte is written over itself here.
 */
#include <linux/atomic.h>
#include <linux/kdebug.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/ptrace.h>
#include <linux/uaccess.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#define INT3	0xcc

static void set_cr0(unsigned long cr0)
{
	/* The kernel's own function refuses to clear X86_CR0_WP. */
	asm volatile("mov %0, %%cr0" : : "r" (cr0) : "memory");
}

/*
 * Interrupts are off; an NMI finds the text writable, too, and does not mind. Another
 * CPU may be changing the code again: then the byte is left alone.
 */
static void write_over_itself(u8 *at, u8 byte)
{
	unsigned long cr0 = native_read_cr0();

	set_cr0(cr0 & ~X86_CR0_WP);
	arch_cmpxchg(at, byte, byte);
	set_cr0(cr0);
}

static int int3_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct die_args *args = data;
	unsigned long at = args->regs->ip - 1;
	u8 byte;

	if (event != DIE_INT3 || user_mode(args->regs) ||
	    copy_from_kernel_nofault(&byte, (void *)at, 1) || byte == INT3)
		return NOTIFY_DONE;
	write_over_itself((u8 *)at, byte);
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
