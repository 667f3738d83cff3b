/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls of calls.def and undeclared_calls.def: look at the buffers, then call libc's own.
 * Nothing a program can see changes: not the result, not errno, not what a short count means,
 * and a call stays a cancellation point because it is libc's that is called.
 */
/* Where it optimizes or fortifies, libc defines some of the functions below in its headers. */
#undef _FORTIFY_SOURCE
#define __NO_INLINE__ 1
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <mntent.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include "base/sys.h"
#include "preload/buffers.h"
#include "preload/door.h"
#include "preload/export.h"
#include "preload/next.h"
#include "session/session.h"

/* The words of the tables. */
#define AS(...) fp_check(__VA_ARGS__);
#define READS(pointer, bytes) fp_buffer_check((pointer), (bytes), FP_ACCESS_READ);
#define WRITES(pointer, bytes) fp_buffer_check((pointer), (bytes), FP_ACCESS_WRITE);
#define WRITES_ONE(pointer) WRITES((pointer), sizeof(*(pointer)))
#define WRITES_LINE(line, size) fp_buffer_check_line((line), (size));
#define COMMAND(text) fp_buffer_check_text((text), FP_ARGUMENT_BYTES);
#define SPARES(mask)                                                                           \
	sigset_t spared;                                                                       \
	(mask) = fp_preload_spare((mask), &spared);

/* Calls by itself, with a place for what the program does not ask for. */
#define ENDS(status, call)                                                                     \
	int own_status;                                                                        \
	int *ended = (status) != NULL ? (status) : &own_status;                                \
	return tell_death((call), ended);
#define ENDS_INFO(info, call)                                                                  \
	siginfo_t own_info;                                                                    \
	siginfo_t *ended = (info) != NULL ? (info) : &own_info;                                \
	own_info.si_pid = 0;                                                                   \
	return tell_death_of((call), ended);

/* Macros of older C libraries. */
#undef fread_unlocked
#undef fwrite_unlocked

/* What no header declares. */
#define FP_CALL(result, name, parameters, arguments, checks) FP_EXPORT result name parameters;
#include "preload/undeclared_calls.def"
#undef FP_CALL

/* The linker names the ends of the section. */
extern struct fp_preload_libc __start_fp_libc[] __attribute__((visibility("hidden")));
extern struct fp_preload_libc __stop_fp_libc[] __attribute__((visibility("hidden")));

void fp_preload_find_libc(void)
{
	/* Where it finds nothing, dlsym(3) allocates (see next.h). It knows of versions. */
	for (struct fp_preload_libc *own = __start_fp_libc; own < __stop_fp_libc; own++)
		if (fp_preload_find_behind(own->name, NULL, true) != 0)
			own->function = dlsym(RTLD_NEXT, own->name);
}

/* libc refuses the others. */
static size_t positive(int count)
{
	return count > 0 ? (size_t)count : 0;
}

/* A process that is killed cannot say so: who waits for it does. */
static pid_t tell_death(pid_t pid, const int *status)
{
	if (pid > 0 && WIFSIGNALED(*status))
		fp_session_tell_death(pid, *status);
	return pid;
}

static int tell_death_of(int result, const siginfo_t *info)
{
	if (result == 0 && info->si_pid > 0 &&
	    (info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED))
		fp_session_tell_death(info->si_pid, info->si_status);
	return result;
}

#define FP_CALL(result, name, parameters, arguments, checks)                                   \
	FP_EXPORT result name parameters                                                       \
	{                                                                                      \
		result(*libc_call) parameters = FP_LIBC(name);                                 \
		checks return libc_call arguments;                                             \
	}
#include "preload/calls.def"
#include "preload/undeclared_calls.def"
#undef FP_CALL

/* ---- Those that take what they are given, or return nothing ---------------------------------
 */

/* The argument behind LAST, or what is where it would be; libc takes it so, too. */
#define TAKE(type, argument, last)                                                             \
	va_list list;                                                                          \
	va_start(list, last);                                                                  \
	type argument = va_arg(list, type);                                                    \
	va_end(list);

#define FP_REQUEST(name, call, parameters, last, ...)                                          \
	FP_EXPORT int name parameters                                                          \
	{                                                                                      \
		TAKE(void *, argument, last)                                                   \
		AS(call, __VA_ARGS__, argument)                                                \
		return FP_LIBC(name)(__VA_ARGS__, argument);                                   \
	}
FP_REQUEST(ioctl, ioctl, (int fd, unsigned long request, ...), request, fd, request)
FP_REQUEST(fcntl, fcntl, (int fd, int request, ...), request, fd, request)
FP_REQUEST(fcntl64, fcntl, (int fd, int request, ...), request, fd, request)
FP_REQUEST(semctl, semctl, (int set, int number, int request, ...), request, set, number,
           request)

FP_EXPORT int prctl(int request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	void *second = va_arg(arguments, void *);
	long third = va_arg(arguments, long);
	long fourth = va_arg(arguments, long);
	long fifth = va_arg(arguments, long);
	va_end(arguments);
	AS(prctl, request, second, third, fourth, fifth)
	const long all[] = {request, (long)second, third, fourth, fifth};
	long result;
	return fp_session_enter_seccomp(SYS_prctl, all, &result)
	               ? (int)fp_preload_answer(result)
	               : FP_LIBC(prctl)(request, second, third, fourth, fifth);
}

#define FP_OPEN(name, call, parameters, ...)                                                   \
	FP_EXPORT int name parameters                                                          \
	{                                                                                      \
		TAKE(mode_t, mode, flags)                                                      \
		AS(call, __VA_ARGS__)                                                          \
		return FP_LIBC(name)(__VA_ARGS__, flags, mode);                                \
	}
FP_OPEN(open, open, (const char *path, int flags, ...), path)
FP_OPEN(open64, open, (const char *path, int flags, ...), path)
FP_OPEN(openat, openat, (int fd, const char *path, int flags, ...), fd, path)
FP_OPEN(openat64, openat, (int fd, const char *path, int flags, ...), fd, path)

FP_EXPORT void setbuf(FILE *file, char *buffer)
{
	WRITES(buffer, BUFSIZ)
	FP_LIBC(setbuf)(file, buffer);
}

/* Newer libcs declare it. */
#pragma GCC diagnostic ignored "-Wredundant-decls"
void arc4random_buf(void *buffer, size_t size);

FP_EXPORT void arc4random_buf(void *buffer, size_t size)
{
	AS(getrandom, buffer, size)
	FP_LIBC(arc4random_buf)(buffer, size);
}
