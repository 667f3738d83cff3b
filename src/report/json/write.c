/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON report, schema fencepost-report-1. Every field of the schema is always there; what
 * is unknown is null. Memory is the only thing that can fail: strings are made valid first.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats.h"
#include "report/names.h"
#include "report/stack.h"
#include "report/suppress/suppress.h"
#include "report/json/tree.h"

/* Stacks of one report that get lines of source: each is a file to be read. */
enum { SOURCES_MAX = 1000 };

/* The report that is being visited. */
struct document {
	struct fp_report_tree tree;
	json_t *report;
	json_t *findings; /* in the report */
	json_t *leaks;
};

static json_t *make_exit(struct fp_report_tree *tree, enum fp_log_exit how, int32_t value)
{
	const char *name = how == FP_LOG_EXIT_SIGNAL ? sigabbrev_np(value) : NULL;
	json_t *end;

	if (how == FP_LOG_EXIT_UNKNOWN)
		return json_null();
	end = json_object();
	if (how == FP_LOG_EXIT_CODE)
		fp_report_tree_put(tree, end, "code", json_integer(value));
	else
		fp_report_tree_put(tree, end, "signal",
		                   name ? json_sprintf("SIG%s", name)
		                        : json_sprintf("%d", value));
	return end;
}

/* Of a merged report, what its sources do not share is unknown. */
static json_t *make_id(uint32_t id)
{
	return id == 0 ? json_null() : fp_report_make_count(id);
}

static json_t *make_name(struct fp_report_string name)
{
	return name.size == 0 ? json_null() : fp_report_make_string(name);
}

static json_t *make_process(struct fp_report_tree *tree, const struct fp_report *report)
{
	json_t *process = json_object();
	json_t *arguments = json_array();

	fp_report_tree_put(tree, process, "pid", make_id(report->pid));
	fp_report_tree_put(tree, process, "ppid",
	                   report->source_count > 0 ? make_id(report->ppid)
	                                            : fp_report_make_count(report->ppid));
	fp_report_tree_put(tree, process, "executable",
	                   report->source_count > 0
	                           ? make_name(report->executable)
	                           : fp_report_make_string(report->executable));
	for (size_t i = 0; i < report->argument_count; i++)
		fp_report_tree_append(tree, arguments,
		                      fp_report_make_string(report->arguments[i]));
	fp_report_tree_put(tree, process, "argv", arguments);
	fp_report_tree_put(tree, process, "exit",
	                   make_exit(tree, report->exit, report->exit_value));
	if (report->page_bytes > 0)
		fp_report_tree_put(tree, process, "page_bytes",
		                   fp_report_make_count(report->page_bytes));
	if (fp_report_door(report))
		fp_report_tree_put(tree, process, "door",
		                   fp_report_make_text(fp_report_door(report)));
	if (report->is_cut_short)
		fp_report_tree_put(tree, process, "cut_short", json_true());
	if (report->is_uncounted)
		fp_report_tree_put(tree, process, "uncounted", json_true());
	return process;
}

static json_t *make_source(struct fp_report_tree *tree, const struct fp_report_source *source)
{
	json_t *json = fp_report_make_record(tree, &fp_report_schema_source, source);

	fp_report_tree_put(tree, json, "exit",
	                   make_exit(tree, source->exit, source->exit_value));
	return json;
}

static json_t *make_sources(struct fp_report_tree *tree, const struct fp_report *report)
{
	json_t *sources = json_array();

	for (size_t i = 0; i < report->source_count; i++)
		fp_report_tree_append(tree, sources, make_source(tree, &report->sources[i]));
	return sources;
}

/* Whole numbers become numbers, everything else stays a word. */
static json_t *make_setting(struct fp_report_string value)
{
	char text[20];
	char *end;
	long long number;

	if (value.size == 0 || value.size >= sizeof(text) || value.bytes[0] < '0' ||
	    value.bytes[0] > '9')
		return fp_report_make_string(value);
	memcpy(text, value.bytes, value.size);
	text[value.size] = '\0';
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || end != text + value.size)
		return fp_report_make_string(value);
	return json_integer(number);
}

static json_t *make_settings(struct fp_report_tree *tree, const struct fp_report *report)
{
	json_t *settings = json_object();

	for (size_t i = 0; i < report->setting_count; i++)
		fp_report_tree_put_named(tree, settings, report->settings[i].key,
		                         make_setting(report->settings[i].value));
	return settings;
}

static json_t *make_protection(struct fp_report_tree *tree, const struct fp_report *report)
{
	json_t *protection =
	        fp_report_make_record(tree, &fp_report_schema_protection, &report->protection);
	json_t *reasons = json_object();

	for (size_t i = 0; i < report->reason_count; i++)
		fp_report_tree_put_named(tree, reasons, report->reasons[i].text,
		                         fp_report_make_count(report->reasons[i].blocks));
	fp_report_tree_put(tree, protection, "reasons", reasons);
	return protection;
}

static json_t *make_all_failed(struct fp_report_tree *tree, const struct fp_report *report)
{
	json_t *failed = json_array();

	for (size_t i = 0; i < report->failed_count; i++)
		fp_report_tree_append(tree, failed,
		                      fp_report_make_record(tree, &fp_report_schema_failed,
		                                            &report->failed[i]));
	return failed;
}

/* Null unless it was looked for. */
static json_t *make_growth(struct fp_report_tree *tree, const struct fp_report *report)
{
	json_t *growth;
	json_t *stacks;

	if (!report->growth.is_looked_for)
		return json_null();
	growth = fp_report_make_record(tree, &fp_report_schema_growth, &report->growth);
	stacks = json_array();
	for (size_t i = 0; i < report->growth.count; i++)
		fp_report_tree_append(tree, stacks,
		                      fp_report_make_growing(tree, &report->growth.stacks[i]));
	fp_report_tree_put(tree, growth, "stacks", stacks);
	return growth;
}

static json_t *make_snapshots(struct fp_report_tree *tree, const struct fp_report *report)
{
	json_t *snapshots = json_array();
	size_t sources_left = tree->sources_left;

	/* Their stacks are many, and are drawn without source. */
	tree->sources_left = 0;
	for (size_t i = 0; i < report->snapshot_count; i++)
		fp_report_tree_append(tree, snapshots,
		                      fp_report_make_record(tree, &fp_report_schema_snapshot,
		                                            &report->snapshots[i]));
	tree->sources_left = sources_left;
	return snapshots;
}

/* What each suppression did, in all reports of the set. */
static json_t *make_suppressions(struct fp_report_tree *tree,
                                 const struct fp_report_suppressions *suppressions)
{
	static const char *const states[] = {
	        [FP_REPORT_SUPPRESSION_ACTIVE] = "active",
	        [FP_REPORT_SUPPRESSION_EXPIRED] = "expired",
	        [FP_REPORT_SUPPRESSION_EXCEEDED] = "exceeded",
	        [FP_REPORT_SUPPRESSION_FOREIGN] = "foreign",
	};
	json_t *array = json_array();

	for (size_t i = 0; i < suppressions->count; i++) {
		const struct fp_report_suppression *suppression = &suppressions->items[i];
		json_t *json = json_object();

		fp_report_tree_put(tree, json, "name", fp_report_make_text(suppression->name));
		fp_report_tree_put(tree, json, "file", fp_report_make_text(suppression->file));
		fp_report_tree_put(tree, json, "line", fp_report_make_count(suppression->line));
		fp_report_tree_put(tree, json, "state",
		                   fp_report_make_text(states[suppression->state]));
		fp_report_tree_put(tree, json, "matched",
		                   fp_report_make_count(suppression->matched));
		fp_report_tree_put(tree, json, "used", fp_report_make_count(suppression->used));
		if (suppression->has_max)
			fp_report_tree_put(tree, json, "max",
			                   fp_report_make_count(suppression->max));
		if (suppression->until[0] != '\0')
			fp_report_tree_put(tree, json, "until",
			                   fp_report_make_text(suppression->until));
		fp_report_tree_append(tree, array, json);
	}
	return array;
}

static json_t *make_check(struct fp_report_tree *tree, const struct fp_report *report,
                          bool with_leaks)
{
	json_t *check = json_object();

	fp_report_tree_put(tree, check, "made",
	                   json_boolean(fp_report_has_looked_for_leaks(report)));
	fp_report_tree_put(tree, check, "repeated", json_boolean(report->is_check_repeated));
	fp_report_tree_put(tree, check, "asked", json_boolean(report->is_check_of_news));
	fp_report_tree_put(tree, check, "listed", json_boolean(with_leaks));
	return check;
}

/* Nothing is new where nobody looked before. */
static json_t *make_new(const struct fp_report *report, uint64_t count)
{
	return report->is_check_repeated ? fp_report_make_count(count) : json_null();
}

static json_t *make_summary(struct fp_report_tree *tree, const struct fp_report *report,
                            bool with_leaks)
{
	struct fp_report_totals totals = fp_report_total(report);
	json_t *summary = json_object();

	fp_report_tree_put(tree, summary, "errors", fp_report_make_count(totals.errors));
	fp_report_tree_put(tree, summary, "leaked_blocks",
	                   fp_report_make_count(with_leaks ? totals.leaked_blocks : 0));
	fp_report_tree_put(tree, summary, "leaked_bytes",
	                   fp_report_make_count(with_leaks ? totals.leaked_bytes : 0));
	fp_report_tree_put(tree, summary, "new_leaked_blocks",
	                   make_new(report, with_leaks ? totals.new_leaked_blocks : 0));
	fp_report_tree_put(tree, summary, "new_leaked_bytes",
	                   make_new(report, with_leaks ? totals.new_leaked_bytes : 0));
	fp_report_tree_put(tree, summary, "possible_blocks",
	                   fp_report_make_count(with_leaks ? totals.possible_blocks : 0));
	fp_report_tree_put(tree, summary, "possible_bytes",
	                   fp_report_make_count(with_leaks ? totals.possible_bytes : 0));
	fp_report_tree_put(tree, summary, "unknown",
	                   json_boolean(fp_report_is_unknown(report)));
	fp_report_tree_put(tree, summary, "suppressed",
	                   fp_report_make_count(report->suppressed));
	return summary;
}

static json_t *make_tool(struct fp_report_tree *tree)
{
	json_t *tool = json_object();

	fp_report_tree_put(tree, tool, "name", fp_report_make_text(PACKAGE_NAME));
	fp_report_tree_put(tree, tool, "version", fp_report_make_text(PACKAGE_VERSION));
	return tool;
}

static int begin(struct fp_report_walk *walk)
{
	walk->state = calloc(1, sizeof(struct document));
	if (!walk->state)
		return -ENOMEM;
	if (walk->set->count > 1)
		fputs("[\n", walk->out);
	return 0;
}

static int begin_report(struct fp_report_walk *walk, const struct fp_report *report)
{
	struct document *document = walk->state;
	struct fp_report_tree *tree = &document->tree;

	document->report = json_object();
	document->findings = json_array();
	document->leaks = json_array();
	tree->sources_left = SOURCES_MAX;
	fp_report_tree_put(tree, document->report, "schema",
	                   fp_report_make_text("fencepost-report-1"));
	fp_report_tree_put(tree, document->report, "tool", make_tool(tree));
	fp_report_tree_put(tree, document->report, "process", make_process(tree, report));
	fp_report_tree_put(tree, document->report, "settings", make_settings(tree, report));
	fp_report_tree_put(tree, document->report, "protection", make_protection(tree, report));
	fp_report_tree_put(tree, document->report, "heap",
	                   fp_report_make_record(tree, &fp_report_schema_heap, &report->heap));
	if (report->source_count > 0)
		fp_report_tree_put(tree, document->report, "sources",
		                   make_sources(tree, report));
	if (report->more_sources > 0)
		fp_report_tree_put(tree, document->report, "more_sources",
		                   fp_report_make_count(report->more_sources));
	fp_report_tree_put(tree, document->report, "findings", document->findings);
	fp_report_tree_put(tree, document->report, "leak_check",
	                   make_check(tree, report, walk->view->leaks != FP_REPORT_LEAKS_NONE));
	fp_report_tree_put(tree, document->report, "leaks", document->leaks);
	return tree->has_failed ? -ENOMEM : 0;
}

static int add_finding(struct fp_report_walk *walk, const struct fp_report_finding *finding)
{
	struct document *document = walk->state;

	fp_report_tree_append(
	        &document->tree, document->findings,
	        fp_report_make_record(&document->tree, &fp_report_schema_finding, finding));
	return document->tree.has_failed ? -ENOMEM : 0;
}

static int add_leak(struct fp_report_walk *walk, const struct fp_report_leak *leak)
{
	struct document *document = walk->state;

	fp_report_tree_append(
	        &document->tree, document->leaks,
	        fp_report_make_record(&document->tree, &fp_report_schema_leak, leak));
	return document->tree.has_failed ? -ENOMEM : 0;
}

static int end_report(struct fp_report_walk *walk, const struct fp_report *report)
{
	struct document *document = walk->state;
	struct fp_report_tree *tree = &document->tree;
	json_t *notes = json_array();

	for (size_t i = 0; i < report->note_count; i++)
		fp_report_tree_append(tree, notes,
		                      fp_report_make_string(report->notes[i].text));
	fp_report_tree_put(tree, document->report, "failed_allocations",
	                   make_all_failed(tree, report));
	fp_report_tree_put(tree, document->report, "snapshots", make_snapshots(tree, report));
	if (report->snapshot_count > 0 && report->snapshot_source < report->source_count)
		fp_report_tree_put(tree, document->report, "snapshots_source",
		                   fp_report_make_count(report->snapshot_source));
	fp_report_tree_put(tree, document->report, "growth", make_growth(tree, report));
	fp_report_tree_put(tree, document->report, "notes", notes);
	if (report->suppressions)
		fp_report_tree_put(tree, document->report, "suppressions",
		                   make_suppressions(tree, report->suppressions));
	fp_report_tree_put(
	        tree, document->report, "summary",
	        make_summary(tree, report, walk->view->leaks != FP_REPORT_LEAKS_NONE));
	if (tree->has_failed)
		return -ENOMEM;
	if (walk->index > 0)
		fputs(",\n", walk->out);
	json_dumpf(document->report, walk->out, JSON_INDENT(2));
	fputc('\n', walk->out);
	json_decref(document->report);
	document->report = NULL;
	return 0;
}

static int end(struct fp_report_walk *walk)
{
	if (walk->set->count > 1)
		fputs("]\n", walk->out);
	return 0;
}

static void release(struct fp_report_walk *walk)
{
	struct document *document = walk->state;

	if (document)
		json_decref(document->report);
	free(document);
}

const struct fp_report_writer fp_report_json_writer = {
        .name = "json",
        .is_data = true,
        .has_snapshots = true,
        .begin = begin,
        .begin_report = begin_report,
        .finding = add_finding,
        .leak = add_leak,
        .end_report = end_report,
        .end = end,
        .release = release,
};
