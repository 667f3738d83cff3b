/* SPDX-License-Identifier: Apache-2.0
 *
 * Touching memory that may fault, in a victim. One thread at a time.
 */
#ifndef TESTS_E2E_FAULTS_H
#define TESTS_E2E_FAULTS_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

static sigjmp_buf victim_escape;

static void victim_leap(int number)
{
	(void)number;
	siglongjmp(victim_escape, 1);
}

/* Whether a read of the byte dies of SIGSEGV or SIGBUS. */
static inline bool victim_read_faults(const volatile char *address)
{
	struct sigaction leap = {.sa_handler = victim_leap};
	struct sigaction old[2];
	volatile bool is_fault = true;

	sigaction(SIGSEGV, &leap, &old[0]);
	sigaction(SIGBUS, &leap, &old[1]);
	if (sigsetjmp(victim_escape, 1) == 0) {
		(void)*address;
		is_fault = false;
	}
	sigaction(SIGSEGV, &old[0], NULL);
	sigaction(SIGBUS, &old[1], NULL);
	return is_fault;
}

#endif
