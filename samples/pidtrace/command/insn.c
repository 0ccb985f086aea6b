// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * insn - instructions of a function, and which of them can be probed
 *
 * A probe replaces an instruction by a breakpoint and executes a copy of it
 * elsewhere. That is wrong for instructions that look at where they are or are
 * looked at while they run: see insn_judge().
 *
 * Return instructions are found by decoding from the first byte of a function
 * to its last. That is right only if there is nothing but instructions, which
 * cannot be proved, but four things give data away: bytes that are no
 * instruction, a last instruction that is cut off, a branch of the function
 * into the middle of what was decoded, and another function's start inside
 * this one. The last is for the caller to see.
 */
#include <stdlib.h>
#include <Zydis/Zydis.h>

#include "insn.h"
#include "util.h"

static const struct {
	const char *brief;
	const char *text;
} refusals[NR_REFUSALS] = {
	[REFUSE_NONE] = { "none",
		"not refused" },
	[REFUSE_UNDECODABLE] = { "no instruction",
		"the bytes there are no instruction" },
	[REFUSE_SYSCALL] = { "syscall",
		"a system call instruction would return to the wrong place" },
	[REFUSE_INTERRUPT] = { "interrupt",
		"an interrupt instruction would report the wrong place" },
	[REFUSE_REP_STRING] = { "rep string",
		"a repeated string instruction would hit once for every repetition" },
	[REFUSE_FLAGS] = { "pushf/popf",
		"the flags that it moves would contain the tracer's trap flag" },
	[REFUSE_TRANSACTION] = { "transaction",
		"a memory transaction would not find its fallback path" },
	[REFUSE_FAR] = { "far jump",
		"far jumps, far calls and interrupt returns change the code segment" },
	[REFUSE_PRIVILEGED] = { "privileged",
		"the instruction is for the kernel or for devices" },
	[REFUSE_PREFIX] = { "prefix",
		"uprobes takes no LOCK prefix and no CS, DS, ES or SS prefix" },
	[REFUSE_SHADOW_STACK] = { "shadow stack",
		"uprobes would not put that call on the shadow stack of the process" },
	[REFUSE_RSEQ] = { "rseq",
		"it is part of a restartable sequence" },
	[REFUSE_BOUNDARY] = { "not an instruction",
		"no instruction starts at that offset; see objdump -d" },
	[REFUSE_OUTSIDE] = { "outside",
		"the offset is beyond the end of the function" },
	[REFUSE_DATA] = { "data in code",
		"it has bytes that are no instructions, so its returns cannot be told" },
	[REFUSE_RUNS_OVER] = { "cut off",
		"its last instruction goes beyond its end, so it is not what it seems" },
	[REFUSE_INTO_MIDDLE] = { "jump into instruction",
		"it jumps into the middle of an instruction, so its returns cannot be told" },
	[REFUSE_OVERLAP] = { "overlap",
		"another function starts inside it, so its returns cannot be told apart" },
	[REFUSE_LONGER] = { "longer",
		"unwind data says that it goes on behind its end, so returns may be missed" },
	[REFUSE_NOT_IN_FILE] = { "not in file",
		"its code is not in the file" },
	[REFUSE_INDIRECT] = { "indirect",
		"an IFUNC stands for one of several functions; for memcpy, try __memcpy_*" },
	[REFUSE_KERNEL] = { "by the kernel",
		"the kernel did not take it" },
};

const char *refusal_short(enum refusal why)
{
	return refusals[why].brief;
}

const char *refusal_text(enum refusal why)
{
	return refusals[why].text;
}

static const ZydisDecoder *decoder(void)
{
	static ZydisDecoder d;
	static bool ready;

	if (!ready) {
		ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
		ready = true;
	}
	return &d;
}

static ZyanStatus decode(const uint8_t *code, size_t size, ZydisDecodedInstruction *insn)
{
	return ZydisDecoderDecodeInstruction(decoder(), NULL, code, size, insn);
}

static bool is_near_return(const ZydisDecodedInstruction *insn)
{
	return insn->meta.category == ZYDIS_CATEGORY_RET &&
	       insn->meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR;
}

/*
 * Zydis does not count a prefix that has no effect as an attribute, for example
 * CS in front of a nop, but uprobes looks at bytes.
 */
static bool has_bad_prefix(const ZydisDecodedInstruction *insn)
{
	for (int i = 0; i < insn->raw.prefix_count; i++) {
		switch (insn->raw.prefixes[i].value) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0xf0:
			return true;
		}
	}
	return false;
}

static bool has_repeat(const ZydisDecodedInstruction *insn)
{
	return insn->attributes &
	       (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
}

static enum refusal judge_decoded(const ZydisDecodedInstruction *insn, bool shadow_stack)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_PUSHF:
	case ZYDIS_MNEMONIC_PUSHFD:
	case ZYDIS_MNEMONIC_PUSHFQ:
	case ZYDIS_MNEMONIC_POPF:
	case ZYDIS_MNEMONIC_POPFD:
	case ZYDIS_MNEMONIC_POPFQ:
		return REFUSE_FLAGS;
	case ZYDIS_MNEMONIC_XBEGIN:
	case ZYDIS_MNEMONIC_XABORT:
	case ZYDIS_MNEMONIC_XEND:
		return REFUSE_TRANSACTION;
	case ZYDIS_MNEMONIC_IRET:
	case ZYDIS_MNEMONIC_IRETD:
	case ZYDIS_MNEMONIC_IRETQ:
		return REFUSE_FAR;
	case ZYDIS_MNEMONIC_CLI:
	case ZYDIS_MNEMONIC_STI:
	case ZYDIS_MNEMONIC_HLT:
	case ZYDIS_MNEMONIC_IN:
	case ZYDIS_MNEMONIC_OUT:
		return REFUSE_PRIVILEGED;
	default:
		break;
	}
	switch (insn->meta.category) {
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSRET:
		return REFUSE_SYSCALL;
	case ZYDIS_CATEGORY_INTERRUPT:
		return REFUSE_INTERRUPT;
	case ZYDIS_CATEGORY_IOSTRINGOP:
		return REFUSE_PRIVILEGED;
	case ZYDIS_CATEGORY_STRINGOP:
		if (has_repeat(insn))
			return REFUSE_REP_STRING;
		break;
	default:
		break;
	}
	if (insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
		return REFUSE_FAR;
	if (insn->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED)
		return REFUSE_PRIVILEGED;
	if (has_bad_prefix(insn))
		return REFUSE_PREFIX;
	if (shadow_stack && insn->meta.category == ZYDIS_CATEGORY_CALL)
		return REFUSE_SHADOW_STACK;
	return REFUSE_NONE;
}

enum refusal insn_judge(const uint8_t *code, size_t size, bool shadow_stack)
{
	ZydisDecodedInstruction insn;

	if (!ZYAN_SUCCESS(decode(code, size, &insn)))
		return REFUSE_UNDECODABLE;
	return judge_decoded(&insn, shadow_stack);
}

static void append(uint32_t **array, size_t *nr, size_t *cap, uint32_t value)
{
	*array = array_grow(*array, *nr, cap, sizeof(**array));
	(*array)[(*nr)++] = value;
}

static void add_target(struct listing *list, const ZydisDecodedInstruction *insn,
		       size_t at, size_t size)
{
	int64_t to;

	if (insn->meta.branch_type == ZYDIS_BRANCH_TYPE_NONE || !insn->raw.imm[0].size ||
	    !insn->raw.imm[0].is_relative)
		return;
	to = (int64_t)(at + insn->length) + insn->raw.imm[0].value.s;
	if (to >= 0 && (uint64_t)to < size)
		append(&list->target, &list->nr_targets, &list->cap_targets, to);
}

/* A branch may skip a LOCK prefix: what it reaches is an instruction too. */
static bool is_reachable(const struct listing *list, const uint8_t *code, uint32_t target)
{
	if (listing_is_boundary(list, target))
		return true;
	return target && code[target - 1] == 0xf0 && listing_is_boundary(list, target - 1);
}

static void check_targets(struct listing *list, const uint8_t *code)
{
	for (size_t i = 0; i < list->nr_targets; i++) {
		if (is_reachable(list, code, list->target[i]))
			continue;
		list->why = REFUSE_INTO_MIDDLE;
		list->where = list->target[i];
		return;
	}
}

void listing_make(struct listing *list, const uint8_t *code, size_t size)
{
	ZydisDecodedInstruction insn;
	size_t at;

	list->nr = 0;
	list->nr_rets = 0;
	list->nr_targets = 0;
	list->why = REFUSE_NONE;
	for (at = 0; at < size; at += insn.length) {
		ZyanStatus status = decode(code + at, size - at, &insn);

		if (!ZYAN_SUCCESS(status)) {
			list->why = status == ZYDIS_STATUS_NO_MORE_DATA ?
				    REFUSE_RUNS_OVER : REFUSE_DATA;
			list->where = at;
			return;
		}
		append(&list->boundary, &list->nr, &list->cap, at);
		if (is_near_return(&insn))
			append(&list->ret, &list->nr_rets, &list->cap_rets, at);
		add_target(list, &insn, at, size);
	}
	check_targets(list, code);
}

void listing_free(struct listing *list)
{
	free(list->boundary);
	free(list->ret);
	free(list->target);
	*list = (struct listing){ 0 };
}

bool listing_is_boundary(const struct listing *list, uint64_t offset)
{
	size_t low = 0, high = list->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list->boundary[mid] < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low < list->nr && list->boundary[low] == offset;
}
