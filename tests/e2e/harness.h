/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs programs under the options of one back end and looks at what they leave: exit status,
 * output and JSON report. Assertions are Check's; every function may fail the running test.
 */
#ifndef TESTS_E2E_HARNESS_H
#define TESTS_E2E_HARNESS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

enum e2e_backend { E2E_MOVE, E2E_GUARD, E2E_MPROTECT, E2E_NONE, E2E_BACKEND_COUNT };

/*
 * Does this kernel have what the back end needs? Asked of the kernel, not of Fencepost: a back
 * end that refuses where this says yes fails its tests. Says so loudly when it is no.
 */
bool e2e_can_run(enum e2e_backend backend);

/*
 * Adds a test of ROWS behaviours that the first BACKENDS back ends have in common; its loop
 * index is row + ROWS * back end. Each runs once, one behaviour on one back end and the next on
 * another of those that this kernel has; with FP_TEST_LONG (`make check-long`) each on every
 * one. What depends on the back end is added with tcase_add_loop_test, for all of them.
 */
#define e2e_add_shared_test(tcase, test, rows, backends)                                       \
	do {                                                                                   \
		for (int run = 0; run < e2e_shared_runs(rows, backends); run++) {              \
			int at = e2e_shared_index(run, rows, backends);                        \
			tcase_add_loop_test(tcase, test, at, at + 1);                          \
		}                                                                              \
	} while (0)
int e2e_shared_runs(int rows, int backends);
int e2e_shared_index(int run, int rows, int backends);

struct e2e_run {
	const char *input; /* for standard input, or NULL for an empty one; set by the caller */
	int status;        /* as from waitpid() */
	char *out;         /* standard output */
	char *err;         /* standard error */
	json_t *report;    /* the JSON report, or NULL when none was written */
};

/*
 * Run argv[0], a path below the build directory, with FENCEPOST_OPTIONS naming the JSON report,
 * the reporter of the build tree, and `options` (or NULL).
 */
void e2e_run(struct e2e_run *run, const char *options, const char *const argv[]);

/* The same with exactly this FENCEPOST_OPTIONS, and no report read. */
void e2e_run_raw(struct e2e_run *run, const char *options, const char *const argv[]);

/* "backend=NAME". */
const char *e2e_backend_option(enum e2e_backend backend);

void e2e_release(struct e2e_run *run);

/* The run ended with that exit status, and not by a signal. */
void e2e_check_exit(const struct e2e_run *run, int code);

/* A file of the source tree; static until the next call but one. */
const char *e2e_source(const char *path);

/* The line of a file of the source tree that bears the comment "plant: <marker>". */
int e2e_marker_line(const char *path, const char *marker);

/* ---- Reports ------------------------------------------------------------------------------
 */

/* A finding as it must be. Fields left NULL or 0 must be null, or are not looked at where said.
 */
struct e2e_finding {
	const char *kind;
	const char *access;
	int count;              /* 0: 1 */
	const char *source;     /* the file that the markers are in */
	const char *call;       /* marker of the call's line; NULL: found at exit, no stack */
	const char *allocation; /* marker of the allocation's line; NULL: no block */
	const char *first_free; /* marker of the earlier free; NULL: not looked at */
	long size;              /* of the block */
	long offset;            /* in the block */
	bool is_refused;        /* the caller got HOST_E_INVALIDOPERATION */
};

/* The report has `count` findings and `leaks` leaks. */
void e2e_check_counts(const struct e2e_run *run, size_t count, size_t leaks);

/* Takes the findings of that kind out of the report; how many there were. */
size_t e2e_take_findings(struct e2e_run *run, const char *kind);

/* The report's first finding is exactly this one. */
void e2e_check_finding(const struct e2e_run *run, const struct e2e_finding *expected);

/* The innermost frame of a stack is that marker's line. */
void e2e_check_stack(const json_t *stack, const char *source, const char *marker);

/* A member of an object, which must be there. */
json_t *e2e_get(const json_t *object, const char *key);
long e2e_get_integer(const json_t *object, const char *key);
const char *e2e_get_string(const json_t *object, const char *key);

#endif
