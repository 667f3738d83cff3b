/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions under test. Each runs in a process of its own, with a shell script for a reporter
 * that keeps what it was given: its standard input, its arguments and its environment.
 */
#ifndef TESTS_SESSION_SESSIONS_H
#define TESTS_SESSION_SESSIONS_H

#include "heap/heap.h"
#include "support/events.h"
#include "support/support.h"

/* Makes the script and names for its files. Before a test, in the process that runs it. */
void make_reporter(void);
void remove_reporter(void);

/* Where the script is, and where it puts what it was given. */
extern const char *reporter_path;
extern const char *copy_path;
extern const char *arguments_path;

/* What to do between the start of a session and its end. */
struct scenario {
	const char *options; /* "reporter=SCRIPT" is put before them */
	void (*body)(void);
	bool ends_by_exit; /* the body calls exit(3); otherwise the session ends after it */
};

/* Runs the scenario in a child. */
void run_scenario(const struct scenario *scenario, struct test_child *child);

/* Starts a session in this process, with the script as its reporter. */
void must_start(const char *options);

/* For bodies; they end the child when something is not so. */
struct fp_heap *must_create_heap(void);
char *must_alloc(struct fp_heap *heap, size_t size);
void must_double_free(struct fp_heap *heap);

/* The event log that the reporter was given; the test fails when it did not run. */
void open_given(struct test_events *events);
bool has_reporter_run(void);

/* The value of a setting in the log at EVENTS. */
const char *setting_of(const struct test_events *events, const char *key);

#endif
