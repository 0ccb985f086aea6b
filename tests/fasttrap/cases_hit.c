// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hits: each is seen once, by each session that asked for it, with its cookie;
 * whatever the probe, however many threads, sessions and targets.
 */
#include <unistd.h>
#include "drive.h"
#include "expect.h"
#include "kernel.h"
#include "process.h"
#include "session.h"

static void entry_counts_are_exact(struct target *t)
{
	int fd = open_session();

	EXPECT_EQ(enable_entries(fd, t, 0, 20), 20);
	EXPECT_EQ(field(fd, "enabled"), 20);
	for (long i = 0; i < 20; i++)
		EXPECT_SAID("ok", t, "call %ld %ld", i, i + 1);
	for (long i = 0; i < 20; i++)
		EXPECT_EQ(count_of(fd, i), i + 1);
	EXPECT_EQ(field(fd, "hits"), 210);
	close(fd);
}

static void return_counts_are_exact(struct target *t)
{
	int fd = open_session();

	EXPECT_EQ(enable_both(fd, t, 20), 40);
	for (long i = 0; i < 20; i++)
		EXPECT_SAID("ok", t, "call %ld %ld", i, 1000 + i);
	for (long i = 0; i < 20; i++) {
		EXPECT_EQ(count_of(fd, i), 1000 + i);
		EXPECT_EQ(count_of(fd, t->count + i), 1000 + i);
	}
	close(fd);
}

static void odd_returns_and_offsets(struct target *t)
{
	int fd = open_session();

	begin_enable(t->pid);
	add("return %#lx %#lx 3 1\n", odd(t, "retimm"), odd(t, "retimm"));
	add("return %#lx %#lx 2 2\n", odd(t, "repret"), odd(t, "repret"));
	add("return %#lx %#lx 2 3\n", odd(t, "bndret"), odd(t, "bndret"));
	add("offset %#lx %#lx 16 4\n", t->start + 1, t->start);
	EXPECT_EQ(send_command(fd), 4);
	EXPECT_SAID("ok", t, "odd 7");
	EXPECT_SAID("ok", t, "call 0 7");
	for (long i = 1; i <= 4; i++)
		EXPECT_EQ(count_of(fd, i), 7);
	close(fd);
}

static void threads_hit_exactly(struct target *t)
{
	int fd = open_session();

	begin_enable(t->pid);
	add_entry(t, 6, 6);
	add_return(t, 6, 106);
	EXPECT_EQ(send_command(fd), 2);
	EXPECT_SAID("ok", t, "threads 8 6 500");
	EXPECT_EQ(count_of(fd, 6), 4000);
	EXPECT_EQ(count_of(fd, 106), 4000);
	close(fd);
}

static void sessions_share_tracepoints(struct target *t)
{
	int a = open_session(), b = open_session();

	EXPECT_EQ(enable_entries(a, t, 0, 100), 100);
	EXPECT_EQ(enable_entries(b, t, 50, 100), 100);
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(a, "hits"), 100);
	EXPECT_EQ(field(b, "hits"), 100);
	EXPECT_EQ(tell(a, "disable"), 100);
	EXPECT_SAID("differs at 800", t, "text");
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(a, "hits"), 100);
	EXPECT_EQ(field(b, "hits"), 200);
	close(b);
	WAIT(reaper_idle());
	EXPECT_SAID("same", t, "text");
	close(a);
}

static void two_targets_of_one_file(struct target *t)
{
	struct target other;
	int fd = open_session();

	start_target(&other);
	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	begin_enable(other.pid);
	for (long i = 5; i < 15; i++)
		add_entry(&other, i, 100 + i);
	EXPECT_EQ(send_command(fd), 10);
	EXPECT_SAID("ok", t, "all 2");
	EXPECT_SAID("ok", &other, "all 3");
	EXPECT_EQ(count_of(fd, 7), 2);
	EXPECT_EQ(count_of(fd, 107), 3);
	EXPECT_EQ(field(fd, "hits"), 20 + 30);
	end_target(&other);
	WAIT(field(fd, "retired") == 10);
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(field(fd, "hits"), 30 + 30);
	close(fd);
}

const struct test_case hit_cases[] = {
	CASE(entry_counts_are_exact),
	CASE(return_counts_are_exact),
	CASE(odd_returns_and_offsets),
	CASE(threads_hit_exactly),
	CASE(sessions_share_tracepoints),
	CASE(two_targets_of_one_file),
	{}
};
