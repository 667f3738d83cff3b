/* SPDX-License-Identifier: Apache-2.0
 *
 * align=auto: an instruction that the processor refuses because its operand, in a block that
 * ends at its guard to the byte, is not aligned. It is carried out with a copy of the operand
 * (step.c), and later blocks of the site are aligned. The processor says nothing of the
 * address: where it is not in a live block, the fault is made the one of its page.
 */
#include <stdalign.h>
#include <stdatomic.h>

#include "base/align.h"
#include "base/lock.h"
#include "base/readable.h"
#include "base/vm.h"
#include "fault/state.h"
#include "heap/heap.h"

enum { STACK_WORDS = 1024 }; /* of abort's callers */

static _Atomic uint64_t carried_out;

uint64_t fp_fault_carried_out(void)
{
	return atomic_load(&carried_out);
}

/* The first byte of the operand in a page that is not BLOCK's while that lives; 0: none. */
static uintptr_t first_bad(const struct fp_block *block, const struct fp_fault_operand *operand)
{
	uintptr_t start = fp_align_down(block->address, fp_vm_page_size());
	uintptr_t end =
	        fp_align_up(block->address + fp_layout_extent(block->size), fp_vm_page_size());

	if (block->state != FP_BLOCK_LIVE || operand->address - start >= end - start)
		return operand->address;
	return operand->address + operand->size > end ? end : 0;
}

static bool carry_out(struct fp_fault_event *event)
{
	struct fp_fault_operand operand;
	struct fp_block block;

	if (!fp_fault_operand(event->context, &operand) ||
	    !fp_heap_find(operand.address, &block))
		return false;
	/* While a page stays accessible for the instruction, nothing of it is bad. */
	uintptr_t bad = fp_fault_is_stepping() ? 0 : first_bad(&block, &operand);
	if (bad != 0) {
		event->info->si_code = SEGV_ACCERR;
		event->info->si_addr = (void *)bad;
		fp_fault_set_page_fault(event->context, &operand);
		return false;
	}
	if (block.address % alignof(max_align_t) == 0 ||
	    !fp_fault_step_aside(&operand, event->context))
		return false;
	fp_heap_align_site(block.alloc_trace);
	atomic_fetch_add(&carried_out, 1);
	return true;
}

bool fp_fault_carry_out(struct fp_fault_event *event)
{
	if (!fp_fault_configuration.carries_out || event->signal != SIGSEGV ||
	    event->info->si_code != SI_KERNEL)
		return false;
	uint32_t held = fp_lock_enter_fault_mode();
	bool is_carried = carry_out(event);
	fp_lock_leave_fault_mode(held);
	return is_carried;
}

/* For one whose size a pointer's alignment does not divide: the others have that. */
static void learn_of(uintptr_t word)
{
	struct fp_block block;

	if (fp_heap_find(word, &block) && block.state == FP_BLOCK_LIVE &&
	    block.address % sizeof(void *) != 0)
		fp_heap_align_site(block.alloc_trace);
}

void fp_fault_learn_of_crash(const void *context)
{
	struct fp_fault_register registers[FP_FAULT_REGISTERS_MAX];
	const uintptr_t *stack =
	        (const uintptr_t *)fp_align_up(fp_fault_stack(context), sizeof(*stack));

	if (!fp_fault_configuration.carries_out)
		return;
	for (uint32_t i = fp_fault_registers(context, registers); i > 0; i--)
		learn_of(registers[i - 1].value);
	for (size_t i = 0; i < STACK_WORDS && fp_is_readable(&stack[i], sizeof(*stack)); i++)
		learn_of(stack[i]);
}
