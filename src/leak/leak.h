/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaks: blocks that were never freed, grouped by who allocated them.
 *
 * Context: alloc.
 */
#ifndef FP_LEAK_LEAK_H
#define FP_LEAK_LEAK_H

#include <stdint.h>

#include "model/block.h"

/* Live blocks that share everything a report can say about where they come from. */
struct fp_leak_group {
	fp_trace_id trace;
	fp_site_id site;
	fp_heap_id heap;
	uint8_t family; /* enum fp_family */
	uint8_t level;  /* enum fp_level */
	uint64_t blocks;
	uint64_t bytes;
};

typedef void (*fp_leak_visitor)(const struct fp_leak_group *group, void *user);

/*
 * Hands the groups of live blocks with serials above AFTER to VISIT, in no particular order and
 * without any lock. 0, or -ENOMEM when some groups had to be left out.
 */
int fp_leak_each_group(uint64_t after, fp_leak_visitor visit, void *user);

#endif
