/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two syntaxes of suppressions share: lines, words and refusals. Private to the report
 * module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_SUPPRESS_PARSE_H
#define FP_REPORT_SUPPRESS_PARSE_H

#include "report/suppress/suppress.h"

/* A text being read. */
struct fp_report_suppress_reader {
	struct fp_report_suppressions *suppressions;
	const char *name;
	const char *at;
	size_t left;
	uint32_t number;              /* of the line */
	struct fp_report_string line; /* without blanks around it and without comments */
};

/* The next line that has something in it; false at the end. */
bool fp_report_suppress_next(struct fp_report_suppress_reader *reader);

/* Says in the suppressions' error what is wrong with the line. -EINVAL. */
int fp_report_suppress_refuse(const struct fp_report_suppress_reader *reader,
                              const char *format, ...) __attribute__((format(printf, 2, 3)));

struct fp_report_string fp_report_trim(struct fp_report_string string);

/* STRING is WORD, or starts with it. */
bool fp_report_is_word(struct fp_report_string string, const char *word);
bool fp_report_starts_with(struct fp_report_string string, const char *word);

/* The kind of finding that WORD names, or FP_FINDING_COUNT. */
enum fp_finding_kind fp_report_find_kind(struct fp_report_string word);

/* Takes "max=N" or "until=DATE". 1, 0 when WORD is neither, or -EINVAL. */
int fp_report_suppress_limit(const struct fp_report_suppress_reader *reader,
                             struct fp_report_suppression *suppression,
                             struct fp_report_string word);

/* Adds a pattern that is BEFORE, TEXT and AFTER. 0 or -ENOMEM. */
int fp_report_suppress_add_pattern(struct fp_report_suppression *suppression,
                                   enum fp_report_pattern_kind kind,
                                   struct fp_report_string text, const char *around);

/* The rest of the block whose "{" was the line. 0, -EINVAL or -ENOMEM. */
int fp_report_suppress_block(struct fp_report_suppress_reader *reader,
                             struct fp_report_suppression *suppression);

#endif
