// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process to be traced. It does what it reads from its standard input, line by
 * line, and answers each with one line.
 *
 *   call I N       call function I N times
 *   all N          call each function N times
 *   odd N          call each of the odd returns N times
 *   threads T I N  the same as call in T threads at once
 *   spin T         T threads begin to call the first SPIN functions for ever
 *   stop           they end; answers how many rounds they made in all
 *   text           compare the functions' bytes with the file: "same" or where
 *   fork I N       a child calls, compares the bytes and exits: answers its status
 *   vfork I N      the same in a child that shares the memory
 *   share I N      a process by clone(CLONE_VM) that calls each time it reads a
 *                  byte from its end of a pipe, and outlives this one; answers
 *                  its pid and the other end
 *   twin I N       the same with memory of its own, as after a fork
 *   leader         the first thread exits, another one goes on
 *   exec           become this program again
 *   shared         map the text once more, shared; answers where
 *
 * At the start it says: its pid, where functions are, how many and how far apart,
 * the offset of their return, and the addresses of the odd ones.
 */
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "probed.h"

#define SPIN	50

typedef void (*function)(void);

static atomic_bool spinning;
static atomic_long rounds;
static pthread_t spinners[64];
static int nr_spinners;
static char **args;

static void call(long i, long n)
{
	function fn = (function)(probed_start + i * PROBED_STRIDE);

	while (n--)
		fn();
}

static void call_odd(long n)
{
	while (n--) {
		((function)odd_retimm)();
		((function)odd_repret)();
		((function)odd_bndret)();
	}
}

/* Where the file has what is at @addr. */
static int find_offset(struct dl_phdr_info *info, size_t size, void *arg)
{
	unsigned long *where = arg, addr = where[0];

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *ph = &info->dlpi_phdr[i];
		unsigned long start = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type == PT_LOAD && addr - start < ph->p_filesz) {
			where[1] = ph->p_offset + (addr - start);
			return 1;
		}
	}
	return 1;	/* the program comes first */
}

static int open_self(unsigned long *offset)
{
	unsigned long where[2] = { (unsigned long)probed_start, 0 };

	dl_iterate_phdr(find_offset, where);
	*offset = where[1];
	return open("/proc/thread-self/exe", O_RDONLY | O_CLOEXEC);
}

/* -1: the same, else the first byte that differs. */
static long compare(void)
{
	size_t len = probed_end - probed_start;
	static char file[1 << 20];
	unsigned long offset;
	int fd = open_self(&offset);

	if (pread(fd, file, len, offset) != (ssize_t)len)
		abort();
	close(fd);
	for (size_t i = 0; i < len; i++) {
		if (file[i] != probed_start[i])
			return i;
	}
	return -1;
}

struct work {
	long i, n;
};

static void *call_thread(void *arg)
{
	struct work *w = arg;

	call(w->i, w->n);
	return NULL;
}

static void threads(int nr, long i, long n)
{
	struct work w = { i, n };
	pthread_t t[64];

	for (int k = 0; k < nr; k++)
		pthread_create(&t[k], NULL, call_thread, &w);
	for (int k = 0; k < nr; k++)
		pthread_join(t[k], NULL);
}

static void *spin_thread(void *arg)
{
	while (atomic_load(&spinning)) {
		for (long i = 0; i < SPIN; i++)
			call(i, 1);
		atomic_fetch_add(&rounds, 1);
	}
	return NULL;
}

static void spin(int nr)
{
	atomic_store(&spinning, true);
	atomic_store(&rounds, 0);
	nr_spinners = nr;
	for (int k = 0; k < nr; k++)
		pthread_create(&spinners[k], NULL, spin_thread, NULL);
}

static long stop(void)
{
	atomic_store(&spinning, false);
	for (int k = 0; k < nr_spinners; k++)
		pthread_join(spinners[k], NULL);
	return atomic_load(&rounds);
}

/* What the parent's status of a child tells, in a word. */
static const char *status_text(int status, char *buf)
{
	if (WIFSIGNALED(status))
		sprintf(buf, "signal %d", WTERMSIG(status));
	else
		sprintf(buf, "exit %d", WEXITSTATUS(status));
	return buf;
}

/* The child's exit code is 0, or 1 where function I's bytes were not restored. */
static const char *forked(long i, long n, char *buf)
{
	const char *fn = probed_start + i * PROBED_STRIDE;
	int status;
	pid_t pid = fork();

	if (!pid) {
		call(i, n);
		_exit((unsigned char)fn[0] == 0x55 &&
		      (unsigned char)fn[PROBED_RET] == 0xc3 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return status_text(status, buf);
}

static const char *vforked(long i, long n, char *buf)
{
	int status;
	pid_t pid = vfork();

	if (!pid) {
		call(i, n);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status_text(status, buf);
}

static int share_pipe[2];

static int share_main(void *arg)
{
	struct work *w = arg;
	char byte;

	while (read(share_pipe[0], &byte, 1) == 1)
		call(w->i, w->n);
	return 0;
}

/* The driver writes to the pipe through /proc, and kills the process. */
static pid_t share(long i, long n, int flags)
{
	static struct work w;
	static char stack[65536] __attribute__((aligned(16)));

	w = (struct work){ i, n };
	if (pipe(share_pipe))
		abort();
	return clone(share_main, stack + sizeof(stack), flags | SIGCHLD, &w);
}

static void *map_shared(void)
{
	unsigned long offset;
	int fd = open_self(&offset);
	void *p = mmap(NULL, probed_end - probed_start, PROT_READ | PROT_EXEC,
		       MAP_SHARED, fd, offset);

	close(fd);
	return p;
}

static void hello(void)
{
	printf("pid %d start %p count %d stride %d ret %d spin %d", getpid(),
	       probed_start, PROBED_COUNT, PROBED_STRIDE, PROBED_RET, SPIN);
#define ODD(name)	printf(" " #name " %p", odd_##name)
	ODD(syscall);
	ODD(sysenter);
	ODD(int);
	ODD(pushf);
	ODD(rep);
	ODD(xbegin);
	ODD(int3);
	ODD(lock);
	ODD(retimm);
	ODD(repret);
	ODD(bndret);
	printf("\n");
}

static void *serve(void *unused)
{
	char line[128], word[32], buf[32];
	long a, b, c, at;

	while (fgets(line, sizeof(line), stdin)) {
		a = 0;
		b = 0;
		c = 0;
		if (sscanf(line, "%31s %ld %ld %ld", word, &a, &b, &c) < 1)
			continue;
		if (!strcmp(word, "call")) {
			call(a, b);
			puts("ok");
		} else if (!strcmp(word, "all")) {
			for (long i = 0; i < PROBED_COUNT; i++)
				call(i, a);
			puts("ok");
		} else if (!strcmp(word, "odd")) {
			call_odd(a);
			puts("ok");
		} else if (!strcmp(word, "threads")) {
			threads(a, b, c);
			puts("ok");
		} else if (!strcmp(word, "spin")) {
			spin(a);
			puts("ok");
		} else if (!strcmp(word, "stop")) {
			printf("%ld\n", stop());
		} else if (!strcmp(word, "text")) {
			at = compare();
			if (at < 0)
				puts("same");
			else
				printf("differs at %ld\n", at);
		} else if (!strcmp(word, "fork")) {
			puts(forked(a, b, buf));
		} else if (!strcmp(word, "vfork")) {
			puts(vforked(a, b, buf));
		} else if (!strcmp(word, "share") || !strcmp(word, "twin")) {
			at = share(a, b, word[0] == 's' ? CLONE_VM : 0);
			printf("%ld %d\n", at, share_pipe[1]);
		} else if (!strcmp(word, "shared")) {
			printf("%p\n", map_shared());
		} else if (!strcmp(word, "leader")) {
			pthread_t t;

			pthread_create(&t, NULL, serve, NULL);
			puts("ok");
			pthread_exit(NULL);
		} else if (!strcmp(word, "exec")) {
			execv("/proc/self/exe", args);
			puts("failed");
		} else {
			puts("what?");
		}
	}
	exit(0);
}

int main(int argc, char **argv)
{
	args = argv;
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* A line at a time, so that nothing is lost in the buffer at exec. */
	setvbuf(stdin, NULL, _IONBF, 0);
	hello();
	serve(NULL);
}
