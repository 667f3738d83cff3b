/* SPDX-License-Identifier: Apache-2.0
 *
 * As much of glibc's support library as its malloc tests use, written anew: the tests are built
 * against the C library that is installed.
 */
#ifndef TESTS_PEERS_GLIBC_SUPPORT_H
#define TESTS_PEERS_GLIBC_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIAG_PUSH_NEEDS_COMMENT
#define DIAG_POP_NEEDS_COMMENT
#define DIAG_IGNORE_NEEDS_COMMENT(version, option)
#define DIAG_IGNORE_Os_NEEDS_COMMENT(version, option)
#define array_length(array) (sizeof(array) / sizeof((array)[0]))
#define EXIT_UNSUPPORTED 77
#define DEFAULT_TIMEOUT 20
#define ignore_stderr() ((void)0)
#define TIMEOUTFACTOR 1

static _Atomic int support_failures;
static inline void support_record_failure(void)
{
	support_failures++;
}
#define TEST_VERIFY(e)                                                                         \
	((e) ? (void)0 : (support_record_failure(), (void)printf("%d: %s\n", __LINE__, #e)))
#define TEST_VERIFY_EXIT(e) ((e) ? (void)0 : (printf("%d: %s\n", __LINE__, #e), exit(1)))
#define TEST_COMPARE(a, b) TEST_VERIFY((a) == (b))
#define TEST_COMPARE_BLOB(a, as, b, bs) TEST_VERIFY((as) == (bs) && memcmp(a, b, as) == 0)
#define FAIL(...) (support_record_failure(), printf(__VA_ARGS__), printf("\n"))
#define FAIL_EXIT(status, ...) (printf(__VA_ARGS__), printf("\n"), exit(status))
#define FAIL_EXIT1(...) FAIL_EXIT(1, __VA_ARGS__)
#define FAIL_RET(...) return (printf(__VA_ARGS__), printf("\n"), 1)
#define FAIL_UNSUPPORTED(...) FAIL_EXIT(EXIT_UNSUPPORTED, __VA_ARGS__)

static inline void *support_sure(void *result)
{
	TEST_VERIFY_EXIT(result != NULL);
	return result;
}
#define xmalloc(n) support_sure(malloc(n))
#define xcalloc(n, m) support_sure(calloc(n, m))
#define xrealloc(p, n) support_sure(realloc(p, n))
#define xstrdup(s) ((char *)support_sure(strdup(s)))
#define xposix_memalign(a, n)                                                                  \
	({                                                                                     \
		void *made = NULL;                                                             \
		TEST_VERIFY_EXIT(posix_memalign(&made, a, n) == 0);                            \
		made;                                                                          \
	})
static inline char *xasprintf(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	va_start(arguments, format);
	TEST_VERIFY_EXIT(vasprintf(&text, format, arguments) >= 0);
	va_end(arguments);
	return text;
}
static inline pthread_t xpthread_create(pthread_attr_t *attributes, void *(*run)(void *),
                                        void *argument)
{
	pthread_t thread;

	TEST_VERIFY_EXIT(pthread_create(&thread, attributes, run, argument) == 0);
	return thread;
}
static inline void *xpthread_join(pthread_t thread)
{
	void *result;

	TEST_VERIFY_EXIT(pthread_join(thread, &result) == 0);
	return result;
}
#define xpthread_barrier_init(...) TEST_VERIFY_EXIT(pthread_barrier_init(__VA_ARGS__) == 0)
#define xpthread_barrier_destroy(b) TEST_VERIFY_EXIT(pthread_barrier_destroy(b) == 0)
#define xpthread_barrierattr_init(a) TEST_VERIFY_EXIT(pthread_barrierattr_init(a) == 0)
#define xpthread_barrierattr_destroy(a) TEST_VERIFY_EXIT(pthread_barrierattr_destroy(a) == 0)
#define xpthread_barrierattr_setpshared(a, s)                                                  \
	TEST_VERIFY_EXIT(pthread_barrierattr_setpshared(a, s) == 0)
#define xpthread_kill(t, s) TEST_VERIFY_EXIT(pthread_kill(t, s) == 0)
#define xpthread_cancel(t) TEST_VERIFY_EXIT(pthread_cancel(t) == 0)
#define xpthread_attr_init(a) TEST_VERIFY_EXIT(pthread_attr_init(a) == 0)
static inline void xpthread_barrier_wait(pthread_barrier_t *barrier)
{
	int status = pthread_barrier_wait(barrier);

	TEST_VERIFY_EXIT(status == 0 || status == PTHREAD_BARRIER_SERIAL_THREAD);
}
#define xsignal(n, h) TEST_VERIFY_EXIT(signal(n, h) != SIG_ERR)
#define xsysconf(n) sysconf(n)
#define xmunmap(p, n) TEST_VERIFY_EXIT(munmap(p, n) == 0)
static inline void *xmmap(void *at, size_t size, int protection, int flags, int fd)
{
	void *memory = mmap(at, size, protection, flags, fd, 0);

	TEST_VERIFY_EXIT(memory != MAP_FAILED);
	return memory;
}
static inline pid_t xfork(void)
{
	pid_t pid = fork();

	TEST_VERIFY_EXIT(pid >= 0);
	return pid;
}
static inline int xwaitpid(pid_t pid, int *status, int flags)
{
	pid_t got = waitpid(pid, status, flags);

	TEST_VERIFY_EXIT(got >= 0);
	return got;
}
static inline void *support_shared_allocate(size_t size)
{
	return xmmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
}
#define support_shared_free(p) ((void)(p))
#define xopen(...) open(__VA_ARGS__)
static inline int create_temp_file(const char *name, char **path)
{
	char *made = xasprintf("/tmp/%sXXXXXX", name);
	int fd = mkstemp(made);

	TEST_VERIFY_EXIT(fd >= 0);
	unlink(made);
	if (path)
		*path = made;
	return fd;
}
#define write_message(...) dprintf(STDOUT_FILENO, __VA_ARGS__)

#endif
