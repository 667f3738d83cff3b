/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a thread has run off its blocks. Data of the caller's, and nothing else.
 *
 * Context: fault. Private to the module.
 */
#ifndef FP_FAULT_RUN_H
#define FP_FAULT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FP_FAULT_RUNS = 4 };

/* All zeros at first. */
struct fp_fault_runs {
	uint64_t now;
	struct fp_fault_run {
		uintptr_t last; /* 0: none */
		uintptr_t low;  /* page numbers */
		uintptr_t high;
		uint64_t used_at;
		unsigned pages; /* that it came to after the first one */
	} run[FP_FAULT_RUNS];
};

/* The pages that the accesses which led to ADDRESS came to, without the first one. */
unsigned fp_fault_note_run(struct fp_fault_runs *runs, uintptr_t address);

#endif
