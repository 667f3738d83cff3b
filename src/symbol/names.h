/* SPDX-License-Identifier: Apache-2.0
 *
 * Names as the linker knows them to names as the programmer wrote them. Private to the symbol
 * module; alone in its file because libiberty's header declares more than one would like.
 *
 * Context: report.
 */
#ifndef FP_SYMBOL_NAMES_H
#define FP_SYMBOL_NAMES_H

#include "symbol/symbol.h"

/* Gives FRAME the function that the linker calls NAME. 0 or -ENOMEM. */
int fp_symbol_name(struct fp_symbol_frame *frame, const char *name);

#endif
