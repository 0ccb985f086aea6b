/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory in any context but NMI, as far as there is a way to it.
 *
 * On PREEMPT_RT the slab takes locks that sleep.  Elsewhere it is legal down to hard
 * interrupts; but lockdep with PROVE_RAW_LOCK_NESTING judges by what PREEMPT_RT would
 * do.  DEFINE_WAIT_OVERRIDE_MAP(), which tells it that this is none, came with 6.4 (commit
 * 0cce06ba859a) and to the stable series; before, such an allocation is reported there.
 */
#ifndef _XSYNC_COMPAT_SLAB_H
#define _XSYNC_COMPAT_SLAB_H

#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/slab.h>

#ifndef DEFINE_WAIT_OVERRIDE_MAP
#define DEFINE_WAIT_OVERRIDE_MAP(name, type)	struct lockdep_map __maybe_unused name = {}
#undef lock_map_acquire_try
#define lock_map_acquire_try(map)		((void)(map))
#define xsync_slab_release(map)			((void)(map))
#else
#define xsync_slab_release(map)			lock_map_release(map)
#endif

/* NULL: there is none at once, or no way to it. */
static inline void *xsync_kmalloc_nowait(size_t size)
{
	static DEFINE_WAIT_OVERRIDE_MAP(xsync_slab_map, LD_WAIT_CONFIG);
	void *p;

	if (IS_ENABLED(CONFIG_PREEMPT_RT) && !preemptible())
		return NULL;
	lock_map_acquire_try(&xsync_slab_map);
	p = kmalloc(size, GFP_NOWAIT | __GFP_NOWARN);
	xsync_slab_release(&xsync_slab_map);
	return p;
}

#endif /* _XSYNC_COMPAT_SLAB_H */
