/* SPDX-License-Identifier: Apache-2.0
 *
 * Pairs of entries, by fingerprint and then by likeness.
 * As text a new finding is shown with its stack, for whoever broke the build; of the others a
 * line is enough.
 */
#include "report/merge/diff.h"

#include <errno.h>
#include <stdlib.h>

#include "report/fingerprint.h"
#include "report/json/write.h"
#include "report/stack.h"
#include "report/text/page.h"

/* One finding or leak of either report on its way to its partner. */
struct candidate {
	struct fp_report_entry entry;
	uint64_t key; /* that partners share: the fingerprint, then the likeness */
	uint64_t likeness;
	size_t order; /* in its report */
	bool is_after;
	bool is_paired;
};

struct pairing {
	struct candidate *candidates;
	size_t count;
	struct fp_report_diff *diff;
};

static void add_candidate(struct pairing *pairing, struct candidate candidate)
{
	candidate.order = pairing->count;
	pairing->candidates[pairing->count++] = candidate;
}

static void add_candidates(struct pairing *pairing, const struct fp_report *report,
                           bool is_after)
{
	for (size_t i = 0; i < report->finding_count; i++) {
		const struct fp_report_finding *finding = &report->findings[i];

		add_candidate(pairing, (struct candidate){
		                               .entry.finding = finding,
		                               .key = finding->fingerprint,
		                               .likeness = fp_report_finding_likeness(finding),
		                               .is_after = is_after});
	}
	for (size_t i = 0; i < report->leak_count; i++) {
		const struct fp_report_leak *leak = &report->leaks[i];

		add_candidate(pairing,
		              (struct candidate){.entry.leak = leak,
		                                 .key = leak->fingerprint,
		                                 .likeness = fp_report_leak_likeness(leak),
		                                 .is_after = is_after});
	}
}

static bool has_grown(const struct fp_report_entry *before, const struct fp_report_entry *after)
{
	if (before->finding && after->finding)
		return after->finding->count > before->finding->count;
	if (before->leak && after->leak)
		return after->leak->blocks > before->leak->blocks ||
		       after->leak->bytes > before->leak->bytes;
	return false;
}

static void add_difference(struct pairing *pairing, const struct candidate *before,
                           const struct candidate *after)
{
	struct fp_report_difference difference = {.change = FP_REPORT_UNCHANGED};

	if (before)
		difference.before = before->entry;
	if (after)
		difference.after = after->entry;
	if (!before)
		difference.change = FP_REPORT_NEW;
	else if (!after)
		difference.change = FP_REPORT_GONE;
	else if (has_grown(&before->entry, &after->entry))
		difference.change = FP_REPORT_GROWN;
	pairing->diff->counts[difference.change]++;
	pairing->diff->items[pairing->diff->count++] = difference;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left;
	const struct candidate *b = right;
	int result = compare_numbers(a->key, b->key);

	return result != 0 ? result : compare_numbers(a->order, b->order);
}

static void sort(struct pairing *pairing)
{
	qsort(pairing->candidates, pairing->count, sizeof(*pairing->candidates),
	      compare_candidates);
}

/* The partner of each is the first free one of the later report. */
static void pair(struct pairing *pairing)
{
	sort(pairing);
	for (size_t i = 0; i < pairing->count; i++) {
		struct candidate *before = &pairing->candidates[i];

		for (size_t j = i + 1;
		     !before->is_after && !before->is_paired && j < pairing->count &&
		     pairing->candidates[j].key == before->key;
		     j++) {
			struct candidate *after = &pairing->candidates[j];

			if (!after->is_after || after->is_paired)
				continue;
			before->is_paired = after->is_paired = true;
			add_difference(pairing, before, after);
		}
	}
}

static void pair_all(struct pairing *pairing)
{
	pair(pairing);
	for (size_t i = 0; i < pairing->count; i++)
		pairing->candidates[i].key = pairing->candidates[i].likeness;
	pair(pairing);
	for (size_t i = 0; i < pairing->count; i++)
		pairing->candidates[i].key = 0;
	sort(pairing);
	for (size_t i = 0; i < pairing->count; i++) {
		const struct candidate *candidate = &pairing->candidates[i];

		if (!candidate->is_paired)
			add_difference(pairing, candidate->is_after ? NULL : candidate,
			               candidate->is_after ? candidate : NULL);
	}
}

/* Entries of one kind stand in one array. */
static uintptr_t place_of(const struct fp_report_entry *entry)
{
	return entry->finding ? (uintptr_t)entry->finding : (uintptr_t)entry->leak;
}

static int compare_differences(const void *left, const void *right)
{
	const struct fp_report_difference *a = left;
	const struct fp_report_difference *b = right;
	bool is_leak = !a->after.finding && !a->before.finding;
	bool is_other_leak = !b->after.finding && !b->before.finding;

	if (a->change != b->change)
		return a->change < b->change ? -1 : 1;
	if (is_leak != is_other_leak)
		return is_leak ? 1 : -1;
	if (place_of(&a->after) != 0 && place_of(&b->after) != 0)
		return compare_numbers(place_of(&a->after), place_of(&b->after));
	return compare_numbers(place_of(&a->before), place_of(&b->before));
}

int fp_report_diff_make(const struct fp_report *before, const struct fp_report *after,
                        struct fp_report_diff *diff)
{
	size_t most = before->finding_count + before->leak_count + after->finding_count +
	              after->leak_count;
	struct pairing pairing = {.diff = diff};

	*diff = (struct fp_report_diff){.suppressed = after->suppressed,
	                                .suppressions = after->suppressions};
	pairing.candidates = calloc(most + 1, sizeof(*pairing.candidates));
	diff->items = calloc(most + 1, sizeof(*diff->items));
	if (!pairing.candidates || !diff->items) {
		free(pairing.candidates);
		fp_report_diff_free(diff);
		return -ENOMEM;
	}
	add_candidates(&pairing, before, false);
	add_candidates(&pairing, after, true);
	pair_all(&pairing);
	qsort(diff->items, diff->count, sizeof(*diff->items), compare_differences);
	free(pairing.candidates);
	return 0;
}

void fp_report_diff_free(struct fp_report_diff *diff)
{
	free(diff->items);
	*diff = (struct fp_report_diff){0};
}

static const char *change_name(enum fp_report_change change)
{
	static const char *const names[FP_REPORT_CHANGE_COUNT] = {
	        [FP_REPORT_NEW] = "new",
	        [FP_REPORT_GONE] = "gone",
	        [FP_REPORT_GROWN] = "grown",
	        [FP_REPORT_UNCHANGED] = "unchanged",
	};

	return names[change];
}

bool fp_report_diff_has_error(const struct fp_report_diff *diff, enum fp_report_change change)
{
	for (size_t i = 0; i < diff->count; i++) {
		const struct fp_report_entry *after = &diff->items[i].after;

		if (diff->items[i].change == change &&
		    (after->finding || (after->leak && after->leak->class <= FP_LEAK_INDIRECT)))
			return true;
	}
	return false;
}

static void print_title(const struct fp_report_page *page, const struct fp_report_entry *entry)
{
	if (entry->finding)
		fp_report_print_title(page, entry->finding);
	else
		fp_report_print_leak_title(page, entry->leak);
}

static void print_past(const struct fp_report_page *page, const struct fp_report_entry *entry)
{
	fputs(", was ", page->out);
	if (entry->finding) {
		fputs(FP_COUNT(entry->finding->count, "time"), page->out);
		return;
	}
	fprintf(page->out, "%s in %s", FP_COUNT(entry->leak->bytes, "byte"),
	        FP_COUNT(entry->leak->blocks, "block"));
}

static void print_new(const struct fp_report_page *page, const struct fp_report_entry *entry)
{
	const struct fp_report_stack *stack =
	        entry->finding ? entry->finding->stack : entry->leak->stack;

	if (entry->finding && stack->count == 0 && entry->finding->block.alloc_stack)
		stack = entry->finding->block.alloc_stack;
	fp_report_print_stack(page, stack);
}

static void print_difference(const struct fp_report_page *page,
                             const struct fp_report_difference *difference)
{
	bool is_gone = difference->change == FP_REPORT_GONE;

	fprintf(page->out, "fencepost: %s: ", change_name(difference->change));
	print_title(page, is_gone ? &difference->before : &difference->after);
	if (difference->change == FP_REPORT_GROWN)
		print_past(page, &difference->before);
	fputc('\n', page->out);
	if (difference->change == FP_REPORT_NEW)
		print_new(page, &difference->after);
}

void fp_report_diff_print(const struct fp_report_diff *diff, FILE *out, bool has_colour)
{
	const struct fp_report_page page = {.out = out, .has_colour = has_colour};

	for (size_t i = 0; i < diff->count; i++) {
		if (diff->items[i].change != FP_REPORT_UNCHANGED)
			print_difference(&page, &diff->items[i]);
	}
	fp_report_print_suppressions(&page, diff->suppressions);
	fputs("fencepost: ", out);
	for (int i = 0; i < FP_REPORT_CHANGE_COUNT; i++) {
		fputs(i > 0 ? ", " : "", out);
		fputs(FP_NUMBER(diff->counts[i]), page.out);
		fprintf(out, " %s", change_name(i));
	}
	if (diff->suppressed > 0) {
		fputs(", ", out);
		fputs(FP_NUMBER(diff->suppressed), page.out);
		fputs(" suppressed", out);
	}
	fputc('\n', out);
}

static json_t *make_entry(struct fp_report_tree *tree, const struct fp_report_entry *entry)
{
	return entry->finding
	               ? fp_report_make_record(tree, &fp_report_schema_finding, entry->finding)
	               : fp_report_make_record(tree, &fp_report_schema_leak, entry->leak);
}

static json_t *make_difference(struct fp_report_tree *tree,
                               const struct fp_report_difference *difference)
{
	json_t *json;

	if (difference->change == FP_REPORT_NEW)
		return make_entry(tree, &difference->after);
	if (difference->change == FP_REPORT_GONE)
		return make_entry(tree, &difference->before);
	json = json_object();
	fp_report_tree_put(tree, json, "before", make_entry(tree, &difference->before));
	fp_report_tree_put(tree, json, "after", make_entry(tree, &difference->after));
	return json;
}

static json_t *make_change(struct fp_report_tree *tree, const struct fp_report_diff *diff,
                           enum fp_report_change change)
{
	json_t *json = json_object();
	json_t *findings = json_array();
	json_t *leaks = json_array();

	for (size_t i = 0; i < diff->count; i++) {
		const struct fp_report_difference *item = &diff->items[i];

		if (item->change == change)
			fp_report_tree_append(
			        tree,
			        item->before.finding || item->after.finding ? findings : leaks,
			        make_difference(tree, item));
	}
	fp_report_tree_put(tree, json, "findings", findings);
	fp_report_tree_put(tree, json, "leaks", leaks);
	return json;
}

int fp_report_diff_write_json(const struct fp_report_diff *diff, FILE *out)
{
	struct fp_report_tree tree = {0};
	json_t *json = fp_report_make_document(&tree, "fencepost-diff-1");

	for (int i = 0; i < FP_REPORT_UNCHANGED; i++)
		fp_report_tree_put(&tree, json, change_name(i), make_change(&tree, diff, i));
	fp_report_tree_put(&tree, json, "unchanged",
	                   fp_report_make_count(diff->counts[FP_REPORT_UNCHANGED]));
	fp_report_tree_put(&tree, json, "suppressed", fp_report_make_count(diff->suppressed));
	return fp_report_write_document(&tree, json, out);
}
