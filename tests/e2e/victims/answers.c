/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that prints what calls answer that fail, are interrupted or are cancelled. The
 * argument says which.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static volatile sig_atomic_t calls;
static int pipe_ends[2];

/* ---- Calls --------------------------------------------------------------------------------
 */

static void count(int number)
{
	calls++;
	if (calls == 2)
		write(pipe_ends[1], "x", 1);
}

static void say(const char *name, long result)
{
	int saved_errno = errno;

	printf("%s: %ld %d\n", name, result, result == -1 ? saved_errno : 0);
	errno = 0;
}

/* The first is not restarted, the second is. */
static void interrupted(void)
{
	struct sigaction action = {.sa_handler = count};
	char byte;

	pipe(pipe_ends);
	sigaction(SIGALRM, &action, NULL);
	ualarm(20000, 0);
	say("read", read(pipe_ends[0], &byte, 1));
	signal(SIGALRM, count);
	ualarm(20000, 0);
	say("read", read(pipe_ends[0], &byte, 1));
	siginterrupt(SIGALRM, 1);
	signal(SIGALRM, count);
	ualarm(20000, 0);
	say("read", read(pipe_ends[0], &byte, 1));
}

static void answers(void)
{
	static char text[256];
	void *bad = (void *)8;
	char *block = malloc(64);
	struct iovec part = {block, 64};
	struct msghdr message = {.msg_iov = bad, .msg_iovlen = 1};
	int ends[2];

	pipe2(pipe_ends, O_NONBLOCK);
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	say("EAGAIN", read(pipe_ends[0], block, 64));
	say("EBADF", read(-1, block, 64));
	say("EBADF", fstat(-1, (void *)text));
	say("EFAULT", read(pipe_ends[0], bad, 0));
	say("EFAULT", write(pipe_ends[1], bad, 64));
	say("EFAULT", readv(pipe_ends[0], bad, 1));
	say("EINVAL", readv(pipe_ends[0], &part, -1));
	say("EINVAL", readv(pipe_ends[0], &part, 5000));
	say("EFAULT", recvmsg(ends[0], bad, MSG_DONTWAIT));
	say("EFAULT", sendmsg(ends[0], NULL, 0));
	say("EFAULT", recvmsg(ends[0], &message, MSG_DONTWAIT));
	say("EFAULT", recvmmsg(ends[0], bad, 1, MSG_DONTWAIT, NULL));
	say("EFAULT", getsockname(ends[0], (void *)text, bad));
	say("EFAULT", getsockname(ends[0], (void *)text, NULL));
	say("EFAULT", getsockopt(ends[0], SOL_SOCKET, SO_TYPE, text, bad));
	say("EINVAL", getline(NULL, NULL, stdin));
	say("ENOTTY", ioctl(pipe_ends[0], 0x5413, text));
	say("none", poll(NULL, 0, 0));
	say("none", write(pipe_ends[1], NULL, 0));
	free(block);
}

static void *read_for_ever(void *unused)
{
	char byte;

	read(pipe_ends[0], &byte, 1);
	return NULL;
}

static void *poll_for_ever(void *unused)
{
	struct pollfd file = {.fd = pipe_ends[0], .events = POLLIN};

	poll(&file, 1, -1);
	return NULL;
}

static void *suspend_for_ever(void *unused)
{
	sigset_t set;

	sigfillset(&set);
	sigsuspend(&set);
	return NULL;
}

static void cancelled(void)
{
	static void *(*const starts[])(void *) = {read_for_ever, poll_for_ever,
	                                          suspend_for_ever};
	pthread_t thread;
	void *result;

	pipe(pipe_ends);
	for (int i = 0; i < 3; i++) {
		pthread_create(&thread, NULL, starts[i], NULL);
		usleep(10000);
		pthread_cancel(thread);
		pthread_join(thread, &result);
		printf("%d\n", result == PTHREAD_CANCELED);
	}
}

static void broken_pipe(void)
{
	pipe(pipe_ends);
	close(pipe_ends[0]);
	signal(SIGPIPE, SIG_IGN);
	say("EPIPE", write(pipe_ends[1], "x", 1));
	fflush(stdout);
	signal(SIGPIPE, SIG_DFL);
	write(pipe_ends[1], "x", 1);
}

static void refused(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int wrong = 0;

	pthread_attr_init(&attributes);
	printf("%d\n", pthread_attr_setstacksize(&attributes, (size_t)1 << 50));
	for (int i = 0; i < 10000; i++)
		wrong += pthread_create(&thread, &attributes, read_for_ever, NULL) != EAGAIN;
	printf("%d\n", wrong);
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
        {"interrupted", interrupted}, {"answers", answers}, {"cancelled", cancelled},
        {"broken-pipe", broken_pipe}, {"refused", refused},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(argv[1], acts[i].name) == 0) {
			acts[i].act();
			return 0;
		}
	}
	return 2;
}
