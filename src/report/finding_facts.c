/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptions are written by src/fault/diagnose.c: "read of 4 bytes by a call, ...", and by
 * src/heap/findings.c: "the pointer is not a block; it points to ...".
 */
#include "report/finding_facts.h"

#include <string.h>

static bool has_bytes(struct fp_report_string text, size_t at, const char *wanted)
{
	size_t size = strlen(wanted);

	return at + size <= text.size && memcmp(text.bytes + at, wanted, size) == 0;
}

/* Where the number of bytes stands, or 0. */
static size_t find_size(struct fp_report_string text)
{
	static const char *const beginnings[] = {"read of ", "write of ", "access of "};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		if (has_bytes(text, 0, beginnings[i]))
			return strlen(beginnings[i]);
	}
	return 0;
}

uint64_t fp_report_access_size(const struct fp_report_finding *finding)
{
	const struct fp_report_string text = finding->description;
	size_t at = find_size(text);
	uint64_t size = 0;
	bool has_digits = false;

	while (at > 0 && at < text.size && text.bytes[at] >= '0' && text.bytes[at] <= '9' &&
	       size < UINT32_MAX) {
		size = 10 * size + (uint64_t)(text.bytes[at++] - '0');
		has_digits = true;
	}
	return has_digits && has_bytes(text, at, " byte") ? size : 0;
}

bool fp_report_is_access_of_call(const struct fp_report_finding *finding)
{
	const struct fp_report_string text = finding->description;
	static const char words[] = " by a call";

	if (finding->stack->within[0] != '\0')
		return true;
	return find_size(text) > 0 &&
	       memmem(text.bytes, text.size, words, strlen(words)) != NULL;
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
