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
#include "report/tree.h"

/* The report that is being visited. */
struct document {
	struct fp_report_tree tree;
	json_t *report;
	json_t *findings; /* in the report */
	json_t *leaks;
};

static json_t *make_process(struct fp_report_tree *tree, const struct fp_report *report)
{
	json_t *process = json_object();
	json_t *arguments = json_array();
	json_t *end = report->exit == FP_LOG_EXIT_UNKNOWN ? json_null() : json_object();

	fp_report_tree_put(tree, process, "pid", fp_report_make_count(report->pid));
	fp_report_tree_put(tree, process, "ppid", fp_report_make_count(report->ppid));
	fp_report_tree_put(tree, process, "executable",
	                   fp_report_make_string(report->executable));
	for (size_t i = 0; i < report->argument_count; i++)
		fp_report_tree_append(tree, arguments,
		                      fp_report_make_string(report->arguments[i]));
	fp_report_tree_put(tree, process, "argv", arguments);
	if (report->exit == FP_LOG_EXIT_CODE)
		fp_report_tree_put(tree, end, "code", json_integer(report->exit_value));
	if (report->exit == FP_LOG_EXIT_SIGNAL) {
		const char *name = sigabbrev_np(report->exit_value);

		fp_report_tree_put(tree, end, "signal",
		                   name ? json_sprintf("SIG%s", name)
		                        : json_sprintf("%d", report->exit_value));
	}
	fp_report_tree_put(tree, process, "exit", end);
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
	json_t *protection = json_object();
	json_t *reasons = json_object();

	fp_report_tree_put(tree, protection, "allocations",
	                   fp_report_make_count(report->protection.allocations));
	fp_report_tree_put(tree, protection, "guarded",
	                   fp_report_make_count(report->protection.guarded));
	fp_report_tree_put(tree, protection, "padded",
	                   fp_report_make_count(report->protection.padded));
	fp_report_tree_put(tree, protection, "plain",
	                   fp_report_make_count(report->protection.plain));
	for (size_t i = 0; i < report->reason_count; i++)
		fp_report_tree_put_named(tree, reasons, report->reasons[i].text,
		                         fp_report_make_count(report->reasons[i].blocks));
	fp_report_tree_put(tree, protection, "reasons", reasons);
	return protection;
}

static json_t *make_heap(struct fp_report_tree *tree, const struct fp_report *report)
{
	json_t *heap = json_object();

	fp_report_tree_put(tree, heap, "allocations",
	                   fp_report_make_count(report->heap.allocations));
	fp_report_tree_put(tree, heap, "frees", fp_report_make_count(report->heap.frees));
	fp_report_tree_put(tree, heap, "live_blocks",
	                   fp_report_make_count(report->heap.live_blocks));
	fp_report_tree_put(tree, heap, "live_bytes",
	                   fp_report_make_count(report->heap.live_bytes));
	fp_report_tree_put(tree, heap, "peak_blocks",
	                   fp_report_make_count(report->heap.peak_blocks));
	fp_report_tree_put(tree, heap, "peak_bytes",
	                   fp_report_make_count(report->heap.peak_bytes));
	return heap;
}

static json_t *make_frame(struct fp_report_tree *tree, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;
	const struct fp_report_module *module = frame->module;
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "function",
	                   fp_report_make_text(symbol ? symbol->function : NULL));
	fp_report_tree_put(tree, json, "file",
	                   fp_report_make_text(symbol ? symbol->file : NULL));
	fp_report_tree_put(tree, json, "line",
	                   symbol && symbol->line > 0 ? fp_report_make_count(symbol->line)
	                                              : json_null());
	fp_report_tree_put(tree, json, "column",
	                   symbol && symbol->column > 0 ? fp_report_make_count(symbol->column)
	                                                : json_null());
	fp_report_tree_put(tree, json, "module",
	                   module ? fp_report_make_string(module->path)
	                          : fp_report_make_text("[unknown]"));
	fp_report_tree_put(tree, json, "offset", fp_report_make_address(frame->offset));
	fp_report_tree_put(tree, json, "build_id",
	                   module && module->build_id.size > 0
	                           ? fp_report_make_hex(module->build_id)
	                           : json_null());
	fp_report_tree_put(tree, json, "inlined", json_boolean(symbol && symbol->inlined));
	return json;
}

static json_t *make_stack(struct fp_report_tree *tree, const struct fp_report_stack *stack)
{
	json_t *frames;

	if (!stack)
		return json_null();
	frames = json_array();
	for (size_t i = 0; i < stack->count; i++)
		fp_report_tree_append(tree, frames, make_frame(tree, &stack->frames[i]));
	return frames;
}

static json_t *make_site(struct fp_report_tree *tree, const struct fp_report_site *site)
{
	json_t *json;

	if (site->line == 0 && site->file.size == 0)
		return json_null();
	json = json_object();
	fp_report_tree_put(tree, json, "file", fp_report_make_string(site->file));
	fp_report_tree_put(tree, json, "line", fp_report_make_count(site->line));
	return json;
}

static json_t *make_block(struct fp_report_tree *tree, const struct fp_report_finding *finding)
{
	const struct fp_report_block *block = &finding->block;
	json_t *json;

	if (!finding->has_block)
		return json_null();
	json = json_object();
	fp_report_tree_put(tree, json, "address", fp_report_make_address(block->address));
	fp_report_tree_put(tree, json, "size", fp_report_make_count(block->size));
	fp_report_tree_put(tree, json, "offset", json_integer(block->offset));
	fp_report_tree_put(tree, json, "tier", fp_report_make_text(fp_tier_name(block->tier)));
	fp_report_tree_put(tree, json, "heap", fp_report_make_count(block->heap));
	fp_report_tree_put(tree, json, "family",
	                   fp_report_make_text(fp_family_name(block->family)));
	fp_report_tree_put(tree, json, "serial", fp_report_make_count(block->serial));
	fp_report_tree_put(tree, json, "critical_level",
	                   fp_report_make_text(fp_level_name(block->level)));
	fp_report_tree_put(tree, json, "site", make_site(tree, &block->site));
	fp_report_tree_put(tree, json, "alloc_thread",
	                   fp_report_make_count(block->alloc_thread));
	fp_report_tree_put(tree, json, "alloc_stack", make_stack(tree, finding->alloc_stack));
	fp_report_tree_put(tree, json, "free_thread",
	                   block->state == FP_BLOCK_FREED
	                           ? fp_report_make_count(block->free_thread)
	                           : json_null());
	fp_report_tree_put(tree, json, "free_stack", make_stack(tree, finding->free_stack));
	return json;
}

/* What the block is when it is a region. */
static json_t *make_region(struct fp_report_tree *tree, const struct fp_report_finding *finding)
{
	bool is_committed = finding->page_state == FP_PAGE_COMMITTED;
	bool was_committed = finding->commit_trace != FP_TRACE_NONE;
	json_t *json;

	if (finding->page_state == FP_PAGE_NONE)
		return json_null();
	json = json_object();
	fp_report_tree_put(tree, json, "page_state",
	                   fp_report_make_text(fp_page_state_name(finding->page_state)));
	fp_report_tree_put(
	        tree, json, "protection",
	        fp_report_make_text(is_committed ? fp_page_protection_name(finding->protection)
	                                         : NULL));
	fp_report_tree_put(tree, json, "commit_thread",
	                   was_committed ? fp_report_make_count(finding->commit_thread)
	                                 : json_null());
	fp_report_tree_put(tree, json, "commit_stack", make_stack(tree, finding->commit_stack));
	return json;
}

static json_t *make_evidence(struct fp_report_tree *tree,
                             const struct fp_report_finding *finding)
{
	json_t *evidence;

	if (finding->evidence.size == 0)
		return json_null();
	evidence = json_object();
	fp_report_tree_put(tree, evidence, "offset", json_integer(finding->evidence_offset));
	fp_report_tree_put(tree, evidence, "bytes", fp_report_make_hex(finding->evidence));
	return evidence;
}

static json_t *make_other(struct fp_report_tree *tree, const struct fp_report_finding *finding)
{
	json_t *other;

	if (finding->other == FP_PARTY_NONE)
		return json_null();
	other = json_object();
	fp_report_tree_put(tree, other, "role",
	                   fp_report_make_text(fp_party_role_name(finding->other)));
	fp_report_tree_put(tree, other, "thread", fp_report_make_count(finding->other_thread));
	fp_report_tree_put(tree, other, "stack", make_stack(tree, finding->other_stack));
	return other;
}

static json_t *make_hresult(const struct fp_report_finding *finding)
{
	const char *name = fp_report_hresult_name(finding->hresult);

	if (!finding->has_hresult)
		return json_null();
	return name ? fp_report_make_text(name)
	            : fp_report_make_address((uint32_t)finding->hresult);
}

static json_t *make_finding(struct fp_report_tree *tree,
                            const struct fp_report_finding *finding)
{
	const struct fp_finding_info *info = fp_finding_info(finding->kind);
	json_t *json = json_object();
	json_t *thread = json_object();

	fp_report_tree_put(tree, json, "kind", fp_report_make_text(info->name));
	fp_report_tree_put(tree, json, "cwe", json_integer(info->cwe));
	fp_report_tree_put(tree, json, "severity", fp_report_make_text(info->severity));
	fp_report_tree_put(tree, json, "count", fp_report_make_count(finding->count));
	fp_report_tree_put(tree, json, "fingerprint",
	                   json_sprintf("%016" PRIx64, finding->fingerprint));
	fp_report_tree_put(tree, json, "description",
	                   fp_report_make_string(finding->description));
	fp_report_tree_put(tree, json, "access",
	                   fp_report_make_text(fp_access_name(finding->access)));
	fp_report_tree_put(tree, json, "address", fp_report_make_address(finding->address));
	fp_report_tree_put(tree, json, "hresult", make_hresult(finding));
	fp_report_tree_put(tree, thread, "id", fp_report_make_count(finding->thread));
	fp_report_tree_put(tree, thread, "name", fp_report_make_string(finding->thread_name));
	fp_report_tree_put(tree, json, "thread", thread);
	fp_report_tree_put(tree, json, "stack", make_stack(tree, finding->stack));
	fp_report_tree_put(tree, json, "other", make_other(tree, finding));
	fp_report_tree_put(tree, json, "evidence", make_evidence(tree, finding));
	fp_report_tree_put(tree, json, "block", make_block(tree, finding));
	fp_report_tree_put(tree, json, "region", make_region(tree, finding));
	return json;
}

static json_t *make_leak(struct fp_report_tree *tree, const struct fp_report_leak *leak)
{
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "kind",
	                   fp_report_make_text(fp_report_leak_name(leak->class)));
	fp_report_tree_put(tree, json, "blocks", fp_report_make_count(leak->blocks));
	fp_report_tree_put(tree, json, "bytes", fp_report_make_count(leak->bytes));
	fp_report_tree_put(tree, json, "fingerprint",
	                   json_sprintf("%016" PRIx64, leak->fingerprint));
	fp_report_tree_put(tree, json, "alloc_stack", make_stack(tree, leak->stack));
	fp_report_tree_put(tree, json, "site", make_site(tree, &leak->site));
	return json;
}

static json_t *make_snapshot(struct fp_report_tree *tree,
                             const struct fp_report_snapshot *snapshot)
{
	json_t *json = json_object();
	json_t *stacks = json_array();

	fp_report_tree_put(tree, json, "milliseconds",
	                   fp_report_make_count(snapshot->milliseconds));
	fp_report_tree_put(tree, json, "live_blocks",
	                   fp_report_make_count(snapshot->live_blocks));
	fp_report_tree_put(tree, json, "live_bytes",
	                   fp_report_make_count(snapshot->live_bytes));
	for (size_t i = 0; i < snapshot->group_count; i++) {
		json_t *group = json_object();

		fp_report_tree_put(tree, group, "blocks",
		                   fp_report_make_count(snapshot->groups[i].blocks));
		fp_report_tree_put(tree, group, "bytes",
		                   fp_report_make_count(snapshot->groups[i].bytes));
		fp_report_tree_put(tree, group, "alloc_stack",
		                   make_stack(tree, snapshot->groups[i].stack));
		fp_report_tree_append(tree, stacks, group);
	}
	fp_report_tree_put(tree, json, "stacks", stacks);
	return json;
}

static json_t *make_snapshots(struct fp_report_tree *tree, const struct fp_report *report)
{
	json_t *snapshots = json_array();

	for (size_t i = 0; i < report->snapshot_count; i++)
		fp_report_tree_append(tree, snapshots,
		                      make_snapshot(tree, &report->snapshots[i]));
	return snapshots;
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
	fp_report_tree_put(tree, summary, "suppressed", json_integer(0));
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
	fp_report_tree_put(tree, document->report, "schema",
	                   fp_report_make_text("fencepost-report-1"));
	fp_report_tree_put(tree, document->report, "tool", make_tool(tree));
	fp_report_tree_put(tree, document->report, "process", make_process(tree, report));
	fp_report_tree_put(tree, document->report, "settings", make_settings(tree, report));
	fp_report_tree_put(tree, document->report, "protection", make_protection(tree, report));
	fp_report_tree_put(tree, document->report, "heap", make_heap(tree, report));
	fp_report_tree_put(tree, document->report, "findings", document->findings);
	fp_report_tree_put(tree, document->report, "leaks", document->leaks);
	return tree->has_failed ? -ENOMEM : 0;
}

static int add_finding(struct fp_report_walk *walk, const struct fp_report_finding *finding)
{
	struct document *document = walk->state;

	fp_report_tree_append(&document->tree, document->findings,
	                      make_finding(&document->tree, finding));
	return document->tree.has_failed ? -ENOMEM : 0;
}

static int add_leak(struct fp_report_walk *walk, const struct fp_report_leak *leak)
{
	struct document *document = walk->state;

	fp_report_tree_append(&document->tree, document->leaks,
	                      make_leak(&document->tree, leak));
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
	fp_report_tree_put(tree, document->report, "snapshots", make_snapshots(tree, report));
	fp_report_tree_put(tree, document->report, "notes", notes);
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
        .has_snapshots = true,
        .begin = begin,
        .begin_report = begin_report,
        .finding = add_finding,
        .leak = add_leak,
        .end_report = end_report,
        .end = end,
        .release = release,
};
