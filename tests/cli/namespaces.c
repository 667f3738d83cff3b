/* SPDX-License-Identifier: Apache-2.0
 *
 * A process is killed that has its number in another namespace. "cloned": its parent is that
 * namespace's first process, which clone(2) made. "second": its parent is outside.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int wait_for(pid_t process)
{
	int status = 1;

	return waitpid(process, &status, 0) == process ? status : -1;
}

static int run_first(void *unused)
{
	const pid_t child = fork();

	(void)unused;
	if (child == 0)
		raise(SIGKILL);
	_exit(wait_for(child) != SIGKILL);
}

int main(int argc, char **argv)
{
	static char stack[1 << 16] __attribute__((aligned(16)));

	if (argc == 2 && strcmp(argv[1], "cloned") == 0)
		return wait_for(
		        clone(run_first, stack + sizeof(stack), CLONE_NEWPID | SIGCHLD, NULL));
	int line[2];
	if (unshare(CLONE_NEWPID) != 0 || pipe(line) != 0)
		return 1;
	const pid_t first = fork();
	if (first == 0) {
		close(line[1]);
		_exit((int)read(line[0], line, 1));
	}
	const pid_t second = fork();
	if (second == 0)
		raise(SIGKILL);
	const int status = wait_for(second);
	close(line[1]);
	return status != SIGKILL || wait_for(first) != 0;
}
