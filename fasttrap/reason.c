// SPDX-License-Identifier: GPL-2.0-only
/* Why a probe was refused, in words and as an errno. */
#include <linux/array_size.h>
#include <linux/errno.h>
#include <linux/export.h>
#include "reason.h"

static const struct {
	int error;
	const char *text;
} ft_reasons[XFASTTRAP_NR_REASONS] = {
	[XFASTTRAP_OK] = {
		0, "enabled" },
	[XFASTTRAP_BAD_SPEC] = {
		-EINVAL, "the address is outside the function, or not where this kind sits" },
	[XFASTTRAP_NOT_MAPPED] = {
		-EFAULT, "nothing is mapped at the address" },
	[XFASTTRAP_NOT_TEXT] = {
		-EACCES, "not a private mapping of executable file pages" },
	[XFASTTRAP_NOT_A_RETURN] = {
		-EILSEQ, "no return instruction at the address" },
	[XFASTTRAP_FOREIGN_BREAKPOINT] = {
		-EEXIST, "another tracer's or debugger's breakpoint is there" },
	[XFASTTRAP_UNSUPPORTED] = {
		-EOPNOTSUPP, "uprobes cannot run this instruction elsewhere" },
	[XFASTTRAP_NO_MEMORY] = {
		-ENOMEM, "out of memory, in the kernel or in the target's memory cgroup" },
	[XFASTTRAP_TARGET_GONE] = {
		-ESRCH, "the process exited or called exec" },
	[XFASTTRAP_LIMIT] = {
		-ENOSPC, "limit reached: see the parameters max_* of the module" },
	[XFASTTRAP_NOT_INSTALLED] = {
		-EIO, "the breakpoint did not appear in the target" },
	[XFASTTRAP_ABORTED] = {
		-ECANCELED, "not tried: the pass over the set ended before" },
};

int ft_reason_errno(enum xfasttrap_reason reason)
{
	return ft_reasons[reason].error;
}

const char *xfasttrap_reason_text(enum xfasttrap_reason reason)
{
	if ((unsigned int)reason >= XFASTTRAP_NR_REASONS)
		return "unknown reason";
	return ft_reasons[reason].text;
}
EXPORT_SYMBOL_GPL(xfasttrap_reason_text);
