/* SPDX-License-Identifier: Apache-2.0
 *
 * The sources, findings and leaks of a merge.
 * Of the whole, what the sources do not share is left out rather than guessed, and every list
 * that a source could make long has an end.
 */
#include "report/merge/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/tool_messages.h"
#include "report/fingerprint.h"
#include "report/leaks.h"
#include "report/schema.h"
#include "report/merge/layouts.h"
#include "report/merge/table.h"
#include "report/names.h"
#include "report/report.h"
#include "report/stack.h"

enum { REMARKS_MAX = 100, REASONS_MAX = 100, SETTINGS_MAX = 200 };

/* A note, and how many sources made it. */
struct remark {
	struct fp_report_string text;
	uint32_t source; /* the first; UINT32_MAX: the merge itself */
	uint32_t count;
};

/* Zero it and set report, keeper and is_repeated to begin. A line of --ndjson is of a process,
 * but only the last of its lines tells its end and its settings. */
struct whole {
	struct fp_report *report;
	struct fp_report_keeper *keeper;
	bool is_repeated;
	bool has_any;
	bool has_end;    /* of one that told how it ended */
	int64_t unended; /* sources whose end was not told yet */
	struct remark remarks[REMARKS_MAX];
	size_t remark_count;
	size_t lost_remarks;
};

static int keep_snapshots(struct fp_report_keeper *keeper, struct fp_report *to,
                          const struct fp_report *from)
{
	for (size_t i = 0; i < from->snapshot_count; i++) {
		struct fp_report_snapshot kept = from->snapshots[i];

		if (!fp_report_schema_keep(&fp_report_schema_snapshot, &kept, keeper) ||
		    fp_report_append(&to->snapshots, &to->snapshot_count, &kept,
		                     sizeof(kept)) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* Copies the snapshots of FROM, which are those of SOURCE in TO, unless those that TO has are
 * of a larger heap. To be called before the peak of FROM is in TO. 0 or -ENOMEM. */
static int keep_larger_heap(struct fp_report *to, struct fp_report *from, uint32_t source)
{
	struct fp_report_keeper keeper = {.arena = &to->snapshot_arena};
	int result;

	if (from->snapshot_count == 0 ||
	    (to->snapshot_count > 0 && from->heap.peak_bytes <= to->heap.peak_bytes))
		return 0;
	result = fp_report_resolve_snapshots(from, FP_SYMBOL_DEBUG_DIR);
	fp_report_forget_snapshots(to);
	fp_report_arena_free(&to->snapshot_arena);
	to->snapshot_arena = (struct fp_report_arena){0};
	to->snapshot_source = source;
	if (result == 0)
		result = keep_snapshots(&keeper, to, from);
	fp_report_keeper_end(&keeper);
	return result;
}

static bool is_same(struct fp_report_string a, struct fp_report_string b)
{
	return fp_report_compare_strings(a, b) == 0;
}

static int keep_arguments(struct whole *whole, const struct fp_report *report)
{
	for (size_t i = 0; i < report->argument_count; i++) {
		struct fp_report_string kept = report->arguments[i];

		if (!fp_report_keep_string(whole->keeper, &kept) ||
		    fp_report_append(&whole->report->arguments, &whole->report->argument_count,
		                     &kept, sizeof(kept)) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int keep_settings(struct whole *whole, const struct fp_report *report)
{
	for (size_t i = 0; i < report->setting_count && i < SETTINGS_MAX; i++) {
		struct fp_report_setting kept = report->settings[i];

		if (!fp_report_schema_keep(&fp_report_schema_setting, &kept, whole->keeper) ||
		    fp_report_append(&whole->report->settings, &whole->report->setting_count,
		                     &kept, sizeof(kept)) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int begin_whole(struct whole *whole, const struct fp_report *report)
{
	struct fp_report *to = whole->report;

	to->pid = report->pid;
	to->ppid = report->ppid;
	to->has_ppid = report->ppid != 0;
	to->executable = report->executable;
	to->has_executable = report->executable.size > 0;
	return fp_report_keep_string(whole->keeper, &to->executable)
	               ? keep_arguments(whole, report)
	               : -ENOMEM;
}

static int begin_end(struct whole *whole, const struct fp_report *report)
{
	whole->report->exit = report->exit;
	whole->report->exit_value = report->exit_value;
	return keep_settings(whole, report);
}

static bool has_arguments(const struct fp_report *a, const struct fp_report *b)
{
	if (a->argument_count != b->argument_count)
		return false;
	for (size_t i = 0; i < a->argument_count; i++) {
		if (!is_same(a->arguments[i], b->arguments[i]))
			return false;
	}
	return true;
}

static bool has_setting(const struct fp_report *report, const struct fp_report_setting *setting)
{
	for (size_t i = 0; i < report->setting_count && i < SETTINGS_MAX; i++) {
		if (is_same(report->settings[i].key, setting->key))
			return is_same(report->settings[i].value, setting->value);
	}
	return false;
}

/* Drops what REPORT does not share. */
static void narrow(struct fp_report *to, const struct fp_report *report)
{
	if (to->pid != report->pid)
		to->pid = 0;
	if (to->ppid != report->ppid)
		to->has_ppid = false;
	to->ppid = to->has_ppid ? to->ppid : 0;
	if (!is_same(to->executable, report->executable))
		to->has_executable = false;
	to->executable = to->has_executable ? to->executable : fp_report_text("");
	if (!has_arguments(to, report))
		to->argument_count = 0;
}

static void narrow_end(struct fp_report *to, const struct fp_report *report)
{
	size_t kept = 0;

	if (to->exit != report->exit || to->exit_value != report->exit_value)
		to->exit = FP_LOG_EXIT_UNKNOWN;
	for (size_t i = 0; i < to->setting_count; i++) {
		if (has_setting(report, &to->settings[i]))
			to->settings[kept++] = to->settings[i];
	}
	to->setting_count = kept;
}

static int add_reason(struct whole *whole, const struct fp_report_reason *reason)
{
	struct fp_report_protection *to = &whole->report->protection;
	struct fp_report_reason kept = *reason;

	for (size_t i = 0; i < to->reason_count; i++) {
		if (i == REASONS_MAX - 1 || is_same(to->reasons[i].text, reason->text)) {
			to->reasons[i].blocks =
			        fp_report_add_up(to->reasons[i].blocks, reason->blocks);
			return 0;
		}
	}
	if (to->reason_count == REASONS_MAX - 1)
		kept.text = fp_report_text(FP_SAY_OTHER_REASONS);
	if (!fp_report_keep_string(whole->keeper, &kept.text))
		return -ENOMEM;
	return fp_report_append(&to->reasons, &to->reason_count, &kept, sizeof(kept));
}

static int add_sums(struct whole *whole, const struct fp_report *report)
{
	struct fp_report *to = whole->report;
	int result = 0;

	/* Of some there may be nothing to add. */
	to->is_uncounted = report->is_uncounted && (!whole->has_any || to->is_uncounted);
	to->doors |= report->doors;
	to->has_check_failed |= fp_report_is_unknown(report);
	to->suppressed = fp_report_add_up(to->suppressed, report->suppressed);
	fp_report_schema_add(&fp_report_schema_protection, &to->protection,
	                     &report->protection);
	fp_report_schema_add(&fp_report_schema_heap, &to->heap, &report->heap);
	fp_report_schema_add(&fp_report_schema_unlisted, &to->unlisted, &report->unlisted);
	for (size_t i = 0; result == 0 && i < report->protection.reason_count; i++)
		result = add_reason(whole, &report->protection.reasons[i]);
	return result;
}

static int whole_note(struct whole *whole, struct fp_report_string text, uint32_t source)
{
	for (size_t i = 0; i < whole->remark_count; i++) {
		if (is_same(whole->remarks[i].text, text)) {
			whole->remarks[i].count++;
			return 0;
		}
	}
	if (whole->remark_count == REMARKS_MAX) {
		whole->lost_remarks++;
		return 0;
	}
	if (!fp_report_keep_string(whole->keeper, &text))
		return -ENOMEM;
	whole->remarks[whole->remark_count++] =
	        (struct remark){.text = text, .source = source, .count = 1};
	return 0;
}

static bool has_known(const struct fp_report *report, struct fp_report_string line)
{
	for (size_t i = 0; i < report->known_count; i++)
		if (is_same(report->known[i], line))
			return true;
	return false;
}

static int add_known(struct whole *whole, struct fp_report_string line)
{
	struct fp_report *to = whole->report;

	if (has_known(to, line))
		return 0;
	if (!fp_report_keep_string(whole->keeper, &line))
		return -ENOMEM;
	return fp_report_append(&to->known, &to->known_count, &line, sizeof(line));
}

static bool has_end(const struct fp_report *report)
{
	return !report->line.type || strcmp(report->line.type, "summary") == 0;
}

/* What all share of REPORT. 0 or -ENOMEM. */
static int whole_share(struct whole *whole, const struct fp_report *report)
{
	int result = 0;

	if (!whole->has_any)
		result = begin_whole(whole, report);
	else
		narrow(whole->report, report);
	if (!has_end(report) || result != 0)
		return result;
	if (!whole->has_end)
		result = begin_end(whole, report);
	else
		narrow_end(whole->report, report);
	whole->has_end = true;
	return result;
}

/* REPORT as it is from SOURCE on. 0 or -ENOMEM. */
static int whole_add(struct whole *whole, const struct fp_report *report, uint32_t source)
{
	int result = whole_share(whole, report);

	if (result == 0 && !(whole->is_repeated && whole->has_any))
		result = add_sums(whole, report);
	whole->has_any = true;
	for (size_t i = 0; result == 0 && i < report->note_count; i++)
		result = whole_note(whole, report->notes[i], source);
	for (size_t i = 0; result == 0 && i < report->known_count; i++)
		result = add_known(whole, report->known[i]);
	return result;
}

static int make_note(struct fp_report *report, const struct remark *remark)
{
	int size = (int)(remark->text.size < 2000 ? remark->text.size : 2000);
	const struct fp_report_source *source;
	struct fp_report_string name;

	if (remark->source >= report->source_count)
		return fp_report_note(report, "%.*s", size, remark->text.bytes);
	source = &report->sources[remark->source];
	name = source->name.size > 0 ? source->name : source->layout;
	if (remark->count == 1)
		return fp_report_note(report, "%.*s (%.*s)", size, remark->text.bytes,
		                      (int)name.size, name.bytes);
	return fp_report_note(report, FP_SAY_AND_MORE, size, remark->text.bytes, (int)name.size,
	                      name.bytes, remark->count - 1);
}

/* Makes the notes. 0 or -ENOMEM. */
static int whole_end(struct whole *whole)
{
	static const struct fp_report untold = {.exit = FP_LOG_EXIT_UNKNOWN};
	int result = 0;

	if (whole->unended > 0)
		narrow_end(whole->report, &untold);
	for (size_t i = 0; result == 0 && i < whole->remark_count; i++)
		result = make_note(whole->report, &whole->remarks[i]);
	if (result == 0 && whole->lost_remarks > 0)
		result = fp_report_note(whole->report, FP_SAY_MORE_NOTES_WERE,
		                        whole->lost_remarks);
	return result;
}

struct fp_report_merge {
	struct whole whole;
	struct fp_report_keeper keeper;
	struct fp_report_table findings; /* by fingerprint */
	struct fp_report_table leaks;
	struct fp_report_table growing;
	struct fp_report_table failed; /* by what a leak of the same stack would be called */
	struct fp_report_table runs;   /* numbers of sources, by what lines call the run */
};

/* A report on its way in. */
struct arrival {
	struct fp_report_merge *merge;
	const struct fp_report *report;
	uint64_t first_source; /* number of its own, or of the first that it brings */
	bool is_one;
	bool is_met; /* another line of the same process was before it */
};

int fp_report_merge_new(bool is_repeated, struct fp_report_merge **merge)
{
	*merge = calloc(1, sizeof(**merge));
	if (*merge)
		(*merge)->whole.report = calloc(1, sizeof(struct fp_report));
	if (!*merge || !(*merge)->whole.report) {
		fp_report_merge_free(*merge);
		*merge = NULL;
		return -ENOMEM;
	}
	(*merge)->whole.is_repeated = is_repeated;
	(*merge)->whole.keeper = &(*merge)->keeper;
	(*merge)->keeper.arena = &(*merge)->whole.report->arena;
	return 0;
}

static void add_up(uint64_t *sum, uint64_t number)
{
	*sum = fp_report_add_up(*sum, number);
}

/* The first ones are listed; their numbers are their indices. */
static int add_source(struct fp_report_merge *merge, const struct fp_report_source *source)
{
	struct fp_report *report = merge->whole.report;
	struct fp_report_source kept = *source;

	if (report->source_count == FP_REPORT_MERGE_SOURCES_MAX || report->more_sources > 0) {
		add_up(&report->more_sources, 1);
		return 0;
	}
	if (!fp_report_schema_keep(&fp_report_schema_source, &kept, &merge->keeper))
		return -ENOMEM;
	return fp_report_append(&report->sources, &report->source_count, &kept, sizeof(kept));
}

/* Finds the process that the line which arrives is of. 0 or -ENOMEM. */
static int find_run(struct arrival *arrival)
{
	const char *run = arrival->report->line.run;
	bool is_new;
	size_t at = fp_report_table_find(&arrival->merge->runs,
	                                 fp_hash_bytes(fp_hash_start, run, strlen(run)),
	                                 (size_t)arrival->first_source, &is_new);

	if (at == SIZE_MAX)
		return -ENOMEM;
	arrival->first_source = at;
	arrival->is_met = !is_new;
	arrival->merge->whole.unended += is_new;
	arrival->merge->whole.unended -= has_end(arrival->report);
	return 0;
}

static int add_sources(const struct arrival *arrival, const struct fp_report_origin *origin)
{
	const struct fp_report *report = arrival->report;
	struct fp_report *whole = arrival->merge->whole.report;
	int result = 0;

	if (arrival->is_met) {
		if (has_end(report) && arrival->first_source < whole->source_count) {
			whole->sources[arrival->first_source].exit = report->exit;
			whole->sources[arrival->first_source].exit_value = report->exit_value;
		}
		return 0;
	}
	if (arrival->is_one)
		return add_source(
		        arrival->merge,
		        &(struct fp_report_source){
		                .name = fp_report_text(origin->name ? origin->name : ""),
		                .layout = fp_report_text(origin->layout ? origin->layout : ""),
		                .pid = report->pid,
		                .executable = report->executable,
		                .exit = report->exit,
		                .exit_value = report->exit_value});
	for (size_t i = 0; result == 0 && i < report->source_count; i++)
		result = add_source(arrival->merge, &report->sources[i]);
	add_up(&whole->more_sources, report->more_sources);
	return result;
}

/* One report can have a fingerprint twice: two accesses on one line. Other shares may stand
 * between those of lines. */
static int add_listed(const struct arrival *arrival, struct fp_report_shares *shares,
                      const struct fp_report_share *share)
{
	size_t from = arrival->is_met || shares->count == 0 ? 0 : shares->count - 1;

	for (size_t at = shares->count; at-- > from;) {
		if (shares->items[at].source == share->source) {
			add_up(&shares->items[at].count, share->count);
			add_up(&shares->items[at].bytes, share->bytes);
			return 0;
		}
	}
	return fp_report_shares_add(shares, share);
}

static void add_beyond(struct fp_report_more_shares *beyond, uint64_t sources,
                       const struct fp_report_share *share)
{
	add_up(&beyond->sources, sources);
	beyond->has_bytes |= share->has_bytes;
	add_up(&beyond->count, share->count);
	add_up(&beyond->bytes, share->bytes);
}

/* SHARE of the source that is number share->source of ARRIVAL. */
static int add_share(const struct arrival *arrival, struct fp_report_shares *shares,
                     const struct fp_report_share *share)
{
	uint64_t number = arrival->first_source + share->source;
	struct fp_report_share listed = *share;

	if (number >= arrival->merge->whole.report->source_count) {
		add_beyond(&shares->beyond, shares->beyond.last != number + 1, share);
		shares->beyond.last = number + 1;
		return 0;
	}
	listed.source = (uint32_t)number;
	return add_listed(arrival, shares, &listed);
}

static int add_shares(const struct arrival *arrival, struct fp_report_shares *shares,
                      const struct fp_report_shares *brought,
                      const struct fp_report_share *whole)
{
	int result = 0;

	/* Who brings sources but no shares was not made by us, and is believed all the same. */
	if (arrival->is_one || fp_report_count_shares(brought) == 0)
		return add_share(arrival, shares, whole);
	for (size_t i = 0; result == 0 && i < brought->count; i++)
		result = add_share(arrival, shares, &brought->items[i]);
	add_beyond(&shares->beyond, brought->beyond.sources,
	           &(struct fp_report_share){.count = brought->beyond.count,
	                                     .has_bytes = brought->beyond.has_bytes,
	                                     .bytes = brought->beyond.bytes});
	return result;
}

static int keep_finding(struct fp_report_keeper *keeper, struct fp_report_finding *finding)
{
	bool was_freed_here = finding->block.free_stack == finding->stack;

	if (!fp_report_schema_keep(&fp_report_schema_finding, finding, keeper))
		return -ENOMEM;
	if (was_freed_here)
		finding->block.free_stack = finding->stack;
	return 0;
}

/* A copy of FINDING as number AT, a new one or in the place of another. */
static int put_finding(struct fp_report_merge *merge, const struct fp_report_finding *finding,
                       size_t at)
{
	struct fp_report *report = merge->whole.report;
	struct fp_report_finding kept = *finding;

	kept.index = (uint32_t)at;
	if (keep_finding(&merge->keeper, &kept) != 0)
		return -ENOMEM;
	if (at == report->finding_count)
		return fp_report_append(&report->findings, &report->finding_count, &kept,
		                        sizeof(kept));
	kept.shares = report->findings[at].shares;
	report->findings[at] = kept;
	return 0;
}

static int add_finding(const struct arrival *arrival, const struct fp_report_finding *finding)
{
	struct fp_report *report = arrival->merge->whole.report;
	bool is_new;
	size_t at = fp_report_table_find(&arrival->merge->findings, finding->fingerprint,
	                                 report->finding_count, &is_new);

	if (at == SIZE_MAX)
		return -ENOMEM;
	if ((is_new || (arrival->merge->whole.is_repeated &&
	                fp_report_is_more_exact(finding, &report->findings[at]))) &&
	    put_finding(arrival->merge, finding, at) != 0)
		return -ENOMEM;
	return add_shares(arrival, &report->findings[at].shares, &finding->shares,
	                  &(struct fp_report_share){.count = finding->count});
}

static int add_leak(const struct arrival *arrival, const struct fp_report_leak *leak)
{
	struct fp_report *report = arrival->merge->whole.report;
	bool is_new;
	size_t at = fp_report_table_find(&arrival->merge->leaks, leak->fingerprint,
	                                 report->leak_count, &is_new);

	if (at == SIZE_MAX)
		return -ENOMEM;
	if (is_new) {
		struct fp_report_leak kept = *leak;

		if (!fp_report_schema_keep(&fp_report_schema_leak, &kept,
		                           &arrival->merge->keeper) ||
		    fp_report_append(&report->leaks, &report->leak_count, &kept,
		                     sizeof(kept)) != 0)
			return -ENOMEM;
	} else {
		fp_report_leak_add_details(&report->leaks[at], leak);
	}
	return add_shares(arrival, &report->leaks[at].shares, &leak->shares,
	                  &(struct fp_report_share){.count = leak->blocks,
	                                            .has_bytes = true,
	                                            .bytes = leak->bytes});
}

/* Times of two processes have nothing to do with each other: the one where it grew most is
 * shown. */
static int add_growing(const struct arrival *arrival, const struct fp_report_growing *growing)
{
	const struct fp_report_rise rise = fp_report_rise_of(growing);
	struct fp_report *report = arrival->merge->whole.report;
	bool is_new;
	size_t at = fp_report_table_find(&arrival->merge->growing, growing->fingerprint,
	                                 report->growth.count, &is_new);

	if (at == SIZE_MAX || (is_new && !fp_report_add_growing(report)))
		return -ENOMEM;
	struct fp_report_growing *kept = &report->growth.stacks[at];
	if (is_new || rise.bytes > fp_report_rise_of(kept).bytes) {
		struct fp_report_shares shares = kept->shares;

		*kept = *growing;
		if (!fp_report_schema_keep(&fp_report_schema_growing, kept,
		                           &arrival->merge->keeper))
			return -ENOMEM;
		kept->shares = shares;
	}
	return add_shares(arrival, &kept->shares, &growing->shares,
	                  &(struct fp_report_share){.count = rise.live_blocks,
	                                            .has_bytes = true,
	                                            .bytes = rise.bytes});
}

static int add_growth(const struct arrival *arrival)
{
	const struct fp_report *from = arrival->report;
	struct fp_report *to = arrival->merge->whole.report;
	int result = 0;

	to->growth.is_looked_for |= from->growth.is_looked_for;
	to->growth.is_judged |= from->growth.is_judged;
	if (from->growth.snapshots > to->growth.snapshots)
		to->growth.snapshots = from->growth.snapshots;
	if (!arrival->merge->whole.is_repeated)
		to->growth.left_out =
		        fp_report_add_up(to->growth.left_out, from->growth.left_out);
	else if (from->growth.left_out > to->growth.left_out)
		to->growth.left_out = from->growth.left_out;
	for (size_t i = 0; result == 0 && i < from->growth.count; i++)
		result = add_growing(arrival, &from->growth.stacks[i]);
	return result;
}

/* Nobody's mistake, so nobody asks whose they are: only how many. */
static int add_failed(struct fp_report_merge *merge, const struct fp_report_failed *failed)
{
	static const struct fp_report_stack empty;
	const struct fp_report_leak leak = {.stack = failed->stack ? failed->stack : &empty};
	struct fp_report *report = merge->whole.report;
	bool is_new;
	size_t at = fp_report_table_find(&merge->failed, fp_report_leak_fingerprint(&leak),
	                                 report->failed_count, &is_new);

	if (at == SIZE_MAX)
		return -ENOMEM;
	if (is_new) {
		struct fp_report_failed kept = *failed;

		if (!fp_report_schema_keep(&fp_report_schema_failed, &kept, &merge->keeper) ||
		    fp_report_append(&report->failed, &report->failed_count, &kept,
		                     sizeof(kept)) != 0)
			return -ENOMEM;
	} else if (!merge->whole.is_repeated) {
		report->failed[at].count =
		        fp_report_add_up(report->failed[at].count, failed->count);
	}
	return 0;
}

static int keep_heap(const struct arrival *arrival, struct fp_report *report)
{
	uint64_t own = arrival->is_one ? 0 : report->snapshot_source;
	uint64_t source = own == UINT32_MAX ? own : arrival->first_source + own;

	return keep_larger_heap(arrival->merge->whole.report, report,
	                        source < UINT32_MAX ? (uint32_t)source : UINT32_MAX);
}

int fp_report_merge_add(struct fp_report_merge *merge, struct fp_report *report,
                        const struct fp_report_origin *origin)
{
	struct arrival arrival = {merge, report, fp_report_count_sources(merge->whole.report),
	                          origin->layout || report->source_count == 0, false};
	int result = report->line.run ? find_run(&arrival) : 0;

	if (result == 0)
		result = add_sources(&arrival, origin);
	for (size_t i = 0; result == 0 && i < report->finding_count; i++)
		result = add_finding(&arrival, &report->findings[i]);
	for (size_t i = 0; result == 0 && i < report->leak_count; i++)
		result = add_leak(&arrival, &report->leaks[i]);
	for (size_t i = 0; result == 0 && i < report->failed_count; i++)
		result = add_failed(merge, &report->failed[i]);
	if (result == 0)
		result = add_growth(&arrival);
	if (result == 0)
		result = keep_heap(&arrival, report);
	return result != 0 ? result
	                   : whole_add(&merge->whole, report,
	                               (uint32_t)(arrival.first_source < UINT32_MAX
	                                                  ? arrival.first_source
	                                                  : UINT32_MAX));
}

bool fp_report_merge_is_empty(const struct fp_report_merge *merge)
{
	return !merge->whole.has_any;
}

int fp_report_merge_note(struct fp_report_merge *merge, const char *text)
{
	return whole_note(&merge->whole, fp_report_text(text), UINT32_MAX);
}

static struct fp_report_share total_of(const struct fp_report_merge *merge,
                                       struct fp_report_shares *shares)
{
	uint64_t unlisted = merge->whole.report->more_sources;
	struct fp_report_share total = {.count = shares->beyond.count,
	                                .bytes = shares->beyond.bytes};

	/* A run whose lines did not stand together was counted again. */
	if (shares->beyond.sources > unlisted)
		shares->beyond.sources = unlisted;
	for (size_t i = 0; i < shares->count; i++) {
		const struct fp_report_share *share = &shares->items[i];

		if (!merge->whole.is_repeated) {
			total.count = fp_report_add_up(total.count, share->count);
			total.bytes = fp_report_add_up(total.bytes, share->bytes);
		} else if (share->bytes > total.bytes || share->count > total.count) {
			total = *share;
		}
	}
	return total;
}

static int compare_leaks(const void *left, const void *right)
{
	const struct fp_report_leak *a = left;
	const struct fp_report_leak *b = right;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return (a->fingerprint > b->fingerprint) - (a->fingerprint < b->fingerprint);
}

int fp_report_merge_end(struct fp_report_merge *merge, struct fp_report **report)
{
	struct fp_report *merged = merge->whole.report;
	int result = whole_end(&merge->whole);

	if (result == 0 && merge->whole.is_repeated)
		result = fp_report_join_layouts(merged);
	for (size_t i = 0; i < merged->finding_count; i++)
		merged->findings[i].count = total_of(merge, &merged->findings[i].shares).count;
	for (size_t i = 0; i < merged->leak_count; i++) {
		struct fp_report_share total = total_of(merge, &merged->leaks[i].shares);

		merged->leaks[i].blocks = total.count;
		merged->leaks[i].bytes = total.bytes;
	}
	if (merged->leak_count > 0)
		qsort(merged->leaks, merged->leak_count, sizeof(merged->leaks[0]),
		      compare_leaks);
	fp_report_sort_growing(merged);
	*report = NULL;
	if (result == 0) {
		*report = merged;
		merge->whole.report = NULL;
	}
	fp_report_merge_free(merge);
	return result;
}

void fp_report_merge_free(struct fp_report_merge *merge)
{
	if (!merge)
		return;
	fp_report_table_free(&merge->findings);
	fp_report_table_free(&merge->leaks);
	fp_report_table_free(&merge->growing);
	fp_report_table_free(&merge->failed);
	fp_report_table_free(&merge->runs);
	fp_report_keeper_end(&merge->keeper);
	fp_report_free(merge->whole.report);
	free(merge);
}
