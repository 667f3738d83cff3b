/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTML report: a page that is always the same, which draws the JSON report that it has in
 * it, and has the text report for whoever has no scripts. No markup is made here; what the two
 * reports say is escaped so that it can be none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/writer.h"
#include "report/html/shell.h"

struct rendered {
	char *text;
	size_t size;
};

/* What WRITER makes of the set, to be freed in any case. */
static int render(const struct fp_report_walk *walk, const struct fp_report_writer *writer,
                  struct rendered *rendered)
{
	struct fp_report_view view = *walk->view;
	FILE *out = open_memstream(&rendered->text, &rendered->size);
	int result;

	if (!out)
		return -ENOMEM;
	view.is_quiet = false;
	view.has_colour = false;
	view.is_whole = true;
	result = fp_report_write(writer, walk->set, &view, out);
	return fclose(out) != 0 && result == 0 ? -ENOMEM : result;
}

/* The character at BYTES, which are UTF-8 and terminated, if one of two or three bytes starts
 * there; else 0. */
static unsigned decode(const unsigned char *bytes)
{
	if (bytes[0] >= 0xc2 && bytes[0] < 0xe0)
		return (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu);
	if (bytes[0] >= 0xe0 && bytes[0] < 0xf0)
		return (bytes[0] & 0xfu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
	return 0;
}

/* Whether CHARACTER has an effect instead of a shape, on whoever looks at the file: C1, line
 * separators, marks and overrides of direction, the byte order mark, what is no character. */
static bool is_invisible(unsigned character)
{
	return (character >= 0x80 && character < 0xa0) ||
	       (character >= 0x200b && character <= 0x200f) ||
	       (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2060 && character <= 0x206f) || character == 0xfeff ||
	       (character >= 0xfffe && character <= 0xffff);
}

/* As content of an element: of one of script, which no '<' can end, JSON without its
 * indentation; else text. */
static void put(FILE *out, const struct rendered *rendered, bool is_script)
{
	const unsigned char *at = (const unsigned char *)rendered->text;
	const unsigned char *end = at + rendered->size;

	while (at < end) {
		unsigned character = decode(at);

		if (is_invisible(character)) {
			fprintf(out, "\\u%04x", character);
			at += character < 0x800 ? 2 : 3;
			continue;
		}
		if (*at == '<')
			fputs(is_script ? "\\u003c" : "&lt;", out);
		else if (*at == '&' && !is_script)
			fputs("&amp;", out);
		else
			fputc(*at, out);
		if (*at++ == '\n' && is_script)
			at += strspn((const char *)at, " ");
	}
}

static int end(struct fp_report_walk *walk)
{
	struct rendered text = {0};
	struct rendered json = {0};
	int result = render(walk, &fp_report_text_writer, &text);

	if (result == 0)
		result = render(walk, &fp_report_json_writer, &json);
	if (result == 0) {
		fputs(fp_report_html_shell[0], walk->out);
		put(walk->out, &text, false);
		fputs(fp_report_html_shell[1], walk->out);
		put(walk->out, &json, true);
		fputs(fp_report_html_shell[2], walk->out);
	}
	free(text.text);
	free(json.text);
	return result;
}

const struct fp_report_writer fp_report_html_writer = {
        .name = "html",
        .has_snapshots = true,
        .end = end,
};
