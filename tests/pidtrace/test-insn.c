// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-insn - which instructions are refused, and when returns cannot be told
 *
 * Whole libraries are compared elsewhere; these are the cases that libraries
 * do not have.
 */
#include <stdint.h>
#include <stdlib.h>

#include "insn.h"
#include "ktap.h"
#include "symbols.h"

static void make(struct listing *list, const char *hex)
{
	uint8_t code[64];
	size_t n = 0;
	int at;

	for (; sscanf(hex, "%2hhx%n", &code[n], &at) == 1; hex += at)
		n++;
	listing_make(list, code, n);
}

static void judged(void)
{
	static const struct {
		const char *what;
		uint8_t code[15];
		enum refusal why;
	} t[] = {
		{ "endbr64", { 0xf3, 0x0f, 0x1e, 0xfa }, REFUSE_NONE },
		{ "push %rbp", { 0x55 }, REFUSE_NONE },
		{ "sub $8,%rsp", { 0x48, 0x83, 0xec, 0x08 }, REFUSE_NONE },
		{ "mov 0x10(%rip),%rax", { 0x48, 0x8b, 0x05, 0x10 }, REFUSE_NONE },
		{ "mov %fs:0x28,%rax", { 0x64, 0x48, 0x8b, 0x04, 0x25, 0x28 }, REFUSE_NONE },
		{ "jmp", { 0xe9, 0x10 }, REFUSE_NONE },
		{ "ret", { 0xc3 }, REFUSE_NONE },
		{ "ret $8", { 0xc2, 0x08 }, REFUSE_NONE },
		{ "rep ret", { 0xf3, 0xc3 }, REFUSE_NONE },
		{ "bnd ret", { 0xf2, 0xc3 }, REFUSE_NONE },
		{ "movsb", { 0xa4 }, REFUSE_NONE },
		{ "vzeroupper", { 0xc5, 0xf8, 0x77 }, REFUSE_NONE },
		{ "rdtsc", { 0x0f, 0x31 }, REFUSE_NONE },
		{ "syscall", { 0x0f, 0x05 }, REFUSE_SYSCALL },
		{ "sysenter", { 0x0f, 0x34 }, REFUSE_SYSCALL },
		{ "int3", { 0xcc }, REFUSE_INTERRUPT },
		{ "int $0x80", { 0xcd, 0x80 }, REFUSE_INTERRUPT },
		{ "int1", { 0xf1 }, REFUSE_INTERRUPT },
		{ "rep movsb", { 0xf3, 0xa4 }, REFUSE_REP_STRING },
		{ "rep stosq", { 0xf3, 0x48, 0xab }, REFUSE_REP_STRING },
		{ "repne scasb", { 0xf2, 0xae }, REFUSE_REP_STRING },
		{ "repe cmpsb", { 0xf3, 0xa6 }, REFUSE_REP_STRING },
		{ "pushf", { 0x9c }, REFUSE_FLAGS },
		{ "popf", { 0x9d }, REFUSE_FLAGS },
		{ "xbegin", { 0xc7, 0xf8, 0x10 }, REFUSE_TRANSACTION },
		{ "xabort $1", { 0xc6, 0xf8, 0x01 }, REFUSE_TRANSACTION },
		{ "xend", { 0x0f, 0x01, 0xd5 }, REFUSE_TRANSACTION },
		{ "ljmp *(%rax)", { 0xff, 0x28 }, REFUSE_FAR },
		{ "lcall *(%rax)", { 0xff, 0x18 }, REFUSE_FAR },
		{ "lret", { 0xcb }, REFUSE_FAR },
		{ "iretq", { 0x48, 0xcf }, REFUSE_FAR },
		{ "hlt", { 0xf4 }, REFUSE_PRIVILEGED },
		{ "in (%dx),%al", { 0xec }, REFUSE_PRIVILEGED },
		{ "rep outsb", { 0xf3, 0x6e }, REFUSE_PRIVILEGED },
		{ "cli", { 0xfa }, REFUSE_PRIVILEGED },
		{ "wrmsr", { 0x0f, 0x30 }, REFUSE_PRIVILEGED },
		{ "lock cmpxchg %rcx,(%rdx)", { 0xf0, 0x48, 0x0f, 0xb1, 0x0a }, REFUSE_PREFIX },
		{ "lock orl $0,(%rsp)", { 0xf0, 0x83, 0x0c, 0x24, 0x00 }, REFUSE_PREFIX },
		{ "notrack jmp *%rax", { 0x3e, 0xff, 0xe0 }, REFUSE_PREFIX },
		{ "cs nop", { 0x2e, 0x66, 0x0f, 0x1f, 0x84 }, REFUSE_PREFIX },
		{ "push %es: not in 64-bit mode", { 0x06 }, REFUSE_UNDECODABLE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		for (int shadow_stack = 0; shadow_stack < 2; shadow_stack++) {
			enum refusal why = insn_judge(t[i].code, sizeof(t[i].code), shadow_stack);

			expect(why == t[i].why, "%s: %s", t[i].what, refusal_short(why));
		}
	}
	expect(insn_judge((const uint8_t *)"\x48", 1, false) == REFUSE_UNDECODABLE, "a prefix");
}

static void calls(void)
{
	static const struct {
		const char *what;
		uint8_t code[15];
	} t[] = {
		{ "call", { 0xe8, 0x10 } },
		{ "call *%rax", { 0xff, 0xd0 } },
		{ "call *0x10(%rip)", { 0xff, 0x15, 0x10 } },
		{ "bnd call", { 0xf2, 0xe8, 0x10 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		expect(insn_judge(t[i].code, sizeof(t[i].code), false) == REFUSE_NONE, "%s",
		       t[i].what);
		expect(insn_judge(t[i].code, sizeof(t[i].code), true) == REFUSE_SHADOW_STACK, "%s",
		       t[i].what);
	}
}

static void all_returns(void)
{
	struct listing list = { 0 };

	make(&list, "55 c3 f3 c3 c2 08 00 f2 c3 cb");
	expect(!list.why && list.nr == 6, "%zu instructions", list.nr);
	expect(list.nr_rets == 4 && list.ret[0] == 1 && list.ret[1] == 2 && list.ret[2] == 4 &&
	       list.ret[3] == 7, "%zu returns", list.nr_rets);
	expect(listing_is_boundary(&list, 4) && !listing_is_boundary(&list, 5));

	/* mov $0xc3c3c3c3,%eax has no return in it */
	make(&list, "b8 c3 c3 c3 c3 90");
	expect(!list.why && !list.nr_rets && !listing_is_boundary(&list, 1));
	listing_free(&list);
}

static void untrustworthy(void)
{
	struct listing list = { 0 };

	make(&list, "90 06 90 c3 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
	expect(list.why == REFUSE_DATA && list.where == 1, "%s", refusal_short(list.why));
	make(&list, "90 e9 00 00");
	expect(list.why == REFUSE_RUNS_OVER && list.where == 1, "%s", refusal_short(list.why));
	/* jmp into the mov */
	make(&list, "eb 01 b8 c3 00 00 00 c3");
	expect(list.why == REFUSE_INTO_MIDDLE && list.where == 3, "%s", refusal_short(list.why));
	/* je behind a LOCK prefix, as in "lock; cmpxchg" for several CPUs only */
	make(&list, "74 01 f0 48 0f b1 0a c3");
	expect(!list.why && list.nr_rets == 1, "%s", refusal_short(list.why));
	/* a jump out of the function says nothing about it */
	make(&list, "eb 70 c3");
	expect(!list.why);
	listing_free(&list);
}

static void ranges(void)
{
	struct ranges r = { 0 };

	ranges_add(&r, 100, 10);
	ranges_add(&r, 10, 10);
	ranges_add(&r, 50, 0);
	ranges_add(&r, UINT64_MAX - 1, 10);
	ranges_sort(&r);
	expect(r.nr == 2, "%zu", r.nr);
	expect(!ranges_find(&r, 9) && ranges_find(&r, 10) && ranges_find(&r, 19) &&
	       !ranges_find(&r, 20) && ranges_find(&r, 105) && !ranges_find(&r, UINT64_MAX));
	free(r.r);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{ "instructions that are refused", judged },
		{ "calls, with and without a shadow stack", calls },
		{ "returns in all spellings", all_returns },
		{ "functions whose returns cannot be told", untrustworthy },
		{ "address ranges", ranges },
	};

	return ktap_run(cases, ARRAY_SIZE(cases));
}
