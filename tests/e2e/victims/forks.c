/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes made in every way, with blocks that were allocated before. What a child does with
 * its copy of a block must not reach the parent's. argv[1] says how; each child that ends with
 * exit(3) is named on standard output by its process id.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "support/times.h"
#include "victim.h"

enum { BLOCKS = 200, BLOCK_BYTES = 100, FORKS = 200, THREADS = 4 };

static IHostMalloc *heap;
static char *blocks[BLOCKS];
static char *dead;
static bool is_protected = true;

static char *allocate(int fill)
{
	void *memory = NULL;

	EXPECT(IHostMalloc_Alloc(heap, BLOCK_BYTES, eTaskCritical, &memory) == S_OK);
	memset(memory, fill, BLOCK_BYTES);
	return memory;
}

static void release(void *block)
{
	EXPECT(IHostMalloc_Free(heap, block) == S_OK);
	EXPECT(victim_read_faults(block) == is_protected);
}

static void release_twice(void *block)
{
	REFUSED(IHostMalloc_Free(heap, block));
}

static void begin(void)
{
	heap = victim_heap();
	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = allocate('a' + i % 20);
	dead = allocate('d');
	release(dead);
}

static void expect_untouched(void)
{
	for (int i = 0; i < BLOCKS; i++)
		for (int at = 0; at < BLOCK_BYTES; at++)
			EXPECT(blocks[i][at] == 'a' + i % 20);
}

static void churn(void)
{
	char *own[BLOCKS];

	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < BLOCKS; i++)
			own[i] = allocate('z');
		for (int i = 0; i < BLOCKS; i++) {
			EXPECT(own[i][0] == 'z' && own[i][BLOCK_BYTES - 1] == 'z');
			release(own[i]);
		}
	}
}

/* Everything, in parent and child alike; what is left is the same as before begin(). */
static void use_up(void)
{
	expect_untouched();
	churn();
	EXPECT(victim_read_faults(dead) == is_protected);
	for (int i = 0; i < BLOCKS; i++) {
		memset(blocks[i], '!', BLOCK_BYTES);
		release(blocks[i]);
	}
	release_twice(blocks[0]);
}

static void expect_success(pid_t child)
{
	int status;

	EXPECT(child > 0);
	EXPECT(waitpid(child, &status, 0) == child);
	EXPECT(status == 0);
}

static void announce(void)
{
	char line[24];
	int length = snprintf(line, sizeof(line), "%d\n", (int)getpid());

	EXPECT(write(STDOUT_FILENO, line, (size_t)length) == length);
}

/* ---- Ways ----------------------------------------------------------------------------- */

static void by_fork(void)
{
	pid_t child = fork();

	if (child == 0) {
		use_up();
		announce();
		exit(0);
	}
	expect_success(child);
}

static void by_fork_twice(void)
{
	pid_t child = fork();

	if (child == 0) {
		expect_untouched();
		churn();
		by_fork();
		use_up();
		announce();
		exit(0);
	}
	expect_success(child);
}

/* The parent frees while the child lives, so that their shared pages part both ways. */
static void side_by_side(void)
{
	pid_t child = fork();

	if (child == 0) {
		use_up();
		announce();
		exit(0);
	}
	churn();
	expect_untouched();
	churn();
	expect_success(child);
}

/* The child cannot renew what needs a descriptor: what it frees is out of reach all the same,
 * and it says what is not. */
static void without_descriptors(void)
{
	while (open("/dev/null", O_RDONLY) >= 0)
		;
	pid_t child = fork();

	if (child == 0) {
		expect_untouched();
		for (int i = 0; i < BLOCKS; i++) {
			release(blocks[i]);
			EXPECT(IHostMalloc_Free(heap, allocate('n')) == S_OK);
		}
		release_twice(blocks[0]);
		announce();
		exit(0);
	}
	expect_success(child);
}

/* No handler runs. */
static void by_system_call(void)
{
	pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);

	if (child == 0) {
		expect_untouched();
		churn();
		for (int i = 0; i < BLOCKS; i++) {
			memset(blocks[i], '!', BLOCK_BYTES);
			release(blocks[i]);
		}
		EXPECT(victim_read_faults(dead) == is_protected);
		_exit(0);
	}
	expect_success(child);
}

static void by_vfork(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t child = vfork();

		if (child == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(1);
		}
		expect_success(child);
		expect_untouched();
	}
}

static void by_spawn(void)
{
	char *const arguments[] = {(char[]){"true"}, NULL};

	for (int i = 0; i < 20; i++) {
		pid_t child;

		EXPECT(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) == 0);
		expect_success(child);
		expect_untouched();
	}
}

static _Atomic bool is_over;

static void *allocate_until_over(void *unused)
{
	(void)unused;
	while (!atomic_load(&is_over)) {
		char *block = allocate('t');

		EXPECT(block[0] == 't' && block[BLOCK_BYTES - 1] == 't');
		EXPECT(IHostMalloc_Free(heap, block) == S_OK);
	}
	return NULL;
}

/* The loader's lock is taken most of the time. */
static void *load_until_over(void *unused)
{
	(void)unused;
	while (!atomic_load(&is_over)) {
		void *library = dlopen("libresolv.so.2", RTLD_NOW);

		EXPECT(library != NULL && dlclose(library) == 0);
	}
	return NULL;
}

static void fork_among(void *(*other)(void *))
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_create(&threads[i], NULL, other, NULL) == 0);
	for (long i = test_times(FORKS, 30); i > 0; i--) {
		pid_t child = fork();

		if (child == 0) {
			release(blocks[0]);
			release(allocate('c'));
			EXPECT(victim_read_faults(dead) == is_protected);
			_exit(0);
		}
		expect_success(child);
	}
	atomic_store(&is_over, true);
	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_join(threads[i], NULL) == 0);
}

/* Forks while threads are in the middle of everything. */
static void among_threads(void)
{
	fork_among(allocate_until_over);
}

static void among_loaders(void)
{
	fork_among(load_until_over);
}

static const struct {
	const char *name;
	void (*make)(void);
} ways[] = {
        {"fork", by_fork},
        {"twice", by_fork_twice},
        {"side-by-side", side_by_side},
        {"no-descriptors", without_descriptors},
        {"raw", by_system_call},
        {"vfork", by_vfork},
        {"spawn", by_spawn},
        {"threads", among_threads},
        {"loaders", among_loaders},
};

int main(int argc, char **argv)
{
	EXPECT(argc >= 2);
	is_protected = argc < 3 || strcmp(argv[2], "unprotected") != 0;
	begin();
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[1]) == 0)
			ways[i].make();
	use_up();
	IHostMalloc_Release(heap);
	return 0;
}
