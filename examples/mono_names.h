/* SPDX-License-Identifier: Apache-2.0
 *
 * Names for what Mono compiles while it runs.
 */
#ifndef EXAMPLES_MONO_NAMES_H
#define EXAMPLES_MONO_NAMES_H

#include <stdbool.h>

/*
 * Before mono_jit_init(): from then on each method that is compiled, or loaded compiled, has
 * its lines in /tmp/perf-PID.map, which Fencepost reads, and perf. false when there can be no
 * such file; errno says why.
 */
bool mono_names_begin(void);

#endif
