/* SPDX-License-Identifier: Apache-2.0
 *
 * What a call is about to read or write, held against our blocks: bytes that are not in a live
 * one are a finding.
 *
 * Context: alloc. Private to the module. errno stays.
 */
#ifndef FP_PRELOAD_BUFFERS_H
#define FP_PRELOAD_BUFFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "model/finding.h"

/* Of a path or another text, the kernel reads no more; of one for a program, more. */
enum { FP_TEXT_BYTES = 4096, FP_ARGUMENT_BYTES = 1 << 17 };

/* False: a finding was made. */
bool fp_buffer_check(const void *address, size_t size, enum fp_access access);
void fp_buffer_check_line(char *const *line, const size_t *size);

/* Up to and with the terminating zero, or MOST bytes. */
void fp_buffer_check_text(const char *text, size_t most);

/* A structure that tells where buffers are: checked as one that is read, and whether it can be.
 */
bool fp_buffer_can_read(const void *address, size_t size);

/* ---- System calls by name ------------------------------------------------------------------
 *
 * What the arguments of one point to, for who makes it by number and for the C library's
 * functions that make it.
 */

enum fp_call {
#define FP_SYSTEM_CALL(name, number, elsewhere, ...) FP_CALL_##name,
#define FP_OLD_SYSTEM_CALL(name, number, ...) FP_CALL_##name,
#define FP_UNCHECKED(what, why)
#include "preload/system_calls.def"
#undef FP_SYSTEM_CALL
#undef FP_OLD_SYSTEM_CALL
#undef FP_UNCHECKED
	FP_CALLS
};

enum { FP_CALL_ARGUMENTS = 6 };

void fp_check_call(enum fp_call call, const long *arguments);

/* fp_check(name, up to six arguments, numbers or pointers) */
#define FP_CHECK_LONGS(name, a, b, c, d, e, f, ...)                                            \
	fp_check_call(FP_CALL_##name,                                                          \
	              (const long[FP_CALL_ARGUMENTS]){(long)(a), (long)(b), (long)(c),         \
	                                              (long)(d), (long)(e), (long)(f)})
#define fp_check(...) FP_CHECK_LONGS(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* Those of which a request, or what is at a pointer, tells what the pointers are (in
 * requests.c).
 */
typedef void fp_request(const long *arguments);
fp_request fp_request_arch_prctl, fp_request_capget, fp_request_capset, fp_request_epoll_ctl,
        fp_request_fcntl, fp_request_futex, fp_request_ioctl, fp_request_landlock_add_rule,
        fp_request_msgctl, fp_request_name_to_handle_at, fp_request_open_by_handle_at,
        fp_request_prctl, fp_request_sched_setattr, fp_request_seccomp, fp_request_semctl,
        fp_request_shmctl;

#endif
