/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of a file's symbol tables, for code without debug information, and the
 * variables. Private to the symbol module.
 *
 * Context: report.
 */
#ifndef FP_SYMBOL_TABLE_H
#define FP_SYMBOL_TABLE_H

#include <elfutils/libdwfl.h>

#include "symbol/ranges.h"

enum fp_symbol_table_kind {
	FP_SYMBOL_FUNCTIONS,
	FP_SYMBOL_OBJECTS,
	FP_SYMBOL_THREAD_LOCALS /* in thread-local storage, which begins at: */
};

/* Ranges do not begin at 0. */
enum { FP_SYMBOL_STORAGE_START = 4096 };

/* Zero it and set kind to begin. */
struct fp_symbol_table {
	enum fp_symbol_table_kind kind;
	struct fp_symbol_ranges ranges; /* owner: index in libdwfl's symbol table */
	bool is_read;
};

/* The name of what is at ADDRESS, owned by MODULE, and ADDRESS's distance from its start;
 * NULL when there is none or memory ran out. */
const char *fp_symbol_table_find(struct fp_symbol_table *table, Dwfl_Module *module,
                                 uint64_t address, uint64_t *offset);

#endif
