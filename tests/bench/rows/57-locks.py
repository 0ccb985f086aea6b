# SPDX-License-Identifier: GPL-2.0-only
"""How long the lock of a queue is held: interrupts are off meanwhile."""

import dataclasses
import re
from pathlib import Path

from row import Row

LOCKS = {"ent": "&tq->lock", "dedicated": "&tq->lock", "alloc": "&tq->lock",
         "unbound": "&pool->lock", "percpu": "&pool->lock"}


@dataclasses.dataclass(kw_only=True)
class Held(Row):
    """From the kernel's own statistics of locks, which it has with lockdep only."""

    STAT = Path("/proc/lock_stat")

    def left_out(self, machine):
        if self.STAT.exists():
            return super().left_out(machine)
        return [("all", "this kernel keeps no statistics of locks (CONFIG_LOCK_STAT)")]

    def round(self, machine, callers, number, variant, calls):
        self.STAT.write_text("0")
        super().round(machine, callers, number, variant, calls)

    def held(self, lock):
        """(how often it was taken, the longest hold in ns, all of them together)"""
        times = longest = total = 0
        for line in self.STAT.read_text().splitlines():
            name, _, figures = line.strip().partition(": ")
            if re.fullmatch(re.escape(lock) + r"(#\d+)?(/\d+)?", name):
                # After what was waited for, and how often on which CPU.
                *_, n, _shortest, most, together, _average = map(float, figures.split())
                times, longest, total = times + n, max(longest, most), total + together
        return int(times), longest * 1000, total * 1000

    def derive(self, variant, result, calls):
        times, longest, total = self.held(LOCKS[variant])
        tasks = calls * result.args["callers"]
        result.counts["lock"] = times
        yield f"{variant}, a task", total / tasks
        yield f"{variant}, at most", longest

    def compared(self):
        return [(f"{ours}, {what}", f"{peer}, {what}") for ours, peer in super().compared()
                for what in ("a task", "at most")]


ROWS = [
    Held(name="tasks-locked", title="the lock of a queue is held, with interrupts off", work="tasks",
         ours=("ent", "dedicated", "alloc"), peers=("unbound", "percpu"), callers=(1, 4), calls=2000,
         counted=("lock",), counted_in=1, kernels=("debug-6.12",)),
]
