/* SPDX-License-Identifier: Apache-2.0
 *
 * Seccomp filters: what sandboxes and containers do to the system calls Fencepost needs.
 */
#ifndef TESTS_E2E_FILTERS_H
#define TESTS_E2E_FILTERS_H

/* Puts the process under the filter of that name, for good. 0, or -1 with errno. */
int filter_enter(const char *name);

/* The same with ERROR in the place of EPERM. */
int filter_enter_with(const char *name, int error);

#endif
