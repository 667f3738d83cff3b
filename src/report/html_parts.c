/* SPDX-License-Identifier: Apache-2.0
 *
 * Escaping, numbers, places and stacks as HTML.
 */
#include "report/html_parts.h"

#include <inttypes.h>
#include <string.h>

#include "report/names.h"
#include "report/stack.h"
#include "report/text_parts.h"

/* Frames of one stack that are shown at once; the others unfold. */
enum { FRAMES_AT_ONCE = 16 };

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

static void put_frame(FILE *out, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;

	fputs("<li><span class=\"function\">", out);
	put_function(out, frame);
	fputs("</span> <span class=\"file\">", out);
	if (symbol && symbol->file)
		put_line(out, fp_report_text(symbol->file), symbol->line);
	else if (symbol && symbol->function)
		put_module(out, frame);
	fputs(symbol && symbol->inlined ? "</span> <span class=\"tag\">inlined</span></li>\n"
	                                : "</span></li>\n",
	      out);
}

static void put_frames(FILE *out, const struct fp_report_stack *stack, size_t first,
                       size_t count)
{
	fprintf(out, "<ol class=\"frames\" start=\"%zu\">\n", first);
	for (size_t i = first; i < first + count; i++)
		put_frame(out, &stack->frames[i]);
	fputs("</ol>\n", out);
}

void fp_report_html_stack(FILE *out, const struct fp_report_stack *stack)
{
	size_t count = stack ? stack->shown : 0;
	size_t rest = count > FRAMES_AT_ONCE + 4 ? count - FRAMES_AT_ONCE : 0;

	if (count == 0) {
		fputs("<p class=\"quiet\">No stack was kept.</p>\n", out);
		return;
	}
	put_frames(out, stack, 0, count - rest);
	if (rest == 0)
		return;
	fprintf(out, "<details class=\"more\"><summary>%zu more frames</summary>\n", rest);
	put_frames(out, stack, count - rest, rest);
	fputs("</details>\n", out);
}
