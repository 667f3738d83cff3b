/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings, leaks and snapshots out of JSON into the report of the fields. Private to the
 * report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_JSON_READ_FINDINGS_H
#define FP_REPORT_JSON_READ_FINDINGS_H

#include "report/json/fields.h"

/* False when a newer version's words are in it, and nothing was added. Failures are remembered
 * by FIELDS. Sources of a merged report are read before. */
bool fp_report_fields_finding(struct fp_report_fields *fields, const json_t *json);
bool fp_report_fields_leak(struct fp_report_fields *fields, const json_t *json);
bool fp_report_fields_failed(struct fp_report_fields *fields, const json_t *json);
void fp_report_fields_snapshot(struct fp_report_fields *fields, const json_t *json);
void fp_report_fields_growing(struct fp_report_fields *fields, const json_t *json);

#endif
