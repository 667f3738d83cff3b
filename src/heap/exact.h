/* SPDX-License-Identifier: Apache-2.0
 *
 * align=auto: blocks end at their guard to the byte, and so are aligned to no more than their
 * size is, but for those of sites that showed that they need more. A site is the first frames
 * of an allocation's stack.
 *
 * Context: alloc and fault. Private to heap, but for what heap.h declares.
 */
#ifndef FP_HEAP_EXACT_H
#define FP_HEAP_EXACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/block.h"

enum { FP_EXACT_PROMISED = 16 /* malloc's alignment */ };

/* Whether blocks are placed so, and whether they are looked at for a run that places them so.
 */
void fp_exact_init(bool places, bool learns);

/* LEAST, or more when the site of TRACE needs that. */
size_t fp_exact_align(size_t least, fp_trace_id trace);

/* What BLOCK, which is accessible, holds tells what its site needs. */
void fp_exact_learn(const struct fp_block *block);

/* Whether ADDRESS is that of the live BLOCK without its low bits, in which the program keeps
 * something else: the site is aligned from now on. */
bool fp_exact_is_masked(const struct fp_block *block, uintptr_t address);

#endif
