/* SPDX-License-Identifier: Apache-2.0
 *
 * The formats of a report and the one walk over its parts that they share. A new format is a
 * file with a table of what it does with each part, and a row in writer.c: what is shown, in
 * which order, and what is left out is decided here alone.
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
	bool has_possible;       /* possible leaks are listed, too, not only counted */
	bool is_quiet;           /* text: nothing at all when nothing was found */
	bool has_colour;         /* text: OUT is a terminal */
	const char *source_root; /* text, sarif: the repository, which files are named relative
	                            to; or NULL */
	bool has_all_frames;     /* text: no stack is cut or folded */
	bool has_blocks;         /* text: a suppression to paste after each finding and leak */
	const struct fp_report_line
	        *line;    /* ndjson: host, labels, and how many were left out */
	bool is_redacted; /* ndjson: no arguments, directories or contents */
	bool is_whole;    /* text: what was shown before, and of whom there is nothing to say */
};

/* A set of resolved reports, one for each process, to be shown as one document. */
struct fp_report_set {
	const struct fp_report *const *reports;
	size_t count; /* at least one */
};

/* A walk over a set. */
struct fp_report_walk {
	const struct fp_report_view *view;
	FILE *out;
	const struct fp_report_set *set;
	size_t index; /* in the set, of the report being visited */
	void *state;  /* the writer's own, from begin to end */
};

/*
 * What a format does with each part, in this order; NULL where it does nothing. Each returns 0
 * or a negative errno, which ends the walk; errors of OUT are for its owner to find.
 */
struct fp_report_writer {
	const char *name;   /* the key of its output option; "text" for log */
	bool has_snapshots; /* shows them: their stacks must be resolved */
	bool is_data;       /* for programs, which choose: has possible leaks in any view */
	int (*begin)(struct fp_report_walk *walk);
	/* For each report: */
	int (*begin_report)(struct fp_report_walk *walk, const struct fp_report *report);
	int (*finding)(struct fp_report_walk *walk, const struct fp_report_finding *finding);
	int (*leak)(struct fp_report_walk *walk, const struct fp_report_leak *leak);
	int (*end_report)(struct fp_report_walk *walk, const struct fp_report *report);
	int (*end)(struct fp_report_walk *walk);
	/* Releases the state, after whatever happened. */
	void (*release)(struct fp_report_walk *walk);
};

/* Those there are, one a file. */
extern const struct fp_report_writer fp_report_asan_writer;
extern const struct fp_report_writer fp_report_text_writer;
extern const struct fp_report_writer fp_report_json_writer;
extern const struct fp_report_writer fp_report_folded_writer;
extern const struct fp_report_writer fp_report_sarif_writer;
extern const struct fp_report_writer fp_report_xml_writer;
extern const struct fp_report_writer fp_report_html_writer;
extern const struct fp_report_writer fp_report_ndjson_writer;

/* The writer called NAME, or NULL. */
const struct fp_report_writer *fp_report_writer_find(const char *name);

/* Renders the findings of the one report of SET with indices from FIRST up to END, and nothing
 * else. The same. */
int fp_report_write_findings(const struct fp_report_writer *writer,
                             const struct fp_report_set *set, const struct fp_report_view *view,
                             size_t first, size_t end, FILE *out);

/* Renders SET to OUT. 0, or the negative errno of the writer (-ENOMEM). */
int fp_report_write(const struct fp_report_writer *writer, const struct fp_report_set *set,
                    const struct fp_report_view *view, FILE *out);

#endif
