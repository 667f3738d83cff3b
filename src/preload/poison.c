/* SPDX-License-Identifier: Apache-2.0
 *
 * AddressSanitizer's functions for arenas, for programs that know nothing of us. Nothing is
 * checked but what a page can: whole pages, and what is handed to calls.
 */
#include "heap/heap.h"
#include "preload/door.h"
#include "preload/export.h"

struct visit {
	const void *address;
	size_t bytes;
	const void *found;
};

static void poison_inside(void *visit)
{
	fp_heap_poison(((struct visit *)visit)->address, ((struct visit *)visit)->bytes);
}

static void unpoison_inside(void *visit)
{
	fp_heap_unpoison(((struct visit *)visit)->address, ((struct visit *)visit)->bytes);
}

static void find_inside(void *argument)
{
	struct visit *visit = argument;

	visit->found = fp_heap_find_poisoned(visit->address, visit->bytes);
}

static struct visit pass(void (*work)(void *), const volatile void *address, size_t bytes)
{
	struct visit visit = {.address = (const void *)(uintptr_t)address, .bytes = bytes};

	/* A sample leaves memory to libc, which gives it out again. */
	if (bytes == 0 || (fp_preload.picks && !fp_heap_is_ours(visit.address)) ||
	    !fp_preload_enter())
		return visit;
	fp_room_run(work, &visit);
	fp_preload_leave();
	return visit;
}

void __asan_poison_memory_region(const volatile void *address, size_t bytes)
{
	pass(poison_inside, address, bytes);
}

void __asan_unpoison_memory_region(const volatile void *address, size_t bytes)
{
	pass(unpoison_inside, address, bytes);
}

int __asan_address_is_poisoned(const volatile void *address)
{
	return pass(find_inside, address, 1).found != NULL;
}

void *__asan_region_is_poisoned(void *address, size_t bytes)
{
	return (void *)(uintptr_t)pass(find_inside, address, bytes).found;
}
