/* SPDX-License-Identifier: Apache-2.0
 *
 * The registers of a thread that a signal interrupted.
 *
 * Context: alloc and fault. Private to leak.
 */
#ifndef FP_LEAK_REGISTERS_H
#define FP_LEAK_REGISTERS_H

#include <stdint.h>

#include "leak/leak.h"

/* Below the stack pointer a leaf function may keep as much. */
enum { FP_LEAK_RED_ZONE_BYTES = 128 };

/* CONTEXT is the third argument of a signal's handler. */
uintptr_t fp_leak_stack_pointer(const void *context);

/* Where in memory the saved registers are; how many ranges. */
unsigned fp_leak_registers(const void *context,
                           struct fp_leak_range ranges[FP_LEAK_REGISTER_RANGES]);

#endif
