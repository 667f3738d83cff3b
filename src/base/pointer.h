/* SPDX-License-Identifier: Apache-2.0
 *
 * What a pointer that is no block points to, in words.
 *
 * Context: alloc and fault (reads /proc/thread-self/maps).
 */
#ifndef FP_BASE_POINTER_H
#define FP_BASE_POINTER_H

#include <stdint.h>

#include "base/text.h"

/* Appends for example "the stack of the calling thread" or "a global variable of /usr/bin/x". A
 * path of more than 248 bytes is "..." and as much of its end. */
void fp_pointer_describe(struct fp_text *text, uintptr_t address);

#endif
