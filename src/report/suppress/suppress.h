/* SPDX-License-Identifier: Apache-2.0
 *
 * Suppressions: findings and leaks that somebody knows of and does not want reported. Both the
 * lines of the sanitizers ("leak:pattern") and Valgrind's blocks are read, mixed as one likes.
 * What is suppressed is taken out of the report and counted; what each suppression did is kept,
 * because one that is never used, out of date or exceeded hides that something changed.
 *
 * Context: report.
 */
#ifndef FP_REPORT_SUPPRESS_SUPPRESS_H
#define FP_REPORT_SUPPRESS_SUPPRESS_H

#include "report/report.h"

enum { FP_REPORT_SUPPRESSION_ERROR_MAX = 512 };

/* "2026-12-31", or "". */
typedef char fp_report_date[11];

enum fp_report_suppression_state {
	FP_REPORT_SUPPRESSION_ACTIVE,
	FP_REPORT_SUPPRESSION_EXPIRED,  /* its until=DATE has passed: it suppresses nothing */
	FP_REPORT_SUPPRESSION_EXCEEDED, /* more than its max=N match: it suppresses nothing */
	FP_REPORT_SUPPRESSION_FOREIGN,  /* what it names is never found here */
	FP_REPORT_SUPPRESSION_STATES
};

extern const struct fp_schema_words fp_report_suppression_states;

enum fp_report_pattern_kind {
	FP_REPORT_PATTERN_FUNCTION,
	FP_REPORT_PATTERN_MODULE,
	FP_REPORT_PATTERN_SOURCE,
	FP_REPORT_PATTERN_FRAMES, /* any number of frames */
	FP_REPORT_PATTERN_CALL,   /* the C library's function that made the access */
	FP_REPORT_PATTERN_ANY     /* any of function, file and module */
};

struct fp_report_pattern {
	enum fp_report_pattern_kind kind;
	char *glob; /* '*' is any text; '?' any character, in Valgrind's */
};

/* STATE, MATCHED and USED are set by fp_report_suppress. */
struct fp_report_suppression {
	FP_SUPPRESSION_FIELDS(FP_REPORT_, )
	uint64_t kinds;  /* a bit for each enum fp_finding_kind */
	unsigned leaks;  /* a bit for each enum fp_leak_class */
	bool is_block;   /* patterns are frames in order; else one of some frame */
	bool is_call;    /* only accesses that a function of the C library makes */
	uint32_t access; /* bytes of the access; 0: any number */
	struct fp_report_pattern *patterns;
	size_t pattern_count;
};

struct fp_report_suppressions {
	struct fp_report_suppression *items;
	size_t count;
	struct fp_report_arena arena; /* all of them, with their texts */
	char error[FP_REPORT_SUPPRESSION_ERROR_MAX];
};

/* The bytes of a file, which need not outlive the call. */
struct fp_report_suppression_text {
	const char *name; /* for messages */
	const char *bytes;
	size_t size;
};

/*
 * Adds what TEXT has to SUPPRESSIONS, zeroed to begin. 0, -ENOMEM, or -EINVAL with
 * SUPPRESSIONS->error saying "NAME:LINE: what is wrong; what to write".
 */
int fp_report_suppressions_parse(struct fp_report_suppressions *suppressions,
                                 const struct fp_report_suppression_text *text);

void fp_report_suppressions_free(struct fp_report_suppressions *suppressions);

/*
 * Takes out of COUNT resolved REPORTS, which are one run's, what SUPPRESSIONS match; TODAY is
 * as "2026-12-31". Each report keeps SUPPRESSIONS, which must outlive it. Call it once.
 */
void fp_report_suppress(struct fp_report *const *reports, size_t count,
                        struct fp_report_suppressions *suppressions, const char *today);

/* A block that suppresses FINDING, or LEAK, and what has its stack. -ENOMEM, or 0 and new
 * memory. */
int fp_report_suppression_of_finding(const struct fp_report_finding *finding, char **block);
int fp_report_suppression_of_leak(const struct fp_report_leak *leak, char **block);

#endif
