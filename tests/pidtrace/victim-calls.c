// SPDX-License-Identifier: GPL-2.0-only
/*
 * victim-calls - functions that are called a known number of times
 *
 *   victim-calls [wait] [exec | die | LOOPS]
 *
 * Counts for itself how often each function is called and how often it
 * returns, and prints that in the end, a line for each: name, calls, returns.
 * "wait": says "ready" first and reads a line. "exec", "die": becomes
 * /bin/true, or segfaults, instead of ending. LOOPS: does all of it so often.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, CROWD = 1200, DEEP = 200 };

#define COUNTED __attribute__((noinline, noclone))

static struct count {
	const char *name;
	unsigned long calls, returns;
} counts[32];

static unsigned long *count_of(const char *name, int returns)
{
	struct count *c = counts;

	while (c->name && strcmp(c->name, name))
		c++;
	c->name = name;
	return returns ? &c->returns : &c->calls;
}

#define ENTER()	__atomic_add_fetch(count_of(__func__, 0), 1, __ATOMIC_RELAXED)
#define LEAVE()	__atomic_add_fetch(count_of(__func__, 1), 1, __ATOMIC_RELAXED)

/* So that no thread is the first to use an entry of the table. */
static void reserve(const char *name)
{
	count_of(name, 0);
}

COUNTED void counted(void)
{
	ENTER();
	LEAVE();
}

COUNTED int recursive(int depth)
{
	int result = 0;

	ENTER();
	if (depth > 1)
		result = recursive(depth - 1) + 1;
	LEAVE();
	return result;
}

/* tail_caller leaves by a jump, maybe_tail sometimes; in_loop goes round seven times. */
void tail_caller(void);
void tail_callee(void);
void maybe_tail(int leave);
void in_loop(void);
__asm__(".text\n"
	".globl tail_caller\n.type tail_caller,@function\n"
	"tail_caller: nop\n jmp tail_callee\n.size tail_caller, . - tail_caller\n"
	".globl tail_callee\n.type tail_callee,@function\n"
	"tail_callee: nop\n ret\n.size tail_callee, . - tail_callee\n"
	".globl maybe_tail\n.type maybe_tail,@function\n"
	"maybe_tail: test %edi,%edi\n jnz tail_callee\n ret\n.size maybe_tail, . - maybe_tail\n"
	".globl in_loop\n.type in_loop,@function\n"
	"in_loop: mov $7,%eax\n"
	"1: dec %eax\n jnz 1b\n ret\n.size in_loop, . - in_loop\n");

static jmp_buf target;

COUNTED void left_by_longjmp(void)
{
	ENTER();
	longjmp(target, 1);
}

COUNTED void maybe_longjmp(int leave)
{
	ENTER();
	if (leave)
		longjmp(target, 1);
	LEAVE();
}

COUNTED void longjmps(void)
{
	ENTER();
	if (!setjmp(target))
		left_by_longjmp();
	for (volatile int i = 0; i < 2; i++)
		if (!setjmp(target))
			maybe_longjmp(i);
	LEAVE();
}

COUNTED void sleeps(void)
{
	struct timespec t = { .tv_nsec = 20000000 };

	ENTER();
	while (nanosleep(&t, &t))
		;
	LEAVE();
}

COUNTED void handles_signal(int sig)
{
	(void)sig;
	ENTER();
	counted();
	LEAVE();
}

COUNTED void raises_signal(void)
{
	ENTER();
	raise(SIGUSR1);
	LEAVE();
}

COUNTED void in_thread(int n)
{
	ENTER();
	if (n)
		recursive(3);
	LEAVE();
}

static void *thread(void *arg)
{
	for (int i = 0; i < 100; i++)
		in_thread(i & 1);
	return arg;
}

static sem_t inside, go_on;

COUNTED void in_crowd(void)
{
	ENTER();
	sem_post(&inside);
	while (sem_wait(&go_on))
		;
	LEAVE();
}

static void *crowd_thread(void *arg)
{
	in_crowd();
	return arg;
}

static void run_threads(int n, void *(*start)(void *), int gather)
{
	pthread_t *tid = calloc(n, sizeof(*tid));
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < n; i++)
		if (pthread_create(&tid[i], &attr, start, NULL))
			abort();
	for (int i = 0; i < n && gather; i++)
		while (sem_wait(&inside))
			;
	for (int i = 0; i < n && gather; i++)
		sem_post(&go_on);
	for (int i = 0; i < n; i++)
		pthread_join(tid[i], NULL);
	free(tid);
}

/* A child has a memory of its own: its calls are not the target's. */
static void fork_child(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		for (int i = 0; i < 10; i++)
			counted();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		abort();
}

static void work(void)
{
	for (int i = 0; i < 300; i++)
		counted();
	recursive(20);
	for (int i = 0; i < 11; i++) {
		tail_caller();
		*count_of("tail_caller", 0) += 1;
		*count_of("tail_callee", 0) += 1;
		*count_of("tail_callee", 1) += 1;
	}
	/* More often than a thread can have open calls. */
	for (int i = 0; i < 300; i++) {
		maybe_tail(i & 1);
		*count_of("maybe_tail", 0) += 1;
		*count_of("maybe_tail", 1) += !(i & 1);
		*count_of("tail_callee", 0) += i & 1;
		*count_of("tail_callee", 1) += i & 1;
	}
	for (int i = 0; i < 13; i++) {
		in_loop();
		*count_of("in_loop", 0) += 1;
		*count_of("in_loop", 1) += 1;
	}
	for (int i = 0; i < 5; i++)
		longjmps();
	sleeps();
	for (int i = 0; i < 10; i++)
		raises_signal();
	run_threads(THREADS, thread, 0);
	fork_child();
}

static void print_counts(void)
{
	for (struct count *c = counts; c->name; c++)
		printf("%s %lu %lu\n", c->name, c->calls, c->returns);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static char stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = handles_signal, .sa_flags = SA_ONSTACK };
	const char *how = argc > 1 ? argv[argc - 1] : "1";
	char line[16];

	reserve("counted");
	reserve("recursive");
	reserve("in_thread");
	reserve("in_crowd");
	sem_init(&inside, 0, 0);
	sem_init(&go_on, 0, 0);
	sigaltstack(&alternate, NULL);
	sigaction(SIGUSR1, &action, NULL);
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		puts("ready");
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			return 1;
	}
	if (!strcmp(how, "crowd"))
		run_threads(CROWD, crowd_thread, 1);
	else if (!strcmp(how, "deep"))
		recursive(DEEP);
	else
		for (int i = 0; i < (atoi(how) > 0 ? atoi(how) : 1); i++)
			work();
	print_counts();
	if (!strcmp(how, "exec"))
		execl("/bin/true", "true", NULL);
	if (!strcmp(how, "die"))
		raise(SIGSEGV);
	return 0;
}
