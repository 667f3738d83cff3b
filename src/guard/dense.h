/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells: the slots of blocks that are not guarded. They stand side by side without guards and
 * are used again, the longest free first; a freed cell is filled, so that a late write shows.
 *
 * Context: alloc. Private to guard.
 */
#ifndef FP_GUARD_DENSE_H
#define FP_GUARD_DENSE_H

#include <stdbool.h>
#include <stddef.h>

#include "guard/guard.h"
#include "guard/span.h"

void fp_dense_init(unsigned char fill);

/* As fp_guard_acquire_dense and, for a cell, fp_guard_release. */
int fp_dense_acquire(size_t bytes, bool is_executable, struct fp_slot *slot);
int fp_dense_release(const struct fp_slot *slot);

#endif
