/* SPDX-License-Identifier: Apache-2.0
 *
 * The words and sums that text and JSON share.
 */
#include "report/names.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/leaks.h"
#include "report/stack.h"

enum { MSEC = 1000, MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static const struct {
	uint32_t value;
	const char *name;
} hresults[] = {
        {0x00000000, "S_OK"},
        {0x00000001, "S_FALSE"},
        {0x80004001, "E_NOTIMPL"},
        {0x80004002, "E_NOINTERFACE"},
        {0x80004003, "E_POINTER"},
        {0x80004004, "E_ABORT"},
        {0x80004005, "E_FAIL"},
        {0x8000ffff, "E_UNEXPECTED"},
        {0x80070005, "E_ACCESSDENIED"},
        {0x80070006, "E_HANDLE"},
        {0x8007000e, "E_OUTOFMEMORY"},
        {0x80070057, "E_INVALIDARG"},
        {0x80131020, "HOST_E_DEADLOCK"},
        {0x80131021, "HOST_E_INTERRUPTED"},
        {0x80131022, "HOST_E_INVALIDOPERATION"},
        {0x80131023, "HOST_E_CLRNOTAVAILABLE"},
        {0x80131024, "HOST_E_TIMEOUT"},
        {0x80131025, "HOST_E_NOT_OWNER"},
        {0x80131026, "HOST_E_ABANDONED"},
};

const char *fp_report_hresult_name(int32_t hresult)
{
	for (size_t i = 0; i < sizeof(hresults) / sizeof(hresults[0]); i++) {
		if (hresults[i].value == (uint32_t)hresult)
			return hresults[i].name;
	}
	return NULL;
}

bool fp_report_hresult_find(struct fp_report_string name, int32_t *hresult)
{
	for (size_t i = 0; i < sizeof(hresults) / sizeof(hresults[0]); i++) {
		if (fp_report_is_word(name, hresults[i].name)) {
			*hresult = (int32_t)hresults[i].value;
			return true;
		}
	}
	return false;
}

static bool is_continued(struct fp_report_string string, size_t count)
{
	for (size_t i = 1; i <= count; i++) {
		if (i >= string.size || ((unsigned char)string.bytes[i] & 0xc0) != 0x80)
			return false;
	}
	return true;
}

size_t fp_report_utf8_length(struct fp_report_string string)
{
	unsigned char first = (unsigned char)string.bytes[0];
	unsigned char second = string.size > 1 ? (unsigned char)string.bytes[1] : 0;

	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf && is_continued(string, 1))
		return 2;
	/* Neither overlong (e0 80..9f, f0 80..8f), nor a surrogate (ed a0..bf), nor beyond
	 * U+10FFFF (f4 90.., f5..). */
	if ((first & 0xf0) == 0xe0 && is_continued(string, 2))
		return (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ? 0
		                                                                            : 3;
	if (first >= 0xf0 && first <= 0xf4 && is_continued(string, 3))
		return (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) ? 0
		                                                                            : 4;
	return 0;
}

size_t fp_report_printable_length(struct fp_report_string string)
{
	size_t length = fp_report_utf8_length(string);
	unsigned char first = (unsigned char)string.bytes[0];

	if (length == 1 && (first < 0x20 || first == 0x7f))
		return 0;
	/* U+0080 to U+009F control terminals too. */
	if (length == 2 && first == 0xc2 && (unsigned char)string.bytes[1] < 0xa0)
		return 0;
	return length;
}

struct fp_report_summary fp_report_total(const struct fp_report *report)
{
	struct fp_report_summary totals = {.has_new = report->is_check_repeated,
	                                   .is_unknown = fp_report_is_unknown(report),
	                                   .suppressed = report->suppressed};

	for (size_t i = 0; i < report->finding_count; i++) {
		const char *severity = fp_finding_traits(report->findings[i].kind)->severity;

		totals.errors += strcmp(severity, "error") == 0;
	}
	struct fp_report_unlisted leaks = report->unlisted;
	for (size_t i = 0; i < report->leak_count; i++)
		fp_report_count_leak(&leaks, &report->leaks[i]);
	totals.leaked_blocks = leaks.leaked_blocks;
	totals.leaked_bytes = leaks.leaked_bytes;
	totals.new_leaked_blocks = leaks.new_leaked_blocks;
	totals.new_leaked_bytes = leaks.new_leaked_bytes;
	totals.possible_blocks = leaks.possible_blocks;
	totals.possible_bytes = leaks.possible_bytes;
	totals.new_possible_blocks = leaks.new_possible_blocks;
	totals.new_possible_bytes = leaks.new_possible_bytes;
	return totals;
}

static void put_two(FILE *out, uint64_t first, const char *unit, uint64_t second,
                    const char *smaller)
{
	fprintf(out, "%" PRIu64 " %s", first, unit);
	if (second > 0)
		fprintf(out, " %" PRIu64 " %s", second, smaller);
}

/* "40 ms", "2 min 5 s", "3 d 4 h": the two largest units. */
static void put_span(FILE *out, uint64_t milliseconds)
{
	uint64_t seconds = milliseconds / MSEC;

	if (seconds == 0)
		fprintf(out, "%" PRIu64 " ms", milliseconds);
	else if (seconds < MINUTE)
		fprintf(out, "%" PRIu64 " s", seconds);
	else if (seconds < HOUR)
		put_two(out, seconds / MINUTE, "min", seconds % MINUTE, "s");
	else if (seconds < DAY)
		put_two(out, seconds / HOUR, "h", seconds % HOUR / MINUTE, "min");
	else
		put_two(out, seconds / DAY, "d", seconds % DAY / HOUR, "h");
}

void fp_report_put_age(FILE *out, const struct fp_report_age *age)
{
	fputs("allocated ", out);
	if (age->oldest != age->newest) {
		fputs("between ", out);
		put_span(out, age->oldest);
		fputs(" and ", out);
	}
	put_span(out, age->newest);
	fputs(" ago", out);
}

bool fp_report_has_setting(const struct fp_report *report, const char *key, const char *value)
{
	for (size_t i = 0; i < report->setting_count; i++)
		if (fp_report_is_word(report->settings[i].key, key))
			return fp_report_is_word(report->settings[i].value, value);
	return false;
}

/* In a process that dies there is not always a chance. */
bool fp_report_has_looked_for_leaks(const struct fp_report *report)
{
	if (report->is_check_off || fp_report_has_setting(report, "leak_check", "no"))
		return false;
	return (report->exit != FP_LOG_EXIT_SIGNAL && !report->is_cut_short) ||
	       report->are_leaks_looked_for || report->leak_count > 0;
}

bool fp_report_is_unknown(const struct fp_report *report)
{
	return report->is_cut_short || report->has_check_failed;
}

static const char *door_name(unsigned doors)
{
	static const char *const names[] = {
	        [FP_LOG_DOOR_HOST] = "host",
	        [FP_LOG_DOOR_MALLOC] = "malloc",
	        [FP_LOG_DOOR_HOST | FP_LOG_DOOR_MALLOC] = "both",
	};

	return names[doors];
}

const struct fp_schema_words fp_report_doors = {(FP_LOG_DOOR_HOST | FP_LOG_DOOR_MALLOC) + 1,
                                                door_name};

void fp_report_signal_name(uint32_t number, char name[FP_REPORT_SIGNAL_MAX])
{
	const char *known = sigabbrev_np((int)number);

	if (known)
		snprintf(name, FP_REPORT_SIGNAL_MAX, "SIG%s", known);
	else
		snprintf(name, FP_REPORT_SIGNAL_MAX, "%" PRIu32, number);
}

uint32_t fp_report_signal_number(struct fp_report_string name)
{
	for (int i = 1; i < NSIG; i++) {
		const char *known = sigabbrev_np(i);

		if (known && strncmp(name.bytes, "SIG", 3) == 0 &&
		    strcmp(name.bytes + 3, known) == 0)
			return (uint32_t)i;
	}
	return (uint32_t)strtoul(name.bytes, NULL, 10);
}

int fp_report_cwe(const struct fp_report_finding *finding)
{
	return finding->kind == FP_FINDING_CRASH ? fp_crash_cwe(finding->cause)
	                                         : fp_finding_traits(finding->kind)->cwe;
}

/*
 * Allocations that fail_alloc made fail, as one sentence: for the formats that have a place for
 * remarks and none for these. What comes from the log is not escaped here; the format does it.
 */

static void print_place(FILE *out, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;
	struct fp_report_string file = fp_report_module_name(frame);

	if (symbol && symbol->file)
		file = fp_report_base_name(fp_report_text(symbol->file));
	fputs(" at ", out);
	fwrite(file.bytes, 1, file.size, out);
	if (symbol && symbol->file && symbol->line > 0)
		fprintf(out, ":%" PRIu32, symbol->line);
	if (symbol && symbol->function)
		fprintf(out, " in %s", symbol->function);
}

static void print_first(FILE *out, const struct fp_report_failed *failed)
{
	fprintf(out,
	        "; the first: %" PRIu64 " byte%s, serial %" PRIu64 ", heap %" PRIu32
	        ", family %s",
	        failed->size, failed->size == 1 ? "" : "s", failed->serial, failed->heap,
	        fp_family_name(failed->family));
	if (failed->family == FP_FAMILY_HOST && failed->level < FP_LEVEL_NONE)
		fprintf(out, ", critical level %s", fp_level_name(failed->level));
}

char *fp_report_failed_sentence(const struct fp_report_failed *failed)
{
	const struct fp_report_frame *frame =
	        failed->trace == FP_TRACE_NONE ? NULL : fp_report_stack_place(failed->stack);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%" PRIu64 " allocation%s failed as fail_alloc asks", failed->count,
	        failed->count == 1 ? "" : "s");
	if (frame)
		print_place(out, frame);
	if (failed->trace == FP_TRACE_NONE)
		fputs(", of other stacks", out);
	else
		print_first(out, failed);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
