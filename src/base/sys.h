/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls without the C library. What runs in the process under test calls these only: any
 * preloaded library may have replaced open(3), close(3) or syscall(3) with a function that
 * takes a lock and allocates, and it would meet itself in our malloc. Nor are they cancellation
 * points, and errno stays as it is. tests/lint/context.sh refuses the C library's.
 *
 * Context: alloc and fault. Each returns what the kernel does: a result, or a negative errno.
 *
 * In seccomp's strict mode any call but four ends the process, and a filter may end it for any:
 * what a thread enters is told to fp_sys_confine() or fp_sys_obey(), and from then on a call
 * that would is not made and has -EPERM, as of a filter that only refuses.
 */
#ifndef FP_BASE_SYS_H
#define FP_BASE_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>

#if defined(__x86_64__)
#include "base/sys_x86_64.h"
#elif defined(__aarch64__)
#include "base/sys_aarch64.h"
#else
#include "base/sys_other.h"
#endif

/* fp_sys(number, up to six arguments, numbers or pointers) */
#define FP_SYS_LONGS(number, a, b, c, d, e, f, ...)                                            \
	fp_sys_call_unless_confined((long)(number), (long)(a), (long)(b), (long)(c),           \
	                            (long)(d), (long)(e), (long)(f))
#define fp_sys(...) FP_SYS_LONGS(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* Whether some thread is under seccomp (in confinement.c). */
extern _Atomic bool fp_sys_is_confined;

/* The calling thread is in strict mode from now on, or is not. */
void fp_sys_confine(bool is_confined);

/* The calling thread is about to install PROGRAM, for itself and the threads that it makes, or
 * FOR_ALL. False: nobody can read it, and the kernel will not take it. fp_sys_disobey(): the
 * kernel did not. */
struct sock_fprog;
bool fp_sys_obey(const struct sock_fprog *program, bool is_for_all);
void fp_sys_disobey(void);

/* Whether the call is one that is not made, and what it has answered then; or made if not. */
bool fp_sys_is_refused(long number, const long *arguments, long *result);
long fp_sys_call_confined(long number, long a, long b, long c, long d, long e, long f);

static inline long fp_sys_call_unless_confined(long number, long a, long b, long c, long d,
                                               long e, long f)
{
	if (__builtin_expect(atomic_load_explicit(&fp_sys_is_confined, memory_order_relaxed),
	                     0))
		return fp_sys_call_confined(number, a, b, c, d, e, f);
	return fp_sys_call(number, a, b, c, d, e, f);
}

/* Bytes of a signal set as the kernel has it; glibc's are longer. And what shells add to the
 * number of a signal, for the exit status of who died of it. */
enum { FP_SYS_SIGSET_BYTES = 8, FP_SYS_SIGNALLED = 128 };

/* ---- Files ---------------------------------------------------------------------------------
 */

static inline int fp_sys_open(const char *path, int flags, mode_t mode)
{
	return (int)fp_sys(SYS_openat, AT_FDCWD, path, flags, mode);
}

static inline int fp_sys_close(int fd)
{
	return (int)fp_sys(SYS_close, fd);
}

static inline ssize_t fp_sys_read(int fd, void *buffer, size_t bytes)
{
	return fp_sys(SYS_read, fd, buffer, bytes);
}

static inline ssize_t fp_sys_write(int fd, const void *buffer, size_t bytes)
{
	return fp_sys(SYS_write, fd, buffer, bytes);
}

static inline ssize_t fp_sys_pread(int fd, void *buffer, size_t bytes, off_t at)
{
	return fp_sys(SYS_pread64, fd, buffer, bytes, at);
}

static inline off_t fp_sys_lseek(int fd, off_t at, int whence)
{
	return fp_sys(SYS_lseek, fd, at, whence);
}

static inline int fp_sys_fcntl(int fd, int command, long argument)
{
	return (int)fp_sys(SYS_fcntl, fd, command, argument);
}

static inline int fp_sys_dup_to(int fd, int to)
{
	return fd == to ? fd : (int)fp_sys(SYS_dup3, fd, to, 0);
}

/* On 64-bit systems the kernel's struct is libc's. */
static inline int fp_sys_stat(const char *path, struct stat *status)
{
	return (int)fp_sys(SYS_newfstatat, AT_FDCWD, path, status, 0);
}

static inline int fp_sys_fstat(int fd, struct stat *status)
{
	int result = (int)fp_sys(SYS_fstat, fd, status);

	/* A filter that is older than this call's use in libc knows the other one. */
	return result == 0 || result == -EBADF
	               ? result
	               : (int)fp_sys(SYS_newfstatat, fd, "", status, AT_EMPTY_PATH);
}

/* With the real user, as access(2). */
static inline int fp_sys_access(const char *path, int mode)
{
	return (int)fp_sys(SYS_faccessat, AT_FDCWD, path, mode);
}

/* What getdents64(2) writes. */
struct fp_sys_entry {
	uint64_t inode;
	int64_t offset;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

static inline ssize_t fp_sys_readlink(const char *path, char *buffer, size_t bytes)
{
	return fp_sys(SYS_readlinkat, AT_FDCWD, path, buffer, bytes);
}

static inline int fp_sys_unlink(const char *path)
{
	return (int)fp_sys(SYS_unlinkat, AT_FDCWD, path, 0);
}

static inline int fp_sys_poll(struct pollfd *files, unsigned count, int milliseconds)
{
	const struct timespec timeout = {.tv_sec = milliseconds / 1000,
	                                 .tv_nsec = milliseconds % 1000 * 1000000L};

	return (int)fp_sys(SYS_ppoll, files, count, milliseconds < 0 ? NULL : &timeout, NULL,
	                   FP_SYS_SIGSET_BYTES);
}

/* ---- Processes and threads -----------------------------------------------------------------
 */

static inline pid_t fp_sys_getpid(void)
{
	return (pid_t)fp_sys(SYS_getpid);
}

static inline pid_t fp_sys_gettid(void)
{
	return (pid_t)fp_sys(SYS_gettid);
}

/* With fork's effect and no handlers. EXIT_SIGNAL 0: the parent hears nothing of the end. */
static inline pid_t fp_sys_fork(int exit_signal)
{
	return (pid_t)fp_sys(SYS_clone, exit_signal, NULL, NULL, NULL, 0);
}

static inline pid_t fp_sys_wait(pid_t pid, int *status, int options)
{
	long result;

	do
		result = fp_sys(SYS_wait4, pid, status, options, NULL);
	while (result == -EINTR);
	return (pid_t)result;
}

static inline int fp_sys_get_limit(int resource, struct rlimit *limit)
{
	return (int)fp_sys(SYS_prlimit64, 0, resource, NULL, limit);
}

static inline int fp_sys_set_limit(int resource, const struct rlimit *limit)
{
	return (int)fp_sys(SYS_prlimit64, 0, resource, limit, NULL);
}

static inline int fp_sys_sleep(const struct timespec *pause)
{
	return (int)fp_sys(SYS_nanosleep, pause, NULL);
}

/* ---- Signals -------------------------------------------------------------------------------
 */

/* Of SET and OLD, which may be NULL, only what the kernel has is read and written. */
static inline int fp_sys_sigmask(int how, const void *set, void *old)
{
	return (int)fp_sys(SYS_rt_sigprocmask, how, set, old, FP_SYS_SIGSET_BYTES);
}

/* glibc's own name for sigaction(2), which nobody interposes: what the preload door has in
 * place of the other one would forget the program's handlers. By the system call alone a
 * handler had no way back. */
extern int __sigaction(int signal, const struct sigaction *action, struct sigaction *old);

static inline int fp_sys_sigaction(int signal, const struct sigaction *action,
                                   struct sigaction *old)
{
	const long arguments[] = {signal, (long)action, (long)old, FP_SYS_SIGSET_BYTES, 0, 0};
	int saved_errno = errno;
	long result = 0;

	if (atomic_load(&fp_sys_is_confined) &&
	    fp_sys_is_refused(SYS_rt_sigaction, arguments, &result))
		return (int)result;
	if (__sigaction(signal, action, old) != 0)
		result = -errno;
	errno = saved_errno;
	return (int)result;
}

/* To the calling thread. */
static inline int fp_sys_raise(int signal)
{
	return (int)fp_sys(SYS_tgkill, fp_sys_getpid(), fp_sys_gettid(), signal);
}

#endif
