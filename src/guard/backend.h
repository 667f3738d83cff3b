/* SPDX-License-Identifier: Apache-2.0
 *
 * What a way of protecting pages has to provide. Each back end is one file and one table; all
 * are always compiled, and the running kernel is asked, never the build host's headers.
 *
 * The contract they share: a byte of an opened range faults unless it is in a slot that was
 * unsealed and not sealed since. Ranges are whole pages of a chunk. Functions return 0 or a
 * negative errno and change nothing when they fail.
 *
 * Context: alloc, except probe, which is report.
 */
#ifndef FP_GUARD_BACKEND_H
#define FP_GUARD_BACKEND_H

#include <stddef.h>
#include <stdint.h>

struct fp_backend {
	const char *name;
	const char *needs; /* what a machine must have: completes "it needs ..." */

	/* Does to a scratch mapping all that the other functions do and looks at the result. */
	int (*probe)(void);

	/* RANGE is reserved (PROT_NONE) and comes into use, sealed, with protection PROT once
	 * unsealed. */
	int (*open)(uintptr_t base, size_t bytes, int prot);

	/* A slot that was never used becomes accessible. */
	int (*unseal)(uintptr_t base, size_t bytes, int prot);

	/* A slot becomes inaccessible for ever and its memory goes back to the system. */
	int (*seal)(uintptr_t base, size_t bytes);
};

extern const struct fp_backend fp_backend_guard;
extern const struct fp_backend fp_backend_mprotect;
extern const struct fp_backend fp_backend_none;

/* A huge page would make one touched slot resident with all its neighbours. Kernels without
 * huge pages refuse the advice, which is as good. */
void fp_backend_refuse_huge_pages(uintptr_t base, size_t bytes);

/* For the probes of back ends: opens, unseals, writes and seals a scratch range and checks
 * after each step, through a system call and not a fault, that exactly the slot is accessible.
 */
int fp_backend_exercise(const struct fp_backend *backend);

#endif
