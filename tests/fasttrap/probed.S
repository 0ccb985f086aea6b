/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions whose bytes are known: PROBED_COUNT equal ones, PROBED_STRIDE apart,
 * with one instruction that uprobes emulates, one that it steps, and the return
 * at PROBED_RET; then what it must not be let near, which is never called, and
 * the other forms of a return.
 */
#include "probed.h"

	.section .text.probed, "ax", @progbits
	.globl	probed_start, probed_end
	.globl	odd_syscall, odd_sysenter, odd_int, odd_pushf, odd_rep, odd_xbegin
	.globl	odd_int3, odd_lock, odd_retimm, odd_repret, odd_bndret

	.balign	4096
probed_start:
	.rept	PROBED_COUNT
	.balign	PROBED_STRIDE
	push	%rbp
	pop	%rbp
	ret
	.endr

	.balign	PROBED_STRIDE
odd_syscall:	syscall
		ret
odd_sysenter:	sysenter
		ret
odd_int:	int	$0x80
		ret
odd_pushf:	pushf
		popf
		ret
odd_rep:	rep movsb
		ret
odd_xbegin:	.byte	0xc7, 0xf8, 0, 0, 0, 0
		ret
odd_int3:	int3
		ret
odd_lock:	lock incl (%rax)
		ret
odd_retimm:	ret	$0
odd_repret:	rep ret
odd_bndret:	.byte	0xf2, 0xc3
	.balign	4096
probed_end:
	.section .note.GNU-stack, "", @progbits
