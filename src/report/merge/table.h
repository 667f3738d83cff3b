/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash table from 64-bit names to indices. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_MERGE_TABLE_H
#define FP_REPORT_MERGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fp_report_table_item {
	uint64_t name;
	size_t index; /* plus one; 0 is a free place */
};

/* Zero it to begin. */
struct fp_report_table {
	struct fp_report_table_item *items;
	size_t count;
	size_t room; /* a power of two, or 0 */
};

/*
 * The index under NAME. When there is none yet, NEXT is put there and *IS_NEW is set. SIZE_MAX
 * when out of memory.
 */
size_t fp_report_table_find(struct fp_report_table *table, uint64_t name, size_t next,
                            bool *is_new);

void fp_report_table_free(struct fp_report_table *table);

#endif
