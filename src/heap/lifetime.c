/* SPDX-License-Identifier: Apache-2.0
 *
 * How heaps come and go, and the end of all of them: when what Fencepost knows was overwritten,
 * nothing it would answer can be relied on, whichever heap is asked. Heaps are never given
 * back.
 */
#include <errno.h>

#include "base/messages.h"
#include "base/meta.h"
#include "base/thread.h"
#include "heap/state.h"
#include "stack/stack.h"

enum { HEAPS_LOOKED_AT = 32 };

static struct fp_heap *_Atomic newest;
static _Atomic uint32_t heaps;
static _Atomic fp_heap_visit failure; /* who found that no heap is usable; or nobody */

static uint64_t checksum_of(const struct fp_heap *heap)
{
	const struct fp_heap_error_codes *codes = &heap->traits.error_codes;
	uint64_t checksum = heap->id;

	checksum = checksum * 0x9e3779b97f4a7c15u + heap->traits.is_executable;
	checksum = checksum * 0x9e3779b97f4a7c15u + heap->traits.is_for_one_thread;
	checksum = checksum * 0x9e3779b97f4a7c15u + codes->has_hresult;
	checksum = checksum * 0x9e3779b97f4a7c15u + (uint32_t)codes->misuse;
	checksum = checksum * 0x9e3779b97f4a7c15u + (uint32_t)codes->no_memory;
	return ~checksum;
}

/* The newest ones: a host that makes heaps without end must not pay for all of them. */
static bool are_heaps_whole(void)
{
	const struct fp_heap *heap = atomic_load(&newest);

	for (int i = 0; i < HEAPS_LOOKED_AT && heap != NULL; i++, heap = heap->next)
		if (heap->checksum != checksum_of(heap))
			return false;
	return true;
}

static void add_heap(struct fp_heap *heap)
{
	heap->next = atomic_load(&newest);
	while (!atomic_compare_exchange_weak(&newest, &heap->next, heap))
		;
}

/* A heap that is never made can still be told why. */
static int refuse_to_create(const struct fp_heap_traits *traits)
{
	const struct fp_heap none = {.traits = *traits};

	if (atomic_load(&failure) != 0)
		return fp_heap_report_unusable(&none, "CreateMalloc");
	return fp_heap_fail(&none, fp_stack_capture(), FP_TELL_HEAP_OVERWRITTEN);
}

static int refuse_for_shortage(const struct fp_heap_traits *traits, fp_trace_id trace)
{
	const struct fp_heap none = {.traits = *traits};

	return fp_heap_report_shortage(&none, NULL, trace);
}

int fp_heap_refuse_creation(const struct fp_heap_traits *traits)
{
	return refuse_for_shortage(traits, fp_stack_capture());
}

int fp_heap_create(const struct fp_heap_traits *traits, struct fp_heap **heap)
{
	*heap = NULL;
	if (atomic_load(&failure) != 0 || !are_heaps_whole())
		return refuse_to_create(traits);
	/* First: without memory only stacks that are known already can be captured. */
	fp_trace_id trace = fp_stack_capture();
	struct fp_heap *created = fp_meta_alloc(sizeof(*created));
	if (created == NULL)
		return refuse_for_shortage(traits, trace);
	created->id = atomic_fetch_add(&heaps, 1) + 1;
	created->traits = *traits;
	created->checksum = checksum_of(created);
	add_heap(created);
	*heap = created;
	return 0;
}

void fp_heap_release(struct fp_heap *heap)
{
	int saved_errno = errno;

	fp_trace_id trace = fp_stack_capture();
	atomic_store(&heap->released_by, fp_visit_make(fp_thread_self(), trace));
	fp_heap_report_held(heap, trace);
	errno = saved_errno;
}

void fp_heap_report_released(const struct fp_heap *heap, const char *call)
{
	int saved_errno = errno;
	const struct fp_misuse misuse = fp_heap_misuse(heap, NULL, fp_stack_capture());
	const struct fp_party releaser =
	        fp_visit_party(atomic_load(&heap->released_by), FP_PARTY_RELEASER);

	fp_findings_released(&misuse, heap->id, call, &releaser);
	errno = saved_errno;
}

bool fp_heap_is_unusable(void)
{
	return atomic_load_explicit(&failure, memory_order_relaxed) != 0;
}

int fp_heap_report_unusable(const struct fp_heap *heap, const char *call)
{
	int saved_errno = errno;
	struct fp_misuse misuse = fp_heap_misuse(heap, NULL, fp_stack_capture());
	fp_heap_visit of_all = atomic_load(&failure);
	const struct fp_party finder = fp_visit_party(
	        of_all != 0 ? of_all : atomic_load(&heap->failed_by), FP_PARTY_FINDER);

	misuse.hresult = heap->traits.error_codes.unavailable;
	fp_findings_unusable(&misuse, of_all != 0 ? 0 : heap->id, call, &finder);
	errno = saved_errno;
	return -ESHUTDOWN;
}

static int report_failure(const struct fp_heap *heap, fp_trace_id trace, const char *what)
{
	static const struct fp_heap no_heap;
	struct fp_misuse misuse = fp_heap_misuse(heap == NULL ? &no_heap : heap, NULL, trace);
	const struct fp_party nobody = {.role = FP_PARTY_NONE};

	misuse.hresult = heap == NULL ? 0 : heap->traits.error_codes.failed;
	fp_findings_unusable(&misuse, 0, what, &nobody);
	return -EUCLEAN;
}

int fp_heap_fail(const struct fp_heap *heap, fp_trace_id trace, const char *what)
{
	fp_heap_visit none = 0;

	atomic_compare_exchange_strong(&failure, &none, fp_visit_make(fp_thread_self(), trace));
	return report_failure(heap, trace, what);
}

int fp_heap_fail_alone(struct fp_heap *heap, fp_trace_id trace, const char *what)
{
	fp_heap_visit none = 0;

	atomic_compare_exchange_strong(&heap->failed_by, &none,
	                               fp_visit_make(fp_thread_self(), trace));
	return report_failure(heap, trace, what);
}
