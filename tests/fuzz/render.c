/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports in every format, and what the output of each must be like whatever is in them.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options/options.h"
#include "report/merge/merge.h"
#include "report/writer.h"
#include "target.h"

enum { DEPTH_MAX = 16, NAME_MAX_BYTES = 32, HTML_SCRIPTS = 2 };

static void check_json(const char *text, size_t size)
{
	json_t *json = json_loadb(text, size, 0, NULL);

	fuzz_must(json != NULL);
	json_decref(json);
}

/* Lines of characters that control nothing; other bytes are somebody's UTF-8. */
static void check_text(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];

		fuzz_must(byte == '\n' || (byte >= 0x20 && byte != 0x7f));
	}
}

/* Elements without attributes, nested as they should be: none of the names made one. */
static void check_xml(const char *text, size_t size)
{
	char open[DEPTH_MAX][NAME_MAX_BYTES];
	size_t depth = 0;
	const char *at = strchr(text, '>') + 1;

	check_text(text, size);
	while ((at = strchr(at, '<')) != NULL) {
		bool is_end = at[1] == '/';
		const char *name = at + 1 + is_end;
		size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz_");

		fuzz_must(length > 0 && length < NAME_MAX_BYTES && name[length] == '>');
		if (is_end) {
			fuzz_must(depth > 0 && strncmp(open[depth - 1], name, length) == 0 &&
			          open[depth - 1][length] == '\0');
			depth--;
		} else {
			fuzz_must(depth < DEPTH_MAX);
			snprintf(open[depth++], NAME_MAX_BYTES, "%.*s", (int)length, name);
		}
		at = name + length;
	}
	fuzz_must(depth == 0);
}

static size_t count_of(const char *text, const char *word)
{
	size_t count = 0;

	for (; (text = strstr(text, word)) != NULL; text += strlen(word))
		count++;
	return count;
}

/* The page has its own scripts and no others, and all of it is shown. */
static void check_html(const char *text)
{
	fuzz_must(count_of(text, "<script") == HTML_SCRIPTS);
	fuzz_must(count_of(text, "</script") == HTML_SCRIPTS);
	fuzz_must(count_of(text, "<!--") == 0);
	fuzz_must(count_of(text, "<noscript") == 1 && count_of(text, "</noscript") == 1);
	fuzz_must(count_of(text, "<img") == 0);
}

static char *write_set(const struct fp_report_writer *writer, const struct fp_report_set *set,
                       size_t *size)
{
	static const struct fp_report_view view = {.leaks = FP_REPORT_LEAKS_FULL,
	                                           .source_root = "/srv"};
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	fuzz_must(writer != NULL && out != NULL);
	fuzz_must(fp_report_write(writer, set, &view, out) == 0);
	fuzz_must(fclose(out) == 0 && strlen(text) == *size);
	return text;
}

static void render(const char *format, const struct fp_report_set *set)
{
	size_t size;
	char *text = write_set(fp_report_writer_find(format), set, &size);

	if (strcmp(format, "json") == 0 || strcmp(format, "sarif") == 0)
		check_json(text, size);
	else if (strcmp(format, "xml") == 0)
		check_xml(text, size);
	else if (strcmp(format, "html") == 0)
		check_html(text);
	else
		check_text(text, size);
	free(text);
}

char *fuzz_write(const char *format, const struct fp_report *report, size_t *size)
{
	return write_set(fp_report_writer_find(format), &(struct fp_report_set){&report, 1},
	                 size);
}

void fuzz_render(const struct fp_report *const *reports, size_t count)
{
	const struct fp_report_set set = {reports, count};

	render("text", &set);
	render("asan", &set);
	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		const struct fp_option *option = &fp_options_table[i];

		/* The event logs themselves are copied, not written. */
		if (option->stage == FP_OPTION_OUTPUT && strcmp(option->key, "log") != 0 &&
		    strcmp(option->key, "events") != 0)
			render(option->key, &set);
	}
}

void fuzz_merge(struct fp_report *const *reports, size_t count)
{
	const struct fp_report_origin origin = {.name = "a.json"};
	struct fp_report_merge *merge;
	struct fp_report *merged;

	fuzz_must(fp_report_merge_new(false, &merge) == 0);
	for (size_t i = 0; i < count; i++)
		fuzz_must(fp_report_merge_add(merge, reports[i], &origin) == 0);
	fuzz_must(fp_report_merge_end(merge, &merged) == 0);
	fuzz_render((const struct fp_report *const *)&merged, 1);
	fp_report_free(merged);
}
