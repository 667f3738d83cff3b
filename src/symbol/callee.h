/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of other modules that a file calls, by name. Private to the symbol module.
 *
 * Context: report.
 */
#ifndef FP_SYMBOL_CALLEE_H
#define FP_SYMBOL_CALLEE_H

#include <elfutils/libdwfl.h>

/* As fp_symbol_callee. The name is owned by MODULE. */
const char *fp_symbol_callee_find(Dwfl_Module *module, uint64_t return_address);

#endif
