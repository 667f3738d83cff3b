/* SPDX-License-Identifier: Apache-2.0
 *
 * The last calls of munmap. A place is written while its start is 0, so that a reader who
 * interrupts that takes it for none; of two threads that write at once, one round of the ring
 * apart, one is lost.
 *
 * Context: alloc and fault.
 */
#include <stdatomic.h>

#include "stack/stack.h"

enum { KEPT = 64 };

static struct {
	_Atomic uintptr_t start;
	_Atomic uintptr_t end;
	_Atomic fp_thread_id thread;
	_Atomic fp_trace_id trace;
} kept[KEPT];

static _Atomic uint32_t count;

void fp_stack_keep_unmapped(const struct fp_stack_unmapped *unmapped)
{
	uint32_t i = atomic_fetch_add(&count, 1) % KEPT;

	atomic_store(&kept[i].start, 0);
	atomic_store(&kept[i].end, unmapped->end);
	atomic_store(&kept[i].thread, unmapped->thread);
	atomic_store(&kept[i].trace, unmapped->trace);
	atomic_store(&kept[i].start, unmapped->start);
}

bool fp_stack_find_unmapped(uintptr_t address, struct fp_stack_unmapped *unmapped)
{
	uint32_t newest = atomic_load(&count);

	for (uint32_t age = 1; age <= KEPT; age++) {
		uint32_t i = (newest - age) % KEPT;

		*unmapped = (struct fp_stack_unmapped){
		        atomic_load(&kept[i].start), atomic_load(&kept[i].end),
		        atomic_load(&kept[i].thread), atomic_load(&kept[i].trace)};
		if (unmapped->start != 0 && address >= unmapped->start &&
		    address < unmapped->end)
			return true;
	}
	return false;
}
