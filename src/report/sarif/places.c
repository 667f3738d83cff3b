/* SPDX-License-Identifier: Apache-2.0
 *
 * Where things are, as SARIF says it: URIs, regions, stack frames.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/path.h"
#include "report/sarif/parts.h"
#include "report/stack.h"

void fp_report_sarif_escape(FILE *out, struct fp_report_string text)
{
	for (size_t i = 0; i < text.size; i++) {
		char byte = text.bytes[i];

		if (byte == '\\' || byte == '[' || byte == ']')
			fputc('\\', out);
		if (byte == '{' || byte == '}')
			fputc(byte, out);
		fputc(byte, out);
	}
}

json_t *fp_report_sarif_message(struct fp_report_sarif *sarif, struct fp_report_string text)
{
	json_t *message = json_object();
	char *escaped = NULL;
	size_t size;
	FILE *out = open_memstream(&escaped, &size);

	if (out)
		fp_report_sarif_escape(out, text);
	if (!out || fclose(out) != 0)
		sarif->tree.has_failed = true;
	else
		fp_report_tree_put(
		        &sarif->tree, message, "text",
		        fp_report_make_string((struct fp_report_string){escaped, size}));
	free(escaped);
	return message;
}

/* Only what RFC 3986 reserves for nothing stays as it is. */
static bool is_plain(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("/-._~", byte) != NULL);
}

static json_t *make_uri(const char *path, const char *end)
{
	char *text = malloc(sizeof("file://") + 3 * strlen(path) + strlen(end));
	char *at = text;
	json_t *uri;

	if (!text)
		return NULL;
	if (path[0] == '/')
		at = stpcpy(at, "file://");
	for (; *path != '\0'; path++) {
		if (is_plain(*path))
			*at++ = *path;
		else
			at += sprintf(at, "%%%02X", (unsigned char)*path);
	}
	stpcpy(at, end);
	uri = json_string(text);
	free(text);
	return uri;
}

json_t *fp_report_sarif_directory(const char *path)
{
	size_t size = strlen(path);

	return make_uri(path, size > 0 && path[size - 1] == '/' ? "" : "/");
}

static const char *below_root(const struct fp_report_sarif *sarif, const char *path)
{
	const char *rest = NULL;

	for (size_t i = 0; i < 2 && !rest; i++)
		rest = sarif->roots[i] ? fp_report_path_below(path, sarif->roots[i]) : NULL;
	return rest;
}

json_t *fp_report_sarif_artifact(struct fp_report_sarif *sarif, const char *directory,
                                 struct fp_report_string file)
{
	char *path = fp_report_make_path(directory, file);
	json_t *artifact = json_object();
	const char *rest;

	if (!path) {
		sarif->tree.has_failed = true;
		return artifact;
	}
	rest = below_root(sarif, path);
	/* An empty URI would be the log itself. */
	fp_report_tree_put(&sarif->tree, artifact, "uri",
	                   make_uri(rest            ? rest
	                            : *path != '\0' ? path
	                                            : "unknown",
	                            ""));
	if (rest)
		fp_report_tree_put(&sarif->tree, artifact, "uriBaseId",
		                   json_string(FP_REPORT_SARIF_ROOT));
	free(path);
	return artifact;
}

static bool has_file(const struct fp_report_frame *frame)
{
	return frame->symbol && frame->symbol->file && frame->symbol->file[0] != '\0';
}

static bool is_below_root(const struct fp_report_sarif *sarif,
                          const struct fp_report_frame *frame)
{
	char *path;
	bool is_below;

	if (!sarif->roots[0] || !has_file(frame))
		return false;
	path = fp_report_make_path(frame->symbol->directory,
	                           fp_report_text(frame->symbol->file));
	is_below = path && below_root(sarif, path);
	free(path);
	return is_below;
}

struct fp_report_sarif_place fp_report_sarif_find(const struct fp_report_sarif *sarif,
                                                  const struct fp_report_stack *stack,
                                                  const struct fp_report_site *site)
{
	struct fp_report_sarif_place place = {.frame = fp_report_stack_place(stack)};

	if (site && site->file.size > 0 && site->line > 0)
		place.site = site;
	for (size_t i = stack->passed; i < stack->shown; i++) {
		if (is_below_root(sarif, &stack->frames[i])) {
			place.frame = &stack->frames[i];
			break;
		}
	}
	return place;
}

bool fp_report_sarif_has_source(const struct fp_report_sarif_place *place)
{
	return place->site || (place->frame && has_file(place->frame));
}

/* Code scanning wants all four numbers; where the column is not known, the line begins. */
static json_t *make_region(uint32_t line, uint32_t column)
{
	json_int_t known_line = line > 0 ? line : 1;
	json_int_t known_column = column > 0 ? column : 1;

	return json_pack("{s:I,s:I,s:I,s:I}", "startLine", known_line, "startColumn",
	                 known_column, "endLine", known_line, "endColumn", known_column + 1);
}

/* Where an instruction is when no source file says it. */
static json_t *make_instruction(const struct fp_report_frame *frame)
{
	json_int_t offset = frame->offset > INT64_MAX ? INT64_MAX : (json_int_t)frame->offset;

	return json_pack("{s:s,s:I}", "kind", "instruction",
	                 frame->module ? "relativeAddress" : "absoluteAddress", offset);
}

static json_t *make_physical(struct fp_report_sarif *sarif,
                             const struct fp_report_sarif_place *place,
                             struct fp_report_string fallback)
{
	struct fp_report_tree *tree = &sarif->tree;
	const struct fp_report_frame *frame = place->frame;
	const struct fp_symbol_frame *symbol = frame && has_file(frame) ? frame->symbol : NULL;
	json_t *physical = json_object();
	json_t *artifact;
	json_t *region;

	if (symbol) {
		artifact = fp_report_sarif_artifact(sarif, symbol->directory,
		                                    fp_report_text(symbol->file));
		region = make_region(symbol->line, symbol->column);
	} else if (place->site) {
		artifact = fp_report_sarif_artifact(sarif, NULL, place->site->file);
		region = make_region(place->site->line, 0);
	} else {
		artifact = fp_report_sarif_artifact(
		        sarif, NULL, frame && frame->module ? frame->module->path : fallback);
		region = make_region(1, 1);
	}
	fp_report_tree_put(tree, physical, "artifactLocation", artifact);
	fp_report_tree_put(tree, physical, "region", region);
	if (frame && !symbol)
		fp_report_tree_put(tree, physical, "address", make_instruction(frame));
	return physical;
}

json_t *fp_report_sarif_location(struct fp_report_sarif *sarif,
                                 const struct fp_report_sarif_place *place,
                                 struct fp_report_string fallback)
{
	struct fp_report_tree *tree = &sarif->tree;
	const struct fp_symbol_frame *symbol = place->frame ? place->frame->symbol : NULL;
	json_t *location = json_object();

	fp_report_tree_put(tree, location, "physicalLocation",
	                   make_physical(sarif, place, fallback));
	if (symbol && symbol->function)
		fp_report_tree_put(tree, location, "logicalLocations",
		                   json_pack("[{s:o,s:s}]", "fullyQualifiedName",
		                             fp_report_make_text(symbol->function), "kind",
		                             "function"));
	return location;
}

json_t *fp_report_sarif_moment(struct fp_report_sarif *sarif,
                               const struct fp_report_moment *moment)
{
	char text[FP_REPORT_MOMENT_WORDS_MAX];

	fp_report_moment_words(moment, text);
	return fp_report_sarif_message(sarif, fp_report_text(text));
}

json_t *fp_report_sarif_stack(struct fp_report_sarif *sarif,
                              const struct fp_report_moment *moment)
{
	struct fp_report_tree *tree = &sarif->tree;
	json_t *frames = json_array();
	json_t *stack = json_object();

	for (size_t i = 0; i < moment->stack->shown; i++) {
		const struct fp_report_frame *frame = &moment->stack->frames[i];
		const struct fp_report_sarif_place place = {.frame = frame};
		struct fp_report_string module = fp_report_module_name(frame);
		json_t *json = json_object();

		fp_report_tree_put(tree, json, "location",
		                   fp_report_sarif_location(sarif, &place, module));
		fp_report_tree_put(tree, json, "module", fp_report_make_string(module));
		if (moment->thread != 0)
			fp_report_tree_put(tree, json, "threadId",
			                   json_integer(moment->thread));
		fp_report_tree_append(tree, frames, json);
	}
	fp_report_tree_put(tree, stack, "message", fp_report_sarif_moment(sarif, moment));
	fp_report_tree_put(tree, stack, "frames", frames);
	return stack;
}
