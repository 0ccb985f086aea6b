/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * victim-32 - a 32-bit program: exit(0)
 */
	.globl	_start
_start:
	movl	$1, %eax
	xorl	%ebx, %ebx
	int	$0x80

	.section .note.GNU-stack, "", @progbits
