# SPDX-License-Identifier: GPL-2.0-only
"""From a hard interrupt to a callback."""

from row import Row

ROWS = [
    Row(name="started", title="started in a hard interrupt, until the callback runs",
        work="started", ours=("fenced", "ipi"), peers=("call_rcu", "wake"), calls=25,
        targets={("fenced", "call_rcu"): 0.001, ("fenced", "wake"): 1.15},
        not_in_uml=("fenced", "ipi")),
]
