/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that has its own ideas about signals and threads, and knows nothing of Fencepost.
 * It prints what libc and the kernel answer. The argument says what it does; those whose names
 * start with "bad" end with a bad access.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

enum { BLOCK = 16, RESTORER = 0x04000000 };

static sigjmp_buf escape;
static volatile sig_atomic_t calls;
static void *volatile seen_address;
static volatile int seen_code;
static volatile char sink;

static void access_badly(void)
{
	volatile char *block = malloc(BLOCK); /* plant: allocation */

	sink = block[BLOCK]; /* plant: access */
}

/* ---- Handlers of its own ------------------------------------------------------------------
 */

static void leap(int number)
{
	calls++;
	siglongjmp(escape, number);
}

static void leap_with(int number, siginfo_t *info, void *context)
{
	seen_address = info->si_addr;
	seen_code = info->si_code;
	leap(number);
}

static void say_set(const char *name, const sigset_t *set)
{
	printf("%s:", name);
	for (int number = 1; number < NSIG; number++)
		if (sigismember(set, number) == 1)
			printf(" %d", number);
	printf("\n");
}

static void say_mask(const char *name)
{
	sigset_t mask;

	printf("%d ", pthread_sigmask(SIG_BLOCK, NULL, &mask));
	say_set(name, &mask);
}

static void fall_three_times(void)
{
	for (volatile int i = 0; i < 3; i++) {
		int number = sigsetjmp(escape, 1);

		if (number == 0)
			sink = *(volatile char *)(uintptr_t)(8 + i);
		printf("signal %d at %p, code %d\n", number, seen_address, seen_code);
		say_mask("mask");
	}
}

static void recover_sigaction(void)
{
	struct sigaction action = {.sa_sigaction = leap_with, .sa_flags = SA_SIGINFO};

	printf("%d\n", sigaction(SIGSEGV, &action, NULL));
	fall_three_times();
}

static void recover_signal(void)
{
	printf("%d\n", signal(SIGSEGV, leap) == SIG_DFL);
	fall_three_times();
	printf("%d\n", signal(SIGSEGV, SIG_DFL) == leap);
	printf("%d\n", bsd_signal(SIGBUS, leap) == SIG_DFL);
	printf("%d\n", signal(SIGBUS, SIG_IGN) == leap);
}

static void say_action(int number)
{
	struct sigaction action;

	printf("%d ", sigaction(number, NULL, &action));
	printf("%d: %d %d %d flags %x ", number, action.sa_handler == SIG_DFL,
	       action.sa_handler == leap, action.sa_sigaction == leap_with,
	       action.sa_flags & ~RESTORER);
	say_set("mask", &action.sa_mask);
}

static void remember(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGUSR1, SIGTRAP};
	struct sigaction action = {.sa_sigaction = leap_with,
	                           .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};

	for (int i = 0; i < 4; i++) {
		say_action(numbers[i]);
		sigfillset(&action.sa_mask);
		sigdelset(&action.sa_mask, SIGKILL);
		sigdelset(&action.sa_mask, SIGSTOP);
		printf("%d\n", sigaction(numbers[i], &action, NULL));
		say_action(numbers[i]);
		sigemptyset(&action.sa_mask);
		printf("%d\n", sigaction(numbers[i], &action, NULL));
		say_action(numbers[i]);
		printf("%d\n", signal(numbers[i], leap) == (sighandler_t)leap_with);
		say_action(numbers[i]);
		printf("%d\n", sysv_signal(numbers[i], leap) == leap);
		say_action(numbers[i]);
	}
}

static volatile int real_time_count;

static void count_real_time(int number)
{
	real_time_count += number;
}

/* All of them: none is anybody else's. */
static void real_time(void)
{
	struct sigaction action = {.sa_handler = count_real_time};
	struct sigaction old;
	sigset_t all;

	for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
		printf("%d", signal(number, SIG_DFL) == SIG_DFL);
		printf("%d ",
		       sigaction(number, &action, &old) == 0 && old.sa_handler == SIG_DFL);
		kill(getpid(), number);
	}
	printf("%d\n", real_time_count);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
		kill(getpid(), number);
	printf("%d\n", real_time_count);
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	printf("%d\n", real_time_count);
}

static void reset_hand(void)
{
	struct sigaction action = {.sa_handler = leap, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGSEGV, &action, NULL);
	if (sigsetjmp(escape, 1) == 0)
		sink = *(volatile char *)8;
	say_action(SIGSEGV);
	fflush(stdout);
	sink = *(volatile char *)8;
}

static void fall_again(int number)
{
	write(1, "once\n", 5);
	sink = *(volatile char *)16;
}

static void fall_in_handler(void)
{
	signal(SIGSEGV, fall_again);
	sink = *(volatile char *)8;
}

static void send_to_itself(void)
{
	struct sigaction action = {.sa_sigaction = leap_with, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &action, NULL);
	if (sigsetjmp(escape, 1) == 0)
		kill(getpid(), SIGSEGV);
	printf("%d calls, code %d\n", calls, seen_code);
	signal(SIGSEGV, SIG_IGN);
	kill(getpid(), SIGSEGV);
	signal(SIGSEGV, SIG_DFL);
	fflush(stdout);
	kill(getpid(), SIGSEGV);
}

static void make_errors(void)
{
	static const int numbers[] = {0, -1, SIGKILL, SIGSTOP, 32, 33, 64, 65, 1000};
	struct sigaction action = {.sa_handler = leap};
	sigset_t set;

	sigfillset(&set);
	for (int i = 0; i < 9; i++) {
		errno = 0;
		int status = sigaction(numbers[i], &action, NULL);
		printf("sigaction %d: %d %d\n", numbers[i], status, errno);
		errno = 0;
		int is_error = signal(numbers[i], leap) == SIG_ERR;
		printf("signal %d: %d %d\n", numbers[i], is_error, errno);
	}
	errno = 0;
	printf("%d ", signal(SIGSEGV, SIG_ERR) == SIG_ERR);
	printf("%d\n", errno);
	errno = 0;
	printf("%d ", sigprocmask(77, &set, NULL));
	printf("%d\n", errno);
	errno = 5;
	printf("%d ", pthread_sigmask(77, &set, NULL));
	printf("%d\n", errno);
	printf("%d\n", pthread_sigmask(SIG_BLOCK, NULL, NULL));
	printf("%d %d\n", sighold(1000), errno);
}

/* ---- Masks --------------------------------------------------------------------------------
 */

static int say_mask_c11(void *name)
{
	say_mask(name);
	return 7;
}

static void *say_mask_posix(void *name)
{
	say_mask(name);
	return NULL;
}

static void masks(void)
{
	sigset_t set;
	sigset_t old;
	pthread_t thread;
	thrd_t c11;
	int result;

	say_mask("at start");
	sigfillset(&set);
	printf("%d\n", pthread_sigmask(SIG_BLOCK, &set, &old));
	say_set("old", &old);
	say_mask("all");
	pthread_create(&thread, NULL, say_mask_posix, "inherited");
	pthread_join(thread, NULL);
	thrd_create(&c11, say_mask_c11, "inherited too");
	thrd_join(c11, &result);
	printf("%d\n", result);
	if (fork() == 0) {
		say_mask("forked");
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	sigaddset(&set, SIGUSR1);
	printf("%d\n", sigprocmask(SIG_UNBLOCK, &set, &old));
	say_set("old", &old);
	say_mask("some");
	printf("%d\n", sigprocmask(SIG_SETMASK, &set, &set));
	say_set("set", &set);
	say_mask("set");
	sighold(SIGSEGV);
	say_mask("held");
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	say_mask("none");
}

static void *threads_masks(void *unused)
{
	sigset_t set;

	say_mask("thread");
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	say_mask("blocked");
	return NULL;
}

static void masks_of_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < 2; i++) {
		pthread_create(&thread, NULL, threads_masks, NULL);
		pthread_join(thread, NULL);
		say_mask("first");
	}
}

/* ---- Bad accesses -------------------------------------------------------------------------
 */

static void *access_in_thread(void *unused)
{
	access_badly();
	return NULL;
}

static int access_in_c11_thread(void *unused)
{
	access_badly();
	return 0;
}

static void access_in_handler(int number)
{
	access_badly();
}

static void start_thread_on(size_t stack, void *(*start)(void *))
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, stack);
	printf("%d\n", pthread_create(&thread, &attributes, start, NULL));
	fflush(stdout);
	pthread_join(thread, NULL);
}

static void bad_small_stack(void)
{
	start_thread_on(PTHREAD_STACK_MIN, access_in_thread);
}

static void *raise_on_small_stack(void *unused)
{
	signal(SIGUSR1, access_in_handler);
	pthread_kill(pthread_self(), SIGUSR1);
	return NULL;
}

static void bad_handler_small_stack(void)
{
	start_thread_on(PTHREAD_STACK_MIN + 16384, raise_on_small_stack);
}

static void bad_c11_thread(void)
{
	thrd_t thread;

	thrd_create(&thread, access_in_c11_thread, NULL);
	thrd_join(thread, NULL);
}

static void block_all(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void bad_blocked(void)
{
	block_all();
	access_badly();
}

static void bad_blocked_in_thread(void)
{
	block_all();
	bad_small_stack();
}

static void bad_blocked_by_attribute(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t set;

	sigfillset(&set);
	pthread_attr_init(&attributes);
	pthread_attr_setsigmask_np(&attributes, &set);
	pthread_create(&thread, &attributes, access_in_thread, NULL);
	pthread_join(thread, NULL);
}

static void bad_full_mask(void)
{
	struct sigaction action = {.sa_handler = access_in_handler};

	sigfillset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

static void bad_suspended(void)
{
	sigset_t set;

	signal(SIGALRM, access_in_handler);
	sigfillset(&set);
	sigdelset(&set, SIGALRM);
	ualarm(20000, 0);
	sigsuspend(&set);
}

static void bad_polled(void)
{
	sigset_t set;

	signal(SIGALRM, access_in_handler);
	sigfillset(&set);
	sigdelset(&set, SIGALRM);
	ualarm(20000, 0);
	ppoll(NULL, 0, NULL, &set);
}

static void bad_executed(void)
{
	/* Not by libc, which knows better by now. */
	unsigned long all = ~0UL;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
	execl("/proc/self/exe", "signals", "bad-access", NULL);
}

static void bad_in_own_handler(void)
{
	signal(SIGSEGV, access_in_handler);
	sink = *(volatile char *)8;
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
        {"recover-sigaction", recover_sigaction},
        {"recover-signal", recover_signal},
        {"remember", remember},
        {"real-time", real_time},
        {"reset-hand", reset_hand},
        {"fall-in-handler", fall_in_handler},
        {"send-to-itself", send_to_itself},
        {"errors", make_errors},
        {"masks", masks},
        {"masks-of-threads", masks_of_threads},
        {"bad-access", access_badly},
        {"bad-small-stack", bad_small_stack},
        {"bad-handler-small-stack", bad_handler_small_stack},
        {"bad-c11-thread", bad_c11_thread},
        {"bad-blocked", bad_blocked},
        {"bad-blocked-in-thread", bad_blocked_in_thread},
        {"bad-blocked-by-attribute", bad_blocked_by_attribute},
        {"bad-full-mask", bad_full_mask},
        {"bad-suspended", bad_suspended},
        {"bad-polled", bad_polled},
        {"bad-executed", bad_executed},
        {"bad-in-own-handler", bad_in_own_handler},
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
