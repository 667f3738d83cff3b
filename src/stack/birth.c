/* SPDX-License-Identifier: Apache-2.0
 *
 * Which call created each thread, by the thread's id: eight bytes for each id that a thread
 * ever had, in pages that are there when the first of their ids is. The kernel gives ids out
 * again, so what is kept has an end, without a lock: there are at most four million of them.
 *
 * Context: alloc.
 */
#include <stdatomic.h>

#include "base/meta.h"
#include "stack/stack.h"

enum { IDS_MAX = 1 << 22, PAGE_IDS = 512 };

/* The creator above the trace; without a trace nothing is known. */
static _Atomic uint64_t *_Atomic pages[IDS_MAX / PAGE_IDS];

static _Atomic uint64_t *page_of(fp_thread_id thread)
{
	_Atomic uint64_t *_Atomic *page = &pages[thread / PAGE_IDS];
	_Atomic uint64_t *found = atomic_load(page);
	_Atomic uint64_t *made;

	if (found != NULL)
		return found;
	made = fp_meta_alloc(PAGE_IDS * sizeof(*made));
	if (made == NULL || atomic_compare_exchange_strong(page, &found, made))
		return made;
	fp_meta_free(made, PAGE_IDS * sizeof(*made));
	return found;
}

void fp_stack_keep_birth(const struct fp_stack_birth *birth)
{
	_Atomic uint64_t *page = birth->thread < IDS_MAX ? page_of(birth->thread) : NULL;

	if (page != NULL)
		atomic_store(&page[birth->thread % PAGE_IDS],
		             (uint64_t)birth->creator << 32 | birth->trace);
}

bool fp_stack_find_birth(struct fp_stack_birth *birth)
{
	_Atomic uint64_t *page =
	        birth->thread < IDS_MAX ? atomic_load(&pages[birth->thread / PAGE_IDS]) : NULL;
	uint64_t kept = page != NULL ? atomic_load(&page[birth->thread % PAGE_IDS]) : 0;

	birth->creator = (fp_thread_id)(kept >> 32);
	birth->trace = (fp_trace_id)kept;
	return birth->trace != FP_TRACE_NONE;
}
