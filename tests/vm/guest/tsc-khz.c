// SPDX-License-Identifier: GPL-2.0-only
/*
 * Print the frequency of this machine's time stamp counter in kHz.
 *
 * QEMU's emulation hands the counter through. A guest that calibrates it on a
 * busy host gets it wrong, or gives up and is left with a 4 ms clock.
 */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct stamp {
	unsigned long long tsc, ns;
};

/* Both clocks at once: the try with the least time between its two readings. */
static struct stamp stamp(void)
{
	unsigned long long best = ~0ULL;
	struct stamp s = { 0 };

	for (int i = 0; i < 100; i++) {
		unsigned long long before = __rdtsc(), after;
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC_RAW, &now);
		after = __rdtsc();
		if (after - before >= best)
			continue;
		best = after - before;
		s.tsc = before + best / 2;
		s.ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	}
	return s;
}

int main(void)
{
	struct stamp from = stamp(), to;

	do
		to = stamp();
	while (to.ns - from.ns < 50000000);
	printf("%llu\n", (to.tsc - from.tsc) * 1000000 / (to.ns - from.ns));
	return 0;
}
