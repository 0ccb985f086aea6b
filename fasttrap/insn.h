/* SPDX-License-Identifier: GPL-2.0-only */
/* What the first bytes of an instruction tell without decoding it. */
#ifndef _FASTTRAP_INSN_H
#define _FASTTRAP_INSN_H

#include <linux/types.h>
#include "fasttrap.h"

/* Enough for every prefix that is looked behind, and an opcode. */
#define FT_INSN_BYTES	8

enum xfasttrap_reason ft_insn_check(const u8 *insn, unsigned int len,
				    enum xfasttrap_kind kind);
bool ft_insn_is_breakpoint(const u8 *insn);
bool ft_insn_armed(const u8 *insn, u8 byte);

#endif /* _FASTTRAP_INSN_H */
