/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of model/schema.def for the report's structs, and what walks them that is neither
 * the log nor JSON. Private to the report module. Copies have each distinct
 * module once.
 *
 * Context: report.
 */
#ifndef FP_REPORT_SCHEMA_H
#define FP_REPORT_SCHEMA_H

#include "model/schema.h"
#include "report/report.h"

struct fp_report_keeper {
	struct fp_report_arena *arena;
	void *modules; /* tsearch tree; NULL to begin */
};

/* False when out of memory; then STRING is unchanged. */
bool fp_report_keep_string(struct fp_report_keeper *keeper, struct fp_report_string *string);

/* The copy of WANTED as far as frames need it; NULL when out of memory. */
const struct fp_report_module *fp_report_keep_module(struct fp_report_keeper *keeper,
                                                     const struct fp_report_module *wanted);

/* Forgets what is where; the copies stay. */
void fp_report_keeper_end(struct fp_report_keeper *keeper);

/* fp_report_schema_leak and the like. */
/* clang-format off */
#define FP_REPORT_TABLE(name, FIELDS, least) extern const struct fp_schema_record fp_report_schema_##name;
FP_JSON_RECORDS(FP_REPORT_TABLE)
FP_MODEL_RECORDS(FP_REPORT_TABLE)
FP_LOG_RECORDS(FP_REPORT_TABLE)
/* clang-format on */
extern const struct fp_schema_record fp_report_schema_finding, fp_report_schema_frame,
        fp_report_schema_rise, fp_report_schema_suppression, fp_report_schema_process,
        fp_report_schema_leak_check, fp_report_schema_report;

/* A frame as JSON has it: one record, whose module and symbol are not shared. */
struct fp_report_flat_frame {
	FP_FRAME_FIELDS(FP_REPORT_, )
};

/* Stores NUMBER in a member, or in what says that it is there. */
void fp_report_schema_store(void *to, size_t size, uint64_t number);

/* Whether FIELD of FROM is there: what has no such condition always is. */
bool fp_report_schema_has(const struct fp_schema_field *field, const void *from);

/* Replaces whatever RECORD, a copy, points to by copies, without the shares. False when out of
 * memory. */
bool fp_report_schema_keep(const struct fp_schema_record *schema, void *record,
                           struct fp_report_keeper *keeper);

/* Adds the numbers of FROM, which are of 64 bits, to those of TO; of a peak the larger stays.
 */
void fp_report_schema_add(const struct fp_schema_record *schema, void *to, const void *from);

/* A + B, or UINT64_MAX when that is more. */
uint64_t fp_report_add_up(uint64_t a, uint64_t b);

#endif
