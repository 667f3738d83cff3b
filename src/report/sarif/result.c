/* SPDX-License-Identifier: Apache-2.0
 *
 * One finding, or one leak, as a result of SARIF: where it is, what led there, and the sites of
 * the allocation and of the free, which the message links to.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/names.h"
#include "report/sarif/parts.h"
#include "report/stack.h"

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
	json_t *message = json_object();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out)
		print_message(out, finding, story);
	if (!out || fclose(out) != 0)
		sarif->tree.has_failed = true;
	else
		fp_report_tree_put(
		        &sarif->tree, message, "text",
		        fp_report_make_string((struct fp_report_string){text, size}));
	free(text);
	return message;
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
	json_t *flows;

	tell(&story, sarif, finding);
	put_rule(sarif, result, fp_report_sarif_finding_rule(finding->kind));
	fp_report_tree_put(&sarif->tree, result, "message",
	                   make_message(sarif, finding, &story));
	fp_report_tree_put(&sarif->tree, result, "locations",
	                   json_pack("[o]", fp_report_sarif_location(sarif, main_place(&story),
	                                                             report->executable)));
	put_some(sarif, result, "relatedLocations", make_related(sarif, &story));
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

	put_rule(sarif, result, fp_report_sarif_leak_rule(leak->class));
	fp_report_tree_put(
	        tree, result, "message",
	        fp_report_sarif_leak_message(leak->class, leak->blocks, leak->bytes));
	fp_report_tree_put(
	        tree, result, "locations",
	        json_pack("[o]", fp_report_sarif_location(sarif, &place, report->executable)));
	if (leak->stack->shown > 0)
		fp_report_tree_put(tree, result, "stacks",
		                   json_pack("[o]", fp_report_sarif_stack(sarif, &allocation)));
	return result;
}
