/* SPDX-License-Identifier: Apache-2.0
 *
 * The signal handlers. A fault that is ours is diagnosed and delivered; then, ours or not, it
 * is passed on. To the program every bad access is a SIGSEGV, also where a back end makes the
 * kernel raise SIGBUS; a SIGBUS of the program's own, of a file that became shorter, stays one.
 */
#include <errno.h>
#include <string.h>
#include <ucontext.h>

#include "base/lock.h"
#include "base/messages.h"
#include "base/text.h"
#include "base/thread.h"
#include "fault/diagnose.h"
#include "fault/state.h"
#include "fault/way.h"
#include "fault/words.h"
#include "heap/heap.h"
#include "poison/poison.h"
#include "stack/stack.h"

struct fp_fault_config fp_fault_configuration;

static _Thread_local int depth; /* of our handler on this thread */

/* Not sent by a process, and the kernel knows where it was: not of an address that is not
 * canonical. */
static bool has_address(const siginfo_t *info)
{
	return info->si_code > 0 && info->si_code != SI_KERNEL;
}

/* What a live block has in place of its memory is the program's, and so is what that raises. */
static bool is_of_back_end(const struct fp_fault_event *event)
{
	return event->signal == SIGBUS && event->info->si_code == BUS_ADRERR &&
	       fp_fault_is_sealed((uintptr_t)event->info->si_addr, &fp_fault_heap);
}

/* In the kernel's words for a page that is there and may not be accessed. */
static void retell(struct fp_fault_event *event)
{
	if (!is_of_back_end(event))
		return;
	event->was_bus = true;
	event->signal = SIGSEGV;
	event->info->si_signo = SIGSEGV;
	event->info->si_code = SEGV_ACCERR;
}

/* Whether the fault is a bad access of ours; then FINDING says to what. */
static bool claims(const struct fp_fault_event *event, struct fp_fault_access *access,
                   struct fp_finding *finding)
{
	if (!has_address(event->info))
		return false;
	memset(finding, 0, sizeof(*finding));
	*access = fp_fault_access(event->context, (uintptr_t)event->info->si_addr);
	if (fp_fault_is_sealed(access->address, &fp_fault_heap))
		fp_fault_look_back(event->context, access);
	return fp_fault_diagnose(access, &fp_fault_heap, finding) ||
	       fp_fault_diagnose_poison(access, finding) ||
	       fp_fault_diagnose_region(access, fp_region_find, finding);
}

/* Whether the instruction can be tried again: its page is accessible for the moment. */
static bool report(struct fp_fault_event *event, bool is_known)
{
	struct fp_fault_access access;
	struct fp_finding finding;

	event->is_claimed = claims(event, &access, &finding);
	/* However often it is tried, one access is one finding. */
	if (!event->is_claimed || is_known)
		return false;
	finding.thread = fp_thread_self();
	fp_thread_name(finding.thread_name);
	finding.trace = fp_stack_capture_interrupted(event->context);
	finding.is_exact = true;
	finding.context = event->context;
	if (fp_fault_configuration.goes_on &&
	    fp_fault_step_over(&access, &finding, event->context))
		return true;
	fp_fault_configuration.sink(&finding, fp_fault_configuration.sink_user);
	return false;
}

/* Win32's guard pages: the first access raises the exception and ends the guard. Where nobody
 * handles the exception the access is to fault again, and kill. Whether it was another
 * thread's, and the access can be tried again. HELD: the locks it interrupted us with. */
static bool spend_guard(const struct fp_fault_event *event, uint32_t held)
{
	return held == 0 && has_address(event->info) && fp_fault_is_handled(event) &&
	       fp_region_spend_guard((uintptr_t)event->info->si_addr);
}

/* Whether the heap itself met a page that the program had changed, and it is open now. */
static bool open_touched(int signal, const siginfo_t *info, void *context)
{
	enum fp_touch_fault fault = FP_TOUCH_MISSING;

	if (signal == SIGTRAP || !has_address(info))
		return false;
	if (signal == SIGSEGV)
		fault = info->si_code == SEGV_MAPERR ? FP_TOUCH_UNMAPPED : FP_TOUCH_DENIED;
	switch (fp_heap_open_touched((uintptr_t)info->si_addr, fault)) {
	case FP_TOUCH_OPENED:
		return true;
	case FP_TOUCH_REFUSED:
		fp_fault_set_mask(&((ucontext_t *)context)->uc_sigmask);
		fp_heap_give_up_touching();
	default:
		return false;
	}
}

/* Whether the page is missing from a live block, because the program gave it back: no finding.
 */
static bool mend(int signal, const siginfo_t *info)
{
	if (signal != SIGBUS || info->si_code != BUS_ADRERR || fp_lock_is_in_fault_mode())
		return false;
	int saved_errno = errno;
	uint32_t held = fp_lock_enter_fault_mode();
	bool is_mended = fp_heap_mend((uintptr_t)info->si_addr);
	fp_lock_leave_fault_mode(held);
	errno = saved_errno;
	return is_mended;
}

/* Whether we faulted ourselves, or a callback did while a fault was being reported: no second
 * report, no loop, and nothing is asked of what may be half done. */
static bool is_own(struct fp_fault_event *event)
{
	if (depth > 0) {
		retell(event);
		fp_say(FP_TELL_SECOND_FAULT);
		return true;
	}
	if (!fp_fault_is_own_failure(event))
		return false;
	depth++;
	uint32_t held = fp_lock_enter_fault_mode();
	retell(event);
	fp_fault_say_own_failure(event);
	fp_lock_leave_fault_mode(held);
	return true;
}

/* Whether the instruction can be tried again. */
static bool look_at(struct fp_fault_event *event)
{
	bool is_known = fp_fault_is_passed_back(event) || fp_fault_is_tried_again(event);
	uint32_t held = fp_lock_enter_fault_mode();

	retell(event);
	bool goes_on = spend_guard(event, held);
	if (!goes_on)
		goes_on = report(event, is_known);
	fp_lock_leave_fault_mode(held);
	return goes_on;
}

void fp_fault_handle(int signal, siginfo_t *info, void *context)
{
	struct fp_fault_event event = {
	        .signal = signal,
	        .info = info,
	        .context = context,
	        .frame = (uintptr_t)__builtin_frame_address(0),
	};
	int saved_errno = errno;

	if (fp_stack_recover(context) || open_touched(signal, info, context) ||
	    mend(signal, info) || fp_fault_put_off(&event))
		return;
	if (fp_fault_carry_out(&event)) {
		errno = saved_errno;
		return;
	}
	if (is_own(&event)) {
		fp_fault_die(&event);
		return;
	}
	depth++;
	bool goes_on = look_at(&event);
	/* A step that met a fault of another kind is over. */
	if (!goes_on && fp_fault_is_stepping())
		fp_fault_end_step(context);
	/* The program's handler may not return. */
	depth--;
	errno = saved_errno;
	if (!goes_on)
		fp_fault_pass_on(&event);
}

void fp_fault_handle_trap(int signal, siginfo_t *info, void *context)
{
	const struct fp_fault_event event = {
	        .signal = signal, .info = info, .context = context};
	int saved_errno = errno;

	/* Whatever its si_code: an instruction that accesses memory raises no other trap. */
	if (info->si_code > 0 && fp_fault_is_stepping())
		fp_fault_end_step(context);
	else
		fp_fault_pass_on(&event);
	errno = saved_errno;
}

int fp_fault_start(const struct fp_fault_config *config)
{
	if (config->has_handlers && config->goes_on && !fp_fault_can_step())
		return -ENOTSUP;
	fp_fault_configuration = *config;
	fp_fault_attach_thread();
	return fp_fault_install();
}

/* Apart, for a finding takes more of a stack than a caller may have left. */
__attribute__((noinline)) static uintptr_t report_range(const struct fp_fault_access *wanted,
                                                        size_t length)
{
	struct fp_finding finding = {0};

	if (!fp_fault_diagnose_range(wanted, length, &fp_fault_heap, &finding) &&
	    !fp_fault_diagnose_poison_range(wanted, length, &finding) &&
	    !fp_fault_diagnose_region_range(wanted, length, fp_region_find, &finding))
		return 0;
	finding.trace = fp_stack_capture();
	finding.thread = fp_thread_self();
	fp_thread_name(finding.thread_name);
	fp_fault_configuration.sink(&finding, fp_fault_configuration.sink_user);
	return finding.address;
}

uintptr_t fp_fault_find_bad(uintptr_t address, size_t length, enum fp_access access)
{
	const struct fp_fault_access wanted = {.address = address, .access = access};
	struct fp_block block;

	bool is_whole = fp_heap_find(address, &block) && block.state == FP_BLOCK_LIVE &&
	                fp_fault_is_inside(&block, address) &&
	                length <= block.size - (address - block.address);
	uintptr_t bad = !is_whole || fp_poison_is_used() ? report_range(&wanted, length) : 0;
	if (is_whole && bad == 0)
		fp_heap_mend_range(address, length);
	return bad;
}

bool fp_fault_check_range(uintptr_t address, size_t length, enum fp_access access)
{
	return fp_fault_find_bad(address, length, access) == 0;
}
