/* SPDX-License-Identifier: Apache-2.0
 *
 * The core file that is open: its memory, the names of its mappings, its threads. Private to
 * the module.
 */
#ifndef FP_REMAINS_FILE_H
#define FP_REMAINS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "remains/remains.h"

struct fp_remains_segment {
	uint64_t start;
	uint64_t filled; /* up to here the file has it */
	uint64_t end;
	uint64_t offset;
	uint32_t flags; /* PF_R ... */
	bool is_own;    /* Fencepost's */
};

/* What was mapped of a file. */
struct fp_remains_mapped {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	const char *path;
	int fd; /* of the file, when it is the same: -1 otherwise, FP_REMAINS_UNTRIED before */
};

enum { FP_REMAINS_UNTRIED = -2 };

struct fp_remains_thread {
	pid_t id;
	uint64_t stack;
	uint64_t storage; /* its thread pointer */
	void *context;    /* a ucontext_t, in memory where the core file has none */
};

extern struct fp_remains_file {
	int fd;
	uint64_t bytes;
	struct fp_remains_segment *segments; /* by address, none overlaps another */
	size_t segment_count;
	char *notes;
	size_t notes_bytes;
	struct fp_remains_mapped *mapped; /* by address */
	size_t mapped_count;
	struct fp_remains_thread *threads;
	size_t thread_count;
	uintptr_t contexts; /* where those of the threads are, and their size */
	size_t contexts_bytes;
	pid_t pid;
	int signal; /* that it died of, or 0 */
	char *refusal;
} fp_remains_file;

/* 0, or a negative errno with the refusal set. Close it in either case. */
int fp_remains_open(const char *path);
void fp_remains_close(void);

/* Sets the refusal, and returns STATUS. */
int fp_remains_refuse(int status, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* Copies up to SIZE bytes of the process' memory; how many there are from ADDRESS on. What the
 * core file has not comes from the files that were mapped, where they are still the same. */
size_t fp_remains_copy(uint64_t address, void *buffer, size_t size);

/* Whether all of it is there. */
bool fp_remains_get(uint64_t address, void *buffer, size_t size);
uint64_t fp_remains_word(uint64_t address); /* or 0 */

/* The segment that ends above ADDRESS first, or NULL. */
const struct fp_remains_segment *fp_remains_segment_at(uint64_t address);

/* What is there of BYTES bytes at START is Fencepost's. */
void fp_remains_claim(uint64_t start, uint64_t bytes);

/* What is mapped of a file at ADDRESS, or NULL. */
struct fp_remains_mapped *fp_remains_mapped_at(uint64_t address);

/* The machine's: the number in an ELF header, and from the notes of a thread its state. BYTES
 * of CONTEXT are needed at most (context_<cpu>.c). */
extern const unsigned fp_remains_machine;
enum { FP_REMAINS_CONTEXT_BYTES = 4096 };
void fp_remains_take_registers(struct fp_remains_thread *thread, const void *note, size_t size);
void fp_remains_take_vectors(struct fp_remains_thread *thread, unsigned type, const void *note,
                             size_t size);

/* The frames of the thread with CONTEXT: as fp_stack_list_frames(). Asked again, with the same
 * arrays, it leaves them as they are (frames.c). */
unsigned fp_remains_frames(const void *context, uintptr_t *frames, uintptr_t *stacks,
                           unsigned max);
void fp_remains_forget_frames(void);

#endif
