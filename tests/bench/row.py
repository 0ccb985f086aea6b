# SPDX-License-Identifier: GPL-2.0-only
"""What a row of the benchmark is, and how one is measured in a guest.

A file in rows/ has a list ROWS. A row says what work is done, by ours and by whom
it is compared with; measure() has each of them do a batch in turn, round after
round, so that what else the machine does meets all of them alike.

Lines that come out of a guest, tab-separated:

  sample   ROW CPUS CALLERS VARIANT ROUND NS
  count    ROW CPUS CALLERS VARIANT WHAT N CALLS
  left-out ROW CPUS VARIANTS WHY
  machine  CPUS RELEASE PROCESSOR
"""

import contextlib
import dataclasses
import errno
import os
import re
import runpy
import signal
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEBUGFS = Path("/sys/kernel/debug/xsync")
EVENTS = Path("/sys/kernel/debug/tracing/events")


def variable(*words):
    """The name by which a guest's environment tells of what a row needs."""
    return "XSYNC_BENCH_" + re.sub(r"\W", "_", "_".join(words))


INTERRUPTS = ("CAL", "RES", "IWI", "LOC", "ipis_sent", "ipis_saved", "rounds")


@dataclasses.dataclass(kw_only=True)
class Row:
    name: str
    title: str
    work: str                           # as xsync_bench.ko calls it
    ours: tuple                         # how=, or a figure of derive()
    peers: tuple = ()
    callers: tuple = (1,)
    args: dict = dataclasses.field(default_factory=dict)
    cpus: tuple = (2, 4)                # sizes of machine; others leave the row out
    calls: int | None = None            # in a batch; None: as many as take BATCH
    most: int = 5000                    # calls in such a batch
    pairs: list | None = None           # of variants to compare; None: all ours with all peers
    # (ours, peer) or (ours, peer, callers): the ratio to reach
    targets: dict = dataclasses.field(default_factory=dict)
    judge: str = "median"               # of the ratios; "p90" where a bound is asked for
    paired: bool = False                # each sample of ours has one of the peer's
    zero: dict = dataclasses.field(default_factory=dict)        # variant: counts that have to be 0
    most_of: dict = dataclasses.field(default_factory=dict)     # (variant, count): at most so many
    not_in_uml: tuple = ()              # variants that would mean nothing there,
    why_not: str = "irq_work waits for the tick there"
    per_call: bool = False              # the sample is of all calls of the batch
    busy: str | None = None             # "others", "watched": where user code runs
    counted: tuple = INTERRUPTS         # counts that are shown,
    counted_in: int = 1000              # in so many calls
    crowded: bool = True                # also in user-mode Linux of more CPUs than the machine has
    memory: int = 1024                  # that the VM needs, in MB
    kernels: tuple = ("native", "uml-plain", "stock-6.12")      # where, unless somebody says
    needs: str | None = None            # what run has to call first: TREE/NEEDS KERNEL prints a folder

    BATCH = 0.02                        # seconds

    def left_out(self, machine):
        """(variants or "all", why) of what is not measured there."""
        if self.needs and not self.folder():
            return [("all", os.environ[variable(self.needs, "LACKS")])]
        if machine.uml and not self.crowded and machine.cpus > machine.host_cpus:
            return [("all", f"{machine.cpus} CPUs there take turns on {machine.host_cpus}, and hand a lock "
                            "that they fight over to one that does not run")]
        lost = [v for v in self.variants() if machine.uml and v in self.not_in_uml]
        if not lost:
            return []
        return [(", ".join(lost) if set(self.ours) - set(lost) else "all", self.why_not)]

    def folder(self):
        """Where is what the row needs; None: nowhere."""
        path = os.environ.get(variable(self.needs))
        return Path(path) if path else None

    def variants(self):
        return *self.ours, *self.peers

    def compared(self):
        """Pairs of what is compared with what."""
        return self.pairs or [(ours, peer) for ours in self.ours for peer in self.peers]

    def target(self, ours, peer, callers):
        """The ratio to reach, or None."""
        return self.targets.get((ours, peer), self.targets.get((ours, peer, callers)))

    def arguments(self, machine, variant, callers, calls):
        args = {"how": variant, "callers": callers, "calls": calls, **self.args}
        if self.busy == "others":
            args["on"] = 0
        elif self.busy == "watched":
            args.update(on=f"0-{machine.cpus - 2}", watch=machine.cpus - 1)
        return args

    def loops(self, machine):
        if self.busy == "others":
            return range(1, machine.cpus)
        return [machine.cpus - 1] if self.busy == "watched" else []

    def batch(self, machine, variant, callers):
        """How many calls make a batch; None if this kernel does not have the variant."""
        calls = self.calls or 1
        try:
            result = machine.work(self.work, self.arguments(machine, variant, callers, calls))
        except OSError as why:
            if why.errno != errno.EOPNOTSUPP:
                raise
            return None
        if self.calls:
            return calls
        # The first call is slow; the second estimate is of some that are not.
        for part in (4, 1):
            once = max(result.samples[0][0], 1) / (calls if self.per_call else 1)
            calls = max(1, min(self.most, int(self.BATCH * machine.scale / part * 1e9 / once)))
            if part > 1:
                result = machine.work(self.work, self.arguments(machine, variant, callers, calls))
        return calls

    def measure(self, machine):
        with machine.user_code(self.loops(machine)):
            for callers in self.callers:
                self.measure_callers(machine, callers)

    def measure_callers(self, machine, callers):
        batches = {v: self.batch(machine, v, callers) for v in self.variants()
                   if not machine.uml or v not in self.not_in_uml}
        batches = {v: b for v, b in batches.items() if b}
        end = time.monotonic() + machine.seconds
        for number in range(machine.rounds):
            if number >= machine.least and time.monotonic() > end:
                break
            order = list(batches)
            shift = number % len(order)
            for variant in order[shift:] + order[:shift]:
                self.round(machine, callers, number, variant, batches[variant])

    def round(self, machine, callers, number, variant, calls):
        before = machine.counts()
        result = machine.work(self.work, self.arguments(machine, variant, callers, calls))
        after = machine.counts()
        head = self.name, machine.cpus, callers, variant
        for name, ns in self.derive(variant, result, calls):
            machine.emit("sample", *head[:3], name, number, ns)
        counts = {k: after[k] - before[k] for k in after if k[0] in (variant, None)}
        counts = {k[1]: n for k, n in counts.items()} | result.counts
        for what, n in counts.items():
            machine.emit("count", *head, what, n, calls * callers)

    def derive(self, variant, result, calls):
        """(variant, ns) pairs of a batch; a row may make figures of its own from them."""
        for ns, *_ in result.samples:
            yield variant, ns / calls if self.per_call else ns


class Allocations:
    """What is allocated by threads of these names.

    The kernel's own histograms count it. The threads of the work, and whoever it is asked
    of, have a name that begins with COMM; Machine.work() takes one on.
    """

    COMM = "bench-"
    EVENTS = [EVENTS / e for e in ("kmem/kmalloc", "kmem/kmem_cache_alloc", "percpu/percpu_alloc_percpu")]

    def __init__(self, comms):
        whose = " || ".join(f'comm ~ "{comm}"' for comm in comms)
        self.trigger = f"hist:keys=common_type:vals=bytes_alloc if {whose}"
        self.allocs = self.bytes = 0

    @classmethod
    def lack(cls):
        """Why they cannot be counted, or None."""
        return None if (cls.EVENTS[0] / "hist").exists() else "this kernel has no histograms of tracepoints"

    def __enter__(self):
        for event in self.EVENTS:
            (event / "trigger").write_text(self.trigger)
        return self

    def __exit__(self, *_):
        for event in self.EVENTS:
            text = (event / "hist").read_text()
            self.allocs += sum(map(int, re.findall(r"hitcount: +(\d+)", text)))
            self.bytes += sum(map(int, re.findall(r"bytes_alloc: +(\d+)", text)))
            (event / "trigger").write_text("!" + self.trigger)


@dataclasses.dataclass(kw_only=True)
class Memory(Row):
    """How much memory the calls take; counting that takes time, so there are no times."""

    counted: tuple = ("allocs", "bytes", "entry_bytes")
    counted_in: int = 1
    comms: tuple = (f"{Allocations.COMM}*",)    # whose allocations

    def left_out(self, machine):
        lack = Allocations.lack()
        return [("all", lack)] if lack else super().left_out(machine)

    def round(self, machine, callers, number, variant, calls):
        with Allocations(self.comms) as found:
            super().round(machine, callers, number, variant, calls)
        for what in ("allocs", "bytes"):
            machine.emit("count", self.name, machine.cpus, callers, variant, what, getattr(found, what),
                         calls * callers)

    def derive(self, variant, result, calls):
        return ()


ONE = "{}, one call".format


@dataclasses.dataclass(kw_only=True)
class Callers(Row):
    """Several at once: what it takes until all have made a call, and what one call takes."""

    work: str = "callers"

    def derive(self, variant, result, calls):
        [[ns, single]] = result.samples
        yield variant, ns
        if result.args["callers"] > 1:
            yield ONE(variant), single

    def compared(self):
        pairs = super().compared()
        return pairs + [(ONE(ours), ONE(peer)) for ours, peer in pairs]

    def target(self, ours, peer, callers):
        whole = [v.removesuffix(ONE("")) for v in (ours, peer)]
        return super().target(*whole, callers)


@dataclasses.dataclass
class Result:
    args: dict
    samples: list = dataclasses.field(default_factory=list)
    counts: dict = dataclasses.field(default_factory=dict)


class Machine:
    """The guest, as rows see it."""

    def __init__(self, emit, quick=False):
        self.cpus = os.cpu_count()
        self.host_cpus = int(os.environ["XSYNC_BENCH_HOST_CPUS"])
        self.uml = os.environ["XSYNC_KERNEL"].startswith("uml")
        self.emit = emit
        # Rounds: at most so many, and so many even if the time is up.
        self.rounds, self.least, self.seconds, self.scale = (3, 2, 0.3, 0.1) if quick else (25, 7, 4, 1)
        self.quick = quick

    def work(self, work, args):
        line = " ".join([work, *(f"{k}={v}" for k, v in args.items())])
        comm = Path("/proc/self/comm")
        name = comm.read_text()
        with open(DEBUGFS / "bench", "wb", buffering=0) as bench:
            comm.write_text(Allocations.COMM + "work")
            try:
                bench.write(line.encode())
            except OSError as why:
                raise OSError(why.errno, f"{line}: {why.strerror}") from None
            finally:
                comm.write_text(name)
        result = Result(args)
        for text in (DEBUGFS / "bench").read_text().splitlines():
            kind, *fields = text.split()
            if kind == "sample":
                result.samples.append([int(f) for f in fields])
            else:
                result.counts[fields[0]] = int(fields[1])
        return result

    def counts(self):
        """{(variant or None, what): n} from the state that xsync shows."""
        head, *lines = (DEBUGFS / "cpus").read_text().splitlines()
        columns = head.split()
        found = {}
        for what in ("ipis_sent", "ipis_saved"):
            at = columns.index(what)
            total = sum(int(line.split()[at]) for line in lines)
            found |= {(variant, what): total for variant in ("ipi", "fenced", "xcall_run")}
        head, *lines = (DEBUGFS / "domains").read_text().splitlines()
        columns = head.split()
        for line in lines:
            name, *_ = fields = line.split()
            if name.startswith("bench-"):
                for what in ("rounds", "starts"):
                    found[name.removeprefix("bench-"), what] = int(fields[columns.index(what)])
        return found

    @contextlib.contextmanager
    def user_code(self, cpus):
        """A process on each of these CPUs that never enters the kernel by itself."""
        loops = []
        try:
            for cpu in cpus:
                pid = os.fork()
                if not pid:
                    os.sched_setaffinity(0, {cpu})
                    while True:
                        pass
                loops.append(pid)
            yield
        finally:
            for pid in loops:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def sizes(rows):
    return sorted({cpus for row in rows for cpus in row.cpus})


def load():
    """All rows, in the order of their files."""
    return [row for path in sorted((HERE / "rows").glob("*.py"))
            for row in runpy.run_path(str(path))["ROWS"]]
