/* SPDX-License-Identifier: Apache-2.0
 *
 * The signal handlers. A fault that is ours is diagnosed and delivered; then, ours or not, it
 * goes on to the handler the program had, as the kernel would have called it, or kills the
 * process by happening again under the default action: cores, debuggers and parents see what
 * they would have seen.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/text.h"
#include "base/thread.h"
#include "fault/diagnose.h"
#include "fault/state.h"
#include "heap/heap.h"
#include "stack/stack.h"

/* glibc's own name for sigaction(2), which no preloaded library replaces. */
extern int __sigaction(int signal, const struct sigaction *action, struct sigaction *old);

enum { SIGNALS = 3 };

static const int signals[SIGNALS] = {SIGSEGV, SIGBUS, SIGTRAP};
static struct sigaction of_program[SIGNALS];
static bool is_installed[SIGNALS];

struct fp_fault_config fp_fault_configuration;

static bool is_never_blocked;

static _Thread_local int depth; /* of our handler on this thread */

/* The program's handler that runs on this thread. */
static _Thread_local struct {
	uintptr_t frame;  /* what called it */
	unsigned blocked; /* those of our signals that the kernel would have blocked, as bits */
} in_program;

static _Atomic uint32_t dying_thread;

int fp_fault_sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	return __sigaction(signal, action, old) == 0 ? 0 : -errno;
}

static int index_of(int signal)
{
	for (int i = 0; i < SIGNALS; i++)
		if (signals[i] == signal)
			return i;
	return -1;
}

/* Sent by a process: nothing will raise it again, and it can be ignored. */
static bool is_sent(const siginfo_t *info)
{
	return info->si_code <= 0;
}

/* Whether the fault is a bad access of ours; then FINDING describes it. */
static bool claims(const siginfo_t *info, void *context, struct fp_fault_access *access,
                   struct fp_finding *finding)
{
	/* SI_KERNEL: no address is known (a non-canonical one). */
	if (is_sent(info) || info->si_code == SI_KERNEL)
		return false;
	memset(finding, 0, sizeof(*finding));
	*access = fp_fault_access(context, (uintptr_t)info->si_addr);
	if (!fp_fault_diagnose(access, &fp_fault_heap, finding) &&
	    !fp_fault_diagnose_region(access, fp_region_find, finding))
		return false;
	finding->thread = fp_thread_self();
	fp_thread_name(finding->thread_name);
	finding->trace = fp_stack_capture_interrupted(context);
	finding->is_trace_exact = true;
	return true;
}

/* The default action, at the next try of the instruction. One thread makes the report, which
 * the others wait for: the process is to die of one signal, with everything said. */
static void die(int signal)
{
	const struct sigaction action = {.sa_handler = SIG_DFL};
	const struct timespec pause = {.tv_nsec = 10000000};
	uint32_t none = 0;

	if (!atomic_compare_exchange_strong(&dying_thread, &none, fp_thread_self()) &&
	    none != fp_thread_self())
		while (true)
			nanosleep(&pause, NULL);
	/* Threads that fault at this moment get the time to deliver theirs. */
	nanosleep(&pause, NULL);
	uint32_t held = fp_lock_enter_fault_mode();
	fp_fault_configuration.dying(signal);
	fp_lock_leave_fault_mode(held);
	fp_fault_sigaction(signal, &action, NULL);
}

/* Those of our signals that are in MASK, as bits. */
static unsigned ours_in(const sigset_t *mask)
{
	unsigned bits = 0;

	for (int i = 0; i < SIGNALS; i++)
		bits |= (unsigned)(sigismember(mask, signals[i]) == 1) << i;
	return bits;
}

/* Not by sigprocmask, in whose place a door may stand. */
static void set_mask(sigset_t *mask)
{
	enum { KERNEL_SIGSET_BYTES = 8 };

	for (int i = 0; is_never_blocked && i < SIGNALS; i++)
		if (signals[i] != SIGTRAP)
			sigdelset(mask, signals[i]);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, KERNEL_SIGSET_BYTES);
}

/* As the kernel would: with the mask, the flags and the arguments the program asked for. */
static void call_program(struct sigaction *action, int signal, siginfo_t *info, void *context)
{
	struct sigaction called = *action;
	sigset_t mask = ((ucontext_t *)context)->uc_sigmask;
	typeof(in_program) before = in_program;

	for (int number = 1; number < NSIG; number++)
		if (sigismember(&called.sa_mask, number) == 1)
			sigaddset(&mask, number);
	if ((called.sa_flags & SA_NODEFER) == 0)
		sigaddset(&mask, signal);
	if ((called.sa_flags & SA_RESETHAND) != 0)
		action->sa_handler = SIG_DFL;
	in_program.blocked = ours_in(&mask);
	in_program.frame = (uintptr_t)__builtin_frame_address(0);
	set_mask(&mask);
	if ((called.sa_flags & SA_SIGINFO) != 0)
		called.sa_sigaction(signal, info, context);
	else
		called.sa_handler(signal);
	in_program = before;
}

/* Whether the fault came in a handler of the program during which the kernel would have had the
 * signal blocked, and would kill. A handler that was left by a jump has left our stack: there,
 * we begin at the top again. */
static bool is_fault_of_handler(int signal, const void *context)
{
	const stack_t *stack = &((const ucontext_t *)context)->uc_stack;
	uintptr_t start = (uintptr_t)stack->ss_sp;

	/* SIGNAL is one that we handle.
	 * NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
	return is_never_blocked && (in_program.blocked & 1U << index_of(signal)) != 0 &&
	       in_program.frame - start < stack->ss_size &&
	       (uintptr_t)context - start < in_program.frame - start;
}

static bool is_handled(int signal, const void *context)
{
	const struct sigaction *action = &of_program[index_of(signal)];

	return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN &&
	       !is_fault_of_handler(signal, context);
}

static void pass_on(int signal, siginfo_t *info, void *context)
{
	struct sigaction *action = &of_program[index_of(signal)];

	if (is_handled(signal, context)) {
		call_program(action, signal, info, context);
		return;
	}
	if (action->sa_handler == SIG_IGN && is_sent(info))
		return;
	/* A fault that is ignored kills like one that is not handled. */
	die(signal);
	if (is_sent(info) || signal == SIGTRAP)
		raise(signal);
}

/* Whether the instruction can be tried again: its page is accessible for the moment. */
static bool report(const siginfo_t *info, void *context)
{
	struct fp_fault_access access;
	struct fp_finding finding;
	uint32_t held = fp_lock_enter_fault_mode();
	bool is_ours = claims(info, context, &access, &finding);
	bool goes_on = is_ours && fp_fault_configuration.goes_on &&
	               fp_fault_step_over(&access, &finding, context);

	if (is_ours && !goes_on)
		fp_fault_configuration.sink(&finding, fp_fault_configuration.sink_user);
	fp_lock_leave_fault_mode(held);
	return goes_on;
}

/* Win32's guard pages: the first access raises the exception and ends the guard. Where nobody
 * handles the exception the access is to fault again, and kill. Whether it was another
 * thread's, and the access can be tried again. */
static bool spend_guard(int signal, const siginfo_t *info, const void *context)
{
	uint32_t held = fp_lock_enter_fault_mode();

	fp_lock_leave_fault_mode(held);
	return held == 0 && !is_sent(info) && info->si_code != SI_KERNEL &&
	       is_handled(signal, context) && fp_region_spend_guard((uintptr_t)info->si_addr);
}

/* Whether the heap itself met a page that the program had protected, and it is open now. */
static bool open_touched(int signal, const siginfo_t *info, void *context)
{
	if (signal != SIGSEGV || info->si_code != SEGV_ACCERR)
		return false;
	switch (fp_heap_open_touched((uintptr_t)info->si_addr)) {
	case FP_TOUCH_OPENED:
		return true;
	case FP_TOUCH_REFUSED:
		set_mask(&((ucontext_t *)context)->uc_sigmask);
		fp_heap_give_up_touching();
	default:
		return false;
	}
}

static void handle_fault(int signal, siginfo_t *info, void *context)
{
	int saved_errno = errno;

	if (open_touched(signal, info, context))
		return;
	if (depth > 0) {
		/* We faulted ourselves, or a callback did: no second report, no loop. */
		fp_say("a fault came while another one was being reported", "");
		die(signal);
		return;
	}
	depth++;
	bool goes_on = spend_guard(signal, info, context) || report(info, context);
	/* A step that met a fault of another kind is over. */
	if (!goes_on && fp_fault_is_stepping())
		fp_fault_end_step(context);
	/* The program's handler may not return. */
	depth--;
	errno = saved_errno;
	if (!goes_on)
		pass_on(signal, info, context);
}

static void handle_trap(int signal, siginfo_t *info, void *context)
{
	int saved_errno = errno;

	/* Whatever its si_code: an instruction that accesses memory raises no other trap. */
	if (!is_sent(info) && fp_fault_is_stepping())
		fp_fault_end_step(context);
	else
		pass_on(signal, info, context);
	errno = saved_errno;
}

static int install(int i)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	struct sigaction old;

	/* Asynchronous signals wait: their handlers must not run on our stack. */
	sigfillset(&action.sa_mask);
	for (int j = 0; j < SIGNALS; j++)
		sigdelset(&action.sa_mask, signals[j]);
	action.sa_sigaction = signals[i] == SIGTRAP ? handle_trap : handle_fault;
	int status = fp_fault_sigaction(signals[i], &action, &old);
	if (status != 0)
		return status;
	if (old.sa_sigaction != action.sa_sigaction)
		of_program[i] = old;
	is_installed[i] = true;
	return 0;
}

int fp_fault_install(void)
{
	int status = 0;

	if (!fp_fault_configuration.has_handlers)
		return 0;
	for (int i = 0; i < SIGNALS && status == 0; i++)
		if (signals[i] != SIGTRAP || fp_fault_configuration.goes_on)
			status = install(i);
	return status;
}

int fp_fault_start(const struct fp_fault_config *config)
{
	if (config->has_handlers && config->goes_on && !fp_fault_can_step())
		return -ENOTSUP;
	fp_fault_configuration = *config;
	fp_fault_attach_thread();
	return fp_fault_install();
}

void fp_fault_never_block(void)
{
	is_never_blocked = true;
}

bool fp_fault_exchange_action(int signal, const struct sigaction *action, struct sigaction *old)
{
	int i = index_of(signal);

	if (i < 0 || !is_installed[i])
		return false;
	struct sigaction before = of_program[i];
	if (action != NULL)
		of_program[i] = *action;
	if (old != NULL)
		*old = before;
	return true;
}

bool fp_fault_check_range(uintptr_t address, size_t length, enum fp_access access)
{
	const struct fp_fault_access wanted = {.address = address, .access = access};
	struct fp_finding finding = {0};

	if (!fp_fault_diagnose_range(&wanted, length, &fp_fault_heap, &finding) &&
	    !fp_fault_diagnose_region_range(&wanted, length, fp_region_find, &finding))
		return true;
	finding.trace = fp_stack_capture();
	finding.thread = fp_thread_self();
	fp_thread_name(finding.thread_name);
	fp_fault_configuration.sink(&finding, fp_fault_configuration.sink_user);
	return false;
}
