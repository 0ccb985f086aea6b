// SPDX-License-Identifier: GPL-2.0-only
/*
 * nmi - send an NMI to the own CPU through its local APIC.
 *
 * No kernel function that modules may call sends one, so this writes the
 * interrupt command register: through the register page in xAPIC mode, through
 * the MSR in x2APIC mode.  The destination is the CPU's own physical id; the
 * "self" shorthand is for fixed interrupts only.
 *
 * What to run is in a per-CPU slot.  The handler takes the slot with xchg(), so
 * an NMI of somebody else's runs it at most once, and the one sent here, when
 * it comes after all, finds nothing and leaves the NMI to other handlers; the
 * slot is filled and watched with preemption off.
 */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <asm/apicdef.h>
#include <asm/cpufeature.h>
#include <asm/nmi.h>
#include <xsync/compat/msr.h>
#include "context.h"

#define XUT_NMI_PATIENCE_US	1000000

struct xut_nmi {
	void (*fn)(void *arg);
	void *arg;
};

static DEFINE_PER_CPU(struct xut_nmi *, xut_nmi_slot);
static void __iomem *xut_apic;

static int xut_nmi_handler(unsigned int cmd, struct pt_regs *regs)
{
	struct xut_nmi *nmi = this_cpu_xchg(xut_nmi_slot, NULL);

	if (!nmi)
		return NMI_DONE;
	nmi->fn(nmi->arg);
	smp_store_release(&nmi->fn, NULL);	/* with what it did, to who waits */
	return NMI_HANDLED;
}

static bool xut_apic_is_x2(void)
{
	u64 base;

	rdmsrq(MSR_IA32_APICBASE, base);
	return base & X2APIC_ENABLE;
}

static void xut_nmi_send(void)
{
	unsigned long flags;
	u64 id;

	/* Nobody may use the two halves of the register in between. */
	local_irq_save(flags);
	if (xut_apic_is_x2()) {
		rdmsrq(APIC_BASE_MSR + (APIC_ID >> 4), id);
		wrmsrq(APIC_BASE_MSR + (APIC_ICR >> 4), id << 32 | APIC_DM_NMI);
	} else {
		id = readl(xut_apic + APIC_ID) & 0xff000000;
		writel(id, xut_apic + APIC_ICR2);
		writel(APIC_DM_NMI, xut_apic + APIC_ICR);
	}
	local_irq_restore(flags);
}

int xut_nmi_self(void (*fn)(void *arg), void *arg)
{
	struct xut_nmi nmi = { .fn = fn, .arg = arg };
	int patience = XUT_NMI_PATIENCE_US;
	int err = 0;

	if (!xut_apic)
		return -EOPNOTSUPP;

	preempt_disable();
	this_cpu_write(xut_nmi_slot, &nmi);
	xut_nmi_send();
	/* Pairs with the handler. */
	while (smp_load_acquire(&nmi.fn) && patience--)
		udelay(1);
	/* An NMI that comes now finds the slot empty. */
	if (this_cpu_xchg(xut_nmi_slot, NULL))
		err = -ETIMEDOUT;
	preempt_enable();
	return err;
}
EXPORT_SYMBOL_GPL(xut_nmi_self);

int xut_nmi_init(void)
{
	u64 base;
	int err;

	if (!boot_cpu_has(X86_FEATURE_APIC))
		return 0;

	rdmsrq(MSR_IA32_APICBASE, base);
	if (!(base & MSR_IA32_APICBASE_ENABLE))
		return 0;
	err = register_nmi_handler(NMI_LOCAL, xut_nmi_handler, 0, "xut");
	if (err)
		return err;
	xut_apic = ioremap(base & MSR_IA32_APICBASE_BASE, PAGE_SIZE);
	if (!xut_apic) {
		unregister_nmi_handler(NMI_LOCAL, "xut");
		return -ENOMEM;
	}
	return 0;
}

void xut_nmi_exit(void)
{
	if (!xut_apic)
		return;
	unregister_nmi_handler(NMI_LOCAL, "xut");
	iounmap(xut_apic);
}
