/* SPDX-License-Identifier: Apache-2.0
 *
 * The mistakes of plant.h. Allocation, misuse and free are functions of their own, as in a real
 * program, so that the stacks of a report tell them apart. The "plant:" comments mark the lines
 * a report must name; the tests look for them.
 */
#define COBJMACROS
#include "plant.h"

#include <stdlib.h>
#include <string.h>

/* A function whose lines stay its own: optimized, functions that look alike become one, and a
 * call at a function's end becomes a jump. */
#ifdef __clang__
#define PLANTED __attribute__((noinline, optnone))
#else
#define PLANTED __attribute__((noipa, optimize("O0")))
#endif

/* ---- overflow: one byte too far, within the padding, noticed when the block is freed ---- */

PLANTED static char *overflow_allocate(IHostMalloc *heap)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, 20, eTaskCritical, &block); /* plant: overflow allocation */
	return block;
}

PLANTED static void overflow_write(char *block)
{
	for (int i = 0; i <= 20; i++) /* "<=" for "<" */
		block[i] = 'x';
}

PLANTED static void overflow_free(IHostMalloc *heap, char *block)
{
	IHostMalloc_Free(heap, block); /* plant: overflow free */
}

PLANTED static void plant_overflow(IHostMemoryManager *manager, IHostMalloc *heap)
{
	char *block = overflow_allocate(heap);

	(void)manager;
	if (block == NULL)
		return;
	overflow_write(block);
	overflow_free(heap, block);
}

/* ---- underflow: one byte before the block ----------------------------------------------- */

PLANTED static char *underflow_allocate(IHostMalloc *heap)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, 36, eTaskCritical, &block); /* plant: underflow allocation */
	return block;
}

PLANTED static void underflow_write(char *block, int index)
{
	block[index] = 'x';
}

PLANTED static void underflow_free(IHostMalloc *heap, char *block)
{
	IHostMalloc_Free(heap, block); /* plant: underflow free */
}

PLANTED static void plant_underflow(IHostMemoryManager *manager, IHostMalloc *heap)
{
	char *block = underflow_allocate(heap);

	(void)manager;
	if (block == NULL)
		return;
	underflow_write(block, -1);
	underflow_free(heap, block);
}

/* ---- use-after-free ------------------------------------------------------------------------
 */

PLANTED static char *use_after_free_allocate(IHostMalloc *heap)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, 64, eTaskCritical, &block); /* plant: uaf allocation */
	return block;
}

PLANTED static void use_after_free_free(IHostMalloc *heap, char *block)
{
	IHostMalloc_Free(heap, block); /* plant: use-after-free free */
}

PLANTED static char use_after_free_read(const volatile char *block)
{
	return block[8]; /* plant: use-after-free read */
}

PLANTED static void plant_use_after_free(IHostMemoryManager *manager, IHostMalloc *heap)
{
	char *block = use_after_free_allocate(heap);

	(void)manager;
	if (block == NULL)
		return;
	memset(block, 'x', 64);
	use_after_free_free(heap, block);
	use_after_free_read(block);
}

/* ---- double-free ------------------------------------------------------------------------- */

PLANTED static void *double_free_allocate(IHostMalloc *heap)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, 48, eTaskCritical, &block); /* plant: double-free allocation */
	return block;
}

PLANTED static void double_free_first(IHostMalloc *heap, void *block)
{
	IHostMalloc_Free(heap, block); /* plant: double-free first free */
}

PLANTED static void double_free_second(IHostMalloc *heap, void *block)
{
	IHostMalloc_Free(heap, block); /* plant: double-free second free */
}

PLANTED static void plant_double_free(IHostMemoryManager *manager, IHostMalloc *heap)
{
	void *block = double_free_allocate(heap);

	(void)manager;
	double_free_first(heap, block);
	double_free_second(heap, block);
}

/* ---- interior-free: a pointer 8 bytes into the block ------------------------------------- */

PLANTED static char *interior_allocate(IHostMalloc *heap)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, 100, eTaskCritical, &block); /* plant: interior allocation */
	return block;
}

PLANTED static void interior_free_misuse(IHostMalloc *heap, char *pointer)
{
	IHostMalloc_Free(heap, pointer); /* plant: interior-free free */
}

PLANTED static void plant_interior_free(IHostMemoryManager *manager, IHostMalloc *heap)
{
	char *block = interior_allocate(heap);

	(void)manager;
	if (block == NULL)
		return;
	interior_free_misuse(heap, block + 8);
	IHostMalloc_Free(heap, block);
}

/* ---- foreign-free: a block of the C library's malloc ----------------------------------------
 */

PLANTED static void foreign_free_misuse(IHostMalloc *heap, void *pointer)
{
	IHostMalloc_Free(heap, pointer); /* plant: foreign-free free */
}

PLANTED static void plant_foreign_free(IHostMemoryManager *manager, IHostMalloc *heap)
{
	void *block = malloc(40);

	(void)manager;
	foreign_free_misuse(heap, block);
	free(block);
}

/* ---- wrong-heap: a block of one IHostMalloc freed through another --------------------------
 */

PLANTED static void *wrong_heap_allocate(IHostMalloc *heap)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, 80, eTaskCritical, &block); /* plant: wrong-heap allocation */
	return block;
}

PLANTED static void wrong_heap_misuse(IHostMalloc *other, void *block)
{
	IHostMalloc_Free(other, block); /* plant: wrong-heap free */
}

PLANTED static void plant_wrong_heap(IHostMemoryManager *manager, IHostMalloc *heap)
{
	IHostMalloc *other = NULL;
	void *block;

	if (IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &other) != S_OK)
		return;
	block = wrong_heap_allocate(heap);
	wrong_heap_misuse(other, block);
	IHostMalloc_Free(heap, block);
	IHostMalloc_Release(other);
}

/* ---- leak ------------------------------------------------------------------------------- */

PLANTED static void plant_leak(IHostMemoryManager *manager, IHostMalloc *heap)
{
	void *block = NULL;

	(void)manager;
	IHostMalloc_Alloc(heap, 1234, eTaskCritical, &block); /* plant: leak allocation */
}

static const struct plant plants[] = {
        {"overflow", plant_overflow},
        {"underflow", plant_underflow},
        {"use-after-free", plant_use_after_free},
        {"double-free", plant_double_free},
        {"interior-free", plant_interior_free},
        {"foreign-free", plant_foreign_free},
        {"wrong-heap", plant_wrong_heap},
        {"leak", plant_leak},
};

const struct plant *plant_find(const char *name)
{
	for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++) {
		if (strcmp(plants[i].name, name) == 0)
			return &plants[i];
	}
	return NULL;
}
