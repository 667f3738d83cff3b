/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks of our own, for work that is deeper than the caller's may be: programs run coroutines
 * on 4 KiB and execute others from the 8 KiB stack of a clone(2) child. A child that shares our
 * memory may have gone on to another program while it had a room, so who ended gives back what
 * it took.
 *
 * Context: alloc and fault, and children of vfork.
 */
#ifndef FP_BASE_ROOM_H
#define FP_BASE_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fp_room;

/* Of a room, for what is to stay while a program is executed. */
enum { FP_ROOM_KEPT_BYTES = 48 << 10 };

/* A room that is the caller's until it gives it back, or ends. NULL when there is no memory. */
struct fp_room *fp_room_take(void);
void fp_room_give(struct fp_room *room);

/* FP_ROOM_KEPT_BYTES of memory; work leaves it alone. */
void *fp_room_kept(struct fp_room *room);

/* WORK(ARGUMENT) on that stack, with the program's signals blocked; on the caller's where ROOM
 * is NULL. */
void fp_room_work(struct fp_room *room, void (*work)(void *argument), void *argument);

/* WORK(ARGUMENT) in a room for as long as it takes, without a system call: for the way through
 * malloc. The caller sees to it that no handler of the program runs meanwhile, and does not
 * nest. */
void fp_room_run(void (*work)(void *argument), void *argument);

/* Where the calling thread left the stack that it has from the program. */
struct fp_room_door {
	const uintptr_t *frame; /* of the function that did, or NULL: it is there still */
	uintptr_t sp;           /* of its caller */
};

struct fp_room_door fp_room_door(void);

/* The stack pointer in the program for a thread that has STACK: another one where that is in a
 * room. */
uintptr_t fp_room_outside(uintptr_t stack);

/* Whether ADDRESS is in a room. */
bool fp_room_holds(uintptr_t address);

/* In the child of a fork: the threads that were in rooms are not there. */
void fp_room_forget(void);

/* Says in REMAINS where they are. */
struct fp_remains;
void fp_room_leave_remains(struct fp_remains *remains);

#endif
