/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking a stack through a module whose .eh_frame is any bytes. The input is eight numbers of
 * two bytes, then the stack, then the module, which ends where memory ends. Modules and what
 * can be read are stand-ins: there is that module, and that stack.
 */
#include <string.h>
#include <sys/mman.h>

#include "stack/module.h"
#include "stack/reading.h"
#include "stack/walk.h"
#include "target.h"

enum { PAGE = FP_READ_PAGE, MODULE_PAGES = 4, STACK_BYTES = PAGE, STEPS_MAX = 64 };

/* What the input is of. */
struct start {
	uint16_t index; /* where in the module its index is */
	uint16_t pc;
	uint16_t sp;
	uint16_t fp;
	uint16_t asked;
	uint16_t stack_bytes;
};

static uint8_t *stack, *module;
static struct fp_module known;

_Thread_local struct fp_reading fp_reading;

static bool is_stack(uintptr_t address)
{
	return address - (uintptr_t)stack < STACK_BYTES;
}

bool fp_reading_extend(uintptr_t address)
{
	fp_reading = (struct fp_reading){(uintptr_t)stack, (uintptr_t)stack + STACK_BYTES};
	return is_stack(address);
}

bool fp_read_is_readable(uintptr_t address)
{
	return is_stack(address) || address - (uintptr_t)module < MODULE_PAGES * PAGE;
}

struct fp_module fp_module_at(uintptr_t pc)
{
	return pc - known.start < known.end - known.start
	               ? known
	               : (struct fp_module){.number = FP_MODULE_NONE};
}

bool fp_module_is_there(unsigned number, uintptr_t pc)
{
	return number == fp_module_at(pc).number;
}

uint64_t fp_module_mark(unsigned number)
{
	return number;
}

static uint8_t *map_fenced(size_t bytes)
{
	uint8_t *memory =
	        mmap(NULL, bytes + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	fuzz_must(memory != MAP_FAILED &&
	          mprotect(memory + PAGE, bytes, PROT_READ | PROT_WRITE) == 0);
	return memory + PAGE;
}

/* The stack, of words; those that are small are addresses in the module or the stack. */
static void fill_stack(const uint8_t *data, size_t size)
{
	memset(stack, 0, STACK_BYTES);
	memcpy(stack, data, size);
	for (size_t i = 0; i < STACK_BYTES / sizeof(uintptr_t); i++) {
		uintptr_t *word = (uintptr_t *)stack + i;

		if (*word != 0 && *word < STACK_BYTES)
			*word += (uintptr_t)stack;
		else if (*word < known.end - known.start)
			*word += *word == 0 ? 0 : known.start;
	}
}

static void walk(const struct start *start)
{
	struct fp_walk walk;
	const struct fp_frame frame = {.pc = known.start + start->pc,
	                               .sp = (uintptr_t)stack + start->sp % STACK_BYTES / 8 * 8,
	                               .fp = (uintptr_t)stack +
	                                     start->fp % STACK_BYTES / 8 * 8};
	uintptr_t value;

	fp_walk_begin(&walk, &frame, NULL);
	if (start->asked % 4 == 3)
		walk.asked = start->asked / 4 % 17;
	for (int i = 0; i < STEPS_MAX && fp_walk_step(&walk) == FP_STEP_ON; i++)
		fp_walk_register(&walk, start->asked / 4 % 17, &value);
	fp_walk_look(&walk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct start start;

	if (!stack) {
		stack = map_fenced(STACK_BYTES);
		module = map_fenced(MODULE_PAGES * PAGE);
	}
	if (size < sizeof(start))
		return 0;
	memcpy(&start, data, sizeof(start));
	data += sizeof(start);
	size -= sizeof(start);
	size_t stack_bytes = start.stack_bytes % STACK_BYTES;
	if (stack_bytes > size)
		stack_bytes = size;
	size_t bytes = size - stack_bytes < MODULE_PAGES * PAGE ? size - stack_bytes
	                                                        : MODULE_PAGES * PAGE;
	uint8_t *at = module + (MODULE_PAGES * PAGE - bytes) / 4 * 4;
	known = (struct fp_module){.number = known.number % 512 + 1,
	                           .index = at + start.index % (bytes + 1) / 4 * 4,
	                           .start = (uintptr_t)at,
	                           .end = (uintptr_t)at + bytes};
	memcpy(at, data + stack_bytes, bytes);
	fill_stack(data, stack_bytes);
	walk(&start);
	return 0;
}
