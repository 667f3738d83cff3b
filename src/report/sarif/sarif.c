/* SPDX-License-Identifier: Apache-2.0
 *
 * SARIF 2.1.0, as code scanning takes it: one run, whatever the number of processes, each of
 * which is an invocation of it. The same mistake of two processes is one result. More results
 * than an upload may have, in number or compressed, are left out, the least important first,
 * and a notification says so. Its other limits are out of reach: a result has one location, six
 * related ones and as many steps, a rule a handful of tags, and there are as many rules as
 * kinds.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/formats.h"
#include "report/merge/table.h"
#include "report/merge/whole.h"
#include "report/names.h"
#include "report/path.h"
#include "report/sarif/parts.h"
#include "report/sarif/size.h"
#include "report/stack.h"

enum { RESULTS_MAX = 25000 /* in a run of an upload */ };

/* A result being collected, and what of it is a sum over processes. */
struct entry {
	json_t *result;
	size_t order;
	size_t rule;
	uint64_t count;  /* of a finding */
	uint64_t blocks; /* of a leak */
	uint64_t bytes;  /* of a leak */
	uint64_t fingerprint;
};

struct document {
	struct fp_report_sarif sarif;
	struct fp_report_table seen; /* by fingerprint */
	struct entry *entries;
	size_t count;
	json_t *invocations;
};

/* The directory that VIEW names, as it was named and as it is. */
static int find_roots(struct fp_report_sarif *sarif, const struct fp_report_view *view)
{
	char *current;

	if (!view->source_root || view->source_root[0] == '\0')
		return 0;
	current = getcwd(NULL, 0);
	sarif->roots[0] = fp_report_make_path(current, fp_report_text(view->source_root));
	sarif->roots[1] = realpath(view->source_root, NULL);
	free(current);
	return sarif->roots[0] ? 0 : -ENOMEM;
}

static int begin(struct fp_report_walk *walk)
{
	struct document *document = calloc(1, sizeof(*document));

	walk->state = document;
	if (!document || find_roots(&document->sarif, walk->view) != 0)
		return -ENOMEM;
	document->invocations = json_array();
	return document->invocations ? 0 : -ENOMEM;
}

/* One process that was recorded. */
static json_t *make_invocation(struct fp_report_sarif *sarif,
                               const struct fp_report_source *process)
{
	struct fp_report_tree *tree = &sarif->tree;
	bool is_killed = process->exit == FP_LOG_EXIT_SIGNAL;
	json_t *json = json_object();
	const char *name = is_killed ? sigabbrev_np(process->exit_value) : NULL;

	fp_report_tree_put(tree, json, "executionSuccessful", json_boolean(!is_killed));
	if (process->pid != 0)
		fp_report_tree_put(tree, json, "processId", json_integer(process->pid));
	if (process->executable.size > 0)
		fp_report_tree_put(tree, json, "executableLocation",
		                   fp_report_sarif_artifact(sarif, NULL, process->executable));
	if (process->exit == FP_LOG_EXIT_CODE)
		fp_report_tree_put(tree, json, "exitCode", json_integer(process->exit_value));
	if (is_killed)
		fp_report_tree_put(tree, json, "exitSignalNumber",
		                   json_integer(process->exit_value));
	if (name)
		fp_report_tree_put(tree, json, "exitSignalName", json_sprintf("SIG%s", name));
	return json;
}

static void add_notification(struct fp_report_sarif *sarif, json_t *invocation,
                             struct fp_report_string text)
{
	const char *key = "toolExecutionNotifications";
	json_t *notifications = json_object_get(invocation, key);

	if (!notifications) {
		notifications = json_array();
		fp_report_tree_put(&sarif->tree, invocation, key, notifications);
	}
	fp_report_tree_append(&sarif->tree, notifications,
	                      json_pack("{s:s,s:o}", "level", "note", "message",
	                                fp_report_sarif_message(sarif, text)));
}

static void add_failed(struct fp_report_sarif *sarif, json_t *invocation,
                       const struct fp_report_failed *failed)
{
	char *sentence = fp_report_failed_sentence(failed);

	if (!sentence) {
		sarif->tree.has_failed = true;
		return;
	}
	add_notification(sarif, invocation, fp_report_text(sentence));
	free(sentence);
}

static void put_arguments(struct fp_report_sarif *sarif, json_t *invocation,
                          const struct fp_report *report)
{
	json_t *arguments = json_array();

	for (size_t i = 1; i < report->argument_count; i++)
		fp_report_tree_append(&sarif->tree, arguments,
		                      fp_report_make_string(report->arguments[i]));
	fp_report_tree_put(&sarif->tree, invocation, "arguments", arguments);
}

static int begin_report(struct fp_report_walk *walk, const struct fp_report *report)
{
	const struct fp_report_source itself = {.pid = report->pid,
	                                        .executable = report->executable,
	                                        .exit = report->exit,
	                                        .exit_value = report->exit_value};
	struct document *document = walk->state;
	struct fp_report_sarif *sarif = &document->sarif;
	json_t *first = make_invocation(sarif, report->source_count > 0 ? &report->sources[0]
	                                                                : &itself);

	if (report->source_count == 0)
		put_arguments(sarif, first, report);
	for (size_t i = 0; i < report->note_count; i++)
		add_notification(sarif, first, report->notes[i]);
	for (size_t i = 0; i < report->failed_count; i++)
		add_failed(sarif, first, &report->failed[i]);
	fp_report_tree_append(&sarif->tree, document->invocations, first);
	for (size_t i = 1; i < report->source_count; i++)
		fp_report_tree_append(&sarif->tree, document->invocations,
		                      make_invocation(sarif, &report->sources[i]));
	return sarif->tree.has_failed ? -ENOMEM : 0;
}

/* Takes the result of ADDED over, or adds its numbers to those of the same mistake. */
static int add_entry(struct document *document, struct entry *added)
{
	struct entry *entries =
	        fp_report_grow(document->entries, document->count, sizeof(*entries));
	struct entry *same;
	bool is_new = false;
	size_t at = SIZE_MAX;

	if (entries) {
		document->entries = entries;
		at = fp_report_table_find(&document->seen, added->fingerprint, document->count,
		                          &is_new);
	}
	if (is_new) {
		added->order = at;
		entries[document->count++] = *added;
		return document->sarif.tree.has_failed ? -ENOMEM : 0;
	}
	json_decref(added->result);
	if (at == SIZE_MAX)
		return -ENOMEM;
	same = &entries[at];
	same->count = fp_report_add_up(same->count, added->count);
	same->blocks = fp_report_add_up(same->blocks, added->blocks);
	same->bytes = fp_report_add_up(same->bytes, added->bytes);
	return 0;
}

static int add_finding(struct fp_report_walk *walk, const struct fp_report_finding *finding)
{
	struct document *document = walk->state;
	struct entry added = {.result = fp_report_sarif_finding(&document->sarif,
	                                                        walk->set->reports[walk->index],
	                                                        finding),
	                      .rule = fp_report_sarif_finding_rule(finding->kind),
	                      .count = finding->count,
	                      .fingerprint = finding->fingerprint};

	return add_entry(document, &added);
}

static int add_leak(struct fp_report_walk *walk, const struct fp_report_leak *leak)
{
	struct document *document = walk->state;
	struct entry added = {.result = fp_report_sarif_leak(
	                              &document->sarif, walk->set->reports[walk->index], leak),
	                      .rule = fp_report_sarif_leak_rule(leak->class),
	                      .blocks = leak->blocks,
	                      .bytes = leak->bytes,
	                      .fingerprint = leak->fingerprint};

	return add_entry(document, &added);
}

/* "error", "warning", "note": the later in the alphabet but one, the less important. */
static int rank_of(const struct entry *entry)
{
	const char *level = fp_report_sarif_rule_level(entry->rule);

	return level[0] == 'e' ? 0 : level[0] == 'w' ? 1 : 2;
}

/* The most important first, the largest leaks before the others, else as they came. */
static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left;
	const struct entry *b = right;

	if (rank_of(a) != rank_of(b))
		return rank_of(a) - rank_of(b);
	if (a->bytes != b->bytes && a->count == 0 && b->count == 0)
		return a->bytes > b->bytes ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static json_t *make_fingerprints(const struct entry *entry)
{
	char name[17];

	snprintf(name, sizeof(name), "%016" PRIx64, entry->fingerprint);
	return json_pack("{s:s,s:o}", "fencepostFingerprint/v1", name,
	                 "primaryLocationLineHash", json_sprintf("%s:1", name));
}

static void complete(struct fp_report_tree *tree, const struct entry *entry)
{
	bool is_leak = entry->rule >= fp_report_sarif_leak_rule(0);
	uint64_t occurrences = is_leak ? entry->blocks : entry->count;

	if (is_leak)
		fp_report_tree_put(
		        tree, entry->result, "message",
		        fp_report_sarif_leak_message(entry->rule - fp_report_sarif_leak_rule(0),
		                                     entry->blocks, entry->bytes));
	fp_report_tree_put(tree, entry->result, "occurrenceCount",
	                   fp_report_make_count(occurrences > 0 ? occurrences : 1));
	fp_report_tree_put(tree, entry->result, "partialFingerprints",
	                   make_fingerprints(entry));
}

/* What is not in the results, and what is compressed but not yet counted. */
enum { SPARE_BYTES = 500000 };

/* Puts the first results that an upload may have into RESULTS; how many. */
static size_t put_results(struct document *document, json_t *results)
{
	struct fp_report_tree *tree = &document->sarif.tree;
	struct fp_report_sarif_size *size = fp_report_sarif_size_new();
	uint64_t bytes = 0;
	size_t put = 0;

	tree->has_failed |= !size;
	for (; !tree->has_failed && put < document->count && put < RESULTS_MAX; put++) {
		struct entry *entry = &document->entries[put];

		complete(tree, entry);
		bytes = fp_report_sarif_size_add(size, entry->result);
		tree->has_failed |= bytes == UINT64_MAX;
		if (bytes > FP_REPORT_SARIF_UPLOAD_MAX - SPARE_BYTES)
			break;
		fp_report_tree_append(tree, results, json_incref(entry->result));
	}
	fp_report_sarif_size_free(size);
	return put;
}

static json_t *make_results(struct document *document)
{
	struct fp_report_sarif *sarif = &document->sarif;
	json_t *results = json_array();
	char text[160];
	size_t put;

	if (document->count > 0)
		qsort(document->entries, document->count, sizeof(document->entries[0]),
		      compare_entries);
	put = put_results(document, results);
	if (put < document->count) {
		snprintf(text, sizeof(text),
		         "%zu results are left out, the least important ones: code scanning "
		         "takes no more than %d, and no more than 10 MB of gzip",
		         document->count - put, RESULTS_MAX);
		add_notification(sarif, json_array_get(document->invocations, 0),
		                 fp_report_text(text));
	}
	return results;
}

/* The category of an upload: another program's results do not replace this one's. */
static json_t *make_details(const struct fp_report *report)
{
	json_t *name = fp_report_make_string(fp_report_base_name(report->executable));
	const char *text = name ? json_string_value(name) : "";
	json_t *details =
	        json_pack("{s:o}", "id",
	                  json_sprintf(PACKAGE_NAME "/%s%s", text, *text != '\0' ? "/" : ""));

	json_decref(name);
	return details;
}

static json_t *make_bases(const struct fp_report_sarif *sarif)
{
	json_t *uri = fp_report_sarif_directory(sarif->roots[0]);

	return json_pack("{s:{s:o}}", FP_REPORT_SARIF_ROOT, "uri", uri);
}

static json_t *make_tool(struct fp_report_sarif *sarif)
{
	return json_pack("{s:{s:s,s:s,s:s,s:[{s:s,s:i}],s:o}}", "driver", "name", PACKAGE_NAME,
	                 "version", PACKAGE_VERSION, "semanticVersion", PACKAGE_VERSION,
	                 "supportedTaxonomies", "name", "CWE", "index", 0, "rules",
	                 fp_report_sarif_rules(sarif));
}

static int end(struct fp_report_walk *walk)
{
	struct document *document = walk->state;
	struct fp_report_sarif *sarif = &document->sarif;
	struct fp_report_tree *tree = &sarif->tree;
	json_t *run = json_object();
	json_t *results = make_results(document);
	json_t *log;

	fp_report_tree_put(tree, run, "tool", make_tool(sarif));
	fp_report_tree_put(tree, run, "automationDetails", make_details(walk->set->reports[0]));
	fp_report_tree_put(tree, run, "columnKind", json_string("unicodeCodePoints"));
	if (sarif->roots[0])
		fp_report_tree_put(tree, run, "originalUriBaseIds", make_bases(sarif));
	fp_report_tree_put(tree, run, "invocations", json_incref(document->invocations));
	fp_report_tree_put(tree, run, "taxonomies", fp_report_sarif_taxonomies(sarif));
	fp_report_tree_put(tree, run, "results", results);
	log = json_pack("{s:s,s:s,s:[o]}", "$schema",
	                "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0",
	                "runs", run);
	if (log && !tree->has_failed) {
		json_dumpf(log, walk->out, JSON_INDENT(1));
		fputc('\n', walk->out);
	}
	json_decref(log);
	return log && !tree->has_failed ? 0 : -ENOMEM;
}

static void release(struct fp_report_walk *walk)
{
	struct document *document = walk->state;

	if (!document)
		return;
	for (size_t i = 0; i < document->count; i++)
		json_decref(document->entries[i].result);
	free(document->entries);
	fp_report_table_free(&document->seen);
	json_decref(document->invocations);
	free(document->sarif.roots[0]);
	free(document->sarif.roots[1]);
	free(document);
}

const struct fp_report_writer fp_report_sarif_writer = {
        .name = "sarif",
        .begin = begin,
        .begin_report = begin_report,
        .finding = add_finding,
        .leak = add_leak,
        .end = end,
        .release = release,
};
