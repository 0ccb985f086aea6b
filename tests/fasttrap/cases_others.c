// SPDX-License-Identifier: GPL-2.0-only
/*
 * Others in the way: who holds the target's mmap_lock, and who has breakpoints of
 * his own in its text. Then, with nobody in the way, what a probe takes.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include "drive.h"
#include "expect.h"
#include "kernel.h"
#include "process.h"
#include "session.h"

#define TRACEFS		"/sys/kernel/tracing/"

/* Somebody sits on the target's mmap_lock: say so and do not wait for it. */
static void held_mmap_lock_is_reported(struct target *t)
{
	int fd = open_session(), other = open_session(), status;
	pid_t holder;

	EXPECT_EQ(enable_entries(fd, t, 0, 100), 100);
	holder = fork();
	if (!holder) {
		close(fd);	/* or the driver's close would not be the last */
		tell(open_session(), "mmaplock %d", t->pid);
		_exit(0);
	}
	/* Not before: between two looks at the lock nothing helps. */
	WAIT(field(other, "locked") == 1);
	EXPECT_EQ(enable_entries(other, t, 200, 10), -EBUSY);
	close(fd);
	WAIT(says(REAPER, "mmap_lock of the process is held"));
	EXPECT(!reaper_idle());
	EXPECT(probes_reach(1));
	EXPECT_EQ(spill(SESSION, "unlock"), 0);
	waitpid(holder, &status, 0);
	WAIT(reaper_idle());
	EXPECT_SAID("ok", t, "all 1");
	EXPECT_EQ(enable_entries(other, t, 200, 10), 10);
	close(other);
	WAIT(reaper_idle());
	EXPECT_SAID("same", t, "text");
}

/* Where @addr of the target is in its file. */
static unsigned long file_offset(pid_t pid, unsigned long addr)
{
	unsigned long from, to, offset, place = 0;
	char path[64], line[512];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %lx", &from, &to, &offset) == 3 &&
		    from <= addr && addr < to)
			place = addr - from + offset;
	}
	fclose(maps);
	return place;
}

/*
 * Another user of uprobes on the same instruction: its breakpoint stays when
 * ours goes, which is reported, and then keeps ours out.
 */
static void other_tracers_breakpoint_is_reported(struct target *t)
{
	int fd = open_session();
	char text[512];
	long before;

	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	EXPECT_EQ(enable_entries(fd, t, 0, 10), 10);
	snprintf(text, sizeof(text), "p:ftdrive/other %s:%#lx", target_path,
		 file_offset(t->pid, t->start));
	if (!EXPECT_EQ(spill(TRACEFS "uprobe_events", text), 0) ||
	    !EXPECT_EQ(spill(TRACEFS "events/ftdrive/other/enable", "1"), 0))
		return;
	before = nr_stranded();
	EXPECT_SAID("ok", t, "call 0 3");
	EXPECT_EQ(count_of(fd, 0), 3);
	EXPECT_EQ(tell(fd, "disable"), 10);
	EXPECT_EQ(nr_stranded(), before + 1);
	EXPECT_SAID("differs at 0", t, "text");
	EXPECT_EQ(enable_entries(fd, t, 0, 10), 9);
	EXPECT_EQ(reason_of(fd, 0), FOREIGN_BREAKPOINT);
	EXPECT_EQ(tell(fd, "disable"), 9);
	EXPECT_EQ(spill(TRACEFS "events/ftdrive/other/enable", "0"), 0);
	EXPECT_EQ(spill(TRACEFS "uprobe_events", "-:ftdrive/other"), 0);
	EXPECT_SAID("same", t, "text");
	close(fd);
}

static void two_probes_in_each_function(struct target *t)
{
	int fd = open_session();
	double start = now(), middle;

	EXPECT_EQ(enable_both(fd, t, t->count), 2 * t->count);
	middle = now();
	EXPECT_EQ(tell(fd, "disable"), 2 * t->count);
	printf("# enable %.1f us, disable %.1f us a probe\n",
	       (middle - start) / (2 * t->count) * 1e6,
	       (now() - middle) / (2 * t->count) * 1e6);
	EXPECT_SAID("same", t, "text");
	close(fd);
}

const struct test_case others_cases[] = {
	CASE(held_mmap_lock_is_reported),
	CASE(other_tracers_breakpoint_is_reported),
	CASE(two_probes_in_each_function),
	{}
};
