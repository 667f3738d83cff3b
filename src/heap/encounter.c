/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings about two threads and one heap, and about the end of all heaps. As in findings.c,
 * the sentences are built where the facts are.
 */
#include "base/text.h"
#include "heap/findings.h"

static void append_heap(struct fp_text *text, const char *before, fp_heap_id heap)
{
	fp_text_string(text, before);
	fp_text_decimal(text, heap);
}

static void append_thread(struct fp_text *text, const char *before, fp_thread_id thread,
                          const char *after)
{
	fp_text_string(text, before);
	fp_text_decimal(text, thread);
	fp_text_string(text, after);
}

void fp_findings_released(const struct fp_misuse *misuse, fp_heap_id heap, const char *call,
                          const struct fp_party *releaser)
{
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, FP_FINDING_USE_AFTER_RELEASE, misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	finding.other = *releaser;
	fp_text_string(&text, call);
	append_heap(&text, " was called on heap ", heap);
	fp_text_string(&text, " after its last Release");
	fp_findings_deliver(&finding);
}

static void tell_unsynchronized(struct fp_text *text, const struct fp_encounter *encounter)
{
	append_heap(text, " was called on heap ", encounter->heap);
	if (encounter->other.role == FP_PARTY_NONE) {
		fp_text_string(text, ", which nobody had locked");
	} else if (encounter->other.role == FP_PARTY_HOLDER) {
		append_thread(text, ", which thread ", encounter->other.thread, " had locked");
	} else {
		append_thread(text, " while thread ", encounter->other.thread,
		              " was inside it; it was created without MALLOC_THREADSAFE, so "
		              "its callers have to take turns");
	}
}

static void tell_timeout(struct fp_text *text, const struct fp_encounter *encounter)
{
	append_heap(text, " waited for heap ", encounter->heap);
	append_thread(text, ", which thread ", encounter->other.thread, " had locked, for ");
	fp_text_decimal(text, encounter->waited_ms);
	fp_text_string(text, " milliseconds (lock_timeout_ms)");
}

static void tell_abandoned(struct fp_text *text, const struct fp_encounter *encounter)
{
	if (encounter->other.role == FP_PARTY_RELEASER) {
		append_heap(text, " waited for heap ", encounter->heap);
		append_thread(text, " until thread ", encounter->other.thread, " released it");
	} else if (encounter->is_for_one_thread) {
		append_heap(text, " found heap ", encounter->heap);
		append_thread(text, " in the hands of thread ", encounter->other.thread,
		              ", which ended inside it");
	} else {
		append_heap(text, " found heap ", encounter->heap);
		append_thread(text, " locked by thread ", encounter->other.thread,
		              ", which ended without unlocking it");
	}
}

void fp_findings_encounter(const struct fp_misuse *misuse, const struct fp_encounter *encounter)
{
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, encounter->kind, misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	finding.other = encounter->other;
	fp_text_string(&text, encounter->call);
	if (encounter->kind == FP_FINDING_UNSYNCHRONIZED_USE)
		tell_unsynchronized(&text, encounter);
	else if (encounter->kind == FP_FINDING_LOCK_TIMEOUT)
		tell_timeout(&text, encounter);
	else
		tell_abandoned(&text, encounter);
	fp_findings_deliver(&finding);
}

static void tell_unusable(struct fp_text *text, fp_heap_id heap, fp_thread_id finder)
{
	append_thread(text, " was called after thread ", finder, " had found that ");
	if (heap == 0)
		fp_text_string(text, "no heap is");
	else
		append_heap(text, "heap ", heap);
	fp_text_string(text, heap == 0 ? " usable any more" : " is not usable any more");
}

void fp_findings_unusable(const struct fp_misuse *misuse, fp_heap_id heap, const char *what,
                          const struct fp_party *finder)
{
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, FP_FINDING_HEAP_UNUSABLE, misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	finding.other = *finder;
	fp_text_string(&text, what);
	if (finder->role != FP_PARTY_NONE)
		tell_unusable(&text, heap, finder->thread);
	fp_findings_deliver(&finding);
}
