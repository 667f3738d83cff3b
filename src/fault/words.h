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
#include "model/finding.h"

bool fp_fault_is_inside(const struct fp_block *block, uintptr_t address);

/* Bytes between ADDRESS and the block; 0 inside. */
uintptr_t fp_fault_distance(const struct fp_block *block, uintptr_t address);

/* Whether ADDRESS is so near to the block that it was meant: a pointer to it was moved by too
 * much, by up to 16 MiB or the block's own size. */
bool fp_fault_is_near(const struct fp_block *block, uintptr_t address);

/* Appends for example "write of 4 bytes". */
void fp_fault_say_access(struct fp_text *text, const struct fp_fault_access *access);

/* Begins FINDING with the access and its description with for example "write of 4 bytes". */
void fp_fault_begin_finding(struct fp_finding *finding, struct fp_text *text,
                            const struct fp_fault_access *access);

/* Appends for example ", 4 of them behind the block" of an access to LENGTH bytes from START
 * on, when some of them are in BLOCK. */
void fp_fault_say_part(struct fp_text *text, const struct fp_block *block, uintptr_t start,
                       size_t length);

/* Appends for example "3 bytes past the end of a block of 24 bytes". */
void fp_fault_say_position(struct fp_text *text, const struct fp_block *block,
                           uintptr_t address);

#endif
