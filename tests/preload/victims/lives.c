/* SPDX-License-Identifier: Apache-2.0
 *
 * The times of a process at which malloc is called although nobody expects it: the one named by
 * the argument. Prints the same with and without us; nothing it does is wrong, unless its name
 * says so.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static char *from_constructor;
static volatile int stop;
static volatile int handled;

__attribute__((constructor)) static void construct(void)
{
	from_constructor = strdup("from a constructor");
}

__attribute__((destructor)) static void destruct(void)
{
	free(from_constructor);
	free(malloc(10));
}

static void churn(unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		char *block = malloc(i % 500);

		block = realloc(block, i % 700 + 1);
		memset(block, 1, i % 700 + 1);
		free(block);
	}
}

static void *churn_until_stopped(void *unused)
{
	while (!stop)
		churn(50);
	return unused;
}

static void start_threads(pthread_t threads[2])
{
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, churn_until_stopped, NULL);
}

static void stop_threads(const pthread_t threads[2])
{
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

static void free_value(void *value)
{
	free(value);
	churn(20);
}

static void *set_value(void *key)
{
	pthread_setspecific(*(pthread_key_t *)key, malloc(40));
	return malloc(10);
}

static int live_thread_destructor(void)
{
	pthread_key_t keys[40];

	/* libc keeps the later keys in memory of their own. */
	for (int i = 0; i < 40; i++)
		pthread_key_create(&keys[i], free_value);
	for (int i = 0; i < 40; i++) {
		pthread_t thread;
		void *result;

		pthread_create(&thread, NULL, set_value, &keys[i]);
		pthread_join(thread, &result);
		free(result);
	}
	return 0;
}

static void free_late(void)
{
	churn(100);
}

static int live_atexit(void)
{
	atexit(free_late);
	return 3;
}

static int live_quick_exit(void)
{
	at_quick_exit(free_late);
	fflush(NULL);
	quick_exit(4);
}

static int live_immediate_exit(void)
{
	churn(10);
	fflush(NULL);
	_exit(5);
}

static int live_dlopen(void)
{
	pthread_t threads[2];

	start_threads(threads);
	for (int i = 0; i < 100; i++) {
		void *library = dlopen(i % 2 ? "libjansson.so.4" : "libsqlite3.so.0", RTLD_NOW);

		if (library == NULL || dlsym(library, "no_such_function") != NULL)
			puts("dlopen failed");
		if (library != NULL)
			dlclose(library);
	}
	stop_threads(threads);
	return 0;
}

static int live_fork(void)
{
	pthread_t threads[2];

	start_threads(threads);
	for (int i = 0; i < 100; i++) {
		int status;
		pid_t child = fork();

		if (child == 0) {
			churn(50);
			if (i % 2 == 0)
				_exit(7);
			exit(7);
		}
		if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 7)
			printf("child %d: status %x\n", i, (unsigned)status);
	}
	stop_threads(threads);
	return 0;
}

/* Blocks of all sizes keep what they hold where protection has to be set up anew. */
static void fill_blocks(char *blocks[8])
{
	for (int i = 0; i < 8; i++) {
		blocks[i] = malloc(100UL << 2 * i);
		memset(blocks[i], 'a' + i, 100UL << 2 * i);
	}
}

static int check_blocks(char *blocks[8])
{
	int changed = 0;

	for (int i = 0; i < 8; i++) {
		for (size_t at = 0; at < 100UL << 2 * i; at++)
			changed += blocks[i][at] != 'a' + i;
		free(blocks[i]);
	}
	return changed != 0;
}

static int live_fork_content(void)
{
	char *blocks[8];
	int status;

	fill_blocks(blocks);
	if (fork() == 0)
		_exit(check_blocks(blocks));
	wait(&status);
	printf("changed in the child: %x\n", (unsigned)status);
	return check_blocks(blocks);
}

static int live_vfork(void)
{
	int status;

	for (volatile int i = 0; i < 20; i++) {
		pid_t child = vfork();

		if (child == 0)
			_exit(8);
		waitpid(child, &status, 0);
		if (WEXITSTATUS(status) != 8)
			printf("child %d: status %x\n", i, (unsigned)status);
	}
	return 0;
}

static int live_spawn(void)
{
	char name[] = "echo";
	char word[] = "spawned";
	char *const arguments[] = {name, word, NULL};
	pid_t child;
	int status;

	fflush(NULL);
	if (posix_spawnp(&child, "echo", NULL, NULL, arguments, environ) != 0)
		return 1;
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static void handle(int number)
{
	static char *kept;

	(void)number;
	free(kept);
	kept = malloc(64);
	kept = realloc(kept, 200);
	handled++;
}

/* Not allowed, and done everywhere. glibc's own malloc may hang here, so it is not asked. */
static int live_signal_handler(void)
{
	const struct itimerval often = {{0, 300}, {0, 300}};

	signal(SIGALRM, handle);
	setitimer(ITIMER_REAL, &often, NULL);
	while (handled < 500)
		churn(100);
	return 0;
}

/* A program that limits itself lives on as if it had its address space for itself. */
static int live_limited(void)
{
	const struct rlimit limit = {.rlim_cur = (rlim_t)1 << 30, .rlim_max = RLIM_INFINITY};
	const size_t own = (size_t)200 << 20;
	char *blocks[8];

	fill_blocks(blocks);
	printf("limited: %d\n", setrlimit(RLIMIT_AS, &limit));
	char *memory =
	        mmap(NULL, own, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("mapped: %d\n", memory != MAP_FAILED);
	churn(20000);
	char *large = malloc(50 << 20);
	printf("allocated: %d\n", large != NULL);
	free(large);
	printf("content changed: %d\n", check_blocks(blocks));
	return 0;
}

static int live_closed_descriptors(void)
{
	char *blocks[8];

	fill_blocks(blocks);
	fflush(NULL);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	churn(300);
	printf("content changed: %d\n", check_blocks(blocks));
	int fd = open("/dev/null", O_RDONLY);
	/* libunwind may have taken the first two for a pipe of its own. */
	printf("a descriptor: %d\n", fd >= 3 && fd <= 5);
	return 0;
}

static int live_cleared_environment(void)
{
	clearenv();
	churn(100);
	setenv("NAME", "value", 1);
	return strcmp(getenv("NAME"), "value");
}

/* ---- Wrong on purpose ---------------------------------------------------------------------
 */

static void free_twice(void)
{
	char *block = malloc(33);

	free(block);
	free(block);
}

static int wrong_atexit(void)
{
	atexit(free_twice);
	return 0;
}

static int wrong_immediate_exit(void)
{
	free_twice();
	_exit(6);
}

static void exit_in_handler(int number)
{
	(void)number;
	if (++handled == 20)
		_exit(0);
}

/* It interrupts malloc itself most times. */
static int wrong_exit_in_handler(void)
{
	const struct itimerval often = {{0, 300}, {0, 300}};

	free_twice();
	signal(SIGALRM, exit_in_handler);
	setitimer(ITIMER_REAL, &often, NULL);
	while (handled < 1000)
		churn(100);
	return 1;
}

static int wrong_closed_descriptors(void)
{
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	free_twice();
	return 0;
}

static int wrong_killed(void)
{
	free_twice();
	return raise(SIGKILL);
}

static int wrong_exec(void)
{
	free_twice();
	execlp("true", "true", (char *)NULL);
	return 1;
}

static int wrong_forked(void)
{
	int status;

	if (fork() == 0) {
		free_twice();
		_exit(0);
	}
	wait(&status);
	return 0;
}

static int wrong_libc_block(void)
{
	static char data[64];

	free(data + 16);
	return 0;
}

static const struct {
	const char *name;
	int (*live)(void);
} lives[] = {
        {"thread-destructor", live_thread_destructor},
        {"atexit", live_atexit},
        {"quick-exit", live_quick_exit},
        {"immediate-exit", live_immediate_exit},
        {"dlopen", live_dlopen},
        {"fork", live_fork},
        {"fork-content", live_fork_content},
        {"vfork", live_vfork},
        {"spawn", live_spawn},
        {"signal-handler", live_signal_handler},
        {"limited", live_limited},
        {"closed-descriptors", live_closed_descriptors},
        {"cleared-environment", live_cleared_environment},
        {"wrong-atexit", wrong_atexit},
        {"wrong-immediate-exit", wrong_immediate_exit},
        {"wrong-exit-in-handler", wrong_exit_in_handler},
        {"wrong-closed-descriptors", wrong_closed_descriptors},
        {"wrong-killed", wrong_killed},
        {"wrong-exec", wrong_exec},
        {"wrong-forked", wrong_forked},
        {"wrong-libc-block", wrong_libc_block},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(lives) / sizeof(lives[0]); i++) {
		if (strcmp(lives[i].name, argv[1]) == 0) {
			printf("%s\n", from_constructor);
			return lives[i].live();
		}
	}
	return 99;
}
