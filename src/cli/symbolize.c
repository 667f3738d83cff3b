/* SPDX-License-Identifier: Apache-2.0
 *
 * fencepost symbolize: lines of --ndjson whose frames have no names, because the machine that
 * sent them had none, get them from debug files here or from a server. What has a name already
 * stays as it is. A line that is none goes through unchanged: nothing is lost.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool_messages.h"
#include "cli/cli.h"
#include "report/json/read.h"
#include "report/json/write.h"
#include "report/stack.h"

struct symbolize {
	const char *debug_dir;
	struct fp_report_images *images;
	uint64_t named; /* frames */
	uint64_t nameless;
};

static bool is_frame(const json_t *json)
{
	return json_is_string(json_object_get(json, "module")) &&
	       json_is_string(json_object_get(json, "offset"));
}

/* The bytes that TEXT has in hexadecimal, in BYTES; how many. */
static size_t read_hex(const char *text, char *bytes, size_t most)
{
	size_t count = 0;

	for (unsigned byte; text && count < most && sscanf(text, "%2x", &byte) == 1; text += 2)
		bytes[count++] = (char)byte;
	return count;
}

/* What is known of FRAME; NULL when that is nothing. IS_EXACT: it is no return address. */
static const struct fp_symbol_place *look_up(struct symbolize *symbolize, const json_t *frame,
                                             bool is_exact)
{
	char build_id[64];
	const struct fp_report_module module = {
	        .path = fp_report_text(json_string_value(json_object_get(frame, "module"))),
	        .build_id = {build_id,
	                     read_hex(json_string_value(json_object_get(frame, "build_id")),
	                              build_id, sizeof(build_id))},
	};
	uint64_t offset =
	        strtoull(json_string_value(json_object_get(frame, "offset")), NULL, 0);
	struct fp_symbol_image *image;

	if (module.build_id.size == 0 ||
	    fp_report_images_open(symbolize->images, &module, &image) != 0)
		return NULL;
	const struct fp_symbol_place *place = fp_symbol_lookup(image, offset, is_exact);
	return place && place->count > 0 && place->frames[0].function ? place : NULL;
}

static void put_text(json_t *frame, const char *key, const char *text)
{
	if (text)
		json_object_set_new(frame, key, fp_report_make_text(text));
}

/* FRAME as SYMBOL has it. */
static json_t *name_frame(const json_t *frame, const struct fp_symbol_frame *symbol)
{
	json_t *named = json_copy((json_t *)(uintptr_t)frame);

	put_text(named, "function", symbol->function);
	put_text(named, "linkage", symbol->linkage);
	put_text(named, "file", symbol->file);
	put_text(named, "directory", symbol->directory);
	if (symbol->line > 0)
		json_object_set_new(named, "line", fp_report_make_count(symbol->line));
	if (symbol->column > 0)
		json_object_set_new(named, "column", fp_report_make_count(symbol->column));
	if (symbol->function_line > 0)
		json_object_set_new(named, "function_line",
		                    fp_report_make_count(symbol->function_line));
	if (!symbol->file)
		json_object_set_new(named, "function_offset",
		                    fp_report_make_address(symbol->function_offset));
	json_object_set_new(named, "inlined", json_boolean(symbol->inlined));
	return named;
}

/* STACK with the names there are; what was inlined there is a frame of its own. */
static json_t *name_stack(struct symbolize *symbolize, const json_t *stack, bool is_exact)
{
	json_t *named = json_array();

	for (size_t i = 0; i < json_array_size(stack); i++) {
		json_t *frame = json_array_get(stack, i);
		bool has_name = json_is_string(json_object_get(frame, "function"));
		const struct fp_symbol_place *place =
		        has_name ? NULL : look_up(symbolize, frame, is_exact && i == 0);

		/* The reader finds out anew what a frame is to its stack. */
		json_object_del(frame, "place");
		json_object_del(frame, "hidden");
		symbolize->nameless += !has_name && !place;
		symbolize->named += place != NULL;
		if (!place)
			json_array_append(named, frame);
		for (size_t j = 0; place && j < place->count; j++)
			json_array_append_new(named, name_frame(frame, &place->frames[j]));
	}
	return named;
}

static void name_all(struct symbolize *symbolize, json_t *json)
{
	const char *key;
	json_t *value;
	size_t i;

	json_array_foreach(json, i, value) name_all(symbolize, value);
	json_object_foreach(json, key, value)
	{
		bool is_exact = strcmp(key, "stack") == 0 &&
		                json_is_true(json_object_get(json, "exact"));

		if (is_frame(json_array_get(value, 0)))
			json_object_set_new(json, key, name_stack(symbolize, value, is_exact));
		else
			name_all(symbolize, value);
	}
}

/* Prints JSON, a line, with what follows from its names: place and fingerprint. */
static int print_line(const json_t *json)
{
	const struct fp_report_writer *writer = fp_report_writer_find("ndjson");
	char refusal[FP_REPORT_REFUSAL_MAX];
	struct fp_report *read = calloc(1, sizeof(*read));
	int result = read ? fp_report_read_document(json, read, refusal) : -ENOMEM;
	const struct fp_report *report = read;
	const struct fp_report_set set = {&report, 1};

	if (result != 0) {
		fp_report_free(read);
		return result;
	}
	const struct fp_report_view view = {
	        .leaks = FP_REPORT_LEAKS_FULL, .has_possible = true, .line = &report->line};
	result = fp_report_write(writer, &set, &view, stdout);
	fp_report_free(read);
	return result;
}

static int take_line(struct symbolize *symbolize, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	bool is_line = json_is_string(json_object_get(json_object_get(json, "line"), "type"));
	uint64_t before = symbolize->named;
	int result = 0;

	if (is_line)
		name_all(symbolize, json);
	if (symbolize->named > before)
		result = print_line(json);
	if (symbolize->named == before || result != 0)
		fputs(text, stdout);
	json_decref(json);
	return result == -ENOMEM ? -ENOMEM : 0;
}

static int take_file(struct symbolize *symbolize, const char *path)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	int result = 0;

	if (!in)
		return fp_cli_fail(FP_SAY_CANNOT_READ_LINES, path, strerror(errno));
	while (result == 0 && getline(&line, &room, in) >= 0)
		result = take_line(symbolize, line);
	free(line);
	if (in != stdin)
		fclose(in);
	return result == 0 ? 0 : fp_cli_fail(FP_SAY_NO_MEMORY_LINES_OF, path);
}

/* 1: it is a file. */
static int take_option(struct symbolize *symbolize, const char *argument)
{
	if (strncmp(argument, "--debug-dir=", 12) == 0)
		symbolize->debug_dir = argument + 12;
	else if (strcmp(argument, "--debuginfod=yes") == 0 ||
	         strcmp(argument, "--debuginfod") == 0)
		fp_symbol_allow_fetching();
	else if (argument[0] == '-' && argument[1] != '\0')
		return fp_cli_fail(FP_SAY_SYMBOLIZE_UNKNOWN_OPTION, argument);
	else
		return 1;
	return 0;
}

int fp_cli_symbolize(char **arguments)
{
	struct symbolize symbolize = {.debug_dir = FP_SYMBOL_DEBUG_DIR};
	size_t files = 0;
	int result = 0;

	for (char **at = arguments; *at; at++) {
		int kind = take_option(&symbolize, *at);

		if (kind == FP_CLI_FAILED)
			return FP_CLI_FAILED;
		if (kind == 1)
			arguments[files++] = *at;
	}
	if (fp_report_images_new(symbolize.debug_dir, &symbolize.images) != 0)
		return fp_cli_fail(FP_SAY_NO_MEMORY_LOOK_NAMES);
	if (files == 0)
		result = take_file(&symbolize, "-");
	for (size_t i = 0; i < files; i++)
		result |= take_file(&symbolize, arguments[i]);
	fp_report_images_free(symbolize.images);
	if (symbolize.nameless > 0)
		fp_cli_say(FP_SAY_NOTE_FRAMES_STILL, (unsigned long long)symbolize.nameless);
	return result == 0 ? fp_cli_finish_output() : FP_CLI_FAILED;
}
