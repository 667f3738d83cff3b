/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings, leaks and snapshots as JSON, the same wherever they stand.
 */
#include <inttypes.h>

#include "report/growth.h"
#include "report/names.h"
#include "report/stack.h"
#include "report/json/tree.h"

/* What only a reader that renders the report again wants to know, where it is known. */
static void put_details(struct fp_report_tree *tree, json_t *json,
                        const struct fp_symbol_frame *symbol)
{
	if (!symbol)
		return;
	if (symbol->linkage)
		fp_report_tree_put(tree, json, "linkage", fp_report_make_text(symbol->linkage));
	if (symbol->directory)
		fp_report_tree_put(tree, json, "directory",
		                   fp_report_make_text(symbol->directory));
	if (symbol->function_line > 0)
		fp_report_tree_put(tree, json, "function_line",
		                   fp_report_make_count(symbol->function_line));
	if (symbol->function && !symbol->file)
		fp_report_tree_put(tree, json, "function_offset",
		                   fp_report_make_address(symbol->function_offset));
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
	put_details(tree, json, symbol);
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
	fp_report_tree_put(tree, evidence, "last", json_boolean(finding->is_evidence_last));
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

/* What one source, or several, have of a finding; of a leak so many bytes, too. */
static void put_share(struct fp_report_tree *tree, json_t *json,
                      const struct fp_report_share *share, bool has_bytes)
{
	fp_report_tree_put(tree, json, "count", fp_report_make_count(share->count));
	if (has_bytes)
		fp_report_tree_put(tree, json, "bytes", fp_report_make_count(share->bytes));
}

static json_t *make_share(struct fp_report_tree *tree, const struct fp_report_share *share,
                          bool has_bytes)
{
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "source", fp_report_make_count(share->source));
	put_share(tree, json, share, has_bytes);
	return json;
}

static json_t *make_beyond(struct fp_report_tree *tree, const struct fp_report_beyond *beyond,
                           bool has_bytes)
{
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "sources", fp_report_make_count(beyond->sources));
	put_share(tree, json,
	          &(struct fp_report_share){.count = beyond->count, .bytes = beyond->bytes},
	          has_bytes);
	return json;
}

/* Which sources have it; nothing in a report that is not merged. */
static void put_shares(struct fp_report_tree *tree, json_t *json,
                       const struct fp_report_shares *shares, bool has_bytes)
{
	json_t *array;

	if (fp_report_count_shares(shares) == 0)
		return;
	array = json_array();
	for (size_t i = 0; i < shares->count; i++)
		fp_report_tree_append(tree, array,
		                      make_share(tree, &shares->items[i], has_bytes));
	fp_report_tree_put(tree, json, "sources", array);
	if (shares->beyond.sources > 0)
		fp_report_tree_put(tree, json, "more_sources",
		                   make_beyond(tree, &shares->beyond, has_bytes));
}

json_t *fp_report_make_finding(struct fp_report_tree *tree,
                               const struct fp_report_finding *finding)
{
	const struct fp_finding_traits *info = fp_finding_traits(finding->kind);
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
	fp_report_tree_put(tree, json, "exact", json_boolean(finding->is_exact));
	fp_report_tree_put(tree, json, "through",
	                   finding->stack->within[0] != '\0'
	                           ? fp_report_make_text(finding->stack->within)
	                           : json_null());
	fp_report_tree_put(tree, json, "stack", make_stack(tree, finding->stack));
	fp_report_tree_put(tree, json, "other", make_other(tree, finding));
	fp_report_tree_put(tree, json, "evidence", make_evidence(tree, finding));
	fp_report_tree_put(tree, json, "block", make_block(tree, finding));
	fp_report_tree_put(tree, json, "region", make_region(tree, finding));
	put_shares(tree, json, &finding->shares, false);
	return json;
}

static json_t *make_age(struct fp_report_tree *tree, const struct fp_report_age *age)
{
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "oldest_ms", fp_report_make_count(age->oldest));
	fp_report_tree_put(tree, json, "newest_ms", fp_report_make_count(age->newest));
	return json;
}

static json_t *make_new(struct fp_report_tree *tree, const struct fp_report_leak *leak)
{
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "blocks", fp_report_make_count(leak->new_blocks));
	fp_report_tree_put(tree, json, "bytes", fp_report_make_count(leak->new_bytes));
	fp_report_tree_put(tree, json, "indirect_blocks",
	                   fp_report_make_count(leak->new_indirect_blocks));
	fp_report_tree_put(tree, json, "indirect_bytes",
	                   fp_report_make_count(leak->new_indirect_bytes));
	fp_report_tree_put(tree, json, "age",
	                   leak->new_blocks == 0 ? json_null()
	                                         : make_age(tree, &leak->new_age));
	return json;
}

json_t *fp_report_make_leak(struct fp_report_tree *tree, const struct fp_report_leak *leak)
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
	fp_report_tree_put(tree, json, "heap",
	                   leak->heap == 0 ? json_null() : fp_report_make_count(leak->heap));
	fp_report_tree_put(tree, json, "critical_level",
	                   fp_report_make_text(fp_level_name(leak->level)));
	fp_report_tree_put(tree, json, "indirect_blocks",
	                   fp_report_make_count(leak->indirect_blocks));
	fp_report_tree_put(tree, json, "indirect_bytes",
	                   fp_report_make_count(leak->indirect_bytes));
	fp_report_tree_put(tree, json, "hangs_from", make_stack(tree, leak->leader_stack));
	fp_report_tree_put(tree, json, "age",
	                   leak->has_age ? make_age(tree, &leak->age) : json_null());
	fp_report_tree_put(tree, json, "new",
	                   leak->has_age ? make_new(tree, leak) : json_null());
	put_shares(tree, json, &leak->shares, true);
	return json;
}

json_t *fp_report_make_failed(struct fp_report_tree *tree,
                              const struct fp_report_failed *failed)
{
	const char *level =
	        failed->family == FP_FAMILY_HOST ? fp_level_name(failed->level) : NULL;
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "count", fp_report_make_count(failed->count));
	fp_report_tree_put(tree, json, "size", fp_report_make_count(failed->size));
	fp_report_tree_put(tree, json, "serial", fp_report_make_count(failed->serial));
	fp_report_tree_put(tree, json, "heap", fp_report_make_count(failed->heap));
	fp_report_tree_put(tree, json, "family",
	                   fp_report_make_text(fp_family_name(failed->family)));
	fp_report_tree_put(tree, json, "critical_level", fp_report_make_text(level));
	fp_report_tree_put(tree, json, "alloc_stack", make_stack(tree, failed->stack));
	return json;
}

static json_t *make_points(struct fp_report_tree *tree, const struct fp_report_growing *growing)
{
	json_t *points = json_array();

	for (size_t i = 0; i < growing->point_count; i++) {
		const struct fp_report_point *point = &growing->points[i];
		json_t *json = json_object();

		fp_report_tree_put(tree, json, "milliseconds",
		                   fp_report_make_count(point->milliseconds));
		fp_report_tree_put(tree, json, "blocks", fp_report_make_count(point->blocks));
		fp_report_tree_put(tree, json, "bytes", fp_report_make_count(point->bytes));
		fp_report_tree_append(tree, points, json);
	}
	return points;
}

json_t *fp_report_make_growing(struct fp_report_tree *tree,
                               const struct fp_report_growing *growing)
{
	const struct fp_report_rise rise = fp_report_rise_of(growing);
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "grown_bytes", fp_report_make_count(rise.bytes));
	fp_report_tree_put(tree, json, "bytes_per_minute",
	                   fp_report_make_count(rise.per_minute));
	fp_report_tree_put(tree, json, "last_rise_milliseconds",
	                   fp_report_make_count(rise.last_rise));
	fp_report_tree_put(tree, json, "blocks", fp_report_make_count(rise.last->blocks));
	fp_report_tree_put(tree, json, "bytes", fp_report_make_count(rise.last->bytes));
	fp_report_tree_put(tree, json, "fingerprint",
	                   json_sprintf("%016" PRIx64, growing->fingerprint));
	fp_report_tree_put(tree, json, "alloc_stack", make_stack(tree, growing->stack));
	fp_report_tree_put(tree, json, "pictures", make_points(tree, growing));
	put_shares(tree, json, &growing->shares, true);
	return json;
}

json_t *fp_report_make_snapshot(struct fp_report_tree *tree,
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
