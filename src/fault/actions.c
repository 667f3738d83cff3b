/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose action of a fault's signal counts: ours stands in the kernel, the program's is kept
 * here. A library that hides nothing may find another one in its place in the kernel.
 */
#include <errno.h>
#include <string.h>

#include "base/sys.h"
#include "fault/state.h"

enum { SIGNALS = 3 };

static const int signals[SIGNALS] = {SIGSEGV, SIGBUS, SIGTRAP};
static struct sigaction of_program[SIGNALS];
static bool is_installed[SIGNALS];

static int index_of(int signal)
{
	for (int i = 0; i < SIGNALS; i++)
		if (signals[i] == signal)
			return i;
	return -1;
}

unsigned fp_fault_signals_in(const sigset_t *mask)
{
	unsigned bits = 0;

	for (int i = 0; i < SIGNALS; i++)
		bits |= (unsigned)(sigismember(mask, signals[i]) == 1) << i;
	return bits;
}

unsigned fp_fault_bit_of(int signal)
{
	/* SIGNAL is one that we handle.
	 * NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
	return 1U << index_of(signal);
}

/* What the kernel has for SIGNAL, where that is not ours. */
static bool is_displaced(int signal, struct sigaction *now)
{
	return fp_sys_sigaction(signal, NULL, now) == 0 && now->sa_sigaction != fp_fault_handle;
}

/*
 * Whether somebody who took our place is to be called for EVENT. It is told to the program as
 * another signal than the kernel's, so we are the first to know of it. Who was called in our
 * place for the kernel's signal, and passes it on to us, has gone through those that took our
 * place.
 */
static bool has_other(const struct fp_fault_event *event, struct sigaction *other)
{
	return event->was_bus && !event->is_back && !is_displaced(SIGBUS, other) &&
	       is_displaced(event->signal, other);
}

struct sigaction fp_fault_action_of(const struct fp_fault_event *event)
{
	struct sigaction other;

	return has_other(event, &other) ? other : of_program[index_of(event->signal)];
}

void fp_fault_reset_action(const struct fp_fault_event *event)
{
	const struct sigaction by_default = {.sa_handler = SIG_DFL};
	struct sigaction other;

	if (has_other(event, &other))
		fp_sys_sigaction(event->signal, &by_default, NULL);
	else
		of_program[index_of(event->signal)].sa_handler = SIG_DFL;
}

static int install(int i)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	struct sigaction old;

	/* Asynchronous signals wait: their handlers must not run on our stack. */
	sigfillset(&action.sa_mask);
	for (int j = 0; j < SIGNALS; j++)
		sigdelset(&action.sa_mask, signals[j]);
	action.sa_sigaction = signals[i] == SIGTRAP ? fp_fault_handle_trap : fp_fault_handle;
	int status = fp_sys_sigaction(signals[i], &action, &old);
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
		if (signals[i] != SIGTRAP || fp_fault_configuration.goes_on ||
		    fp_fault_configuration.carries_out)
			status = install(i);
	return status;
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

unsigned fp_fault_show_ignored(void)
{
	static const struct sigaction ignored = {.sa_handler = SIG_IGN};
	unsigned shown = 0;

	for (int i = 0; i < SIGNALS; i++)
		if (is_installed[i] && of_program[i].sa_handler == SIG_IGN &&
		    fp_sys_sigaction(signals[i], &ignored, NULL) == 0)
			shown |= 1U << i;
	return shown;
}

void fp_fault_hide_ignored(unsigned shown)
{
	for (int i = 0; i < SIGNALS; i++)
		if ((shown & 1U << i) != 0)
			install(i);
}
