/* SPDX-License-Identifier: Apache-2.0
 *
 * Mistakes to commit on purpose: each is one misuse of one block of an IHostMalloc by the
 * host's own code, so that a user can see what a report of it looks like.
 */
#ifndef EXAMPLES_PLANT_H
#define EXAMPLES_PLANT_H

#include <fencepost/hosting.h>

#define PLANT_NAMES                                                                            \
	"overflow|underflow|use-after-free|double-free|interior-free|foreign-free|wrong-heap|" \
	"leak"

struct plant {
	const char *name;
	void (*commit)(IHostMemoryManager *manager, IHostMalloc *heap);
};

/* The mistake of that name, or NULL; the names are PLANT_NAMES. */
const struct plant *plant_find(const char *name);

#endif
