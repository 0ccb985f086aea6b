/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions whose bytes are known, see probed.S. */
#ifndef _PROBED_H
#define _PROBED_H

#define PROBED_STRIDE	16
#define PROBED_COUNT	5000
#define PROBED_RET	2

#ifndef __ASSEMBLER__
extern char probed_start[], probed_end[];
extern char odd_syscall[], odd_sysenter[], odd_int[], odd_pushf[], odd_rep[],
	    odd_xbegin[], odd_int3[], odd_lock[];
extern char odd_retimm[], odd_repret[], odd_bndret[];
#endif

#endif /* _PROBED_H */
