/* SPDX-License-Identifier: Apache-2.0
 *
 * Mono's allocator on an IHostMalloc: the functions of eglib's gmem.c, which a program that
 * links Mono's static library can define itself. mono_set_allocator_vtable() would be the way,
 * but distributions build Mono without it: it returns TRUE and changes nothing.
 *
 * Mono's C code does not always keep the two heaps apart: some blocks that it frees here are
 * of the C library (vasprintf, realpath, what a plug-in returned). They are given back to it.
 */
#define COBJMACROS
#include "mono_memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fencepost/fencepost.h>

static IFencepostMalloc *heap;

void mono_memory_use(IFencepostMalloc *from)
{
	heap = from;
}

/* Whether Free has to judge BLOCK: it is, or was, of a heap of the host, or lies in one. Under
 * fencepost run malloc's is another heap of Fencepost's. */
static bool is_ours(void *block)
{
	EFencepostPointer pointer;
	struct fp_block_info info;

	IFencepostMalloc_Identify(heap, block, &pointer);
	if (pointer == eFencepostOther)
		return fp_describe(block, &info) && strcmp(info.family, "host") == 0;
	return pointer != eFencepostForeign;
}

/* Mono does not go on without memory either. */
static void *check(void *block)
{
	if (block == NULL) {
		fputs("mono_host: the host has no memory for Mono\n", stderr);
		abort();
	}
	return block;
}

void *monoeg_try_realloc(void *block, size_t size)
{
	void *moved = NULL;

	if (block != NULL && !is_ours(block))
		return realloc(block, size);
	if (size == 0) {
		monoeg_g_free(block);
		return NULL;
	}
	IFencepostMalloc_Realloc(heap, block, size, eAppDomainCritical, &moved);
	return moved;
}

void *monoeg_try_malloc(size_t size)
{
	void *block = NULL;

	if (size > 0)
		IFencepostMalloc_Alloc(heap, size, eAppDomainCritical, &block);
	return block;
}

void *monoeg_malloc(size_t size)
{
	return size == 0 ? NULL : check(monoeg_try_malloc(size));
}

void *monoeg_realloc(void *block, size_t size)
{
	void *moved = monoeg_try_realloc(block, size);

	return size == 0 ? NULL : check(moved);
}

void *monoeg_g_calloc(size_t count, size_t size)
{
	void *block;

	if (size > 0 && count > SIZE_MAX / size)
		return check(NULL);
	block = monoeg_malloc(count * size);
	return block == NULL ? NULL : memset(block, 0, count * size);
}

void *monoeg_malloc0(size_t size)
{
	return monoeg_g_calloc(1, size);
}

void *monoeg_g_memdup(const void *bytes, unsigned size)
{
	return bytes == NULL ? NULL : memcpy(monoeg_malloc(size), bytes, size);
}

void monoeg_g_free(void *block)
{
	if (block == NULL)
		return;
	if (is_ours(block))
		IFencepostMalloc_Free(heap, block);
	else
		free(block);
}

/* For mono_set_allocator_vtable(): there is none, and none is taken. */
void monoeg_g_mem_get_vtable(void **vtable)
{
	memset(vtable, 0, 4 * sizeof(*vtable));
}

void monoeg_g_mem_set_vtable(void **vtable)
{
	(void)vtable;
}
