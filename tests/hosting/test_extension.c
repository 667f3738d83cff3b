/* SPDX-License-Identifier: Apache-2.0
 *
 * IFencepostMalloc, method by method, and the mistakes of published hosts that an object of
 * ours must not repeat.
 */
#define COBJMACROS
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fencepost/extension.h>
#include <fencepost/fencepost.h>

#include "support/support.h"

static IHostMemoryManager *manager;
static IHostMalloc *heap;
static IFencepostMalloc *extended;

static IFencepostMalloc *extension_of(IHostMalloc *of)
{
	void *out = NULL;

	ck_assert_int_eq(IHostMalloc_QueryInterface(of, &IID_IFencepostMalloc, &out), S_OK);
	ck_assert_uint_ge(IHostMalloc_Release(of), 1);
	return out;
}

static IHostMalloc *create(DWORD flags)
{
	IHostMalloc *created = NULL;

	ck_assert_int_eq(IHostMemoryManager_CreateMalloc(manager, flags, &created), S_OK);
	return created;
}

static void setup(void)
{
	ck_assert_int_eq(fp_create_memory_manager("reporter=/bin/true", &manager), S_OK);
	heap = create(MALLOC_THREADSAFE);
	extended = extension_of(heap);
}

static char *alloc(size_t size)
{
	void *block = NULL;

	ck_assert_int_eq(IHostMalloc_Alloc(heap, size, eTaskCritical, &block), S_OK);
	return block;
}

START_TEST(the_extension_is_the_heap)
{
	void *out = NULL;

	ck_assert_ptr_eq(extended, heap);
	ck_assert_int_eq(IFencepostMalloc_QueryInterface(extended, &IID_IUnknown, &out), S_OK);
	ck_assert_ptr_eq(out, heap);
	ck_assert_int_eq(IFencepostMalloc_QueryInterface(extended, &IID_IHostMalloc, &out),
	                 S_OK);
	ck_assert_ptr_eq(out, heap);
	ck_assert_uint_eq(IFencepostMalloc_AddRef(extended), 4);
	ck_assert_int_eq(
	        IHostMemoryManager_QueryInterface(manager, &IID_IFencepostMalloc, &out),
	        E_NOINTERFACE);
	ck_assert_ptr_null(out);
}
END_TEST

START_TEST(realloc_moves_what_the_block_holds)
{
	char *block = alloc(100);
	void *out = NULL;

	memset(block, 'x', 100);
	ck_assert_int_eq(
	        IFencepostMalloc_Realloc(extended, block, 10000, eProcessCritical, &out), S_OK);
	ck_assert_ptr_ne(out, block);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(((char *)out)[i], 'x');
	block = out;
	ck_assert_int_eq(IFencepostMalloc_Realloc(extended, block, 7, eTaskCritical, &out),
	                 S_OK);
	ck_assert_mem_eq(out, "xxxxxxx", 7);
	block = out;
	ck_assert_int_eq(IFencepostMalloc_Realloc(extended, block, 0, eTaskCritical, &out),
	                 S_OK);
	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(IHostMalloc_Free(heap, out), S_OK);
	ck_assert_int_eq(IFencepostMalloc_Realloc(extended, NULL, 7, eTaskCritical, &out),
	                 S_OK);
	ck_assert_int_eq(IHostMalloc_Free(heap, out), S_OK);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

START_TEST(a_refused_realloc_changes_nothing)
{
	IHostMalloc *other = create(MALLOC_THREADSAFE);
	char *block = alloc(100);
	void *out = block;
	SIZE_T size;

	memset(block, 'x', 100);
	ck_assert_int_eq(IFencepostMalloc_Realloc(extended, block, 1, eTaskCritical, NULL),
	                 E_POINTER);
	ck_assert_int_eq(
	        IFencepostMalloc_Realloc(extended, block, (SIZE_T)1 << 47, eTaskCritical, &out),
	        E_OUTOFMEMORY);
	ck_assert_ptr_null(out);
	ck_assert_uint_eq(fp_finding_count(), 1);
	out = block;
	ck_assert_int_eq(
	        IFencepostMalloc_Realloc(extended, block + 1, 200, eTaskCritical, &out),
	        HOST_E_INVALIDOPERATION);
	ck_assert_ptr_null(out);
	out = block;
	ck_assert_int_eq(
	        IFencepostMalloc_Realloc(extension_of(other), block, 200, eTaskCritical, &out),
	        HOST_E_INVALIDOPERATION);
	ck_assert_ptr_null(out);
	ck_assert_uint_eq(fp_finding_count(), 3);
	ck_assert_int_eq(IFencepostMalloc_GetSize(extended, block, &size), S_OK);
	ck_assert_uint_eq(size, 100);
	ck_assert_int_eq(block[99], 'x');
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	ck_assert_int_eq(IFencepostMalloc_Realloc(extended, block, 200, eTaskCritical, &out),
	                 HOST_E_INVALIDOPERATION);
	ck_assert_uint_eq(fp_finding_count(), 4);
}
END_TEST

START_TEST(questions_make_no_findings)
{
	char *block = alloc(100);
	IFencepostMalloc *other = extension_of(create(0));
	SIZE_T size = 7;

	errno = 4242;
	ck_assert_int_eq(IFencepostMalloc_GetSize(extended, block, NULL), E_POINTER);
	ck_assert_int_eq(IFencepostMalloc_GetSize(extended, block, &size), S_OK);
	ck_assert_uint_eq(size, 100);
	ck_assert_int_eq(IFencepostMalloc_DidAlloc(extended, block), S_OK);
	const void *const strangers[] = {NULL, block + 1, block - 1, &size, extended};
	for (size_t i = 0; i < 5; i++) {
		void *stranger = (void *)(uintptr_t)strangers[i];

		size = 7;
		ck_assert_int_eq(IFencepostMalloc_GetSize(extended, stranger, &size),
		                 HOST_E_INVALIDOPERATION);
		ck_assert_uint_eq(size, 0);
		ck_assert_int_eq(IFencepostMalloc_DidAlloc(extended, stranger), S_FALSE);
	}
	ck_assert_int_eq(IFencepostMalloc_GetSize(other, block, &size),
	                 HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(IFencepostMalloc_DidAlloc(other, block), S_FALSE);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	ck_assert_int_eq(IFencepostMalloc_DidAlloc(extended, block), S_FALSE);
	ck_assert_int_eq(errno, 4242);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

/* ---- Whose a pointer is ---------------------------------------------------------------------
 */

static const char *const settings[] = {
        "backend=move", "backend=guard",   "backend=mprotect",
        "backend=none", "max_memory=4096", /* padded blocks */
        "align=auto",   "seal_batch=64",
};
enum { SETTINGS = sizeof(settings) / sizeof(settings[0]), PADDED = 4 };

/* Whether this kernel has the back end: the others need nothing of it. */
static bool set_up_as(const char *setting)
{
	char options[64];

	snprintf(options, sizeof(options), "reporter=/bin/true:%s", setting);
	if (fp_create_memory_manager(options, &manager) != S_OK) {
		ck_assert_msg(setting[8] == 'm' || setting[8] == 'g', "%s is refused", setting);
		printf("SKIPPED: %s\n", setting);
		return false;
	}
	heap = create(MALLOC_THREADSAFE);
	extended = extension_of(heap);
	return true;
}

static EFencepostPointer identify(const void *pointer)
{
	EFencepostPointer answer = eFencepostForgotten;

	ck_assert_int_eq(
	        IFencepostMalloc_Identify(extended, (void *)(uintptr_t)pointer, &answer), S_OK);
	return answer;
}

START_TEST(a_heap_knows_whose_a_pointer_is)
{
	static char global[16];

	if (!set_up_as(settings[_i]))
		return;
	IHostMalloc *other = create(0);
	void *theirs = NULL, *region = NULL;
	void *foreign = malloc(100);
	char *block = alloc(100);
	char *empty = alloc(0);

	ck_assert_int_eq(IHostMalloc_Alloc(other, 100, eTaskCritical, &theirs), S_OK);
	ck_assert_int_eq(
	        IHostMemoryManager_VirtualAlloc(manager, NULL, 100, MEM_RESERVE | MEM_COMMIT,
	                                        PAGE_READWRITE, eTaskCritical, &region),
	        S_OK);
	errno = 4242;
	ck_assert_int_eq(identify(block), eFencepostLive);
	ck_assert_int_eq(identify(empty), eFencepostLive);
	ck_assert_int_eq(identify(block + 50), eFencepostInside);
	ck_assert_int_eq(identify(block + 100), eFencepostInside);
	ck_assert_int_eq(identify(theirs), eFencepostOther);
	ck_assert_int_eq(identify((char *)theirs + 8), eFencepostOther);
	const void *const strangers[] = {NULL,
	                                 foreign,
	                                 &global,
	                                 &strangers,
	                                 region,
	                                 heap,
	                                 (void *)1,
	                                 (void *)-1,
	                                 (void *)(uintptr_t)identify,
	                                 (void *)~(~(uintptr_t)0 >> 1)};
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		ck_assert_int_eq(identify(strangers[i]), eFencepostForeign);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	ck_assert_int_eq(IHostMalloc_Free(other, theirs), S_OK);
	ck_assert_int_eq(identify(block), eFencepostFreed);
	ck_assert_int_eq(identify(block + 50), eFencepostInside);
	ck_assert_int_eq(identify(theirs), eFencepostOther);
	ck_assert_int_eq(errno, 4242);
	ck_assert_uint_eq(fp_finding_count(), 0);
	free(foreign);
}
END_TEST

/* Of guarded blocks no memory is handed out twice; of padded ones the answer is the new one's.
 */
START_TEST(a_freed_block_is_known_until_its_memory_is_another_block)
{
	enum { BLOCKS = 500 };
	char *blocks[BLOCKS];

	if (!set_up_as(settings[_i]))
		return;
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = alloc(100);
		ck_assert_int_eq(IHostMalloc_Free(heap, blocks[i]), S_OK);
	}
	for (int i = 0; i < BLOCKS && _i != PADDED; i++)
		ck_assert_int_eq(identify(blocks[i]), eFencepostFreed);
	for (int i = 0; i < BLOCKS; i++) {
		char *block = alloc(100);

		ck_assert_int_eq(identify(block), eFencepostLive);
		ck_assert_int_eq(identify(block + 1), eFencepostInside);
	}
	ck_assert_int_ne(identify(blocks[0]), eFencepostForeign);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

/* Its record is gone, but the memory is no libc's. */
START_TEST(a_block_whose_record_was_dropped_is_forgotten)
{
	if (!set_up_as("history=0"))
		return;
	char *first = alloc(100);

	ck_assert_int_eq(IHostMalloc_Free(heap, first), S_OK);
	for (int i = 0; i < 100000 && identify(first) == eFencepostFreed; i++)
		ck_assert_int_eq(IHostMalloc_Free(heap, alloc(100)), S_OK);
	ck_assert_int_eq(identify(first), eFencepostForgotten);
	ck_assert_int_eq(IHostMalloc_Free(heap, first), HOST_E_INVALIDOPERATION);
}
END_TEST

/* What an adapter does that is given others' blocks, too: each of four threads frees its own,
 * and passes libc's on. */
static void free_as_adapter(unsigned index, void *user)
{
	_Atomic unsigned *bad = user;

	for (int i = 0; i < 500; i++) {
		bool is_foreign = ((unsigned)i + index) % 3 == 0;
		EFencepostPointer what = eFencepostForgotten;
		void *block = NULL;

		if (is_foreign)
			block = malloc(20);
		else
			*bad += IHostMalloc_Alloc(heap, 20, eTaskCritical, &block) != S_OK;
		*bad += IFencepostMalloc_Identify(extended, block, &what) != S_OK ||
		        what != (is_foreign ? eFencepostForeign : eFencepostLive);
		if (what == eFencepostForeign)
			free(block);
		else
			*bad += IHostMalloc_Free(heap, block) != S_OK;
		if (!is_foreign)
			*bad += IFencepostMalloc_Identify(extended, block, &what) != S_OK ||
			        what != eFencepostFreed;
	}
}

START_TEST(an_adapter_tells_its_blocks_from_those_of_libc)
{
	_Atomic unsigned bad = 0;

	test_run_threads(4, free_as_adapter, &bad);
	ck_assert_uint_eq(bad, 0);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

START_TEST(a_question_needs_somewhere_for_the_answer)
{
	EFencepostPointer answer = eFencepostLive;
	char *block = alloc(10);

	ck_assert_int_eq(IFencepostMalloc_Identify(extended, block, NULL), E_POINTER);
	ck_assert_uint_eq(fp_finding_count(), 0);
	ck_assert_uint_eq(IHostMalloc_Release(heap), 0);
	ck_assert_int_eq(IFencepostMalloc_Identify(extended, block, &answer),
	                 HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(answer, eFencepostForeign);
	/* One for what the heap still held. */
	ck_assert_uint_eq(fp_finding_count(), 2);
}
END_TEST

START_TEST(damage_is_found_when_asked_for_and_once)
{
	char *damaged = alloc(100);
	char *whole = alloc(100);

	ck_assert_int_eq(IFencepostMalloc_Check(extended, NULL), S_OK);
	damaged[100] = 1;
	ck_assert_int_eq(IFencepostMalloc_Check(extended, whole), S_OK);
	ck_assert_uint_eq(fp_finding_count(), 0);
	ck_assert_int_eq(IFencepostMalloc_Check(extended, damaged), HOST_E_INVALIDOPERATION);
	ck_assert_uint_eq(fp_finding_count(), 1);
	ck_assert_int_eq(IFencepostMalloc_Check(extended, damaged), S_OK);
	damaged[101] = 1;
	ck_assert_int_eq(IFencepostMalloc_Check(extended, NULL), HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(IFencepostMalloc_Check(extended, NULL), S_OK);
	ck_assert_int_eq(IFencepostMalloc_Check(extended, damaged + 1),
	                 HOST_E_INVALIDOPERATION);
	ck_assert_uint_eq(fp_finding_count(), 2);
}
END_TEST

struct seen {
	size_t count;
	size_t bytes;
	size_t stop_at;
};

static bool see(const struct FencepostBlock *block, void *user)
{
	struct seen *seen = user;

	if (block->level != eAppDomainCritical || block->thread == 0 || block->serial == 0)
		return false;
	seen->count++;
	seen->bytes += block->size;
	/* The walk is over what lived when it began: freeing is fine. */
	if (IHostMalloc_Free(heap, block->address) != S_OK)
		return false;
	return seen->count != seen->stop_at;
}

START_TEST(a_walk_sees_every_live_block_of_the_heap)
{
	IHostMalloc *other = create(MALLOC_THREADSAFE);
	struct seen seen = {0};
	void *block;

	ck_assert_int_eq(IFencepostMalloc_Walk(extended, NULL, NULL), E_POINTER);
	ck_assert_int_eq(IFencepostMalloc_Walk(extended, see, &seen), S_OK);
	ck_assert_uint_eq(seen.count, 0);
	for (size_t i = 1; i <= 1000; i++) {
		ck_assert_int_eq(IHostMalloc_Alloc(heap, i, eAppDomainCritical, &block), S_OK);
		ck_assert_int_eq(IHostMalloc_Alloc(other, i, eTaskCritical, &block), S_OK);
	}
	seen.stop_at = 1;
	ck_assert_int_eq(IFencepostMalloc_Walk(extended, see, &seen), S_OK);
	ck_assert_uint_eq(seen.count, 1);
	ck_assert_int_eq(IFencepostMalloc_Walk(extended, see, &seen), S_OK);
	ck_assert_uint_eq(seen.count, 1000);
	ck_assert_uint_eq(seen.bytes, 500500);
	seen.count = 0;
	ck_assert_int_eq(IFencepostMalloc_Walk(extended, see, &seen), S_OK);
	ck_assert_uint_eq(seen.count, 0);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

/* For both kinds of heap: a lock is taken as often as wished and given back as often. */
START_TEST(a_lock_nests)
{
	IHostMalloc *created = create(_i == 0 ? 0 : MALLOC_THREADSAFE);
	IFencepostMalloc *locked = extension_of(created);
	void *block;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(IFencepostMalloc_Lock(locked), S_OK);
	ck_assert_int_eq(IHostMalloc_Alloc(created, 1, eTaskCritical, &block), S_OK);
	ck_assert_int_eq(IHostMalloc_Free(created, block), S_OK);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(IFencepostMalloc_Unlock(locked), S_OK);
	ck_assert_uint_eq(fp_finding_count(), 0);
	ck_assert_int_eq(IFencepostMalloc_Unlock(locked), HOST_E_NOT_OWNER);
	ck_assert_uint_eq(fp_finding_count(), 1);
	ck_assert_int_eq(IHostMalloc_Alloc(created, 1, eTaskCritical, &block), S_OK);
}
END_TEST

static void lock_and_count(unsigned index, void *user)
{
	unsigned *count = user;

	(void)index;
	for (int i = 0; i < 200; i++) {
		if (IFencepostMalloc_Lock(extended) != S_OK)
			return;
		unsigned seen = *(volatile unsigned *)count;
		void *block = NULL;
		IHostMalloc_Alloc(heap, 10, eTaskCritical, &block);
		IHostMalloc_Free(heap, block);
		*(volatile unsigned *)count = seen + 1;
		IFencepostMalloc_Unlock(extended);
	}
}

START_TEST(a_lock_keeps_threads_apart)
{
	unsigned count = 0;

	test_run_threads(4, lock_and_count, &count);
	ck_assert_uint_eq(count, 800);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

START_TEST(a_released_heap_answers_no_question)
{
	char *block = alloc(10);
	void *out = block;
	SIZE_T size = 7;

	ck_assert_uint_eq(IHostMalloc_Release(heap), 0);
	ck_assert_int_eq(IFencepostMalloc_Realloc(extended, block, 1, eTaskCritical, &out),
	                 HOST_E_INVALIDOPERATION);
	ck_assert_ptr_null(out);
	ck_assert_int_eq(IFencepostMalloc_GetSize(extended, block, &size),
	                 HOST_E_INVALIDOPERATION);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(IFencepostMalloc_DidAlloc(extended, block), HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(IFencepostMalloc_Check(extended, NULL), HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(IFencepostMalloc_Lock(extended), HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(IFencepostMalloc_Walk(extended, see, NULL), HOST_E_INVALIDOPERATION);
	/* One of them for what the heap still held. */
	ck_assert_uint_eq(fp_finding_count(), 7);
}
END_TEST

/* ---- Mistakes of published hosts -----------------------------------------------------------
 *
 * Not freed by the caller's reference count: "CreateMalloc returns an object with count 0",
 * "the count is never initialised".
 */
START_TEST(a_new_heap_has_one_reference)
{
	for (int i = 0; i < 10; i++) {
		IHostMalloc *created = create(MALLOC_THREADSAFE);

		ck_assert_uint_eq(IHostMalloc_AddRef(created), 2);
		ck_assert_uint_eq(IHostMalloc_Release(created), 1);
		ck_assert_uint_eq(IHostMalloc_Release(created), 0);
	}
}
END_TEST

/* "Heaps live in a vector by value": its growth moved those that were handed out. */
START_TEST(a_heap_stays_where_it_is_whatever_is_created_after_it)
{
	char *block = alloc(10);

	for (int i = 0; i < 2000; i++)
		create(MALLOC_THREADSAFE);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	ck_assert_ptr_eq(extension_of(heap), extended);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

/* "a ? 0 : X | b ? Y : 0": a precedence that lost the flags. */
START_TEST(each_flag_does_its_own_thing)
{
	IFencepostMalloc *alone = extension_of(create(MALLOC_EXECUTABLE));

	ck_assert_int_eq(IFencepostMalloc_Lock(alone), S_OK);
	ck_assert_int_eq(IFencepostMalloc_Unlock(alone), S_OK);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

/* "The out pointer itself is tested, not what it points to", and "a failing call leaves it". */
START_TEST(what_is_refused_leaves_null_and_says_so)
{
	void *out = heap;

	ck_assert_int_eq(IHostMalloc_Alloc(heap, (SIZE_T)1 << 47, eTaskCritical, &out),
	                 E_OUTOFMEMORY);
	ck_assert_ptr_null(out);
	out = heap;
	ck_assert_int_eq(IHostMalloc_QueryInterface(heap, &IID_IHostControl, &out),
	                 E_NOINTERFACE);
	ck_assert_ptr_null(out);
}
END_TEST

/* "Free answers E_OUTOFMEMORY, or E_FAIL, or S_OK for a bad pointer"; "the unknown pointer is
 * still passed on". */
START_TEST(a_bad_pointer_is_an_invalid_operation_and_nothing_else)
{
	void *foreign = malloc(10);
	char *block = alloc(10);

	ck_assert_int_eq(IHostMalloc_Free(heap, foreign), HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(IHostMalloc_Free(heap, block + 8), HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(IHostMalloc_Free(heap, heap), HOST_E_INVALIDOPERATION);
	free(foreign);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
}
END_TEST

/* "DebugAlloc is E_NOTIMPL", "DebugAlloc is not tracked". */
START_TEST(debug_alloc_makes_blocks_like_any_other)
{
	char file[] = "engine.c";
	struct fp_block_info info;
	void *block = NULL;

	ck_assert_int_eq(IHostMalloc_DebugAlloc(heap, 33, eTaskCritical, file, 3, &block),
	                 S_OK);
	strcpy(file, "gone");
	ck_assert(fp_describe(block, &info) && info.is_live && info.size == 33);
	ck_assert_int_eq(IFencepostMalloc_DidAlloc(extended, block), S_OK);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	ck_assert(fp_describe(block, &info) && !info.is_live);
}
END_TEST

/* "The accounts are made after the block went back": its address was another's by then. */
static void count_up_and_down(unsigned index, void *user)
{
	_Atomic unsigned *bad = user;

	for (int i = 0; i < 2000; i++) {
		void *block = NULL;
		SIZE_T size = 0;
		SIZE_T wanted = index * 16 + 1;

		if (IHostMalloc_Alloc(heap, wanted, eTaskCritical, &block) != S_OK ||
		    IFencepostMalloc_GetSize(extended, block, &size) != S_OK ||
		    size != wanted || IHostMalloc_Free(heap, block) != S_OK)
			++*bad;
	}
}

START_TEST(eight_threads_never_see_the_block_of_another)
{
	_Atomic unsigned bad = 0;
	struct seen seen = {0};

	test_run_threads(8, count_up_and_down, &bad);
	ck_assert_uint_eq(bad, 0);
	ck_assert_int_eq(IFencepostMalloc_Walk(extended, see, &seen), S_OK);
	ck_assert_uint_eq(seen.count, 0);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosting: extension");
	TCase *tests = tcase_create("extension");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, the_extension_is_the_heap);
	tcase_add_test(tests, realloc_moves_what_the_block_holds);
	tcase_add_test(tests, a_refused_realloc_changes_nothing);
	tcase_add_test(tests, questions_make_no_findings);
	tcase_add_test(tests, an_adapter_tells_its_blocks_from_those_of_libc);
	tcase_add_test(tests, a_question_needs_somewhere_for_the_answer);
	tcase_add_test(tests, damage_is_found_when_asked_for_and_once);
	tcase_add_test(tests, a_walk_sees_every_live_block_of_the_heap);
	tcase_add_loop_test(tests, a_lock_nests, 0, 2);
	tcase_add_test(tests, a_lock_keeps_threads_apart);
	tcase_add_test(tests, a_released_heap_answers_no_question);
	tcase_add_test(tests, a_new_heap_has_one_reference);
	tcase_add_test(tests, a_heap_stays_where_it_is_whatever_is_created_after_it);
	tcase_add_test(tests, each_flag_does_its_own_thing);
	tcase_add_test(tests, what_is_refused_leaves_null_and_says_so);
	tcase_add_test(tests, a_bad_pointer_is_an_invalid_operation_and_nothing_else);
	tcase_add_test(tests, debug_alloc_makes_blocks_like_any_other);
	tcase_add_test(tests, eight_threads_never_see_the_block_of_another);
	suite_add_tcase(suite, tests);
	tests = tcase_create("each setting");
	tcase_add_loop_test(tests, a_heap_knows_whose_a_pointer_is, 0, SETTINGS);
	tcase_add_loop_test(tests, a_freed_block_is_known_until_its_memory_is_another_block, 0,
	                    SETTINGS);
	tcase_add_test(tests, a_block_whose_record_was_dropped_is_forgotten);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
