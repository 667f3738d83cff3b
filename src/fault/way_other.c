/* SPDX-License-Identifier: Apache-2.0
 *
 * Machines whose instructions are not known: an access is what it is.
 */
#include "fault/way.h"

void fp_fault_look_back(const void *context, struct fp_fault_access *access)
{
	(void)context;
	(void)access;
}
