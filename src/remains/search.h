/* SPDX-License-Identifier: Apache-2.0
 *
 * The search for leaks in the core file that is open. Private to the module.
 */
#ifndef FP_REMAINS_SEARCH_H
#define FP_REMAINS_SEARCH_H

#include "log/writer.h"

/* Why there is less in the file than the process had, or NULL. */
const char *fp_remains_gap(void);

/* Logs the leaks. 0 or -ENOMEM. */
int fp_remains_log_leaks(struct fp_log *log);

#endif
