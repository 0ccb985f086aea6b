/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * victim-rseq - a restartable sequence: the second and the third instruction
 */
	.text
	.globl	sequence
	.type	sequence, @function
sequence:
	nop
1:	movl	%edi, (%rsi)
	addl	$1, (%rsi)
2:	ret
3:	ret
	.size	sequence, . - sequence

	.section __rseq_cs, "aw"
	.balign	32
	.long	0, 0
	.quad	1b, 2b - 1b, 3b

	.section .note.GNU-stack, "", @progbits
