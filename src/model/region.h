/* SPDX-License-Identifier: Apache-2.0
 *
 * A region: address space that a host reserved with VirtualAlloc, between a guard on either
 * side. Its pages are reserved, committed or decommitted, each run of them on its own. In
 * findings and leaks a region stands as the block that it is, of family `virtual`; what is
 * known of the page that was met stands beside it.
 */
#ifndef FP_MODEL_REGION_H
#define FP_MODEL_REGION_H

#include <stdint.h>

#include "model/block.h"

enum fp_page_state {
	FP_PAGE_NONE, /* no page of a region */
	FP_PAGE_GUARD,
	FP_PAGE_RESERVED, /* never committed */
	FP_PAGE_COMMITTED,
	FP_PAGE_DECOMMITTED, /* reserved again */
	FP_PAGE_RELEASED,    /* with its region */
	FP_PAGE_STATE_COUNT
};

struct fp_page {
	uint8_t state;          /* enum fp_page_state */
	uint32_t protection;    /* PAGE_ flags of Win32, meaningful while committed */
	fp_trace_id committer;  /* who last committed it; FP_TRACE_NONE before */
	fp_thread_id by_thread; /* meaningful with a committer */
};

/* "guard", "reserved", "committed", "decommitted", "released", or NULL for FP_PAGE_NONE. Any
 * context. */
const char *fp_page_state_name(enum fp_page_state state);

/* "PAGE_READWRITE" and the like, without modifiers; NULL for what is none. Any context. */
const char *fp_page_protection_name(uint32_t protection);

#endif
