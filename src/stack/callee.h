/* SPDX-License-Identifier: Apache-2.0
 *
 * The function that was called where a return address says, read from the instruction before
 * it. What a function ends with by a jump leaves no frame: then only its caller can tell.
 *
 * Context: alloc and fault.
 */
#ifndef FP_STACK_CALLEE_H
#define FP_STACK_CALLEE_H

#include <stdint.h>

/* Its first instruction; through the stub of a procedure linkage table, the function's own. 0
 * when the instruction does not tell, as in calls through a pointer. */
uintptr_t fp_callee_of(uintptr_t return_address);

#endif
