/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorded logs that every format is rendered from. What symbols.c knows of their addresses
 * is part of them.
 */
#ifndef FP_TESTS_REPORT_LOGS_H
#define FP_TESTS_REPORT_LOGS_H

#include "encoder.h"

struct recorded_log {
	const char *name;
	void (*encode)(struct encoder *encoder);
};

enum { RECORDED_LOGS = 8 };

extern const struct recorded_log recorded_logs[RECORDED_LOGS];

#endif
