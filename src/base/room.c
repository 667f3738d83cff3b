/* SPDX-License-Identifier: Apache-2.0
 *
 * Rooms stand in a list that only grows: as many as were in use at the same time. Each thread
 * comes back to the one it had.
 *
 * They lie below everything else, so that a walk from a room to the program's stack goes up:
 * debuggers take a step down for a broken stack.
 */
#include "base/room.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "base/remains.h"
#include "base/sys.h"
#include "base/vm.h"

enum {
	FENCE_BYTES = 64 << 10, /* the largest page there is */
	LINE_BYTES = 64,
	/* What is written first is on one page: the child of a fork copies no more. */
	STACK_BYTES = (132 << 10) - LINE_BYTES,
	NOBODY = 0,
	WHO_IS_BRIEF = -1
};

/* Free in every program; where it is not, any other place will do. */
static const uintptr_t low = (uintptr_t)1 << 44;

struct fp_room {
	char fence[FENCE_BYTES];
	char kept[FP_ROOM_KEPT_BYTES];
	_Alignas(LINE_BYTES) char stack[STACK_BYTES];
	_Alignas(LINE_BYTES) struct fp_room *next;
	_Atomic int owner;         /* a thread's id, or one of the above */
	_Atomic uintptr_t outside; /* the stack pointer of who is brief */
};

_Static_assert(sizeof(struct fp_room) % 4096 == 0, "it ends with its page");

static struct fp_room *_Atomic rooms;

static _Thread_local struct {
	struct fp_room *latest;
	struct fp_room_door door;
} own;

/* Another may have got its number; that one only keeps the room a little longer. */
static bool has_ended(int thread)
{
	return thread > NOBODY && fp_sys(SYS_tkill, thread, 0) == -ESRCH;
}

static bool claim(struct fp_room *room, int owner)
{
	int before = NOBODY;

	return atomic_load_explicit(&room->owner, memory_order_relaxed) == NOBODY &&
	       atomic_compare_exchange_strong(&room->owner, &before, owner);
}

static bool inherit(struct fp_room *room, int owner)
{
	int before = atomic_load(&room->owner);

	return before != owner && has_ended(before) &&
	       atomic_compare_exchange_strong(&room->owner, &before, owner);
}

static struct fp_room *make(int owner)
{
	uintptr_t memory;

	if (fp_vm_map_near(low, sizeof(struct fp_room), PROT_READ | PROT_WRITE, &memory) != 0)
		return NULL;
	fp_vm_protect(memory, FENCE_BYTES, PROT_NONE);
	struct fp_room *room = (struct fp_room *)memory;
	atomic_store(&room->owner, owner);
	room->next = atomic_load(&rooms);
	while (!atomic_compare_exchange_weak(&rooms, &room->next, room))
		continue;
	return room;
}

static struct fp_room *find(bool (*is_mine)(struct fp_room *, int), int owner)
{
	for (struct fp_room *room = atomic_load(&rooms); room != NULL; room = room->next)
		if (is_mine(room, owner))
			return room;
	return NULL;
}

/* Room by room, before a system call for each that is taken. */
static struct fp_room *take(int owner)
{
	struct fp_room *room = find(claim, owner);

	if (room == NULL && owner != WHO_IS_BRIEF)
		room = find(inherit, owner);
	return room != NULL ? room : make(owner);
}

struct fp_room *fp_room_take(void)
{
	return take(fp_sys_gettid());
}

void fp_room_give(struct fp_room *room)
{
	if (room != NULL)
		atomic_store_explicit(&room->owner, NOBODY, memory_order_release);
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

/* noinline: the frame is the door. */
__attribute__((noinline)) static void go(struct fp_room *room, void (*work)(void *argument),
                                         void *argument)
{
	const struct fp_room_door before = own.door;

	if (room == NULL) {
		work(argument);
		return;
	}
	if (before.frame == NULL)
		own.door = (struct fp_room_door){__builtin_frame_address(0),
		                                 (uintptr_t)__builtin_dwarf_cfa()};
	atomic_store_explicit(&room->outside, own.door.sp, memory_order_relaxed);
	fp_sys_call_on(room->stack + STACK_BYTES, work, argument);
	own.door = before;
}

void fp_room_work(struct fp_room *room, void (*work)(void *argument), void *argument)
{
	uint64_t blocked = all_but_faults();
	uint64_t before;

	fp_sys_sigmask(SIG_BLOCK, &blocked, &before);
	go(room, work, argument);
	fp_sys_sigmask(SIG_SETMASK, &before, NULL);
}

void fp_room_run(void (*work)(void *argument), void *argument)
{
	struct fp_room *room = own.latest;

	if (room == NULL || !claim(room, WHO_IS_BRIEF)) {
		room = take(WHO_IS_BRIEF);
		own.latest = room;
	}
	go(room, work, argument);
	fp_room_give(room);
}

struct fp_room_door fp_room_door(void)
{
	return own.door;
}

static struct fp_room *room_at(uintptr_t address)
{
	for (struct fp_room *room = atomic_load(&rooms); room != NULL; room = room->next)
		if (address - (uintptr_t)room < sizeof(*room))
			return room;
	return NULL;
}

uintptr_t fp_room_outside(uintptr_t stack)
{
	struct fp_room *room = room_at(stack);

	return room != NULL ? atomic_load(&room->outside) : stack;
}

bool fp_room_holds(uintptr_t address)
{
	return room_at(address) != NULL;
}

void fp_room_forget(void)
{
	for (struct fp_room *room = atomic_load(&rooms); room != NULL; room = room->next)
		if (atomic_load(&room->owner) == WHO_IS_BRIEF)
			fp_room_give(room);
}

void fp_room_leave_remains(struct fp_remains *remains)
{
	remains->rooms.first = (uintptr_t)&rooms;
	remains->rooms.bytes = sizeof(struct fp_room);
	remains->rooms.next = offsetof(struct fp_room, next);
	remains->rooms.outside = offsetof(struct fp_room, outside);
}
