/* SPDX-License-Identifier: Apache-2.0
 *
 * Crashes in words: what the signal was raised for, and what is known of the address.
 */
#include <string.h>

#include "base/pointer.h"
#include "base/text.h"
#include "base/vm.h"
#include "fault/crash.h"
#include "fault/diagnose.h"
#include "fault/state.h"
#include "fault/words.h"
#include "log/writer.h"
#include "region/region.h"

enum { KIB = 1024, NEIGHBOUR_REACH = 64 << 20 };

static const struct {
	int signal;
	int code;
	const char *words;
} codes[] = {
        {SIGFPE, FPE_INTDIV, "integer division by zero, or of the smallest number by -1"},
        {SIGFPE, FPE_INTOVF, "integer overflow"},
        {SIGFPE, FPE_FLTDIV, "floating point division by zero"},
        {SIGFPE, FPE_FLTOVF, "floating point overflow"},
        {SIGFPE, FPE_FLTUND, "floating point underflow"},
        {SIGFPE, FPE_FLTRES, "floating point result that is not exact"},
        {SIGFPE, FPE_FLTINV, "invalid floating point operation"},
        {SIGFPE, FPE_FLTSUB, "index out of range"},
        {SIGILL, ILL_ILLOPC, "illegal instruction"},
        {SIGILL, ILL_ILLOPN, "illegal instruction"},
        {SIGILL, ILL_ILLADR, "illegal addressing mode"},
        {SIGILL, ILL_ILLTRP, "illegal trap"},
        {SIGILL, ILL_PRVOPC, "instruction that only the kernel may execute"},
        {SIGILL, ILL_PRVREG, "register that only the kernel may use"},
        {SIGILL, ILL_COPROC, "error of a coprocessor"},
        {SIGILL, ILL_BADSTK, "error of the processor's internal stack"},
        {SIGTRAP, TRAP_BRKPT, "a breakpoint that no debugger has set"},
        {SIGTRAP, TRAP_TRACE, "a single step that no debugger has asked for"},
        {SIGTRAP, SI_KERNEL, "a breakpoint instruction (int3) without a debugger"},
        {SIGBUS, BUS_ADRALN, "address that is not aligned as the instruction needs it"},
        {SIGBUS, BUS_OBJERR, "error of the device or file that is mapped there"},
        {SIGBUS, BUS_MCEERR_AR, "memory that the hardware reports as broken"},
        {SIGBUS, BUS_MCEERR_AO, "memory that the hardware reports as broken"},
        {SIGXCPU, SI_KERNEL, "the program has used the processor time that RLIMIT_CPU allows"},
};

static const char *words_of(const struct fp_crash_scene *scene)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].signal == scene->signal && codes[i].code == scene->code)
			return codes[i].words;
	return "the signal's code says no more";
}

static void say_bytes(struct fp_text *text, uint64_t bytes)
{
	bool is_mib = bytes % (KIB * KIB) == 0;
	bool is_kib = bytes % KIB == 0;

	fp_text_decimal(text, is_mib ? bytes / KIB / KIB : is_kib ? bytes / KIB : bytes);
	fp_text_string(text, is_mib ? " MiB" : is_kib ? " KiB" : " bytes");
}

bool fp_crash_say_block(struct fp_text *text, uintptr_t address)
{
	struct fp_place place;
	struct fp_block block;

	if (!fp_fault_heap.place(address, &place) ||
	    !fp_fault_heap.block(&place.slot, &block) || !fp_fault_is_near(&block, address))
		return false;
	fp_fault_say_position(text, &block, address);
	if (block.state == FP_BLOCK_FREED)
		fp_text_string(text, " that was freed");
	return true;
}

/* What ADDRESS is in. */
static void say_memory(struct fp_text *text, uintptr_t address)
{
	struct fp_region_place place;
	struct fp_place kept;

	if (fp_crash_say_block(text, address))
		return;
	if (fp_fault_heap.place(address, &kept)) {
		fp_text_string(text, "address space that Fencepost keeps for blocks, of which "
		                     "none is near");
		return;
	}
	if (!fp_region_find(address, &place) || place.page.state != FP_PAGE_COMMITTED) {
		fp_pointer_describe(text, address);
		return;
	}
	const char *protection =
	        fp_page_protection_name(place.page.protection & ~FP_PROTECT_GUARD);
	fp_text_string(text, "a page of VirtualAlloc's with ");
	fp_text_string(text, protection == NULL ? "a protection of its own" : protection);
	if ((place.page.protection & FP_PROTECT_GUARD) != 0)
		fp_text_string(text, " and PAGE_GUARD, whose exception nobody handles");
}

static void say_access(struct fp_text *text, const struct fp_crash_scene *scene)
{
	fp_fault_say_access(text, &scene->access);
	fp_text_string(text, " at ");
	fp_text_hex(text, scene->access.address);
}

static void say_null(struct fp_text *text, const struct fp_crash_scene *scene)
{
	int64_t offset = fp_crash_null_offset(scene->access.address);

	if (scene->access.is_fetch && offset == 0) {
		fp_text_string(text, "call of a null function pointer");
		return;
	}
	say_access(text, scene);
	fp_text_string(text, ", through a null pointer");
	if (offset == 0)
		return;
	fp_text_string(text, " (");
	fp_text_decimal(text, (uint64_t)(offset < 0 ? -offset : offset));
	fp_text_string(text, offset < 0 ? " bytes before it)"
	                                : " bytes past it: a member or an element)");
}

static void say_stack_full(struct fp_text *text, const struct fp_crash_scene *scene,
                           uint64_t depth)
{
	fp_text_string(text, "stack overflow: all ");
	say_bytes(text, fp_crash_stack_bytes(scene));
	fp_text_string(text, " of the thread's stack are in use");
	if (depth > 0) {
		fp_text_string(text, ", by ");
		fp_text_decimal(text, depth);
		fp_text_string(text, " calls that have not returned");
	}
}

/* What the address may have been meant for, where that is not far away. */
static void say_neighbour(struct fp_text *text, uintptr_t distance, const char *words,
                          uintptr_t neighbour)
{
	if (distance >= NEIGHBOUR_REACH)
		return;
	fp_text_string(text, ", ");
	say_bytes(text, distance);
	fp_text_string(text, words);
	fp_pointer_describe(text, neighbour);
}

/* Between what the address lies, where nothing is mapped. */
static void say_gap(struct fp_text *text, const struct fp_crash_scene *scene,
                    const struct fp_finding *finding)
{
	const struct fp_maps_place *gap = &scene->place;
	uintptr_t address = scene->access.address;

	fp_text_string(text, finding->other.role == FP_PARTY_UNMAPPER
	                             ? ", which was freed and unmapped by the program"
	                             : ", where nothing is mapped");
	if (!scene->is_place_known || address >= fp_vm_user_end())
		return;
	if (gap->start != 0)
		say_neighbour(text, address - gap->start, " past the end of ", gap->start - 1);
	if (gap->end < fp_vm_user_end())
		say_neighbour(text, gap->end - address, " before ", gap->end);
}

static const struct fp_log_register *find_impossible(const struct fp_finding *finding)
{
	for (uint32_t i = 0; i < finding->register_count; i++) {
		uintptr_t value = finding->registers[i].value;

		if (value >= fp_vm_user_end() && fp_crash_null_offset(value) == INT64_MAX)
			return &finding->registers[i];
	}
	return NULL;
}

/* The kernel does not say which address it was. */
static void say_impossible(struct fp_text *text, const struct fp_finding *finding)
{
	const struct fp_log_register *holder = find_impossible(finding);

	if (holder == NULL) {
		fp_text_string(text, "access that the processor refuses: the address is not "
		                     "aligned as the instruction needs it, or the instruction "
		                     "is the kernel's");
		return;
	}
	fp_text_string(text, "access through ");
	fp_text_hex(text, holder->value);
	fp_text_string(text, ", which no pointer can be: register ");
	fp_text_string(text, holder->name);
	fp_text_string(text, " has it");
}

static void say_wild(struct fp_text *text, const struct fp_crash_scene *scene,
                     const struct fp_finding *finding)
{
	if (!scene->has_address) {
		say_impossible(text, finding);
		return;
	}
	say_access(text, scene);
	if (!scene->place.is_mapped) {
		say_gap(text, scene, finding);
		return;
	}
	fp_text_string(text, ", which may not be accessed: ");
	say_memory(text, scene->access.address);
}

static void say_place(struct fp_text *text, const struct fp_crash_scene *scene,
                      const char *words)
{
	say_access(text, scene);
	fp_text_string(text, words);
	say_memory(text, scene->access.address);
}

static void say_illegal(struct fp_text *text, const struct fp_crash_scene *scene,
                        const void *context)
{
	fp_text_string(text, words_of(scene));
	if (fp_fault_is_compilers_trap(context))
		fp_text_string(text, ", which compilers put where the program must never get: "
		                     "__builtin_trap(), or undefined behaviour");
}

static void say_sender(struct fp_text *text, const struct fp_crash_scene *scene,
                       const siginfo_t *info)
{
	if (scene->is_own) {
		fp_text_string(text, "the program sent itself the signal (raise, or kill)");
		return;
	}
	fp_text_string(text, "the signal was sent by process ");
	fp_text_decimal(text, (uint64_t)info->si_pid);
	fp_text_string(text, " of user ");
	fp_text_decimal(text, info->si_uid);
}

static void say_other(struct fp_text *text, const struct fp_crash_scene *scene,
                      const siginfo_t *info)
{
	if (scene->is_sent)
		say_sender(text, scene, info);
	else if (scene->signal == SIGBUS && scene->code == BUS_ADRERR)
		say_place(text, scene,
		          ", behind the end of the file that is mapped there, which "
		          "was made shorter: ");
	else if (scene->has_address)
		say_place(text, scene, ", in ");
	else
		fp_text_string(text, words_of(scene));
}

static void say(struct fp_text *text, const struct fp_finding *finding,
                const struct fp_crash_scene *scene, const struct fp_crash_signal *signal)
{
	switch (finding->cause) {
	case FP_CRASH_NULL_POINTER:
		say_null(text, scene);
		break;
	case FP_CRASH_STACK_OVERFLOW:
		say_stack_full(text, scene, signal->depth);
		break;
	case FP_CRASH_WILD_ADDRESS:
		say_wild(text, scene, finding);
		break;
	case FP_CRASH_READ_ONLY:
		say_place(text, scene, ", which may only be read: ");
		break;
	case FP_CRASH_NOT_EXECUTABLE:
		say_place(text, scene, ", which is no code: ");
		break;
	case FP_CRASH_ABORT:
		fp_text_string(text, "the program called abort()");
		break;
	case FP_CRASH_ILLEGAL_INSTRUCTION:
		say_illegal(text, scene, signal->context);
		break;
	case FP_CRASH_SYSTEM_CALL:
		fp_text_string(text, "system call ");
		fp_text_signed(text, signal->info->si_syscall);
		fp_text_string(text, ", which a filter of system calls (seccomp) refuses");
		break;
	case FP_CRASH_ARITHMETIC:
		fp_text_string(text, words_of(scene));
		break;
	default:
		say_other(text, scene, signal->info);
	}
}

void fp_crash_say(struct fp_finding *finding, const struct fp_crash_scene *scene,
                  const struct fp_crash_signal *signal)
{
	struct fp_text text;

	fp_text_begin(&text, finding->description, sizeof(finding->description));
	say(&text, finding, scene, signal);
}

static void begin_addition(struct fp_finding *finding, struct fp_text *text)
{
	size_t used = strlen(finding->description);

	fp_text_begin(text, finding->description + used, sizeof(finding->description) - used);
}

void fp_crash_say_guest(struct fp_finding *finding)
{
	struct fp_text text;

	begin_addition(finding, &text);
	fp_text_string(&text, "; a child of vfork(2) died of it, which has the memory of its "
	                      "parent");
}

void fp_crash_say_handled(struct fp_finding *finding, int signal)
{
	struct fp_text text;

	begin_addition(finding, &text);
	fp_text_string(&text, "; the program's handler of it then raised signal ");
	fp_text_decimal(&text, (uint64_t)signal);
}
