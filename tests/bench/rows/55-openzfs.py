# SPDX-License-Identifier: GPL-2.0-only
"""Task queues beside those of OpenZFS: dispatch until the function runs, and as many as go."""

import dataclasses
import subprocess

from row import Row


@dataclasses.dataclass(kw_only=True)
class Spl(Row):
    """Entries of the caller's beside such, and allocated ones beside those."""

    PAIRS = [("ent", "spl-ent"), ("dedicated", "spl-ent"), ("alloc", "spl-alloc")]

    ours: tuple = ("ent", "dedicated", "alloc")
    peers: tuple = ("spl-ent", "spl-alloc")
    pairs: list = dataclasses.field(default_factory=lambda: Spl.PAIRS)
    targets: dict = dataclasses.field(default_factory=lambda: dict.fromkeys(Spl.PAIRS, 0.5))
    needs: str = "tests/spl/build"

    def measure(self, machine):
        modules = [self.folder() / f"{name}.ko" for name in ("spl", "xsync_bench_spl")]
        depends = subprocess.run(["modinfo", "-F", "depends", modules[0]], capture_output=True, text=True, check=True)
        for name in filter(None, depends.stdout.strip().split(",")):
            subprocess.run(["modprobe", name], check=True)
        for module in modules:
            subprocess.run(["insmod", module], check=True)
        super().measure(machine)
        for module in reversed(modules):
            subprocess.run(["rmmod", module.stem], check=True)


# As many calls for both: with few, a batch is the time that a thread takes to wake up.
ROWS = [
    Spl(name="task-idle-openzfs", title="dispatch until the function runs, beside OpenZFS's taskq",
        work="task", calls=50),
    Spl(name="tasks-busy-openzfs", title="dispatch as fast as it goes, beside OpenZFS's taskq",
        work="tasks", callers=(1, 2, 4, 8), calls=2000, per_call=True),
]
