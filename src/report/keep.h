/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies of what other reports own, each distinct module once. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_KEEP_H
#define FP_REPORT_KEEP_H

#include "report/report.h"

struct fp_report_keeper {
	struct fp_report_arena *arena;
	void *modules; /* tsearch tree; NULL to begin */
};

/* False when out of memory; then STRING is unchanged. */
bool fp_report_keep_string(struct fp_report_keeper *keeper, struct fp_report_string *string);

/* The copy of WANTED as far as frames need it; NULL when out of memory. */
const struct fp_report_module *fp_report_keep_module(struct fp_report_keeper *keeper,
                                                     const struct fp_report_module *wanted);

/* A copy of STACK; NULL when out of memory. */
struct fp_report_stack *fp_report_keep_stack(struct fp_report_keeper *keeper,
                                             const struct fp_report_stack *stack);

/* Forgets what is where; the copies stay. */
void fp_report_keeper_end(struct fp_report_keeper *keeper);

#endif
