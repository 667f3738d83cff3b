/* SPDX-License-Identifier: Apache-2.0
 *
 * Machines whose instructions are not known: an access is what it is, and what a function would
 * answer is not known.
 */
#include "fault/answer.h"
#include "fault/way.h"

void fp_fault_look_back(const void *context, struct fp_fault_access *access)
{
	(void)context;
	(void)access;
}

uintptr_t fp_fault_answer(uintptr_t function, uintptr_t object)
{
	(void)function;
	(void)object;
	return 0;
}
