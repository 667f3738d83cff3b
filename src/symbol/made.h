/* SPDX-License-Identifier: Apache-2.0
 *
 * Code that a runtime made while it ran. Private to the symbol module.
 *
 * Context: report.
 */
#ifndef FP_SYMBOL_MADE_H
#define FP_SYMBOL_MADE_H

#include "symbol/symbol.h"

/* Fills FRAME, which is all zero, with the last of the COUNT PIECES that has ADDRESS. How many
 * frames it filled, or -ENOMEM. */
int fp_symbol_made_find(const struct fp_symbol_piece *pieces, size_t count, uint64_t address,
                        struct fp_symbol_frame *frame);

#endif
