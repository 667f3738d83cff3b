/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults of Fencepost's own code. They are bugs of ours and never the program's: whoever reads
 * the report must not look for them in the program.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "base/lock.h"
#include "base/messages.h"
#include "base/own.h"
#include "base/room.h"
#include "base/text.h"
#include "fault/diagnose.h"
#include "fault/state.h"

enum { LINE_BYTES = 400 };

static bool (*_Atomic door_is_inside)(void);

void fp_fault_ask_inside(bool (*is_inside)(void))
{
	atomic_store(&door_is_inside, is_inside);
}

/* A block of the program's that it protected, or mapped something over, is not our affair. */
static bool is_in_live_block(uintptr_t address)
{
	struct fp_place place;

	return fp_guard_find(address, &place) && !fp_fault_is_sealed(address, &fp_fault_heap);
}

static bool is_inside(void)
{
	bool (*ask)(void) = atomic_load(&door_is_inside);

	return fp_lock_is_any_held() || (ask != NULL && ask());
}

/* The call of ours may be the one that a recursion of the program's had no room for. */
static bool is_programs_stack_full(const struct fp_fault_event *event)
{
	return fp_fault_is_stack_full(event) && !fp_room_holds(fp_fault_stack(event->context));
}

/* Our own code, or memcpy or the like that it called: not what the program has us call, nor
 * another library that stands in for one of libc's functions. */
static bool is_own_code(const struct fp_fault_event *event)
{
	return fp_own_is_code(fp_fault_instruction(event->context)) ||
	       fp_fault_is_stack_full(event) ||
	       fp_own_is_code(fp_fault_return_address(event->context));
}

bool fp_fault_is_own_failure(const struct fp_fault_event *event)
{
	const siginfo_t *info = event->info;

	if (info->si_code <= 0 || !is_inside() || fp_fault_is_in_handler(event->context) ||
	    is_programs_stack_full(event) || !is_own_code(event))
		return false;
	uint32_t held = fp_lock_enter_fault_mode();
	bool is_own = info->si_code == SI_KERNEL || !is_in_live_block((uintptr_t)info->si_addr);
	fp_lock_leave_fault_mode(held);
	return is_own;
}

/* "libfencepost-core.so+0x1234", for whoever mends it. */
static void append_own(struct fp_text *text, uintptr_t address)
{
	const struct fp_own_object *object = fp_own_find(address);

	if (object != NULL) {
		fp_text_string(text, object->name);
		fp_text_string(text, "+");
		address -= object->start;
	}
	fp_text_hex(text, address);
}

static void append_place(struct fp_text *text, const struct fp_fault_event *event)
{
	uintptr_t instruction = fp_fault_instruction(event->context);

	append_own(text, instruction);
	if (fp_own_is_code(instruction))
		return;
	fp_text_string(text, FP_TELL_OWN_CALL);
	if (fp_fault_is_stack_full(event))
		return;
	fp_text_string(text, FP_TELL_OWN_CALL_AT);
	append_own(text, fp_fault_return_address(event->context));
}

void fp_fault_say_own_failure(const struct fp_fault_event *event)
{
	char line[LINE_BYTES];
	struct fp_text text;

	fp_text_begin(&text, line, sizeof(line));
	fp_text_string(&text, FP_TELL_OWN_CRASH);
	append_place(&text, event);
	if (fp_fault_is_stack_full(event))
		fp_text_string(&text, FP_TELL_OWN_STACK);
	fp_text_string(&text, FP_TELL_OWN_ADVICE);
	fp_say("%s", line);
	fp_fault_configuration.note(line);
}
