# SPDX-License-Identifier: GPL-2.0-only
"""What queues and dispatches take of memory, and how long a queue takes to come and go."""

from row import Memory, Row

OURS = "ent", "dedicated"
PEERS = "unbound", "percpu", "kthread"

ROWS = [
    Row(name="queue", title="a queue comes and goes", work="queues", ours=OURS, peers=PEERS, calls=4, cpus=(2, 4),
        per_call=True),
    Memory(name="queue-memory", title="what a queue takes, beside the stacks of its threads", work="queues",
           ours=OURS, peers=PEERS, calls=16, cpus=(4,)),
    Memory(name="task-memory", title="what a dispatch takes", work="tasks", ours=(*OURS, "alloc"), peers=PEERS,
           calls=2000, cpus=(4,)),
]
