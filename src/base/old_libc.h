/* SPDX-License-Identifier: Apache-2.0
 *
 * What glibc 2.31 to 2.34 and musl lack, under glibc's own names, so that nobody else knows:
 * config.h includes this where configure finds no _dl_find_object. Everything here has the
 * contract of glibc's manual.
 *
 * Context: fault.
 */
#ifndef FP_BASE_OLD_LIBC_H
#define FP_BASE_OLD_LIBC_H

#include <asm/unistd.h>
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>

/* Numbers that the kernel's headers may lack, too: they are the same on all architectures. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

/* Since 2.35. It takes no lock and allocates nothing, here, too. */
struct dl_find_object {
	void *dlfo_map_start;
	void *dlfo_map_end;
	struct link_map *dlfo_link_map; /* of which l_addr alone is filled in */
	void *dlfo_eh_frame;
};
int _dl_find_object(void *address, struct dl_find_object *result);

#ifndef __GLIBC__
/* musl. What the program needs, too, is not here: it is built with glibc. */
#define __GLIBC_PREREQ(major, minor) 1
#define strerrordesc_np strerror
extern struct r_debug _r_debug;

/* Nobody tells a status. */
static inline int on_exit(void (*function)(int, void *), void *argument)
{
	(void)function;
	(void)argument;
	return -1;
}
#endif

#if !__GLIBC_PREREQ(2, 33)
struct mallinfo2 {
	size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks,
	        keepcost;
};
#endif

#if !__GLIBC_PREREQ(2, 32)
extern const char *const sys_sigabbrev[NSIG];

static inline const char *strerrordesc_np(int error)
{
	return error >= 0 && error < _sys_nerr ? _sys_errlist[error] : NULL;
}

static inline const char *sigabbrev_np(int signal)
{
	return signal > 0 && signal < NSIG ? sys_sigabbrev[signal] : NULL;
}
#endif

/* Since GCC 11. */
#if defined(__x86_64__) && __GNUC__ < 11
#define __builtin_thread_pointer() fp_old_thread_pointer()
static inline void *fp_old_thread_pointer(void)
{
	void *pointer;

	__asm__("mov %%fs:0, %0" : "=r"(pointer));
	return pointer;
}
#endif

#endif
