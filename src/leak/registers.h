/* SPDX-License-Identifier: Apache-2.0
 *
 * The registers of a thread that a signal interrupted.
 *
 * Context: alloc and fault. Private to leak.
 */
#ifndef FP_LEAK_REGISTERS_H
#define FP_LEAK_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leak/leak.h"
#include "leak/memory.h"

/* CONTEXT is the third argument of a signal's handler. */
uintptr_t fp_leak_stack_pointer(const void *context);

/* From where on the stack is in use: what a leaf function keeps below the stack pointer is,
 * what functions that have returned left there is not. */
uintptr_t fp_leak_stack_in_use(const struct fp_leak_memory *memory, const void *context);

/* Where in memory the saved registers are; how many ranges. */
unsigned fp_leak_registers(const void *context,
                           struct fp_leak_range ranges[FP_LEAK_REGISTER_RANGES]);

/* The name of the register that is saved at AT of such a CONTEXT, as debuggers have it, where
 * it can be the program's pointer; else NULL. */
const char *fp_leak_register_name(const void *context, uintptr_t at);

/* Whether BYTES, the SIZE last ones of a stack, which begin at ADDRESS, have the descriptor of
 * a thread that was joined: the C library keeps such stacks for later, with all that is on
 * them. KEPT is what it will use again. False where the descriptor is not known. */
bool fp_leak_is_joined(const uint8_t *bytes, size_t size, uintptr_t address,
                       struct fp_leak_range *kept);

#endif
