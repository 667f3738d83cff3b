/* SPDX-License-Identifier: Apache-2.0
 *
 * A recording done again through an IHostMalloc, one thread for each that was recorded.
 */
#ifndef EXAMPLES_REPLAY_H
#define EXAMPLES_REPLAY_H

#include <stdbool.h>
#include <stddef.h>

#include <fencepost/hosting.h>

#include "recording.h"

struct replay_result {
	size_t allocations; /* that succeeded; resizes included */
	size_t refused;
	size_t frees;
	size_t left;    /* blocks that were not freed */
	size_t damaged; /* blocks that did not hold what was written there */
};

/* Replays RECORDING through HEAP. False when threads or memory for it cannot be had; then
 * nothing is known. The blocks that are left stay reachable, as those of the runtime do. */
bool replay(const struct recording *recording, IHostMalloc *heap, struct replay_result *result);

#endif
