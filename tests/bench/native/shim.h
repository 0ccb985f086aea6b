/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What <xsync/xsync.h> needs of the kernel, in user space: for x86-64 the same
 * instructions, with %fs and a thread's variables where the kernel has %gs and a
 * CPU's.  As in the kernel a per-CPU pointer is an offset.
 */
#ifndef _BENCH_SHIM_H
#define _BENCH_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>

typedef uint64_t u64;

#define __percpu
#define __must_check
#define ____cacheline_aligned_in_smp	__attribute__((aligned(64)))
#define noinline			__attribute__((noinline))
#define READ_ONCE(x)			(*(const volatile typeof(x) *)&(x))

struct llist_node {
	struct llist_node *next;
};

struct lock_class_key {
};

struct lockdep_map {
};

static __always_inline void barrier(void)
{
	asm volatile("" : : : "memory");
}

/* What the kernel has for it. */
static __always_inline void smp_mb(void)
{
	asm volatile("lock addl $0, -4(%%rsp)" : : : "memory", "cc");
}

/* The offset of a thread's own variable. */
static inline void *bench_percpu(void *variable)
{
	return (void *)((char *)variable - (char *)__builtin_thread_pointer());
}

#define this_cpu_inc(var)						\
({									\
	asm volatile("incq %%fs:%0" : "+m"(var) : : "cc");		\
})

#define this_cpu_add(var, n)						\
({									\
	asm volatile("addq %1, %%fs:%0" : "+m"(var) : "re"(n) : "cc");	\
})

#define this_cpu_read(var)						\
({									\
	typeof(var) __value;						\
									\
	asm volatile("mov %%fs:%1, %0" : "=r"(__value) : "m"(var));	\
	__value;							\
})

/* As with CONFIG_PREEMPTION: leaving looks whether to schedule; it never has to. */
extern __thread int bench_preempt_count;

static __always_inline void preempt_disable_notrace(void)
{
	asm volatile("incl %%fs:%0" : "+m"(*(int *)bench_percpu(&bench_preempt_count)) : : "cc");
	barrier();
}

static __always_inline void preempt_enable_notrace(void)
{
	bool zero;

	barrier();
	asm volatile("decl %%fs:%1"
		     : "=@cce"(zero), "+m"(*(int *)bench_percpu(&bench_preempt_count)));
	if (__builtin_expect(zero, 0))
		__builtin_trap();
}

/* Only compared in debugging kernels, so the compiler may drop it here as there. */
static inline unsigned int raw_smp_processor_id(void)
{
	return 0;
}

#endif /* _BENCH_SHIM_H */
