/* SPDX-License-Identifier: Apache-2.0
 *
 * What the option suppressions names, read and applied.
 *
 * Context: report.
 */
#ifndef FP_CLI_SUPPRESSIONS_H
#define FP_CLI_SUPPRESSIONS_H

#include "cli/cli.h"
#include "report/suppress/suppress.h"

/* Reads the files that OPTIONS name into SUPPRESSIONS, zeroed to begin. 0, or FP_CLI_FAILED
 * after saying why; then there are none. */
int fp_cli_suppressions_read(struct fp_report_suppressions *suppressions,
                             const struct fp_options *options);

/* Takes out of the reports of one run what they match; they must outlive the reports. 0, or
 * FP_CLI_FAILED after saying why. */
int fp_cli_suppress(const struct fp_cli_log *logs, size_t count,
                    struct fp_report_suppressions *suppressions);

#endif
