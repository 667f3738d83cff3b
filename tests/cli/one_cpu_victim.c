/* SPDX-License-Identifier: Apache-2.0
 *
 * Two threads that free, and what the program sees of its CPUs while it is kept on one. With an
 * argument: tells how many CPUs the kernel lets it use.
 */
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE = 2000, PAUSE_USEC = 10000 };

static atomic_bool is_done;
static int failures;

static void *churn(void *unused)
{
	(void)unused;
	while (!atomic_load(&is_done)) {
		char *volatile block = malloc(100);

		free(block);
		usleep(100);
	}
	return NULL;
}

static int count_of_kernel(pid_t thread)
{
	unsigned long bits[16] = {0};
	int count = 0;

	syscall(SYS_sched_getaffinity, thread, sizeof(bits), bits);
	for (int i = 0; i < 16; i++)
		count += __builtin_popcountl(bits[i]);
	return count;
}

static void expect(const char *what, int got, int wanted)
{
	if (got == wanted)
		return;
	printf("%s: %d CPUs, not %d\n", what, got, wanted);
	failures++;
}

/* A shell's $? of this program with an argument: it is under Fencepost, too, or not. */
static int count_of_shell(const char *command)
{
	return WEXITSTATUS(system(command));
}

static void look_at_children(char *self, int usual)
{
	char *arguments[] = {self, (char *)"count", NULL};
	char command[4200];
	pid_t child;
	int status;

	snprintf(command, sizeof(command), "'%s' count", self);
	expect("in a shell", count_of_shell(command), usual);
	snprintf(command, sizeof(command), "LD_PRELOAD= '%s' count", self);
	expect("in a shell, not watched", count_of_shell(command), usual);
	child = fork();
	if (child == 0)
		_exit(count_of_kernel(0));
	waitpid(child, &status, 0);
	expect("in a fork", WEXITSTATUS(status), usual);
	child = vfork();
	if (child == 0) {
		execv(self, arguments);
		_exit(0);
	}
	waitpid(child, &status, 0);
	expect("after exec", WEXITSTATUS(status), usual);
	posix_spawn(&child, self, NULL, NULL, arguments, environ);
	waitpid(child, &status, 0);
	expect("after posix_spawn", WEXITSTATUS(status), usual);
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	cpu_set_t set;
	cpu_set_t one;
	int first = -1;

	if (argc > 1)
		return count_of_kernel(0);
	int usual = count_of_kernel(0);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, churn, NULL);
	for (int i = 0; count_of_kernel(0) != 1 && i < PATIENCE; i++)
		usleep(PAUSE_USEC);
	expect("bound", count_of_kernel(0), 1);
	sched_getaffinity(0, sizeof(set), &set);
	expect("sched_getaffinity", CPU_COUNT(&set), usual);
	pthread_getaffinity_np(threads[0], sizeof(set), &set);
	expect("pthread_getaffinity_np", CPU_COUNT(&set), usual);
	expect("sysconf", (int)(sysconf(_SC_NPROCESSORS_ONLN) >= usual), 1);
	look_at_children(argv[0], usual);

	while (!CPU_ISSET(++first, &set))
		;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	pthread_setaffinity_np(threads[0], sizeof(one), &one);
	expect("let go", count_of_kernel(0), usual);
	pthread_getaffinity_np(threads[0], sizeof(set), &set);
	expect("set by the program", CPU_COUNT(&set), 1);
	pthread_getaffinity_np(threads[1], sizeof(set), &set);
	expect("the other thread", CPU_COUNT(&set), usual);
	/* For good. */
	usleep(20 * PAUSE_USEC);
	expect("later", count_of_kernel(0), usual);
	atomic_store(&is_done, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	puts(failures == 0 ? "ok" : "not ok");
	return failures != 0;
}
