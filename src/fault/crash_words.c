/* SPDX-License-Identifier: Apache-2.0
 *
 * Crashes in words: what the signal was raised for, and what is known of the address.
 */
#include <string.h>

#include "base/messages.h"
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
#define FP_SIGNAL_CODE(signal_, code_, words_) {signal_, code_, words_},
        FP_SIGNAL_CODES
#undef FP_SIGNAL_CODE
};

static const char *words_of(const struct fp_crash_scene *scene)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].signal == scene->signal && codes[i].code == scene->code)
			return codes[i].words;
	return FP_TELL_NO_CODE;
}

/* *UNIT is that of the result. */
static uint64_t in_units(uint64_t bytes, const char **unit)
{
	bool is_mib = bytes % (KIB * KIB) == 0;
	bool is_kib = bytes % KIB == 0;

	*unit = is_mib ? " MiB" : is_kib ? " KiB" : " bytes";
	return is_mib ? bytes / KIB / KIB : is_kib ? bytes / KIB : bytes;
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
		fp_text_string(text, FP_TELL_THAT_WAS_FREED);
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
		fp_text_string(text, FP_TELL_IN_OURS);
		return;
	}
	if (!fp_region_find(address, &place) || place.page.state != FP_PAGE_COMMITTED) {
		fp_pointer_describe(text, address);
		return;
	}
	const char *protection =
	        fp_page_protection_name(place.page.protection & ~FP_PROTECT_GUARD);
	fp_text_print(
	        text, FP_TELL_IN_PAGE, protection == NULL ? FP_TELL_OWN_PROTECTION : protection,
	        (place.page.protection & FP_PROTECT_GUARD) != 0 ? FP_TELL_GUARD_PAGE : "");
}

static void say_access(struct fp_text *text, const struct fp_crash_scene *scene)
{
	fp_fault_say_access(text, &scene->access);
	fp_text_print(text, FP_TELL_AT, scene->access.address);
}

static void say_null(struct fp_text *text, const struct fp_crash_scene *scene)
{
	int64_t offset = fp_crash_null_offset(scene->access.address);

	if (scene->access.is_fetch && offset == 0) {
		fp_text_string(text, FP_TELL_NULL_CALL);
		return;
	}
	say_access(text, scene);
	fp_text_string(text, FP_TELL_NULL);
	if (offset != 0)
		fp_text_print(text, offset < 0 ? FP_TELL_NULL_BEFORE : FP_TELL_NULL_PAST,
		              (uint64_t)(offset < 0 ? -offset : offset));
}

static void say_stack_full(struct fp_text *text, const struct fp_crash_scene *scene,
                           uint64_t depth)
{
	const char *unit;
	uint64_t size = in_units(fp_crash_stack_bytes(scene), &unit);

	fp_text_print(text, FP_TELL_STACK_FULL, size, unit);
	if (depth > 0)
		fp_text_print(text, FP_TELL_STACK_CALLS, depth);
}

/* What the address may have been meant for, where that is not far away: between what it lies,
 * where nothing is mapped. */
static void say_gap(struct fp_text *text, const struct fp_crash_scene *scene,
                    const struct fp_finding *finding)
{
	const struct fp_maps_place *gap = &scene->place;
	uintptr_t address = scene->access.address;
	uintptr_t past = address - gap->start;
	uintptr_t before = gap->end - address;
	const char *unit;

	fp_text_string(text, finding->other.role == FP_PARTY_UNMAPPER ? FP_TELL_UNMAPPED
	                                                              : FP_TELL_NEVER_MAPPED);
	if (!scene->is_place_known || address >= fp_vm_user_end())
		return;
	if (gap->start != 0 && past < NEIGHBOUR_REACH) {
		past = in_units(past, &unit);
		fp_text_print(text, FP_TELL_GAP_PAST, past, unit);
		fp_pointer_describe(text, gap->start - 1);
	}
	if (gap->end < fp_vm_user_end() && before < NEIGHBOUR_REACH) {
		before = in_units(before, &unit);
		fp_text_print(text, FP_TELL_GAP_BEFORE, before, unit);
		fp_pointer_describe(text, gap->end);
	}
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

	if (holder == NULL)
		fp_text_string(text, FP_TELL_REFUSED_BY_CPU);
	else
		fp_text_print(text, FP_TELL_IMPOSSIBLE, holder->value, holder->name);
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
	fp_text_string(text, FP_TELL_NO_ACCESS);
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
		fp_text_string(text, FP_TELL_COMPILERS_TRAP);
}

static void say_sender(struct fp_text *text, const struct fp_crash_scene *scene,
                       const siginfo_t *info)
{
	if (scene->is_own)
		fp_text_string(text, FP_TELL_SENT_ITSELF);
	else
		fp_text_print(text, FP_TELL_SENT_BY, (unsigned)info->si_pid, info->si_uid);
}

static void say_other(struct fp_text *text, const struct fp_crash_scene *scene,
                      const siginfo_t *info)
{
	if (scene->is_sent)
		say_sender(text, scene, info);
	else if (scene->signal == SIGBUS && scene->code == BUS_ADRERR)
		say_place(text, scene, FP_TELL_FILE_SHORTER);
	else if (scene->has_address)
		say_place(text, scene, FP_TELL_IN_PLACE);
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
		say_place(text, scene, FP_TELL_READ_ONLY);
		break;
	case FP_CRASH_NOT_EXECUTABLE:
		say_place(text, scene, FP_TELL_NO_CODE_THERE);
		break;
	case FP_CRASH_ABORT:
		fp_text_string(text, FP_TELL_ABORT);
		break;
	case FP_CRASH_ILLEGAL_INSTRUCTION:
		say_illegal(text, scene, signal->context);
		break;
	case FP_CRASH_SYSTEM_CALL:
		fp_text_print(text, FP_TELL_SYSTEM_CALL, signal->info->si_syscall);
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
	fp_text_string(&text, FP_TELL_IN_VFORK);
}

void fp_crash_say_handled(struct fp_finding *finding, int signal)
{
	struct fp_text text;

	begin_addition(finding, &text);
	fp_text_print(&text, FP_TELL_HANDLED, signal);
}
