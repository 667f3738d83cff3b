/* SPDX-License-Identifier: Apache-2.0
 *
 * What the text report is put together from. Everything that comes from the log is escaped: a
 * name can neither start a new line nor speak to the terminal.
 *
 * Context: report.
 */
#ifndef FP_REPORT_TEXT_PAGE_H
#define FP_REPORT_TEXT_PAGE_H

#include <stdio.h>

#include "report/suppress/suppress.h"

struct fp_report_page {
	FILE *out;
	bool has_colour;
	bool has_all_frames;     /* nothing of a stack is cut or folded */
	bool has_possible;       /* possible leaks are listed */
	const char *source_root; /* the repository, or NULL */
};

enum fp_report_style {
	FP_REPORT_STYLE_PLAIN,
	FP_REPORT_STYLE_BAD,
	FP_REPORT_STYLE_WARNING,
	FP_REPORT_STYLE_DIM
};

/* Everything printed until the next call is in STYLE. */
void fp_report_print_style(const struct fp_report_page *page, enum fp_report_style style);

void fp_report_print_escaped(const struct fp_report_page *page, struct fp_report_string string);

/* "1,234"; "1 block" or "1,234 blocks"; "1 block (24 bytes)": texts that last as long as what
 * the caller's block has. */
enum { FP_NUMBER_MAX = 28, FP_COUNT_MAX = 64, FP_SUM_MAX = 2 * FP_COUNT_MAX + 4 };
#define FP_NUMBER(number) fp_report_put_number((char[FP_NUMBER_MAX]){0}, number)
#define FP_COUNT(number, noun) fp_report_put_count((char[FP_COUNT_MAX]){0}, number, noun)
#define FP_SUM(blocks, bytes) fp_report_put_sum((char[FP_SUM_MAX]){0}, blocks, bytes)
const char *fp_report_put_number(char text[FP_NUMBER_MAX], uint64_t number);
const char *fp_report_put_count(char text[FP_COUNT_MAX], uint64_t number, const char *noun);
const char *fp_report_put_sum(char text[FP_SUM_MAX], uint64_t blocks, uint64_t bytes);

/* "double-free of a 24-byte block at plant.c:31 in make_rows (3 times)", "leak of ...". */
void fp_report_print_title(const struct fp_report_page *page,
                           const struct fp_report_finding *finding);
void fp_report_print_leak_title(const struct fp_report_page *page,
                                const struct fp_report_leak *leak);

/* "0.4 s", "12 min 30 s", "26 h 3 min". */
void fp_report_print_duration(const struct fp_report_page *page, uint64_t milliseconds);

/* Who holds the block; nothing when that was not looked for. */
void fp_report_print_holders(const struct fp_report_page *page,
                             const struct fp_report_finding *finding);

/* Who holds a block of a leak or of a stack that grew, and how that is reached. */
void fp_report_print_last_holders(const struct fp_report_page *page,
                                  const struct fp_report_leak *leak);
void fp_report_print_held(const struct fp_report_page *page, const struct fp_report_held *held);

/* What hangs from LEAK, by depth: the most of it. */
void fp_report_print_members(const struct fp_report_page *page,
                             const struct fp_report_leak *leak);

/* The same of COUNT holders, all that are listed. */
void fp_report_print_all_holders(const struct fp_report_page *page,
                                 const struct fp_report_holder *holders, size_t count,
                                 const struct fp_report_census *census);

/* What is known of an address. */
void fp_report_print_explanation(const struct fp_report_page *page,
                                 const struct fp_report_explanation *explanation);

/* What was found. With leaks that are new since an earlier check, TOLD are all there are. */
struct fp_report_problems {
	uint64_t errors;
	uint64_t leaks;
	uint64_t bytes;
	bool are_leaks_known;
	bool is_news;
	uint64_t told; /* 0: no others */
	uint64_t told_bytes;
};

/* "2 errors, 1 leak (40 bytes)", "no errors, no leaks", "1 leak (40 bytes), no other errors",
 * "no errors" where leaks are not known; "; exited 0", "; killed by SIGSEGV", nothing of an end
 * that is not known; and the line (in last_line.c). */
void fp_report_print_problems(const struct fp_report_page *page,
                              const struct fp_report_problems *problems);
void fp_report_print_end(const struct fp_report_page *page, enum fp_log_exit how,
                         int32_t value);
void fp_report_print_last_line(const struct fp_report_page *page,
                               const struct fp_report *report, bool is_of_leaks);

/* Where OFFSET is from a block of SIZE bytes: "4 bytes inside", "1 byte past the end of",
 * "before". */
void fp_report_print_offset(const struct fp_report_page *page, int64_t offset, uint64_t size);

/* PREPOSITION and "plant.c:31 in make_rows", from the stack or else from the site; nothing when
 * neither knows a place. */
void fp_report_print_place(const struct fp_report_page *page, const char *preposition,
                           const struct fp_report_stack *stack,
                           const struct fp_report_site *site);

/* "engine.c:12 (DebugAlloc)" after BEFORE; nothing when no site was given. */
void fp_report_print_site(const struct fp_report_page *page, const char *before,
                          const struct fp_report_site *site);

/* The line that STACK stands for, between its neighbours; nothing without its source. */
void fp_report_print_excerpt(const struct fp_report_page *page,
                             const struct fp_report_stack *stack);

/* One frame a line, down to main; one line for a run of frames of a run time. */
void fp_report_print_stack(const struct fp_report_page *page,
                           const struct fp_report_stack *stack);

/* Of a merged report: which sources have a finding or leak, as a line; nothing of another. */
void fp_report_print_shares(const struct fp_report_page *page, const struct fp_report *report,
                            const struct fp_report_shares *shares);

/* ", in 12 reports" of a merged report; nothing of another. */
void fp_report_print_sources(const struct fp_report_page *page, const struct fp_report *report);

/* A line for each suppression that was used or no longer suppresses, and one for those that
 * were never used. NULL is accepted. */
void fp_report_print_suppressions(const struct fp_report_page *page,
                                  const struct fp_report_suppressions *suppressions);

#endif
