/* SPDX-License-Identifier: Apache-2.0
 *
 * The place from which a function further out was called, by walking to it, once for each
 * register that is kept across calls.
 */
#include "stack/caller.h"

#include <string.h>
#include <ucontext.h>

#include "stack/cpu.h"
#include "stack/frame_table.h"
#include "stack/module.h"
#include "stack/stack.h"
#include "stack/walk.h"

enum { FRAMES_MAX = 64 };

uintptr_t fp_stack_function_start(uintptr_t pc)
{
	const struct fp_frame_query query = {
	        .pc = pc,
	        .module = fp_module_at(pc),
	        .asked = FP_WALK_ASKS_NOTHING,
	};
	struct fp_frame_entry entry;
	struct fp_frame_row row;

	return query.module.index != NULL && fp_frame_table_find(&query, &row, &entry)
	               ? entry.start
	               : 0;
}

bool fp_stack_is_in_c_library(uintptr_t pc)
{
	unsigned number = fp_module_at(pc).number;

	/* Whichever of its functions: the address is that of the library's own. */
	return number != FP_MODULE_NONE && number == fp_module_at((uintptr_t)memcpy).number;
}

/* Whether the walk came to the caller of FUNCTION. */
static bool walk_to_caller(struct fp_walk *walk, uintptr_t function)
{
	for (int frames = 0; frames < FRAMES_MAX; frames++) {
		bool is_found = fp_stack_function_start(walk->frame.pc -
		                                        (walk->context == 0)) == function;

		if (fp_walk_step(walk) != FP_STEP_ON)
			return false;
		if (is_found)
			return true;
	}
	return false;
}

static bool find_register(const ucontext_t *here, uintptr_t function, unsigned number,
                          uintptr_t *value)
{
	struct fp_walk walk;

	if (!fp_walk_begin_interrupted(&walk, here))
		return false;
	walk.asked = number;
	walk.asked_value = *(const uintptr_t *)((const char *)here + fp_cpu_offset(number));
	if (!walk_to_caller(&walk, function))
		return false;
	*value = walk.asked_value;
	return true;
}

/* noinline: the registers are those of a frame that is left only when all is read. */
__attribute__((noinline)) bool fp_stack_find_caller(uintptr_t function,
                                                    struct fp_stack_caller *caller)
{
	struct fp_walk walk;
	ucontext_t here;

	fp_cpu_take_registers(&here);
	if (!fp_walk_begin_interrupted(&walk, &here) || !walk_to_caller(&walk, function))
		return false;
	caller->stack = walk.frame.sp;
	for (size_t i = 0; i < FP_STACK_REGISTERS; i++)
		caller->registers[i] = 0;
	for (size_t i = 0; i < sizeof(fp_cpu_kept); i++)
		find_register(&here, function, fp_cpu_kept[i], &caller->registers[i]);
	return fp_walk_register(&walk, FP_CPU_REGISTER_FP,
	                        &caller->registers[sizeof(fp_cpu_kept)]);
}
