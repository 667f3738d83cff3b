/* SPDX-License-Identifier: Apache-2.0
 *
 * Metadata memory: where Fencepost keeps what it knows. Never the heap it watches: the pages
 * are its own, with a guard on either side of each chunk, so a stray write of the program is
 * unlikely to find them.
 *
 * Context: alloc. Thread-safe.
 */
#ifndef FP_BASE_META_H
#define FP_BASE_META_H

#include <stddef.h>

/*
 * BYTES bytes, zeroed, aligned to 16; NULL when the system refuses more memory, never an
 * abort. The caller keeps the size: there is no header.
 */
void *fp_meta_alloc(size_t bytes);

/* Takes what fp_meta_alloc(BYTES) returned, or NULL. */
void fp_meta_free(void *memory, size_t bytes);

/* Gives back the address space that is reserved and was never used. */
void fp_meta_give_reserve_back(void);

/* Bytes obtained from the system so far and not given back. */
size_t fp_meta_footprint(void);

/* For the fork handlers. */
void fp_meta_lock_for_fork(void);
void fp_meta_unlock_after_fork(void);

#endif
