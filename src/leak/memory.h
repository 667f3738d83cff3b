/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the process' own memory without ever faulting: a mapping may be gone, be a device, or
 * belong to somebody's userfaultfd.
 *
 * Context: alloc. Private to leak.
 */
#ifndef FP_LEAK_MEMORY_H
#define FP_LEAK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fp_leak_memory {
	int mem_fd;     /* /proc/thread-self/mem, or -1: the system call is used */
	int pagemap_fd; /* or -1: all pages are taken to hold data */
	int thread;     /* that is not gone: the process' main thread may be */
};

void fp_leak_memory_open(struct fp_leak_memory *memory);
void fp_leak_memory_close(struct fp_leak_memory *memory);

/* Copies up to SIZE bytes; how many could be read from ADDRESS on. */
size_t fp_leak_memory_read(const struct fp_leak_memory *memory, uintptr_t address, void *buffer,
                           size_t size);

/* The word at ADDRESS; false when it cannot be read. */
bool fp_leak_memory_word(const struct fp_leak_memory *memory, uintptr_t address,
                         uint64_t *word);

/* The start of the page behind the one that ADDRESS is in. */
uintptr_t fp_leak_memory_next_page(uintptr_t address);

/*
 * The first run of pages in [*START, END) that may hold what the program wrote, skipping what
 * was never touched: *START and *RUN_END are set to it. False when there is none.
 */
bool fp_leak_memory_next_run(const struct fp_leak_memory *memory, bool is_shared,
                             uintptr_t *start, uintptr_t end, uintptr_t *run_end);

#endif
