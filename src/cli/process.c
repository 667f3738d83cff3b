/* SPDX-License-Identifier: Apache-2.0
 *
 * What this process was started with and cannot use: signals that would end it because an
 * output takes no more, children whose end nobody is told because SIGCHLD is ignored, and
 * standard streams that are closed, under whose numbers its own files would come to be. The
 * program that is run gets all of it as it was.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run.h"

/* The first two are sent to who writes into a pipe that nobody reads, or beyond the limit of a
 * file's size. */
static const struct {
	int signal;
	void (*handler)(int);
} actions[] = {{SIGPIPE, SIG_IGN}, {SIGXFSZ, SIG_IGN}, {SIGCHLD, SIG_DFL}};

enum { SIGNALS = sizeof(actions) / sizeof(actions[0]) };

static struct sigaction actions_before[SIGNALS];
static bool was_closed[STDERR_FILENO + 1];

void fp_cli_prepare_process(void)
{
	for (size_t i = 0; i < SIGNALS; i++) {
		const struct sigaction action = {.sa_handler = actions[i].handler};

		sigaction(actions[i].signal, &action, &actions_before[i]);
	}
	/* The lowest number that is free is the one that is looked at. */
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		was_closed[fd] =
		        fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) == fd;
	fp_cli_open_standard_streams();
}

void fp_cli_restore_process(void)
{
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(actions[i].signal, &actions_before[i], NULL);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (was_closed[fd])
			close(fd);
}
