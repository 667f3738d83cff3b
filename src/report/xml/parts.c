/* SPDX-License-Identifier: Apache-2.0
 *
 * Elements, escaped text, frames and stacks.
 */
#include "report/xml/parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/names.h"
#include "report/path.h"
#include "report/stack.h"

static void indent(const struct fp_report_xml *xml)
{
	for (int i = 0; i < xml->depth; i++)
		fputs("  ", xml->out);
}

void fp_report_xml_open(struct fp_report_xml *xml, const char *name)
{
	indent(xml);
	fprintf(xml->out, "<%s>\n", name);
	xml->depth++;
}

void fp_report_xml_close(struct fp_report_xml *xml, const char *name)
{
	xml->depth--;
	indent(xml);
	fprintf(xml->out, "</%s>\n", name);
}

/* Bytes at the start of STRING that XML can hold; U+FFFE and U+FFFF are no characters. */
static size_t holdable_length(struct fp_report_string string)
{
	size_t length = fp_report_printable_length(string);

	if (length == 3 && (memcmp(string.bytes, "\xef\xbf\xbe", 3) == 0 ||
	                    memcmp(string.bytes, "\xef\xbf\xbf", 3) == 0))
		return 0;
	return length;
}

static void escape(FILE *out, struct fp_report_string string)
{
	while (string.size > 0) {
		size_t length = holdable_length(string);

		if (length == 0)
			fprintf(out, "\\x%02x", (unsigned char)string.bytes[0]);
		else if (string.bytes[0] == '&')
			fputs("&amp;", out);
		else if (string.bytes[0] == '<')
			fputs("&lt;", out);
		else if (string.bytes[0] == '>')
			fputs("&gt;", out);
		else
			fwrite(string.bytes, 1, length, out);
		length = length > 0 ? length : 1;
		string.bytes += length;
		string.size -= length;
	}
}

void fp_report_xml_string(const struct fp_report_xml *xml, const char *name,
                          struct fp_report_string string)
{
	indent(xml);
	fprintf(xml->out, "<%s>", name);
	escape(xml->out, string);
	fprintf(xml->out, "</%s>\n", name);
}

void fp_report_xml_print(const struct fp_report_xml *xml, const char *name, const char *format,
                         ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fp_report_xml_string(xml, name, fp_report_text(text));
}

/* Valgrind's directory and file are the two halves of one path. */
static int print_file(const struct fp_report_xml *xml, const struct fp_symbol_frame *symbol)
{
	char *path = fp_report_make_path(symbol->directory, fp_report_text(symbol->file));
	struct fp_report_string directory;
	struct fp_report_string file;

	if (!path)
		return -ENOMEM;
	directory = fp_report_text(path);
	file = fp_report_base_name(directory);
	directory.size -= file.size;
	if (directory.size > 1)
		directory.size--;
	if (directory.size > 0)
		fp_report_xml_string(xml, "dir", directory);
	fp_report_xml_string(xml, "file", file);
	if (symbol->line > 0)
		fp_report_xml_print(xml, "line", "%" PRIu32, symbol->line);
	free(path);
	return 0;
}

static int print_frame(struct fp_report_xml *xml, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;
	uint64_t bias = frame->module ? frame->module->bias : 0;
	int result = 0;

	fp_report_xml_open(xml, "frame");
	fp_report_xml_print(xml, "ip", "0x%" PRIX64, bias + frame->offset);
	if (frame->module)
		fp_report_xml_string(xml, "obj", frame->module->path);
	if (symbol && symbol->function)
		fp_report_xml_string(xml, "fn", fp_report_text(symbol->function));
	if (symbol && symbol->file)
		result = print_file(xml, symbol);
	fp_report_xml_close(xml, "frame");
	return result;
}

int fp_report_xml_stack(struct fp_report_xml *xml, const struct fp_report_stack *stack)
{
	static const struct fp_report_frame nowhere;
	int result = 0;

	fp_report_xml_open(xml, "stack");
	if (stack->shown == 0)
		result = print_frame(xml, &nowhere);
	for (size_t i = 0; result == 0 && i < stack->shown; i++)
		result = print_frame(xml, &stack->frames[i]);
	fp_report_xml_close(xml, "stack");
	return result;
}
