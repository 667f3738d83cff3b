/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of many address ranges holds an address. Ranges may nest and overlap; the shortest one
 * that holds the address is the answer. Private to the symbol module.
 *
 * Context: report.
 */
#ifndef FP_SYMBOL_RANGES_H
#define FP_SYMBOL_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
const struct fp_symbol_range *fp_symbol_ranges_find(const struct fp_symbol_ranges *ranges,
                                                    uint64_t address);
void fp_symbol_ranges_free(struct fp_symbol_ranges *ranges);

#endif
