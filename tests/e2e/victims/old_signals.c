/* SPDX-License-Identifier: Apache-2.0
 *
 * As signals.c, with the functions of BSD and System V that came before sigaction(2). It prints
 * what libc answers; those whose names start with "bad" end with a bad access.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The functions are deprecated; programs have them. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

enum { BLOCK = 16, RESTORER = 0x04000000 };

static sigjmp_buf escape;
static volatile sig_atomic_t calls;
static volatile char sink;

static void access_badly(void)
{
	volatile char *block = malloc(BLOCK); /* plant: allocation */

	sink = block[BLOCK]; /* plant: access */
}

static void access_in_handler(int number)
{
	access_badly();
}

static void leap(int number)
{
	calls++;
	siglongjmp(escape, number);
}

static void count(int number)
{
	calls++;
}

static const char *name_of(sighandler_t handler)
{
	if (handler == SIG_DFL)
		return "default";
	if (handler == SIG_IGN)
		return "ignore";
	if (handler == SIG_HOLD)
		return "hold";
	if (handler == SIG_ERR)
		return "error";
	return handler == leap ? "leap" : handler == count ? "count" : "unknown";
}

static void say_state(int number)
{
	struct sigaction action;
	sigset_t mask;

	sigaction(number, NULL, &action);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	printf("%d: %s flags %x, itself in its mask %d, blocked %d\n", number,
	       name_of(action.sa_handler), (unsigned)(action.sa_flags & ~RESTORER),
	       sigismember(&action.sa_mask, number), sigismember(&mask, number));
}

static void recover_sigset(void)
{
	printf("%s\n", name_of(sigset(SIGSEGV, leap)));
	for (volatile int i = 0; i < 3; i++) {
		if (sigsetjmp(escape, 1) == 0)
			sink = *(volatile char *)8;
		say_state(SIGSEGV);
	}
	printf("%d calls, %s\n", calls, name_of(sigset(SIGSEGV, SIG_DFL)));
	fflush(stdout);
	sink = *(volatile char *)8;
}

static void dispositions(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGUSR1, SIGINT, SIGTERM};
	static const sighandler_t handlers[] = {leap,    SIG_HOLD, SIG_HOLD, count,
	                                        SIG_IGN, SIG_HOLD, SIG_DFL,  SIG_ERR};

	for (int i = 0; i < 5; i++) {
		for (int j = 0; j < 8; j++) {
			errno = 0;
			printf("%s", name_of(sigset(numbers[i], handlers[j])));
			printf(" %d\n", errno);
			say_state(numbers[i]);
		}
		printf("%d %d\n", sigignore(numbers[i]), sighold(numbers[i]));
		say_state(numbers[i]);
		printf("%d\n", sigrelse(numbers[i]));
		printf("%s\n", name_of(signal(numbers[i], count)));
		say_state(numbers[i]);
		printf("%d\n", siginterrupt(numbers[i], 1));
		say_state(numbers[i]);
		printf("%s\n", name_of(signal(numbers[i], leap)));
		say_state(numbers[i]);
		printf("%d\n", siginterrupt(numbers[i], 0));
		say_state(numbers[i]);
		printf("%s\n", name_of(signal(numbers[i], SIG_DFL)));
		say_state(numbers[i]);
	}
	errno = 0;
	printf("%d %d\n", sigset(1000, leap) == SIG_ERR, errno);
	errno = 0;
	printf("%d %d\n", sigignore(SIGKILL), errno);
	errno = 0;
	printf("%d %d\n", siginterrupt(0, 1), errno);
}

static void masks(void)
{
	const int some = sigmask(SIGSEGV) | sigmask(SIGUSR1);

	printf("%x\n", siggetmask());
	printf("%x\n", sigblock(some));
	printf("%x\n", siggetmask());
	say_state(SIGSEGV);
	printf("%x\n", sigsetmask(sigmask(SIGBUS)));
	printf("%x\n", siggetmask());
	say_state(SIGSEGV);
	say_state(SIGBUS);
	printf("%x\n", sigsetmask(0));
	printf("%x\n", siggetmask());
	signal(SIGALRM, count);
	ualarm(1000, 0);
	errno = 0;
	printf("%d ", sigpause(SIGSEGV));
	printf("%d, %d calls\n", errno, calls);
}

static void bad_sigset(void)
{
	sigset(SIGSEGV, SIG_HOLD);
	sigset(SIGBUS, SIG_HOLD);
	access_badly();
}

static void bad_sigblock(void)
{
	sigblock(sigmask(SIGSEGV) | sigmask(SIGBUS));
	access_badly();
}

static void bad_sigsetmask(void)
{
	sigsetmask(~0);
	access_badly();
}

static void bad_sigpause(void)
{
	sigset_t all;

	signal(SIGALRM, access_in_handler);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	ualarm(20000, 0);
	sigpause(SIGALRM);
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
        {"recover-sigset", recover_sigset},
        {"dispositions", dispositions},
        {"masks", masks},
        {"bad-sigset", bad_sigset},
        {"bad-sigblock", bad_sigblock},
        {"bad-sigsetmask", bad_sigsetmask},
        {"bad-sigpause", bad_sigpause},
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
