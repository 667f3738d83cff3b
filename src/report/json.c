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

/* A tree being built. After a failure the tree is incomplete and must not be written. */
struct tree {
	bool has_failed;
};

/* The report that is being visited. */
struct document {
	struct tree tree;
	json_t *report;
	json_t *findings; /* in the report */
	json_t *leaks;
};

static void put(struct tree *tree, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		tree->has_failed = true;
}

static void append(struct tree *tree, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		tree->has_failed = true;
}

/* STRING as UTF-8 in new memory, terminated: what is not valid, and the zero byte that many
 * parsers refuse, becomes U+FFFD. */
static char *make_valid(struct fp_report_string string)
{
	char *valid = malloc(3 * string.size + 1);
	char *to = valid;

	while (valid && string.size > 0) {
		size_t length = string.bytes[0] == '\0' ? 0 : fp_report_utf8_length(string);
		const char *from = length > 0 ? string.bytes : "\xef\xbf\xbd";
		size_t taken = length > 0 ? length : 1;

		length = length > 0 ? length : 3;
		memcpy(to, from, length);
		to += length;
		string.bytes += taken;
		string.size -= taken;
	}
	if (valid)
		*to = '\0';
	return valid;
}

static json_t *make_string(struct fp_report_string string)
{
	char *valid = make_valid(string);
	json_t *json = valid ? json_string(valid) : NULL;

	free(valid);
	return json;
}

static json_t *make_text(const char *text)
{
	return text ? make_string(fp_report_text(text)) : json_null();
}

/* JSON numbers of this library are signed; no honest count is larger. */
static json_t *make_count(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

static json_t *make_address(uint64_t address)
{
	return json_sprintf("0x%" PRIx64, address);
}

static json_t *make_hex(struct fp_report_string bytes)
{
	char *digits = malloc(2 * bytes.size + 1);
	json_t *json;

	if (!digits)
		return NULL;
	digits[0] = '\0';
	for (size_t i = 0; i < bytes.size; i++)
		snprintf(digits + 2 * i, 3, "%02x", (unsigned char)bytes.bytes[i]);
	json = json_string(digits);
	free(digits);
	return json;
}

static json_t *make_process(struct tree *tree, const struct fp_report *report)
{
	json_t *process = json_object();
	json_t *arguments = json_array();
	json_t *end = report->exit == FP_LOG_EXIT_UNKNOWN ? json_null() : json_object();

	put(tree, process, "pid", make_count(report->pid));
	put(tree, process, "ppid", make_count(report->ppid));
	put(tree, process, "executable", make_string(report->executable));
	for (size_t i = 0; i < report->argument_count; i++)
		append(tree, arguments, make_string(report->arguments[i]));
	put(tree, process, "argv", arguments);
	if (report->exit == FP_LOG_EXIT_CODE)
		put(tree, end, "code", json_integer(report->exit_value));
	if (report->exit == FP_LOG_EXIT_SIGNAL) {
		const char *name = sigabbrev_np(report->exit_value);

		put(tree, end, "signal",
		    name ? json_sprintf("SIG%s", name)
		         : json_sprintf("%d", report->exit_value));
	}
	put(tree, process, "exit", end);
	return process;
}

/* Whole numbers become numbers, everything else stays a word. */
static json_t *make_setting(struct fp_report_string value)
{
	char text[20];
	char *end;
	long long number;

	if (value.size == 0 || value.size >= sizeof(text) || value.bytes[0] < '0' ||
	    value.bytes[0] > '9')
		return make_string(value);
	memcpy(text, value.bytes, value.size);
	text[value.size] = '\0';
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || end != text + value.size)
		return make_string(value);
	return json_integer(number);
}

static void put_named(struct tree *tree, json_t *object, struct fp_report_string key,
                      json_t *value)
{
	char *valid = make_valid(key);

	if (!valid) {
		tree->has_failed = true;
		json_decref(value);
		return;
	}
	put(tree, object, valid, value);
	free(valid);
}

static json_t *make_settings(struct tree *tree, const struct fp_report *report)
{
	json_t *settings = json_object();

	for (size_t i = 0; i < report->setting_count; i++)
		put_named(tree, settings, report->settings[i].key,
		          make_setting(report->settings[i].value));
	return settings;
}

static json_t *make_protection(struct tree *tree, const struct fp_report *report)
{
	json_t *protection = json_object();
	json_t *reasons = json_object();

	put(tree, protection, "allocations", make_count(report->protection.allocations));
	put(tree, protection, "guarded", make_count(report->protection.guarded));
	put(tree, protection, "padded", make_count(report->protection.padded));
	put(tree, protection, "plain", make_count(report->protection.plain));
	for (size_t i = 0; i < report->reason_count; i++)
		put_named(tree, reasons, report->reasons[i].text,
		          make_count(report->reasons[i].blocks));
	put(tree, protection, "reasons", reasons);
	return protection;
}

static json_t *make_heap(struct tree *tree, const struct fp_report *report)
{
	json_t *heap = json_object();

	put(tree, heap, "allocations", make_count(report->heap.allocations));
	put(tree, heap, "frees", make_count(report->heap.frees));
	put(tree, heap, "live_blocks", make_count(report->heap.live_blocks));
	put(tree, heap, "live_bytes", make_count(report->heap.live_bytes));
	put(tree, heap, "peak_blocks", make_count(report->heap.peak_blocks));
	put(tree, heap, "peak_bytes", make_count(report->heap.peak_bytes));
	return heap;
}

static json_t *make_frame(struct tree *tree, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;
	const struct fp_report_module *module = frame->module;
	json_t *json = json_object();

	put(tree, json, "function", make_text(symbol ? symbol->function : NULL));
	put(tree, json, "file", make_text(symbol ? symbol->file : NULL));
	put(tree, json, "line",
	    symbol && symbol->line > 0 ? make_count(symbol->line) : json_null());
	put(tree, json, "module", module ? make_string(module->path) : make_text("[unknown]"));
	put(tree, json, "offset", make_address(frame->offset));
	put(tree, json, "build_id",
	    module && module->build_id.size > 0 ? make_hex(module->build_id) : json_null());
	put(tree, json, "inlined", json_boolean(symbol && symbol->inlined));
	return json;
}

static json_t *make_stack(struct tree *tree, const struct fp_report_stack *stack)
{
	json_t *frames;

	if (!stack)
		return json_null();
	frames = json_array();
	for (size_t i = 0; i < stack->count; i++)
		append(tree, frames, make_frame(tree, &stack->frames[i]));
	return frames;
}

static json_t *make_site(struct tree *tree, const struct fp_report_site *site)
{
	json_t *json;

	if (site->line == 0 && site->file.size == 0)
		return json_null();
	json = json_object();
	put(tree, json, "file", make_string(site->file));
	put(tree, json, "line", make_count(site->line));
	return json;
}

static json_t *make_block(struct tree *tree, const struct fp_report_finding *finding)
{
	const struct fp_report_block *block = &finding->block;
	json_t *json;

	if (!finding->has_block)
		return json_null();
	json = json_object();
	put(tree, json, "address", make_address(block->address));
	put(tree, json, "size", make_count(block->size));
	put(tree, json, "offset", json_integer(block->offset));
	put(tree, json, "tier", make_text(fp_tier_name(block->tier)));
	put(tree, json, "heap", make_count(block->heap));
	put(tree, json, "family", make_text(fp_family_name(block->family)));
	put(tree, json, "serial", make_count(block->serial));
	put(tree, json, "critical_level", make_text(fp_level_name(block->level)));
	put(tree, json, "site", make_site(tree, &block->site));
	put(tree, json, "alloc_thread", make_count(block->alloc_thread));
	put(tree, json, "alloc_stack", make_stack(tree, finding->alloc_stack));
	put(tree, json, "free_thread",
	    block->state == FP_BLOCK_FREED ? make_count(block->free_thread) : json_null());
	put(tree, json, "free_stack", make_stack(tree, finding->free_stack));
	return json;
}

/* What the block is when it is a region. */
static json_t *make_region(struct tree *tree, const struct fp_report_finding *finding)
{
	bool is_committed = finding->page_state == FP_PAGE_COMMITTED;
	bool was_committed = finding->commit_trace != FP_TRACE_NONE;
	json_t *json;

	if (finding->page_state == FP_PAGE_NONE)
		return json_null();
	json = json_object();
	put(tree, json, "page_state", make_text(fp_page_state_name(finding->page_state)));
	put(tree, json, "protection",
	    make_text(is_committed ? fp_page_protection_name(finding->protection) : NULL));
	put(tree, json, "commit_thread",
	    was_committed ? make_count(finding->commit_thread) : json_null());
	put(tree, json, "commit_stack", make_stack(tree, finding->commit_stack));
	return json;
}

static json_t *make_evidence(struct tree *tree, const struct fp_report_finding *finding)
{
	json_t *evidence;

	if (finding->evidence.size == 0)
		return json_null();
	evidence = json_object();
	put(tree, evidence, "offset", json_integer(finding->evidence_offset));
	put(tree, evidence, "bytes", make_hex(finding->evidence));
	return evidence;
}

static json_t *make_other(struct tree *tree, const struct fp_report_finding *finding)
{
	json_t *other;

	if (finding->other == FP_PARTY_NONE)
		return json_null();
	other = json_object();
	put(tree, other, "role", make_text(fp_party_role_name(finding->other)));
	put(tree, other, "thread", make_count(finding->other_thread));
	put(tree, other, "stack", make_stack(tree, finding->other_stack));
	return other;
}

static json_t *make_hresult(const struct fp_report_finding *finding)
{
	const char *name = fp_report_hresult_name(finding->hresult);

	if (!finding->has_hresult)
		return json_null();
	return name ? make_text(name) : make_address((uint32_t)finding->hresult);
}

static json_t *make_finding(struct tree *tree, const struct fp_report_finding *finding)
{
	const struct fp_finding_info *info = fp_finding_info(finding->kind);
	json_t *json = json_object();
	json_t *thread = json_object();

	put(tree, json, "kind", make_text(info->name));
	put(tree, json, "cwe", json_integer(info->cwe));
	put(tree, json, "severity", make_text(info->severity));
	put(tree, json, "count", make_count(finding->count));
	put(tree, json, "fingerprint", json_sprintf("%016" PRIx64, finding->fingerprint));
	put(tree, json, "description", make_string(finding->description));
	put(tree, json, "access", make_text(fp_access_name(finding->access)));
	put(tree, json, "address", make_address(finding->address));
	put(tree, json, "hresult", make_hresult(finding));
	put(tree, thread, "id", make_count(finding->thread));
	put(tree, thread, "name", make_string(finding->thread_name));
	put(tree, json, "thread", thread);
	put(tree, json, "stack", make_stack(tree, finding->stack));
	put(tree, json, "other", make_other(tree, finding));
	put(tree, json, "evidence", make_evidence(tree, finding));
	put(tree, json, "block", make_block(tree, finding));
	put(tree, json, "region", make_region(tree, finding));
	return json;
}

static json_t *make_leak(struct tree *tree, const struct fp_report_leak *leak)
{
	json_t *json = json_object();

	put(tree, json, "kind", make_text(fp_report_leak_name(leak->class)));
	put(tree, json, "blocks", make_count(leak->blocks));
	put(tree, json, "bytes", make_count(leak->bytes));
	put(tree, json, "fingerprint", json_sprintf("%016" PRIx64, leak->fingerprint));
	put(tree, json, "alloc_stack", make_stack(tree, leak->stack));
	put(tree, json, "site", make_site(tree, &leak->site));
	return json;
}

static json_t *make_snapshot(struct tree *tree, const struct fp_report_snapshot *snapshot)
{
	json_t *json = json_object();
	json_t *stacks = json_array();

	put(tree, json, "milliseconds", make_count(snapshot->milliseconds));
	put(tree, json, "live_blocks", make_count(snapshot->live_blocks));
	put(tree, json, "live_bytes", make_count(snapshot->live_bytes));
	for (size_t i = 0; i < snapshot->group_count; i++) {
		json_t *group = json_object();

		put(tree, group, "blocks", make_count(snapshot->groups[i].blocks));
		put(tree, group, "bytes", make_count(snapshot->groups[i].bytes));
		put(tree, group, "alloc_stack", make_stack(tree, snapshot->groups[i].stack));
		append(tree, stacks, group);
	}
	put(tree, json, "stacks", stacks);
	return json;
}

static json_t *make_snapshots(struct tree *tree, const struct fp_report *report)
{
	json_t *snapshots = json_array();

	for (size_t i = 0; i < report->snapshot_count; i++)
		append(tree, snapshots, make_snapshot(tree, &report->snapshots[i]));
	return snapshots;
}

static json_t *make_summary(struct tree *tree, const struct fp_report *report, bool with_leaks)
{
	struct fp_report_totals totals = fp_report_total(report);
	json_t *summary = json_object();

	put(tree, summary, "errors", make_count(totals.errors));
	put(tree, summary, "leaked_blocks", make_count(with_leaks ? totals.leaked_blocks : 0));
	put(tree, summary, "leaked_bytes", make_count(with_leaks ? totals.leaked_bytes : 0));
	put(tree, summary, "suppressed", json_integer(0));
	return summary;
}

static json_t *make_tool(struct tree *tree)
{
	json_t *tool = json_object();

	put(tree, tool, "name", make_text(PACKAGE_NAME));
	put(tree, tool, "version", make_text(PACKAGE_VERSION));
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
	struct tree *tree = &document->tree;

	document->report = json_object();
	document->findings = json_array();
	document->leaks = json_array();
	put(tree, document->report, "schema", make_text("fencepost-report-1"));
	put(tree, document->report, "tool", make_tool(tree));
	put(tree, document->report, "process", make_process(tree, report));
	put(tree, document->report, "settings", make_settings(tree, report));
	put(tree, document->report, "protection", make_protection(tree, report));
	put(tree, document->report, "heap", make_heap(tree, report));
	put(tree, document->report, "findings", document->findings);
	put(tree, document->report, "leaks", document->leaks);
	return tree->has_failed ? -ENOMEM : 0;
}

static int add_finding(struct fp_report_walk *walk, const struct fp_report_finding *finding)
{
	struct document *document = walk->state;

	append(&document->tree, document->findings, make_finding(&document->tree, finding));
	return document->tree.has_failed ? -ENOMEM : 0;
}

static int add_leak(struct fp_report_walk *walk, const struct fp_report_leak *leak)
{
	struct document *document = walk->state;

	append(&document->tree, document->leaks, make_leak(&document->tree, leak));
	return document->tree.has_failed ? -ENOMEM : 0;
}

static int end_report(struct fp_report_walk *walk, const struct fp_report *report)
{
	struct document *document = walk->state;
	struct tree *tree = &document->tree;
	json_t *notes = json_array();

	for (size_t i = 0; i < report->note_count; i++)
		append(tree, notes, make_string(report->notes[i].text));
	put(tree, document->report, "snapshots", make_snapshots(tree, report));
	put(tree, document->report, "notes", notes);
	put(tree, document->report, "summary",
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
        .has_snapshots = true,
        .begin = begin,
        .begin_report = begin_report,
        .finding = add_finding,
        .leak = add_leak,
        .end_report = end_report,
        .end = end,
        .release = release,
};
