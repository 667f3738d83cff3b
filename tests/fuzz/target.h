/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fuzz targets share. A target defines LLVMFuzzerTestOneInput, which libFuzzer calls
 * with inputs of its own and replay.c with those of the corpus; what must never be so ends in
 * abort().
 */
#ifndef FP_TESTS_FUZZ_TARGET_H
#define FP_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

struct fp_report;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts, and says where, unless CONDITION holds. */
#define fuzz_must(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* Renders COUNT resolved reports in every format, and checks that what each names cannot break
 * out of it: JSON and XML are well-formed, text has no control characters. */
void fuzz_render(const struct fp_report *const *reports, size_t count);

/* Merges COUNT resolved reports and renders the result likewise. */
void fuzz_merge(struct fp_report *const *reports, size_t count);

/* What the writer of FORMAT makes of REPORT, in new memory. */
char *fuzz_write(const char *format, const struct fp_report *report, size_t *size);

#endif
