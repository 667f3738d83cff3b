/* SPDX-License-Identifier: Apache-2.0
 *
 * Along a stack, a frame at a time, from the innermost one out: by rules where these lead, else
 * by all that .eh_frame says, and through code that says nothing by frame pointers. It takes no
 * lock of anybody, allocates nothing, and reads what it may not read without harm.
 *
 * Context: alloc, and fault. Private to stack.
 */
#ifndef FP_STACK_WALK_H
#define FP_STACK_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/reading.h"

struct fp_trace_cache_entry;

struct fp_frame {
	uintptr_t pc; /* where it goes on: a return address */
	uintptr_t sp;
	uintptr_t fp;
};

enum { FP_WALK_ASKS_NOTHING = 0xff };

struct fp_walk {
	struct fp_frame frame;
	uintptr_t fp_at;   /* where FRAME.fp is saved and not read yet, or 0 */
	uintptr_t pc_at;   /* where FRAME.pc was, as tables say, or 0 */
	uintptr_t context; /* the registers of a frame that a signal interrupted; then PC is the
	                    * instruction itself. Or 0 */
	unsigned module;   /* number of the latest that is known to be there */
	uint64_t mark;     /* of the modules on the way */
	struct fp_trace_cache_entry *entry; /* takes down what led the walk, or NULL */
	/* One more register that is followed, by its DWARF number, and what is known of it. */
	unsigned asked;
	uintptr_t asked_value;
};

enum fp_step {
	FP_STEP_ON,
	FP_STEP_END,  /* there is no caller */
	FP_STEP_LOST, /* there is one, and nobody knows where */
};

/* At FRAME, whose PC is a return address; MEMO may be NULL. */
void fp_walk_begin(struct fp_walk *walk, const struct fp_frame *frame,
                   struct fp_trace_cache_entry *entry);

/* At what a signal interrupted: CONTEXT is the third argument of its handler. */
bool fp_walk_begin_interrupted(struct fp_walk *walk, const void *context);

/* Goes to the caller's frame. */
enum fp_step fp_walk_step(struct fp_walk *walk);

/* Looks at the frame as a step would, for a walk that ends here. */
void fp_walk_look(struct fp_walk *walk);

/* The address to keep of the frame: whoever looks up where it is called takes the instruction
 * before. */
static inline uintptr_t fp_walk_address(const struct fp_walk *walk)
{
	return walk->frame.pc + (walk->context != 0);
}

/* Reads a word that the walk depends on. */
bool fp_walk_read(struct fp_walk *walk, uintptr_t address, uintptr_t *word);

/* A register of the frame, by its DWARF number, if that is known. */
bool fp_walk_register(struct fp_walk *walk, unsigned number, uintptr_t *value);

#endif
