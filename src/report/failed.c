/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocations that fail_alloc made fail, as one sentence: for the formats that have a place for
 * remarks and none for these. What comes from the log is not escaped here; the format does it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "report/names.h"
#include "report/stack.h"

static void print_place(FILE *out, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;
	struct fp_report_string file = fp_report_module_name(frame);

	if (symbol && symbol->file)
		file = fp_report_base_name(fp_report_text(symbol->file));
	fputs(" at ", out);
	fwrite(file.bytes, 1, file.size, out);
	if (symbol && symbol->file && symbol->line > 0)
		fprintf(out, ":%" PRIu32, symbol->line);
	if (symbol && symbol->function)
		fprintf(out, " in %s", symbol->function);
}

static void print_first(FILE *out, const struct fp_report_failed *failed)
{
	fprintf(out,
	        "; the first: %" PRIu64 " byte%s, serial %" PRIu64 ", heap %" PRIu32
	        ", family %s",
	        failed->size, failed->size == 1 ? "" : "s", failed->serial, failed->heap,
	        fp_family_name(failed->family));
	if (failed->family == FP_FAMILY_HOST && failed->level < FP_LEVEL_NONE)
		fprintf(out, ", critical level %s", fp_level_name(failed->level));
}

char *fp_report_failed_sentence(const struct fp_report_failed *failed)
{
	const struct fp_report_frame *frame =
	        failed->trace == FP_TRACE_NONE ? NULL : fp_report_stack_place(failed->stack);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%" PRIu64 " allocation%s failed as fail_alloc asks", failed->count,
	        failed->count == 1 ? "" : "s");
	if (frame)
		print_place(out, frame);
	if (failed->trace == FP_TRACE_NONE)
		fputs(", of other stacks", out);
	else
		print_first(out, failed);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
