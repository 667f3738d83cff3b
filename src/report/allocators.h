/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions that only pass on what an allocator returned, like xmalloc: of a block that they
 * allocated their caller is whom to name. They are known by their names, named by alloc_fn, or
 * learnt. Private to the report module, but for who reads the options.
 *
 * Context: report.
 */
#ifndef FP_REPORT_ALLOCATORS_H
#define FP_REPORT_ALLOCATORS_H

#include "report/report.h"

/* NAMES, separated by commas, are such functions, too; they are not copied. */
void fp_report_name_allocators(const char *names);

/* Sets how many innermost frames of STACK, which is not that of an access, are passed over. */
void fp_report_pass_over(struct fp_report_stack *stack);

/* Finds more of them among the stacks of REPORT that are resolved: what takes a size, returns a
 * pointer to nothing in particular and is called from several places. Sets what is passed over.
 * 0 or -ENOMEM. */
int fp_report_learn_allocators(struct fp_report *report);

#endif
