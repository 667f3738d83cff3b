/* SPDX-License-Identifier: Apache-2.0
 *
 * A preloaded library as torsocks, proot and faketime are: it has put functions of its own
 * before libc's, and what each of them does needs memory, under a lock. One that is called by
 * the thread that has the lock would wait for ever; it names itself and the process ends. So
 * does one that is called by what the program does not call it for, once that has set
 * hooks_are_forbidden.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* All take what fits into six registers. */
typedef long any(long, long, long, long, long, long);

int hooks_are_forbidden;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread const char *volatile entered __attribute__((tls_model("initial-exec")));

static void complain(const char *what, const char *name)
{
	any *next = (any *)dlsym(RTLD_NEXT, "write");

	next(2, (long)name, (long)strlen(name), 0, 0, 0);
	next(2, (long)what, (long)strlen(what), 0, 0, 0);
	abort();
}

static void enter(const char *name)
{
	void *block;

	if (entered != NULL)
		complain(" was called within a hook\n", name);
	if (hooks_are_forbidden)
		complain(" was called by nobody\n", name);
	pthread_mutex_lock(&lock);
	entered = name;
	block = malloc(100);
	block = realloc(block, 100000);
	free(block);
	entered = NULL;
	pthread_mutex_unlock(&lock);
}

#define HOOK(name)                                                                             \
	long hook_##name(long a, long b, long c, long d, long e, long f) __asm__(#name);       \
	long hook_##name(long a, long b, long c, long d, long e, long f)                       \
	{                                                                                      \
		static any *next;                                                              \
                                                                                               \
		enter(#name);                                                                  \
		if (next == NULL)                                                              \
			next = (any *)dlsym(RTLD_NEXT, #name);                                 \
		return next(a, b, c, d, e, f);                                                 \
	}

HOOK(access)
HOOK(clock_gettime)
HOOK(close)
HOOK(connect)
HOOK(dup2)
HOOK(execve)
HOOK(faccessat)
HOOK(fcntl)
HOOK(fstat)
HOOK(ftruncate)
HOOK(getcwd)
HOOK(getpid)
HOOK(getppid)
HOOK(getrlimit)
HOOK(getsockopt)
HOOK(getuid)
HOOK(getxattr)
HOOK(ioctl)
HOOK(kill)
HOOK(lseek)
HOOK(madvise)
HOOK(mmap)
HOOK(mprotect)
HOOK(munmap)
HOOK(nanosleep)
HOOK(open)
HOOK(openat)
HOOK(pipe2)
HOOK(poll)
HOOK(prctl)
HOOK(pread)
HOOK(pthread_sigmask)
HOOK(raise)
HOOK(read)
HOOK(readlink)
HOOK(sendfile)
HOOK(setrlimit)
HOOK(setsockopt)
HOOK(sigaltstack)
HOOK(sigprocmask)
HOOK(socket)
HOOK(stat)
HOOK(syscall)
HOOK(unlink)
HOOK(waitpid)
HOOK(write)

/* As torsocks does: before anybody else. */
__attribute__((constructor)) static void start(void)
{
	enter("the constructor");
}
