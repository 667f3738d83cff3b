/* SPDX-License-Identifier: Apache-2.0
 *
 * One finding, or one leak, as a result of SARIF: where it is, what led there, and the sites of
 * the allocation and of the free, which the message links to.
 * Where things are are URIs, regions and stack frames.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/holders.h"
#include "report/names.h"
#include "report/source.h"
#include "report/sarif/sarif.h"
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

/* The message of the SIZE bytes at *TEXT, which OUT, NULL when out of memory, was writing. */
static json_t *end_message(struct fp_report_sarif *sarif, FILE *out, char **text,
                           const size_t *size)
{
	json_t *message = json_object();

	if (!out || fclose(out) != 0)
		sarif->tree.has_failed = true;
	else
		fp_report_tree_put(
		        &sarif->tree, message, "text",
		        fp_report_make_string((struct fp_report_string){*text, *size}));
	free(*text);
	return message;
}

json_t *fp_report_sarif_message(struct fp_report_sarif *sarif, struct fp_report_string text)
{
	char *escaped = NULL;
	size_t size;
	FILE *out = open_memstream(&escaped, &size);

	if (out)
		fp_report_sarif_escape(out, text);
	return end_message(sarif, out, &escaped, &size);
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
	rest = fp_report_path_below(path, &sarif->roots);
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

	if (!sarif->roots.paths[0] || !has_file(frame))
		return false;
	path = fp_report_make_path(frame->symbol->directory,
	                           fp_report_text(frame->symbol->file));
	is_below = path && fp_report_path_below(path, &sarif->roots);
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

/* The moments of a finding and where they were. */
struct story {
	struct fp_report_moment moments[FP_REPORT_MOMENTS_MAX];
	struct fp_report_sarif_place places[FP_REPORT_MOMENTS_MAX];
	size_t count;
};

static void tell(struct story *story, const struct fp_report_sarif *sarif,
                 const struct fp_report_finding *finding)
{
	story->count = fp_report_moments(finding, story->moments);
	for (size_t i = 0; i < story->count; i++) {
		const struct fp_report_moment *moment = &story->moments[i];
		bool is_allocation = moment->kind == FP_REPORT_ALLOCATION;

		story->places[i] = fp_report_sarif_find(
		        sarif, moment->stack, is_allocation ? &finding->block.site : NULL);
	}
}

static bool is_known(const struct fp_report_sarif_place *place)
{
	return place->frame || place->site;
}

/* Where to show the result: at its own stack, or at the first of the others that leads to
 * source. */
static const struct fp_report_sarif_place *main_place(const struct story *story)
{
	for (size_t i = 0; i < story->count; i++) {
		if (fp_report_sarif_has_source(&story->places[i]))
			return &story->places[i];
	}
	for (size_t i = 0; i < story->count; i++) {
		if (is_known(&story->places[i]))
			return &story->places[i];
	}
	return &story->places[0];
}

static void put_rule(struct fp_report_sarif *sarif, json_t *result, size_t rule)
{
	struct fp_report_tree *tree = &sarif->tree;

	fp_report_tree_put(tree, result, "ruleId", json_string(fp_report_sarif_rule_id(rule)));
	fp_report_tree_put(tree, result, "ruleIndex", json_integer((json_int_t)rule));
	fp_report_tree_put(tree, result, "level",
	                   json_string(fp_report_sarif_rule_level(rule)));
}

static void print_message(FILE *out, const struct fp_report_finding *finding,
                          const struct story *story)
{
	const struct fp_finding_traits *info = fp_finding_traits(finding->kind);

	fprintf(out, "%s: %s", info->name, info->title);
	if (finding->signal != 0) {
		char name[FP_REPORT_SIGNAL_MAX];

		fp_report_signal_name(finding->signal, name);
		fprintf(out, " (%s, CWE-%d)", name, fp_report_cwe(finding));
	}
	if (finding->description.size > 0) {
		fputs("; ", out);
		fp_report_sarif_escape(out, finding->description);
	}
	fputc('.', out);
	if (finding->has_block)
		fprintf(out, " The block has %" PRIu64 " bytes.", finding->block.size);
	for (size_t i = 1; i < story->count; i++) {
		char words[FP_REPORT_MOMENT_WORDS_MAX];

		fp_report_moment_words(&story->moments[i], words);
		if (is_known(&story->places[i]))
			fprintf(out, " [%s](%zu).", words, i);
	}
}

static json_t *make_message(struct fp_report_sarif *sarif,
                            const struct fp_report_finding *finding, const struct story *story)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out)
		print_message(out, finding, story);
	return end_message(sarif, out, &text, &size);
}

/* The place of moment I, told. */
static json_t *make_told_location(struct fp_report_sarif *sarif, const struct story *story,
                                  size_t i)
{
	const struct fp_report_sarif_place *place = &story->places[i];
	json_t *location = fp_report_sarif_location(sarif, place, fp_report_text(""));

	fp_report_tree_put(&sarif->tree, location, "message",
	                   fp_report_sarif_moment(sarif, &story->moments[i]));
	return location;
}

static json_t *make_related(struct fp_report_sarif *sarif, const struct story *story)
{
	json_t *related = json_array();

	for (size_t i = 1; i < story->count; i++) {
		json_t *location;

		if (!is_known(&story->places[i]))
			continue;
		location = make_told_location(sarif, story, i);
		fp_report_tree_put(&sarif->tree, location, "id", json_integer((json_int_t)i));
		fp_report_tree_append(&sarif->tree, related, location);
	}
	return related;
}

/* Where the holder of a block was allocated or runs, or else what file has it. */
static json_t *make_holder(struct fp_report_sarif *sarif, const struct fp_report_holder *holder)
{
	const struct fp_report_stack *stack = fp_report_holder_stack(holder);
	struct fp_report_sarif_place place = {NULL, NULL};
	char words[FP_REPORT_HOLDER_WORDS_MAX];
	json_t *location;

	if (stack)
		place = fp_report_sarif_find(sarif, stack, &holder->block.site);
	location = fp_report_sarif_location(sarif, &place, holder->module);
	fp_report_holder_words(holder, words);
	fp_report_tree_put(&sarif->tree, location, "message",
	                   json_pack("{s:o}", "text", json_sprintf("still held by %s", words)));
	return location;
}

static void append_holders(struct fp_report_sarif *sarif, json_t *related,
                           const struct fp_report_held *held, size_t id)
{
	const struct fp_report_holder *shown[FP_REPORT_HOLDERS_SHOWN];
	size_t count = fp_report_choose_holders(held->holders, held->holder_count, shown);

	for (size_t i = 0; i < count; i++) {
		json_t *location = make_holder(sarif, shown[i]);

		fp_report_tree_put(&sarif->tree, location, "id",
		                   json_integer((json_int_t)(id + i)));
		fp_report_tree_append(&sarif->tree, related, location);
	}
}

/* The flow of THREAD, which the first step of it makes. */
static json_t *flow_of(struct fp_report_sarif *sarif, json_t *flows, uint32_t thread)
{
	char id[32];
	json_t *flow;
	size_t i;

	snprintf(id, sizeof(id), "thread %" PRIu32, thread);
	json_array_foreach(flows, i, flow)
	{
		if (strcmp(json_string_value(json_object_get(flow, "id")), id) == 0)
			return flow;
	}
	flow = json_pack("{s:s,s:[]}", "id", id, "locations");
	fp_report_tree_append(&sarif->tree, flows, flow);
	return flow;
}

/* From the allocation to the mistake, each step in the flow of its thread. */
static json_t *make_flows(struct fp_report_sarif *sarif, const struct story *story)
{
	json_t *flows = json_array();
	json_int_t step = 0;

	for (size_t i = story->count; i > 0; i--) {
		const struct fp_report_moment *moment = &story->moments[i - 1];
		json_t *location;

		if (!is_known(&story->places[i - 1]))
			continue;
		location = make_told_location(sarif, story, i - 1);
		fp_report_tree_append(
		        &sarif->tree,
		        json_object_get(flow_of(sarif, flows, moment->thread), "locations"),
		        json_pack("{s:o,s:I}", "location", location, "executionOrder", ++step));
	}
	return flows;
}

static json_t *make_stacks(struct fp_report_sarif *sarif, const struct story *story)
{
	json_t *stacks = json_array();

	for (size_t i = 0; i < story->count; i++) {
		if (story->moments[i].stack->shown > 0)
			fp_report_tree_append(&sarif->tree, stacks,
			                      fp_report_sarif_stack(sarif, &story->moments[i]));
	}
	return stacks;
}

/* Puts VALUE, an array, unless it is empty. */
static void put_some(struct fp_report_sarif *sarif, json_t *result, const char *key,
                     json_t *value)
{
	if (json_array_size(value) > 0)
		fp_report_tree_put(&sarif->tree, result, key, value);
	else
		json_decref(value);
}

json_t *fp_report_sarif_finding(struct fp_report_sarif *sarif, const struct fp_report *report,
                                const struct fp_report_finding *finding)
{
	json_t *result = json_object();
	struct story story;
	json_t *related;
	json_t *flows;

	tell(&story, sarif, finding);
	put_rule(sarif, result, fp_report_sarif_finding_rule(finding->kind));
	fp_report_tree_put(&sarif->tree, result, "message",
	                   make_message(sarif, finding, &story));
	fp_report_tree_put(&sarif->tree, result, "locations",
	                   json_pack("[o]", fp_report_sarif_location(sarif, main_place(&story),
	                                                             report->executable)));
	related = make_related(sarif, &story);
	append_holders(sarif, related,
	               &(const struct fp_report_held){.holders = finding->holders,
	                                              .holder_count = finding->holder_count},
	               story.count);
	put_some(sarif, result, "relatedLocations", related);
	flows = make_flows(sarif, &story);
	if (json_array_size(flows) > 0)
		fp_report_tree_put(&sarif->tree, result, "codeFlows",
		                   json_pack("[{s:o}]", "threadFlows", flows));
	else
		json_decref(flows);
	put_some(sarif, result, "stacks", make_stacks(sarif, &story));
	return result;
}

json_t *fp_report_sarif_leak_message(enum fp_leak_class class, uint64_t blocks, uint64_t bytes)
{
	return json_pack(
	        "{s:o}", "text",
	        json_sprintf("%s: %s. %" PRIu64 " bytes in %" PRIu64 " blocks.",
	                     fp_report_sarif_rule_id(fp_report_sarif_leak_rule(class)),
	                     fp_report_sarif_rule_title(fp_report_sarif_leak_rule(class)),
	                     bytes, blocks));
}

json_t *fp_report_sarif_leak(struct fp_report_sarif *sarif, const struct fp_report *report,
                             const struct fp_report_leak *leak)
{
	const struct fp_report_sarif_place place =
	        fp_report_sarif_find(sarif, leak->stack, &leak->site);
	const struct fp_report_moment allocation = {
	        .title = "allocated", .stack = leak->stack, .kind = FP_REPORT_ALLOCATION};
	struct fp_report_tree *tree = &sarif->tree;
	json_t *result = json_object();
	json_t *related = json_array();

	put_rule(sarif, result, fp_report_sarif_leak_rule(leak->class));
	fp_report_tree_put(
	        tree, result, "message",
	        fp_report_sarif_leak_message(leak->class, leak->blocks, leak->bytes));
	fp_report_tree_put(
	        tree, result, "locations",
	        json_pack("[o]", fp_report_sarif_location(sarif, &place, report->executable)));
	append_holders(sarif, related, FP_REPORT_HELD_OF(leak), 1);
	put_some(sarif, result, "relatedLocations", related);
	if (leak->stack->shown > 0)
		fp_report_tree_put(tree, result, "stacks",
		                   json_pack("[o]", fp_report_sarif_stack(sarif, &allocation)));
	return result;
}
