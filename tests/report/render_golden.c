/* SPDX-License-Identifier: Apache-2.0
 *
 * Renders recorded logs, sets of several, and several merged, in every format, into the files
 * LOG.FACE of the directory that is its argument: each face of those that it names, which are
 * as few as show every line of it. The version is replaced by @VERSION@: nothing else in the
 * files can change but by a change of the writers. With "whole" each face is of all, and
 * nothing is replaced.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs.h"
#include "options/options.h"
#include "report/html/shell.h"
#include "report/merge/merge.h"
#include "report/writer.h"

/* What a format is shown as. A format has one or more faces. */
struct face {
	const char *name; /* ending of the files */
	const char *format;
	const char *of; /* the logs and sets whose files are golden */
	struct fp_report_view view;
};

static const struct face faces[] = {
        {"text",
         "text",
         "plant quiet hostile cut asked held pair merged",
         {.leaks = FP_REPORT_LEAKS_FULL}},
        {"asan", "asan", "plant hostile asked held pair", {.leaks = FP_REPORT_LEAKS_FULL}},
        {"json",
         "json",
         "plant hostile cut asked held pair merged",
         {.leaks = FP_REPORT_LEAKS_FULL}},
        {"folded", "folded", "plant hostile merged several", {.leaks = FP_REPORT_LEAKS_FULL}},
        /* A page of text and JSON: that with the worst names is enough to show how. */
        {"html", "html", "hostile", {.leaks = FP_REPORT_LEAKS_FULL}},
        {"sarif",
         "sarif",
         "hostile held merged",
         {.leaks = FP_REPORT_LEAKS_FULL, .has_possible = true, .source_root = "/srv/plant"}},
        {"xml",
         "xml",
         "plant hostile cut held pair",
         {.leaks = FP_REPORT_LEAKS_FULL, .has_possible = true}},
};

static struct encoder log_bytes[RECORDED_LOGS];
static struct fp_report *reports[RECORDED_LOGS];
static const struct fp_report *merged;
static const char *directory;
static bool is_whole; /* nothing is taken out */

_Noreturn static void fail(const char *what, const char *name)
{
	fprintf(stderr, "render_golden: %s %s: %s\n", what, name, strerror(errno));
	exit(1);
}

/* TEXT to FILE, without what is not of the report. */
static void write_constant(const char *text, FILE *file)
{
	const char *const constants[] = {fp_report_html_shell[0], fp_report_html_shell[1],
	                                 fp_report_html_shell[2], PACKAGE_VERSION};
	const char *const names[] = {"@SHELL@\n", "@SHELL@\n", "@SHELL@\n", "@VERSION@"};

	while (*text) {
		size_t i = 0;

		while (i < 4 && strncmp(text, constants[i], strlen(constants[i])) != 0)
			i++;
		if (!is_whole && i < 4) {
			fputs(names[i], file);
			text += strlen(constants[i]);
		} else {
			fputc(*text++, file);
		}
	}
}

/* TEXT to FILE as above; rules and weaknesses, which every SARIF log has, only where IS_FIRST.
 */
static void write_golden(char *text, bool is_first, FILE *file)
{
	static const char *const lists[][2] = {{"     \"rules\": [\n", "\n     ]"},
	                                       {"     \"taxa\": [\n", "\n     ]"}};

	for (size_t i = 0; !is_first && !is_whole && i < 2; i++) {
		char *start = strstr(text, lists[i][0]);
		char *end = start ? strstr(start, lists[i][1]) : NULL;

		if (!end)
			continue;
		start += strlen(lists[i][0]);
		*start = '\0';
		write_constant(text, file);
		text = end + 1;
	}
	write_constant(text, file);
}

static bool is_golden(const struct face *face, const char *name)
{
	size_t size = strlen(name);
	const char *at = face->of;

	while (strncmp(at, name, size) != 0 || (at[size] != ' ' && at[size] != '\0')) {
		at = strchr(at, ' ');
		if (!at++)
			return false;
	}
	return true;
}

static void write_face(const struct face *face, const char *name,
                       const struct fp_report_set *set)
{
	const struct fp_report_writer *writer = fp_report_writer_find(face->format);
	char path[4096];
	char *text = NULL;
	size_t size;
	FILE *out;
	FILE *file;

	if (!is_whole && !is_golden(face, name))
		return;
	snprintf(path, sizeof(path), "%s/%s.%s", directory, name, face->name);
	out = open_memstream(&text, &size);
	file = fopen(path, "w");
	if (!writer || !out || !file || fp_report_write(writer, set, &face->view, out) != 0 ||
	    fclose(out) != 0)
		fail("cannot render", path);
	if (strlen(text) != size)
		fail("a zero byte in", path);
	write_golden(text, strncmp(face->of, name, strlen(name)) == 0, file);
	if (fclose(file) != 0)
		fail("cannot write", path);
	free(text);
}

static void read_log(size_t i)
{
	struct fp_report *report;

	recorded_logs[i].encode(&log_bytes[i]);
	errno = -fp_report_read(log_bytes[i].bytes, log_bytes[i].size, &report);
	if (errno == 0)
		errno = -fp_report_resolve(report, FP_SYMBOL_DEBUG_DIR);
	if (errno == 0)
		errno = -fp_report_resolve_snapshots(report, FP_SYMBOL_DEBUG_DIR);
	if (errno != 0)
		fail("cannot read", recorded_logs[i].name);
	reports[i] = report;
}

/* A format without a face would be one that no golden file shows. */
static void check_faces(void)
{
	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		const struct fp_option *option = &fp_options_table[i];
		/* The event logs themselves are copied, not written. */
		bool is_shown = option->stage != FP_OPTION_OUTPUT ||
		                strcmp(option->key, "log") == 0 ||
		                strcmp(option->key, "events") == 0;

		for (size_t j = 0; j < sizeof(faces) / sizeof(faces[0]); j++)
			is_shown |= strcmp(faces[j].format, option->key) == 0;
		errno = ENOENT;
		if (!is_shown)
			fail("no face in the table for", option->key);
	}
}

/* Some logs as files that are merged, each twice. */
static const struct fp_report *merge_logs(void)
{
	static const size_t logs[] = {1, 5, 6};
	struct fp_report_merge *merge;
	struct fp_report *report;

	errno = -fp_report_merge_new(false, &merge);
	for (size_t i = 0; errno == 0 && i < 6; i++) {
		size_t log = logs[i / 2];
		const struct fp_report_origin origin = {.name = recorded_logs[log].name};

		errno = -fp_report_merge_add(merge, reports[log], &origin);
	}
	if (errno == 0)
		errno = -fp_report_merge_end(merge, &report);
	if (errno != 0)
		fail("cannot merge", "the logs");
	return report;
}

int main(int count, char **arguments)
{
	const struct fp_report_set several = {(const struct fp_report *const *)reports, 3};
	const struct fp_report_set pair = {(const struct fp_report *const *)&reports[1], 2};

	if (count != 2 && (count != 3 || strcmp(arguments[2], "whole") != 0)) {
		fputs("usage: render_golden DIRECTORY [whole]\n", stderr);
		return 2;
	}
	directory = arguments[1];
	is_whole = count == 3;
	check_faces();
	for (size_t i = 0; i < RECORDED_LOGS; i++)
		read_log(i);
	merged = merge_logs();
	for (size_t i = 0; i < sizeof(faces) / sizeof(faces[0]); i++) {
		for (size_t j = 0; j < RECORDED_LOGS; j++)
			write_face(&faces[i], recorded_logs[j].name,
			           &(struct fp_report_set){
			                   (const struct fp_report *const *)&reports[j], 1});
		write_face(&faces[i], "several", &several);
		write_face(&faces[i], "pair", &pair);
		write_face(&faces[i], "merged", &(struct fp_report_set){&merged, 1});
	}
	return 0;
}
