/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of a module by the names that its file has for them. Private to stack.
 *
 * Context: alloc, and no lock but that of the mappings may be held: a file is mapped.
 */
#ifndef FP_STACK_FUNCTIONS_H
#define FP_STACK_FUNCTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/maps.h"

struct fp_function {
	const char *name; /* mangled; valid until the visitor returns */
	uintptr_t start;  /* where it is in this process */
	uintptr_t end;
};

/* Calls VISIT for each function of the file that MAPPING, of code, is of; for none when it is
 * of no file that can be read. A function may come twice. */
void fp_functions_each(const struct fp_mapping *mapping,
                       void (*visit)(const struct fp_function *function, void *user),
                       void *user);

/* Whether the module has operators new and delete of its own that have no names any more: with
 * a C++ run time of its own, or hidden ones. */
bool fp_functions_hide_operators(const struct fp_mapping *mapping);

#endif
