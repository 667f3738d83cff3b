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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fp_growth;

/*
 * BYTES bytes, zeroed, aligned to 16; NULL when the system refuses more memory, never an
 * abort. The caller keeps the size: there is no header. Core files leave out what is larger
 * than half a KiB, unless fp_vm_show() is called for it: most is mostly empty.
 */
void *fp_meta_alloc(size_t bytes);

/* The same, of more than a page, shared with the children of the process. */
void *fp_meta_alloc_shared(size_t bytes);

/* Takes what fp_meta_alloc(BYTES) or fp_meta_alloc_shared(BYTES) returned, or NULL. */
void fp_meta_free(void *memory, size_t bytes);

/* Once: sets BYTES aside, which are accessible at once, for when the system refuses more: one
 * half for anybody, the other for whoever comes after fp_meta_use_aside(). */
void fp_meta_set_aside(size_t bytes);
void fp_meta_use_aside(void);

/* Gives back the address space that is reserved and was never used, but for what a report
 * takes: there may be no more (RLIMIT_AS). */
void fp_meta_give_reserve_back(void);

/* Bytes obtained from the system so far and not given back. */
size_t fp_meta_footprint(void);

/* As fp_growth_reserve, for a table that grows by itself and is metadata like the rest. False
 * when there is no address space. */
bool fp_meta_reserve(struct fp_growth *table, size_t largest, size_t smallest);

/* The INDEXth area of address space that metadata memory grows in; false behind the last. No
 * lock. */
bool fp_meta_region(size_t index, uintptr_t *start, uintptr_t *end);

/* Other mappings of metadata memory end with a mark, by which whoever reads mappings knows
 * them. */
enum { FP_META_MARK_BYTES = 16 };

/* Whether the bytes at MARK, read from right before END, are that of a mapping that ends there.
 */
bool fp_meta_is_mark(const void *mark, uintptr_t end);

/* Whether no thread is in here: for who has stopped all others. */
bool fp_meta_is_idle(void);

/* Says in REMAINS where those areas are. */
struct fp_remains;
void fp_meta_leave_remains(struct fp_remains *remains);

#endif
