/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether padding is as it was filled: the answer is nearly always yes, and a free asks it of
 * most of a page.
 *
 * Context: alloc. Private to heap.
 */
#ifndef FP_HEAP_INTACT_H
#define FP_HEAP_INTACT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether all of BYTES bytes from START on, at least one, are padding. */
bool fp_intact_is(const unsigned char *start, size_t bytes);

/* Finds the fastest way on this machine; until then one that any has is taken. Context: report.
 */
void fp_intact_init(void);

/* The way that any machine has, through libc's vector code: all bytes equal the first one
 * exactly when the run equals itself moved by one. */
bool fp_intact_is_by_libc(const unsigned char *start, size_t bytes);

#endif
