/* SPDX-License-Identifier: Apache-2.0
 *
 * The formats of a report. A new one is a function in a file of its own and a row in writer.c.
 *
 * Context: report.
 */
#ifndef FP_REPORT_WRITER_H
#define FP_REPORT_WRITER_H

#include <stdio.h>

#include "report/report.h"

enum fp_report_leaks {
	FP_REPORT_LEAKS_NONE,    /* as if there were none */
	FP_REPORT_LEAKS_SUMMARY, /* text: only in the summary line */
	FP_REPORT_LEAKS_FULL
};

/* What of a report to show, and how. */
struct fp_report_view {
	enum fp_report_leaks leaks;
	bool is_quiet;   /* text: nothing at all when nothing was found */
	bool has_colour; /* text: OUT is a terminal */
};

struct fp_report_writer {
	const char *name; /* "text", "json" */
	/* Renders a resolved REPORT to OUT. 0, or -ENOMEM; errors of OUT are for its owner to
	 * find. */
	int (*write)(const struct fp_report *report, const struct fp_report_view *view,
	             FILE *out);
};

/* The writer called NAME, or NULL. */
const struct fp_report_writer *fp_report_writer_find(const char *name);

#endif
