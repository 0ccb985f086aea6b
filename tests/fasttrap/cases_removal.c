// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking probes out, by disable or by close: the text is as it was, nothing is
 * hit afterwards, and hits that are under way are waited for.
 */
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "drive.h"
#include "expect.h"
#include "kernel.h"
#include "process.h"
#include "session.h"

static void disable_restores_the_text(struct target *t)
{
	int fd = open_session();

	EXPECT_SAID("same", t, "text");
	EXPECT_EQ(enable_entries(fd, t, 10, 300), 300);
	EXPECT_SAID("differs at 160", t, "text");
	EXPECT_SAID("ok", t, "call 10 5");
	EXPECT_EQ(tell(fd, "disable"), 300);
	EXPECT_SAID("same", t, "text");
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(count_of(fd, 10), 5);
	EXPECT_EQ(field(fd, "hits"), 5);
	EXPECT_EQ(field(fd, "enabled"), 0);
	/* and again, in the same session */
	EXPECT_EQ(enable_entries(fd, t, 10, 300), 300);
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(fd, "hits"), 305);
	close(fd);
}

static void disable_by_id(struct target *t)
{
	int fd = open_session();
	long id;

	EXPECT_EQ(enable_entries(fd, t, 0, 3), 3);
	if (sscanf(answer(fd), "%*d\n%*d %*d %*d\n%ld", &id) != 1)
		die("no id in: %s", answer(fd));
	EXPECT_EQ(tell(fd, "disable %ld %ld 777", id, id), 1);
	EXPECT_SAID("ok", t, "all 2");
	EXPECT_EQ(count_of(fd, 0), 2);
	EXPECT_EQ(count_of(fd, 1), 0);
	EXPECT_EQ(count_of(fd, 2), 2);
	close(fd);
}

static void close_takes_everything_out(struct target *t)
{
	int fd = open_session();

	EXPECT_EQ(enable_entries(fd, t, 0, t->count), t->count);
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(fd, "hits"), t->count);
	close(fd);
	WAIT(reaper_idle());
	EXPECT_SAID("same", t, "text");
	EXPECT_SAID("ok", t, "all 1");
}

static void enable_and_disable_under_fire(struct target *t)
{
	int fd = open_session();

	EXPECT_SAID("ok", t, "spin %d", 8 / fraction);
	for (int round = 0; round < 5 * rounds; round++) {
		long before = field(fd, "hits");

		EXPECT_EQ(enable_both(fd, t, t->spin), 2 * t->spin);
		WAIT(field(fd, "hits") > before);
		EXPECT_EQ(tell(fd, "disable"), 2 * t->spin);
		before = field(fd, "hits");
		EXPECT_EQ(field(fd, "hits"), before);
	}
	EXPECT(atol(ask(t, "stop")) > 0);
	EXPECT_SAID("same", t, "text");
	close(fd);
}

static void close_under_fire(struct target *t)
{
	EXPECT_SAID("ok", t, "spin %d", 8 / fraction);
	for (int round = 0; round < 3 * rounds; round++) {
		int fd = open_session();

		EXPECT_EQ(enable_entries(fd, t, 0, t->spin), t->spin);
		WAIT(field(fd, "hits") > 0);
		close(fd);
	}
	WAIT(reaper_idle());
	EXPECT(atol(ask(t, "stop")) > 0);
	EXPECT_SAID("same", t, "text");
}

/* On one CPU, or -1: on all. */
static void pin(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < 64; i++) {
		if (cpu < 0 || i == cpu)
			CPU_SET(i, &set);
	}
	if (sched_setaffinity(pid, sizeof(set), &set))
		die("cpu %d", cpu);
}

/*
 * target:  | in the hit, until disable returned, or 300 ms from its begin |
 * driver:         | disable ............................................... | returned
 */
static void disable_waits_for_a_hit(struct target *t, bool shared)
{
	int a = open_session(), b = open_session();

	/* A held hit keeps its CPU for itself. */
	pin(0, 0);
	pin(t->pid, 1);
	EXPECT_EQ(enable_entries(a, t, 0, 1), 1);
	if (shared)
		EXPECT_EQ(enable_entries(b, t, 0, 1), 1);
	tell(a, "hold");
	send_line(t, "call 0 1");
	WAIT(field(a, "inside") == 1);
	EXPECT_EQ(tell(a, "disable"), 1);
	EXPECT_EQ(field(a, "inside"), 0);
	EXPECT(!strcmp(read_line(t), "ok"));
	EXPECT_EQ(field(a, "overlap"), 0);
	pin(0, -1);
	close(a);
	close(b);
}

static void disable_waits_for_hits(struct target *t)
{
	disable_waits_for_a_hit(t, false);
}

/* The breakpoint stays: only the layer's own grace period stands between. */
static void disable_waits_for_hits_when_shared(struct target *t)
{
	disable_waits_for_a_hit(t, true);
}

const struct test_case removal_cases[] = {
	CASE(disable_restores_the_text),
	CASE(disable_by_id),
	CASE(close_takes_everything_out),
	CASE(enable_and_disable_under_fire),
	CASE(close_under_fire),
	CASE(disable_waits_for_hits),
	CASE(disable_waits_for_hits_when_shared),
	{}
};
