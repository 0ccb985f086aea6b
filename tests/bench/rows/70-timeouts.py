# SPDX-License-Identifier: GPL-2.0-only
"""Timeouts: arming and cancelling, lateness, memory, and a CPU that goes offline."""

import dataclasses
import statistics
import time
from pathlib import Path

from row import Memory, Row

IDS = "id", "id_nowait"
PEERS = "hrtimer", "timer", "delayed_work"
PACKED = "hrtimer", "packed", "timer", "delayed_work"
MANY = {"10k": 10000, "1m": 1000000}

FIGURES = {
    "p50": statistics.median,
    "p99": lambda values: sorted(values)[round((len(values) - 1) * 0.99)],
    "max": max,
}


def others(machine, how, number, **args):
    """Has so many armed; a hundredth will do to see that it can be measured."""
    machine.work("others", {"how": how, "others": number // (100 if machine.quick else 1), **args})


@dataclasses.dataclass(kw_only=True)
class Armed(Row):
    """While others of the same kind are armed; by one thread, and on each CPU at once."""

    others: int = 0

    def measure(self, machine):
        self.callers = (1, machine.cpus)
        for variant in self.variants():
            others(machine, variant, self.others)
        super().measure(machine)
        for variant in self.variants():
            others(machine, variant, 0)


def armed(name, title, number=0, **more):
    return Armed(
        name=f"timeouts-{name}", title=f"timeout, armed and cancelled, {title}",
        work="timeouts", ours=("callout", *IDS), peers=PACKED, others=number, most=100000, per_call=True,
        crowded=False, targets={("callout", "hrtimer"): 1.2} | {(v, "hrtimer"): 2.0 for v in IDS}, **more)


@dataclasses.dataclass(kw_only=True)
class Late(Row):
    """Each batch has a median, a 99th percentile and a maximum."""

    def batch(self, machine, variant, callers):
        return max(10, int(self.calls * machine.scale))

    def derive(self, variant, result, calls):
        late = [ns for [ns] in result.samples]
        for what, figure in FIGURES.items():
            yield f"{variant}, {what}", figure(late)

    def compared(self):
        return [(f"{ours}, {what}", f"{peer}, {what}") for ours, peer in super().compared() for what in FIGURES]

    def target(self, ours, peer, callers):
        return 1.2 if ours.endswith(", p99") else None


@dataclasses.dataclass(kw_only=True)
class Threads(Memory):
    """The threads of the layer, too, which make up for what is taken."""

    comms: tuple = (*Memory.comms, "xtimeout*")


class Offline(Row):
    """From asking a CPU to go until it is gone, with none or many armed there."""

    CPU = Path("/sys/devices/system/cpu/cpu1/online")
    ROUNDS = 3          # it takes seconds to arm so many

    def left_out(self, machine):
        return super().left_out(machine) if self.CPU.exists() else [("all", "no CPU can go offline there")]

    def batch(self, machine, variant, callers):
        return 1

    def round(self, machine, callers, number, variant, calls):
        if number >= self.ROUNDS:
            return
        how, _, many = variant.partition(", ")
        others(machine, how, MANY.get(many, 0), on=1)
        began = time.monotonic_ns()
        self.CPU.write_text("0")
        took = time.monotonic_ns() - began
        self.CPU.write_text("1")
        others(machine, how, 0)
        machine.emit("sample", self.name, machine.cpus, callers, variant, number, took)


def with_none_and_many(how):
    return how, *(f"{how}, {many}" for many in MANY)


OURS, THEIRS = with_none_and_many("callout"), with_none_and_many("hrtimer")

ROWS = [
    armed("0", "no others armed"),
    armed("10k", "10,000 others armed", MANY["10k"]),
    armed("1m", "1,000,000 others armed", MANY["1m"], memory=2048),
    Late(name="timeouts-late", title="timeout, from the due time to the function, nothing else going on",
         work="late", ours=("callout", "id"), peers=("wake",), calls=500),
    Offline(name="timeouts-offline", title="a CPU with many timeouts armed goes offline", work="others",
            ours=OURS, peers=THEIRS, cpus=(4,), memory=2048,
            pairs=[*zip(OURS, THEIRS), *((v[-1], v[0]) for v in (OURS, THEIRS))],
            targets={(OURS[-1], OURS[0]): 1.2}),
    Threads(name="timeout-memory", title="what a timeout takes, armed and cancelled", work="timeouts",
            ours=("callout", *IDS), calls=2000, cpus=(4,)),
    Threads(name="timeouts-memory", title="what a timeout takes, 2,000 armed at once", work="held",
            ours=("callout", *IDS), peers=PEERS, calls=2000, cpus=(4,)),
]
