/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks that are freed while the thread is inside: by handlers of signals, and by what our own
 * code calls. They wait until it leaves, however many they are. No lock is taken and nothing is
 * allocated, because the thread may have been interrupted anywhere.
 *
 * Whoever parks interrupts whoever takes out, or another one who parks, and is through before
 * those go on.
 */
#include <stddef.h>
#include <signal.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "base/vm.h"
#include "preload/door.h"

enum { SHELF_BYTES = 64 << 10 };

struct fp_preload_shelf {
	struct fp_preload_shelf *_Atomic next;
	struct fp_heap_claim claims[];
};

enum {
	ON_SHELF = (SHELF_BYTES - offsetof(struct fp_preload_shelf, claims)) /
	           sizeof(struct fp_heap_claim)
};

/* The shelf that LINK leads to; NULL: there is no memory for one. */
static struct fp_preload_shelf *get_shelf(struct fp_preload_shelf *_Atomic *link)
{
	struct fp_preload_shelf *shelf = atomic_load(link);
	uintptr_t made;

	if (shelf != NULL || fp_vm_map(SHELF_BYTES, PROT_READ | PROT_WRITE, &made) != 0)
		return shelf;
	if (atomic_compare_exchange_strong(link, &shelf, (struct fp_preload_shelf *)made))
		return (struct fp_preload_shelf *)made;
	fp_vm_unmap(made, SHELF_BYTES);
	return shelf;
}

/* NULL: there is no memory for that many. */
static struct fp_heap_claim *get_place(struct fp_preload_thread *thread, size_t index)
{
	struct fp_preload_shelf *shelf;

	if (index < FP_PRELOAD_PARKED_AT_HAND)
		return &thread->parked[index];
	index -= FP_PRELOAD_PARKED_AT_HAND;
	shelf = get_shelf(&thread->shelf);
	for (; shelf != NULL && index >= ON_SHELF; index -= ON_SHELF)
		shelf = get_shelf(&shelf->next);
	return shelf != NULL ? &shelf->claims[index] : NULL;
}

void fp_preload_park(const struct fp_heap_claim *claim)
{
	struct fp_preload_thread *thread = &fp_preload_thread;
	struct fp_heap_claim *place =
	        get_place(thread, atomic_fetch_add(&thread->parked_count, 1));

	if (place != NULL)
		*place = *claim;
}

static void free_all(struct fp_preload_thread *thread)
{
	uint32_t done = 0;
	uint32_t count;

	do {
		for (; done < atomic_load(&thread->parked_count); done++) {
			struct fp_heap_claim *place = get_place(thread, done);

			/* (NULL, too, where a handler was left by a jump in the midst.) */
			if (place == NULL || place->block == NULL)
				continue;
			fp_heap_free_as(fp_preload.heap, place);
			place->block = NULL;
		}
		count = done;
	} while (!atomic_compare_exchange_strong(&thread->parked_count, &count, 0));
}

/* Unless handlers have parked since; now there are none. */
static void drop_shelves(struct fp_preload_thread *thread)
{
	const uint64_t all = ~UINT64_C(0);
	uint64_t before;

	fp_sys_sigmask(SIG_SETMASK, &all, &before);
	struct fp_preload_shelf *shelf = NULL;
	if (atomic_load(&thread->parked_count) == 0)
		shelf = atomic_exchange(&thread->shelf, NULL);
	while (shelf != NULL) {
		struct fp_preload_shelf *next = atomic_load(&shelf->next);

		fp_vm_unmap((uintptr_t)shelf, SHELF_BYTES);
		shelf = next;
	}
	fp_sys_sigmask(SIG_SETMASK, &before, NULL);
}

void fp_preload_free_parked(void *unused)
{
	struct fp_preload_thread *thread = &fp_preload_thread;

	(void)unused;
	free_all(thread);
	while (atomic_load(&thread->shelf) != NULL) {
		drop_shelves(thread);
		free_all(thread);
	}
}
