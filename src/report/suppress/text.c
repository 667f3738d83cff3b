/* SPDX-License-Identifier: Apache-2.0
 *
 * Suppressions as text: blocks to paste, and what those that were given did. Names come from a
 * log and must neither end a line nor mean more than themselves.
 */
#include "report/suppress/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "report/finding_facts.h"
#include "report/names.h"
#include "report/stack.h"

enum { NAMED_MAX = 10 /* of the suppressions that did nothing */ };

/* NAME where a pattern is read: what would end the line or be trimmed off becomes '?', any one
 * character. */
static void print_name(FILE *out, struct fp_report_string name)
{
	for (size_t i = 0; i < name.size; i++) {
		unsigned char byte = (unsigned char)name.bytes[i];
		bool is_edge = i == 0 || i + 1 == name.size;

		fputc(byte < 0x20 || byte == 0x7f || (byte == ' ' && is_edge) ? '?' : byte,
		      out);
	}
}

static void print_pattern(FILE *out, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;
	const char *function = symbol ? symbol->linkage : NULL;

	if (!function && symbol)
		function = symbol->function;
	fputs("   ", out);
	if (function && function[0] != '\0') {
		fputs("fun:", out);
		print_name(out, fp_report_text(function));
	} else {
		fputs("obj:", out);
		if (frame->module && frame->module->path.size > 0)
			print_name(out, frame->module->path);
		else
			fputc('*', out);
	}
	fputc('\n', out);
}

/* The block of a finding or leak that WORD names. */
static int make_block(const char *word, const struct fp_report_stack *stack,
                      const char *leak_kind, char **block)
{
	const struct fp_report_frame *place = fp_report_stack_place(stack);
	size_t size;
	FILE *out = open_memstream(block, &size);

	if (!out)
		return -ENOMEM;
	fprintf(out, "{\n   %s", word);
	if (place && place->symbol && place->symbol->function) {
		fputs(" in ", out);
		print_name(out, fp_report_text(place->symbol->function));
	}
	fprintf(out, "\n   Fencepost:%s\n", leak_kind ? "Leak" : word);
	if (leak_kind)
		fprintf(out, "   match-leak-kinds: %s\n", leak_kind);
	for (size_t i = 0; i < stack->shown; i++)
		print_pattern(out, &stack->frames[i]);
	if (stack->shown == 0)
		fputs("   ...\n", out);
	fputs("}\n", out);
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

int fp_report_suppression_of_finding(const struct fp_report_finding *finding, char **block)
{
	return make_block(fp_finding_traits(finding->kind)->name,
	                  fp_report_finding_stack(finding), NULL, block);
}

int fp_report_suppression_of_leak(const struct fp_report_leak *leak, char **block)
{
	return make_block("leak", leak->stack, fp_leak_class_name(leak->class), block);
}

static void print_one(const struct fp_report_page *page,
                      const struct fp_report_suppression *suppression)
{
	fputc('"', page->out);
	fp_report_print_escaped(page, fp_report_text(suppression->name));
	fputs("\" (", page->out);
	fp_report_print_escaped(page, fp_report_text(suppression->file));
	fprintf(page->out, ":%" PRIu32 ")", suppression->line);
}

static void print_used(const struct fp_report_page *page,
                       const struct fp_report_suppression *suppression)
{
	fputs("fencepost: ", page->out);
	fp_report_print_number(page, suppression->used);
	fputs(" suppressed by ", page->out);
	print_one(page, suppression);
	fputc('\n', page->out);
}

static void print_inactive(const struct fp_report_page *page,
                           const struct fp_report_suppression *suppression)
{
	fputs("fencepost: note: the suppression ", page->out);
	print_one(page, suppression);
	if (suppression->state == FP_REPORT_SUPPRESSION_EXPIRED)
		fprintf(page->out, " expired after %s", suppression->until);
	else
		fprintf(page->out, " allows max=%" PRIu64, suppression->max);
	fputs(": the ", page->out);
	fp_report_print_number(page, suppression->matched);
	fputs(" that it matches are reported\n", page->out);
}

static bool is_unused(const struct fp_report_suppression *suppression)
{
	return suppression->matched == 0 && suppression->state != FP_REPORT_SUPPRESSION_FOREIGN;
}

static void print_unused(const struct fp_report_page *page,
                         const struct fp_report_suppressions *suppressions)
{
	size_t unused = 0;

	for (size_t i = 0; i < suppressions->count; i++) {
		if (!is_unused(&suppressions->items[i]) || unused++ >= NAMED_MAX)
			continue;
		fputs(unused == 1 ? "fencepost: note: never used: " : ", ", page->out);
		print_one(page, &suppressions->items[i]);
	}
	if (unused > NAMED_MAX) {
		fputs(" and ", page->out);
		fp_report_print_number(page, unused - NAMED_MAX);
		fputs(" more", page->out);
	}
	if (unused > 0)
		fputc('\n', page->out);
}

void fp_report_print_suppressions(const struct fp_report_page *page,
                                  const struct fp_report_suppressions *suppressions)
{
	for (size_t i = 0; suppressions && i < suppressions->count; i++) {
		const struct fp_report_suppression *suppression = &suppressions->items[i];

		if (suppression->used > 0)
			print_used(page, suppression);
		else if (suppression->matched > 0 &&
		         suppression->state != FP_REPORT_SUPPRESSION_ACTIVE)
			print_inactive(page, suppression);
	}
	if (suppressions)
		print_unused(page, suppressions);
}
