/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls every method of a heap as C does: through the header's tables, and through a table
 * whose type was written down by hand from the published contract. Exits with the line of the
 * first call that answered wrongly, 0 when there is none.
 */
#define COBJMACROS
#include <string.h>

#include <fencepost/extension.h>
#include <fencepost/fencepost.h>

#define MUST(condition)                                                                        \
	do {                                                                                   \
		if (!(condition))                                                              \
			return __LINE__ % 255 + 1;                                             \
	} while (0)

/* Nothing of the headers: what another language would declare. */
struct by_hand {
	const struct {
		int32_t (*query_interface)(void *, const void *, void **);
		uint32_t (*add_ref)(void *);
		uint32_t (*release)(void *);
		int32_t (*alloc)(void *, size_t, int, void **);
		int32_t (*debug_alloc)(void *, size_t, int, char *, int, void **);
		int32_t (*free)(void *, void *);
	} * table;
};

static int call_by_hand(void *object)
{
	static const unsigned char iid[16] = {0x1c, 0x99, 0x31, 0x18, 0x53, 0xcc, 0x31, 0x4a,
	                                      0xb2, 0x18, 0x04, 0xe9, 0x10, 0x44, 0x64, 0x79};
	char file[] = "by_hand.c";
	struct by_hand *heap = object;
	void *out = NULL;

	MUST(heap->table->query_interface(heap, iid, &out) == 0 && out == object);
	MUST(heap->table->add_ref(heap) == 3);
	MUST(heap->table->release(heap) == 2);
	MUST(heap->table->release(heap) == 1);
	MUST(heap->table->alloc(heap, 10, 2, &out) == 0 && out != NULL);
	MUST(heap->table->free(heap, out) == 0);
	MUST(heap->table->debug_alloc(heap, 10, 0, file, 7, &out) == 0 && out != NULL);
	MUST(heap->table->free(heap, out) == 0);
	MUST(heap->table->free(heap, out) == (int32_t)0x80131022);
	MUST(heap->table->alloc(heap, (size_t)-1, 0, &out) == (int32_t)0x8007000e);
	MUST(out == NULL);
	return 0;
}

static bool count(const struct FencepostBlock *block, void *user)
{
	*(size_t *)user += block->size;
	return true;
}

static int call_extension(IFencepostMalloc *heap)
{
	char file[] = "every_call.c";
	size_t sum = 0;
	EFencepostPointer what;
	SIZE_T size = 0;
	void *block = NULL;

	MUST(IFencepostMalloc_AddRef(heap) == 3);
	MUST(IFencepostMalloc_Release(heap) == 2);
	MUST(IFencepostMalloc_Alloc(heap, 10, eTaskCritical, &block) == S_OK);
	MUST(IFencepostMalloc_Realloc(heap, block, 20, eTaskCritical, &block) == S_OK);
	MUST(IFencepostMalloc_GetSize(heap, block, &size) == S_OK && size == 20);
	MUST(IFencepostMalloc_DidAlloc(heap, block) == S_OK);
	MUST(IFencepostMalloc_DidAlloc(heap, &block) == S_FALSE);
	MUST(IFencepostMalloc_Identify(heap, block, &what) == S_OK && what == eFencepostLive);
	MUST(IFencepostMalloc_Identify(heap, &block, &what) == S_OK &&
	     what == eFencepostForeign);
	MUST(IFencepostMalloc_Check(heap, block) == S_OK);
	MUST(IFencepostMalloc_Lock(heap) == S_OK);
	MUST(IFencepostMalloc_Walk(heap, count, &sum) == S_OK && sum == 20);
	MUST(IFencepostMalloc_Unlock(heap) == S_OK);
	MUST(IFencepostMalloc_Free(heap, block) == S_OK);
	MUST(IFencepostMalloc_DebugAlloc(heap, 1, eTaskCritical, file, 1, &block) == S_OK);
	MUST(IFencepostMalloc_Free(heap, block) == S_OK);
	return 0;
}

int main(void)
{
	IHostMemoryManager *manager = NULL;
	IHostMalloc *heap = NULL;
	void *extended = NULL;
	int line;

	MUST(fp_create_memory_manager(NULL, &manager) == S_OK);
	MUST(IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap) == S_OK);
	line = call_by_hand(heap);
	if (line != 0)
		return line;
	MUST(IHostMalloc_QueryInterface(heap, &IID_IFencepostMalloc, &extended) == S_OK);
	line = call_extension((IFencepostMalloc *)extended);
	if (line != 0)
		return line;
	MUST(IFencepostMalloc_Release((IFencepostMalloc *)extended) == 1);
	MUST(IHostMalloc_Release(heap) == 0);
	IHostMemoryManager_Release(manager);
	return 0;
}
