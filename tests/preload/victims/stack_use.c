/* SPDX-License-Identifier: Apache-2.0
 *
 * How much of its caller's stack each call needs: it is made on a stack of which every byte is
 * known, twice, and what has changed is counted. What executes a program does so in a child
 * that shares our memory. Prints "NAME FIRST SECOND".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { STACK_BYTES = 256 << 10, PAINT = 0xa5 };

void *_Znwm(size_t size);
void _ZdlPv(void *block);

static unsigned char *stack;
static uintptr_t entry; /* where the call's part begins */
static ucontext_t outside, inside;
static void (*call)(void);

static char *block;
static int zeros;
static int ends[2];
static const char *executable = "/bin/true";
static char *const arguments[] = {"true", NULL};
static char *const no_environment[] = {NULL};
extern char **environ;

/* ---- Calls --------------------------------------------------------------------------------
 */

static void call_nothing(void)
{
}

static void call_malloc(void)
{
	block = malloc(100);
}

static void call_large_malloc(void)
{
	block = malloc(300000);
}

static void call_calloc(void)
{
	block = calloc(10, 10);
}

static void call_realloc(void)
{
	block = realloc(block, 5000);
}

static void call_memalign(void)
{
	block = aligned_alloc(64, 640);
}

static void call_new(void)
{
	block = _Znwm(64);
}

static void call_delete(void)
{
	_ZdlPv(block);
}

static void call_free(void)
{
	free(block);
}

/* A finding. */
static void call_size_of_freed(void)
{
	malloc_usable_size(block);
}

static void handle(int signal)
{
	(void)signal;
}

static void call_sigaction(void)
{
	struct sigaction action = {.sa_handler = handle};

	sigaction(SIGUSR1, &action, NULL);
}

static void call_signal(void)
{
	signal(SIGUSR2, handle);
}

static void call_sigprocmask(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void call_read(void)
{
	read(zeros, block, 100);
}

static void call_write(void)
{
	write(zeros, block, 100);
}

static void call_readv(void)
{
	struct iovec parts[2] = {{block, 50}, {block + 50, 50}};

	readv(zeros, parts, 2);
}

static void call_sendmsg(void)
{
	struct iovec part = {block, 8};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	sendmsg(ends[0], &message, 0);
}

static void call_recvmsg(void)
{
	struct iovec part = {block, 8};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	recvmsg(ends[1], &message, 0);
}

static void call_poll(void)
{
	struct pollfd *file = (struct pollfd *)block;

	*file = (struct pollfd){.fd = zeros};
	poll(file, 1, 0);
}

static void call_ioctl(void)
{
	ioctl(ends[0], FIONREAD, block);
}

static void call_setsockopt(void)
{
	setsockopt(ends[0], SOL_SOCKET, SO_PRIORITY, memset(block, 0, 8), 4);
}

static void call_getrlimit(void)
{
	getrlimit(RLIMIT_CORE, (struct rlimit *)block);
}

static void call_setrlimit(void)
{
	getrlimit(RLIMIT_CORE, (struct rlimit *)block);
	setrlimit(RLIMIT_CORE, (struct rlimit *)block);
}

static void call_open(void)
{
	open(strcpy(block, "/none"), O_RDONLY);
}

static void call_fcntl(void)
{
	fcntl(ends[0], F_GETLK, block);
}

static void call_semctl(void)
{
	semctl(-1, 0, GETALL, block);
}

static void call_access(void)
{
	access(strcpy(block, "/none"), R_OK);
}

static void call_syscall(void)
{
	syscall(SYS_read, zeros, block, 100);
}

static void call_spawn(void)
{
	pid_t pid;

	posix_spawn(&pid, executable, NULL, NULL, arguments, environ);
}

static void call_spawnp(void)
{
	pid_t pid;

	posix_spawnp(&pid, "true", NULL, NULL, arguments, environ);
}

static void call_execve(void)
{
	execve(executable, arguments, environ);
}

static void call_execve_unseen(void)
{
	execve(executable, arguments, no_environment);
}

static void call_execve_bad(void)
{
	execve((char *)1, arguments, environ);
}

static void call_execv(void)
{
	execv(executable, arguments);
}

static void call_execvp(void)
{
	execvp("true", arguments);
}

static void call_execvpe(void)
{
	execvpe("true", arguments, environ);
}

static void call_execl(void)
{
	execl(executable, "true", "more", NULL);
}

static void call_execlp(void)
{
	execlp("true", "true", NULL);
}

static void call_execle(void)
{
	execle(executable, "true", NULL, environ);
}

static void call_execveat(void)
{
	execveat(AT_FDCWD, executable, arguments, environ, 0);
}

static void call_fexecve(void)
{
	int fd = open(executable, O_RDONLY);

	fexecve(fd, arguments, environ);
}

static const struct {
	const char *name;
	void (*call)(void);
	int is_executing;
} rows[] = {
        {"nothing", call_nothing, 0},
        {"malloc", call_malloc, 0},
        {"free", call_free, 0},
        {"size-of-freed", call_size_of_freed, 0},
        {"malloc-large", call_large_malloc, 0},
        {"free-large", call_free, 0},
        {"calloc", call_calloc, 0},
        {"realloc", call_realloc, 0},
        {"free-realloc", call_free, 0},
        {"memalign", call_memalign, 0},
        {"free-memalign", call_free, 0},
        {"new", call_new, 0},
        {"delete", call_delete, 0},
        {"malloc-again", call_malloc, 0},
        {"sigaction", call_sigaction, 0},
        {"signal", call_signal, 0},
        {"sigprocmask", call_sigprocmask, 0},
        {"read", call_read, 0},
        {"write", call_write, 0},
        {"readv", call_readv, 0},
        {"sendmsg", call_sendmsg, 0},
        {"recvmsg", call_recvmsg, 0},
        {"poll", call_poll, 0},
        {"ioctl", call_ioctl, 0},
        {"setsockopt", call_setsockopt, 0},
        {"getrlimit", call_getrlimit, 0},
        {"setrlimit", call_setrlimit, 0},
        {"open", call_open, 0},
        {"access", call_access, 0},
        {"fcntl", call_fcntl, 0},
        {"semctl", call_semctl, 0},
        {"syscall", call_syscall, 0},
        {"posix_spawn", call_spawn, 0},
        {"posix_spawnp", call_spawnp, 0},
        {"execve", call_execve, 1},
        {"execve-unseen", call_execve_unseen, 1},
        {"execve-bad", call_execve_bad, 1},
        {"execv", call_execv, 1},
        {"execvp", call_execvp, 1},
        {"execvpe", call_execvpe, 1},
        {"execl", call_execl, 1},
        {"execlp", call_execlp, 1},
        {"execle", call_execle, 1},
        {"execveat", call_execveat, 1},
        {"fexecve", call_fexecve, 1},
};

/* ---- Measuring ----------------------------------------------------------------------------
 */

static void enter(void)
{
	entry = (uintptr_t)__builtin_frame_address(0);
	call();
}

static int enter_child(void *unused)
{
	enter();
	syscall(SYS_exit, 0);
	return unused != NULL;
}

/* The stack is one whose end is known beforehand: natively nothing needs more. */
static void run(int is_executing)
{
	int status;

	if (is_executing) {
		pid_t pid = clone(enter_child, stack + STACK_BYTES,
		                  CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

		waitpid(pid, &status, 0);
		return;
	}
	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = STACK_BYTES;
	inside.uc_link = &outside;
	makecontext(&inside, enter, 0);
	swapcontext(&outside, &inside);
}

static size_t measure(size_t row)
{
	size_t clean = 0;

	memset(stack, PAINT, STACK_BYTES);
	call = rows[row].call;
	run(rows[row].is_executing);
	while (clean < STACK_BYTES && stack[clean] == PAINT)
		clean++;
	return entry - (uintptr_t)(stack + clean);
}

int main(int argc, char **argv)
{
	static char text[100];

	stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	             0);
	zeros = open("/dev/zero", O_RDWR);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		size_t first, second;

		if (argc > 1 && strcmp(argv[1], rows[row].name) != 0)
			continue;
		first = measure(row);
		/* What a call has made or freed it cannot make or free again. */
		second =
		        strncmp(rows[row].name, "free", 4) == 0 || rows[row].call == call_delete
		                ? first
		                : measure(row);
		snprintf(text, sizeof(text), "%s %zu %zu\n", rows[row].name, first, second);
		syscall(SYS_write, 1, text, strlen(text));
	}
	return 0;
}
