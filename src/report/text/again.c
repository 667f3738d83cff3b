/* SPDX-License-Identifier: Apache-2.0
 *
 * Of padding that was found changed nobody knows who changed it: the layout of blocks that has
 * the access stop there, as a command to paste. Whatever the program was called with is quoted,
 * and can neither start a new line nor speak to the terminal.
 */
#include <string.h>

#include "report/finding_facts.h"
#include "report/stack.h"
#include "report/text/parts.h"

enum { BYTES_MAX = 4000 /* of arguments; whoever pastes more has a script */ };

static bool is_set(const struct fp_report *report, const char *key, const char *value)
{
	for (size_t i = 0; i < report->setting_count; i++) {
		const struct fp_report_setting *setting = &report->settings[i];

		if (fp_report_compare_strings(setting->key, fp_report_text(key)) == 0)
			return fp_report_compare_strings(setting->value,
			                                 fp_report_text(value)) == 0;
	}
	return false;
}

/* The options that change what hides the access, or NULL. Of a padded block it is not the
 * layout that does. */
static const char *options_for(const struct fp_report *report,
                               const struct fp_report_finding *finding)
{
	if (!fp_report_is_late(finding) || finding->block.tier != FP_TIER_GUARDED)
		return NULL;
	if (finding->kind == FP_FINDING_HEAP_USE_AFTER_FREE)
		return is_set(report, "seal_batch", "1") ? NULL : "--seal-batch=1";
	if (finding->evidence_offset < 0)
		return is_set(report, "placement", "left") ? NULL : "--placement=left";
	if (!is_set(report, "placement", "right"))
		return "--placement=right --align=auto";
	if (is_set(report, "align", "auto"))
		return "--align=1";
	return is_set(report, "align", "1") ? NULL : "--align=auto";
}

/* What a shell takes for one word, and for nothing else. */
static bool is_plain(struct fp_report_string word)
{
	static const char marks[] = "_@%+=:,./-";

	for (size_t i = 0; i < word.size; i++) {
		char byte = word.bytes[i];
		bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';

		if (!is_letter && !(byte >= '0' && byte <= '9') &&
		    !memchr(marks, byte, sizeof(marks) - 1))
			return false;
	}
	return word.size > 0;
}

static bool is_printable(struct fp_report_string word)
{
	for (size_t i = 0; i < word.size; i++)
		if ((unsigned char)word.bytes[i] < 0x20 || (unsigned char)word.bytes[i] >= 0x7f)
			return false;
	return true;
}

/* '...' for any shell; $'...' where it has to have escapes. */
static void print_quoted(FILE *out, struct fp_report_string word)
{
	bool has_escapes = !is_printable(word);

	fputs(has_escapes ? "$'" : "'", out);
	for (size_t i = 0; i < word.size; i++) {
		unsigned char byte = (unsigned char)word.bytes[i];

		if (byte == '\'')
			fputs(has_escapes ? "\\'" : "'\\''", out);
		else if (has_escapes && byte == '\\')
			fputs("\\\\", out);
		else if (byte < 0x20 || byte >= 0x7f)
			fprintf(out, "\\%03o", byte);
		else
			fputc(byte, out);
	}
	fputc('\'', out);
}

static void print_word(FILE *out, struct fp_report_string word)
{
	fputc(' ', out);
	if (is_plain(word))
		fwrite(word.bytes, 1, word.size, out);
	else
		print_quoted(out, word);
}

static bool has_room(const struct fp_report *report)
{
	size_t size = 0;

	for (size_t i = 0; i < report->argument_count && size <= BYTES_MAX; i++)
		size += report->arguments[i].size + 1;
	return report->argument_count > 0 && report->arguments[0].size > 0 && size <= BYTES_MAX;
}

void fp_report_print_again(const struct fp_report_page *page, const struct fp_report *report,
                           const struct fp_report_finding *finding)
{
	/* A merged report is of many runs, and a sweep had them all. */
	const char *options = report->source_count > 0 ? NULL : options_for(report, finding);

	if (!options)
		return;
	fprintf(page->out, "  to see who writes: fencepost run %s --", options);
	for (size_t i = 0; has_room(report) && i < report->argument_count; i++)
		print_word(page->out, report->arguments[i]);
	if (!has_room(report))
		fputs(" PROGRAM ARGUMENTS", page->out);
	fputc('\n', page->out);
}
