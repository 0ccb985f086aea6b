# SPDX-License-Identifier: GPL-2.0-only
"""From a dispatch to a thread: one at a time, and as many as go."""

from row import Row

PEERS = "unbound", "percpu", "kthread"

ROWS = [
    Row(name="task-idle", title="dispatch until the function runs, nothing else going on",
        work="task", ours=("ent", "dedicated", "alloc"), peers=PEERS, calls=50,
        targets={("ent", "unbound"): 1.2, ("dedicated", "unbound"): 1.0}),
    Row(name="tasks-busy", title="dispatch as fast as it goes, until all functions have returned",
        work="tasks", ours=("ent", "dedicated", "alloc"), peers=PEERS, callers=(1, 2, 4, 8),
        calls=2000, per_call=True, crowded=False, targets={("ent", "unbound"): 0.5, ("dedicated", "unbound"): 0.5}),
]
