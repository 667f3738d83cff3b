/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames that are nobody's business but a run time's: those of the C++ and Rust libraries, of
 * virtual machines and interpreters. Writers for people show one line for a run of them;
 * nothing is left out of what machines read.
 *
 * Context: report.
 */
#ifndef FP_REPORT_FOLD_H
#define FP_REPORT_FOLD_H

#include "report/report.h"

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
