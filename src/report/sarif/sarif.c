/* SPDX-License-Identifier: Apache-2.0
 *
 * SARIF 2.1.0, as code scanning takes it: one run, whatever the number of processes, each of
 * which is an invocation of it. The same mistake of two processes is one result. More results
 * than an upload may have, in number or compressed, are left out, the least important first,
 * and a notification says so. Its other limits are out of reach: a result has one location, six
 * related ones and as many steps, a rule a handful of tags, and there are as many rules as
 * kinds.
 */
#include "report/sarif/sarif.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/tool_messages.h"
#include "report/writer.h"
#include "report/fingerprint.h"
#include "report/names.h"
#include "report/source.h"
#include "report/stack.h"

enum {
	UPLOAD_MAX = 10000000, /* a gzip file of this many bytes is refused */
	OUT_BYTES = 64 << 10
};

/* Compresses as gzip does by default, and keeps nothing of it but the size. */
struct sarif_size {
	z_stream stream;
	Bytef out[OUT_BYTES];
};

/* NULL when out of memory. */
static struct sarif_size *sarif_size_new(void)
{
	struct sarif_size *size = calloc(1, sizeof(*size));

	if (size && deflateInit(&size->stream, Z_DEFAULT_COMPRESSION) != Z_OK) {
		free(size);
		return NULL;
	}
	return size;
}

/* As json_dump_callback() wants it. */
static int compress_text(const char *text, size_t bytes, void *user)
{
	struct sarif_size *size = user;

	size->stream.next_in = (Bytef *)(uintptr_t)text;
	size->stream.avail_in = (uInt)bytes;
	while (size->stream.avail_in > 0) {
		size->stream.next_out = size->out;
		size->stream.avail_out = sizeof(size->out);
		if (deflate(&size->stream, Z_NO_FLUSH) != Z_OK)
			return -1;
	}
	return 0;
}

/* The compressed bytes of all that was added, PART with it; UINT64_MAX when that fails. */
static uint64_t sarif_size_add(struct sarif_size *size, const json_t *part)
{
	unsigned pending = 0;
	int bits = 0;

	if (json_dump_callback(part, compress_text, size, JSON_INDENT(1)) != 0)
		return UINT64_MAX;
	deflatePending(&size->stream, &pending, &bits);
	return size->stream.total_out + pending;
}

/*
 * The rules: one for each kind of finding and each class of leaks, with the weakness that it is
 * in the Common Weakness Enumeration (CWE), in the properties that code scanning reads.
 */

enum { RULES = FP_FINDING_COUNT + FP_LEAK_CLASS_COUNT, CWE_LEAK = 401 };

static const struct {
	const char *id;
	const char *level;
	const char *title;
} leak_rules[FP_LEAK_CLASS_COUNT] = {
        [FP_LEAK_DEFINITE] = {"leak-definite", "warning", FP_SAY_DEFINITE_LEAK},
        [FP_LEAK_INDIRECT] = {"leak-indirect", "warning", FP_SAY_INDIRECT_LEAK},
        [FP_LEAK_POSSIBLE] = {"leak-possible", "note", FP_SAY_POSSIBLE_LEAK},
        [FP_LEAK_REACHABLE] = {"leak-reachable", "note", FP_SAY_REACHABLE},
};

static bool is_leak_rule(size_t rule)
{
	return rule >= FP_FINDING_COUNT;
}

size_t fp_report_sarif_finding_rule(enum fp_finding_kind kind)
{
	return kind;
}

size_t fp_report_sarif_leak_rule(enum fp_leak_class class)
{
	return FP_FINDING_COUNT + (size_t) class;
}

const char *fp_report_sarif_rule_id(size_t rule)
{
	return is_leak_rule(rule) ? leak_rules[rule - FP_FINDING_COUNT].id
	                          : fp_finding_traits((enum fp_finding_kind)rule)->name;
}

const char *fp_report_sarif_rule_level(size_t rule)
{
	return is_leak_rule(rule) ? leak_rules[rule - FP_FINDING_COUNT].level
	                          : fp_finding_traits((enum fp_finding_kind)rule)->severity;
}

const char *fp_report_sarif_rule_title(size_t rule)
{
	return is_leak_rule(rule) ? leak_rules[rule - FP_FINDING_COUNT].title
	                          : fp_finding_traits((enum fp_finding_kind)rule)->title;
}

static int rule_cwe(size_t rule)
{
	return is_leak_rule(rule) ? CWE_LEAK
	                          : fp_finding_traits((enum fp_finding_kind)rule)->cwe;
}

/* How bad the weakness is when somebody exploits it, from 0.1 to 10; NULL when nobody can say.
 */
static const char *security_severity(int cwe)
{
	static const struct {
		int cwe;
		const char *score;
	} scores[] = {
	        {122, "9.3"}, {124, "9.3"}, {362, "6.5"}, {401, "5.3"}, {415, "9.3"},
	        {416, "9.3"}, {590, "8.1"}, {762, "7.5"}, {763, "7.5"}, {825, "9.3"},
	};

	for (size_t i = 0; i < sizeof(scores) / sizeof(scores[0]); i++) {
		if (scores[i].cwe == cwe)
			return scores[i].score;
	}
	return NULL;
}

static size_t first_rule_of(int cwe)
{
	size_t rule = 0;

	while (rule_cwe(rule) != cwe)
		rule++;
	return rule;
}

/* Where RULE's weakness stands among the different ones of all rules. */
static size_t taxon_index(size_t rule)
{
	size_t first = first_rule_of(rule_cwe(rule));
	size_t index = 0;

	for (size_t i = 0; i < first; i++)
		index += first_rule_of(rule_cwe(i)) == i;
	return index;
}

/* "HeapUseAfterFree": an identifier's name may not be the identifier, in any case. */
static json_t *make_name(size_t rule)
{
	const char *id = fp_report_sarif_rule_id(rule);
	char name[64];
	size_t size = 0;

	for (bool is_start = true; *id != '\0' && size + 1 < sizeof(name); id++) {
		if (*id != '-')
			name[size++] = (char)(is_start ? toupper(*id) : *id);
		is_start = *id == '-';
	}
	name[size] = '\0';
	return json_string(name);
}

/* The weakness's own page. */
static json_t *make_page(size_t rule)
{
	return json_sprintf("https://cwe.mitre.org/data/definitions/%d.html", rule_cwe(rule));
}

static json_t *make_properties(size_t rule)
{
	const char *score = security_severity(rule_cwe(rule));
	bool is_note = strcmp(fp_report_sarif_rule_level(rule), "note") == 0;
	json_t *properties = json_pack("{s:[s,o],s:s}", "tags", "correctness",
	                               json_sprintf("external/cwe/cwe-%03d", rule_cwe(rule)),
	                               "precision", is_note ? "medium" : "very-high");

	if (!score || is_note || !properties)
		return properties;
	if (json_array_append_new(json_object_get(properties, "tags"),
	                          json_string("security")) != 0 ||
	    json_object_set_new(properties, "security-severity", json_string(score)) != 0) {
		json_decref(properties);
		return NULL;
	}
	return properties;
}

static json_t *make_rule(size_t rule)
{
	const char *id = fp_report_sarif_rule_id(rule);
	const char *title = fp_report_sarif_rule_title(rule);
	int cwe = rule_cwe(rule);
	json_t *superset =
	        json_pack("{s:{s:o,s:I,s:{s:s,s:i}},s:[s]}", "target", "id",
	                  json_sprintf("%d", cwe), "index", (json_int_t)taxon_index(rule),
	                  "toolComponent", "name", "CWE", "index", 0, "kinds", "superset");

	return json_pack("{s:s,s:o*,s:{s:s},s:{s:s},s:{s:o},s:o,s:{s:s},s:[o],s:o}", "id", id,
	                 "name", strchr(id, '-') ? make_name(rule) : NULL, "shortDescription",
	                 "text", title, "fullDescription", "text", title, "help", "text",
	                 json_sprintf(FP_SAY_CWE_SEEN_WHILE, id, title, cwe), "helpUri",
	                 make_page(rule), "defaultConfiguration", "level",
	                 fp_report_sarif_rule_level(rule), "relationships", superset,
	                 "properties", make_properties(rule));
}

json_t *fp_report_sarif_rules(struct fp_report_sarif *sarif)
{
	json_t *rules = json_array();

	for (size_t rule = 0; rule < RULES; rule++)
		fp_report_tree_append(&sarif->tree, rules, make_rule(rule));
	return rules;
}

json_t *fp_report_sarif_taxonomies(struct fp_report_sarif *sarif)
{
	json_t *taxa = json_array();

	for (size_t rule = 0; rule < RULES; rule++) {
		if (first_rule_of(rule_cwe(rule)) != rule)
			continue;
		fp_report_tree_append(&sarif->tree, taxa,
		                      json_pack("{s:o,s:o}", "id",
		                                json_sprintf("%d", rule_cwe(rule)), "helpUri",
		                                make_page(rule)));
	}
	return json_pack("[{s:s,s:s,s:s,s:{s:s},s:b,s:o}]", "name", "CWE", "organization",
	                 "MITRE", "informationUri", "https://cwe.mitre.org/",
	                 "shortDescription", "text", "Common Weakness Enumeration",
	                 "isComprehensive", 0, "taxa", taxa);
}

enum { RESULTS_MAX = 25000 /* in a run of an upload */ };

/* A result being collected, and what of it is a sum over processes. */
struct collected {
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
	void *seen; /* numbers of entries, by fingerprint */
	struct collected *entries;
	size_t count;
	json_t *invocations;
};

static int begin(struct fp_report_walk *walk)
{
	struct document *document = calloc(1, sizeof(*document));

	walk->state = document;
	if (!document ||
	    fp_report_roots_find(&document->sarif.roots, walk->view->source_root) != 0)
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
static int add_entry(struct document *document, struct collected *added)
{
	struct collected *entries =
	        fp_report_grow(document->entries, document->count, sizeof(*entries));
	struct collected *same;
	bool is_new = false;
	size_t at = SIZE_MAX;

	if (entries) {
		document->entries = entries;
		at = fp_report_number_of(&document->seen, added->fingerprint, document->count,
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
	struct collected added = {
	        .result = fp_report_sarif_finding(&document->sarif,
	                                          walk->set->reports[walk->index], finding),
	        .rule = fp_report_sarif_finding_rule(finding->kind),
	        .count = finding->count,
	        .fingerprint = finding->fingerprint};

	return add_entry(document, &added);
}

static int add_leak(struct fp_report_walk *walk, const struct fp_report_leak *leak)
{
	struct document *document = walk->state;
	struct collected added = {
	        .result = fp_report_sarif_leak(&document->sarif,
	                                       walk->set->reports[walk->index], leak),
	        .rule = fp_report_sarif_leak_rule(leak->class),
	        .blocks = leak->blocks,
	        .bytes = leak->bytes,
	        .fingerprint = leak->fingerprint};

	return add_entry(document, &added);
}

/* "error", "warning", "note": the later in the alphabet but one, the less important. */
static int rank_of(const struct collected *entry)
{
	const char *level = fp_report_sarif_rule_level(entry->rule);

	return level[0] == 'e' ? 0 : level[0] == 'w' ? 1 : 2;
}

/* The most important first, the largest leaks before the others, else as they came. */
static int compare_entries(const void *left, const void *right)
{
	const struct collected *a = left;
	const struct collected *b = right;

	if (rank_of(a) != rank_of(b))
		return rank_of(a) - rank_of(b);
	if (a->bytes != b->bytes && a->count == 0 && b->count == 0)
		return a->bytes > b->bytes ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static void complete(struct fp_report_tree *tree, const struct collected *entry)
{
	bool is_leak = entry->rule >= fp_report_sarif_leak_rule(0);
	uint64_t occurrences = is_leak ? entry->blocks : entry->count;
	char name[17];

	snprintf(name, sizeof(name), "%016" PRIx64, entry->fingerprint);

	if (is_leak)
		fp_report_tree_put(
		        tree, entry->result, "message",
		        fp_report_sarif_leak_message(entry->rule - fp_report_sarif_leak_rule(0),
		                                     entry->blocks, entry->bytes));
	fp_report_tree_put(tree, entry->result, "occurrenceCount",
	                   fp_report_make_count(occurrences > 0 ? occurrences : 1));
	fp_report_tree_put(tree, entry->result, "partialFingerprints",
	                   json_pack("{s:s,s:o}", "fencepostFingerprint/v1", name,
	                             "primaryLocationLineHash", json_sprintf("%s:1", name)));
}

/* What is not in the results, and what is compressed but not yet counted. */
enum { SPARE_BYTES = 500000 };

/* Puts the first results that an upload may have into RESULTS; how many. */
static size_t put_results(struct document *document, json_t *results)
{
	struct fp_report_tree *tree = &document->sarif.tree;
	struct sarif_size *size = sarif_size_new();
	uint64_t bytes = 0;
	size_t put = 0;

	tree->has_failed |= !size;
	for (; !tree->has_failed && put < document->count && put < RESULTS_MAX; put++) {
		struct collected *entry = &document->entries[put];

		complete(tree, entry);
		bytes = sarif_size_add(size, entry->result);
		tree->has_failed |= bytes == UINT64_MAX;
		if (bytes > UPLOAD_MAX - SPARE_BYTES)
			break;
		fp_report_tree_append(tree, results, json_incref(entry->result));
	}
	if (size)
		deflateEnd(&size->stream);
	free(size);
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
		snprintf(text, sizeof(text), FP_SAY_RESULTS_LEFT_OUT, document->count - put,
		         RESULTS_MAX);
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

static int end(struct fp_report_walk *walk)
{
	struct document *document = walk->state;
	struct fp_report_sarif *sarif = &document->sarif;
	struct fp_report_tree *tree = &sarif->tree;
	json_t *run = json_object();
	json_t *results = make_results(document);
	json_t *log;

	fp_report_tree_put(tree, run, "tool",
	                   json_pack("{s:{s:s,s:s,s:s,s:[{s:s,s:i}],s:o}}", "driver", "name",
	                             PACKAGE_NAME, "version", PACKAGE_VERSION,
	                             "semanticVersion", PACKAGE_VERSION, "supportedTaxonomies",
	                             "name", "CWE", "index", 0, "rules",
	                             fp_report_sarif_rules(sarif)));
	fp_report_tree_put(tree, run, "automationDetails", make_details(walk->set->reports[0]));
	fp_report_tree_put(tree, run, "columnKind", json_string("unicodeCodePoints"));
	if (sarif->roots.paths[0])
		fp_report_tree_put(tree, run, "originalUriBaseIds",
		                   json_pack("{s:{s:o}}", FP_REPORT_SARIF_ROOT, "uri",
		                             fp_report_sarif_directory(sarif->roots.paths[0])));
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
	tdestroy(document->seen, free);
	json_decref(document->invocations);
	fp_report_roots_free(&document->sarif.roots);
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
