/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a command on a terminal of its own, types KEYS there once the terminal shows PATTERN,
 * and writes to standard output what it shows: "terminal PATTERN KEYS COMMAND ARGUMENTS". The
 * command's standard input is ours where KEYS is empty, else the terminal too. Exits as a
 * shell would say of the command; 99 when that takes longer than a minute.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHOWN_MAX = 1 << 20, PATIENCE_MILLISECONDS = 60000 };

static char shown[SHOWN_MAX];
static size_t used;

/* False at the end of the terminal's life. */
static bool take_output(int terminal)
{
	struct pollfd file = {.fd = terminal, .events = POLLIN};

	if (poll(&file, 1, PATIENCE_MILLISECONDS) <= 0)
		return false;
	ssize_t got = read(terminal, shown + used, SHOWN_MAX - 1 - used);
	used += got > 0 ? (size_t)got : 0;
	shown[used] = '\0';
	return got > 0;
}

_Noreturn static void execute(char **command, int input)
{
	if (input >= 0)
		dup2(input, STDIN_FILENO);
	/* Tests that run in the background inherit that these are ignored. */
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	execvp(command[0], command);
	perror(command[0]);
	_exit(99);
}

static int end_of(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int terminal;

	if (argc < 4)
		return 99;
	const char *keys = argv[2];
	int input = keys[0] == '\0' ? dup(STDIN_FILENO) : -1;
	pid_t child = forkpty(&terminal, NULL, NULL, NULL);
	if (child < 0)
		return 77;
	if (child == 0)
		execute(argv + 3, input);
	while (take_output(terminal)) {
		if (keys[0] == '\0' || strstr(shown, argv[1]) == NULL)
			continue;
		if (write(terminal, keys, strlen(keys)) < 0)
			return 99;
		keys = "";
	}
	fwrite(shown, 1, used, stdout);
	return end_of(child);
}
