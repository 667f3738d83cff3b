/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings about two threads and one heap, and about the end of all heaps.
 */
#include "base/messages.h"
#include "base/text.h"
#include "heap/findings.h"

void fp_findings_released(const struct fp_misuse *misuse, fp_heap_id heap, const char *call,
                          const struct fp_party *releaser)
{
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, FP_FINDING_USE_AFTER_RELEASE, misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	finding.other = *releaser;
	fp_text_print(&text, FP_TELL_AFTER_RELEASE, call, heap);
	fp_findings_deliver(&finding);
}

static void tell_unsynchronized(struct fp_text *text, const struct fp_encounter *encounter)
{
	if (encounter->other.role == FP_PARTY_NONE)
		fp_text_print(text, FP_TELL_NOT_LOCKED, encounter->call, encounter->heap);
	else
		fp_text_print(text,
		              encounter->other.role == FP_PARTY_HOLDER ? FP_TELL_LOCKED_BY
		                                                       : FP_TELL_NOT_THREADSAFE,
		              encounter->call, encounter->heap, encounter->other.thread);
}

static void tell_abandoned(struct fp_text *text, const struct fp_encounter *encounter)
{
	fp_text_print(text,
	              encounter->other.role == FP_PARTY_RELEASER ? FP_TELL_HEAP_WENT
	              : encounter->is_for_one_thread             ? FP_TELL_ENDED_INSIDE
	                                                         : FP_TELL_ENDED_LOCKING,
	              encounter->call, encounter->heap, encounter->other.thread);
}

void fp_findings_encounter(const struct fp_misuse *misuse, const struct fp_encounter *encounter)
{
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, encounter->kind, misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	finding.other = encounter->other;
	if (encounter->kind == FP_FINDING_UNSYNCHRONIZED_USE)
		tell_unsynchronized(&text, encounter);
	else if (encounter->kind == FP_FINDING_LOCK_TIMEOUT)
		fp_text_print(&text, FP_TELL_LOCK_TIMEOUT, encounter->call, encounter->heap,
		              encounter->other.thread, encounter->waited_ms);
	else
		tell_abandoned(&text, encounter);
	fp_findings_deliver(&finding);
}

void fp_findings_unusable(const struct fp_misuse *misuse, fp_heap_id heap, const char *what,
                          const struct fp_party *finder)
{
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, FP_FINDING_HEAP_UNUSABLE, misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	finding.other = *finder;
	if (finder->role == FP_PARTY_NONE)
		fp_text_string(&text, what);
	else if (heap == 0)
		fp_text_print(&text, FP_TELL_NONE_USABLE, what, finder->thread);
	else
		fp_text_print(&text, FP_TELL_UNUSABLE, what, finder->thread, heap);
	fp_findings_deliver(&finding);
}
