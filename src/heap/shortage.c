/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocations of hosted heaps that the kernel refuses: what the finding says, and whether it
 * may be otherwise tomorrow. A refusal for lack of something passes. One that is forbidden (a
 * seccomp filter, PR_SET_MDWE, SELinux) does not: what a heap has reserved, and made
 * inaccessible, it can never open again, and that heap is at its end.
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "base/messages.h"
#include "base/sys.h"
#include "base/text.h"
#include "base/vm.h"
#include "heap/state.h"
#include "machine/machine.h"

enum { TOLD_MAX = 64 };

/* Stacks whose limit was looked up, which takes reading of files; the sink counts the others.
 */
static _Atomic fp_trace_id told[TOLD_MAX];

static bool is_told(fp_trace_id trace)
{
	for (size_t i = 0; i < TOLD_MAX; i++) {
		fp_trace_id none = FP_TRACE_NONE;

		if (atomic_compare_exchange_strong(&told[i], &none, trace))
			return false;
		if (none == trace)
			return true;
	}
	return false;
}

/* Memory of ours is none of the program's data to the kernel, which would let it grow without
 * an end: so the limit is looked at here. What was had and freed once, libc would have again.
 */
static bool is_within_data_limit(size_t size, struct fp_machine_shortage *shortage)
{
	struct fp_heap_totals totals;
	struct rlimit limit;

	if (fp_sys_get_limit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return true;
	fp_heap_totals(&totals);
	*shortage = (struct fp_machine_shortage){.limit = "RLIMIT_DATA (ulimit -d)",
	                                         .unit = "bytes",
	                                         .value = limit.rlim_cur,
	                                         .used = totals.live_bytes};
	return totals.live_bytes + size <= limit.rlim_cur ||
	       totals.live_bytes + size <= totals.peak_bytes;
}

static void append_limit(struct fp_text *text, size_t size)
{
	struct fp_machine_shortage shortage;

	if (is_within_data_limit(size, &shortage) && !fp_machine_shortage(size, &shortage))
		fp_text_string(text, FP_TELL_NO_LIMIT);
	else
		fp_text_print(text, FP_TELL_LIMIT, shortage.limit, shortage.value,
		              shortage.unit, shortage.used);
}

static void append_request(struct fp_text *text, const struct fp_heap_request *request)
{
	if (request == NULL)
		fp_text_string(text, FP_TELL_NO_HEAP);
	else if (request->level < FP_LEVEL_NONE)
		fp_text_print(text, FP_TELL_NO_MEMORY_LEVEL, FP_TEXT_COUNT(request->size),
		              fp_level_name(request->level));
	else
		fp_text_print(text, FP_TELL_NO_MEMORY, FP_TEXT_COUNT(request->size));
}

int fp_heap_report_shortage(const struct fp_heap *heap, const struct fp_heap_request *request,
                            fp_trace_id trace)
{
	struct fp_misuse misuse = fp_heap_misuse(heap, NULL, trace);
	struct fp_finding finding;
	struct fp_text text;

	if (!misuse.has_hresult)
		return -ENOMEM;
	misuse.hresult = heap->traits.error_codes.no_memory;
	fp_findings_begin(&finding, &text, FP_FINDING_OUT_OF_MEMORY, &misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	if (!is_told(trace)) {
		append_request(&text, request);
		append_limit(&text, request == NULL ? 0 : request->size);
	}
	fp_findings_deliver(&finding);
	return -ENOMEM;
}

/* Now and then, and each time once it was reached. */
static bool is_data_to_be_had(size_t size, uint64_t serial)
{
	enum { LARGE_BYTES = 16 << 10, SERIALS = 256 };
	static _Atomic bool was_reached;
	struct fp_machine_shortage shortage;
	bool was = atomic_load_explicit(&was_reached, memory_order_relaxed);

	if (size < LARGE_BYTES && serial % SERIALS != 0 && !was)
		return true;
	bool is_reached = !is_within_data_limit(size, &shortage);
	if (is_reached != was)
		atomic_store_explicit(&was_reached, is_reached, memory_order_relaxed);
	return !is_reached;
}

/* Under heuristic overcommit (vm.overcommit_memory=0) the kernel refuses a mapping larger than
 * memory and swap together, and promises any smaller one. */
bool fp_heap_is_promised(size_t size, uint64_t serial)
{
	enum { ANY_MACHINE_BYTES = 64 << 20 };

	return is_data_to_be_had(size, serial) &&
	       (size <= ANY_MACHINE_BYTES || size <= fp_vm_machine_bytes() ||
	        fp_vm_can_promise(size) == 0);
}

static bool is_forbidden(int status)
{
	return status == -EPERM || status == -EACCES || status == -ENOSYS;
}

int fp_heap_refuse_memory(struct fp_heap *heap, const struct fp_heap_request *request,
                          fp_trace_id trace, int status)
{
	if (is_forbidden(status) && heap->traits.error_codes.has_hresult)
		return fp_heap_fail_alone(heap, trace,
		                          status == -EACCES ? FP_TELL_EACCES : FP_TELL_EPERM);
	return fp_heap_report_shortage(heap, request, trace);
}
