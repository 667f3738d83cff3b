/* SPDX-License-Identifier: Apache-2.0
 *
 * What this process was started with and cannot use: signals that would end it because an
 * output takes no more, and standard streams that are closed, under whose numbers its own files
 * would come to be. The program that is run gets all of it as it was.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run.h"

/* Sent to who writes into a pipe that nobody reads, or beyond the limit of a file's size. */
static const int signals_of_writes[] = {SIGPIPE, SIGXFSZ};

enum { SIGNALS = sizeof(signals_of_writes) / sizeof(signals_of_writes[0]) };

static struct sigaction actions_before[SIGNALS];
static bool was_closed[STDERR_FILENO + 1];

void fp_cli_prepare_process(void)
{
	struct sigaction action = {.sa_handler = SIG_IGN};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals_of_writes[i], &action, &actions_before[i]);
	/* The lowest number that is free is the one that is looked at. */
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		was_closed[fd] =
		        fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) == fd;
}

void fp_cli_restore_process(void)
{
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals_of_writes[i], &actions_before[i], NULL);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (was_closed[fd])
			close(fd);
}
