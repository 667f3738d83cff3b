/* SPDX-License-Identifier: Apache-2.0
 *
 * Values out of JSON that anybody may have written. What is missing or null is the type's zero;
 * what is of another type than it has to be is remembered, and is the type's zero too. Private
 * to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_JSON_FIELDS_H
#define FP_REPORT_JSON_FIELDS_H

#include <jansson.h>

#include "report/schema.h"

/* A report being made of JSON. */
struct fp_report_fields {
	struct fp_report *report; /* its arena keeps the strings */
	const char *wrong;        /* the first key whose value cannot be right, or NULL */
	bool is_out_of_memory;
	size_t unknown; /* items that were left out: they are of a newer version */
	struct fp_report_keeper keeper; /* with the report's arena */
};

bool fp_report_fields_have_failed(const struct fp_report_fields *fields);

uint64_t fp_report_fields_count(struct fp_report_fields *fields, const json_t *object,
                                const char *key);
uint32_t fp_report_fields_small(struct fp_report_fields *fields, const json_t *object,
                                const char *key);
int64_t fp_report_fields_integer(struct fp_report_fields *fields, const json_t *object,
                                 const char *key);
bool fp_report_fields_flag(struct fp_report_fields *fields, const json_t *object,
                           const char *key);
/* "0x1f" */
uint64_t fp_report_fields_address(struct fp_report_fields *fields, const json_t *object,
                                  const char *key);
/* Both with a zero behind them. */
struct fp_report_string fp_report_fields_string(struct fp_report_fields *fields,
                                                const json_t *object, const char *key);
struct fp_report_string fp_report_fields_bytes(struct fp_report_fields *fields,
                                               const json_t *object, const char *key);

/* NULL when there is none. */
const json_t *fp_report_fields_object(struct fp_report_fields *fields, const json_t *object,
                                      const char *key);
const json_t *fp_report_fields_array(struct fp_report_fields *fields, const json_t *object,
                                     const char *key);

/* The text as the report keeps it; "" with the failure remembered when memory ran out. */
struct fp_report_string fp_report_fields_keep(struct fp_report_fields *fields,
                                              const char *bytes, size_t size);

/* The first wrong value is the one that is named. */
void fp_report_fields_refuse(struct fp_report_fields *fields, const char *key);

/* What SCHEMA has, into RECORD, which is zeroed. False when a word is none of its enum's: then
 * RECORD is that of a newer version. */
bool fp_report_fields_record(struct fp_report_fields *fields, const json_t *json,
                             const struct fp_schema_record *schema, void *record);

#endif
