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
#include "model/schema.h"

enum fp_page_state {
	FP_PAGE_NONE, /* no page of a region */
	FP_PAGE_GUARD,
	FP_PAGE_RESERVED, /* never committed */
	FP_PAGE_COMMITTED,
	FP_PAGE_DECOMMITTED, /* reserved again */
	FP_PAGE_RELEASED,    /* with its region */
	FP_PAGE_STATE_COUNT
};

/* Its protection, of PAGE_ flags of Win32, is meaningful while it is committed, its thread with
 * a trace, FP_TRACE_NONE before it was committed. */
struct fp_page {
	FP_PAGE_FIELDS(FP_VICTIM_, )
};

/* "guard", "reserved", "committed", "decommitted", "released", or NULL for FP_PAGE_NONE. Any
 * context. */
const char *fp_page_state_name(unsigned state);

/* "PAGE_READWRITE" and the like, without modifiers; NULL for what is none. Any context. */
const char *fp_page_protection_name(unsigned protection);

#endif
