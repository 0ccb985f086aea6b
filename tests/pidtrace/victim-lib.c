// SPDX-License-Identifier: GPL-2.0-only
/*
 * victim-lib - a library with symbols of all kinds
 */
#include <string.h>
#include <unistd.h>

int victim_global(int n);
int victim_alias(int n) __attribute__((alias("victim_global")));
int victim_weak(int n) __attribute__((weak, alias("victim_global")));
int __victim_alias(int n) __attribute__((alias("victim_global")));
int victim_data[4] = { 1, 2, 3, 4 };

__attribute__((constructor)) static void construct(void)
{
	static const char text[] = "constructor of the library\n";

	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		victim_data[0] = 0;
}

__attribute__((noinline)) static int victim_static(int n)
{
	return n * victim_data[n & 3] + 1;
}

int victim_global(int n)
{
	return n + 1 + (n > 1000 ? victim_static(n) : 0);
}

/* No unwind data and no size: only the next symbol bounds it. */
__asm__(".text\n.globl victim_bare\n.type victim_bare,@function\n"
	"victim_bare: nop\n ret\n"
	".globl victim_after_bare\n.type victim_after_bare,@function\n"
	"victim_after_bare: ret\n.size victim_after_bare, . - victim_after_bare\n");

/* Unwind data, no size. */
__asm__(".text\n.globl victim_unsized\n.type victim_unsized,@function\n"
	"victim_unsized: .cfi_startproc\n nop\n nop\n ret\n .cfi_endproc\n nop\n nop\n");

/* Another function starts in the middle. */
__asm__(".text\n.globl victim_outer\n.type victim_outer,@function\n"
	"victim_outer: nop\n"
	".globl victim_inner\n.type victim_inner,@function\n"
	"victim_inner: nop\n ret\n.size victim_inner, . - victim_inner\n"
	".size victim_outer, . - victim_outer\n");

static int chosen(int n)
{
	return n;
}

static int (*choose(void))(int)
{
	return chosen;
}

int victim_indirect(int n) __attribute__((ifunc("choose")));
