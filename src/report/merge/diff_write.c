/* SPDX-License-Identifier: Apache-2.0
 *
 * A diff as text and as JSON. A new finding is shown with its stack, for whoever broke the
 * build; of the others a line is enough.
 */
#include <errno.h>

#include "report/merge/diff.h"
#include "report/stack.h"
#include "report/suppress/text.h"
#include "report/text/parts.h"
#include "report/json/tree.h"

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
		fp_report_print_count(page, entry->finding->count, "time");
		return;
	}
	fp_report_print_count(page, entry->leak->bytes, "byte");
	fputs(" in ", page->out);
	fp_report_print_count(page, entry->leak->blocks, "block");
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

	fprintf(page->out, "fencepost: %s: ", fp_report_change_name(difference->change));
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
		fp_report_print_number(&page, diff->counts[i]);
		fprintf(out, " %s", fp_report_change_name(i));
	}
	if (diff->suppressed > 0) {
		fputs(", ", out);
		fp_report_print_number(&page, diff->suppressed);
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
		fp_report_tree_put(&tree, json, fp_report_change_name(i),
		                   make_change(&tree, diff, i));
	fp_report_tree_put(&tree, json, "unchanged",
	                   fp_report_make_count(diff->counts[FP_REPORT_UNCHANGED]));
	fp_report_tree_put(&tree, json, "suppressed", fp_report_make_count(diff->suppressed));
	return fp_report_write_document(&tree, json, out);
}
