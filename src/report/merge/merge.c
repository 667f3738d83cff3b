/* SPDX-License-Identifier: Apache-2.0
 *
 * The sources, findings and leaks of a merge.
 * Of the whole, what the sources do not share is left out rather than guessed, and every list
 * that a source could make long has an end.
 */
#include "report/merge/merge.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/tool_messages.h"
#include "report/fingerprint.h"
#include "report/leaks.h"
#include "report/schema.h"
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

/* A line of --ndjson is of a process, but only the last of its lines tells its end and its
 * settings. */
struct fp_report_merge {
	struct fp_report *report;
	struct fp_report_keeper keeper;
	bool is_repeated;
	bool has_any;
	bool has_end;    /* of one that told how it ended */
	int64_t unended; /* sources whose end was not told yet */
	struct remark remarks[REMARKS_MAX];
	size_t remark_count;
	size_t lost_remarks;
	/* Their numbers, by fingerprint (fp_report_number_of). */
	void *findings;
	void *leaks;
	void *growing;
	void *failed; /* by what a leak of the same stack would be called */
	void *runs;   /* numbers of sources, by what lines call the run */
};

/* Appends copies of the COUNT items of SCHEMA at FROM to the list ITEMS. 0 or -ENOMEM. */
static int keep_items(struct fp_report_keeper *keeper, const struct fp_schema_record *schema,
                      const void *from, size_t count, void *items, size_t *item_count)
{
	for (size_t i = 0; i < count; i++) {
		char *list;

		if (fp_report_append(keeper->arena, items, item_count,
		                     (const char *)from + i * schema->size, schema->size) != 0)
			return -ENOMEM;
		memcpy(&list, items, sizeof(list));
		if (!fp_report_schema_keep(schema, list + (*item_count - 1) * schema->size,
		                           keeper))
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
	fp_report_arena_free(&to->snapshot_arena);
	to->snapshots = NULL;
	to->snapshot_count = 0;
	to->snapshot_source = source;
	if (result == 0)
		result = keep_items(&keeper, &fp_report_schema_snapshot, from->snapshots,
		                    from->snapshot_count, &to->snapshots, &to->snapshot_count);
	fp_report_keeper_end(&keeper);
	return result;
}

static bool is_same(struct fp_report_string a, struct fp_report_string b)
{
	return fp_report_compare_strings(a, b) == 0;
}

/* Adds a copy of TEXT to the list TEXTS. 0 or -ENOMEM. */
static int keep_text(struct fp_report_keeper *keeper, struct fp_report_string text,
                     struct fp_report_string **texts, size_t *count)
{
	return fp_report_keep_string(keeper, &text)
	               ? fp_report_append(keeper->arena, texts, count, &text, sizeof(text))
	               : -ENOMEM;
}

static int begin_whole(struct fp_report_merge *merge, const struct fp_report *report)
{
	struct fp_report *to = merge->report;

	to->pid = report->pid;
	to->ppid = report->ppid;
	to->has_ppid = report->ppid != 0;
	to->executable = report->executable;
	to->has_executable = report->executable.size > 0;
	if (!fp_report_keep_string(&merge->keeper, &to->executable))
		return -ENOMEM;
	for (size_t i = 0; i < report->argument_count; i++)
		if (keep_text(&merge->keeper, report->arguments[i], &to->arguments,
		              &to->argument_count) != 0)
			return -ENOMEM;
	return 0;
}

static int begin_end(struct fp_report_merge *merge, const struct fp_report *report)
{
	struct fp_report *to = merge->report;
	size_t count =
	        report->setting_count < SETTINGS_MAX ? report->setting_count : SETTINGS_MAX;

	to->exit = report->exit;
	to->exit_value = report->exit_value;
	return keep_items(&merge->keeper, &fp_report_schema_setting, report->settings, count,
	                  &to->settings, &to->setting_count);
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

static int add_reason(struct fp_report_merge *merge, const struct fp_report_reason *reason)
{
	struct fp_report_protection *to = &merge->report->protection;
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
	if (!fp_report_keep_string(&merge->keeper, &kept.text))
		return -ENOMEM;
	return fp_report_append(&merge->report->arena, &to->reasons, &to->reason_count, &kept,
	                        sizeof(kept));
}

static int add_sums(struct fp_report_merge *merge, const struct fp_report *report)
{
	struct fp_report *to = merge->report;
	int result = 0;

	/* Of some there may be nothing to add. */
	to->is_uncounted = report->is_uncounted && (!merge->has_any || to->is_uncounted);
	to->doors |= report->doors;
	to->has_check_failed |= fp_report_is_unknown(report);
	to->suppressed = fp_report_add_up(to->suppressed, report->suppressed);
	fp_report_schema_add(&fp_report_schema_protection, &to->protection,
	                     &report->protection);
	fp_report_schema_add(&fp_report_schema_heap, &to->heap, &report->heap);
	fp_report_schema_add(&fp_report_schema_unlisted, &to->unlisted, &report->unlisted);
	for (size_t i = 0; result == 0 && i < report->protection.reason_count; i++)
		result = add_reason(merge, &report->protection.reasons[i]);
	return result;
}

static int whole_note(struct fp_report_merge *merge, struct fp_report_string text,
                      uint32_t source)
{
	for (size_t i = 0; i < merge->remark_count; i++) {
		if (is_same(merge->remarks[i].text, text)) {
			merge->remarks[i].count++;
			return 0;
		}
	}
	if (merge->remark_count == REMARKS_MAX) {
		merge->lost_remarks++;
		return 0;
	}
	if (!fp_report_keep_string(&merge->keeper, &text))
		return -ENOMEM;
	merge->remarks[merge->remark_count++] =
	        (struct remark){.text = text, .source = source, .count = 1};
	return 0;
}

static int add_known(struct fp_report_merge *merge, struct fp_report_string line)
{
	struct fp_report *to = merge->report;

	for (size_t i = 0; i < to->known_count; i++)
		if (is_same(to->known[i], line))
			return 0;
	return keep_text(&merge->keeper, line, &to->known, &to->known_count);
}

static bool has_end(const struct fp_report *report)
{
	return !report->line.type || strcmp(report->line.type, "summary") == 0;
}

/* What all share of REPORT. 0 or -ENOMEM. */
static int whole_share(struct fp_report_merge *merge, const struct fp_report *report)
{
	int result = 0;

	if (!merge->has_any)
		result = begin_whole(merge, report);
	else
		narrow(merge->report, report);
	if (!has_end(report) || result != 0)
		return result;
	if (!merge->has_end)
		result = begin_end(merge, report);
	else
		narrow_end(merge->report, report);
	merge->has_end = true;
	return result;
}

/* REPORT as it is from SOURCE on. 0 or -ENOMEM. */
static int whole_add(struct fp_report_merge *merge, const struct fp_report *report,
                     uint32_t source)
{
	int result = whole_share(merge, report);

	if (result == 0 && !(merge->is_repeated && merge->has_any))
		result = add_sums(merge, report);
	merge->has_any = true;
	for (size_t i = 0; result == 0 && i < report->note_count; i++)
		result = whole_note(merge, report->notes[i], source);
	for (size_t i = 0; result == 0 && i < report->known_count; i++)
		result = add_known(merge, report->known[i]);
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
static int whole_end(struct fp_report_merge *merge)
{
	static const struct fp_report untold = {.exit = FP_LOG_EXIT_UNKNOWN};
	int result = 0;

	if (merge->unended > 0)
		narrow_end(merge->report, &untold);
	for (size_t i = 0; result == 0 && i < merge->remark_count; i++)
		result = make_note(merge->report, &merge->remarks[i]);
	if (result == 0 && merge->lost_remarks > 0)
		result = fp_report_note(merge->report, FP_SAY_MORE_NOTES_WERE,
		                        merge->lost_remarks);
	return result;
}

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
		(*merge)->report = calloc(1, sizeof(struct fp_report));
	if (!*merge || !(*merge)->report) {
		fp_report_merge_free(*merge);
		*merge = NULL;
		return -ENOMEM;
	}
	(*merge)->is_repeated = is_repeated;
	(*merge)->keeper.arena = &(*merge)->report->arena;
	return 0;
}

static void add_up(uint64_t *sum, uint64_t number)
{
	*sum = fp_report_add_up(*sum, number);
}

/* The first ones are listed; their numbers are their indices. */
static int add_source(struct fp_report_merge *merge, const struct fp_report_source *source)
{
	struct fp_report *report = merge->report;

	if (report->source_count == FP_REPORT_MERGE_SOURCES_MAX || report->more_sources > 0) {
		add_up(&report->more_sources, 1);
		return 0;
	}
	return keep_items(&merge->keeper, &fp_report_schema_source, source, 1, &report->sources,
	                  &report->source_count);
}

/* Finds the process that the line which arrives is of. 0 or -ENOMEM. */
static int find_run(struct arrival *arrival)
{
	const char *run = arrival->report->line.run;
	bool is_new;
	size_t at = fp_report_number_of(&arrival->merge->runs,
	                                fp_hash_bytes(fp_hash_start, run, strlen(run)),
	                                (size_t)arrival->first_source, &is_new);

	if (at == SIZE_MAX)
		return -ENOMEM;
	arrival->first_source = at;
	arrival->is_met = !is_new;
	arrival->merge->unended += is_new;
	arrival->merge->unended -= has_end(arrival->report);
	return 0;
}

static int add_sources(const struct arrival *arrival, const struct fp_report_origin *origin)
{
	const struct fp_report *report = arrival->report;
	struct fp_report *whole = arrival->merge->report;
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
	return fp_report_append(&arrival->merge->report->arena, &shares->items, &shares->count,
	                        share, sizeof(*share));
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

	if (number >= arrival->merge->report->source_count) {
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

/* A copy of FINDING as number AT, a new one or in the place of another. */
static int put_finding(struct fp_report_merge *merge, const struct fp_report_finding *finding,
                       size_t at)
{
	struct fp_report *report = merge->report;
	struct fp_report_finding kept = *finding;

	kept.index = (uint32_t)at;
	if (!fp_report_schema_keep(&fp_report_schema_finding, &kept, &merge->keeper))
		return -ENOMEM;
	if (finding->block.free_stack == finding->stack)
		kept.block.free_stack = kept.stack;
	if (at == report->finding_count)
		return fp_report_append(&report->arena, &report->findings,
		                        &report->finding_count, &kept, sizeof(kept));
	kept.shares = report->findings[at].shares;
	report->findings[at] = kept;
	return 0;
}

static int add_finding(const struct arrival *arrival, const struct fp_report_finding *finding)
{
	struct fp_report *report = arrival->merge->report;
	bool is_new;
	size_t at = fp_report_number_of(&arrival->merge->findings, finding->fingerprint,
	                                report->finding_count, &is_new);

	if (at == SIZE_MAX)
		return -ENOMEM;
	if ((is_new || (arrival->merge->is_repeated &&
	                fp_report_is_more_exact(finding, &report->findings[at]))) &&
	    put_finding(arrival->merge, finding, at) != 0)
		return -ENOMEM;
	return add_shares(arrival, &report->findings[at].shares, &finding->shares,
	                  &(struct fp_report_share){.count = finding->count});
}

/* The item of a list of COUNT items of SCHEMA that stands for FINGERPRINT in NUMBERS; *IS_NEW:
 * it is a copy of ITEM, which was added. NULL when out of memory. */
static void *find_kept(struct fp_report_merge *merge, void **numbers, uint64_t fingerprint,
                       const struct fp_schema_record *schema, const void *item, void *items,
                       size_t *count, bool *is_new)
{
	size_t at = fp_report_number_of(numbers, fingerprint, *count, is_new);
	char *list;

	if (at == SIZE_MAX ||
	    (*is_new && keep_items(&merge->keeper, schema, item, 1, items, count) != 0))
		return NULL;
	memcpy(&list, items, sizeof(list));
	return list + at * schema->size;
}

static int add_leak(const struct arrival *arrival, const struct fp_report_leak *leak)
{
	struct fp_report *report = arrival->merge->report;
	bool is_new;
	struct fp_report_leak *kept = find_kept(arrival->merge, &arrival->merge->leaks,
	                                        leak->fingerprint, &fp_report_schema_leak, leak,
	                                        &report->leaks, &report->leak_count, &is_new);

	if (!kept)
		return -ENOMEM;
	if (!is_new)
		fp_report_leak_add_details(kept, leak);
	return add_shares(arrival, &kept->shares, &leak->shares,
	                  &(struct fp_report_share){.count = leak->blocks,
	                                            .has_bytes = true,
	                                            .bytes = leak->bytes});
}

/* Times of two processes have nothing to do with each other: the one where it grew most is
 * shown. */
static int add_growing(const struct arrival *arrival, const struct fp_report_growing *growing)
{
	const struct fp_report_rise rise = fp_report_rise_of(growing);
	struct fp_report *report = arrival->merge->report;
	bool is_new;
	struct fp_report_growing *kept =
	        find_kept(arrival->merge, &arrival->merge->growing, growing->fingerprint,
	                  &fp_report_schema_growing, growing, &report->growth.stacks,
	                  &report->growth.count, &is_new);

	if (!kept)
		return -ENOMEM;
	if (!is_new && rise.bytes > fp_report_rise_of(kept).bytes) {
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
	struct fp_report *to = arrival->merge->report;
	int result = 0;

	to->growth.is_looked_for |= from->growth.is_looked_for;
	to->growth.is_judged |= from->growth.is_judged;
	if (from->growth.snapshots > to->growth.snapshots)
		to->growth.snapshots = from->growth.snapshots;
	if (!arrival->merge->is_repeated)
		add_up(&to->growth.left_out, from->growth.left_out);
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
	struct fp_report *report = merge->report;
	bool is_new;
	struct fp_report_failed *kept =
	        find_kept(merge, &merge->failed, fp_report_leak_fingerprint(&leak),
	                  &fp_report_schema_failed, failed, &report->failed,
	                  &report->failed_count, &is_new);

	if (!kept)
		return -ENOMEM;
	if (!is_new && !merge->is_repeated)
		add_up(&kept->count, failed->count);
	return 0;
}

static int keep_heap(const struct arrival *arrival, struct fp_report *report)
{
	uint64_t own = arrival->is_one ? 0 : report->snapshot_source;
	uint64_t source = own == UINT32_MAX ? own : arrival->first_source + own;

	return keep_larger_heap(arrival->merge->report, report,
	                        source < UINT32_MAX ? (uint32_t)source : UINT32_MAX);
}

int fp_report_merge_add(struct fp_report_merge *merge, struct fp_report *report,
                        const struct fp_report_origin *origin)
{
	struct arrival arrival = {merge, report, fp_report_count_sources(merge->report),
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
	                   : whole_add(merge, report,
	                               (uint32_t)(arrival.first_source < UINT32_MAX
	                                                  ? arrival.first_source
	                                                  : UINT32_MAX));
}

bool fp_report_merge_is_empty(const struct fp_report_merge *merge)
{
	return !merge->has_any;
}

int fp_report_merge_note(struct fp_report_merge *merge, const char *text)
{
	return whole_note(merge, fp_report_text(text), UINT32_MAX);
}

static struct fp_report_share total_of(const struct fp_report_merge *merge,
                                       struct fp_report_shares *shares)
{
	uint64_t unlisted = merge->report->more_sources;
	struct fp_report_share total = {.count = shares->beyond.count,
	                                .bytes = shares->beyond.bytes};

	/* A run whose lines did not stand together was counted again. */
	if (shares->beyond.sources > unlisted)
		shares->beyond.sources = unlisted;
	for (size_t i = 0; i < shares->count; i++) {
		const struct fp_report_share *share = &shares->items[i];

		if (!merge->is_repeated) {
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
	struct fp_report *merged = merge->report;
	int result = whole_end(merge);

	if (result == 0 && merge->is_repeated)
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
		merge->report = NULL;
	}
	fp_report_merge_free(merge);
	return result;
}

void fp_report_merge_free(struct fp_report_merge *merge)
{
	if (!merge)
		return;
	tdestroy(merge->findings, free);
	tdestroy(merge->leaks, free);
	tdestroy(merge->growing, free);
	tdestroy(merge->failed, free);
	tdestroy(merge->runs, free);
	fp_report_keeper_end(&merge->keeper);
	fp_report_free(merge->report);
	free(merge);
}
