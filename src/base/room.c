/* SPDX-License-Identifier: Apache-2.0
 *
 * Rooms stand in a list that only grows: as many as were in use at the same time.
 */
#include "base/room.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "base/vm.h"

enum { STACK_BYTES = 64 << 10, HEAD_BYTES = 64 };

struct fp_room {
	struct fp_room *next;
	_Atomic int owner; /* a thread's id; 0: nobody */
	_Alignas(HEAD_BYTES) char kept[FP_ROOM_KEPT_BYTES];
	_Alignas(HEAD_BYTES) char stack[STACK_BYTES];
};

static struct fp_room *_Atomic rooms;

/* Another may have got its number; that one only keeps the room a little longer. */
static bool has_ended(int thread)
{
	return fp_sys(SYS_tkill, thread, 0) == -ESRCH;
}

static bool claim(struct fp_room *room, int self)
{
	int owner = atomic_load(&room->owner);

	return (owner == 0 || (owner != self && has_ended(owner))) &&
	       atomic_compare_exchange_strong(&room->owner, &owner, self);
}

static struct fp_room *make(int self)
{
	uintptr_t memory;

	if (fp_vm_map(sizeof(struct fp_room), PROT_READ | PROT_WRITE, &memory) != 0)
		return NULL;
	struct fp_room *room = (struct fp_room *)memory;
	atomic_store(&room->owner, self);
	room->next = atomic_load(&rooms);
	while (!atomic_compare_exchange_weak(&rooms, &room->next, room))
		continue;
	return room;
}

struct fp_room *fp_room_take(void)
{
	int self = fp_sys_gettid();

	for (struct fp_room *room = atomic_load(&rooms); room != NULL; room = room->next)
		if (claim(room, self))
			return room;
	return make(self);
}

void fp_room_give(struct fp_room *room)
{
	if (room != NULL)
		atomic_store(&room->owner, 0);
}

void *fp_room_kept(struct fp_room *room)
{
	return room->kept;
}

/* Those of faults come through: a fault of ours must not end the process unsaid. */
static uint64_t all_but_faults(void)
{
	return ~(UINT64_C(1) << (SIGSEGV - 1) | UINT64_C(1) << (SIGBUS - 1) |
	         UINT64_C(1) << (SIGTRAP - 1));
}

void fp_room_work(struct fp_room *room, void (*work)(void *argument), void *argument)
{
	uint64_t blocked = all_but_faults();
	uint64_t before;

	if (room == NULL) {
		work(argument);
		return;
	}
	fp_sys_sigmask(SIG_BLOCK, &blocked, &before);
	fp_sys_call_on(room->stack + STACK_BYTES, work, argument);
	fp_sys_sigmask(SIG_SETMASK, &before, NULL);
}
