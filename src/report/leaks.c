/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaks of one place, put together.
 */
#include <stdlib.h>

#include "report/names.h"
#include "report/stack.h"

static int compare_places(const void *left, const void *right)
{
	const struct fp_report_leak *a = left;
	const struct fp_report_leak *b = right;
	int result = (a->class > b->class) - (a->class < b->class);

	if (result == 0)
		result = fp_report_compare_stacks(a->stack, b->stack);
	if (result == 0)
		result = fp_report_compare_strings(a->site.file, b->site.file);
	return result != 0 ? result
	                   : (a->site.line > b->site.line) - (a->site.line < b->site.line);
}

static int compare_sizes(const void *left, const void *right)
{
	const struct fp_report_leak *a = left;
	const struct fp_report_leak *b = right;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return compare_places(left, right);
}

static void widen(struct fp_report_age *age, const struct fp_report_age *other)
{
	if (other->oldest > age->oldest)
		age->oldest = other->oldest;
	if (other->newest < age->newest)
		age->newest = other->newest;
}

static void add_news(struct fp_report_leak *leak, const struct fp_report_leak *other)
{
	leak->has_age &= other->has_age;
	widen(&leak->age, &other->age);
	if (leak->new.blocks == 0)
		leak->new.age = other->new.age;
	else if (other->new.blocks > 0)
		widen(&leak->new.age, &other->new.age);
	leak->new.blocks += other->new.blocks;
	leak->new.bytes += other->new.bytes;
	leak->new.indirect_blocks += other->new.indirect_blocks;
	leak->new.indirect_bytes += other->new.indirect_bytes;
}

void fp_report_leak_add_details(struct fp_report_leak *leak, const struct fp_report_leak *other)
{
	add_news(leak, other);
	leak->indirect_blocks += other->indirect_blocks;
	leak->indirect_bytes += other->indirect_bytes;
	if (leak->heap != other->heap)
		leak->heap = 0;
	if (leak->level != other->level)
		leak->level = FP_LEVEL_NONE;
}

static void merge_leak(struct fp_report_leak *leak, const struct fp_report_leak *other)
{
	leak->blocks += other->blocks;
	leak->bytes += other->bytes;
	fp_report_leak_add_details(leak, other);
}

void fp_report_merge_leaks(struct fp_report *report)
{
	struct fp_report_leak *leaks = report->leaks;
	size_t kept = 0;

	if (report->leak_count == 0)
		return;
	qsort(leaks, report->leak_count, sizeof(leaks[0]), compare_places);
	for (size_t i = 1; i < report->leak_count; i++) {
		if (compare_places(&leaks[kept], &leaks[i]) == 0)
			merge_leak(&leaks[kept], &leaks[i]);
		else
			leaks[++kept] = leaks[i];
	}
	report->leak_count = kept + 1;
	qsort(leaks, report->leak_count, sizeof(leaks[0]), compare_sizes);
}
