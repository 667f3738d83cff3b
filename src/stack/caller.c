/* SPDX-License-Identifier: Apache-2.0
 *
 * The place from which a function further out was called, by unwinding to it.
 */
#include "stack/caller.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "stack/gate.h"

enum { FRAMES_MAX = 64 };

/* Whether FUNCTION's frame was found; then CURSOR is at its caller. */
static bool unwind_to_caller(unw_cursor_t *cursor, uintptr_t function)
{
	unw_proc_info_t info;

	for (int frames = 0; frames < FRAMES_MAX; frames++) {
		bool is_found =
		        unw_get_proc_info(cursor, &info) == 0 && info.start_ip == function;

		if (unw_step(cursor) <= 0)
			return false;
		if (is_found)
			return true;
	}
	return false;
}

static bool find_caller(uintptr_t function, struct fp_stack_caller *caller)
{
	unw_context_t context;
	unw_cursor_t cursor;
	unw_word_t word;

	if (unw_getcontext(&context) != 0 || unw_init_local(&cursor, &context) != 0 ||
	    !unwind_to_caller(&cursor, function) ||
	    unw_get_reg(&cursor, UNW_REG_SP, &word) != 0)
		return false;
	caller->stack = word;
	for (int i = 0; i < FP_STACK_REGISTERS; i++)
		caller->registers[i] = unw_get_reg(&cursor, i, &word) == 0 ? word : 0;
	return true;
}

bool fp_stack_find_caller(uintptr_t function, struct fp_stack_caller *caller)
{
	if (fp_gate_is_lost())
		return false;
	fp_gate_enter();
	bool is_found = find_caller(function, caller);
	fp_gate_leave();
	return is_found;
}
