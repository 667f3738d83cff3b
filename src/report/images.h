/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that traces point into, opened once for however many reports they are in. Private
 * to the report module, but for who resolves many reports.
 *
 * Context: report.
 */
#ifndef FP_REPORT_IMAGES_H
#define FP_REPORT_IMAGES_H

#include "report/report.h"

/* An empty set. DEBUG_DIR is where separate debug files stand. 0 or -ENOMEM. */
int fp_report_images_new(const char *debug_dir, struct fp_report_images **images);

/* Ends the life of every frame that was resolved with them. NULL is accepted. */
void fp_report_images_free(struct fp_report_images *images);

/* Closes all when there are many: each one costs memory and a descriptor. Only for when no
 * report is left that was resolved with them. */
void fp_report_images_trim(struct fp_report_images *images);

/* The file of MODULE, opened now or before, in *IMAGE. 0 or -ENOMEM. */
int fp_report_images_open(struct fp_report_images *images,
                          const struct fp_report_module *module,
                          struct fp_symbol_image **image);

#endif
