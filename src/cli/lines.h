/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines of --ndjson, sent to whom the option names. One receiver a process.
 *
 * Context: report.
 */
#ifndef FP_CLI_LINES_H
#define FP_CLI_LINES_H

#include "cli/cli.h"

/* That of every entry in the journal. */
#define FP_CLI_LINES_MESSAGE_ID "6b7c3f0e9d5a4a1c8f0d2e4b6a8c1357"

/* Finds the receiver that OPTIONS name. 0, also when they name none; or FP_CLI_FAILED after
 * saying what is wrong. A socket that nobody listens on is no error: lines that are not sent
 * are counted. */
int fp_cli_lines_open(const struct fp_options *options);

/* Sends the findings of LOG with indices from FIRST up to END, which were made just now.
 * Returns the END up to which it did: no more than the receiver is spared for this second. */
size_t fp_cli_lines_send_findings(const struct fp_cli_log *log, size_t first, size_t end,
                                  const struct fp_options *options);

/* Sends what the COUNT LOGS have beside that. 0, or FP_CLI_FAILED. */
int fp_cli_lines_send(const struct fp_cli_log *logs, size_t count,
                      const struct fp_options *options);

#endif
