/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of model/schema.def for the report's structs, and what walks them that is neither
 * the log nor JSON. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_SCHEMA_H
#define FP_REPORT_SCHEMA_H

#include "model/schema.h"
#include "report/keep.h"

extern const struct fp_schema_record fp_report_schema_site, fp_report_schema_block,
        fp_report_schema_party, fp_report_schema_register, fp_report_schema_birth,
        fp_report_schema_page, fp_report_schema_finding, fp_report_schema_age,
        fp_report_schema_news, fp_report_schema_leak, fp_report_schema_failed,
        fp_report_schema_protection, fp_report_schema_heap, fp_report_schema_group,
        fp_report_schema_snapshot, fp_report_schema_growth, fp_report_schema_point,
        fp_report_schema_growing, fp_report_schema_source;

/* Stores NUMBER in a member, or in what says that it is there. */
void fp_report_schema_store(void *to, size_t size, uint64_t number);

/* Whether FIELD of FROM is there: what has no such condition always is. */
bool fp_report_schema_has(const struct fp_schema_field *field, const void *from);

/* Replaces whatever RECORD, a copy, points to by copies, without the shares. False when out of
 * memory. */
bool fp_report_schema_keep(const struct fp_schema_record *schema, void *record,
                           struct fp_report_keeper *keeper);

#endif
