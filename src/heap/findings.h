/* SPDX-License-Identifier: Apache-2.0
 *
 * The findings a heap makes: facts in, one sentence and a call of the sink out.
 *
 * Context: alloc. No lock may be held.
 */
#ifndef FP_HEAP_FINDINGS_H
#define FP_HEAP_FINDINGS_H

#include "heap/heap.h"
#include "heap/padding.h"
#include "model/finding.h"

/* The call that was misuse. */
struct fp_misuse {
	uintptr_t address; /* what the caller passed */
	fp_trace_id trace;
	bool has_hresult;
	int32_t hresult;                   /* what the caller is told */
	const struct fp_heap_claim *claim; /* of a free; or NULL */
};

void fp_findings_init(fp_finding_sink sink, void *user);

/* For the files that make findings: a finding of the calling thread, whose sentence goes to
 * TEXT; and to the sink with it. */
struct fp_text;
void fp_findings_begin(struct fp_finding *finding, struct fp_text *text,
                       enum fp_finding_kind kind, const struct fp_misuse *misuse);
void fp_findings_deliver(const struct fp_finding *finding);

/* BLOCK was freed before. */
void fp_findings_double_free(const struct fp_misuse *misuse, const struct fp_block *block);

/* The slot was used, but the record of its block is gone. */
void fp_findings_forgotten_free(const struct fp_misuse *misuse);

/* The pointer is not BLOCK's start. */
void fp_findings_interior_free(const struct fp_misuse *misuse, const struct fp_block *block);

/* The pointer is no block and never was. */
void fp_findings_foreign_free(const struct fp_misuse *misuse);

/* Whether the claim of MISUSE does not fit BLOCK, which is freed; then that is a finding. */
bool fp_findings_claim(const struct fp_misuse *misuse, const struct fp_block *block);

/* BLOCK belongs to another heap than HEAP. */
void fp_findings_wrong_heap(const struct fp_misuse *misuse, const struct fp_block *block,
                            fp_heap_id heap);

/* HEAP was released; CALL is the name of the method. */
void fp_findings_released(const struct fp_misuse *misuse, fp_heap_id heap, const char *call,
                          const struct fp_party *releaser);

/* Two threads that met at a heap. */
struct fp_encounter {
	enum fp_finding_kind kind; /* UNSYNCHRONIZED_USE, LOCK_TIMEOUT or ABANDONED_WAIT */
	fp_heap_id heap;
	bool is_for_one_thread;
	uint64_t waited_ms;
	const char *call;
	struct fp_party other;
};

void fp_findings_encounter(const struct fp_misuse *misuse,
                           const struct fp_encounter *encounter);

/* HEAP, or with 0 every heap, is not usable any more: WHAT was found, or, when FINDER found it
 * before, WHAT was called all the same. */
void fp_findings_unusable(const struct fp_misuse *misuse, fp_heap_id heap, const char *what,
                          const struct fp_party *finder);

/* CALL was made in the handler of SIGNAL ("SIGALRM"), which can come while one runs. */
void fp_findings_in_handler(const struct fp_misuse *misuse, const char *call,
                            const char *signal);

void fp_findings_too_large(const struct fp_misuse *misuse,
                           const struct fp_heap_request *request);

/* CALL was asked about BLOCK, which is not live or does not start there, or with NULL about
 * what is no block. */
void fp_findings_asked(const struct fp_misuse *misuse, const char *call,
                       const struct fp_block *block);

/* What verifying a block's padding found. The bytes are copied while the slot is accessible. */
struct fp_damaged {
	struct fp_block block;
	struct fp_damage damage;
	uint32_t evidence_size;
	uint8_t evidence[FP_EVIDENCE_MAX];
	uintptr_t evidence_start;
};

/* Copies what DAMAGED->damage is about; of a long run those bytes that are nearest to the
 * block. And to a finding. Context: also fault. */
void fp_findings_keep_evidence(struct fp_damaged *damaged);
void fp_findings_set_evidence(struct fp_finding *finding, const struct fp_damaged *damaged);

/* Looks at the padding on both sides of BLOCK in its slot; the number of sides damaged (0..2).
 */
size_t fp_findings_verify(const struct fp_block *block, uintptr_t slot, size_t slot_bytes,
                          struct fp_damaged damaged[2]);

/* The cell of a freed padded block, DAMAGED->block, was written to before it was used again. */
void fp_findings_late_write(struct fp_damaged *damaged);

/* WHEN completes "found ...". */
void fp_findings_damaged(const struct fp_misuse *misuse, const struct fp_damaged *damaged,
                         const char *when);

#endif
