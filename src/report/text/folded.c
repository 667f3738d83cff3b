/* SPDX-License-Identifier: Apache-2.0
 *
 * Folded stacks, the format that flame graph tools read: frames from the outermost to the
 * innermost with ';' between them, a space, and bytes. The first frame says what the bytes are:
 * "leaked" or "reachable" at the end, or "peak": live when the heap was at its largest.
 */
#include <inttypes.h>

#include "report/writer.h"
#include "report/leaks.h"
#include "report/names.h"
#include "report/stack.h"

/* A name can neither start a frame nor end a line. */
static void print_name(FILE *out, struct fp_report_string name)
{
	while (name.size > 0) {
		size_t length = fp_report_utf8_length(name);
		unsigned char first = (unsigned char)name.bytes[0];

		if (length == 0)
			fputs("\xef\xbf\xbd", out);
		else if (first == ';')
			fputc(':', out);
		else if (first < 0x20 || first == 0x7f)
			fputc(' ', out);
		else
			fwrite(name.bytes, 1, length, out);
		length = length > 0 ? length : 1;
		name.bytes += length;
		name.size -= length;
	}
}

static void print_frame(FILE *out, const struct fp_report_frame *frame)
{
	fputc(';', out);
	if (frame->symbol && frame->symbol->function) {
		print_name(out, fp_report_text(frame->symbol->function));
		return;
	}
	print_name(out, fp_report_module_name(frame));
	fprintf(out, "+0x%" PRIx64, frame->offset);
}

static void print_root(const struct fp_report_walk *walk, const char *root)
{
	const struct fp_report *report = walk->set->reports[walk->index];

	fputs(root, walk->out);
	if (walk->set->count == 1)
		return;
	fputc(';', walk->out);
	print_name(walk->out, fp_report_base_name(report->executable));
	fprintf(walk->out, " (process %" PRIu32 ")", report->pid);
}

static void print_line(const struct fp_report_walk *walk, const char *root,
                       const struct fp_report_stack *stack, uint64_t bytes)
{
	size_t shown = stack ? stack->shown : 0;
	size_t passed = stack ? stack->passed : 0;

	if (bytes == 0)
		return;
	print_root(walk, root);
	for (size_t i = shown; i > passed; i--)
		print_frame(walk->out, &stack->frames[i - 1]);
	if (shown == 0)
		fputs(";(no stack was kept)", walk->out);
	fprintf(walk->out, " %" PRIu64 "\n", bytes);
}

static int write_leak(struct fp_report_walk *walk, const struct fp_report_leak *leak)
{
	print_line(walk, leak->class == FP_LEAK_REACHABLE ? "reachable" : "leaked", leak->stack,
	           leak->bytes);
	return 0;
}

static void write_growth(struct fp_report_walk *walk, const struct fp_report *report)
{
	for (size_t i = 0; i < report->growth.count; i++) {
		const struct fp_report_growing *growing = &report->growth.stacks[i];

		print_line(walk, "growth", growing->stack, fp_report_rise_of(growing).bytes);
	}
}

static int write_peak(struct fp_report_walk *walk, const struct fp_report *report)
{
	const struct fp_report_snapshot *peak = fp_report_peak(report);
	uint64_t rest = peak ? peak->live_bytes : 0;

	for (size_t i = 0; peak && i < peak->group_count; i++) {
		uint64_t bytes = peak->groups[i].bytes;

		print_line(walk, "peak", peak->groups[i].stack, bytes);
		rest -= bytes < rest ? bytes : rest;
	}
	if (rest > 0) {
		print_root(walk, "peak");
		fprintf(walk->out, ";(smaller stacks) %" PRIu64 "\n", rest);
	}
	write_growth(walk, report);
	return 0;
}

const struct fp_report_writer fp_report_folded_writer = {
        .name = "folded",
        .has_snapshots = true,
        .leak = write_leak,
        .end_report = write_peak,
};
