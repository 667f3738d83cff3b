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

#include <stddef.h>

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

#endif
