/* SPDX-License-Identifier: Apache-2.0
 *
 * Of a free of no block only the description tells what was freed (src/heap/findings.c): "the
 * pointer is not a block; it points to ...".
 */
#include "report/finding_facts.h"

#include <string.h>

bool fp_report_is_access_of_call(const struct fp_report_finding *finding)
{
	return finding->is_by_call || finding->stack->within[0] != '\0';
}

bool fp_report_is_late(const struct fp_report_finding *finding)
{
	return finding->evidence.size > 0 && !finding->is_evidence_last && !finding->is_exact &&
	       finding->has_block;
}

struct fp_report_string fp_report_pointer_target(const struct fp_report_finding *finding)
{
	static const char before[] = "points to ";
	const struct fp_report_string text = finding->description;
	const char *found =
	        text.size > 0 ? memmem(text.bytes, text.size, before, strlen(before)) : NULL;

	if (!found)
		return (struct fp_report_string){"", 0};
	found += strlen(before);
	return (struct fp_report_string){found, (size_t)(text.bytes + text.size - found)};
}

const struct fp_report_stack *fp_report_finding_stack(const struct fp_report_finding *finding)
{
	if (finding->stack->count == 0 && finding->block.alloc_stack)
		return finding->block.alloc_stack;
	return finding->stack;
}
