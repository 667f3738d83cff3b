/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions, inlined functions and lines from DWARF. Private to the symbol module.
 *
 * Context: report.
 */
#ifndef FP_SYMBOL_DWARF_H
#define FP_SYMBOL_DWARF_H

#include <elfutils/libdw.h>

#include "symbol/symbol.h"
#include "symbol/table.h"

enum { FP_SYMBOL_INLINE_MAX = 64 /* frames one address can have */ };

struct fp_symbol_unit {
	Dwarf_Die lines; /* the unit that has the line table */
	Dwarf_Die tree;  /* the unit that has the functions; another one with split DWARF */
	Dwarf_Die *functions;
	size_t function_count;
	size_t function_room;
	struct fp_symbol_ranges ranges; /* owner: index in functions */
	bool is_read;
};

/* Zero it and set dwarf and bias to begin. */
struct fp_symbol_dwarf {
	Dwarf *dwarf;  /* NULL when the file has no debug information */
	uint64_t bias; /* address in the file minus address in the debug information */
	struct fp_symbol_unit *units;
	size_t unit_count;
	struct fp_symbol_ranges ranges; /* owner: index in units */
	bool is_read;
	Dwarf_Die *variables; /* that have an address */
	size_t variable_count;
	struct fp_symbol_ranges variable_ranges; /* owner: index in variables */
	bool are_variables_read;
};

/*
 * Fills FRAMES, at most FP_SYMBOL_INLINE_MAX, with what stands at ADDRESS. The functions are
 * new strings, the files belong to DWARF. A last frame without a function is possible: a line
 * is known, the name is not. Returns how many frames it filled, or -ENOMEM.
 */
int fp_symbol_dwarf_find(struct fp_symbol_dwarf *dwarf, uint64_t address,
                         struct fp_symbol_frame *frames);

/* The function whose code is at ADDRESS. 1; 0 when it is not known; -ENOMEM. */
int fp_symbol_dwarf_function(struct fp_symbol_dwarf *dwarf, uint64_t address,
                             Dwarf_Die *function);

/*
 * The variable of that function, PLACE bytes from the end of its frame, with the members that
 * lead there: a new string, or NULL, and how far behind that it is (in variables.c). 0 or
 * -ENOMEM.
 */
int fp_symbol_dwarf_local(struct fp_symbol_dwarf *dwarf, uint64_t address, int64_t place,
                          struct fp_symbol_variable *variable);

/* The members that lead to variable->offset in the variable at ADDRESS, put behind its name; as
 * it is when they are not known (in variables.c). 0 or -ENOMEM. */
int fp_symbol_dwarf_members(struct fp_symbol_dwarf *dwarf, uint64_t address,
                            struct fp_symbol_variable *variable);

void fp_symbol_dwarf_free(struct fp_symbol_dwarf *dwarf);

#endif
