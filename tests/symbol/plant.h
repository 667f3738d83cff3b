/* SPDX-License-Identifier: Apache-2.0
 *
 * A call whose place in the source is known: what test_symbol looks up in itself.
 */
#ifndef FP_TESTS_SYMBOL_PLANT_H
#define FP_TESTS_SYMBOL_PLANT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct plant_call {
	uintptr_t return_address; /* of a call inside plant::inner, inlined into plant::outer */
	unsigned inner_line;      /* where that call stands */
	unsigned outer_line;      /* where plant::inner was called */
};

struct plant_call plant_call(void);

__attribute__((nothrow)) int plant_named(void); /* has other names, too */

#ifdef __cplusplus
}
#endif

#endif
