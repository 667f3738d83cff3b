/* SPDX-License-Identifier: Apache-2.0
 *
 * Names as the linker knows them to names as the programmer wrote them. Private to the symbol
 * module; alone in its file because libiberty's header declares more than one would like.
 *
 * Context: report.
 */
#ifndef FP_SYMBOL_DEMANGLE_H
#define FP_SYMBOL_DEMANGLE_H

/* A new string, NAME itself where it was not mangled; NULL when out of memory. */
char *fp_symbol_demangle(const char *name);

#endif
