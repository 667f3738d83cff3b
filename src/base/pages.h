/* SPDX-License-Identifier: Apache-2.0
 *
 * Which pages of a mapping hold anything: what was never written is not read, copied or filled
 * either, so that terabytes of which a page is used cost what that page costs.
 *
 * Context: alloc. One descriptor, while it is open.
 */
#ifndef FP_BASE_PAGES_H
#define FP_BASE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The page map of this process, or -1: then all pages are taken to hold data. */
int fp_pages_open(void);
void fp_pages_close(int map);

/*
 * The first run of pages in [*START, END) that may hold what the program wrote, skipping what
 * was never touched: *START and *RUN_END are set to it. False when there is none.
 */
bool fp_pages_next_run(int map, bool is_shared, uintptr_t *start, uintptr_t end,
                       uintptr_t *run_end);

/* Copies BYTES, of which those that were never written are zeros at TO already. */
void fp_pages_copy(void *to, const void *from, size_t bytes);

#endif
