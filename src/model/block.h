/* SPDX-License-Identifier: Apache-2.0
 *
 * Glossary, one meaning each, used in code, reports and manuals:
 *
 *   block    one user allocation
 *   slot     the page run a block sits in
 *   guard    an inaccessible page beside a slot or a region
 *   padding  the bytes of a slot that the user did not ask for, filled with a known pattern
 *   heap     one IHostMalloc, or the process's malloc
 *   family   how a block was allocated
 *   region   address space that VirtualAlloc reserved (model/region.h)
 *   seal     make a slot inaccessible; unseal makes it accessible
 *   tier     how well a block is protected
 *   trace    return addresses; a frame is one of them symbolised
 *   site     the source file and line a caller gave to DebugAlloc
 *   finding  one detected misuse; a leak is a block never freed
 *
 * Where a block stands in its slot (placement right, the default):
 *
 *        guard          slot: one or more pages           guard
 *   |............|ppppppppppppppppp[block............]pp|............|
 *                 padding            size bytes        padding up to align - 1 bytes
 */
#ifndef FP_MODEL_BLOCK_H
#define FP_MODEL_BLOCK_H

#include <stdint.h>
#include <stddef.h>

#include "model/trace.h"

typedef uint32_t fp_thread_id; /* the kernel's thread id */
typedef uint32_t fp_site_id;   /* interned file and line; FP_SITE_NONE when none was given */
typedef uint32_t fp_heap_id;   /* 1 is the first heap created */

enum { FP_SITE_NONE = 0 };

enum fp_family {
	FP_FAMILY_HOST,
	FP_FAMILY_MALLOC,
	FP_FAMILY_NEW,
	FP_FAMILY_NEW_ARRAY,
	FP_FAMILY_ALIGNED,
	FP_FAMILY_ALIGNED_ARRAY, /* "aligned" in reports, too, but not the same to delete */
	FP_FAMILY_VIRTUAL,       /* a region of VirtualAlloc */
	FP_FAMILY_POOL,          /* cut by the program out of memory of its own */
	FP_FAMILY_COUNT
};

enum fp_tier { FP_TIER_GUARDED, FP_TIER_PADDED, FP_TIER_PLAIN, FP_TIER_COUNT };

/* What the failure of a request would cost (EMemoryCriticalLevel of the hosting interfaces). */
enum fp_level {
	FP_LEVEL_TASK,
	FP_LEVEL_APPDOMAIN,
	FP_LEVEL_PROCESS,
	FP_LEVEL_NONE, /* the door has no such notion */
	FP_LEVEL_COUNT
};

enum { FP_BLOCK_ALIGN_MAX = 31 };

enum fp_block_state { FP_BLOCK_LIVE, FP_BLOCK_FREED };

/* What became known of a live block. Ignored: it is no leak, nor what it points to, because the
 * program says so, or wanted to free it and did so wrongly, which is told already. */
enum fp_block_mark {
	FP_BLOCK_IGNORED = 1,
	FP_BLOCK_TOLD = 2, /* a check for leaks has listed it */
	FP_BLOCK_LOST = 4  /* and as one that nothing points to */
};

/* How a block that was never freed can be reached. */
enum fp_leak_class {
	FP_LEAK_DEFINITE,
	FP_LEAK_INDIRECT,
	FP_LEAK_POSSIBLE,
	FP_LEAK_REACHABLE,
	FP_LEAK_CLASS_COUNT
};

enum {
	FP_LEAK_DEPTH_MAX = 8, /* what hangs deeper from a leak is not told apart */
	FP_LEAK_PATH_OUTER = 3 /* of a long path so many holders next to the root are told */
};

/* There is one of these for each live block, so its size is part of the cost of a block. */
struct fp_block {
	uintptr_t address; /* what the caller got */
	size_t size;       /* what the caller asked for, in bytes */
	uint64_t serial;   /* 1 for the first allocation of the process */
	fp_heap_id heap;
	fp_trace_id alloc_trace;
	fp_trace_id free_trace; /* meaningful once freed */
	fp_thread_id alloc_thread;
	fp_thread_id free_thread; /* meaningful once freed */
	fp_site_id site;
	uint32_t born;     /* fp_clock_now() then */
	uint8_t family;    /* enum fp_family */
	uint8_t tier;      /* enum fp_tier */
	uint8_t state : 4; /* enum fp_block_state */
	uint8_t level : 4; /* enum fp_level */
	uint8_t marks : 3; /* of enum fp_block_mark */
	uint8_t align : 5; /* the alignment asked for is 1 << align; 0: none */
};

/* An alignment, a power of two or 0, as a block remembers it: the largest are all the same. Any
 * context. */
static inline uint8_t fp_block_align(size_t align)
{
	int bits = align == 0 ? 0 : __builtin_ctzl(align);

	return (uint8_t)(bits < FP_BLOCK_ALIGN_MAX ? bits : FP_BLOCK_ALIGN_MAX);
}

/* "host", "malloc", "new", "new[]", "aligned", "virtual" or "pool". Any context. */
const char *fp_family_name(unsigned family);

/* "guarded", "padded" or "plain". Any context. */
const char *fp_tier_name(unsigned tier);

/* "task", "appdomain", "process", or NULL for FP_LEVEL_NONE. Any context. */
const char *fp_level_name(unsigned level);

/* "definite", "indirect", "possible" or "reachable". Any context. */
const char *fp_leak_class_name(unsigned class);

/* "3 bytes past the end of a block of 24 bytes": where ADDRESS is, as a text in BUFFER. */
enum { FP_BLOCK_PLACE_MAX = 112 };
const char *fp_block_place(const struct fp_block *block, uintptr_t address,
                           char buffer[FP_BLOCK_PLACE_MAX]);

#endif
