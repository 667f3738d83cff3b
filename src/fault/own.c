/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults of Fencepost's own code. They are bugs of ours and never the program's: whoever reads
 * the report must not look for them in the program.
 */
#include <elf.h>
#include <stddef.h>

#include "base/lock.h"
#include "base/text.h"
#include "fault/diagnose.h"
#include "fault/state.h"

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

enum { LINE_BYTES = 400, STACK_REACH = 16 << 10 };

static struct {
	const char *name;
	bool (*is_inside)(void);
} library;

void fp_fault_know_library(const char *name, bool (*is_inside)(void))
{
	library.name = name;
	library.is_inside = is_inside;
}

static bool is_own(uintptr_t address)
{
	const Elf64_Phdr *segments =
	        (const void *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
	uintptr_t offset = address - (uintptr_t)&__ehdr_start;

	for (size_t i = 0; i < __ehdr_start.e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X) != 0 &&
		    offset - segments[i].p_vaddr < segments[i].p_memsz)
			return true;
	return false;
}

/* A block of the program's that it protected, or mapped something over, is not our affair. */
static bool is_in_live_block(uintptr_t address)
{
	struct fp_place place;

	return fp_guard_find(address, &place) && !fp_fault_is_sealed(address, &fp_fault_heap);
}

static bool is_inside(void)
{
	return fp_lock_is_any_held() || (library.is_inside != NULL && library.is_inside());
}

static bool is_stack_full(const struct fp_fault_event *event)
{
	uintptr_t address = (uintptr_t)event->info->si_addr;
	uintptr_t stack = fp_fault_stack(event->context);

	return event->info->si_code != SI_KERNEL &&
	       address - (stack - STACK_REACH) < STACK_REACH + STACK_REACH / 4;
}

/* Our own code, or memcpy or the like that it called: not what the program has us call, nor
 * another library that stands in for one of libc's functions. */
static bool is_own_code(const struct fp_fault_event *event)
{
	return is_own(fp_fault_instruction(event->context)) || is_stack_full(event) ||
	       is_own(fp_fault_return_address(event->context));
}

bool fp_fault_is_own_failure(const struct fp_fault_event *event)
{
	const siginfo_t *info = event->info;

	if (library.name == NULL || info->si_code <= 0 || !is_inside() ||
	    fp_fault_is_in_handler(event->context) || !is_own_code(event))
		return false;
	uint32_t held = fp_lock_enter_fault_mode();
	bool is_own = info->si_code == SI_KERNEL || !is_in_live_block((uintptr_t)info->si_addr);
	fp_lock_leave_fault_mode(held);
	return is_own;
}

/* "libfencepost.so+0x1234", for whoever mends it. */
static void append_place(struct fp_text *text, const struct fp_fault_event *event)
{
	uintptr_t instruction = fp_fault_instruction(event->context);

	if (is_own(instruction)) {
		fp_text_string(text, library.name);
		fp_text_string(text, "+");
		fp_text_hex(text, instruction - (uintptr_t)&__ehdr_start);
		return;
	}
	fp_text_hex(text, instruction);
	fp_text_string(text, ", in a function that ");
	fp_text_string(text, library.name);
	fp_text_string(text, " called");
	if (is_stack_full(event))
		return;
	fp_text_string(text, " at +");
	fp_text_hex(text, fp_fault_return_address(event->context) - (uintptr_t)&__ehdr_start);
}

void fp_fault_say_own_failure(const struct fp_fault_event *event)
{
	char line[LINE_BYTES];
	struct fp_text text;

	fp_text_begin(&text, line, sizeof(line));
	fp_text_string(&text, "internal error: Fencepost itself crashed at ");
	append_place(&text, event);
	if (is_stack_full(event))
		fp_text_string(&text, ", because the stack of the thread was full");
	fp_text_string(&text,
	               ". This is a bug in Fencepost, not in the program: please report it. "
	               "What was found before is kept");
	fp_say(line, "");
	fp_fault_configuration.note(line);
}
