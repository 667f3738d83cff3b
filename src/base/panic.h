/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of the process when an invariant of Fencepost's own is broken. Any context.
 */
#ifndef FP_BASE_PANIC_H
#define FP_BASE_PANIC_H

#include <stdbool.h>

/* MESSAGE is a fixed string, so that it can be searched for and tests can assert it. */
_Noreturn void fp_panic(const char *message);

/* Whether this process is ending so: what comes of it is no fault of the program's. */
bool fp_has_panicked(void);

/* The end of the process with STATUS, and of all its threads, without running anything more.
 * Where a filter refuses that, it is what it is in libc: the end of the thread, and with that
 * of a process that has no other, or death by a signal. */
_Noreturn void fp_end(int status);

#endif
