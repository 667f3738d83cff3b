/* SPDX-License-Identifier: Apache-2.0
 *
 * The data of flame graphs and timeline, for the script of the report. Names are written once
 * and numbered; stacks are lists of numbers, outermost first. What is too small to be drawn is
 * summed up, so that the data stays small however much was leaked.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "report/growth.h"
#include "report/html/parts.h"
#include "report/stack.h"

/* A stack with less than this share of all bytes is narrower than a pixel. */
enum { STACK_SHARE = 4000, FIRST_PLACES = 1024 };

/* Lines in one chart that can be told apart. */
enum { GROWING_MAX = 5 };

/* Frames in the order of their numbers, found by what makes them one. */
struct names {
	const struct fp_report_frame **frames;
	size_t count;
	size_t *places; /* open addressing: number + 1, or 0 */
	size_t place_count;
};

static bool is_same(const struct fp_report_frame *a, const struct fp_report_frame *b)
{
	if (a->symbol || b->symbol)
		return a->symbol == b->symbol;
	return a->module == b->module && a->offset == b->offset;
}

static size_t hash_of(const struct fp_report_frame *frame)
{
	uint64_t key = frame->symbol ? (uintptr_t)frame->symbol
	                             : frame->offset ^ (uintptr_t)frame->module;

	return (size_t)(key * 0x9e3779b97f4a7c15u >> 32);
}

static size_t *find(const struct names *names, const struct fp_report_frame *frame)
{
	size_t at = hash_of(frame) % names->place_count;

	while (names->places[at] != 0 && !is_same(names->frames[names->places[at] - 1], frame))
		at = (at + 1) % names->place_count;
	return &names->places[at];
}

static int grow(struct names *names)
{
	size_t *old = names->places;

	names->place_count = old ? 2 * names->place_count : FIRST_PLACES;
	names->places = calloc(names->place_count, sizeof(*names->places));
	free(old);
	if (!names->places)
		return -ENOMEM;
	for (size_t i = 0; i < names->count; i++)
		*find(names, names->frames[i]) = i + 1;
	return 0;
}

static int add_name(struct names *names, const struct fp_report_frame *frame)
{
	const struct fp_report_frame **frames;
	size_t *place;

	if (2 * (names->count + 1) > names->place_count && grow(names) != 0)
		return -ENOMEM;
	place = find(names, frame);
	if (*place != 0)
		return 0;
	frames = fp_report_grow(names->frames, names->count, sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	names->frames = frames;
	frames[names->count++] = frame;
	*place = names->count;
	return 0;
}

static int add_names(struct names *names, const struct fp_report_stack *stack)
{
	for (size_t i = 0; stack && i < stack->shown; i++) {
		if (add_name(names, &stack->frames[i]) != 0)
			return -ENOMEM;
	}
	return 0;
}

static void put_name(FILE *out, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;
	struct fp_report_string module = fp_report_module_name(frame);

	fputc('[', out);
	if (symbol && symbol->function) {
		fp_report_html_json(out, fp_report_text(symbol->function));
	} else {
		char text[32];

		snprintf(text, sizeof(text), "+0x%" PRIx64, frame->offset);
		fp_report_html_json(out, fp_report_text(text));
	}
	fputc(',', out);
	fp_report_html_json(out, fp_report_text(symbol && symbol->file ? symbol->file : ""));
	fprintf(out, ",%" PRIu32 ",", symbol ? symbol->line : 0);
	fp_report_html_json(out, module);
	fputc(']', out);
}

static void put_names(FILE *out, const struct names *names)
{
	fputs("\"frames\":[", out);
	for (size_t i = 0; i < names->count; i++) {
		fputs(i > 0 ? ",\n" : "", out);
		put_name(out, names->frames[i]);
	}
	fputc(']', out);
}

/* Stacks with their weights, being written as one JSON array. */
struct stacks {
	FILE *out;
	struct names *names;
	uint64_t least;      /* bytes of a stack that is written */
	uint64_t rest_bytes; /* of those that are not */
	uint64_t rest_blocks;
	bool has_any;
};

static int put_stack(struct stacks *stacks, const struct fp_report_stack *stack,
                     uint64_t blocks, uint64_t bytes)
{
	if (bytes == 0)
		return 0;
	if (bytes < stacks->least) {
		stacks->rest_blocks += blocks;
		stacks->rest_bytes += bytes;
		return 0;
	}
	if (add_names(stacks->names, stack) != 0)
		return -ENOMEM;
	fprintf(stacks->out, "%s[%" PRIu64 ",%" PRIu64 ",[", stacks->has_any ? ",\n" : "",
	        blocks, bytes);
	for (size_t i = stack ? stack->shown : 0; i > 0; i--)
		fprintf(stacks->out, "%zu%s", *find(stacks->names, &stack->frames[i - 1]) - 1,
		        i > 1 ? "," : "");
	fputs("]]", stacks->out);
	stacks->has_any = true;
	return 0;
}

/* What was too small, as a stack of its own that has null for frames. */
static void end_stacks(const struct stacks *stacks)
{
	if (stacks->rest_bytes > 0)
		fprintf(stacks->out, "%s[%" PRIu64 ",%" PRIu64 ",null]",
		        stacks->has_any ? ",\n" : "", stacks->rest_blocks, stacks->rest_bytes);
	fputs("],\n", stacks->out);
}

static uint64_t share_of_leaks(const struct fp_report *report)
{
	uint64_t total = 0;

	for (size_t i = 0; i < report->leak_count; i++)
		total += report->leaks[i].bytes;
	return total / STACK_SHARE;
}

static int put_leaks(struct stacks *stacks, const struct fp_report *report,
                     const struct fp_report_view *view, bool is_reachable)
{
	int result = 0;

	stacks->least = share_of_leaks(report);
	fputs(is_reachable ? "\"reachable\":[" : "\"leaked\":[", stacks->out);
	for (size_t i = 0; result == 0 && i < report->leak_count; i++) {
		const struct fp_report_leak *leak = &report->leaks[i];

		if (leak->class == FP_LEAK_POSSIBLE && !view->has_possible)
			continue;
		if ((leak->class == FP_LEAK_REACHABLE) == is_reachable)
			result = put_stack(stacks, leak->stack, leak->blocks, leak->bytes);
	}
	end_stacks(stacks);
	return result;
}

static int put_peak(struct stacks *stacks, const struct fp_report *report)
{
	const struct fp_report_snapshot *peak = fp_report_peak(report);
	int result = 0;

	fputs("\"peak\":[", stacks->out);
	if (peak) {
		stacks->least = peak->live_bytes / STACK_SHARE;
		stacks->rest_bytes = peak->live_bytes;
		stacks->rest_blocks = peak->live_blocks;
	}
	for (size_t i = 0; peak && result == 0 && i < peak->group_count; i++) {
		const struct fp_report_group *group = &peak->groups[i];
		uint64_t bytes = group->bytes;
		uint64_t blocks = group->blocks;

		/* The rest is what no group accounts for; a small group goes back to it. */
		stacks->rest_bytes -= bytes < stacks->rest_bytes ? bytes : stacks->rest_bytes;
		stacks->rest_blocks -=
		        blocks < stacks->rest_blocks ? blocks : stacks->rest_blocks;
		result = put_stack(stacks, group->stack, blocks, bytes);
	}
	end_stacks(stacks);
	return result;
}

/* Named as the list has them. */
static void put_growing(FILE *out, const struct fp_report *report, size_t first)
{
	size_t count = report->growth.count < GROWING_MAX ? report->growth.count : GROWING_MAX;

	fputs("\"growing\":[", out);
	for (size_t i = 0; i < count; i++) {
		const struct fp_report_growing *growing = &report->growth.stacks[i];
		const struct fp_report_frame *place = fp_report_stack_place(growing->stack);

		fprintf(out, "%s[%zu,", i > 0 ? ",\n" : "", first + i + 1);
		if (place)
			put_name(out, place);
		else
			fputs("null", out);
		fputs(",[", out);
		for (size_t j = 0; j < growing->point_count; j++)
			fprintf(out, "%s[%" PRIu64 ",%" PRIu64 "]", j > 0 ? "," : "",
			        growing->points[j].milliseconds, growing->points[j].bytes);
		fputs("]]", out);
	}
	fputs("],\n", out);
}

static int put_grown(struct stacks *stacks, const struct fp_report *report)
{
	int result = 0;

	stacks->least = fp_report_grown_bytes(report) / STACK_SHARE;
	fputs("\"grown\":[", stacks->out);
	for (size_t i = 0; result == 0 && i < report->growth.count; i++) {
		const struct fp_report_growing *growing = &report->growth.stacks[i];
		const struct fp_report_rise rise = fp_report_rise_of(growing);

		result = put_stack(stacks, growing->stack, rise.last->blocks, rise.bytes);
	}
	end_stacks(stacks);
	return result;
}

static void put_moments(FILE *out, const struct fp_report *report)
{
	const struct fp_report_snapshot *peak = fp_report_peak(report);

	fputs("\"timeline\":[", out);
	for (size_t i = 0; i < report->snapshot_count; i++) {
		const struct fp_report_snapshot *snapshot = &report->snapshots[i];

		fprintf(out, "%s[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", i > 0 ? "," : "",
		        snapshot->milliseconds, snapshot->live_blocks, snapshot->live_bytes);
	}
	fputs("],\n", out);
	if (peak)
		fprintf(out, "\"picture\":[%" PRIu64 ",%" PRIu64 "],\n", peak->milliseconds,
		        peak->live_bytes);
}

/* Of many reports merged, the one that the timeline and the peak are of. */
static void put_heap_source(FILE *out, const struct fp_report *report)
{
	const struct fp_report_source *source;

	if (report->snapshot_count == 0 || report->snapshot_source >= report->source_count)
		return;
	source = &report->sources[report->snapshot_source];
	fputs("\"source\":", out);
	fp_report_html_json(out, source->name.size > 0 ? source->name : source->layout);
	fprintf(out, ",\"sources\":%zu,\n", report->source_count);
}

int fp_report_html_data(FILE *out, const struct fp_report *report,
                        const struct fp_report_view *view, size_t first_growing)
{
	bool with_leaks = view->leaks != FP_REPORT_LEAKS_NONE;
	struct names names = {0};
	struct stacks leaked = {.out = out, .names = &names};
	struct stacks reachable = leaked;
	struct stacks peak = leaked;
	struct stacks grown = leaked;
	int result = grow(&names);

	fputs("{\"name\":", out);
	fp_report_html_json(out, fp_report_base_name(report->executable));
	fprintf(out, ",\"pid\":%" PRIu32 ",\"peak_bytes\":%" PRIu64 ",\n", report->pid,
	        report->heap.peak_bytes);
	put_heap_source(out, report);
	if (result == 0 && with_leaks)
		result = put_leaks(&leaked, report, view, false);
	if (result == 0 && with_leaks)
		result = put_leaks(&reachable, report, view, true);
	if (result == 0)
		result = put_peak(&peak, report);
	if (result == 0 && report->growth.is_looked_for)
		result = put_grown(&grown, report);
	put_moments(out, report);
	if (report->growth.is_looked_for)
		put_growing(out, report, first_growing);
	put_names(out, &names);
	fputc('}', out);
	free(names.frames);
	free(names.places);
	return result;
}
