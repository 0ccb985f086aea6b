# SPDX-License-Identifier: GPL-2.0-only
"""What queues and dispatches take of memory."""

from row import Memory

QUEUES = "unbound", "percpu", "kthread"

ROWS = [
    Memory(name="queue-memory", title="a queue comes and goes; what it takes beside its threads' stacks",
           work="queues", ours=("ent", "dedicated"), peers=QUEUES, by="python3*", calls=8, cpus=(4,), per_call=True),
    Memory(name="task-memory", title="dispatch; what it allocates",
           work="tasks", ours=("ent", "dedicated", "alloc"), peers=QUEUES, by="bench-producer*", calls=2000,
           cpus=(4,), per_call=True),
]
