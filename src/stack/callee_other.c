/* SPDX-License-Identifier: Apache-2.0
 *
 * No instructions are read on this processor.
 */
#include "stack/callee.h"

uintptr_t fp_callee_of(uintptr_t return_address)
{
	(void)return_address;
	return 0;
}
