/* SPDX-License-Identifier: Apache-2.0
 *
 * Words that more than one writer uses, and strings made fit to print. Private to the report
 * module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_NAMES_H
#define FP_REPORT_NAMES_H

#include <stdio.h>

#include "report/report.h"

/* "HOST_E_INVALIDOPERATION" and the like; NULL for a number without a name. */
const char *fp_report_hresult_name(int32_t hresult);

/* The number of such a name; false when it is none. */
bool fp_report_hresult_find(struct fp_report_string name, int32_t *hresult);

/* Bytes of the UTF-8 character that starts STRING, which is not empty; 0 when there is none. */
size_t fp_report_utf8_length(struct fp_report_string string);

/* The same of one that controls neither terminals nor the lines of a text. */
size_t fp_report_printable_length(struct fp_report_string string);

/* "3 allocations failed as fail_alloc asks, the first: 10 bytes, serial 3, ...", for formats
 * whose own words are lists. To be freed; NULL when out of memory. */
char *fp_report_failed_sentence(const struct fp_report_failed *failed);

/* Whether the end of the process, or whether blocks leaked, could not be found out: that is not
 * clean. */
bool fp_report_is_unknown(const struct fp_report *report);

/* "host", "malloc" or "both", of the bits of enum fp_log_door. */
extern const struct fp_schema_words fp_report_doors;

/* What the findings and leaks of REPORT come to. */
struct fp_report_summary fp_report_total(const struct fp_report *report);

/* Whether the option KEY was VALUE; false when the log does not say. */
bool fp_report_has_setting(const struct fp_report *report, const char *key, const char *value);

/* Whether it is known which blocks leaked. */
bool fp_report_has_looked_for_leaks(const struct fp_report *report);

/* "allocated between 2 min 5 s and 3 s ago". */
void fp_report_put_age(FILE *out, const struct fp_report_age *age);

/* "SIGSEGV", or a number where the system has no name for it; and back. */
enum { FP_REPORT_SIGNAL_MAX = 24 };
void fp_report_signal_name(uint32_t number, char name[FP_REPORT_SIGNAL_MAX]);
uint32_t fp_report_signal_number(struct fp_report_string name);

/* What FINDING is in the Common Weakness Enumeration. */
int fp_report_cwe(const struct fp_report_finding *finding);

#endif
