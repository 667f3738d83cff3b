/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON made of a report's strings and numbers, for the writers whose format is JSON. Strings
 * are made valid UTF-8 first, so that memory is the only thing that can fail. Private to the
 * report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_JSON_WRITE_H
#define FP_REPORT_JSON_WRITE_H

#include <jansson.h>

#include "report/schema.h"
#include "report/writer.h"

/* A tree being built. After a failure the tree is incomplete and must not be written. */
struct fp_report_tree {
	bool has_failed;
	size_t sources_left; /* stacks that may still get the lines of source they stand for */
};

/* VALUE, which may be NULL (out of memory), becomes OBJECT's or ARRAY's own. */
void fp_report_tree_put(struct fp_report_tree *tree, json_t *object, const char *key,
                        json_t *value);
void fp_report_tree_append(struct fp_report_tree *tree, json_t *array, json_t *value);

/* New values; NULL when out of memory. No text is null. */
json_t *fp_report_make_string(struct fp_report_string string);
json_t *fp_report_make_text(const char *text);
json_t *fp_report_make_count(uint64_t count);
json_t *fp_report_make_address(uint64_t address); /* "0x1f" */

/* What RECORD has, as SCHEMA says. */
json_t *fp_report_make_record(struct fp_report_tree *tree,
                              const struct fp_schema_record *schema, const void *record);

/* What a document of SCHEMA ("fencepost-report-1") begins with: that, and who made it. */
json_t *fp_report_make_document(struct fp_report_tree *tree, const char *schema);

/* REPORT as VIEW wants it. */
json_t *fp_report_make_report(struct fp_report_tree *tree, const struct fp_report_view *view,
                              const struct fp_report *report);

/* Writes JSON, unless its tree has failed, and releases it. 0 or -ENOMEM. */
int fp_report_write_document(const struct fp_report_tree *tree, json_t *json, FILE *out);

#endif
