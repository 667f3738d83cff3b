/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions about resolved stacks that every writer asks. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_STACK_H
#define FP_REPORT_STACK_H

#include "report/report.h"

struct fp_report_string fp_report_text(const char *text);

/* Shorter, then smaller first; 0 when equal. */
int fp_report_compare_strings(struct fp_report_string a, struct fp_report_string b);

/* Whether STRING is WORD, begins with it, or with one of WORDS, the last of which is NULL. */
bool fp_report_is_word(struct fp_report_string string, const char *word);
bool fp_report_starts_with(struct fp_report_string string, const char *word);
bool fp_report_starts_with_any(struct fp_report_string string, const char *const *words);

/* Orders stacks by what a person reads in them: two return addresses on one line are equal. */
int fp_report_compare_stacks(const struct fp_report_stack *a, const struct fp_report_stack *b);

/* Whether A and B cannot be told apart in any report. */
bool fp_report_are_same_frames(const struct fp_report_stack *a,
                               const struct fp_report_stack *b);

/* Of the frames that are not passed over the innermost shown one that has a file and is the
 * program's, not its run time's; else the
 * innermost one with a file that is not the C library's, else the program's innermost one, else
 * the innermost one, else NULL. */
const struct fp_report_frame *fp_report_stack_place(const struct fp_report_stack *stack);

/* Who made the access for the place of STACK, or NULL. */
const struct fp_report_frame *fp_report_stack_helper(const struct fp_report_stack *stack);

/* The frame of the program that called the place of STACK, when that is in another file; else
 * NULL. */
const struct fp_report_frame *fp_report_stack_caller(const struct fp_report_stack *stack);

/* The file name of FRAME's module without its directories; "[unknown]" without a module. */
struct fp_report_string fp_report_module_name(const struct fp_report_frame *frame);

/* What PATH names, without its directories. */
struct fp_report_string fp_report_base_name(struct fp_report_string path);

bool fp_report_is_in_c_library(const struct fp_report_frame *frame);

/* Whether FRAME is how the C library came to call main or a thread's function. Its name is
 * enough to tell. */
bool fp_report_is_start(const struct fp_report_frame *frame);

/* How many FRAMES lead to main; frames below it are the same in every program. */
size_t fp_report_count_shown(const struct fp_report_frame *frames, size_t count);

/* NAMES, separated by commas, are such functions, too; they are not copied. */
void fp_report_name_allocators(const char *names);

/* Sets how many innermost frames of STACK, which is not that of an access, are passed over. */
void fp_report_pass_over(struct fp_report_stack *stack);

/* Finds more of them among the stacks of REPORT that are resolved: what takes a size, returns a
 * pointer to nothing in particular and is called from several places. Sets what is passed over.
 * 0 or -ENOMEM. */
int fp_report_learn_allocators(struct fp_report *report);

/* Whose frame this is, "the C++ library", "Python"; NULL for the program's. */
const char *fp_report_frame_owner(const struct fp_report_frame *frame);

/*
 * How many frames of STACK, from INDEX on, one line stands for; *OWNER says whose they are. 0
 * when the frame at INDEX is shown. Only of shown frames, from the innermost outwards, each
 * asked about that no earlier answer covered.
 */
size_t fp_report_fold(const struct fp_report_stack *stack, size_t index, const char **owner);

/*
 * How many frames from INDEX on are the first *PERIOD of them, again and again, as a recursion
 * leaves them; 0 when that is not often. They include the first.
 */
size_t fp_report_fold_recursion(const struct fp_report_stack *stack, size_t index,
                                size_t *period);

#endif
