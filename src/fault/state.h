/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of fault share. Private to the module.
 */
#ifndef FP_FAULT_STATE_H
#define FP_FAULT_STATE_H

#include "fault/access.h"
#include "fault/fault.h"

extern struct fp_fault_config fp_fault_configuration;

/* sigaction(2) past anybody who stands in between. 0 or a negative errno. */
int fp_fault_sigaction(int signal, const struct sigaction *action, struct sigaction *old);

/*
 * Makes the page of ACCESS accessible for the interrupted instruction, after which FINDING is
 * delivered. False when that cannot be done.
 */
bool fp_fault_step_over(const struct fp_fault_access *access, const struct fp_finding *finding,
                        void *context);

/* Whether the calling thread is between a step and its end. */
bool fp_fault_is_stepping(void);

/* Ends the calling thread's step: what was written is noted, the pages are sealed, the findings
 * delivered, and CONTEXT is as it was. */
void fp_fault_end_step(void *context);

#endif
