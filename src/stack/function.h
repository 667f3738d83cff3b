/* SPDX-License-Identifier: Apache-2.0
 *
 * Which traces lead through one function, chosen by its name. Nothing is symbolised for that:
 * the function's addresses are looked up once in each module, and a trace's verdict is kept.
 *
 * Context: alloc. Thread-safe.
 */
#ifndef FP_STACK_FUNCTION_H
#define FP_STACK_FUNCTION_H

#include <stdbool.h>

#include "model/trace.h"

/* Watches for NAME, which stays: a symbol of a module's symbol table, mangled in C++; what the
 * compiler split off from a function has its name and a '.'. Once. */
void fp_function_watch(const char *name);

/* Whether TRACE has a return address in the function. */
bool fp_function_leads_to(fp_trace_id trace);

/* Whether any module had a function of that name. */
bool fp_function_is_known(void);

#endif
