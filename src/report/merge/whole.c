/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole of a merge. What the sources do not share is left out rather than guessed, and
 * every list that a source could make long has an end.
 */
#include "report/merge/whole.h"

#include <errno.h>

#include "report/names.h"
#include "report/schema.h"
#include "report/stack.h"

enum { REASONS_MAX = 100, SETTINGS_MAX = 200 };

static bool is_same(struct fp_report_string a, struct fp_report_string b)
{
	return fp_report_compare_strings(a, b) == 0;
}

static int keep_arguments(struct fp_report_whole *whole, const struct fp_report *report)
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

static int keep_settings(struct fp_report_whole *whole, const struct fp_report *report)
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

static int begin(struct fp_report_whole *whole, const struct fp_report *report)
{
	struct fp_report *to = whole->report;

	to->pid = report->pid;
	to->ppid = report->ppid;
	to->has_ppid = report->ppid != 0;
	to->executable = report->executable;
	to->has_executable = report->executable.size > 0;
	to->exit = report->exit;
	to->exit_value = report->exit_value;
	if (!fp_report_keep_string(whole->keeper, &to->executable) ||
	    keep_arguments(whole, report) != 0)
		return -ENOMEM;
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
	size_t kept = 0;

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
	if (to->exit != report->exit || to->exit_value != report->exit_value)
		to->exit = FP_LOG_EXIT_UNKNOWN;
	for (size_t i = 0; i < to->setting_count; i++) {
		if (has_setting(report, &to->settings[i]))
			to->settings[kept++] = to->settings[i];
	}
	to->setting_count = kept;
}

static int add_reason(struct fp_report_whole *whole, const struct fp_report_reason *reason)
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
		kept.text = fp_report_text("other reasons");
	if (!fp_report_keep_string(whole->keeper, &kept.text))
		return -ENOMEM;
	return fp_report_append(&to->reasons, &to->reason_count, &kept, sizeof(kept));
}

static int add_sums(struct fp_report_whole *whole, const struct fp_report *report)
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
	for (size_t i = 0; result == 0 && i < report->protection.reason_count; i++)
		result = add_reason(whole, &report->protection.reasons[i]);
	return result;
}

int fp_report_whole_note(struct fp_report_whole *whole, struct fp_report_string text,
                         uint32_t source)
{
	for (size_t i = 0; i < whole->remark_count; i++) {
		if (is_same(whole->remarks[i].text, text)) {
			whole->remarks[i].count++;
			return 0;
		}
	}
	if (whole->remark_count == FP_REPORT_REMARKS_MAX) {
		whole->lost_remarks++;
		return 0;
	}
	if (!fp_report_keep_string(whole->keeper, &text))
		return -ENOMEM;
	whole->remarks[whole->remark_count++] =
	        (struct fp_report_remark){.text = text, .source = source, .count = 1};
	return 0;
}

static bool has_known(const struct fp_report *report, struct fp_report_string line)
{
	for (size_t i = 0; i < report->known_count; i++)
		if (is_same(report->known[i], line))
			return true;
	return false;
}

static int add_known(struct fp_report_whole *whole, struct fp_report_string line)
{
	struct fp_report *to = whole->report;

	if (has_known(to, line))
		return 0;
	if (!fp_report_keep_string(whole->keeper, &line))
		return -ENOMEM;
	return fp_report_append(&to->known, &to->known_count, &line, sizeof(line));
}

int fp_report_whole_add(struct fp_report_whole *whole, const struct fp_report *report,
                        uint32_t source)
{
	int result = 0;

	if (!whole->has_any)
		result = begin(whole, report);
	else
		narrow(whole->report, report);
	if (result == 0 && !(whole->is_repeated && whole->has_any))
		result = add_sums(whole, report);
	whole->has_any = true;
	for (size_t i = 0; result == 0 && i < report->note_count; i++)
		result = fp_report_whole_note(whole, report->notes[i], source);
	for (size_t i = 0; result == 0 && i < report->known_count; i++)
		result = add_known(whole, report->known[i]);
	return result;
}

static int make_note(struct fp_report *report, const struct fp_report_remark *remark)
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
	return fp_report_note(report, "%.*s (%.*s and %u more)", size, remark->text.bytes,
	                      (int)name.size, name.bytes, remark->count - 1);
}

int fp_report_whole_end(struct fp_report_whole *whole)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < whole->remark_count; i++)
		result = make_note(whole->report, &whole->remarks[i]);
	if (result == 0 && whole->lost_remarks > 0)
		result = fp_report_note(whole->report, "%zu more notes were left out",
		                        whole->lost_remarks);
	return result;
}
