/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON reports back into reports, as if they had just been resolved: nothing is looked up
 * again. The JSON may come from anywhere. Fields that are not known are skipped; fingerprints
 * are made anew, so that those of several versions can be compared.
 *
 * Context: report.
 */
#ifndef FP_REPORT_JSON_READ_H
#define FP_REPORT_JSON_READ_H

#include <jansson.h>
#include <stdio.h>

#include "report/merge/merge.h"

enum { FP_REPORT_REFUSAL_MAX = 256 };

struct fp_report_list {
	struct fp_report **reports;
	size_t count;
};

/* Whether the SIZE bytes at DATA can only be meant as JSON. */
bool fp_report_is_json(const void *data, size_t size);

/*
 * Reads what IN has, one report, an array of them, or lines of --ndjson, into LIST. The lines
 * of one run become one report; those of more runs than one are added to MERGE, unless it is
 * NULL, and are not in LIST. 0; -ENOMEM; or -EINVAL with REFUSAL saying why as what follows
 * "FILE ". LIST is empty then, and MERGE has what came before. Where IN cannot be read on,
 * ferror(IN).
 */
int fp_report_read_json(FILE *in, struct fp_report_merge *merge, struct fp_report_list *list,
                        char refusal[FP_REPORT_REFUSAL_MAX]);

/* JSON into REPORT, which is zeroed: one report. The same. */
int fp_report_read_document(const json_t *json, struct fp_report *report,
                            char refusal[FP_REPORT_REFUSAL_MAX]);

/* Frees the reports, too. */
void fp_report_list_free(struct fp_report_list *list);

#endif
