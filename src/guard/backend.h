/* SPDX-License-Identifier: Apache-2.0
 *
 * What a way of protecting pages has to provide. Each back end is one file and one table; all
 * are always compiled, and the running kernel is asked, never the build host's headers.
 *
 * The contract they share: a byte of an opened range faults unless it is in a slot that was
 * unsealed and not sealed since. Ranges are whole pages of a chunk. Functions return 0 or a
 * negative errno and change nothing when they fail; -ESTALE says that the back end has lost its
 * hold on all ranges (fork, closed descriptors) and works again once it is renewed.
 *
 * Context: alloc, except probe, which is report.
 */
#ifndef FP_GUARD_BACKEND_H
#define FP_GUARD_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct fp_backend {
	const char *name;
	const char *needs; /* what a machine must have: completes "it needs ..." */

	/* Larger slots are left to another back end; 0: none is too large. */
	size_t slot_bytes_max;

	/* Uses system calls that a seccomp filter may answer with a signal. */
	bool is_uncommon;

	/* Opening costs the same for any number of bytes. */
	bool opens_widely;

	/* Does to a scratch mapping all that the other functions do and looks at the result. On
	 * success the back end is ready for use. */
	int (*probe)(void);

	/* The range is reserved (PROT_NONE) and comes into use, sealed; PROT is what its slots
	 * get once unsealed. */
	int (*open)(uintptr_t base, size_t bytes, int prot);

	/* A slot that was never used becomes accessible, its content as .fills says. */
	int (*unseal)(uintptr_t base, size_t bytes, int prot);

	/* A slot becomes inaccessible for ever and its memory goes back to the system. */
	int (*seal)(uintptr_t base, size_t bytes);

	/* Optional. The same for several slots, which costs the interrupt to other processors
	 * only once. After a failure any of them may or may not be sealed. */
	int (*seal_many)(const struct iovec *slots, size_t count);

	/* Optional. Seals slot FROM and unseals slot TO, never used before, in one step: the
	 * memory moves from one to the other with its content. */
	int (*recycle)(uintptr_t from, uintptr_t to, size_t bytes);

	/* Unsealed slots are filled with the byte of fp_backend_set_fill; otherwise zeros. */
	bool fills;

	/* Optional. Makes the back end work again after -ESTALE; then it has to hold all ranges
	 * in use again. */
	int (*renew)(void);

	/* Optional, with renew. An opened range comes into the back end's hold again, with what
	 * is there and who may access it as it is. What somebody else mapped there may refuse
	 * that: then nothing changes. */
	int (*hold)(uintptr_t base, size_t bytes);

	/* Optional. A page of an unsealed slot is missing, because the program gave it back
	 * (MADV_DONTNEED): it becomes zeros, as it would be without us. 0, too, when there is
	 * one by now. */
	int (*mend)(uintptr_t page);
};

extern const struct fp_backend fp_backend_move;
extern const struct fp_backend fp_backend_guard;
extern const struct fp_backend fp_backend_mprotect;
extern const struct fp_backend fp_backend_none;

/* The byte that back ends which fill unsealed slots use. Before the first slot. */
void fp_backend_move_set_fill(unsigned char fill);

/* A huge page would make one touched slot resident with all its neighbours. Kernels without
 * huge pages refuse the advice, which is as good. */
void fp_backend_refuse_huge_pages(uintptr_t base, size_t bytes);

/* As .probe, and the process survives it whatever filters it is under. Context: report. */
int fp_backend_probe(const struct fp_backend *backend);

/* For the probes of back ends: opens, unseals, writes, recycles and seals in a scratch range
 * and checks after each step, through a system call and not a fault, that exactly the slot in
 * use is accessible. */
int fp_backend_exercise(const struct fp_backend *backend);

#endif
