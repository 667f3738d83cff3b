/* SPDX-License-Identifier: Apache-2.0
 *
 * Who holds a block: what its place is called, and which of many are told first.
 *
 * Context: report.
 */
#ifndef FP_REPORT_HOLDERS_H
#define FP_REPORT_HOLDERS_H

#include "report/report.h"

enum {
	FP_REPORT_HOLDERS_SHOWN = 3,
	FP_REPORT_HOLDER_WORDS_MAX = 512,
	FP_REPORT_HOLDER_INSIDE_MAX = 64
};

/* The module that knows the name of HOLDER's place, or NULL: its image is to be open when it is
 * named. */
struct fp_report_module *fp_report_holder_module(const struct fp_report *report,
                                                 const struct fp_report_holder *holder);

/* Names it; MODULE may be NULL. 0 or -ENOMEM. */
int fp_report_name_holder(struct fp_report *report, struct fp_report_holder *holder,
                          const struct fp_report_module *module);

/* Sets SHOWN to the holders that tell most, the best first, of as many kinds as there are; how
 * many. */
size_t fp_report_choose_holders(const struct fp_report_holder *holders, size_t count,
                                const struct fp_report_holder *shown[FP_REPORT_HOLDERS_SHOWN]);

/* "table[3].text (a.out)", "offset 8 in a block of 16 bytes (serial 2)": without the place that
 * its stack is of. */
void fp_report_holder_words(const struct fp_report_holder *holder,
                            char words[FP_REPORT_HOLDER_WORDS_MAX]);

/* Of a leak, or of a stack that grew. */
#define FP_REPORT_HELD_OF(of)                                                                  \
	(&(const struct fp_report_held){.holders = (of)->holders,                              \
	                                .holder_count = (of)->holder_count,                    \
	                                .path = (of)->path,                                    \
	                                .path_count = (of)->path_count,                        \
	                                .path_left_out = (of)->path_left_out})

/* ", which points 8 bytes inside", which the words end with; "" of one that points to the
 * start.
 */
void fp_report_holder_inside(const struct fp_report_holder *holder,
                             char words[FP_REPORT_HOLDER_INSIDE_MAX]);

/* "still held by table[3].text (a.out)", "still held by offset 8 in ..., allocated at
 * hash.c:81": a sentence for formats that have no better place. */
enum { FP_REPORT_HOLDER_SENTENCE_MAX = FP_REPORT_HOLDER_WORDS_MAX + 512 };
void fp_report_holder_sentence(const struct fp_report_holder *holder,
                               char text[FP_REPORT_HOLDER_SENTENCE_MAX]);

/* The stack that says where it is: of a block its allocation's; NULL: it has none. */
const struct fp_report_stack *fp_report_holder_stack(const struct fp_report_holder *holder);

#endif
