/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of a file's symbol tables, for code without debug information, the variables,
 * and whom code calls. Private to the symbol module.
 *
 * Context: report.
 */
#ifndef FP_SYMBOL_TABLE_H
#define FP_SYMBOL_TABLE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of many address ranges, which may nest and overlap. */
struct fp_symbol_range {
	uint64_t low;
	uint64_t high;  /* first byte after it */
	uint64_t reach; /* greatest high of this and every range sorted before it */
	size_t owner;   /* what the range stands for */
};

/* Zero it to begin. Add everything, sort once, then find. */
struct fp_symbol_ranges {
	struct fp_symbol_range *items;
	size_t count;
	size_t room;
};

/* Ranges that are empty or start at 0, where linkers leave what they dropped, are ignored. */
int fp_symbol_ranges_add(struct fp_symbol_ranges *ranges, uint64_t low, uint64_t high,
                         size_t owner);
void fp_symbol_ranges_sort(struct fp_symbol_ranges *ranges);
/* The shortest that holds ADDRESS, or NULL. */
const struct fp_symbol_range *fp_symbol_ranges_find(const struct fp_symbol_ranges *ranges,
                                                    uint64_t address);
void fp_symbol_ranges_free(struct fp_symbol_ranges *ranges);

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

/* As fp_symbol_callee. The name is owned by MODULE. */
const char *fp_symbol_callee_find(Dwfl_Module *module, uint64_t return_address);

#endif
