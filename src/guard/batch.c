/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads share queues as they share arenas. A full queue is emptied under its lock and sealed
 * outside of it, because what is verified then may become a finding.
 */
#include "guard/batch.h"

#include <string.h>

#include "base/lock.h"
#include "base/thread.h"
#include "base/vm.h"
#include "guard/arena.h"

enum {
	QUEUES = 16,
	PAGES_MAX = 16 /* larger slots are worth a system call each */
};

struct queue {
	_Alignas(64) struct fp_lock lock;
	size_t count;
	struct fp_slot slots[FP_GUARD_BATCH_MAX];
};

static struct queue queues[QUEUES];
FP_ALL_HELD_ACROSS_FORK(FP_RANK_ARENA, &queues[0].lock, sizeof(queues), sizeof(queues[0]));
static size_t batch_slots = 1;
static void (*verify)(const struct fp_slot *slot);

void fp_batch_init(const struct fp_guard_config *config)
{
	batch_slots = config->seal_batch < FP_GUARD_BATCH_MAX ? config->seal_batch
	                                                      : FP_GUARD_BATCH_MAX;
	verify = config->verify;
	for (size_t i = 0; i < QUEUES; i++)
		queues[i].lock.rank = FP_RANK_ARENA;
}

bool fp_batch_takes(const struct fp_chunk *chunk)
{
	return batch_slots > 1 && chunk->backend->seal_many != NULL &&
	       chunk->slot_bytes <= PAGES_MAX * fp_vm_page_size();
}

static void seal(const struct fp_slot *slots, size_t count)
{
	for (size_t i = 0; verify != NULL && i < count; i++)
		verify(&slots[i]);
	fp_arena_release_many(slots, count);
}

/* Moves all that waits in QUEUE to SLOTS, and returns how many these are. */
static size_t empty_locked(struct queue *queue, struct fp_slot *slots)
{
	size_t count = queue->count;

	memcpy(slots, queue->slots, count * sizeof(*slots));
	queue->count = 0;
	return count;
}

void fp_batch_release(const struct fp_slot *slot)
{
	struct queue *queue = &queues[fp_thread_ordinal() % QUEUES];
	struct fp_slot full[FP_GUARD_BATCH_MAX];
	size_t count = 0;

	fp_lock_acquire(&queue->lock);
	queue->slots[queue->count++] = *slot;
	if (queue->count >= batch_slots)
		count = empty_locked(queue, full);
	fp_lock_release(&queue->lock);
	seal(full, count);
}

void fp_batch_seal_all(void)
{
	struct fp_slot waiting[FP_GUARD_BATCH_MAX];

	for (size_t i = 0; batch_slots > 1 && i < QUEUES; i++) {
		fp_lock_acquire(&queues[i].lock);
		size_t count = empty_locked(&queues[i], waiting);
		fp_lock_release(&queues[i].lock);
		seal(waiting, count);
	}
}
