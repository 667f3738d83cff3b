/* SPDX-License-Identifier: Apache-2.0
 *
 * Accesses that a function of the C library made for the program. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_WITHIN_H
#define FP_REPORT_WITHIN_H

#include "report/report.h"

/* Whether FUNCTION is one of the C library's on memory and strings, in any of its variants. */
bool fp_report_is_memory_function(const char *function);

/* How many of the innermost FRAMES are inside the C library's functions on memory and strings,
 * whose caller is who made the access; NAME receives the function's public name. */
size_t fp_report_count_memory_function(const struct fp_report_frame *frames, size_t count,
                                       char *name, size_t name_size);

/* Leaves those frames out of STACK, that of TRACE, and puts the name into it by which the
 * program called the function. */
void fp_report_drop_memory_function(const struct fp_report *report,
                                    const struct fp_report_trace *trace,
                                    struct fp_report_stack *stack);

#endif
