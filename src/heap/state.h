/* SPDX-License-Identifier: Apache-2.0
 *
 * What a heap consists of, for the files of this module. Private to it.
 *
 * Context: alloc.
 */
#ifndef FP_HEAP_STATE_H
#define FP_HEAP_STATE_H

#include <stdatomic.h>

#include "guard/guard.h"
#include "heap/findings.h"
#include "heap/heap.h"
#include "registry/registry.h"

/* A thread and its trace in one word, so that both are published, and taken away, at once. 0 is
 * nobody: no thread has that number. */
typedef uint64_t fp_heap_visit;

static inline fp_heap_visit fp_visit_make(fp_thread_id thread, fp_trace_id trace)
{
	return (uint64_t)thread << 32 | trace;
}

static inline fp_thread_id fp_visit_thread(fp_heap_visit visit)
{
	return (fp_thread_id)(visit >> 32);
}

static inline struct fp_party fp_visit_party(fp_heap_visit visit, enum fp_party_role role)
{
	return (struct fp_party){role, fp_visit_thread(visit), (fp_trace_id)visit};
}

struct fp_heap {
	fp_heap_id id;
	struct fp_heap_traits traits;
	uint64_t checksum;    /* over the above, which never changes */
	struct fp_heap *next; /* the heap that was created before this one */
	_Atomic fp_heap_visit released_by;
	_Atomic fp_heap_visit failed_by; /* who found that it can serve nobody any more */
	/* Who has the heap to himself: by Lock, or by being inside it where it takes one at a
	 * time. DEPTH counts how often, and is the occupant's alone. */
	_Atomic fp_heap_visit occupant;
	uint32_t depth;
};

/* By which the registry knows the block of SLOT. */
static inline struct fp_registry_key fp_heap_key(const struct fp_slot *slot)
{
	return (struct fp_registry_key){.slot = slot->base, .link = slot->link};
}

static inline bool fp_heap_is_released(const struct fp_heap *heap)
{
	return atomic_load_explicit(&heap->released_by, memory_order_relaxed) != 0;
}

/* Misuse by the calling thread, which TRACE is the stack of. */
static inline struct fp_misuse fp_heap_misuse(const struct fp_heap *heap, const void *address,
                                              fp_trace_id trace)
{
	return (struct fp_misuse){
	        .address = (uintptr_t)address,
	        .trace = trace,
	        .has_hresult = heap->traits.error_codes.has_hresult,
	        .hresult = heap->traits.error_codes.misuse,
	};
}

/* As fp_heap_free_as for a block that is not NULL, of a heap that lives; WHERE it is, or NULL
 * for what is in no slot. */
int fp_heap_free_at(struct fp_heap *heap, const struct fp_heap_claim *claim,
                    struct fp_place *where);

/* Makes findings of the live blocks of HEAP, which is being released at TRACE (in released.c).
 */
void fp_heap_report_held(const struct fp_heap *heap, fp_trace_id trace);

/* The block of HEAP at ADDRESS, in SLOT, is about to be freed or moved: nothing of it is
 * poisoned any more (in poison.c). */
void fp_heap_end_poison(const struct fp_heap *heap, const struct fp_slot *slot,
                        uintptr_t address);

/* After fp_guard_init (in poison.c). */
void fp_heap_start_poison(void);

/* As fp_heap_poison, at the call that BY tells (in poison.c). */
struct fp_poisoner;
void fp_heap_poison_by(uintptr_t address, size_t bytes, const struct fp_poisoner *by);

void fp_heap_set_lock_timeout(uint64_t milliseconds);

/* Fencepost's own memory was written to, as WHAT says: from now on no heap is usable. HEAP is
 * the one that was called, or NULL. -EUCLEAN. */
int fp_heap_fail(const struct fp_heap *heap, fp_trace_id trace, const char *what);

/* The same for HEAP alone; others can go on. */
int fp_heap_fail_alone(struct fp_heap *heap, fp_trace_id trace, const char *what);

/* Whether HEAP, or all, can serve nobody any more. */
static inline bool fp_heap_has_failed(const struct fp_heap *heap)
{
	return fp_heap_is_unusable() ||
	       atomic_load_explicit(&heap->failed_by, memory_order_relaxed) != 0;
}

/* Whether the kernel would promise so much memory, and RLIMIT_DATA allow it, to block SERIAL.
 * Reservations of ours are not asked about, so that it would take the touching of them for the
 * kernel to say no (in shortage.c). */
bool fp_heap_is_promised(size_t size, uint64_t serial);

/* REQUEST, or with NULL a new heap, could not be met: a finding where callers are told
 * HRESULTs. -ENOMEM (in shortage.c). */
int fp_heap_report_shortage(const struct fp_heap *heap, const struct fp_heap_request *request,
                            fp_trace_id trace);

/* The same; but when STATUS (a negative errno) says that the kernel forbids it, the heap has
 * failed. -ENOMEM or -EUCLEAN. */
int fp_heap_refuse_memory(struct fp_heap *heap, const struct fp_heap_request *request,
                          fp_trace_id trace, int status);

#endif
