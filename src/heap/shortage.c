/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocations of hosted heaps that the kernel refuses: what the finding says, and whether it
 * may be otherwise tomorrow. A refusal for lack of something passes. One that is forbidden (a
 * seccomp filter, PR_SET_MDWE, SELinux) does not: what a heap has reserved, and made
 * inaccessible, it can never open again, and that heap is at its end.
 */
#include <errno.h>

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

static void append_limit(struct fp_text *text, size_t size)
{
	struct fp_machine_shortage shortage;

	if (!fp_machine_shortage(size, &shortage)) {
		fp_text_string(text, "the kernel refused, and no limit that is known is near");
		return;
	}
	fp_text_string(text, shortage.limit);
	fp_text_string(text, " is ");
	fp_text_decimal(text, shortage.value);
	fp_text_string(text, " ");
	fp_text_string(text, shortage.unit);
	fp_text_string(text, ", and ");
	fp_text_decimal(text, shortage.used);
	fp_text_string(text, " are in use");
}

static void append_request(struct fp_text *text, const struct fp_heap_request *request)
{
	if (request == NULL) {
		fp_text_string(text, "no memory for a heap: ");
		return;
	}
	fp_text_string(text, "no memory for ");
	fp_text_decimal(text, request->size);
	fp_text_string(text, request->size == 1 ? " byte" : " bytes");
	if (request->level < FP_LEVEL_NONE) {
		fp_text_string(text, " at level ");
		fp_text_string(text, fp_level_name(request->level));
	}
	fp_text_string(text, ": ");
}

int fp_heap_report_shortage(const struct fp_heap *heap, const struct fp_heap_request *request,
                            fp_trace_id trace)
{
	struct fp_misuse misuse = fp_heap_misuse(heap, NULL, trace);
	struct fp_finding finding;
	struct fp_text text;

	if (!misuse.has_hresult)
		return -ENOMEM;
	misuse.hresult = heap->traits.answers.no_memory;
	fp_findings_begin(&finding, &text, FP_FINDING_OUT_OF_MEMORY, &misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	if (!is_told(trace)) {
		append_request(&text, request);
		append_limit(&text, request == NULL ? 0 : request->size);
	}
	fp_findings_deliver(&finding);
	return -ENOMEM;
}

/* Under heuristic overcommit (vm.overcommit_memory=0) the kernel refuses a mapping larger than
 * memory and swap together, and promises any smaller one. */
bool fp_heap_is_promised(size_t size)
{
	enum { ANY_MACHINE_BYTES = 64 << 20 };

	return size <= ANY_MACHINE_BYTES || size <= fp_vm_machine_bytes() ||
	       fp_vm_can_promise(size) == 0;
}

static bool is_forbidden(int status)
{
	return status == -EPERM || status == -EACCES || status == -ENOSYS;
}

int fp_heap_refuse_memory(struct fp_heap *heap, const struct fp_heap_request *request,
                          fp_trace_id trace, int status)
{
	if (is_forbidden(status) && heap->traits.answers.has_hresult)
		return fp_heap_fail_alone(
		        heap, trace,
		        status == -EACCES
		                ? "the kernel forbids to make memory of the heap accessible "
		                  "(EACCES), which no free memory mends: PR_SET_MDWE, SELinux "
		                  "or a seccomp filter"
		                : "the kernel forbids to make memory of the heap accessible "
		                  "(EPERM), which no free memory mends: a seccomp filter, or "
		                  "mseal(2)");
	return fp_heap_report_shortage(heap, request, trace);
}
