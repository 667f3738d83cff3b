/* SPDX-License-Identifier: Apache-2.0
 *
 * Executes programs in every way there is. With an argument it is a program like one with
 * AddressSanitizer, and says whether anybody was preloaded into it; without, it executes itself
 * so in children, and asks for what the kernel and libc refuse. The output must be the same
 * with and without us.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* What tells such programs. */
void __asan_init(void)
{
}

static char path[4096];
static char *directory, *name; /* of path */
static char **arguments;
static char *const as_sanitized[] = {"programs", "sanitized", NULL};

/* ---- Ways ---------------------------------------------------------------------------------
 */

static void by_execve(void)
{
	execve(path, arguments, environ);
}

static void by_execv(void)
{
	execv(path, arguments);
}

static void by_execl(void)
{
	execl(path, "programs", "sanitized", NULL);
}

static void by_execle(void)
{
	execle(path, "programs", "sanitized", NULL, environ);
}

static void by_execvp(void)
{
	execvp("programs", arguments);
}

static void by_execlp(void)
{
	execlp("programs", "programs", "sanitized", NULL);
}

static void by_execvpe(void)
{
	execvpe("programs", arguments, environ);
}

static void by_fexecve(void)
{
	fexecve(open(path, O_RDONLY), arguments, environ);
}

static void by_execveat(void)
{
	execveat(AT_FDCWD, path, arguments, environ, 0);
}

static void by_execveat_directory(void)
{
	execveat(open(directory, O_PATH), name, arguments, environ, 0);
}

static void by_execveat_descriptor(void)
{
	execveat(open(path, O_PATH), "", arguments, environ, AT_EMPTY_PATH);
}

static void by_spawn(void)
{
	pid_t pid;
	int status = posix_spawn(&pid, path, NULL, NULL, arguments, environ);

	if (status == 0)
		waitpid(pid, NULL, 0);
	_exit(status);
}

static void by_spawnp(void)
{
	pid_t pid;
	int status = posix_spawnp(&pid, "programs", NULL, NULL, arguments, environ);

	if (status == 0)
		waitpid(pid, NULL, 0);
	_exit(status);
}

static const struct {
	const char *name;
	void (*execute)(void);
} ways[] = {
        {"execve", by_execve},
        {"execv", by_execv},
        {"execl", by_execl},
        {"execle", by_execle},
        {"execvp", by_execvp},
        {"execlp", by_execlp},
        {"execvpe", by_execvpe},
        {"fexecve", by_fexecve},
        {"execveat", by_execveat},
        {"execveat, directory", by_execveat_directory},
        {"execveat, descriptor", by_execveat_descriptor},
        {"posix_spawn", by_spawn},
        {"posix_spawnp", by_spawnp},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]), STACK_BYTES = 8192 };

static int execute(void *way)
{
	ways[(size_t)way].execute();
	_exit(99);
}

/* In a copy, and in children that share our memory and have little stack. */
static void execute_all(void)
{
	char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int flags[] = {0, CLONE_VM | CLONE_VFORK};

	for (int i = 0; i < 2 * WAYS; i++) {
		int status = -1;

		printf("%s, flags %x: ", ways[i / 2].name, flags[i % 2]);
		fflush(stdout);
		pid_t pid = clone(execute, stack + STACK_BYTES, flags[i % 2] | SIGCHLD,
		                  (void *)(size_t)(i / 2));
		waitpid(pid, &status, 0);
		printf("%x\n", status);
	}
}

/* ---- Refusals -----------------------------------------------------------------------------
 */

static void show(const char *what, long result)
{
	printf("%s: %ld, errno %d\n", what, result, errno);
	errno = 0;
}

static void refusals(char *bad_text)
{
	char *bad[] = {bad_text, NULL};
	char *good[] = {"true", NULL};
	char **nowhere = (char **)bad_text;
	pid_t pid;

	show("execve, argument", execve("/bin/true", bad, good));
	show("execve, variable", execve("/bin/true", good, bad));
	show("execve, arguments", execve("/bin/true", nowhere, good));
	show("execve, environment", execve("/bin/true", good, nowhere));
	show("execve, path", execve(bad_text, good, good));
	show("execv, arguments", execv("/bin/true", nowhere));
	show("execveat, variable", execveat(AT_FDCWD, "/bin/true", good, bad, 0));
	show("execveat, path", execveat(AT_FDCWD, bad_text, good, good, 0));
	show("execvpe, variable", execvpe("/bin/true", good, bad));
	show("posix_spawn, variable", posix_spawn(&pid, "/bin/true", NULL, NULL, good, bad));
	show("posix_spawn, path", posix_spawn(&pid, bad_text, NULL, NULL, good, good));
	show("setrlimit", setrlimit(RLIMIT_AS, (struct rlimit *)bad_text));
	show("prlimit", prlimit(0, RLIMIT_AS, (struct rlimit *)bad_text, NULL));
	show("pselect, mask", pselect(0, NULL, NULL, NULL, NULL, (sigset_t *)bad_text));
	show("sigsuspend", sigsuspend((sigset_t *)bad_text));
}

static void absences(void)
{
	char *good[] = {"true", NULL};
	pid_t pid;

	show("execve", execve("/nowhere", good, environ));
	show("execve, directory", execve("/", good, environ));
	show("execvp", execvp("no-such-program", good));
	show("execvp, empty", execvp("", good));
	show("execlp", execlp("no-such-program", "x", NULL));
	show("fexecve", fexecve(-1, good, environ));
	show("fexecve, NULL", fexecve(0, good, NULL));
	show("execveat", execveat(-1, "nowhere", good, environ, 0));
	show("execveat, flags", execveat(AT_FDCWD, "/bin/true", good, environ, 1 << 30));
	show("posix_spawn", posix_spawn(&pid, "/nowhere", NULL, NULL, good, environ));
	show("posix_spawnp", posix_spawnp(&pid, "no-such-program", NULL, NULL, good, environ));
	show("setrlimit, resource", setrlimit(1000, &(struct rlimit){0}));
}

static void prepare(void)
{
	static char paths[8192];

	path[readlink("/proc/self/exe", path, sizeof(path) - 1)] = '\0';
	directory = strdup(path);
	name = strrchr(directory, '/') + 1;
	name[-1] = '\0';
	snprintf(paths, sizeof(paths), "/nowhere:%s:%s", directory, getenv("PATH"));
	setenv("PATH", paths, 1);
	arguments = (char **)as_sanitized;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		const char *preload = getenv("LD_PRELOAD");

		puts(preload != NULL && strstr(preload, "fencepost") != NULL ? "preloaded"
		                                                             : "alone");
		return 7;
	}
	prepare();
	refusals((char *)1);
	refusals((char *)7);
	refusals((char *)-4096);
	refusals(mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	absences();
	execute_all();
	return 0;
}
