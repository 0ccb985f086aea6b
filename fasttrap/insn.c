// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the first bytes of an instruction tell without decoding it.
 *
 * This is no decoder: whether an address is an instruction boundary at all is
 * for the caller to know. It refuses what uprobes would accept and then run
 * wrongly, as far as the opcode shows it:
 *
 *   syscall, sysenter, int   the kernel sees the address of the copy
 *   pushf                    shows the trap flag of the single step
 *   rep string instructions  one hit per repetition
 *   xbegin                   its fallback address is relative, and not fixed up
 *
 * and what uprobes refuses itself, which costs the worker 50 ms each on 6.12:
 * a lock, cs, ds, es or ss prefix.
 *
 * Return instructions are ret, ret imm16 and both with a rep or bnd prefix.
 */
#include "insn.h"

#define FT_BREAKPOINT	0xcc

static bool ft_is_refused_prefix(u8 byte)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:	/* segments, hints */
	case 0xf0:					/* lock */
		return true;
	}
	return false;
}

static bool ft_is_prefix(u8 byte)
{
	switch (byte) {
	case 0x64: case 0x65:				/* segments */
	case 0x66: case 0x67:				/* sizes */
	case 0xf2: case 0xf3:				/* repeat */
		return true;
	}
	return byte >= 0x40 && byte <= 0x4f;		/* REX */
}

static bool ft_is_string(u8 opcode)
{
	switch (opcode) {
	case 0x6c ... 0x6f:	/* ins, outs */
	case 0xa4 ... 0xa7:	/* movs, cmps */
	case 0xaa ... 0xaf:	/* stos, lods, scas */
		return true;
	}
	return false;
}

static bool ft_is_return(const u8 *insn, unsigned int len)
{
	if (len >= 2 && (insn[0] == 0xf2 || insn[0] == 0xf3)) {
		insn++;
		len--;
	}
	return (len >= 1 && insn[0] == 0xc3) || (len >= 3 && insn[0] == 0xc2);
}

static bool ft_is_unsupported(const u8 *insn, unsigned int len)
{
	bool repeat = false;
	unsigned int i;

	for (i = 0; i < len && ft_is_prefix(insn[i]); i++)
		repeat |= insn[i] == 0xf2 || insn[i] == 0xf3;
	if (i == len)
		return true;	/* longer than anything that is of use */
	if (ft_is_refused_prefix(insn[i]))
		return true;

	switch (insn[i]) {
	case 0x9c:		/* pushf */
	case 0xcd:		/* int */
		return true;
	case 0x0f:		/* syscall, sysenter */
		return i + 1 == len || insn[i + 1] == 0x05 || insn[i + 1] == 0x34;
	case 0xc7:		/* xbegin */
		return i + 1 == len || insn[i + 1] == 0xf8;
	}
	return repeat && ft_is_string(insn[i]);
}

bool ft_insn_is_breakpoint(const u8 *insn)
{
	return insn[0] == FT_BREAKPOINT;
}

/* @insn: the original bytes, @len of them could be read. */
enum xfasttrap_reason ft_insn_check(const u8 *insn, unsigned int len,
				    enum xfasttrap_kind kind)
{
	if (ft_insn_is_breakpoint(insn))
		return XFASTTRAP_FOREIGN_BREAKPOINT;
	if (kind == XFASTTRAP_RETURN)
		return ft_is_return(insn, len) ? XFASTTRAP_OK : XFASTTRAP_NOT_A_RETURN;
	return ft_is_unsupported(insn, len) ? XFASTTRAP_UNSUPPORTED : XFASTTRAP_OK;
}

/*
 * Is @byte, read where @insn was, what uprobes puts there? Since 6.18 a long nop
 * that was hit becomes a call into the kernel, so its first byte is not a
 * breakpoint for long.
 */
bool ft_insn_armed(const u8 *insn, u8 byte)
{
	if (byte == FT_BREAKPOINT)
		return true;
	return byte != insn[0] && (insn[0] == 0x0f || insn[0] == 0x66);
}
