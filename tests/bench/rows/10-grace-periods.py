# SPDX-License-Identifier: GPL-2.0-only
"""Grace periods: alone, among readers, many at once, and whom they disturb."""

from row import Callers, Row

OURS = "fenced", "ipi"
EXPEDITED = "expedited"
IPIS = "CAL", "RES"


def bound(variant):
    return f"2 sections + 50 µs ({variant})"


class Readers(Row):
    """Each time beside what the longest section meanwhile allows."""

    def derive(self, variant, result, calls):
        for ns, longest in result.samples:
            yield variant, ns
            yield bound(variant), 2 * longest + 50000


def readers(us):
    return Readers(
        name=f"readers-{us}us", title=f"grace period, sections of {us} µs back to back on all CPUs",
        work="readers", ours=OURS, peers=(EXPEDITED, "sleep"), not_in_uml=OURS, calls=20,
        args={"length": us * 1000}, paired=True, judge="p90",
        pairs=[(v, bound(v)) for v in (*OURS, EXPEDITED, "sleep")] + [(v, EXPEDITED) for v in OURS],
        targets={(v, bound(v)): 1.0 for v in OURS})


ROWS = [
    Callers(name="sync-idle", title="grace period, others idle",
            ours=OURS, peers=(EXPEDITED,), not_in_uml=("ipi",), args={"on": 0}, cpus=(2, 4, 8, 16),
            targets={("fenced", EXPEDITED): 0.1}, zero={"fenced": IPIS}),
    Callers(name="sync-busy", title="grace period, others busy in user space",
            ours=OURS, peers=(EXPEDITED,), not_in_uml=("ipi",), busy="others",
            targets={("fenced", EXPEDITED): 0.1}, zero={"fenced": IPIS}),
    readers(100),
    readers(1000),
    Callers(name="sync-callers", title="grace period, concurrent callers",
            ours=OURS, peers=(EXPEDITED,), not_in_uml=("ipi",), callers=(1, 4, 16, 64), cpus=(2, 4, 8, 16),
            targets={("fenced", EXPEDITED, 16): 0.03}),
    Row(name="starts", title="1,000 starts from all contexts while a reader is inside",
        work="starts", ours=OURS, calls=1000,
        most_of={("fenced", "rounds"): 2, ("ipi", "rounds"): 2}),
    Callers(name="disturbance", title="interrupts of a CPU that only runs user code, others syncing",
            ours=OURS, peers=(EXPEDITED,), not_in_uml=("ipi",), busy="watched", calls=200,
            zero={"fenced": IPIS}),
]
