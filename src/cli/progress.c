/* SPDX-License-Identifier: Apache-2.0
 *
 * A line on the terminal while symbols are read, for who waits longer than a second. It is
 * erased before anything else is written, and there is none where nobody looks.
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

enum { FIRST_MILLISECONDS = 1000, FRAME_MILLISECONDS = 200 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static pthread_t thread;
static bool is_shown; /* a thread shows it, or will */
static bool has_ended;

/* Whether the end came in time. The mutex is held. */
static bool await_end(long milliseconds)
{
	struct timespec until;
	int result = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += milliseconds % 1000 * 1000000;
	until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!has_ended && result == 0)
		result = pthread_cond_timedwait(&ended, &mutex, &until);
	return has_ended;
}

static void *show(void *unused)
{
	static const char frames[] = "|/-\\";
	long milliseconds = FIRST_MILLISECONDS;

	(void)unused;
	pthread_mutex_lock(&mutex);
	for (unsigned i = 0; !await_end(milliseconds); i++) {
		fprintf(stderr, "\rfencepost: reading events and symbols %c", frames[i % 4]);
		milliseconds = FRAME_MILLISECONDS;
	}
	if (milliseconds == FRAME_MILLISECONDS)
		fputs("\r\033[K", stderr);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

void fp_cli_progress_begin(void)
{
	sigset_t all;
	sigset_t before;

	const char *terminal = getenv("TERM");

	if (!isatty(STDERR_FILENO) || (terminal && strcmp(terminal, "dumb") == 0))
		return;
	has_ended = false;
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	is_shown = pthread_create(&thread, NULL, show, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void fp_cli_progress_end(void)
{
	if (!is_shown)
		return;
	pthread_mutex_lock(&mutex);
	has_ended = true;
	pthread_cond_signal(&ended);
	pthread_mutex_unlock(&mutex);
	pthread_join(thread, NULL);
	is_shown = false;
}
