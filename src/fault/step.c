/* SPDX-License-Identifier: Apache-2.0
 *
 * Going on after a bad access: its page becomes accessible for one instruction, which the trap
 * flag ends with SIGTRAP; then what the instruction wrote there is noted and the page is sealed
 * again.
 *
 * An instruction may touch several bad pages (straddling accesses, rep movs, gathers): each
 * faults in its turn, and all stay accessible until the instruction is through. Of a repeated
 * string instruction the trap comes after each element. One thread steps at a time, and no
 * signal is delivered to it meanwhile. What runs off a block for ever is stopped.
 *
 * In the same way an instruction is carried out whose operand is not aligned: it gets a copy.
 */
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "base/align.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/sys.h"
#include "base/vm.h"
#include "fault/diagnose.h"
#include "fault/run.h"
#include "fault/state.h"
#include "heap/padding.h"
#include "poison/poison.h"

/* Scratch pages that code may run through on its way out of a block: after the first it finds
 * the zero that it may look for, after the last nothing will help. */
enum { RUN_PAGES_FILLED = 2, RUN_PAGES_MAX = 16 };

enum { PAGES_MAX = 34 }; /* a scatter of 16 elements, each across two pages, and some more */

struct page {
	uintptr_t base;
	struct fp_finding finding;
	uint8_t fill;
	bool is_united;   /* its finding is part of an earlier page's */
	bool is_poisoned; /* and still the program's */
};

struct step {
	size_t pages_used;
	struct page pages[PAGES_MAX];
	struct fp_fault_operand operand; /* that has a copy: the one that is aligned */
	ptrdiff_t shift;
	uint8_t copies[2 * FP_FAULT_OPERAND_MAX];
	uint8_t before[FP_FAULT_OPERAND_MAX];
	sigset_t signals; /* blocked by the program */
	bool had_trap_flag;
	struct fp_fault_runs runs;
};

static _Thread_local struct step *own_step;
static _Atomic uint64_t owner; /* the thread that steps; 0: none */

bool fp_fault_is_stepping(void)
{
	return own_step != NULL && (own_step->pages_used > 0 || own_step->operand.size > 0);
}

/* What the scratch byte at ADDRESS reads as: what the block last held, as far as it was kept,
 * else the fill byte. */
static uint8_t expected_byte(const struct page *page, uintptr_t address)
{
	const struct fp_finding *finding = &page->finding;
	uintptr_t offset = address - finding->block.address;

	return finding->has_block && finding->is_evidence_last &&
	                       offset < finding->evidence_size
	               ? finding->evidence[offset]
	               : page->fill;
}

static void fill_scratch(const struct page *page)
{
	uint8_t *bytes = (uint8_t *)page->base;

	for (size_t i = 0; i < fp_vm_page_size(); i++)
		bytes[i] = expected_byte(page, page->base + i);
}

/* The bytes that differ from what was put there become the finding's evidence. */
static void note_writes(struct page *page)
{
	const uint8_t *bytes = (const uint8_t *)page->base;
	size_t first = 0;
	size_t end = fp_vm_page_size();

	while (first < end && bytes[first] == expected_byte(page, page->base + first))
		first++;
	if (first == end)
		return;
	while (bytes[end - 1] == expected_byte(page, page->base + end - 1))
		end--;
	struct fp_finding *finding = &page->finding;
	int64_t offset = (int64_t)(page->base + first - finding->block.address);
	/* What was changed in the padding right before it comes first. */
	size_t kept =
	        !finding->is_evidence_last &&
	                        finding->evidence_offset + (int64_t)finding->evidence_size ==
	                                offset
	                ? finding->evidence_size
	                : 0;
	if (end - first > FP_EVIDENCE_MAX - kept)
		end = first + FP_EVIDENCE_MAX - kept;
	memcpy(finding->evidence + kept, bytes + first, end - first);
	finding->evidence_size = (uint32_t)(kept + end - first);
	if (kept == 0)
		finding->evidence_offset = offset;
	finding->is_evidence_last = false;
}

static bool make_own_step(void)
{
	if (own_step == NULL)
		own_step = fp_meta_alloc(sizeof(*own_step));
	return own_step != NULL;
}

/* Threads that fault while another one steps wait for the few instructions that takes; not for
 * one that stepped when this process was forked off its own. */
static void become_owner(void)
{
	const struct timespec pause = {.tv_nsec = 20000};
	uint64_t self = fp_fault_identity();
	uint64_t seen = 0;

	while (!atomic_compare_exchange_weak(&owner, &seen, self) && seen != self) {
		if (seen != 0 && fp_fault_is_of_other_process(seen))
			continue;
		seen = 0;
		fp_sys_sleep(&pause);
	}
}

/* The kernel's mask in a context is shorter than a sigset_t: behind it comes the siginfo. */
enum { KERNEL_MASK_BYTES = (NSIG - 1) / 8 };

/* Only what an instruction itself can raise is delivered before it is through. */
static void begin_step(struct step *step, ucontext_t *context)
{
	sigset_t blocked;

	sigfillset(&blocked);
	sigdelset(&blocked, SIGSEGV);
	sigdelset(&blocked, SIGBUS);
	sigdelset(&blocked, SIGTRAP);
	memcpy(&step->signals, &context->uc_sigmask, KERNEL_MASK_BYTES);
	memcpy(&context->uc_sigmask, &blocked, KERNEL_MASK_BYTES);
	step->had_trap_flag = fp_fault_set_step(context, true);
}

/* The page of a slot or of a region. */
static int expose(uintptr_t base)
{
	struct fp_place place;

	if (fp_poison_is_closed(base))
		return fp_poison_expose(base);
	return fp_guard_find(base, &place) ? fp_guard_expose(base) : fp_region_expose(base);
}

static void conceal(const struct page *page)
{
	struct fp_place place;

	if (page->is_poisoned)
		fp_poison_conceal(page->base);
	else if (fp_guard_find(page->base, &place))
		fp_guard_conceal(page->base);
	else
		fp_region_conceal(page->base);
}

bool fp_fault_step_over(const struct fp_fault_access *access, const struct fp_finding *finding,
                        void *context)
{
	uintptr_t base = fp_align_down(access->address, fp_vm_page_size());

	if (access->is_fetch || !make_own_step() || own_step->pages_used == PAGES_MAX)
		return false;
	unsigned pages = fp_fault_note_run(&own_step->runs, access->address);
	if (pages >= RUN_PAGES_MAX)
		return false;
	become_owner();
	if (expose(base) != 0) {
		if (!fp_fault_is_stepping())
			atomic_store(&owner, 0);
		return false;
	}
	struct page *page = &own_step->pages[own_step->pages_used];
	page->base = base;
	page->finding = *finding;
	page->is_united = false;
	page->is_poisoned = fp_poison_is_closed(base);
	page->fill = pages < RUN_PAGES_FILLED ? FP_PADDING_BYTE : 0;
	if (!page->is_poisoned)
		fill_scratch(page);
	if (!fp_fault_is_stepping())
		begin_step(own_step, context);
	own_step->pages_used++;
	return true;
}

bool fp_fault_step_aside(const struct fp_fault_operand *operand, void *context)
{
	if (!make_own_step() || own_step->operand.size > 0)
		return false;
	become_owner();
	if (!fp_fault_is_stepping())
		begin_step(own_step, context);
	uint8_t *copy =
	        (uint8_t *)fp_align_up((uintptr_t)own_step->copies, FP_FAULT_OPERAND_MAX);
	memcpy(copy, (const void *)operand->address, operand->size);
	memcpy(own_step->before, copy, operand->size);
	own_step->operand = *operand;
	own_step->shift = (ptrdiff_t)copy - (ptrdiff_t)operand->address;
	fp_fault_shift_operand(context, operand, own_step->shift);
	return true;
}

/* What was not written may be another thread's to write. */
static void end_aside(struct step *step, void *context)
{
	const struct fp_fault_operand *operand = &step->operand;
	const void *copy = (const void *)(operand->address + (uintptr_t)step->shift);

	if (operand->size == 0)
		return;
	if (memcmp(copy, step->before, operand->size) != 0)
		memcpy((void *)operand->address, copy, operand->size);
	fp_fault_shift_operand(context, operand, -step->shift);
	step->operand.size = 0;
}

static bool is_same_access(const struct fp_finding *a, const struct fp_finding *b)
{
	return a->kind == b->kind && a->access == b->access && a->has_block && b->has_block &&
	       a->block.address == b->block.address;
}

/* Adds the bytes that were changed as SECOND shows to those of FIRST, if they follow on them.
 */
static void append_changes(struct fp_finding *first, const struct fp_finding *second)
{
	if (second->is_evidence_last || second->evidence_size == 0)
		return;
	if (first->is_evidence_last || first->evidence_size == 0) {
		first->is_evidence_last = false;
		first->evidence_size = 0;
		first->evidence_offset = second->evidence_offset;
	}
	uint32_t room = FP_EVIDENCE_MAX - first->evidence_size;
	uint32_t size = second->evidence_size < room ? second->evidence_size : room;
	if (first->evidence_offset + first->evidence_size != second->evidence_offset)
		return;
	memcpy(first->evidence + first->evidence_size, second->evidence, size);
	first->evidence_size += size;
}

/* An access that crosses pages of one block is one finding, that of the first page. */
static void unite(size_t used)
{
	for (size_t i = 1; i < used; i++) {
		const struct fp_finding *later = &own_step->pages[i].finding;

		for (size_t j = 0; j < i && !own_step->pages[i].is_united; j++) {
			struct fp_finding *earlier = &own_step->pages[j].finding;

			if (own_step->pages[j].is_united || !is_same_access(earlier, later))
				continue;
			append_changes(earlier, later);
			own_step->pages[i].is_united = true;
		}
	}
}

void fp_fault_end_step(void *context)
{
	size_t used = own_step->pages_used;
	ucontext_t *interrupted = context;

	end_aside(own_step, context);
	for (size_t i = 0; i < used; i++) {
		if (!own_step->pages[i].is_poisoned)
			note_writes(&own_step->pages[i]);
		conceal(&own_step->pages[i]);
	}
	if (!own_step->had_trap_flag)
		fp_fault_set_step(context, false);
	memcpy(&interrupted->uc_sigmask, &own_step->signals, KERNEL_MASK_BYTES);
	own_step->pages_used = 0;
	atomic_store(&owner, 0);
	unite(used);
	uint32_t held = fp_lock_enter_fault_mode();
	for (size_t i = 0; i < used; i++) {
		if (own_step->pages[i].is_united)
			continue;
		/* The registers are what the step has made of them. */
		own_step->pages[i].finding.context = context;
		fp_fault_configuration.sink(&own_step->pages[i].finding,
		                            fp_fault_configuration.sink_user);
	}
	fp_lock_leave_fault_mode(held);
}
