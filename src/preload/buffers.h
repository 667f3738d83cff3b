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
void fp_buffer_check_parts(const struct iovec *parts, size_t count, enum fp_access access);
void fp_buffer_check_message(const struct msghdr *message, enum fp_access access);
void fp_buffer_check_messages(const struct mmsghdr *messages, unsigned count,
                              enum fp_access access);
void fp_buffer_check_address(const void *address, const socklen_t *length);
void fp_buffer_check_line(char *const *line, const size_t *size);

/* Up to and with the terminating zero, or MOST bytes. */
void fp_buffer_check_text(const char *text, size_t most);

/* Up to and with the NULL, and every text. */
void fp_buffer_check_texts(char *const *texts);

/* A structure that tells where buffers are: checked as one that is read, and whether it can be.
 */
bool fp_buffer_can_read(const void *address, size_t size);

/* Bytes of so many bits, in longs. */
size_t fp_buffer_bits(size_t count);

#endif
