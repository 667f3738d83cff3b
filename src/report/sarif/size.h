/* SPDX-License-Identifier: Apache-2.0
 *
 * How large a SARIF log is once it is compressed, which is how it is uploaded and what code
 * scanning limits. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_SARIF_SIZE_H
#define FP_REPORT_SARIF_SIZE_H

#include <jansson.h>
#include <stdint.h>

/* A gzip file of this many bytes is refused. */
#define FP_REPORT_SARIF_UPLOAD_MAX ((uint64_t)10000000)

struct fp_report_sarif_size;

/* NULL when out of memory. */
struct fp_report_sarif_size *fp_report_sarif_size_new(void);
void fp_report_sarif_size_free(struct fp_report_sarif_size *size);

/* The compressed bytes of all that was added, PART with it; UINT64_MAX when that fails. */
uint64_t fp_report_sarif_size_add(struct fp_report_sarif_size *size, const json_t *part);

#endif
