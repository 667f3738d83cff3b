/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that ends while a child of its has not come to its first instruction. A tracer,
 * which runs beside `fencepost run`, holds that child: `births trace PIDS DONE` takes the
 * process that writes its number into PIDS, and lets go of its child when DONE is there. The
 * others start a child and end at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int trace(const char *pids, const char *done)
{
	FILE *in = fopen(pids, "r"); /* a FIFO */
	int program = 0;
	int status;

	if (in == NULL || fscanf(in, "%d", &program) != 1)
		return 2;
	if (ptrace(PTRACE_SEIZE, program, 0, PTRACE_O_TRACEFORK) != 0)
		return 77;
	kill(program, SIGUSR1);
	/* The program stops for its signal and at its fork, the child before it runs. */
	for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
		if (pid != program)
			continue;
		if (!WIFSTOPPED(status))
			break;
		int signal = status >> 8 == SIGUSR1 ? SIGUSR1 : 0;
		ptrace(PTRACE_CONT, pid, 0, signal);
	}
	while (access(done, F_OK) != 0)
		usleep(20000);
	return 0; /* the child goes on */
}

static int fork_traced(const char *pids)
{
	sigset_t signals;
	int signal;

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	FILE *out = fopen(pids, "w");
	if (out == NULL)
		return 2;
	fprintf(out, "%d\n", (int)getpid());
	fclose(out);
	sigwait(&signals, &signal);
	if (fork() == 0)
		_exit(0);
	return 0;
}

/* A fork that fails has no child. */
static int fork_in_vain(void)
{
	const struct rlimit limit = {0, 0};

	errno = 0;
	if (setuid(65534) != 0 || setrlimit(RLIMIT_NPROC, &limit) != 0)
		return 77;
	return fork() < 0 && errno == EAGAIN ? 0 : 77;
}

int main(int argc, char **argv)
{
	char *arguments[] = {argv[0], (char[]){"child"}, NULL};
	pid_t pid;

	if (argc > 3 && strcmp(argv[1], "trace") == 0)
		return trace(argv[2], argv[3]);
	if (argc > 2 && strcmp(argv[1], "fork") == 0)
		return fork_traced(argv[2]);
	if (argc > 1 && strcmp(argv[1], "fail") == 0)
		return fork_in_vain();
	if (argc > 1 && strcmp(argv[1], "errno") == 0) {
		errno = ENOTTY;
		if (fork() == 0)
			_exit(errno != ENOTTY);
		int status = 0;
		return errno != ENOTTY || wait(&status) < 0 || status != 0;
	}
	if (argc > 1 && strcmp(argv[1], "spawn") == 0)
		return posix_spawn(&pid, argv[0], NULL, NULL, arguments, environ);
	if (argc > 1 && strcmp(argv[1], "vfork") == 0 && vfork() == 0) {
		execv(argv[0], arguments);
		_exit(127);
	}
	/* One that cannot be executed is none. */
	if (argc > 1 && strcmp(argv[1], "nothing") == 0) {
		if (vfork() == 0) {
			execv("/nowhere", arguments);
			_exit(127);
		}
		return posix_spawn(&pid, "/nowhere", NULL, NULL, arguments, environ) != ENOENT;
	}
	return 0;
}
