/* SPDX-License-Identifier: Apache-2.0
 *
 * The report's memory is its arena; strings may stay in the log.
 */
#include "report/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/leaks.h"

void *fp_report_grow(void *items, size_t count, size_t item_size)
{
	/* An array always has room for the power of two that its count does not exceed. */
	if ((count & (count - 1)) != 0)
		return items;
	return reallocarray(items, count > 0 ? 2 * count : 1, item_size);
}

int fp_report_note(struct fp_report *report, const char *format, ...)
{
	struct fp_report_string note;
	va_list arguments;
	char *text;
	int size;

	va_start(arguments, format);
	size = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (size < 0)
		return -ENOMEM;
	note = (struct fp_report_string){
	        fp_report_arena_keep(&report->arena, text, (size_t)size), (size_t)size};
	free(text);
	return note.bytes ? fp_report_append(&report->arena, &report->notes,
	                                     &report->note_count, &note, sizeof(note))
	                  : -ENOMEM;
}

uint64_t fp_report_count_shares(const struct fp_report_shares *shares)
{
	return shares->count + shares->beyond.sources;
}

uint64_t fp_report_count_sources(const struct fp_report *report)
{
	return report->source_count + report->more_sources;
}

const struct fp_report_snapshot *fp_report_peak(const struct fp_report *report)
{
	const struct fp_report_snapshot *peak = NULL;

	for (size_t i = 0; i < report->snapshot_count; i++) {
		const struct fp_report_snapshot *snapshot = &report->snapshots[i];

		if (snapshot->group_count > 0 &&
		    (!peak || snapshot->live_bytes > peak->live_bytes))
			peak = snapshot;
	}
	return peak;
}

void fp_report_free(struct fp_report *report)
{
	if (!report)
		return;
	fp_symbol_close(report->made_image);
	if (report->owns_images)
		fp_report_images_free(report->images);
	fp_report_arena_free(&report->snapshot_arena);
	fp_report_arena_free(&report->arena);
	free(report);
}
