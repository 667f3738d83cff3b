/* SPDX-License-Identifier: Apache-2.0
 *
 * The helpers of support.h, on POSIX alone.
 */
#include "support/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Tests and their children end wherever they are, and what they held is no leak. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}

enum { THREADS_MAX = 16 };

int test_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static sigjmp_buf before_access;

static void escape(int number)
{
	siglongjmp(before_access, number);
}

static bool access_faults(uintptr_t address, bool is_write)
{
	volatile unsigned char *byte = (volatile unsigned char *)address;
	struct sigaction action = {.sa_handler = escape};
	struct sigaction old_segv;
	struct sigaction old_bus;
	int fault;

	sigaction(SIGSEGV, &action, &old_segv);
	sigaction(SIGBUS, &action, &old_bus);
	fault = sigsetjmp(before_access, 1);
	if (fault == 0) {
		if (is_write)
			*byte = 0xa5;
		else
			(void)*byte;
	}
	sigaction(SIGSEGV, &old_segv, NULL);
	sigaction(SIGBUS, &old_bus, NULL);
	return fault != 0;
}

bool test_read_faults(uintptr_t address)
{
	return access_faults(address, false);
}

bool test_write_faults(uintptr_t address)
{
	return access_faults(address, true);
}

static void read_all(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t got;

	while (used < size - 1 && (got = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = '\0';
}

void test_run_child(void (*body)(void *user), void *user, struct test_child *child)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	fflush(NULL);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		body(user);
		_exit(0);
	}
	close(ends[1]);
	read_all(ends[0], child->text, sizeof(child->text));
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &child->status, 0), pid);
}

void test_fail_child(const char *file, int line, const char *condition)
{
	dprintf(STDERR_FILENO, "%s:%d: not so: %s\n", file, line, condition);
	_exit(1);
}

struct start {
	pthread_barrier_t *barrier;
	void (*body)(unsigned index, void *user);
	void *user;
	unsigned index;
};

static void *run_one(void *argument)
{
	struct start *start = argument;

	pthread_barrier_wait(start->barrier);
	start->body(start->index, start->user);
	return NULL;
}

void test_run_threads(unsigned count, void (*body)(unsigned index, void *user), void *user)
{
	pthread_t threads[THREADS_MAX];
	struct start starts[THREADS_MAX];
	pthread_barrier_t barrier;

	ck_assert_uint_le(count, THREADS_MAX);
	pthread_barrier_init(&barrier, NULL, count);
	int status = 0;
	/* No assertion among them: Check's own work would show in what the threads measure. */
	for (unsigned i = 0; i < count && status == 0; i++) {
		starts[i] = (struct start){&barrier, body, user, i};
		status = pthread_create(&threads[i], NULL, run_one, &starts[i]);
	}
	for (unsigned i = 0; i < count && status == 0; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(status, 0);
	pthread_barrier_destroy(&barrier);
}

const char *test_path(const char *name)
{
	static char paths[8][300];
	static unsigned next;
	const char *build = getenv("FP_BUILDDIR");
	char *path = paths[next++ % 8];

	if (build == NULL)
		snprintf(path, sizeof(paths[0]), "/tmp/%ld-%s.work", (long)getpid(), name);
	else
		snprintf(path, sizeof(paths[0]), "%s/tests/support/%ld-%s.work", build,
		         (long)getpid(), name);
	return path;
}

char *test_read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	size_t capacity = 1 << 20;
	char *bytes = malloc(capacity);
	size_t used = 0;
	size_t got;

	ck_assert_msg(file != NULL, "%s: cannot be read", path);
	while ((got = fread(bytes + used, 1, capacity - used - 1, file)) > 0) {
		used += got;
		if (used == capacity - 1)
			bytes = realloc(bytes, capacity *= 2);
	}
	fclose(file);
	bytes[used] = '\0';
	if (size != NULL)
		*size = used;
	return bytes;
}

long test_status_kib(const char *key)
{
	char *status = test_read_file("/proc/self/status", NULL);
	char *line = strstr(status, key);

	ck_assert_ptr_nonnull(line);
	long kib = strtol(line + strlen(key), NULL, 10);
	free(status);
	return kib;
}

/* Without malloc, whose own mappings would count. */
size_t test_mapping_count(void)
{
	char buffer[4096];
	size_t lines = 0;
	ssize_t got;
	int fd = open("/proc/self/maps", O_RDONLY);

	ck_assert_int_ge(fd, 0);
	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < got; i++)
			lines += buffer[i] == '\n';
	close(fd);
	return lines;
}
