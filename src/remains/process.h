/* SPDX-License-Identifier: Apache-2.0
 *
 * What the process knew: the functions of registry, region, heap and stack that the search for
 * leaks and the census call, of the core file that is open (names.h). Private to the module.
 */
#ifndef FP_REMAINS_PROCESS_H
#define FP_REMAINS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/remains.h"
#include "model/block.h"

/* A block, and the slot it has or had. */
struct fp_remains_block {
	uintptr_t slot;
	struct fp_block block;
	size_t behind; /* of a region: bytes of the guard */
	uint32_t kept; /* of the first bytes that it held */
	uint64_t bytes[6];
};

extern struct fp_remains_process {
	struct fp_remains map;
	struct fp_remains_block *blocks; /* by slot; of each slot the last */
	size_t count;
	size_t live;
	struct fp_remains_block *regions; /* by address; the slot is where their guard begins */
	size_t region_count;
	uint32_t now;
} fp_remains_process;

/* Of the core file that is open. 0, or a negative errno with the refusal set. */
int fp_remains_load(void);
void fp_remains_unload(void);

/* The range INDEX of RANGES; false behind the last. */
bool fp_remains_range(const struct fp_remains_ranges *ranges, size_t index, uintptr_t *start,
                      uintptr_t *end);

/* The events that the process had logged, in new memory; NULL: none, or no memory. */
char *fp_remains_take_events(size_t *size);

#endif
