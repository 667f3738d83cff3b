/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines as log records of OpenTelemetry, by OTLP/HTTP in JSON. libcurl is loaded when there is
 * something to send: it brings two dozen libraries along.
 *
 * Context: report.
 */
#ifndef FP_CLI_OTLP_H
#define FP_CLI_OTLP_H

#include <stdbool.h>
#include <stdint.h>

/* Keeps LINE, JSON, for the next request. */
bool fp_cli_otlp_add(const char *line);

/* Sends all that was kept to URL. Returns how many could not be sent; *ERROR says why. It takes
 * two seconds at most. */
uint64_t fp_cli_otlp_send(const char *url, int *error);

#endif
