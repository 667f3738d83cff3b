/* SPDX-License-Identifier: Apache-2.0
 *
 * The report's memory. It owns its arrays and stacks; strings stay in the log or in the arena.
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

int fp_report_append(void *items, size_t *count, const void *item, size_t item_size)
{
	char *grown;

	memcpy(&grown, items, sizeof(grown));
	grown = fp_report_grow(grown, *count, item_size);
	if (!grown)
		return -ENOMEM;
	memcpy(items, &grown, sizeof(grown));
	memcpy(grown + *count * item_size, item, item_size);
	++*count;
	return 0;
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
	return note.bytes ? fp_report_append(&report->notes, &report->note_count, &note,
	                                     sizeof(note))
	                  : -ENOMEM;
}

int fp_report_shares_add(struct fp_report_shares *shares, const struct fp_report_share *share)
{
	return fp_report_append(&shares->items, &shares->count, share, sizeof(*share));
}

uint64_t fp_report_count_shares(const struct fp_report_shares *shares)
{
	return shares->count + shares->beyond.sources;
}

uint64_t fp_report_count_sources(const struct fp_report *report)
{
	return report->source_count + report->more_sources;
}

void fp_report_shares_free(struct fp_report_shares *shares)
{
	free(shares->items);
	*shares = (struct fp_report_shares){0};
}

static void free_trace(struct fp_report_trace *trace)
{
	for (size_t i = 0; i < 2; i++) {
		if (trace->stacks[i])
			free(trace->stacks[i]->frames);
		free(trace->stacks[i]);
	}
	free(trace->addresses);
}

void fp_report_forget_snapshots(struct fp_report *report)
{
	report->snapshot_count = 0;
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
	for (size_t i = 0; i < report->trace_count; i++)
		free_trace(&report->traces[i]);
	for (size_t i = 0; i < report->finding_count; i++)
		fp_report_shares_free(&report->findings[i].shares);
	for (size_t i = 0; i < report->leak_count; i++)
		fp_report_shares_free(&report->leaks[i].shares);
	fp_report_forget_snapshots(report);
	fp_report_forget_growing(report);
	free(report->growth.stacks);
	free(report->snapshots);
	free(report->failed);
	free(report->arguments);
	free(report->settings);
	free(report->line.labels);
	free(report->modules);
	free(report->traces);
	fp_symbol_close(report->made_image);
	free(report->made);
	free(report->findings);
	free(report->leaks);
	free(report->protection.reasons);
	free(report->notes);
	free(report->known);
	free(report->sources);
	if (report->owns_images)
		fp_report_images_free(report->images);
	fp_report_arena_free(&report->snapshot_arena);
	fp_report_arena_free(&report->arena);
	free(report);
}
