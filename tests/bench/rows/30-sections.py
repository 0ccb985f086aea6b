# SPDX-License-Identifier: GPL-2.0-only
"""What readers pay. The same, native and in user space: native/."""

from row import Row

ROWS = [
    Row(name="sections", title="read section, enter and exit",
        work="sections", ours=("fenced", "ipi"), peers=("srcu", "srcu_fast"), most=1000000,
        per_call=True, targets={("fenced", "srcu"): 0.6, ("ipi", "srcu"): 0.2},
        not_in_uml=("fenced", "ipi"),
        why_not="each per-CPU operation turns interrupts off there, by system calls"),
]
