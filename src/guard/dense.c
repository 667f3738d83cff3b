/* SPDX-License-Identifier: Apache-2.0
 *
 * Size classes of cells: steps of 16 bytes up to 512, then four to each power of two. What is
 * larger than the last class has a chunk of its own, whose pages go back when it is freed.
 */
#include "guard/dense.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/vm.h"

enum {
	STEP = 16,
	STEPPED_MAX = 512,
	CELL_MAX = 256 << 10,
	STEPPED_CLASSES = STEPPED_MAX / STEP,
	/* From 512 (2^9) to 256 KiB (2^18), four classes to each power of two. */
	CLASSES = STEPPED_CLASSES + 9 * 4 + 1,
	CHUNK_BYTES = 1 << 20
};

struct free_cell {
	struct free_cell *next;
	uintptr_t base;
	struct fp_chunk *chunk;
};

/* The cells of one size. */
struct class
{
	_Alignas(64) struct fp_lock lock;
	struct fp_chunk *current;
	struct free_cell *oldest;
	struct free_cell *newest;
};

static unsigned char fill;
static struct class classes[2][CLASSES]; /* data, code */
FP_ALL_HELD_ACROSS_FORK(FP_RANK_ARENA, &classes[0][0].lock, sizeof(classes),
                        sizeof(classes[0][0]));

/* While there are mappings: all cells to come are joined to this one's chunk. */
static void open_first(void)
{
	struct fp_slot slot;

	if (fp_dense_acquire(1, false, &slot) == 0)
		fp_dense_release(&slot);
}

void fp_dense_init(unsigned char byte)
{
	fill = byte;
	for (size_t i = 0; i < CLASSES; i++) {
		classes[0][i].lock.rank = FP_RANK_ARENA;
		classes[1][i].lock.rank = FP_RANK_ARENA;
	}
	open_first();
}

/* The class of BYTES, at most CELL_MAX, and the size of its cells. */
static size_t class_of(size_t bytes, size_t *cell_bytes)
{
	if (bytes <= STEPPED_MAX) {
		*cell_bytes = fp_align_up(bytes, STEP);
		return *cell_bytes / STEP - 1;
	}
	size_t index = STEPPED_CLASSES;
	size_t quarter = STEPPED_MAX / 4;
	size_t size = STEPPED_MAX + quarter;
	for (size_t steps = 1; size < bytes; steps++, index++) {
		if (steps % 4 == 0)
			quarter *= 2;
		size += quarter;
	}
	*cell_bytes = size;
	return index;
}

static int prot_of(bool is_executable)
{
	return PROT_READ | PROT_WRITE | (is_executable ? PROT_EXEC : 0);
}

struct shape {
	size_t cell_bytes;
	int prot;
	bool is_shared;
	bool is_joined;
};

static int make_chunk(const struct shape *shape, struct fp_chunk **made)
{
	struct fp_chunk *chunk = fp_meta_alloc(sizeof(*chunk));

	if (chunk == NULL)
		return -ENOMEM;
	chunk->slot_bytes = shape->cell_bytes;
	chunk->bytes = shape->is_shared ? CHUNK_BYTES : shape->cell_bytes;
	chunk->prot = shape->prot;
	chunk->is_joined = shape->is_joined;
	int status = fp_span_cut(chunk, shape->is_shared);
	if (status != 0) {
		fp_meta_free(chunk, sizeof(*chunk));
		return status;
	}
	*made = chunk;
	/* A page more, so that the next chunk moves this border and needs no mapping for it. */
	fp_vm_show(chunk->base, chunk->bytes + (shape->is_joined ? fp_vm_page_size() : 0));
	/* The chunk stays cut when this fails: address space is all that is lost. */
	return fp_span_open(chunk->base, chunk->bytes, shape->prot);
}

static int take_fresh_locked(struct class *class, size_t cell_bytes, int prot,
                             struct fp_slot *slot)
{
	if (class->current == NULL ||
	    atomic_load(&class->current->fresh) == class->current->slots) {
		const struct shape shape = {cell_bytes, prot, true, true};
		struct fp_chunk *chunk;
		int status = make_chunk(&shape, &chunk);

		if (status != 0)
			return status;
		class->current = chunk;
	}
	slot->base = fp_chunk_slot(class->current, atomic_fetch_add(&class->current->fresh, 1));
	slot->chunk = class->current;
	return 0;
}

static void take_free_locked(struct class *class, struct fp_slot *slot)
{
	struct free_cell *cell = class->oldest;

	class->oldest = cell->next;
	slot->base = cell->base;
	slot->chunk = cell->chunk;
	slot->is_filled = true;
	fp_meta_free(cell, sizeof(*cell));
}

static int acquire_alone(size_t bytes, int prot, struct fp_slot *slot)
{
	struct shape shape = {fp_align_up(bytes, fp_vm_page_size()), prot, false, false};
	struct fp_chunk *chunk;
	int status = make_chunk(&shape, &chunk);

	/* Apart it can be closed when it is freed; that takes mappings, which may be used up.
	 */
	if (status != 0) {
		shape.is_joined = true;
		status = make_chunk(&shape, &chunk);
	}
	if (status != 0)
		return status;
	atomic_store(&chunk->fresh, 1);
	*slot = (struct fp_slot){.base = chunk->base,
	                         .bytes = shape.cell_bytes,
	                         .chunk = chunk,
	                         .is_dense = true};
	return 0;
}

int fp_dense_acquire(size_t bytes, bool is_executable, struct fp_slot *slot)
{
	int prot = prot_of(is_executable);
	int status = 0;

	if (bytes > CELL_MAX)
		return acquire_alone(bytes, prot, slot);
	*slot = (struct fp_slot){.is_dense = true};
	struct class *class = &classes[is_executable][class_of(bytes, &slot->bytes)];
	fp_lock_acquire(&class->lock);
	if (class->oldest != NULL)
		take_free_locked(class, slot);
	else
		status = take_fresh_locked(class, slot->bytes, prot, slot);
	fp_lock_release(&class->lock);
	return status;
}

/* A hole among joined chunks would cost the next one a mapping. */
static int release_alone(const struct fp_chunk *chunk)
{
	return chunk->is_joined ? fp_vm_advise(chunk->base, chunk->bytes, MADV_DONTNEED)
	                        : fp_span_remap(chunk->base, chunk->bytes, PROT_NONE);
}

int fp_dense_release(const struct fp_slot *slot)
{
	struct fp_chunk *chunk = slot->chunk;
	size_t cell_bytes;

	if (slot->bytes > CELL_MAX)
		return release_alone(chunk);
	struct class *class =
	        &classes[(chunk->prot & PROT_EXEC) != 0][class_of(slot->bytes, &cell_bytes)];
	struct free_cell *cell = fp_meta_alloc(sizeof(*cell));
	/* A cell that cannot be remembered is lost, not more. */
	if (cell == NULL)
		return -ENOMEM;
	memset((void *)slot->base, fill, slot->bytes);
	cell->base = slot->base;
	cell->chunk = chunk;
	fp_lock_acquire(&class->lock);
	if (class->oldest == NULL)
		class->oldest = cell;
	else
		class->newest->next = cell;
	class->newest = cell;
	fp_lock_release(&class->lock);
	return 0;
}
