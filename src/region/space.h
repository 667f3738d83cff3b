/* SPDX-License-Identifier: Apache-2.0
 *
 * Where regions stand: address space from the system or from released regions, and the guards
 * beside it. Works on the table under the lock of regions.
 *
 * Context: alloc. Private to the module.
 */
#ifndef FP_REGION_SPACE_H
#define FP_REGION_SPACE_H

#include "region/table.h"

struct fp_space_config {
	size_t guard_bytes;
	size_t kept_bytes; /* address space that released regions may keep */
};

void fp_space_init(const struct fp_space_config *config);

/*
 * Reserves what REGION, whose size is set, needs, and enters it in the table: anywhere when its
 * address is 0, else there or nowhere. An address that somebody else's guard or a released
 * region stands at is free. 0; -EEXIST when it is taken, -ENOMEM; then nothing has changed.
 */
int fp_space_enter(struct fp_region *region);

/* Takes REGION out of the table, and gives its address space back; -ENOMEM, and it stays. */
int fp_space_remove(const struct fp_region *region);

/* Makes the pages of a region that is being released inaccessible and empty; -ENOMEM when the
 * system refuses or address space is too dear to keep it. The oldest released regions make
 * room for it. */
int fp_space_bury(const struct fp_region *region);

/* Gives the address space of all released regions back; how many bytes that were. */
size_t fp_space_give_back(void);

#endif
