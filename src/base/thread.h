/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is running. Context: alloc and fault.
 */
#ifndef FP_BASE_THREAD_H
#define FP_BASE_THREAD_H

#include <stdbool.h>
#include <stdint.h>

/* The kernel's id of the calling thread, cached. */
uint32_t fp_thread_self(void);

/* A number of the calling thread, counted from 0 in the order in which threads first ask. */
uint32_t fp_thread_ordinal(void);

/* How many have. */
uint32_t fp_thread_count(void);

/* NAME takes 16 bytes, terminating zero included. */
void fp_thread_name(char *name);

/* What the thread allocates between the two is no leak, whatever becomes of it. They nest; an
 * end without a beginning is none. */
void fp_thread_begin_ignoring(void);
void fp_thread_end_ignoring(void);
bool fp_thread_is_ignoring(void);

/* In the child of a fork: the one thread there has a new id. */
void fp_thread_forget_id(void);

#endif
