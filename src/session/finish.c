/* SPDX-License-Identifier: Apache-2.0
 *
 * The end: what is said once, when the process ends or a report is asked for. It goes into a
 * log of its own, the tail, so that a report can be made at any time and the main log goes on.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/deaths.h"
#include "base/messages.h"
#include "base/meta.h"
#include "base/sys.h"
#include "base/text.h"
#include "base/vm.h"
#include "fault/fault.h"
#include "guard/guard.h"
#include "heap/heap.h"
#include "heap/tier.h"
#include "leak/holders.h"
#include "leak/leak.h"
#include "poison/poison.h"
#include "record/record.h"
#include "region/region.h"
#include "registry/registry.h"
#include "session/session.h"
#include "session/state.h"
#include "stack/stack.h"
#include "timeline/timeline.h"

/* ---- Mappings of the runtime ---------------------------------------------------------------
 *
 * What a report says at the end of the address space that the runtime mapped by itself. Regions
 * are blocks to the search for leaks, and none of its business.
 */

static void log_mappings(struct fp_log *log, const struct fp_region_announced *announced)
{
	char line[256];
	struct fp_text text;

	fp_text_begin(&text, line, sizeof(line));
	fp_text_print(&text, FP_TELL_RUNTIME_MAPPINGS, FP_TEXT_COUNT(announced->acquired),
	              FP_TEXT_COUNT(announced->acquired_bytes), announced->mapped,
	              FP_TEXT_COUNT(announced->mapped_bytes));
	if (announced->unknown > 0)
		fp_text_print(&text, FP_TELL_RUNTIME_RELEASES,
		              FP_TEXT_COUNT(announced->unknown));
	fp_log_note(log, line);
}

static void log_all_mappings(struct fp_log *log)
{
	struct fp_region_announced announced;
	struct fp_region_unguarded unguarded;

	fp_region_announced(&announced);
	if (announced.acquired > 0 || announced.unknown > 0)
		log_mappings(log, &announced);
	if (announced.needs > 0)
		fp_log_tell(log, FP_TELL_RUNTIME_NEEDS, FP_TEXT_COUNT(announced.needs),
		            FP_TEXT_COUNT(announced.granted));
	fp_region_unguarded(&unguarded);
	/* Who runs past such an end meets what stands there, and no guard. */
	if (unguarded.first != 0)
		fp_log_tell(log, FP_TELL_UNGUARDED_ENDS,
		            FP_TEXT_COUNT(unguarded.between + unguarded.others),
		            unguarded.between, unguarded.others,
		            FP_TEXT_COUNT(unguarded.first_bytes), unguarded.first);
}

/* ---- The tail
 * --------------------------------------------------------------------------------
 */

/* A process that ends because it has no memory left, or may have none, is the one whose report
 * is wanted most. */
enum { RESERVE_BYTES = 4 << 20 };

enum { PATIENCE_MS = 600 * 1000, PATIENCE_LOCKED_MS = 3000 };

void fp_session_reserve(void)
{
	fp_meta_set_aside(RESERVE_BYTES);
	fp_session_reserve_findings();
	fp_leak_reserve_for_holders();
}

static void log_protection(struct fp_log *tail, const struct fp_heap_totals *totals)
{
	struct fp_log_reason reasons[FP_REASON_COUNT];
	enum fp_reason chosen =
	        fp_session.options.budget != 0 ? FP_REASON_BUDGET : FP_REASON_SAMPLING;
	uint64_t left = fp_tier_plain_blocks();
	uint64_t plain = left + fp_tier_beside_blocks();
	struct fp_log_protection protection = {
	        .allocations = totals->allocations + plain,
	        .reasons = reasons,
	};
	uint64_t unguarded = 0;

	for (enum fp_reason reason = FP_REASON_NONE + 1; reason < FP_REASON_COUNT; reason++) {
		uint64_t blocks = fp_tier_blocks(reason) + (reason == chosen ? left : 0);

		if (blocks == 0)
			continue;
		reasons[protection.reason_count].text = fp_tier_reason_name(reason);
		reasons[protection.reason_count++].blocks = blocks;
		unguarded += blocks;
	}
	protection.guarded = protection.allocations - unguarded;
	protection.padded = unguarded - plain;
	protection.plain = plain;
	fp_log_protection(tail, &protection);
}

/* Asked for by name, it needs no remedy. */
static bool is_asked_for(enum fp_reason reason)
{
	return fp_tier_remedy(reason) == NULL ||
	       (reason == FP_REASON_BACKEND &&
	        fp_session.options.backend == FP_OPTIONS_BACKEND_NONE);
}

static void log_remedies(struct fp_log *tail)
{
	for (enum fp_reason reason = FP_REASON_NONE + 1; reason < FP_REASON_COUNT; reason++) {
		uint64_t blocks = fp_tier_blocks(reason);

		if (blocks > 0 && !is_asked_for(reason))
			fp_log_tell(tail, FP_TELL_NOT_GUARDED, blocks,
			            blocks == 1 ? " was" : "s were", fp_tier_remedy(reason));
	}
}

static void log_totals(struct fp_log *tail)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	log_protection(tail, &totals);
	struct fp_log_heap heap = {
	        .allocations = totals.allocations,
	        .frees = totals.frees,
	        .live_blocks = totals.live_blocks,
	        .live_bytes = totals.live_bytes,
	        .peak_blocks = totals.peak_blocks,
	        .peak_bytes = totals.peak_bytes,
	};
	fp_session_log_cpus(&heap);
	fp_session_log_heap(tail, &heap);
	log_remedies(tail);
	/* What was refused, and since when. */
	bool is_refused = fp_tier_blocks(FP_REASON_SYSTEM_CALL) > 0 || totals.seal_failures > 0;
	struct fp_vm_refusal refusal;
	for (size_t i = 0; is_refused && fp_vm_refusal(i, &refusal); i++)
		fp_log_tell(tail, FP_TELL_REFUSED_CALL, refusal.call,
		            strerrordesc_np(-refusal.status), refusal.after);
	/* What was lost, and how to get it back. */
	uint64_t calls = fp_stack_lost();
	if (calls > 0)
		fp_log_tell(tail, FP_TELL_STACKS_CUT, FP_TEXT_COUNT(calls));
	/* What align=auto had to give in. */
	if (fp_heap_aligned_sites() > 0)
		fp_log_tell(tail, FP_TELL_ALIGNED_SITES, fp_heap_aligned_sites(),
		            fp_fault_carried_out());
	if (fp_guard_has_lapsed())
		fp_log_note(tail, FP_TELL_MOVE_LOST);
	if (totals.seal_failures > 0)
		fp_log_note(tail, FP_TELL_NOT_SEALED);
	if (fp_session.options.seal_batch > 1)
		fp_log_note(tail, FP_TELL_SEAL_BATCH);
	if (fp_poison_refusals() > 0)
		fp_log_note(tail, FP_TELL_NOT_POISONED);
	if (fp_registry_evictions() > 0)
		fp_log_note(tail, FP_TELL_RECORDS_DROPPED);
}

/* The padding of a million blocks takes a second to verify: not when somebody wants an end. */
static bool is_dying(void)
{
	return atomic_load(&fp_session.own.exit.how) == FP_LOG_EXIT_SIGNAL ||
	       fp_lock_is_in_fault_mode();
}

/* In fault mode a block may be half made, and who holds what is not known. */
static bool may_look(void)
{
	return !is_dying() ||
	       (fp_session_is_finishing_here() && fp_session.own.interrupted != NULL);
}

struct fp_log *fp_session_make_tail(uintptr_t stack, enum fp_session_check kind)
{
	struct fp_log *tail = fp_meta_alloc(sizeof(*tail));

	if (tail == NULL)
		return NULL;
	fp_log_open(tail, true);
	/* Leaks name traces of any module: the main log has those that findings needed. */
	fp_lock_acquire(&fp_session.lock);
	fp_log_modules(fp_session_log());
	fp_lock_release(&fp_session.lock);
	fp_session_log_counts(tail);
	fp_timeline_log(tail, may_look());
	if (may_look())
		atomic_store(&fp_session.own.leaked_blocks,
		             fp_session_log_leaks(tail, stack, kind));
	fp_session_log_refusals(tail);
	fp_session_log_recording(tail);
	log_all_mappings(tail);
	log_totals(tail);
	enum fp_log_exit how = atomic_load(&fp_session.own.exit.how);
	fp_log_own_exit(tail, how, atomic_load(&fp_session.own.exit.value));
	fp_log_end(tail);
	return tail;
}

void fp_session_drop_tail(struct fp_log *tail)
{
	fp_log_discard(tail);
	fp_meta_free(tail, sizeof(*tail));
}

/* Whoever named a file of a report reads it even when nothing was found. */
static bool has_output_file(const struct fp_options *options)
{
	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		if (fp_options_output(options, &fp_options_table[i])[0] != '\0' &&
		    strcmp(fp_options_table[i].key, "log") != 0)
			return true;
	}
	return false;
}

/* A forked child speaks up only when it has something to say of its own. */
static bool is_worth_a_report(void)
{
	const struct fp_options *options = &fp_session.options;

	if (fp_session_finding_count() > 0 || atomic_load(&fp_session.own.leaked_blocks) > 0 ||
	    fp_record_failure() != 0 || fp_session_has_told() ||
	    fp_session_has_check_failed() || fp_timeline_count_growing() > 0)
		return true;
	if (fp_session.is_forked_child)
		return false;
	return !options->quiet || has_output_file(options) || fp_session_is_collected();
}

/* Whether somebody has it who tells it. */
static bool report(struct fp_log *tail)
{
	const struct fp_session_rendering outputs = {.format = NULL};
	const struct fp_session_rendering here = {.format = "text", .fd = STDERR_FILENO};

	fp_lock_acquire(&fp_session.lock);
	int status = fp_session_publish(tail);
	fp_lock_release(&fp_session.lock);
	if (status == 0 && !fp_session_await_watcher())
		status = -ESRCH;
	if (status != 0)
		/* On standard error, though nobody collects it. */
		return !(!fp_session_is_on_its_own() || fp_session_finding_count() > 0 ||
		         atomic_load(&fp_session.own.leaked_blocks) > 0) ||
		       fp_session_render(tail, &outputs) == 0;
	/* What ends a process stands in its own words, too. */
	if (atomic_load(&fp_session.own.exit.how) == FP_LOG_EXIT_SIGNAL &&
	    fp_session_finding_count() > 0 && fp_session_prints_elsewhere())
		fp_session_render(tail, &here);
	return true;
}

/* Most forked children execute a program or end at once: they search for nothing and read no
 * list of modules. */
static bool has_something_to_tell(void)
{
	return !fp_session.is_forked_child || fp_session_has_told() ||
	       fp_session_finding_count() > 0 || fp_session_has_blocks() ||
	       fp_record_failure() != 0 || fp_timeline_count_growing() > 0;
}

/* A child that has not used the heap has nothing to check there: each block that it looks at is
 * a page that it has to be given first, which is most of what a fork and its end cost. */
static bool has_used_heap(void)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	return !fp_session.is_forked_child || totals.last_serial > fp_session.first_serial ||
	       totals.frees > fp_session.first_frees;
}

static void finish(uintptr_t stack, void *unused)
{
	int saved_errno = errno;

	(void)unused;
	if (!fp_session.is_forked_child)
		fp_meta_use_aside();
	fp_record_end(!fp_session.is_forked_child);
	if (!is_dying() && has_used_heap())
		fp_heap_check(FP_TRACE_NONE, FP_TELL_AT_EXIT);
	bool has_told = !has_something_to_tell();
	if (!has_told)
		fp_meta_use_aside();
	struct fp_log *tail =
	        has_told ? NULL : fp_session_make_tail(stack, FP_SESSION_CHECK_LAST);
	if (tail != NULL) {
		has_told = !is_worth_a_report() || report(tail);
		fp_session_drop_tail(tail);
	}
	if (has_told)
		fp_session_withdraw(fp_sys_getpid());
	errno = saved_errno;
}

bool fp_session_is_finishing_here(void)
{
	return atomic_load(&fp_session.own.is_finished) &&
	       !atomic_load(&fp_session.own.is_over) &&
	       atomic_load(&fp_session.own.finisher) == fp_sys_gettid();
}

/* Two threads end the process, or somebody who is impatient does: the end that comes second
 * must not cut the report of the first off. */
static void await_report(void)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	/* The other thread may wait for a lock that this one was interrupted with. */
	long left = fp_lock_is_any_held() || fp_lock_is_in_fault_mode() ? PATIENCE_LOCKED_MS
	                                                                : PATIENCE_MS;

	if (atomic_load(&fp_session.own.finisher) == fp_sys_gettid())
		return;
	for (; left > 0 && !atomic_load(&fp_session.own.is_over); left--)
		fp_sys_sleep(&pause);
}

/* Whether the caller makes the report: the first end counts, and says how. */
static bool claim(void)
{
	pid_t nobody = 0;

	if (!fp_session_is_started())
		return false;
	if (!atomic_compare_exchange_strong(&fp_session.own.finisher, &nobody,
	                                    fp_sys_gettid())) {
		await_report();
		return false;
	}
	return !atomic_exchange(&fp_session.own.is_finished, true);
}

/* Inlined: the search for leaks begins at the frame of whoever was called from outside. */
__attribute__((always_inline)) static inline void finish_claimed(void)
{
	fp_leak_from_here(finish, NULL);
	atomic_store(&fp_session.own.is_over, true);
}

void fp_session_finish(void)
{
	if (claim())
		finish_claimed();
}

static void finish_dying(int signal, const struct fp_leak_interrupted *interrupted)
{
	if (!claim())
		return;
	atomic_store(&fp_session.own.exit.value, signal);
	atomic_store(&fp_session.own.exit.how, FP_LOG_EXIT_SIGNAL);
	fp_session.own.interrupted = interrupted;
	finish_claimed();
	fp_session.own.interrupted = NULL;
}

void fp_session_finish_dying(int signal)
{
	finish_dying(signal, NULL);
}

void fp_session_finish_terminated(int signal, const void *context, bool is_inside)
{
	struct fp_leak_interrupted interrupted;

	if (!is_inside && !fp_death_is_own_doing(signal) && !fp_lock_is_any_held() &&
	    !fp_lock_is_in_fault_mode()) {
		fp_leak_look_at(context, &interrupted);
		finish_dying(signal, &interrupted);
		return;
	}
	uint32_t held = fp_lock_enter_fault_mode();
	finish_dying(signal, NULL);
	fp_lock_leave_fault_mode(held);
}

/* Whether the instruction that raised SIGNAL will raise it again: a core has it as it was. */
static bool comes_again(int signal, const siginfo_t *info)
{
	return (signal == SIGILL || signal == SIGFPE) && info->si_code > 0 &&
	       info->si_code != SI_KERNEL;
}

/* By the default action, and when the handler returns: a core file and a debugger have the
 * program where it was. */
void fp_session_die_of(int signal, siginfo_t *info, void *context, bool is_inside,
                       bool (*is_deferred)(int signal))
{
	const struct sigaction action = {.sa_handler = SIG_DFL};
	bool is_here = fp_session_is_here();

	if (is_here && !fp_death_is_own_doing(signal) &&
	    (fp_session_is_finishing_here() || is_deferred(signal)))
		return;
	/* A child of vfork has our memory and is not us, but what it dies of is found. */
	if (fp_death_is_crash(signal))
		fp_fault_report_crash(signal, info, context);
	if (is_here)
		fp_session_finish_terminated(signal, context, is_inside);
	/* Under seccomp: it would come again for ever. */
	if (fp_sys_sigaction(signal, &action, NULL) != 0)
		fp_sys(SYS_exit_group, FP_SYS_SIGNALLED + signal);
	if (comes_again(signal, info))
		return;
	fp_sys_raise(signal);
	((ucontext_t *)context)->uc_sigmask.__val[0] &= ~(UINT64_C(1) << (signal - 1));
}

size_t fp_session_check_heap(void)
{
	return fp_session_is_started() ? fp_heap_check(fp_stack_capture(), FP_TELL_AT_CHECK)
	                               : 0;
}

struct request {
	struct fp_session_rendering rendering;
	int status;
};

static void write_report(uintptr_t stack, void *user)
{
	struct request *request = user;
	struct fp_log *tail = fp_session_make_tail(stack, FP_SESSION_CHECK_LAST);

	request->status = -ENOMEM;
	if (tail == NULL)
		return;
	request->status = fp_session_render(tail, &request->rendering);
	fp_session_drop_tail(tail);
}

int fp_session_write_report(int fd, const char *format)
{
	struct request request = {.rendering = {.format = format, .fd = fd}};

	if (!fp_session_is_format(format))
		return -EINVAL;
	if (!fp_session_is_started())
		return -ENODEV;
	fp_leak_from_here(write_report, &request);
	return request.status;
}
