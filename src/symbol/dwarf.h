/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions, inlined functions and lines from DWARF. Private to the symbol module.
 *
 * Context: report.
 */
#ifndef FP_SYMBOL_DWARF_H
#define FP_SYMBOL_DWARF_H

#include <elfutils/libdw.h>

#include "symbol/ranges.h"
#include "symbol/symbol.h"

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
};

/*
 * Fills FRAMES, at most FP_SYMBOL_INLINE_MAX, with what stands at ADDRESS. The functions are
 * new strings, the files belong to DWARF. A last frame without a function is possible: a line
 * is known, the name is not. Returns how many frames it filled, or -ENOMEM.
 */
int fp_symbol_dwarf_find(struct fp_symbol_dwarf *dwarf, uint64_t address,
                         struct fp_symbol_frame *frames);

void fp_symbol_dwarf_free(struct fp_symbol_dwarf *dwarf);

#endif
