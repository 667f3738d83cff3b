/* SPDX-License-Identifier: Apache-2.0
 *
 * Which flags and protections Win32 accepts, and what they are here. Pure functions.
 *
 * Context: alloc and fault.
 */
#ifndef FP_REGION_RULES_H
#define FP_REGION_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether VirtualAlloc knows this combination of MEM_ flags. Those that Linux cannot serve
 * (write watching, large and physical pages, undoing a reset) are not known. */
bool fp_rules_is_type(uint32_t type);

/* Whether it is exactly one PAGE_ value with modifiers that go with it. */
bool fp_rules_is_protection(uint32_t protection);

/* PROT_ flags of mmap(2). */
int fp_rules_prot(uint32_t protection);

/* The whole pages that SIZE bytes at ADDRESS touch. False when there are none, or no address
 * space holds them. */
bool fp_rules_pages(uintptr_t address, size_t size, uintptr_t *start, uintptr_t *end);

#endif
