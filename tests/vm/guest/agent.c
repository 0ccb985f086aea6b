// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run CMD in the guest and carry its output to the host.
 *
 * CMD writes into pipes, as it would anywhere else; the ports behind them can be
 * opened once only and are terminals in user-mode Linux. When CMD is gone so is
 * whatever it left running, hence the pipes come to an end; an end mark with the
 * run's nonce then tells the host that it has all of a stream.
 *
 * agent OUT ERR NONCE ARGV TERMINAL CWD
 * ARGV is a file: number of environment strings, those, then CMD and its
 * arguments, each ended by a NUL. With TERMINAL, CMD gets it in place of pipes.
 * CMD's status goes to /run/vm/status, 128 + number for a signal.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* A byte that UTF-8 has not: the host need only hold back what follows one. */
#define END_MARK 0xff

struct stream {
	int port;	/* to the host */
	int pipe[2];	/* from CMD */
	int ended;
};

static void write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err(1, "writing to the host");
		data += n;
		len -= n;
	}
}

static void open_stream(struct stream *s, const char *port)
{
	s->port = open(port, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (s->port < 0)
		err(1, "%s", port);
	if (pipe2(s->pipe, O_CLOEXEC))
		err(1, "pipe");
	s->ended = 0;
}

static void pump(struct stream *s)
{
	char buf[65536];
	ssize_t n = read(s->pipe[0], buf, sizeof(buf));

	if (n > 0)
		write_all(s->port, buf, n);
	else if (n == 0)
		s->ended = 1;
	else if (errno != EINTR)
		err(1, "reading CMD's output");
}

static void end_stream(struct stream *s, const char *nonce)
{
	char mark = (char)END_MARK;

	write_all(s->port, &mark, 1);
	write_all(s->port, nonce, strlen(nonce));
}

static char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *data = malloc(4 << 20);

	if (!f || !data)
		err(1, "%s", path);
	*len = fread(data, 1, 4 << 20, f);
	fclose(f);
	return data;
}

/* The strings of the file, with NULL after the environment and at the end. */
static char **parse(char *data, size_t len, char ***env)
{
	size_t n = 0, nenv = atoi(data);
	char **list = calloc(len + 3, sizeof(*list));

	if (!list)
		err(1, "calloc");
	for (char *s = data + strlen(data) + 1; s < data + len; s += strlen(s) + 1) {
		list[n++] = s;
		if (n == nenv)
			n++;
	}
	*env = list;
	return list + nenv + 1;
}

static void run(char **argv, char **env, const char *terminal, const char *cwd,
		struct stream *out, struct stream *error)
{
	int in, o = out->pipe[1], e = error->pipe[1];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	in = open(*terminal ? terminal : "/dev/null", O_RDWR);
	if (*terminal) {
		ioctl(in, TIOCSCTTY, 1);
		o = in;
		e = in;
	}
	dup2(e, 2);
	dup2(o, 1);
	dup2(in, 0);
	closefrom(3);
	if (chdir(cwd))
		err(126, "%s", cwd);
	environ = env;
	execvp(argv[0], argv);
	err(errno == ENOENT ? 127 : 126, "%s", argv[0]);
}

static int status_of(int wstatus)
{
	return WIFSIGNALED(wstatus) ? 128 + WTERMSIG(wstatus) : WEXITSTATUS(wstatus);
}

/* Reap everything that is dead; true once there is no child left. */
static int reap(pid_t cmd, int *status)
{
	int wstatus;
	pid_t pid;

	while ((pid = waitpid(-1, &wstatus, WNOHANG)) > 0) {
		if (pid != cmd)
			continue;
		*status = status_of(wstatus);
		/* All but process 1 and this one. */
		kill(-1, SIGKILL);
	}
	return pid < 0;
}

int main(int argc, char **argv)
{
	struct stream out, error;
	int status = -1, children = 1, sigfd;
	sigset_t mask;
	char **cmd, **env, *data;
	size_t len;
	FILE *f;
	pid_t pid;

	if (argc != 7)
		errx(1, "usage: agent OUT ERR NONCE ARGV TERMINAL CWD");
	data = read_file(argv[4], &len);
	cmd = parse(data, len, &env);
	open_stream(&out, argv[1]);
	open_stream(&error, argv[2]);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	sigfd = signalfd(-1, &mask, SFD_CLOEXEC);

	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid)
		run(cmd, env, argv[5], argv[6], &out, &error);
	close(out.pipe[1]);
	close(error.pipe[1]);

	while (children || !out.ended || !error.ended) {
		struct pollfd fds[] = {
			{ .fd = children ? sigfd : -1, .events = POLLIN },
			{ .fd = out.ended ? -1 : out.pipe[0], .events = POLLIN },
			{ .fd = error.ended ? -1 : error.pipe[0], .events = POLLIN },
		};
		struct signalfd_siginfo info;

		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[0].revents && read(sigfd, &info, sizeof(info)) > 0)
			children = !reap(pid, &status);
		if (fds[1].revents)
			pump(&out);
		if (fds[2].revents)
			pump(&error);
	}
	f = fopen("/run/vm/status", "w");
	if (!f || fprintf(f, "%d\n", status) < 0 || fclose(f))
		err(1, "/run/vm/status");
	end_stream(&out, argv[3]);
	end_stream(&error, argv[3]);
	return 0;
}
