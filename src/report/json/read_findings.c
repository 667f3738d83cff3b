/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings, leaks and snapshots out of JSON. Words that are not known are those of a newer
 * version: what they stand in is left out and counted, because a guess would be a lie.
 */
#include "report/json/read_findings.h"

#include <stdlib.h>
#include <string.h>

#include "report/fingerprint.h"
#include "report/growth.h"
#include "report/names.h"
#include "report/stack.h"

static const struct fp_report_stack empty;

static const char *kind_name(unsigned kind)
{
	return fp_finding_traits(kind)->name;
}

static const char *access_name(unsigned access)
{
	return fp_access_name(access);
}

static const char *tier_name(unsigned tier)
{
	return fp_tier_name(tier);
}

static const char *family_name(unsigned family)
{
	return fp_family_name(family);
}

static const char *level_name(unsigned level)
{
	return fp_level_name(level);
}

static const char *role_name(unsigned role)
{
	return fp_party_role_name(role);
}

static const char *page_state_name(unsigned state)
{
	return fp_page_state_name(state);
}

static const char *leak_name(unsigned class)
{
	return fp_report_leak_name(class);
}

/* Of the flags of Win32 each is one bit. */
static const char *protection_name(unsigned bit)
{
	return fp_page_protection_name(1u << bit);
}

static struct fp_report_site take_site(struct fp_report_fields *fields, const json_t *object)
{
	const json_t *site = fp_report_fields_object(fields, object, "site");

	return (struct fp_report_site){fp_report_fields_string(fields, site, "file"),
	                               fp_report_fields_small(fields, site, "line")};
}

/* The empty stack instead of none: writers take some for granted. */
static const struct fp_report_stack *take_stack(struct fp_report_fields *fields,
                                                const json_t *object, const char *key)
{
	const struct fp_report_stack *stack = fp_report_fields_stack(fields, object, key);

	return stack ? stack : &empty;
}

static bool take_words(struct fp_report_fields *fields, const json_t *json,
                       struct fp_report_block *block)
{
	struct fp_report_string level = fp_report_fields_string(fields, json, "critical_level");

	block->tier = fp_report_fields_word(fp_report_fields_string(fields, json, "tier"),
	                                    FP_TIER_COUNT, tier_name);
	block->family = fp_report_fields_word(fp_report_fields_string(fields, json, "family"),
	                                      FP_FAMILY_COUNT, family_name);
	block->level = level.size > 0 ? fp_report_fields_word(level, FP_LEVEL_COUNT, level_name)
	                              : FP_LEVEL_NONE;
	return block->tier < FP_TIER_COUNT && block->family < FP_FAMILY_COUNT &&
	       block->level < FP_LEVEL_COUNT;
}

static bool take_block(struct fp_report_fields *fields, const json_t *json,
                       struct fp_report_finding *finding)
{
	struct fp_report_block *block = &finding->block;
	const json_t *free_thread = json_object_get(json, "free_thread");

	if (!json)
		return true;
	finding->has_block = true;
	block->address = fp_report_fields_address(fields, json, "address");
	block->size = fp_report_fields_count(fields, json, "size");
	block->offset = fp_report_fields_integer(fields, json, "offset");
	block->heap = fp_report_fields_small(fields, json, "heap");
	block->serial = fp_report_fields_count(fields, json, "serial");
	block->site = take_site(fields, json);
	block->alloc_thread = fp_report_fields_small(fields, json, "alloc_thread");
	finding->alloc_stack = take_stack(fields, json, "alloc_stack");
	if (free_thread && !json_is_null(free_thread)) {
		block->state = FP_BLOCK_FREED;
		block->free_thread = fp_report_fields_small(fields, json, "free_thread");
		finding->free_stack = take_stack(fields, json, "free_stack");
	}
	return take_words(fields, json, block);
}

static bool take_region(struct fp_report_fields *fields, const json_t *json,
                        struct fp_report_finding *finding)
{
	struct fp_report_string protection =
	        fp_report_fields_string(fields, json, "protection");
	unsigned bit = fp_report_fields_word(protection, 8, protection_name);

	if (!json)
		return true;
	finding->page_state =
	        fp_report_fields_word(fp_report_fields_string(fields, json, "page_state"),
	                              FP_PAGE_STATE_COUNT, page_state_name);
	finding->protection = bit < 8 ? 1u << bit : 0;
	finding->commit_stack = fp_report_fields_stack(fields, json, "commit_stack");
	/* The writers ask for the trace when they want to know whether there was one. */
	finding->commit_trace = finding->commit_stack ? 1 : FP_TRACE_NONE;
	finding->commit_thread = fp_report_fields_small(fields, json, "commit_thread");
	return finding->page_state < FP_PAGE_STATE_COUNT;
}

static bool take_other(struct fp_report_fields *fields, const json_t *json,
                       struct fp_report_finding *finding)
{
	if (!json)
		return true;
	finding->other = fp_report_fields_word(fp_report_fields_string(fields, json, "role"),
	                                       FP_PARTY_COUNT, role_name);
	finding->other_thread = fp_report_fields_small(fields, json, "thread");
	finding->other_stack = take_stack(fields, json, "stack");
	return finding->other < FP_PARTY_COUNT;
}

static void take_evidence(struct fp_report_fields *fields, const json_t *json,
                          struct fp_report_finding *finding)
{
	finding->evidence_offset = fp_report_fields_integer(fields, json, "offset");
	finding->evidence = fp_report_fields_bytes(fields, json, "bytes");
	finding->is_evidence_last = fp_report_fields_flag(fields, json, "last");
}

static void take_hresult(struct fp_report_fields *fields, const json_t *json,
                         struct fp_report_finding *finding)
{
	struct fp_report_string name = fp_report_fields_string(fields, json, "hresult");

	if (name.size == 0)
		return;
	finding->has_hresult = true;
	if (!fp_report_hresult_find(name, &finding->hresult))
		finding->hresult = (int32_t)fp_report_fields_address(fields, json, "hresult");
}

static void take_own_stack(struct fp_report_fields *fields, const json_t *json,
                           struct fp_report_finding *finding)
{
	struct fp_report_string through = fp_report_fields_string(fields, json, "through");
	struct fp_report_stack *stack = fp_report_fields_stack(fields, json, "stack");

	finding->is_exact = fp_report_fields_flag(fields, json, "exact");
	finding->stack = stack ? stack : &empty;
	if (!stack)
		return;
	if (through.size < sizeof(stack->within))
		memcpy(stack->within, through.bytes, through.size + 1);
	/* One call can be the access and the free: that is told by the stack being one. */
	if (finding->free_stack && fp_report_are_same_frames(stack, finding->free_stack))
		finding->free_stack = stack;
}

static void take_beyond(struct fp_report_fields *fields, const json_t *json,
                        struct fp_report_beyond *beyond)
{
	const json_t *more = fp_report_fields_object(fields, json, "more_sources");

	beyond->sources = fp_report_fields_count(fields, more, "sources");
	beyond->count = fp_report_fields_count(fields, more, "count");
	beyond->bytes = fp_report_fields_count(fields, more, "bytes");
}

static void take_shares(struct fp_report_fields *fields, const json_t *json,
                        struct fp_report_shares *shares)
{
	const json_t *items = fp_report_fields_array(fields, json, "sources");

	for (size_t i = 0; i < json_array_size(items) && !fp_report_fields_have_failed(fields);
	     i++) {
		const json_t *item = json_array_get(items, i);
		struct fp_report_share share = {
		        .source = fp_report_fields_small(fields, item, "source"),
		        .count = fp_report_fields_count(fields, item, "count"),
		        .bytes = fp_report_fields_count(fields, item, "bytes")};

		if (share.source >= fields->report->source_count && !fields->wrong)
			fields->wrong = "source";
		else if (fp_report_shares_add(shares, &share) != 0)
			fields->is_out_of_memory = true;
	}
	if (json_object_get(json, "more_sources"))
		take_beyond(fields, json, &shares->beyond);
}

static bool take_finding(struct fp_report_fields *fields, const json_t *json,
                         struct fp_report_finding *finding)
{
	const json_t *thread = fp_report_fields_object(fields, json, "thread");
	struct fp_report_string kind = fp_report_fields_string(fields, json, "kind");
	struct fp_report_string access = fp_report_fields_string(fields, json, "access");

	finding->kind = fp_report_fields_word(kind, FP_FINDING_COUNT, kind_name);
	finding->access = fp_report_fields_word(access, FP_ACCESS_COUNT, access_name);
	if (finding->kind == FP_FINDING_COUNT || finding->access == FP_ACCESS_COUNT)
		return false;
	finding->address = fp_report_fields_address(fields, json, "address");
	finding->count = fp_report_fields_count(fields, json, "count");
	finding->description = fp_report_fields_string(fields, json, "description");
	finding->thread = fp_report_fields_small(fields, thread, "id");
	finding->thread_name = fp_report_fields_string(fields, thread, "name");
	take_hresult(fields, json, finding);
	take_evidence(fields, fp_report_fields_object(fields, json, "evidence"), finding);
	if (!take_block(fields, fp_report_fields_object(fields, json, "block"), finding) ||
	    !take_region(fields, fp_report_fields_object(fields, json, "region"), finding) ||
	    !take_other(fields, fp_report_fields_object(fields, json, "other"), finding))
		return false;
	take_own_stack(fields, json, finding);
	take_shares(fields, json, &finding->shares);
	finding->fingerprint = fp_report_finding_fingerprint(finding);
	return true;
}

bool fp_report_fields_finding(struct fp_report_fields *fields, const json_t *json)
{
	struct fp_report *report = fields->report;
	struct fp_report_finding *findings = fp_report_fields_add(
	        fields, report->findings, &report->finding_count, sizeof(*findings));

	if (!findings)
		return true;
	report->findings = findings;
	findings += report->finding_count - 1;
	findings->index = (uint32_t)report->finding_count - 1;
	if (take_finding(fields, json, findings))
		return true;
	fp_report_shares_free(&findings->shares);
	report->finding_count--;
	return false;
}

/* A level that is not known is as good as none. */
static enum fp_level take_level(struct fp_report_fields *fields, const json_t *json)
{
	struct fp_report_string word = fp_report_fields_string(fields, json, "critical_level");
	unsigned level = fp_report_fields_word(word, FP_LEVEL_COUNT, level_name);

	return word.size == 0 || level == FP_LEVEL_COUNT ? FP_LEVEL_NONE : level;
}

static struct fp_report_age take_age(struct fp_report_fields *fields, const json_t *json)
{
	return (struct fp_report_age){
	        .oldest = fp_report_fields_count(fields, json, "oldest_ms"),
	        .newest = fp_report_fields_count(fields, json, "newest_ms"),
	};
}

/* Reports of an older version have none. */
static void take_news(struct fp_report_fields *fields, const json_t *json,
                      struct fp_report_leak *leak)
{
	const json_t *age = fp_report_fields_object(fields, json, "age");
	const json_t *new = fp_report_fields_object(fields, json, "new");

	leak->has_age = age != NULL && new != NULL;
	leak->age = take_age(fields, age);
	leak->new_blocks = fp_report_fields_count(fields, new, "blocks");
	leak->new_bytes = fp_report_fields_count(fields, new, "bytes");
	leak->new_indirect_blocks = fp_report_fields_count(fields, new, "indirect_blocks");
	leak->new_indirect_bytes = fp_report_fields_count(fields, new, "indirect_bytes");
	leak->new_age = take_age(fields, fp_report_fields_object(fields, new, "age"));
}

bool fp_report_fields_leak(struct fp_report_fields *fields, const json_t *json)
{
	struct fp_report *report = fields->report;
	struct fp_report_leak leak = {
	        .class = fp_report_fields_word(fp_report_fields_string(fields, json, "kind"),
	                                       FP_LEAK_CLASS_COUNT, leak_name),
	        .blocks = fp_report_fields_count(fields, json, "blocks"),
	        .bytes = fp_report_fields_count(fields, json, "bytes"),
	        .site = take_site(fields, json),
	        .heap = fp_report_fields_small(fields, json, "heap"),
	        .level = take_level(fields, json),
	        .indirect_blocks = fp_report_fields_count(fields, json, "indirect_blocks"),
	        .indirect_bytes = fp_report_fields_count(fields, json, "indirect_bytes")};
	struct fp_report_leak *leaks;

	if (leak.class == FP_LEAK_CLASS_COUNT)
		return false;
	take_news(fields, json, &leak);
	leak.stack = take_stack(fields, json, "alloc_stack");
	leak.leader_stack = fp_report_fields_stack(fields, json, "hangs_from");
	leak.fingerprint = fp_report_leak_fingerprint(&leak);
	leaks = fp_report_fields_add(fields, report->leaks, &report->leak_count,
	                             sizeof(*leaks));
	if (!leaks)
		return true;
	report->leaks = leaks;
	take_shares(fields, json, &leak.shares);
	leaks[report->leak_count - 1] = leak;
	return true;
}

bool fp_report_fields_failed(struct fp_report_fields *fields, const json_t *json)
{
	struct fp_report_string level = fp_report_fields_string(fields, json, "critical_level");
	struct fp_report *report = fields->report;
	struct fp_report_failed failed = {
	        .count = fp_report_fields_count(fields, json, "count"),
	        .size = fp_report_fields_count(fields, json, "size"),
	        .serial = fp_report_fields_count(fields, json, "serial"),
	        .heap = fp_report_fields_small(fields, json, "heap"),
	        .family = fp_report_fields_word(fp_report_fields_string(fields, json, "family"),
	                                        FP_FAMILY_COUNT, family_name),
	        .level = level.size > 0
	                         ? fp_report_fields_word(level, FP_LEVEL_COUNT, level_name)
	                         : FP_LEVEL_NONE};
	struct fp_report_failed *all;

	if (failed.family == FP_FAMILY_COUNT || failed.level == FP_LEVEL_COUNT)
		return false;
	failed.stack = take_stack(fields, json, "alloc_stack");
	failed.trace = failed.stack->count > 0 ? 1 : FP_TRACE_NONE;
	all = fp_report_fields_add(fields, report->failed, &report->failed_count, sizeof(*all));
	if (!all)
		return true;
	report->failed = all;
	all[report->failed_count - 1] = failed;
	return true;
}

static void take_points(struct fp_report_fields *fields, const json_t *array,
                        struct fp_report_growing *growing)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *json = json_array_get(array, i);
		struct fp_report_point *points = fp_report_fields_add(
		        fields, growing->points, &growing->point_count, sizeof(*points));

		if (!points)
			return;
		growing->points = points;
		points[i].milliseconds = fp_report_fields_count(fields, json, "milliseconds");
		points[i].blocks = fp_report_fields_count(fields, json, "blocks");
		points[i].bytes = fp_report_fields_count(fields, json, "bytes");
	}
}

void fp_report_fields_growing(struct fp_report_fields *fields, const json_t *json)
{
	struct fp_report_growing *growing = fp_report_add_growing(fields->report);

	if (!growing) {
		fields->is_out_of_memory = true;
		return;
	}
	take_points(fields, fp_report_fields_array(fields, json, "pictures"), growing);
	if (growing->point_count < 2 && !fields->wrong)
		fields->wrong = "pictures";
	growing->stack = take_stack(fields, json, "alloc_stack");
	growing->fingerprint =
	        fp_report_leak_fingerprint(&(struct fp_report_leak){.stack = growing->stack});
	take_shares(fields, json, &growing->shares);
}

static void take_groups(struct fp_report_fields *fields, const json_t *stacks,
                        struct fp_report_snapshot *snapshot)
{
	for (size_t i = 0; i < json_array_size(stacks); i++) {
		const json_t *json = json_array_get(stacks, i);
		struct fp_report_group *groups = fp_report_fields_add(
		        fields, snapshot->groups, &snapshot->group_count, sizeof(*groups));

		if (!groups)
			return;
		snapshot->groups = groups;
		groups[i].blocks = fp_report_fields_count(fields, json, "blocks");
		groups[i].bytes = fp_report_fields_count(fields, json, "bytes");
		groups[i].stack = take_stack(fields, json, "alloc_stack");
	}
}

void fp_report_fields_snapshot(struct fp_report_fields *fields, const json_t *json)
{
	struct fp_report *report = fields->report;
	struct fp_report_snapshot *snapshots = fp_report_fields_add(
	        fields, report->snapshots, &report->snapshot_count, sizeof(*snapshots));

	if (!snapshots)
		return;
	report->snapshots = snapshots;
	snapshots += report->snapshot_count - 1;
	snapshots->milliseconds = fp_report_fields_count(fields, json, "milliseconds");
	snapshots->live_blocks = fp_report_fields_count(fields, json, "live_blocks");
	snapshots->live_bytes = fp_report_fields_count(fields, json, "live_bytes");
	take_groups(fields, fp_report_fields_array(fields, json, "stacks"), snapshots);
}
