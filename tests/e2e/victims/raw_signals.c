/* SPDX-License-Identifier: Apache-2.0
 *
 * As signals.c: signals that a process sends while they are blocked and that the program waits
 * for, and handlers and masks by the system calls' numbers. Those whose names start with "bad"
 * end with a bad access.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BLOCK = 16, SET_BYTES = 8 };

/* The kernel's layout. */
struct action {
	void (*handler)(int number, siginfo_t *info, void *context);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static sigjmp_buf escape;
static void *volatile seen_address;
static volatile char sink;

static void access_badly(void)
{
	volatile char *block = malloc(BLOCK); /* plant: allocation */

	sink = block[BLOCK]; /* plant: access */
}

/* ---- Sent and waited for ------------------------------------------------------------------
 */

static sigset_t one_set(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	return set;
}

static void *wait_for(void *set)
{
	int number = 0;

	sigwait(set, &number);
	return (void *)(intptr_t)number;
}

/* Before the thread waits, while it does, and to it alone. */
static void wait_in_thread(sigset_t *set)
{
	void *number;
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		pthread_create(&thread, NULL, wait_for, set);
		if (i == 1)
			usleep(50000);
		if (i < 2)
			kill(getpid(), SIGSEGV);
		else
			pthread_kill(thread, SIGSEGV);
		pthread_join(thread, &number);
		printf("thread: %d\n", (int)(intptr_t)number);
	}
}

static void say(int number)
{
	static const char text[] = "handled\n";

	(void)number;
	fflush(stdout);
	(void)!write(STDOUT_FILENO, text, sizeof(text) - 1);
}

static void waited_for(void)
{
	struct signalfd_siginfo read_info;
	sigset_t set = one_set(SIGSEGV);
	sigset_t none;
	sigset_t pending;
	siginfo_t info;
	int number = 0;

	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGSEGV);
	sigpending(&pending);
	sigwait(&set, &number);
	printf("pending %d, waited for %d\n", sigismember(&pending, SIGSEGV), number);
	raise(SIGSEGV);
	number = sigwaitinfo(&set, &info);
	printf("%d of ours: %d\n", number, info.si_pid == getpid());
	wait_in_thread(&set);
	int fd = signalfd(-1, &set, 0);
	kill(getpid(), SIGSEGV);
	printf("read %d bytes", (int)read(fd, &read_info, sizeof(read_info)));
	printf(" of %u\n", read_info.ssi_signo);
	signal(SIGSEGV, say);
	sigemptyset(&none);
	kill(getpid(), SIGSEGV);
	puts("unblocked");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGSEGV);
	puts("set");
	sigprocmask(SIG_SETMASK, &none, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGSEGV);
	puts("suspended");
	sigsuspend(&none);
}

/* ---- By number ----------------------------------------------------------------------------
 */

static void leap(int number, siginfo_t *info, void *context)
{
	(void)context;
	seen_address = info->si_addr;
	siglongjmp(escape, number);
}

static void handle_by_number(void)
{
	struct action action = {.handler = leap, .flags = SA_SIGINFO | SA_NODEFER};
	struct action old;

	printf("%ld", syscall(SYS_rt_sigaction, SIGSEGV, &action, &old, SET_BYTES));
	printf(" default %d\n", (void *)old.handler == (void *)SIG_DFL);
	syscall(SYS_rt_sigaction, SIGSEGV, NULL, &old, SET_BYTES);
	printf("back %d %d\n", old.handler == leap, (old.flags & SA_SIGINFO) != 0);
}

static void by_number(void)
{
	const uint64_t both = 1u << (SIGSEGV - 1) | 1u << (SIGUSR1 - 1);
	uint64_t old = 1;

	handle_by_number();
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &both, &old, SET_BYTES);
	printf("%llx", (unsigned long long)old);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &old, SET_BYTES);
	printf(" %llx\n", (unsigned long long)old);
	long status = syscall(SYS_rt_sigaction, SIGSEGV, (void *)1, NULL, SET_BYTES);
	printf("%ld %d\n", status, errno);
	status = syscall(SYS_rt_sigaction, NSIG + 1, NULL, NULL, SET_BYTES);
	printf("%ld %d\n", status, errno);
	status = syscall(SYS_rt_sigprocmask, SIG_BLOCK, &both, NULL, SET_BYTES * 2);
	printf("%ld %d\n", status, errno);
}

/* The program's handler is called, once. */
static void handled_by_number(void)
{
	handle_by_number();
	if (sigsetjmp(escape, 1) == 0)
		access_badly();
	printf("seen %d\n", seen_address != NULL);
}

static void bad_blocked_by_number(void)
{
	const uint64_t all = ~UINT64_C(0);

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, SET_BYTES);
	access_badly();
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
        {"waited-for", waited_for},
        {"by-number", by_number},
        {"handled-by-number", handled_by_number},
        {"bad-blocked-by-number", bad_blocked_by_number},
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
