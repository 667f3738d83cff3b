/* SPDX-License-Identifier: Apache-2.0
 *
 * What a function would answer, found without calling it: what dies must not run code of the
 * program's, which may lock, allocate or be broken (answer_x86_64.c, way_other.c).
 *
 * Context: fault. Private to the module.
 */
#ifndef FP_FAULT_ANSWER_H
#define FP_FAULT_ANSWER_H

#include <stdint.h>

/* What the method at FUNCTION returns for OBJECT, if it only reads memory on its way there, or
 * asks a std::string for its text. 0: not known. */
uintptr_t fp_fault_answer(uintptr_t function, uintptr_t object);

#endif
