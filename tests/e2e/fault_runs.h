/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of bad accesses share.
 */
#ifndef TESTS_E2E_FAULT_RUNS_H
#define TESTS_E2E_FAULT_RUNS_H

#include "harness.h"

#define VICTIMS "tests/e2e/victims/"

enum { ARGUMENTS_MAX = 6 };

/* Runs the victim arguments[0] with the back end and further options, or NULL. */
void fault_run(struct e2e_run *run, int backend, const char *options,
               const char *const arguments[]);

/* It died of that signal, SIGBUS or SIGSEGV, and the report says so. */
void fault_check_signal(const struct e2e_run *run, int number);

json_t *fault_finding(const struct e2e_run *run, size_t index);

/* The words are in the first finding's description. */
void fault_check_description(const struct e2e_run *run, const char *words);

#endif
