/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether what made a block and what frees it are a pair although the heap was called by
 * functions that are none. Private to the module.
 *
 * Context: alloc. No lock may be held: files are read.
 */
#ifndef FP_HEAP_PAIR_H
#define FP_HEAP_PAIR_H

#include <stdbool.h>

#include "model/block.h"

/* BLOCK, of another family than FAMILY, is freed as one of FAMILY at TRACE. */
bool fp_pair_fits(const struct fp_block *block, enum fp_family family, fp_trace_id trace);

#endif
