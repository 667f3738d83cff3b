/* SPDX-License-Identifier: Apache-2.0
 *
 * What a bad access means: a pure function of the access and a view of the heap. Nothing here
 * reads the accessed memory, takes a lock or knows about signals.
 *
 * Context: fault.
 */
#ifndef FP_FAULT_DIAGNOSE_H
#define FP_FAULT_DIAGNOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault/access.h"
#include "guard/guard.h"
#include "heap/findings.h"
#include "model/finding.h"
#include "region/region.h"

/* How the heap is seen; tests make one up. As fp_guard_find, fp_guard_find_beside,
 * fp_heap_find_in, fp_heap_last_bytes and fp_heap_take_damage. */
struct fp_fault_view {
	bool (*place)(uintptr_t address, struct fp_place *place);
	bool (*beside)(const struct fp_place *place, bool is_behind, struct fp_place *beside);
	bool (*block)(const struct fp_slot *slot, struct fp_block *block);
	size_t (*last_bytes)(const struct fp_slot *slot, uint8_t *bytes, size_t size);
	bool (*damage)(const struct fp_slot *slot, bool is_behind, uintptr_t reach,
	               struct fp_damaged *damaged);
};

extern const struct fp_fault_view fp_fault_heap;

/*
 * Fills in of FINDING what the access and the heap tell: kind, access, address, block, offset,
 * evidence and description. The offset is that of the first bad byte: a loop or a call that ran
 * into a guard came through the padding before it. False, and FINDING is left alone, when the
 * address is none of ours, is far from any block, or lies in a live one (whoever made that
 * inaccessible was not us).
 */
bool fp_fault_diagnose(const struct fp_fault_access *access, const struct fp_fault_view *view,
                       struct fp_finding *finding);

/* Whether ADDRESS is in memory of the heap that we made inaccessible, so not in a live block.
 */
bool fp_fault_is_sealed(uintptr_t address, const struct fp_fault_view *view);

/* As fp_fault_diagnose for LENGTH bytes that a call is about to access, accessible or not: the
 * first byte of them that is not in a live block. False when there is none, or they are not
 * ours. */
bool fp_fault_diagnose_range(const struct fp_fault_access *access, size_t length,
                             const struct fp_fault_view *view, struct fp_finding *finding);

/* As fp_fault_diagnose for poisoned bytes (in poison.c): the access faulted
 * because a whole page of them is inaccessible; or a call is about to access LENGTH bytes. */
bool fp_fault_diagnose_poison(const struct fp_fault_access *access, struct fp_finding *finding);
bool fp_fault_diagnose_poison_range(const struct fp_fault_access *access, size_t length,
                                    struct fp_finding *finding);

/* How regions are seen: as fp_region_find. */
typedef bool (*fp_fault_region_finder)(uintptr_t address, struct fp_region_place *place);

/* The same for regions (in region.c). False when the address is in none, nor in a guard of one,
 * or in a committed page: what that permits is its host's affair. */
bool fp_fault_diagnose_region(const struct fp_fault_access *access, fp_fault_region_finder find,
                              struct fp_finding *finding);
bool fp_fault_diagnose_region_range(const struct fp_fault_access *access, size_t length,
                                    fp_fault_region_finder find, struct fp_finding *finding);

#endif
