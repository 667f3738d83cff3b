/* SPDX-License-Identifier: Apache-2.0
 *
 * Escaping, numbers, places and stacks as HTML.
 */
#include "report/html/parts.h"

#include <inttypes.h>
#include <string.h>

#include "report/fold.h"
#include "report/names.h"
#include "report/source.h"
#include "report/stack.h"
#include "report/text/parts.h"

enum {
	LINES_AT_ONCE = 16, /* of a stack; the others unfold */
	LINES_WORTH_FOLDING = 4
};

/* Frames that one line stands for. */
struct run {
	size_t first;
	size_t count;
	const char *owner;
};

enum context { MARKUP, SCRIPT };

/* Whether the character of LENGTH bytes at BYTES has an effect instead of a shape: C0 and C1,
 * line separators, marks and overrides of direction, the byte order mark, what is no character.
 */
static bool is_invisible(const unsigned char *bytes, size_t length)
{
	if (length == 1)
		return bytes[0] < 0x20 || bytes[0] == 0x7f;
	if (length == 2)
		return bytes[0] == 0xc2 && bytes[1] < 0xa0;
	if (length != 3)
		return false;
	if (bytes[0] == 0xe2 && bytes[1] == 0x80)
		return (bytes[2] >= 0x8b && bytes[2] <= 0x8f) ||
		       (bytes[2] >= 0xa8 && bytes[2] <= 0xae);
	if (bytes[0] == 0xe2 && bytes[1] == 0x81)
		return bytes[2] >= 0xa0 && bytes[2] <= 0xaf;
	if (bytes[0] == 0xef && bytes[1] == 0xbf)
		return bytes[2] >= 0xbe;
	return bytes[0] == 0xef && bytes[1] == 0xbb && bytes[2] == 0xbf;
}

static void put_byte(FILE *out, unsigned char byte, enum context context)
{
	fprintf(out, context == SCRIPT ? "\\\\x%02x" : "\\x%02x", byte);
}

static void put_ascii(FILE *out, char character, enum context context)
{
	if (strchr("<>&\"'\\", character) == NULL)
		fputc(character, out);
	else if (context == SCRIPT)
		fprintf(out, "\\u%04x", (unsigned)character);
	else if (character == '\\')
		fputc(character, out);
	else
		fprintf(out, "&#%d;", character);
}

static void put_escaped(FILE *out, struct fp_report_string string, enum context context)
{
	while (string.size > 0) {
		const unsigned char *bytes = (const unsigned char *)string.bytes;
		size_t length = fp_report_utf8_length(string);
		size_t taken = length > 0 ? length : 1;

		if (length == 0 || is_invisible(bytes, length))
			for (size_t i = 0; i < taken; i++)
				put_byte(out, bytes[i], context);
		else if (length == 1)
			put_ascii(out, string.bytes[0], context);
		else
			fwrite(bytes, 1, length, out);
		string.bytes += taken;
		string.size -= taken;
	}
}

/* Tabs are the one control character that source needs. */
static void put_source(FILE *out, struct fp_report_string line)
{
	while (line.size > 0) {
		const char *tab = memchr(line.bytes, '\t', line.size);
		size_t size = tab ? (size_t)(tab - line.bytes) : line.size;

		put_escaped(out, (struct fp_report_string){line.bytes, size}, MARKUP);
		if (tab)
			fputc('\t', out);
		size += tab != NULL;
		line.bytes += size;
		line.size -= size;
	}
}

void fp_report_html_text(FILE *out, struct fp_report_string string)
{
	put_escaped(out, string, MARKUP);
}

void fp_report_html_json(FILE *out, struct fp_report_string string)
{
	fputc('"', out);
	put_escaped(out, string, SCRIPT);
	fputc('"', out);
}

void fp_report_html_number(FILE *out, uint64_t number)
{
	const struct fp_report_page page = {.out = out};

	fp_report_print_number(&page, number);
}

void fp_report_html_count(FILE *out, uint64_t number, const char *noun)
{
	const struct fp_report_page page = {.out = out};

	fp_report_print_count(&page, number, noun);
}

void fp_report_html_size(FILE *out, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		fp_report_html_count(out, bytes, "byte");
		return;
	}
	while (value >= 1024) {
		value /= 1024;
		unit++;
	}
	fprintf(out, value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void put_line(FILE *out, struct fp_report_string file, uint32_t line)
{
	fp_report_html_text(out, file);
	if (line > 0)
		fprintf(out, "<span class=\"line\">:%" PRIu32 "</span>", line);
}

static void put_module(FILE *out, const struct fp_report_frame *frame)
{
	if (!frame->module) {
		fprintf(out, "0x%" PRIx64 ", in no known module", frame->offset);
		return;
	}
	fp_report_html_text(out, fp_report_module_name(frame));
	fprintf(out, "+0x%" PRIx64, frame->offset);
}

static void put_function(FILE *out, const struct fp_report_frame *frame)
{
	if (frame->symbol && frame->symbol->function)
		fp_report_html_text(out, fp_report_text(frame->symbol->function));
	else
		put_module(out, frame);
}

void fp_report_html_place(FILE *out, const struct fp_report_stack *stack,
                          const struct fp_report_site *site)
{
	const struct fp_report_frame *frame = stack ? fp_report_stack_place(stack) : NULL;
	const struct fp_symbol_frame *symbol = frame ? frame->symbol : NULL;
	bool has_file = symbol && symbol->file;

	if (!has_file && site && site->file.size > 0) {
		fputs("<span class=\"where\">", out);
		put_line(out, fp_report_base_name(site->file), site->line);
		fputs("</span>", out);
		return;
	}
	if (!frame)
		return;
	if (has_file) {
		fputs("<span class=\"where\">", out);
		put_line(out, fp_report_base_name(fp_report_text(symbol->file)), symbol->line);
		fputs("</span> ", out);
	}
	fputs("<span class=\"function\">", out);
	put_function(out, frame);
	fputs("</span>", out);
}

static void put_frame(FILE *out, const struct fp_report_frame *frame, size_t number)
{
	const struct fp_symbol_frame *symbol = frame->symbol;

	fprintf(out, "<li value=\"%zu\"><span class=\"function\">", number);
	put_function(out, frame);
	fputs("</span>", out);
	if (symbol && symbol->function) {
		fputs(" <span class=\"file\">", out);
		if (symbol->file)
			put_line(out, fp_report_text(symbol->file), symbol->line);
		else
			put_module(out, frame);
		fputs("</span>", out);
	}
	fputs(symbol && symbol->inlined ? " <span class=\"tag\">inlined</span></li>\n"
	                                : "</li>\n",
	      out);
}

static void put_run(FILE *out, const struct fp_report_stack *stack, struct run run)
{
	fprintf(out,
	        "<li value=\"%zu\"><details class=\"run\"><summary>%zu frames of %s</summary>\n"
	        "<ol class=\"frames\">\n",
	        run.first, run.count, run.owner);
	for (size_t i = run.first; i < run.first + run.count; i++)
		put_frame(out, &stack->frames[i], i);
	fputs("</ol></details></li>\n", out);
}

/* The line for the frame at INDEX; how many frames it stands for. */
static size_t put_next(FILE *out, const struct fp_report_stack *stack, size_t index)
{
	struct run run = {.first = index};

	run.count = fp_report_fold(stack, index, &run.owner);
	if (run.count > 1) {
		put_run(out, stack, run);
		return run.count;
	}
	put_frame(out, &stack->frames[index], index);
	return 1;
}

void fp_report_html_stack(FILE *out, const struct fp_report_stack *stack)
{
	size_t count = stack ? stack->shown : 0;
	bool is_split = false;
	size_t lines = 0;

	if (count == 0) {
		fputs("<p class=\"quiet\">No stack was kept.</p>\n", out);
		return;
	}
	fputs("<ol class=\"frames\">\n", out);
	for (size_t i = 0; i < count; lines++) {
		if (lines == LINES_AT_ONCE && count - i > LINES_WORTH_FOLDING) {
			fprintf(out,
			        "</ol>\n<details class=\"more\"><summary>%zu more frames"
			        "</summary>\n<ol class=\"frames\">\n",
			        count - i);
			is_split = true;
		}
		i += put_next(out, stack, i);
	}
	fputs(is_split ? "</ol></details>\n" : "</ol>\n", out);
}

void fp_report_html_excerpt(FILE *out, const struct fp_report_stack *stack, uint32_t around)
{
	struct fp_report_excerpt excerpt;

	if (!stack || !fp_report_source_lines(fp_report_stack_place(stack), around, &excerpt))
		return;
	fputs("<pre class=\"source\">", out);
	for (size_t i = 0; i < excerpt.count; i++) {
		uint32_t number = excerpt.first + (uint32_t)i;
		bool is_marked = number == excerpt.marked;

		fprintf(out, "%s<span class=\"file\">%6" PRIu32 "</span>  ",
		        is_marked ? "<mark>" : "", number);
		put_source(out, excerpt.lines[i]);
		fputs(is_marked ? "</mark>\n" : "\n", out);
	}
	fputs("</pre>\n", out);
}
