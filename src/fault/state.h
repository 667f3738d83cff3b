/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of fault share. Private to the module.
 */
#ifndef FP_FAULT_STATE_H
#define FP_FAULT_STATE_H

#include "fault/access.h"
#include "fault/fault.h"

extern struct fp_fault_config fp_fault_configuration;

/* A signal on its way from the kernel to the program. */
struct fp_fault_event {
	int signal; /* as the program is to see it */
	siginfo_t *info;
	void *context;
	uintptr_t frame; /* of our handler */
	bool was_bus; /* the kernel's was SIGBUS, which a back end chose and not the program */
	bool is_back; /* from the handler that it was passed on to */
	bool is_claimed; /* the access is bad for a reason that a finding has told */
};

/* The handlers: of SIGSEGV and SIGBUS, and of SIGTRAP. */
void fp_fault_handle(int signal, siginfo_t *info, void *context);
void fp_fault_handle_trap(int signal, siginfo_t *info, void *context);

/* This thread, among those of all processes that may have our memory or a copy of it. */
uint64_t fp_fault_identity(void);
bool fp_fault_is_of_other_process(uint64_t identity);

/* ---- actions.c -----------------------------------------------------------------------------
 */

/* Those of our signals that are in MASK, as bits, and the bit of one. */
unsigned fp_fault_signals_in(const sigset_t *mask);
unsigned fp_fault_bit_of(int signal);

/* What the program wants to be done about EVENT; and that it is the default from now on. */
struct sigaction fp_fault_action_of(const struct fp_fault_event *event);
void fp_fault_reset_action(const struct fp_fault_event *event);

/* ---- pass.c --------------------------------------------------------------------------------
 */

/* The program's handler, or the default action. */
void fp_fault_pass_on(const struct fp_fault_event *event);

/* Whether EVENT is no fault but was sent, and waits now because the program has it blocked. */
bool fp_fault_put_off(const struct fp_fault_event *event);

/* Whether the program has a handler that the kernel would call. */
bool fp_fault_is_handled(const struct fp_fault_event *event);

/* The last report; and the instruction kills the process when this handler has returned. */
void fp_fault_die(const struct fp_fault_event *event);

/* Whether a handler of the program runs on this thread, which CONTEXT interrupted. */
bool fp_fault_is_in_handler(const void *context);

/* The event that the program's handler, which CONTEXT interrupted, was called for, or NULL. */
const struct fp_fault_event *fp_fault_event_in_handler(const void *context);

/* Whether the program's handler, which EVENT was passed on to, calls us with it: because it
 * found our handler where its own is now. */
bool fp_fault_is_passed_back(struct fp_fault_event *event);

/* Whether EVENT is the last one once more, whose handler came back and mended nothing. Once. */
bool fp_fault_is_tried_again(const struct fp_fault_event *event);

void fp_fault_set_mask(sigset_t *mask);

/* ---- unaligned.c ---------------------------------------------------------------------------
 */

/* Whether the instruction that EVENT interrupted is carried out when the handler returns. If
 * not, EVENT tells where its operand is bad. */
bool fp_fault_carry_out(struct fp_fault_event *event);

/* The process dies where CONTEXT was interrupted, and may do so for want of alignment: the
 * blocks that it has in its hands get more in later runs. */
void fp_fault_learn_of_crash(const void *context);

/* ---- crash.c -------------------------------------------------------------------------------
 */

/* Whether EVENT came because there was no room left on the thread's stack. */
bool fp_fault_is_stack_full(const struct fp_fault_event *event);

/* ---- own.c ---------------------------------------------------------------------------------
 */

/* Whether our own code faulted, for reasons of its own; and says so. */
bool fp_fault_is_own_failure(const struct fp_fault_event *event);
void fp_fault_say_own_failure(const struct fp_fault_event *event);

/* ---- step.c --------------------------------------------------------------------------------
 */

/*
 * Makes the page of ACCESS accessible for the interrupted instruction, after which FINDING is
 * delivered. False when that cannot be done.
 */
bool fp_fault_step_over(const struct fp_fault_access *access, const struct fp_finding *finding,
                        void *context);

/* Has the interrupted instruction access an aligned copy of OPERAND, of which is kept what it
 * writes. False when that cannot be done. */
bool fp_fault_step_aside(const struct fp_fault_operand *operand, void *context);

/* Whether the calling thread is between a step and its end. */
bool fp_fault_is_stepping(void);

/* Ends the calling thread's step: what was written is noted, the pages are sealed, the findings
 * delivered, and CONTEXT is as it was. */
void fp_fault_end_step(void *context);

#endif
