/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocators that cut malloc's blocks up into their own and can be told to leave that, by a
 * variable of the environment: which of them a run met, and a run without them.
 *
 * Context: report.
 */
#ifndef FP_CLI_POOLS_H
#define FP_CLI_POOLS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"

enum { FP_CLI_POOLS = 3 };

/* The file that each was met in, or NULL. Zero it to begin. */
struct fp_cli_pools {
	char *files[FP_CLI_POOLS];
};

/* Adds those that the processes of LOGS had and no variable tells to leave. */
void fp_cli_pools_look(struct fp_cli_pools *pools, const struct fp_cli_logs *logs);

/* Says them on standard error, with the command that does without: that of ARGUMENTS, which
 * stood behind "fencepost run". */
void fp_cli_pools_print(const struct fp_cli_pools *pools, char *const *arguments);
void fp_cli_pools_free(struct fp_cli_pools *pools);

/* Whether ALLOCATOR, as fp_cli_image_allocator() has it, is one of them. */
bool fp_cli_is_pool(const char *allocator);

/* The variables that do without them, except those that are set, into ENVIRONMENT; how many. */
size_t fp_cli_pools_leave(char **environment);

#endif
