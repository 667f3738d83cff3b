/* SPDX-License-Identifier: Apache-2.0
 *
 * A helper is a destructor or an operator delete, which does what it was called for; or it was
 * handed a block which its file did not allocate, and had no say in how far it went: it
 * read a text to its end, or is small. Others of another file have a loop or a count of their
 * own that may be wrong, and stay the place.
 */
#include "report/helper.h"

#include <errno.h>
#include <string.h>

#include "report/finding.h"
#include "report/stack.h"

/* Of code. In tests/cli/shapes.py, as gcc and clang compile it at -O0 to -O3, what makes one
 * access to what it was handed has 56 bytes at most. Of the 40 functions of another file that
 * have a loop, a count or an index of their own, three are as small at -O0: those with an
 * index. */
enum { SMALL_BYTES = 63 };

static bool are_of_one_file(const struct fp_report_frame *a, const struct fp_report_frame *b)
{
	return a && b && a->symbol && b->symbol && a->symbol->file && b->symbol->file &&
	       fp_report_compare_strings(
	               fp_report_base_name(fp_report_text(a->symbol->file)),
	               fp_report_base_name(fp_report_text(b->symbol->file))) == 0;
}

/* "row::~row()", "operator delete(void*)", "std::default_delete<row>::operator()(row*) const".
 */
static bool is_deleter(const struct fp_report_frame *frame)
{
	const char *name = frame->symbol->function ? frame->symbol->function : "";

	return strstr(name, "::~") != NULL || strncmp(name, "operator delete", 15) == 0 ||
	       strncmp(name, "std::default_delete<", 20) == 0;
}

/* By a function of the C library that goes on until there is a zero. */
static bool reads_text(const struct fp_report_finding *finding)
{
	return finding->is_by_call && finding->access == FP_ACCESS_READ &&
	       finding->access_size == 0;
}

static bool is_small(const struct fp_report_frame *frame)
{
	return frame->symbol->size > 0 && frame->symbol->size <= SMALL_BYTES;
}

static bool is_helper(const struct fp_report_finding *finding,
                      const struct fp_report_frame *place)
{
	const struct fp_report_stack *allocated =
	        finding->has_block ? finding->block.alloc_stack : NULL;
	const struct fp_report_frame *maker =
	        allocated ? fp_report_stack_place(allocated) : NULL;

	if (is_deleter(place))
		return true;
	return (reads_text(finding) || is_small(place)) && maker && maker->symbol &&
	       maker->symbol->file && !are_of_one_file(place, maker);
}

/* Another finding may have the same stack and another block. */
static int stand_for(struct fp_report *report, struct fp_report_finding *finding,
                     const struct fp_report_frame *place, const struct fp_report_frame *caller)
{
	struct fp_report_stack *stack = fp_report_arena_take(&report->arena, sizeof(*stack));

	if (!stack)
		return -ENOMEM;
	*stack = *finding->stack;
	stack->helper = (size_t)(place - stack->frames) + 1;
	stack->passed = (size_t)(caller - stack->frames);
	/* One call can be the mistake and the free. */
	if (finding->block.free_stack == finding->stack)
		finding->block.free_stack = stack;
	finding->stack = stack;
	return 0;
}

static int find_helper(struct fp_report *report, struct fp_report_finding *finding)
{
	const struct fp_report_frame *place = fp_report_stack_place(finding->stack);
	const struct fp_report_frame *caller = fp_report_stack_caller(finding->stack);

	/* Of what is found late the stack is whose turn it was. */
	if (!caller || finding->stack->helper > 0 || fp_report_is_late(finding) ||
	    !is_helper(finding, place))
		return 0;
	return stand_for(report, finding, place, caller);
}

int fp_report_find_helpers(struct fp_report *report)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < report->finding_count; i++)
		result = find_helper(report, &report->findings[i]);
	return result;
}
