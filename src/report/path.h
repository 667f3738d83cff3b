/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of source files as other tools need them. Compilers record names as they were given,
 * often relative to where they stood. Works on names only: the files may be on another machine.
 *
 * Context: report.
 */
#ifndef FP_REPORT_PATH_H
#define FP_REPORT_PATH_H

#include "report/report.h"

/* FILE, below DIRECTORY (which may be NULL) unless it is absolute, without "//", "." and "..",
 * in new memory, terminated. NULL when out of memory. */
char *fp_report_make_path(const char *directory, struct fp_report_string file);

/* What of PATH is below ROOT, without a slash before it; NULL when it is not below. */
const char *fp_report_path_below(const char *path, const char *root);

#endif
