/* SPDX-License-Identifier: Apache-2.0
 *
 * How a bad access came about, as far as code and registers tell: what else the same
 * instruction, the same loop or the same call of the C library accesses (way_x86_64.c,
 * way_other.c).
 *
 * Context: fault. Private to the module.
 */
#ifndef FP_FAULT_WAY_H
#define FP_FAULT_WAY_H

#include "fault/access.h"

/* Adds what is known to ACCESS, which CONTEXT was interrupted at. */
void fp_fault_look_back(const void *context, struct fp_fault_access *access);

#endif
