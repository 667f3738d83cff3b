/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory system calls. This is the only place, with the back ends of guard, that makes
 * them, so that a test can make each one fail.
 *
 * Context: alloc and fault. Functions return 0 or a negative errno; errno itself may change.
 */
#ifndef FP_BASE_VM_H
#define FP_BASE_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Bytes in a page of this machine, a power of two. */
size_t fp_vm_page_size(void);

/* No mapping reaches this address unless it is asked for by a higher one. */
uintptr_t fp_vm_user_end(void);

/* vm.max_map_count: how many mappings a process may have. */
uint64_t fp_vm_mappings_max(void);

/* Address space without access and, where the kernel permits, without commit charge. Core files
 * leave it out, and what becomes accessible of it, until it is shown. */
int fp_vm_reserve(size_t bytes, uintptr_t *base);

/* The same of memory of our own, whatever is made accessible of it: RLIMIT_DATA does not count
 * it, and is left to the program. The first and the last FENCE bytes, whole pages and at
 * least one, are never opened. Where something is unmapped in the midst of the rest, it may
 * grow into the hole. */
int fp_vm_reserve_own(size_t bytes, size_t fence, uintptr_t *base);

/* As fp_vm_reserve at BASE, or -EEXIST when something is mapped there. */
int fp_vm_reserve_at(uintptr_t base, size_t bytes);

/* Zeroed private memory; PROT as for mmap(2). */
int fp_vm_map(size_t bytes, int prot, uintptr_t *base);

/* The same at PLACE, a multiple of the page size, or elsewhere when that is taken. */
int fp_vm_map_near(uintptr_t place, size_t bytes, int prot, uintptr_t *base);

/* Whether the kernel would promise so much memory to somebody who reserves nothing: what libc's
 * malloc asks before it gives out so large a block. 0 or a negative errno; nothing is kept. */
int fp_vm_can_promise(size_t bytes);

/* Memory and swap of the machine, in bytes; UINT64_MAX when the kernel does not say. */
uint64_t fp_vm_machine_bytes(void);

/* Replaces what is mapped at BASE by fresh zeroed memory of PROT (PROT_NONE: a reservation). */
int fp_vm_remap(uintptr_t base, size_t bytes, int prot);

/* The same where fp_vm_reserve_own reserved. */
int fp_vm_remap_own(uintptr_t base, size_t bytes, int prot);

/* The same, shared with the children of the process. */
int fp_vm_remap_shared(uintptr_t base, size_t bytes, int prot);

/* The first BYTES of the file FD, to read. */
int fp_vm_map_file(int fd, size_t bytes, uintptr_t *base);

/* The same, shared with whoever maps it, and without access yet; core files leave it out. */
int fp_vm_map_shared_file(int fd, size_t bytes, uintptr_t *base);

int fp_vm_unmap(uintptr_t base, size_t bytes);

/* Maps a page that nobody can access, for its NAME to stand in /proc/PID/maps behind "/memfd:".
 * Its address in *MARK. 0, or a negative errno with *MARK 0. */
int fp_vm_mark(const char *name, uintptr_t *mark);
int fp_vm_protect(uintptr_t base, size_t bytes, int prot);

/* Makes reserved memory of our own without content accessible: by mprotect(2), or, where a
 * sandbox forbids that, by a mapping in its place. */
int fp_vm_open(uintptr_t base, size_t bytes, int prot);

/* Core files have the pages of these bytes again: the program's, and what a reader has to know
 * of it, for whoever looks at its end. */
void fp_vm_show(uintptr_t base, size_t bytes);

int fp_vm_advise(uintptr_t base, size_t bytes, int advice);

/* The first refusal of each call since fp_vm_watch_refusals(), when a filter, not want of
 * something, is the cause; false behind the last. Back ends note theirs. */
struct fp_vm_refusal {
	const char *call; /* "mprotect" */
	int status;       /* a negative errno */
	uint64_t after;   /* milliseconds from the watch's beginning */
};
void fp_vm_watch_refusals(void);
int fp_vm_note(const char *call, int status); /* STATUS */
bool fp_vm_refusal(size_t index, struct fp_vm_refusal *refusal);

/* mincore(2): a byte for each page, whose lowest bit is whether memory is there. A page that
 * was swapped out may seem to be missing. */
int fp_vm_find_resident(uintptr_t base, size_t bytes, unsigned char *is_there);

/* madvise(2) for COUNT ranges in one call (Linux 6.13). On failure the advice may have been
 * taken for some of them. 0 or a negative errno. */
int fp_vm_advise_many(const struct iovec *ranges, size_t count, int advice);

#endif
