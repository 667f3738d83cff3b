/* SPDX-License-Identifier: Apache-2.0
 *
 * What a call is about to read or write, held against our blocks: bytes that are not in a live
 * one are a finding. The macros are the words of the tables of calls.
 *
 * Context: alloc. Private to the module. errno stays.
 */
#ifndef FP_PRELOAD_BUFFERS_H
#define FP_PRELOAD_BUFFERS_H

#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "model/finding.h"
#include "preload/door.h"

void fp_buffer_check(const void *address, size_t size, enum fp_access access);
void fp_buffer_check_parts(const struct iovec *parts, size_t count, enum fp_access access);
void fp_buffer_check_message(const struct msghdr *message, enum fp_access access);
void fp_buffer_check_messages(const struct mmsghdr *messages, unsigned count,
                              enum fp_access access);
void fp_buffer_check_address(const void *address, const socklen_t *length);
void fp_buffer_check_line(char *const *line, const size_t *size);

/* 0 for a negative one, which the kernel refuses. */
size_t fp_buffer_positive(int count);
size_t fp_buffer_fd_set_bytes(int count);

/* Of ioctl(2) and prctl(2), by request. */
void fp_buffer_check_ioctl(unsigned request, const void *argument);
void fp_buffer_check_prctl(int request, const void *argument);

#define READS(pointer, bytes) fp_buffer_check((pointer), (bytes), FP_ACCESS_READ);
#define WRITES(pointer, bytes) fp_buffer_check((pointer), (bytes), FP_ACCESS_WRITE);
#define READS_PARTS(parts, count)                                                              \
	fp_buffer_check_parts((parts), fp_buffer_positive(count), FP_ACCESS_READ);
#define WRITES_PARTS(parts, count)                                                             \
	fp_buffer_check_parts((parts), fp_buffer_positive(count), FP_ACCESS_WRITE);
#define READS_MESSAGE(message) fp_buffer_check_message((message), FP_ACCESS_READ);
#define WRITES_MESSAGE(message) fp_buffer_check_message((message), FP_ACCESS_WRITE);
#define READS_MESSAGES(messages, count)                                                        \
	fp_buffer_check_messages((messages), (count), FP_ACCESS_READ);
#define WRITES_MESSAGES(messages, count)                                                       \
	fp_buffer_check_messages((messages), (count), FP_ACCESS_WRITE);
#define WRITES_ADDRESS(address, length) fp_buffer_check_address((address), (length));
#define READS_ONE(pointer) READS((pointer), sizeof(*(pointer)))
#define WRITES_ONE(pointer) WRITES((pointer), sizeof(*(pointer)))
#define WRITES_LINE(line, size) fp_buffer_check_line((line), (size));
#define SPARES(mask)                                                                           \
	sigset_t spared;                                                                       \
	(mask) = fp_preload_spare((mask), &spared);

#endif
