/* SPDX-License-Identifier: Apache-2.0
 *
 * Fault injection for the tests: make the n-th request of a kind fail, as the kernel would.
 * Costs one relaxed load where it is asked. Any context.
 */
#ifndef FP_BASE_INJECT_H
#define FP_BASE_INJECT_H

#include <stdbool.h>
#include <stdint.h>

enum fp_inject_point { FP_INJECT_VM, FP_INJECT_META, FP_INJECT_COUNT };

/* The NTH request from now (1 is the next) fails and, when FOR_GOOD, all after it. 0: none. */
void fp_inject_arm(enum fp_inject_point point, uint64_t nth, bool for_good);

/* Whether the request being made is one that has to fail. */
bool fp_inject_fails(enum fp_inject_point point);

#endif
