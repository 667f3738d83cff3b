/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines of source around a frame's, for writers that show them. Nothing is shown that may
 * not be what was compiled, and nothing is opened that is not a source file: a log may name
 * anything.
 *
 * Context: report.
 */
#ifndef FP_REPORT_SOURCE_H
#define FP_REPORT_SOURCE_H

#include "report/report.h"

enum {
	FP_REPORT_EXCERPT_MAX = 32,        /* lines */
	FP_REPORT_EXCERPT_LINE_BYTES = 240 /* of a line; the rest of it is left out */
};

/* Lines as they stand in the file, any bytes, without their ends. */
struct fp_report_excerpt {
	uint32_t first;  /* number of the first line */
	uint32_t marked; /* the frame's line */
	size_t count;
	struct fp_report_string lines[FP_REPORT_EXCERPT_MAX];
	char bytes[FP_REPORT_EXCERPT_MAX * FP_REPORT_EXCERPT_LINE_BYTES]; /* of the lines */
};

/*
 * Fills EXCERPT with the line of FRAME, which may be NULL, and at most AROUND lines before and
 * after it. False when the file is not there, has no such line, is not regular, does not have
 * the name of a source file, is newer than the module, or the module is not the one that ran.
 */
bool fp_report_source_lines(const struct fp_report_frame *frame, uint32_t around,
                            struct fp_report_excerpt *excerpt);

/* The same of the frame that STACK stands for, which may be NULL: from a JSON report that has
 * the lines, else from the file. */
bool fp_report_stack_source(const struct fp_report_stack *stack, uint32_t around,
                            struct fp_report_excerpt *excerpt);

/* FILE, below DIRECTORY (which may be NULL) unless it is absolute, without "//", "." and "..",
 * in new memory, terminated. NULL when out of memory. */
char *fp_report_make_path(const char *directory, struct fp_report_string file);

/* A directory as it was named and as it is without links, in new memory; each may be NULL. */
struct fp_report_roots {
	char *paths[2];
};

/* Finds the directory DIRECTORY, which may be NULL or empty: then there is none. */
int fp_report_roots_find(struct fp_report_roots *roots, const char *directory);
void fp_report_roots_free(struct fp_report_roots *roots);

/* What of PATH is below a root, without a slash before it; NULL when it is not below. */
const char *fp_report_path_below(const char *path, const struct fp_report_roots *roots);

#endif
