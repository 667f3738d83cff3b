/* SPDX-License-Identifier: Apache-2.0
 *
 * Released slots that wait to be sealed together: with several threads it is the interrupt to
 * the other processors that a free costs, and one serves a whole batch. Until then they stay
 * accessible, filled, and whoever wrote to one in the meantime is found out when it is sealed.
 *
 * Context: alloc. Private to guard.
 */
#ifndef FP_GUARD_BATCH_H
#define FP_GUARD_BATCH_H

#include <stdbool.h>

#include "guard/guard.h"
#include "guard/span.h"

void fp_batch_init(const struct fp_guard_config *config);

/* Whether slots of CHUNK wait to be sealed. They are to be filled when they are released. */
bool fp_batch_takes(const struct fp_chunk *chunk);

/* As fp_guard_release, for a slot of such a chunk. */
void fp_batch_release(const struct fp_slot *slot);

/* As fp_guard_seal_waiting. */
void fp_batch_seal_all(void);

#endif
