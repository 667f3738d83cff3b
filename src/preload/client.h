/* SPDX-License-Identifier: Apache-2.0
 *
 * What programs that are built with <valgrind/valgrind.h> ask Valgrind: a few instructions that
 * do nothing, but for whoever looks for them. Private to the module.
 */
#ifndef FP_PRELOAD_CLIENT_H
#define FP_PRELOAD_CLIENT_H

#include <stdint.h>

/* The answer to a request, ARGUMENTS[0], with its arguments behind it, or OTHERWISE. Context:
 * as if the program had called a function. */
uintptr_t fp_client_answer(const uintptr_t *arguments, uintptr_t otherwise);

/* From now on requests come here, of modules that are loaded already and of others (in
 * client_code_CPU.c). */
void fp_client_start(void);

#endif
