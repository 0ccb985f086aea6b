# SPDX-License-Identifier: GPL-2.0-only
"""Cross-calls that are waited for, and how many of them the kernel's torture test makes."""

import subprocess
import time

from row import Callers

# Calls from every CPU; no pauses, no other kinds of calls, no statistics but the last.
TORTURE = ("stutter=0", "stat_interval=0", "weight_all_wait=1")


class Torture(Callers):
    """scftorture's rate of smp_call_function(wait), beside the same from here."""

    def measure(self, machine):
        self.callers = (machine.cpus,)
        super().measure(machine)
        folder = self.folder()
        subprocess.run(["insmod", folder / "torture.ko"], check=True)
        for number in range(machine.least):
            machine.emit("sample", self.name, machine.cpus, machine.cpus, "scftorture", number,
                         self.once(folder, machine))
        subprocess.run(["rmmod", "torture"], check=True)

    def once(self, folder, machine):
        began = time.monotonic()
        subprocess.run(["insmod", folder / "scftorture.ko", f"nthreads={machine.cpus}", *TORTURE], check=True)
        time.sleep(machine.seconds / machine.least)
        subprocess.run(["rmmod", "scftorture"], check=True)
        took = time.monotonic() - began
        return took * 1e9 * machine.cpus / self.calls_made()

    @staticmethod
    def calls_made():
        """What it told last: ... many: 0/0 all: 0/N ..."""
        lines = subprocess.run(["dmesg"], capture_output=True, text=True, check=True).stdout.splitlines()
        last = [line for line in lines if "scf_invoked_count VER:" in line][-1]
        return int(last.split(" all: ")[1].split()[0].split("/")[1])


ROWS = [
    Callers(name="xcall", title="cross-call to all CPUs, waited for",
            ours=("xcall_run",), peers=("on_each_cpu",), callers=(1, 4, 16), cpus=(2, 4, 8, 16),
            targets={("xcall_run", "on_each_cpu", 1): 1.05, ("xcall_run", "on_each_cpu", 16): 0.3}),
    Torture(name="xcall-torture", title="cross-call to all CPUs from every CPU, beside scftorture",
            ours=("xcall_run",), peers=("on_each_cpu",), needs="tests/bench/scftorture",
            pairs=[("xcall_run", "on_each_cpu"), ("xcall_run", "scftorture")]),
]
