/* SPDX-License-Identifier: Apache-2.0
 *
 * A fault on its way to the program: its handler is called as the kernel would have called it,
 * or the process dies by the fault, happening again under the default action. Cores, debuggers
 * and parents see what they would have seen.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/align.h"
#include "base/lock.h"
#include "base/sys.h"
#include "base/thread.h"
#include "base/vm.h"
#include "fault/state.h"
#include "guard/guard.h"
#include "stack/stack.h"

static bool is_never_blocked;
static bool (*is_blocked_by_program)(int signal, const sigset_t *mask);

/* The program's handler that runs on this thread. */
static _Thread_local struct {
	uintptr_t frame; /* what called it */
	void (*handler)(int, siginfo_t *, void *);
	const void *context;
	const struct fp_fault_event *event;
	unsigned blocked; /* those of our signals that the kernel would have blocked, as bits */
	bool was_bus;
} in_program;

/* The fault whose handler came back and wants the same instruction tried again. */
static _Thread_local struct {
	uintptr_t instruction;
	const void *address;
} returned;

/* What a handler of the program was last called for, if it has not come back: some leave our
 * stack, on which the event is, and go on where the fault was. */
static struct {
	_Atomic uint64_t owner; /* its thread; nobody: 0; BUSY while it is written, and read */
	struct fp_fault_event event;
	siginfo_t info;
	ucontext_t context;
} last;

enum { BUSY = 1, BESIDE = 16 << 10 };

static _Atomic uint64_t dying; /* the thread that makes the last report */

void fp_fault_never_block(bool (*is_blocked)(int signal, const sigset_t *mask))
{
	is_never_blocked = true;
	is_blocked_by_program = is_blocked;
}

uint64_t fp_fault_identity(void)
{
	return (uint64_t)fp_sys_getpid() << 32 | fp_thread_self();
}

bool fp_fault_is_of_other_process(uint64_t identity)
{
	return identity >> 32 != (uint64_t)fp_sys_getpid();
}

/* Not by sigprocmask, in whose place a door may stand. */
void fp_fault_set_mask(sigset_t *mask)
{
	if (is_never_blocked) {
		sigdelset(mask, SIGSEGV);
		sigdelset(mask, SIGBUS);
	}
	fp_sys_sigmask(SIG_SETMASK, mask, NULL);
}

/* ---- The default action --------------------------------------------------------------------
 */

/* Whether this thread makes the last report, which other threads wait for: the process is to
 * die of one signal, with everything said. False when it was about to already. Another process
 * that had our memory (vfork), or whose copy of it we are (fork), is none of us. */
static bool become_dying(void)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	uint64_t self = fp_fault_identity();
	uint64_t seen = 0;

	while (!atomic_compare_exchange_strong(&dying, &seen, self)) {
		if (seen == self)
			return false;
		while (!fp_fault_is_of_other_process(seen))
			fp_sys_sleep(&pause);
	}
	/* Threads that fault at this moment get the time to deliver theirs. */
	fp_sys_sleep(&pause);
	return true;
}

/* For a page that cannot be made to fault with SIGSEGV. */
static void send(const struct fp_fault_event *event)
{
	uint64_t bit = UINT64_C(1) << (event->signal - 1);

	fp_sys(SYS_rt_tgsigqueueinfo, fp_sys_getpid(), fp_sys_gettid(), event->signal,
	       event->info);
	fp_sys_sigmask(SIG_UNBLOCK, &bit, NULL);
}

/* At the next try of the instruction. */
void fp_fault_die(const struct fp_fault_event *event)
{
	const struct sigaction action = {.sa_handler = SIG_DFL};
	uintptr_t page = fp_align_down((uintptr_t)event->info->si_addr, fp_vm_page_size());

	if (become_dying()) {
		uint32_t held = fp_lock_enter_fault_mode();

		fp_fault_configuration.dying(event->signal);
		fp_lock_leave_fault_mode(held);
	}
	bool is_to_send = event->was_bus && fp_guard_deny(page) != 0;
	/* Under seccomp the call may be one that ends it; without the
	 * default action it would happen for ever. */
	if (fp_sys_sigaction(event->signal, &action, NULL) != 0)
		fp_sys(SYS_exit_group, FP_SYS_SIGNALLED + event->signal);
	if (is_to_send)
		send(event);
}

/* ---- The program's handler -----------------------------------------------------------------
 */

static void keep(const struct fp_fault_event *event)
{
	if (atomic_exchange(&last.owner, BUSY) == BUSY)
		return;
	last.info = *event->info;
	last.context = *(const ucontext_t *)event->context;
	last.event = *event;
	last.event.info = &last.info;
	last.event.context = &last.context;
	atomic_store(&last.owner, fp_fault_identity());
}

static void forget(void)
{
	uint64_t self = fp_fault_identity();

	atomic_compare_exchange_strong(&last.owner, &self, 0);
}

/* The process dies of it: nobody else gets it then. */
static const struct fp_fault_event *find_kept(const void *context)
{
	uint64_t self = fp_fault_identity();

	if (!atomic_compare_exchange_strong(&last.owner, &self, BUSY))
		return NULL;
	if (fp_stack_is_above(context, fp_fault_instruction(&last.context),
	                      fp_fault_stack(&last.context)))
		return &last.event;
	atomic_store(&last.owner, self);
	return NULL;
}

/* As the kernel would: with the mask, the flags and the arguments the program asked for. */
static void call_handler(const struct fp_fault_event *event, const struct sigaction *action)
{
	sigset_t mask = ((ucontext_t *)event->context)->uc_sigmask;
	typeof(in_program) before = in_program;

	for (int number = 1; number < NSIG; number++)
		if (sigismember(&action->sa_mask, number) == 1)
			sigaddset(&mask, number);
	if ((action->sa_flags & SA_NODEFER) == 0)
		sigaddset(&mask, event->signal);
	if ((action->sa_flags & (int)SA_RESETHAND) != 0)
		fp_fault_reset_action(event);
	in_program.handler = action->sa_sigaction;
	in_program.blocked = fp_fault_signals_in(&mask);
	in_program.context = event->context;
	in_program.event = event;
	in_program.was_bus = event->was_bus;
	in_program.frame = (uintptr_t)__builtin_frame_address(0);
	keep(event);
	fp_fault_set_mask(&mask);
	if ((action->sa_flags & SA_SIGINFO) != 0)
		action->sa_sigaction(event->signal, event->info, event->context);
	else
		action->sa_handler(event->signal);
	forget();
	in_program = before;
}

/* A handler that comes back and changed no register wants the same access tried again: it put
 * something else in its own place, most often the default action. */
static void call_program(const struct fp_fault_event *event, const struct sigaction *action)
{
	const ucontext_t *context = event->context;
	const mcontext_t before = context->uc_mcontext;
	const void *address = event->info->si_addr;

	call_handler(event, action);
	if (memcmp(&before, &context->uc_mcontext, sizeof(before)) != 0)
		return;
	returned.instruction = fp_fault_instruction(context);
	returned.address = address;
}

bool fp_fault_is_in_handler(const void *context)
{
	const stack_t *stack = &((const ucontext_t *)context)->uc_stack;
	uintptr_t start = (uintptr_t)stack->ss_sp;

	/* A handler that was left by a jump has left our stack: there, we begin at the top
	 * again. */
	return in_program.frame - start < stack->ss_size &&
	       (uintptr_t)context - start < in_program.frame - start;
}

const struct fp_fault_event *fp_fault_event_in_handler(const void *context)
{
	return in_program.event != NULL && fp_fault_is_in_handler(context) ? in_program.event
	                                                                   : find_kept(context);
}

bool fp_fault_is_passed_back(struct fp_fault_event *event)
{
	/* One that was left by a jump was as deep on the stack as this one's would be, which
	 * the kernel puts beside the context. */
	if (in_program.context != event->context ||
	    (event->frame >= in_program.frame &&
	     (uintptr_t)event->context - event->frame < BESIDE))
		return false;
	event->was_bus = in_program.was_bus;
	event->is_back = true;
	return true;
}

/* The kernel kills whoever raises a signal that is blocked, without asking a handler. */
static bool is_blocked(const struct fp_fault_event *event)
{
	const sigset_t *mask = &((const ucontext_t *)event->context)->uc_sigmask;

	if (event->info->si_code <= 0)
		return false;
	if (event->was_bus && sigismember(mask, event->signal) == 1)
		return true;
	if (!is_never_blocked)
		return false;
	if (fp_fault_is_in_handler(event->context))
		return (in_program.blocked & fp_fault_bit_of(event->signal)) != 0;
	return is_blocked_by_program(event->signal, mask);
}

static bool is_called(const struct fp_fault_event *event, const struct sigaction *action)
{
	return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN &&
	       !is_blocked(event);
}

bool fp_fault_is_handled(const struct fp_fault_event *event)
{
	const struct sigaction action = fp_fault_action_of(event);

	return is_called(event, &action);
}

bool fp_fault_is_tried_again(const struct fp_fault_event *event)
{
	bool is_again = returned.instruction == fp_fault_instruction(event->context) &&
	                returned.address == event->info->si_addr && returned.instruction != 0;

	returned.instruction = 0;
	return is_again;
}

/* To the thread that it was sent to, or to the process. Of the kernel's own codes only the
 * first thread may write one that a process gets. */
static void send_again(const struct fp_fault_event *event)
{
	pid_t pid = fp_sys_getpid();

	if (event->info->si_code == SI_TKILL) {
		fp_sys(SYS_rt_tgsigqueueinfo, pid, fp_sys_gettid(), event->signal, event->info);
		return;
	}
	if (fp_sys(SYS_rt_sigqueueinfo, pid, event->signal, event->info) != -EPERM)
		return;
	if (event->info->si_pid == pid) {
		fp_sys(SYS_kill, pid, event->signal);
		return;
	}
	event->info->si_code = SI_QUEUE;
	fp_sys(SYS_rt_sigqueueinfo, pid, event->signal, event->info);
}

/*
 * Whether the signal was sent by a process while the program has it blocked: it waits for a
 * sigwait(3), a signalfd(2) or for the program to unblock it. From here on it is really blocked
 * on this thread, so that a fault in between kills without a word; whoever is directed to the
 * whole process may go to another thread.
 */
bool fp_fault_put_off(const struct fp_fault_event *event)
{
	sigset_t *mask = &((ucontext_t *)event->context)->uc_sigmask;
	uint64_t bit = UINT64_C(1) << (event->signal - 1);

	if (event->info->si_code > 0 || !is_never_blocked ||
	    fp_fault_is_in_handler(event->context) ||
	    !is_blocked_by_program(event->signal, mask))
		return false;
	fp_sys_sigmask(SIG_BLOCK, &bit, NULL);
	sigaddset(mask, event->signal);
	send_again(event);
	return true;
}

void fp_fault_pass_on(const struct fp_fault_event *event)
{
	const struct sigaction action = fp_fault_action_of(event);
	bool is_sent = event->info->si_code <= 0;
	/* Who took our place, and gives what is not its own to whom it found there. */
	bool was_called = event->is_back && in_program.handler == action.sa_sigaction;

	if (!was_called && is_called(event, &action)) {
		call_program(event, &action);
		return;
	}
	if (action.sa_handler == SIG_IGN && is_sent)
		return;
	if (!event->is_claimed)
		fp_fault_report_crash(event->signal, event->info, event->context);
	/* A fault that is ignored kills like one that is not handled. */
	fp_fault_die(event);
	if (is_sent || event->signal == SIGTRAP)
		fp_sys_raise(event->signal);
}
