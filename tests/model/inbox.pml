/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Cross-calls in the IPI: the inbox of one CPU, xsync/inbox.c.
 *
 * Two other CPUs and the target itself post to the target, POSTS requests each,
 * two of which may be in flight; meanwhile the target goes down and comes back
 * OFFLINE times.  Its store to kick waits in a store buffer, as on x86; what a
 * sender does are locked instructions.
 *
 * Must hold: each request runs exactly once or is counted as offline, exactly
 * once; those of one sender in order; the IPI's descriptor is never queued while
 * it is queued (asserts); every request ends (no bad end state).
 *
 * Wrong variants, each found: see run.
 */
#ifndef POSTS
#define POSTS 3
#endif
#ifndef OFFLINE
#define OFFLINE 1
#endif
#define SENDERS	3	/* the last one is the target */
#define NODE	(s * 2 + n % 2)

bit online = 1;
byte sending;			/* with interrupts off: the target cannot go down */
chan inbox = [6] of { byte };
chan taken = [6] of { byte };
bit kick, csd;
chan kick_buffer = [1] of { bit };

bit busy[6];			/* requests */
byte number[6], last[SENDERS];
bit irqs_off;			/* of the target */

active proctype memory()
{
	bit v;

end:	do
	:: d_step { nempty(kick_buffer) -> kick_buffer ? v; kick = v; v = 0 }
	od
}

inline take()
{
	/* llist_del_all(): a locked instruction. */
	atomic {
		empty(kick_buffer);
		do
		:: inbox ? node -> taken ! node
		:: empty(inbox) -> break
		od;
		node = 0
	}
}

inline run_taken()
{
	do
	:: atomic {
		taken ? node ->
		assert(busy[node]);
		assert(number[node] > last[node / 2]);
		last[node / 2] = number[node];
		number[node] = 0;
		busy[node] = 0;
		node = 0
	   }
	:: empty(taken) -> break
	od
}

/* The IPI; the kernel gives its descriptor back before it runs. */
active proctype interrupt()
{
	byte node;

end:	do
	:: atomic { csd && !irqs_off -> irqs_off = 1 };
		csd = 0;
#ifdef EMPTY_SHORTCUT
		if
		:: empty(inbox) -> goto done
		:: else
		fi;
#endif
#ifdef KICK_LATE
		take();
		kick_buffer ! 0;
#else
		kick_buffer ! 0;
#ifdef NO_A
		/* del_all without the barrier that it implies */
		do
		:: inbox ? node -> taken ! node
		:: empty(inbox) -> break
		od;
#else
		take();
#endif
#endif
		run_taken();
done:		irqs_off = 0
	od
}

proctype sender(byte s)
{
	byte n = 1, node;

	do
	:: n <= POSTS ->
		/* It may be posted again once it is done. */
		atomic { !busy[NODE] -> busy[NODE] = 1; number[NODE] = n };
		if
		:: s == SENDERS - 1 ->
			atomic { online && !irqs_off -> irqs_off = 1 };
			inbox ! NODE;
			take();
			run_taken();
			irqs_off = 0
		:: s < SENDERS - 1 ->
			sending++;
			if
			:: atomic { !online -> number[NODE] = 0; busy[NODE] = 0 }
			:: online ->
				inbox ! NODE;
#ifdef KICK_IF_FIRST
				/* as if the list being empty were the claim */
				if
				:: len(inbox) == 1 -> assert(!csd); csd = 1
				:: else
				fi
#else
				if
				:: atomic { kick -> skip }
				:: atomic { !kick -> kick = 1 };
					assert(!csd);
					csd = 1
				fi
#endif
			fi;
			sending--
		fi;
		n++
	:: else -> break
	od;
	!busy[s * 2] && !busy[s * 2 + 1]
}

/*
 * The target goes down while nobody has interrupts off, and runs the IPIs that
 * were sent on its way: nothing is left for the dead callback to give up.
 */
active proctype hotplug()
{
	byte n = OFFLINE, node;

	do
	:: n > 0 ->
		atomic { !sending && !irqs_off -> irqs_off = 1; online = 0 };
		if
		:: atomic { csd -> csd = 0 }; kick_buffer ! 0; take(); run_taken()
		:: !csd
		fi;
		empty(kick_buffer);
		assert(empty(inbox) && !kick);
		atomic { online = 1; irqs_off = 0; n-- }
	:: else -> break
	od
}

init
{
	atomic { run sender(0); run sender(1); run sender(2) }
}
