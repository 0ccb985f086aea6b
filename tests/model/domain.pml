/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Grace periods of a domain, both flavours: xsync/round.c and xsync_enter().
 *
 * READERS CPUs run read sections in LEVELS nested contexts: a higher level
 * begins between any two steps of a lower one and ends before that goes on.  Each
 * has a first-in-first-out store buffer for its word, as x86 has.  STARTERS more
 * CPUs each publish something, take a ticket, drive the rounds like everybody
 * else, and withdraw what was published before once the ticket is done.
 *
 * Must hold: no section uses what it picked up before it was published anew and
 * after it was withdrawn (assert).
 *
 * With -DIPI the readers of a CPU pay a barrier only while the CPU is not in the
 * mask of those that every round interrupts, and level 0 also takes its CPU down
 * and up, OFFLINE times.
 *
 * What this does not show: that every ticket gets done, since starters look again for
 * ever; and processors that reorder more than stores with later loads.  For the
 * barriers that either rests on see the litmus tests.
 *
 * Wrong variants, each found: see run.
 */
#ifndef READERS
#define READERS 1
#endif
#ifndef LEVELS
#define LEVELS 2
#endif
#ifndef STARTERS
#define STARTERS 1
#endif
#ifndef SECTIONS
#define SECTIONS 2	/* of level 0 on each CPU; one for each level above */
#endif
#ifndef OFFLINE
#define OFFLINE 0
#endif
#define NEST 4		/* word = sections completed * NEST + nesting */

/* Readers: what memory has, what the CPU itself sees, what is between. */
byte word[READERS], own[READERS];
chan buffer[READERS] = [3] of { byte };
byte level[READERS];		/* the context that runs on this CPU */
bit fence[READERS];		/* readers of this CPU pay a barrier */

/* The round. */
byte seq, need;
bit driving;
chan seq_buffer = [1] of { byte };	/* the driver's store of an odd seq */
byte snapped[READERS];
bit pending[READERS];

bit in_mask[READERS], ipi[READERS], offline[READERS];
bit asked;				/* the IPIs of this round were sent */

bit published[STARTERS], withdrawn[STARTERS];
chan published_buffer[STARTERS] = [1] of { bit };

/* Store buffers empty themselves at any time. */
#define EMPTIES(from, to)	:: d_step { nempty(from) -> from ? v; to = v; v = 0 }

active proctype memory()
{
	byte v;

end:	do
	EMPTIES(buffer[0], word[0])
	EMPTIES(seq_buffer, seq)
	EMPTIES(published_buffer[0], published[0])
#if READERS > 1
	EMPTIES(buffer[1], word[1])
#endif
#if STARTERS > 1
	EMPTIES(published_buffer[1], published[1])
#endif
	od
}

#define MY_TURN(c, l)	(level[c] == l && nfull(buffer[c]))
#define smp_mb_on(c, l)	(level[c] == l && empty(buffer[c]))

inline store(c, v)
{
	own[c] = v; buffer[c] ! own[c]
}

/* What a section looks at: one thing of one starter, not known beforehand. */
inline section(c, l)
{
	atomic { MY_TURN(c, l); store(c, own[c] + 1) }
#if defined(NO_A)
#elif defined(A_OUTERMOST)
	if
	:: own[c] % NEST == 1 -> smp_mb_on(c, l)
	:: else
	fi;
#elif defined(IPI) && defined(ALWAYS_ASYM)
#elif defined(IPI)
	if
	:: atomic { level[c] == l && fence[c] -> skip }; smp_mb_on(c, l)
	:: atomic { level[c] == l && !fence[c] -> skip }
	fi;
#else
	smp_mb_on(c, l);
#endif
	atomic {
		level[c] == l;
		if
		:: k = 0
#if STARTERS > 1
		:: k = 1
#endif
		fi;
		r = published[k]
	}
	atomic { level[c] == l; assert(r || !withdrawn[k]); k = 0; r = 0 }

	atomic { level[c] == l; t = own[c] % NEST }
	atomic {
		MY_TURN(c, l);
		if
		:: t == 1 -> store(c, own[c] + NEST - 1)
		:: else -> store(c, own[c] - 1)
		fi;
		t = 0
	}
}

/*
 * Down: pay barriers, pass one, be left out.  Up: the other way round.  Sections
 * of this CPU's higher levels come in between.
 */
inline go_down(c)
{
#ifdef LEAVE_LATE
	atomic { level[c] == 0; in_mask[c] = 0 }
	smp_mb_on(c, 0);
	atomic { level[c] == 0; fence[c] = 1 }
#else
	atomic { level[c] == 0; fence[c] = 1 }
	smp_mb_on(c, 0);
	atomic { level[c] == 0; in_mask[c] = 0 }
#endif
	/* Dead: the dead callback answers in its stead. */
	atomic { level[c] == 0 && empty(buffer[c]); offline[c] = 1 }
}

inline come_up(c)
{
	atomic { level[c] == 0; offline[c] = 0 }
#ifdef JOIN_LATE
	atomic { level[c] == 0; fence[c] = 0 }
	atomic { level[c] == 0; in_mask[c] = 1 }
#else
	atomic { level[c] == 0; in_mask[c] = 1 }
	smp_mb_on(c, 0);
	atomic { level[c] == 0; fence[c] = 0 }
#endif
}

proctype task(byte c)
{
	byte n = SECTIONS, off = OFFLINE, t, k, r;

	do
	:: n > 0 -> section(c, 0); n--
	:: n == 0 && off == 0 -> break
#ifdef IPI
	:: off > 0 -> go_down(c); come_up(c); off--
#endif
	od
}

/* An interrupt, or an NMI; it also lands on a CPU that is on its way down or up. */
proctype nested(byte c, l)
{
	byte below, t, k, r;

	atomic { level[c] < l -> below = level[c]; level[c] = l }
	section(c, l);
	atomic { level[c] == l; level[c] = below; below = 0 }
}

#ifdef IPI
/* A CPU takes the IPI between any two steps of a task, sooner or later. */
proctype interrupts(byte c)
{
end:	do
#ifdef ACK_EARLY
	:: atomic { ipi[c] && level[c] == 0 && !offline[c] -> ipi[c] = 0 }
#else
	:: atomic { ipi[c] && level[c] == 0 && !offline[c] && empty(buffer[c]) -> ipi[c] = 0 }
#endif
	/* Not there: counted as passed. */
	:: atomic { ipi[c] && offline[c] -> ipi[c] = 0 }
	od
}
#endif

inline scan()
{
	c = 0;
	do
	:: c < READERS ->
		atomic {
			w = word[c];
			if
			:: w % NEST -> snapped[c] = w; pending[c] = 1
			:: else
			fi;
			w = 0; c++
		}
	:: else -> c = 0; break
	od
}

inline rescan()
{
	c = 0;
	do
	:: c < READERS ->
		atomic {
			w = word[c];
			if
			:: pending[c] && (w % NEST == 0 || w / NEST != snapped[c] / NEST) ->
				pending[c] = 0; snapped[c] = 0
			:: else
			fi;
			w = 0; c++
		}
	:: else -> c = 0; break
	od
}

#define NOBODY_PENDING	(!pending[0] && !pending[READERS - 1])
#define ALL_ANSWERED	(!ipi[0] && !ipi[READERS - 1])

inline ask()
{
	c = 0;
	do
	:: c < READERS -> atomic { ipi[c] = in_mask[c]; c++ }
	:: else -> c = 0; break
	od;
	asked = 1
}

inline begin()
{
	seq_buffer ! seq + 1;
#ifndef NO_D
	empty(seq_buffer);
#endif
#ifdef IPI
	ask();
#else
	scan();
#endif
	empty(seq_buffer)
}

/*
 * One go of whoever gets to drive; who does not leaves it to the driver, who
 * looks once more after it let go.
 */
inline advance()
{
	do
	:: atomic { driving -> break }
	:: atomic { !driving -> driving = 1 };
		do
		:: seq % 2 == 0 && seq >= need -> break
		:: seq % 2 == 0 && seq < need -> begin()
		:: seq % 2 == 1 && asked && !ALL_ANSWERED -> break
		:: seq % 2 == 1 && asked && ALL_ANSWERED -> scan(); asked = 0
		:: seq % 2 == 1 && !asked && NOBODY_PENDING -> seq = seq + 1
		:: seq % 2 == 1 && !asked && !NOBODY_PENDING ->
			rescan();
			if
			:: NOBODY_PENDING
			:: else -> break
			fi
		od;
		driving = 0;
		if
		:: seq % 2 == 0 && seq < need
		:: else -> break
		fi
	od
}

proctype starter(byte s)
{
	byte ticket, c, w;

	published_buffer[s] ! 1;
#ifndef NO_C
	empty(published_buffer[s]);
#endif
#ifdef JOINS_ROUND
	ticket = (seq + 1) / 2 * 2 + (seq % 2 == 0 -> 2 : 0);
#else
	ticket = (seq + 3) / 2 * 2;
#endif
	atomic {
		if
		:: need < ticket -> need = ticket
		:: else
		fi
	}
	do
	:: seq >= ticket -> break
	:: else ->
		/* The poller's turn: something may have changed. */
		advance()
	od;
	withdrawn[s] = 1
}

init
{
	byte c;

	atomic {
		do
		:: c < READERS ->
#ifdef IPI
			in_mask[c] = 1;
			run interrupts(c);
#endif
			run task(c);
#if LEVELS > 1
			run nested(c, 1);
#endif
#if LEVELS > 2
			run nested(c, 2);
#endif
			c++
		:: else -> c = 0; break
		od;
		do
		:: c < STARTERS -> run starter(c); c++
		:: else -> break
		od
	}
}
