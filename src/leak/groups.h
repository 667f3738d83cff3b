/* SPDX-License-Identifier: Apache-2.0
 *
 * Classified blocks, grouped by who allocated them.
 *
 * Context: alloc. Private to leak.
 */
#ifndef FP_LEAK_GROUPS_H
#define FP_LEAK_GROUPS_H

#include "leak/leak.h"
#include "leak/table.h"

/* Hands groups and blocks to the visitors of CONFIG and counts all in RESULT. */
void fp_leak_groups_visit(const struct fp_leak_table *table,
                          const struct fp_leak_config *config, struct fp_leak_result *result);

#endif
