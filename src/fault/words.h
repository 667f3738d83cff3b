/* SPDX-License-Identifier: Apache-2.0
 *
 * What the diagnoses of blocks and of regions share: where an address stands, in words.
 *
 * Context: fault. Private to the module.
 */
#ifndef FP_FAULT_WORDS_H
#define FP_FAULT_WORDS_H

#include "base/text.h"
#include "fault/access.h"
#include "model/block.h"

bool fp_fault_is_inside(const struct fp_block *block, uintptr_t address);

/* Bytes between ADDRESS and the block; 0 inside. */
uintptr_t fp_fault_distance(const struct fp_block *block, uintptr_t address);

/* Appends for example "write of 4 bytes". */
void fp_fault_say_access(struct fp_text *text, const struct fp_fault_access *access);

/* Appends for example "3 bytes past the end of a block of 24 bytes". */
void fp_fault_say_position(struct fp_text *text, const struct fp_block *block,
                           uintptr_t address);

#endif
