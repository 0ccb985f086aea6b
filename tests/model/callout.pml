/* SPDX-License-Identifier: GPL-2.0-only
 *
 * One callout from when it is armed until its memory is freed, timeout/callout.c and
 * timeout/run.c: the timer, two threads of the pool, ARMERS that arm it ARMINGS times
 * each, the function, which arms it again FROM_FUNCTION times, PERIODS further
 * armings if it is periodic, and STOPS that are waited for.  With MUTEX there is one,
 * and a task that stops the callout while it holds that.
 *
 * What is done under one hold of the table's lock is one step.
 *
 * Must hold: each arming is either cancelled or run, exactly once; the function never
 * runs twice at a time; when a stop that waits has returned it is idle, and once that
 * is so and nobody arms it nothing touches it any more; who holds the mutex and has
 * stopped it is not called upon; everybody ends.
 *
 * Wrong variants, each found: see run.
 */
#ifndef ARMERS
#define ARMERS 1
#endif
#ifndef ARMINGS
#define ARMINGS 2
#endif
#ifndef FROM_FUNCTION
#define FROM_FUNCTION 0
#endif
#ifndef PERIODS
#define PERIODS 0
#endif
#ifndef STOPS
#define STOPS 1
#endif
#define MOST (ARMERS * ARMINGS + FROM_FUNCTION + PERIODS + 1)

#define IDLE 0
#define ARMED 1
#define FIRED 2

/* The callout, and the entry in it: pending in the pool. */
byte state, no;			/* of the arming that it is in */
bit taken, again, revoked, period, pending;
byte taken_no;
/* The run, on the stack of the thread. */
bit running, locking, run_again, run_cancelled;
bit mutex;
byte waiting;			/* for the end of the run */
/* What only the model knows. */
byte inside, given, periods = PERIODS, from_function = FROM_FUNCTION, armers = ARMERS;
byte run_no;			/* of the arming that the run is for */
bit ran[MOST], cancelled[MOST];
bit over;			/* stopped since it was armed by someone */
bit freed;
#ifdef MUTEX
byte holders = 1;
#else
byte holders;
#endif

inline used()
{
	assert(!freed)
}

inline end_cancelled(which)
{
	assert(!ran[which] && !cancelled[which]);
	cancelled[which] = 1
}

/* xcallout_cancel() */
inline cancel()
{
	used();
#ifdef PERIOD_KEPT
	if
	:: state == ARMED -> period = 0
	:: else
	fi;
#else
	period = 0;
#endif
	if
	:: state == ARMED -> state = IDLE; end_cancelled(no)
	:: state == FIRED && taken -> again = 0; state = IDLE; end_cancelled(no)
	:: state == FIRED && !taken && run_again -> run_again = 0; state = IDLE; end_cancelled(no)
	:: state == FIRED && !taken && !run_again && pending ->
		pending = 0; state = IDLE; end_cancelled(no)
#ifdef TAKES_WHAT_IS_GONE
	:: state == FIRED && !taken && !run_again && !pending -> state = IDLE; end_cancelled(no)
#else
	:: state == FIRED && !taken && !run_again && !pending
#endif
	:: state == IDLE
	fi
}

/* xcallout_insert() */
inline insert()
{
	used();
	assert(state == IDLE);
	given++;
	no = given;
	state = ARMED
}

/* xcallout_arm() */
inline arm()
{
	cancel();
	if
	:: state == FIRED ->
		assert(!taken);
#ifndef NOT_LEFT
		taken = 1;
#endif
		taken_no = no;
		state = IDLE
	:: else
	fi;
	insert();
	over = 0;
	period = PERIODS > 0
}

/* xcallout_fire() */
active proctype timer()
{
end:	do
	:: atomic { state == ARMED ->
		used();
		state = FIRED;
		if
		:: taken -> again = 1
#ifndef RUNS_BESIDE_ITSELF
		:: !taken && running -> run_again = 1
		:: !taken && !running -> assert(!pending); pending = 1
#else
		:: !taken -> assert(!pending); pending = 1
#endif
		fi
	   }
	od
}

/* xcallout_run() */
active [2] proctype thread()
{
	bit call, holds;

end:	do
	:: atomic { pending -> pending = 0 };
		/* run_begin() */
		atomic {
			used();
			assert(!running);
			run_cancelled = revoked;
			revoked = 0;
			if
			:: taken ->
				taken = 0;
				run_no = taken_no;
				run_again = again;
				again = 0
			:: else ->
				assert(state == FIRED);
				run_no = no;
				state = IDLE;
				if
				:: period && !run_cancelled && periods ->
					assert(!over);
					periods--;
					insert()
				:: else
				fi
			fi;
			running = 1;
#ifdef MUTEX
			locking = 1;
#endif
			call = !run_cancelled
		};
#ifdef MUTEX
		if
		:: call ->
#ifdef LOOKS_BEFORE_THE_MUTEX
			atomic { locking = 0; call = !run_cancelled };
			atomic { !mutex -> mutex = 1; holds = 1 };
#else
			atomic { !mutex -> mutex = 1; holds = 1 };
			atomic { locking = 0; call = !run_cancelled };
#endif
		:: else
		fi;
#endif
		if
		:: call ->
			atomic {
				inside++;
				assert(inside == 1);
				assert(!ran[run_no] && !cancelled[run_no]);
				ran[run_no] = 1
			};
			do
			:: atomic { from_function -> from_function--; arm() }
			:: break
			od;
			inside--
		:: else
		fi;
		if
		:: holds -> atomic { mutex = 0; holds = 0 }
		:: else
		fi;
		/* run_end() */
		atomic {
			running = 0;
			run_no = 0;
			call = 0;
			if
			:: run_again -> used(); assert(!pending); pending = 1; run_again = 0
			:: else
			fi;
			waiting = 0
		}
	od
}

active [ARMERS] proctype armer()
{
	byte n = ARMINGS;

	do
	:: n -> atomic { n--; arm() }
	:: else -> break
	od;
	armers--
}

/* callout_revoke() */
inline revoke()
{
	if
	:: taken && !revoked -> revoked = 1; end_cancelled(taken_no)
	:: !taken && state == FIRED && !revoked -> revoked = 1; end_cancelled(no)
	:: !taken && state != FIRED && running && locking && !run_cancelled ->
		run_cancelled = 1;
		end_cancelled(run_no)
	:: else
	fi
}

#ifdef MUTEX
/* xcallout_stop(), by one who holds the mutex */
active proctype holder()
{
	atomic { !mutex -> mutex = 1 };
	atomic {
		cancel();
		over = 1;
		revoke();
		/* Else it would be told so. */
		assert(!running || run_cancelled || ran[run_no]);
		assert(!inside)
	};
	atomic { mutex = 0; holders-- }
}
#endif

/* xcallout_stop_sync() */
inline stop_sync()
{
	idle = 0;
	do
	:: !idle ->
		atomic {
			cancel();
			over = 1;
#ifdef MUTEX
			revoke();
#endif
			idle = state != FIRED && !taken && !running;
#ifdef WAITS_TOO_LATE
			skip
		};
		atomic {
#endif
			if
			:: idle
			:: else -> waiting = 1
			fi
		};
		if
		:: idle
		:: !idle -> !waiting
		fi
	:: else -> break
	od
}

active proctype stopper()
{
	byte n = STOPS;
	bit idle;

	do
	:: n -> n--; stop_sync()
	:: else -> break
	od;
	/* When nobody arms it any more its owner may free it. */
	!armers && !holders;
	stop_sync();
	assert(!inside && !pending && !running);
	freed = 1;
	n = given;
	do
	:: n -> assert(ran[n] + cancelled[n] == 1); n--
	:: else -> break
	od
}
