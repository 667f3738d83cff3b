/* SPDX-License-Identifier: Apache-2.0
 *
 * Running programs that know nothing of Fencepost, with the preload library and without.
 */
#ifndef TESTS_E2E_PRELOAD_RUNS_H
#define TESTS_E2E_PRELOAD_RUNS_H

#include "harness.h"

#define VICTIMS "tests/e2e/victims/"

void preload_run_without(struct e2e_run *run, const char *const argv[]);

/* With the back end and further options, or NULL. */
void preload_run(struct e2e_run *run, int backend, const char *options,
                 const char *const argv[]);

/* Behind another preloaded LIBRARY. */
void preload_run_behind(struct e2e_run *run, const char *library, int backend,
                        const char *const argv[]);

#endif
