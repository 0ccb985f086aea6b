// SPDX-License-Identifier: GPL-2.0-only
/*
 * spots - kprobes between any two instructions of functions.
 *
 * A function is found by its name, as kprobes find it; the compiler may have made
 * a part of it with a suffix, or none at all.  Its size is in what the kernel
 * prints of an address.  Each offset that may begin an instruction is tried: behind
 * a probe the next one is known, elsewhere kprobes decode the function from its begin
 * and refuse what is none, and places that the kernel patches itself (static calls,
 * static keys).
 *
 * A probe with a post handler is not turned into a jump.  The jump would replace
 * several instructions, and its handler does not run between two of them.
 *
 * A place that is come to in the function called there, as by an NMI sent from
 * there, is passed over: kprobes do not nest.
 */
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "xsync_test_spots.h"

/* Where a probe costs much, so many bytes are passed over behind each, but for soak. */
#define SPOT_STEP	(IS_ENABLED(CONFIG_KASAN) && !xut_soak ? 40 : 0)

static int spot_hit(struct kprobe *kp, struct pt_regs *regs)
{
	struct spot *spot = container_of(kp, struct spot, kp);
	int n = atomic_inc_return(&spot->hits);

	if (n <= spot->set->limit || is_power_of_2(n))
		spot->set->hit(spot->set->arg);
	return 0;
}

NOKPROBE_SYMBOL(spot_hit);

static void spot_stepped(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

NOKPROBE_SYMBOL(spot_stepped);

bool spots_begin(struct xut *t, struct spots *s, unsigned int room)
{
	s->spot = kvcalloc(room, sizeof(*s->spot), GFP_KERNEL);
	s->room = room;
	return XUT_EXPECT(t, s->spot);
}

void spots_end(struct xut *t, struct spots *s)
{
	struct kprobe **kps = kvcalloc(s->nr + 1, sizeof(*kps), GFP_KERNEL);
	unsigned int i;

	xut_step(t, "probes go");
	if (XUT_EXPECT(t, kps)) {
		for (i = 0; i < s->nr; i++)
			kps[i] = &s->spot[i].kp;
		unregister_kprobes(kps, s->nr);
		kvfree(kps);
	}
	kvfree(s->spot);
}

/* By name or by address. */
static struct spot *spot_add(struct spots *s, const char *name, void *addr)
{
	struct spot *spot = &s->spot[s->nr];

	if (s->nr == s->room)
		return NULL;
	*spot = (struct spot) {
		.kp = {
			.symbol_name = name,
			.addr = addr,
			.pre_handler = spot_hit,
			.post_handler = spot_stepped,
		},
		.set = s,
	};
	if (register_kprobe(&spot->kp))
		return NULL;
	/* Was for registering. */
	spot->kp.symbol_name = NULL;
	s->nr++;
	return spot;
}

static struct spot *spot_add_first(struct spots *s, const char *function)
{
	static const char * const suffixes[] = { "", ".isra.0", ".constprop.0", ".part.0" };
	char name[KSYM_NAME_LEN];
	struct spot *spot = NULL;
	unsigned int i;

	for (i = 0; !spot && i < ARRAY_SIZE(suffixes); i++) {
		snprintf(name, sizeof(name), "%s%s", function, suffixes[i]);
		spot = spot_add(s, name, NULL);
	}
	return spot;
}

/* "function+0x4/0x123 [module]": the first is the instruction behind an endbr. */
static bool parse_place(const void *addr, unsigned int *offset, unsigned int *size)
{
	char text[KSYM_SYMBOL_LEN];
	const char *plus;

	sprint_symbol(text, (unsigned long)addr);
	plus = strrchr(text, '+');
	return plus && sscanf(plus, "+0x%x/0x%x", offset, size) == 2;
}

/*
 * "cs call", as calls of a retpoline are on x86, has six bytes; kprobes (seen in 6.12)
 * does such a call for the kernel and has it return to behind the fifth.
 */
static bool is_prefixed_call(const void *addr)
{
	return IS_ENABLED(CONFIG_X86_64) && !memcmp(addr, "\x2e\xe8", 2);
}

/* Probe what is there, if it can be.  Returns from where on to try next. */
static unsigned int spot_add_at(struct spots *s, void *first, unsigned int offset)
{
	struct spot *spot;

	if (is_prefixed_call(first + offset))
		return offset + 6;
	spot = spot_add(s, NULL, first + offset);
#ifdef CONFIG_X86
	if (spot)
		return offset + max_t(unsigned int, spot->kp.ainsn.size, SPOT_STEP);
#endif
	return offset + 1;
}

/**
 * spots_add - probe a function
 * @s: the set
 * @function: its name
 * @all: not only the first instruction
 *
 * Context: Task context, sleeps.
 * Return: at how many places; 0 if there is no such function.
 */
unsigned int spots_add(struct spots *s, const char *function, bool all)
{
	struct spot *spot = spot_add_first(s, function);
	unsigned int offset, size, before = s->nr - 1;
	void *first;

	if (!spot) {
		s->missing++;
		return 0;
	}
	s->functions++;
	first = spot->kp.addr;
	if (all && parse_place(first, &offset, &size))
		for (size -= offset, offset = 1; offset < size;)
			offset = spot_add_at(s, first, offset);
	return s->nr - before;
}

/**
 * spots_hit - how many places have been come to
 * @s: the set
 * @from: the first place to look at
 * @to: the one after the last
 *
 * Context: Any.
 * Return: the number.
 */
unsigned int spots_hit(const struct spots *s, unsigned int from, unsigned int to)
{
	unsigned int i, n = 0;

	for (i = from; i < to; i++)
		n += !!atomic_read(&s->spot[i].hits);
	return n;
}
