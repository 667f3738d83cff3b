/* SPDX-License-Identifier: Apache-2.0
 *
 * What names a finding for ever, and across machines and builds. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_FINGERPRINT_H
#define FP_REPORT_FINGERPRINT_H

#include "report/report.h"

/*
 * A finding's name: its kind, its access, and of its own, the allocation's and the free's stack
 * the modules and functions, as far as a person sees them, each with how many lines below the
 * start of its function it stands, so that two mistakes in one function, or through one helper,
 * are two. No address, path, build-id or line of a file is in it, so it stays while code is
 * only moved. Of the system's libraries only the name is in it. Only a frame without a function
 * has its offset in it.
 */
uint64_t fp_report_finding_fingerprint(const struct fp_report_finding *finding);
uint64_t fp_report_leak_fingerprint(const struct fp_report_leak *leak);

/*
 * What a finding's name has left when the functions in it were edited and the program renamed:
 * kind and functions. Different findings may well be alike.
 */
uint64_t fp_report_finding_likeness(const struct fp_report_finding *finding);
uint64_t fp_report_leak_likeness(const struct fp_report_leak *leak);

/* The number that FINGERPRINT has in NUMBERS, which is NULL to begin; *IS_NEW: it has NEXT from
 * now on. SIZE_MAX when out of memory. tdestroy(NUMBERS, free) in the end. */
size_t fp_report_number_of(void **numbers, uint64_t fingerprint, size_t next, bool *is_new);

#endif
