/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that a command is to read reports from.
 *
 * Context: report.
 */
#ifndef FP_CLI_INPUTS_H
#define FP_CLI_INPUTS_H

#include "cli/cli.h"

/* Zero it to begin. */
struct fp_cli_inputs {
	char **paths;
	size_t count;
};

/*
 * Adds what ARGUMENT names: a file; a directory for the reports in it, by name; "-" for
 * standard input; or "@FILE" for a list of such, one a line. 0, or FP_CLI_FAILED after saying
 * why.
 */
int fp_cli_inputs_add(struct fp_cli_inputs *inputs, const char *argument);

/* One report of all, each file's forgotten at once. A file that cannot be read is said, and
 * noted in the report, and makes this FP_CLI_FAILED; *REPORT is NULL when nothing could be
 * read. */
int fp_cli_inputs_merge(const struct fp_cli_inputs *inputs, struct fp_report **report);

/* The same of what was read already, lines of several runs and other reports; *REPORT is NULL
 * when there are no such lines. Ends the merge of LOGS. 0 or FP_CLI_FAILED. */
int fp_cli_logs_merge(struct fp_cli_logs *logs, struct fp_report **report);

void fp_cli_inputs_free(struct fp_cli_inputs *inputs);

#endif
