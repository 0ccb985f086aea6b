// SPDX-License-Identifier: GPL-2.0-only
/*
 * interrupts - how many interrupts CPUs have taken.
 *
 * The kernel counts them per architecture, in places that modules cannot reach
 * everywhere; what every one of them has is /proc/interrupts.  It is read from
 * within so that the threads of a piece of work are there already and have not
 * been told to begin: what starting them takes is not in the count.  Kernel threads
 * may have another root, so whoever asked for the work opens the file.
 *
 * The columns of the file are the online CPUs; a benchmark takes none offline, and
 * so a column is a CPU.
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "bench.h"

#define TEXT_SIZE	(256 * 1024)

/* As the file calls them; no architecture has to have all of them. */
static const char *const bench_irq_names[] = {
	"CAL:",	/* function calls */
	"RES:",	/* rescheduling */
	"IWI:",	/* irq_work, sent by a CPU to itself */
	"LOC:",	/* the CPU's own timer */
};

static ssize_t read_whole(struct file *file, char *text, size_t size)
{
	size_t used = 0;
	loff_t at = 0;
	ssize_t got;

	while ((got = kernel_read(file, text + used, size - 1 - used, &at)) > 0)
		used += got;
	text[used] = '\0';
	return got;
}

#define NOT_THERE	ULONG_MAX

/* The sum of the columns after a name, or one of them. */
static unsigned long count_of(const char *text, const char *name, int cpu)
{
	const char *at = strstr(text, name);
	unsigned long sum = 0, n;
	int column, length;

	if (!at)
		return NOT_THERE;
	at += strlen(name);
	for (column = 0; sscanf(at, "%lu%n", &n, &length) == 1; column++) {
		if (cpu < 0 || cpu == column)
			sum += n;
		at += length;
	}
	return sum;
}

/**
 * bench_interrupts_open - begin to look at the counts
 *
 * Context: Task context of a process, sleeps.
 * Return: a file for fput(), or an error pointer.
 */
struct file *bench_interrupts_open(void)
{
	return filp_open("/proc/interrupts", O_RDONLY, 0);
}

/**
 * bench_interrupts_read - read how many interrupts there were up to now
 * @file: from bench_interrupts_open()
 * @irqs: where to
 * @cpu: of which CPU, < 0: of all
 *
 * Context: Task context, sleeps; one at a time for a file.
 * Return: 0 or an error.
 */
int bench_interrupts_read(struct file *file, struct bench_interrupts *irqs, int cpu)
{
	char *text = kvmalloc(TEXT_SIZE, GFP_KERNEL);
	unsigned int i;
	ssize_t err;

	if (!text)
		return -ENOMEM;
	err = read_whole(file, text, TEXT_SIZE);
	for (i = 0; i < ARRAY_SIZE(bench_irq_names); i++)
		irqs->count[i] = count_of(text, bench_irq_names[i], cpu);
	kvfree(text);
	return err;
}

/**
 * bench_interrupts_say - tell how many interrupts came in between
 * @before: then
 * @after: now
 */
void bench_interrupts_say(const struct bench_interrupts *before,
			  const struct bench_interrupts *after)
{
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(bench_irq_names) != ARRAY_SIZE(before->count));
	for (i = 0; i < ARRAY_SIZE(bench_irq_names); i++)
		if (after->count[i] != NOT_THERE)
			bench_say("count %.3s %lu\n", bench_irq_names[i],
				  after->count[i] - before->count[i]);
}
