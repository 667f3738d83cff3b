/* SPDX-License-Identifier: Apache-2.0
 *
 * Crashes: a signal is about to end the process, by its default action, and no finding of the
 * heap says why. What the kernel, the registers, the mappings and the heap tell of it becomes a
 * finding. The judgement is a function of plain data; nothing here reads what was accessed.
 */
#include "fault/crash.h"

#include <stdatomic.h>
#include <string.h>

#include "base/lock.h"
#include "base/messages.h"
#include "base/pointer.h"
#include "base/sys.h"
#include "base/thread.h"
#include "base/vm.h"
#include "fault/diagnose.h"
#include "fault/state.h"
#include "fault/words.h"
#include "log/writer.h"
#include "registry/registry.h"
#include "stack/stack.h"

enum {
	NEAR_NULL = 64 << 10,  /* what no program maps (vm.mmap_min_addr) */
	STACK_GAP = 1 << 20,   /* the kernel's below a main thread's stack */
	STACK_REACH = 64 << 10 /* above its pointer; below it a function may touch */
};

/* What an index of 32 bits reaches; what is farther away says nothing. */
static const uintptr_t nearest_reach = (uintptr_t)2 << 30;

/* ---- The judgement -------------------------------------------------------------------------
 */

int64_t fp_crash_null_offset(uintptr_t address)
{
	bool is_near = address < NEAR_NULL || 0 - address < NEAR_NULL;

	return is_near ? (int64_t)address : INT64_MAX;
}

/* Below a stack comes what cannot be accessed, and the stack pointer is there or on its way. */
static bool is_stack_full(const struct fp_crash_scene *scene)
{
	uintptr_t address = scene->access.address;
	uintptr_t stack = scene->stack;

	return scene->is_place_known && !scene->access.is_fetch && stack != 0 &&
	       !scene->place.is_writable && scene->behind.is_writable &&
	       !scene->behind.is_file && scene->place.end - address <= STACK_GAP &&
	       address < stack + STACK_REACH && stack - STACK_GAP < address &&
	       stack < scene->behind.end;
}

uint64_t fp_crash_stack_bytes(const struct fp_crash_scene *scene)
{
	return scene->behind.end - scene->behind.start;
}

static enum fp_crash_cause judge_access(const struct fp_crash_scene *scene)
{
	const struct fp_maps_place *place = &scene->place;

	if (fp_crash_null_offset(scene->access.address) != INT64_MAX)
		return FP_CRASH_NULL_POINTER;
	if (is_stack_full(scene))
		return FP_CRASH_STACK_OVERFLOW;
	if (!scene->is_place_known || !place->is_mapped)
		return FP_CRASH_WILD_ADDRESS;
	if (scene->access.is_fetch)
		return FP_CRASH_NOT_EXECUTABLE;
	return scene->access.access == FP_ACCESS_WRITE && place->is_readable &&
	                       !place->is_writable
	               ? FP_CRASH_READ_ONLY
	               : FP_CRASH_WILD_ADDRESS;
}

enum fp_crash_cause fp_crash_judge(const struct fp_crash_scene *scene)
{
	if (scene->signal == SIGABRT && (scene->is_own || !scene->is_sent))
		return FP_CRASH_ABORT;
	if (scene->is_sent)
		return FP_CRASH_OTHER;
	switch (scene->signal) {
	case SIGSEGV:
		return scene->has_address ? judge_access(scene) : FP_CRASH_WILD_ADDRESS;
	case SIGFPE:
		return FP_CRASH_ARITHMETIC;
	case SIGILL:
		return FP_CRASH_ILLEGAL_INSTRUCTION;
	case SIGSYS:
		return FP_CRASH_SYSTEM_CALL;
	default:
		return FP_CRASH_OTHER;
	}
}

/* ---- The facts -----------------------------------------------------------------------------
 */

static void look(int signal, const siginfo_t *info, const void *context,
                 struct fp_crash_scene *scene)
{
	bool is_fault = signal == SIGSEGV || signal == SIGBUS;

	*scene = (struct fp_crash_scene){
	        .signal = signal,
	        .code = info->si_code,
	        .is_sent = info->si_code <= 0,
	        .has_address = is_fault && info->si_code > 0 && info->si_code != SI_KERNEL,
	        .stack = fp_fault_stack(context),
	};
	scene->is_own = scene->is_sent && info->si_pid == fp_sys_getpid();
	if (!scene->has_address)
		return;
	scene->access = fp_fault_access(context, (uintptr_t)info->si_addr);
	scene->is_place_known = fp_maps_at(scene->access.address, &scene->place) == 0;
	if (scene->is_place_known)
		fp_maps_at(scene->place.end, &scene->behind);
}

bool fp_fault_is_stack_full(const struct fp_fault_event *event)
{
	struct fp_crash_scene scene;

	look(event->signal, event->info, event->context, &scene);
	return scene.has_address && is_stack_full(&scene);
}

/* ---- Registers ------------------------------------------------------------------------------
 */

enum { MEANING_MAX = 320, NEAREST_MAX = 4 };

/* What a finding points to. Too much for a stack that may be the program's own; a process
 * crashes once. */
static struct {
	struct fp_log_register registers[FP_FAULT_REGISTERS_MAX];
	char meanings[FP_FAULT_REGISTERS_MAX][MEANING_MAX];
	struct fp_log_block nearest[NEAREST_MAX];
	struct fp_crash_words words;
} facts;

static void say_meaning(struct fp_text *text, uintptr_t value)
{
	struct fp_maps_place place;

	if (fp_crash_null_offset(value) != INT64_MAX || fp_crash_say_block(text, value))
		return;
	if (value >= fp_vm_user_end())
		fp_text_string(text, FP_TELL_NO_POINTER);
	else if (fp_maps_at(value, &place) != 0 || (place.is_mapped && place.is_executable))
		return; /* the report knows the functions */
	else if (place.is_mapped)
		fp_pointer_describe(text, value);
	else
		fp_text_string(text, FP_TELL_NOT_MAPPED);
}

static void explain_registers(struct fp_finding *finding, const void *context)
{
	struct fp_fault_register values[FP_FAULT_REGISTERS_MAX];
	uint32_t count = fp_fault_registers(context, values);

	for (uint32_t i = 0; i < count; i++) {
		struct fp_text text;

		fp_text_begin(&text, facts.meanings[i], MEANING_MAX);
		say_meaning(&text, values[i].value);
		facts.registers[i] = (struct fp_log_register){
		        .name = values[i].name,
		        .value = values[i].value,
		        .meaning = facts.meanings[i],
		};
	}
	finding->registers = facts.registers;
	finding->register_count = count;
}

/* ---- The nearest blocks
 * ----------------------------------------------------------------------
 */

struct nearest {
	uintptr_t address;
	struct fp_block
	        blocks[NEAREST_MAX]; /* live ones before and behind it, and freed ones */
	uintptr_t distances[NEAREST_MAX];
};

static void compare(const struct fp_block *block, void *user)
{
	struct nearest *nearest = user;
	int side = (block->address > nearest->address) + 2 * (block->state == FP_BLOCK_FREED);
	uintptr_t distance = fp_fault_distance(block, nearest->address);

	if (distance >= nearest->distances[side])
		return;
	nearest->distances[side] = distance;
	nearest->blocks[side] = *block;
}

static struct fp_log_block describe(const struct fp_block *block, uintptr_t address)
{
	struct fp_log_site site = {.file = ""};
	int line = 0;

	fp_stack_site(block->site, &site.file, &line);
	site.line = (uint32_t)line;
	return fp_log_block_of(block, (int64_t)(address - block->address), &site);
}

/* Which of NEAREST is next, or NEAREST_MAX. */
static int find_next(const struct nearest *nearest)
{
	int next = NEAREST_MAX;
	uintptr_t least = nearest_reach;

	for (int side = 0; side < NEAREST_MAX; side++)
		if (nearest->distances[side] < least) {
			next = side;
			least = nearest->distances[side];
		}
	return next;
}

static void find_nearest(struct fp_finding *finding)
{
	struct nearest nearest = {.address = finding->address};

	for (int i = 0; i < NEAREST_MAX; i++)
		nearest.distances[i] = nearest_reach;
	fp_registry_each_live(compare, &nearest);
	fp_registry_each_freed(compare, &nearest);
	finding->nearest = facts.nearest;
	for (int side; (side = find_next(&nearest)) != NEAREST_MAX;) {
		facts.nearest[finding->nearest_count++] =
		        describe(&nearest.blocks[side], finding->address);
		nearest.distances[side] = UINTPTR_MAX;
	}
}

/* Who had unmapped it, if the program did. */
static void find_unmapper(struct fp_finding *finding)
{
	struct fp_stack_unmapped unmapped;

	if (fp_stack_find_unmapped(finding->address, &unmapped))
		finding->other = (struct fp_party){.role = FP_PARTY_UNMAPPER,
		                                   .thread = unmapped.thread,
		                                   .trace = unmapped.trace};
}

/* ---- The finding ---------------------------------------------------------------------------
 */

static void take_last_words(struct fp_finding *finding)
{
	fp_crash_take_last_words(&facts.words, finding->trace);
	finding->message = facts.words.message;
	finding->exception = facts.words.exception;
}

static void gather(struct fp_finding *finding, int number, const siginfo_t *info, void *context)
{
	struct fp_crash_signal signal = {.info = info, .context = context};
	struct fp_crash_scene scene;

	look(number, info, context, &scene);
	finding->kind = FP_FINDING_CRASH;
	finding->access = scene.access.access;
	finding->address = scene.access.address;
	finding->access_size = scene.access.size;
	finding->signal = (uint32_t)number;
	finding->code = info->si_code;
	finding->cause = fp_crash_judge(&scene);
	finding->thread = fp_thread_self();
	fp_thread_name(finding->thread_name);
	finding->trace = finding->cause == FP_CRASH_STACK_OVERFLOW
	                         ? fp_stack_capture_ends(context, &signal.depth)
	                         : fp_stack_capture_interrupted(context);
	finding->is_exact = true;
	explain_registers(finding, context);
	if (finding->cause == FP_CRASH_WILD_ADDRESS && scene.has_address) {
		find_nearest(finding);
		if (!scene.place.is_mapped)
			find_unmapper(finding);
	}
	if (finding->cause == FP_CRASH_ABORT)
		take_last_words(finding);
	fp_crash_say(finding, &scene, &signal);
}

/* The process dies once. */
static bool is_first(void)
{
	static _Atomic pid_t reported;
	pid_t self = fp_sys_getpid();

	return (fp_fault_configuration.is_mortal() || fp_fault_configuration.is_guest()) &&
	       atomic_exchange(&reported, self) != self;
}

void fp_fault_report_crash(int signal, const siginfo_t *info, void *context)
{
	struct fp_finding finding = {0};
	const struct fp_fault_event *before = fp_fault_event_in_handler(context);

	/* What the handler was called for was told, or is what the process dies of. */
	if ((before != NULL && before->is_claimed) || !is_first())
		return;
	uint32_t held = fp_lock_enter_fault_mode();
	fp_fault_learn_of_crash(context);
	if (before != NULL) {
		gather(&finding, before->signal, before->info, before->context);
		fp_crash_say_handled(&finding, signal);
	} else {
		gather(&finding, signal, info, context);
	}
	if (fp_fault_configuration.is_guest())
		fp_crash_say_guest(&finding);
	fp_fault_configuration.sink(&finding, fp_fault_configuration.sink_user);
	fp_lock_leave_fault_mode(held);
}
