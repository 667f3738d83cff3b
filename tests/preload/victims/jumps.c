/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaves malloc by a jump out of a signal's handler, again and again, and then makes a mistake,
 * which is found when malloc is still watched. The argument says how the handler is installed,
 * and whether another thread has to get memory all the while.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { JUMPS = 400, BLOCKS = 64 };

static volatile sig_atomic_t jumps;
static sigjmp_buf escape;
static volatile int is_over;
static char *volatile kept[BLOCKS];

static void leap(int number)
{
	jumps++;
	siglongjmp(escape, number);
}

static void count(int number)
{
	const struct itimerval soon = {{0, 0}, {0, 300}};

	jumps++;
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void churn(void)
{
	unsigned at = 0;

	for (;;) {
		char *volatile block = malloc(40 + at % 100);
		char *old = kept[at % BLOCKS];

		kept[at % BLOCKS] = NULL;
		free(old);
		kept[at++ % BLOCKS] = block;
		if (jumps >= JUMPS)
			return;
	}
}

static void *get_memory(void *unused)
{
	while (!is_over)
		free(malloc(100));
	return unused;
}

static void install(const char *how)
{
	struct sigaction action = {.sa_handler = strstr(how, "count") ? count : leap};

	sigemptyset(&action.sa_mask);
	if (strstr(how, "once"))
		action.sa_flags = (int)SA_RESETHAND | SA_NODEFER;
	sigaction(SIGALRM, &action, NULL);
}

int main(int count, char **arguments)
{
	const struct itimerval soon = {{0, 0}, {0, 300}};
	const struct itimerval never = {{0, 0}, {0, 0}};
	const char *how = count > 1 ? arguments[1] : "";
	char *volatile wrong;
	pthread_t thread;

	sigset_t alarms;

	/* The jump is the first thread's. */
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarms, NULL);
	if (strstr(how, "thread"))
		pthread_create(&thread, NULL, get_memory, NULL);
	pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
	sigsetjmp(escape, 1);
	if (jumps < JUMPS) {
		install(how);
		setitimer(ITIMER_REAL, &soon, NULL);
		churn();
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_IGN);
	is_over = 1;
	if (strstr(how, "thread"))
		pthread_join(thread, NULL);
	wrong = malloc(24);
	free(wrong);
	free(wrong); /* plant: double free */
	puts("jumped");
	return 0;
}
