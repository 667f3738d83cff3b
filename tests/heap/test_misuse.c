/* SPDX-License-Identifier: Apache-2.0
 *
 * Every misuse of a heap: which finding it is, what it says, that the caller is told, and that
 * the heap goes on as if nothing had been.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/thread.h"
#include "base/vm.h"
#include "heaps.h"
#include "registry/registry.h"
#include "stack/stack.h"

enum { SIZE = 100 };

static struct fp_heap *heap;

static void setup(void)
{
	start_heaps(-1, 16, FP_PLACEMENT_RIGHT);
	heap = new_heap();
}

static void expect_usable(void)
{
	ck_assert_int_eq(give(heap, take(heap, SIZE)), 0);
	expect_no_finding();
}

/* What every finding of a call says. */
static void expect_told(const struct fp_finding *finding, const void *address)
{
	char name[16];

	ck_assert_uint_eq(finding->address, (uintptr_t)address);
	ck_assert(finding->has_hresult);
	ck_assert_int_eq(finding->hresult, MISUSE);
	ck_assert_uint_eq(finding->thread, fp_thread_self());
	fp_thread_name(name);
	ck_assert_str_eq(finding->thread_name, name);
	ck_assert_uint_ne(finding->trace, FP_TRACE_NONE);
}

static void expect_block(const struct fp_finding *finding, const char *block, int64_t offset)
{
	const char *file;
	int line;

	ck_assert(finding->has_block);
	ck_assert_uint_eq(finding->block.address, (uintptr_t)block);
	ck_assert_uint_eq(finding->block.size, SIZE);
	ck_assert_uint_eq(finding->block.heap, 1);
	ck_assert_uint_eq(finding->block.family, FP_FAMILY_HOST);
	ck_assert_uint_eq(finding->block.level, FP_LEVEL_APPDOMAIN);
	ck_assert_uint_eq(finding->block.alloc_thread, fp_thread_self());
	ck_assert_uint_ne(finding->block.alloc_trace, FP_TRACE_NONE);
	ck_assert_int_eq(finding->offset, offset);
	ck_assert(fp_stack_site(finding->block.site, &file, &line));
	ck_assert_str_eq(file, "engine.c");
	ck_assert_int_eq(line, 77);
}

/* ---- Blocks ---------------------------------------------------------------------------- */

START_TEST(a_double_free_names_both_frees)
{
	char *block = take(heap, SIZE);

	ck_assert_int_eq(give(heap, block), 0);
	ck_assert_int_eq(give(heap, block), -EPERM);
	const struct fp_finding *finding = expect_finding(FP_FINDING_DOUBLE_FREE);
	expect_told(finding, block);
	expect_block(finding, block, 0);
	ck_assert_int_eq(finding->access, FP_ACCESS_FREE);
	ck_assert_uint_eq(finding->block.state, FP_BLOCK_FREED);
	ck_assert_uint_ne(finding->block.free_trace, FP_TRACE_NONE);
	ck_assert_uint_ne(finding->block.free_trace, finding->trace);
	ck_assert_uint_eq(finding->block.free_thread, fp_thread_self());
	ck_assert_str_eq(finding->description, "the block was freed before");
	expect_usable();
}
END_TEST

/* One place in the program: a loop that the compiler cannot unroll. */
static volatile int repetitions = 100;

START_TEST(misuse_repeated_is_found_and_refused_each_time)
{
	char *block = take(heap, SIZE);

	ck_assert_int_eq(give(heap, block), 0);
	for (int i = 0; i < repetitions; i++)
		ck_assert_int_eq(give(heap, block), -EPERM);
	ck_assert_uint_eq(found_count, 100);
	for (int i = 1; i < 100; i++) {
		ck_assert_int_eq(found[i].kind, FP_FINDING_DOUBLE_FREE);
		ck_assert_uint_eq(found[i].trace, found[0].trace);
		ck_assert_uint_eq(found[i].block.serial, found[0].block.serial);
	}
	ck_assert_int_eq(give(heap, take(heap, SIZE)), 0);
	ck_assert_uint_eq(found_count, 100);
}
END_TEST

static const struct {
	int64_t offset;
	const char *description;
} positions[] = {
        {1, "the pointer is 1 byte inside a block of 100 bytes, not its start"},
        {8, "the pointer is 8 bytes inside a block of 100 bytes, not its start"},
        {99, "the pointer is 99 bytes inside a block of 100 bytes, not its start"},
        {-1, "the pointer is 1 byte before a block of 100 bytes, not its start"},
        {-48, "the pointer is 48 bytes before a block of 100 bytes, not its start"},
        {100, "the pointer is 0 bytes past the end of a block of 100 bytes, not its start"},
        {111, "the pointer is 11 bytes past the end of a block of 100 bytes, not its start"},
        {112, "the pointer is 12 bytes past the end of a block of 100 bytes, not its start"},
        {2000, "the pointer is 1900 bytes past the end of a block of 100 bytes, not its start"},
};

START_TEST(a_pointer_beside_a_blocks_start_is_refused)
{
	char *block = take(heap, SIZE);

	memset(block, 'k', SIZE);
	ck_assert_int_eq(give(heap, block + positions[_i].offset), -EPERM);
	const struct fp_finding *finding = expect_finding(FP_FINDING_INVALID_FREE);
	expect_told(finding, block + positions[_i].offset);
	expect_block(finding, block, positions[_i].offset);
	ck_assert_uint_eq(finding->block.state, FP_BLOCK_LIVE);
	ck_assert_str_eq(finding->description, positions[_i].description);
	ck_assert_int_eq(block[0], 'k');
	ck_assert_int_eq(block[SIZE - 1], 'k');
	ck_assert_int_eq(give(heap, block), 0);
	expect_usable();
}
END_TEST

START_TEST(a_pointer_into_a_freed_block_says_so)
{
	char *block = take(heap, SIZE);

	ck_assert_int_eq(give(heap, block), 0);
	ck_assert_int_eq(give(heap, block + 8), -EPERM);
	const struct fp_finding *finding = expect_finding(FP_FINDING_INVALID_FREE);
	expect_told(finding, block + 8);
	expect_block(finding, block, 8);
	ck_assert_uint_eq(finding->block.state, FP_BLOCK_FREED);
	ck_assert_str_eq(
	        finding->description,
	        "the pointer is 8 bytes inside a block of 100 bytes that was freed before");
	expect_usable();
}
END_TEST

START_TEST(another_heaps_block_stays_that_heaps)
{
	struct fp_heap *other = new_heap();
	char *block = take(heap, SIZE);

	ck_assert_int_eq(give(other, block), -EPERM);
	const struct fp_finding *finding = expect_finding(FP_FINDING_WRONG_HEAP);
	expect_told(finding, block);
	expect_block(finding, block, 0);
	ck_assert_str_eq(finding->description,
	                 "the block belongs to heap 1 and was passed to heap 2");
	block[0] = 'x';
	ck_assert_int_eq(give(heap, block), 0);
	ck_assert_int_eq(give(other, take(other, 1)), 0);
	expect_usable();
}
END_TEST

START_TEST(a_block_too_old_for_the_history_is_still_no_block)
{
	char *block;

	fp_registry_init(0);
	block = take(heap, SIZE);
	ck_assert_int_eq(give(heap, block), 0);
	ck_assert_int_eq(give(heap, block), -EPERM);
	const struct fp_finding *finding = expect_finding(FP_FINDING_DOUBLE_FREE);
	expect_told(finding, block);
	ck_assert(!finding->has_block);
	ck_assert_str_eq(finding->description,
	                 "the block was freed so long ago that its record was dropped; a "
	                 "larger `history` keeps more");
	expect_usable();
}
END_TEST

/* ---- Pointers that never were blocks ----------------------------------------------------- */

static int global_data = 1;
static char global_zeros[1 << 20];
static const int constant_data[64] = {1};

static void expect_foreign(const void *pointer, const char *format, const char *detail)
{
	char wanted[PATH_MAX + 200];
	int used =
	        snprintf(wanted, sizeof(wanted), "the pointer is not a block; it points to ");

	ck_assert_int_eq(give(heap, pointer), -EPERM);
	const struct fp_finding *finding = expect_finding(FP_FINDING_INVALID_FREE);
	expect_told(finding, pointer);
	ck_assert(!finding->has_block);
	snprintf(wanted + used, sizeof(wanted) - (size_t)used, "%s%s", format, detail);
	/* What does not fit a description is cut. */
	wanted[FP_DESCRIPTION_MAX - 1] = '\0';
	ck_assert_str_eq(finding->description, wanted);
	expect_usable();
}

START_TEST(pointers_into_the_program_name_it)
{
	char executable[PATH_MAX] = "";

	ck_assert_int_gt(readlink("/proc/self/exe", executable, sizeof(executable) - 1), 0);
	expect_foreign(&global_data, "a global variable of ", executable);
	expect_foreign(global_zeros + sizeof(global_zeros) / 2, "a global variable of ",
	               executable);
	expect_foreign(&constant_data[1], "constant data of ", executable);
	expect_foreign((const void *)(uintptr_t)&expect_foreign, "code of ", executable);
}
END_TEST

START_TEST(pointers_to_stacks_and_other_memory_say_so)
{
	size_t page = fp_vm_page_size();
	char *memory = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                    -1, 0);
	char *malloced = malloc(10);
	int local = 0;

	ck_assert_int_eq(mprotect(memory + page, 2 * page, PROT_NONE), 0);
	expect_foreign(&local, "the stack of the calling thread", "");
	/* A sanitizer's malloc keeps its memory elsewhere. */
	if (malloced < (char *)sbrk(0))
		expect_foreign(malloced, "memory of the C library's malloc", "");
	expect_foreign(memory, "mapped memory that is no block", "");
	expect_foreign(memory + page, "reserved memory without access", "");
	munmap(memory, 3 * page);
	expect_foreign((void *)(1ULL << 60), "nothing: no memory is mapped there", "");
	expect_foreign((void *)1, "nothing: no memory is mapped there", "");
	expect_foreign((void *)UINTPTR_MAX, "nothing: no memory is mapped there", "");
	free(malloced);
}
END_TEST

/* A slot that no block ever stood in, far ahead of those in use. */
START_TEST(a_slot_never_used_is_no_block)
{
	char *block = take(heap, SIZE);

	ck_assert_int_eq(give(heap, block + 200 * 2 * fp_vm_page_size()), -EPERM);
	const struct fp_finding *finding = expect_finding(FP_FINDING_INVALID_FREE);
	ck_assert(!finding->has_block);
	ck_assert_int_eq(give(heap, block), 0);
	expect_usable();
}
END_TEST

struct stacks {
	char *in_main;
	char *in_thread;
	pthread_barrier_t barrier;
};

static void *lend_stack(void *argument)
{
	struct stacks *stacks = argument;
	char local = 0;

	stacks->in_thread = &local;
	expect_foreign(stacks->in_main, "the stack of the main thread", "");
	pthread_barrier_wait(&stacks->barrier);
	pthread_barrier_wait(&stacks->barrier);
	return NULL;
}

START_TEST(other_threads_stacks_are_told_apart)
{
	char local = 0;
	struct stacks stacks = {.in_main = &local};
	pthread_t thread;

	pthread_barrier_init(&stacks.barrier, NULL, 2);
	ck_assert_int_eq(pthread_create(&thread, NULL, lend_stack, &stacks), 0);
	pthread_barrier_wait(&stacks.barrier);
	expect_foreign(stacks.in_thread, "mapped memory that is no block", "");
	pthread_barrier_wait(&stacks.barrier);
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(no_pointer_is_no_misuse)
{
	ck_assert_int_eq(give(heap, NULL), 0);
	expect_usable();
}
END_TEST

/* ---- Heaps and sizes --------------------------------------------------------------------- */

START_TEST(a_released_heap_answers_every_call_with_a_finding)
{
	const struct fp_heap_request plain = {.size = 1};
	struct fp_heap *other = new_heap();
	char *block = take(heap, SIZE);
	void *none = block;

	fp_heap_release(heap);
	const struct fp_finding *finding = expect_finding(FP_FINDING_HEAP_RELEASED_IN_USE);
	ck_assert(finding->has_block && !finding->has_hresult);
	ck_assert_uint_eq(finding->block.address, (uintptr_t)block);
	ck_assert_int_eq(try_alloc(heap, 1, &none), -EPERM);
	finding = expect_finding(FP_FINDING_USE_AFTER_RELEASE);
	expect_told(finding, NULL);
	ck_assert_str_eq(finding->description,
	                 "DebugAlloc was called on heap 1 after its last Release");
	ck_assert_int_eq(fp_heap_alloc(heap, &plain, &none), -EPERM);
	ck_assert_str_eq(expect_finding(FP_FINDING_USE_AFTER_RELEASE)->description,
	                 "Alloc was called on heap 1 after its last Release");
	ck_assert_int_eq(give(heap, block), -EPERM);
	ck_assert_str_eq(expect_finding(FP_FINDING_USE_AFTER_RELEASE)->description,
	                 "Free was called on heap 1 after its last Release");
	ck_assert_int_eq(give(heap, NULL), -EPERM);
	expect_finding(FP_FINDING_USE_AFTER_RELEASE);
	fp_heap_report_released(heap, "AddRef");
	ck_assert_str_eq(expect_finding(FP_FINDING_USE_AFTER_RELEASE)->description,
	                 "AddRef was called on heap 1 after its last Release");
	/* Its blocks stay valid and stay its own. */
	memset(block, 1, SIZE);
	ck_assert_int_eq(give(other, block), -EPERM);
	expect_finding(FP_FINDING_WRONG_HEAP);
	ck_assert_int_eq(give(other, take(other, 1)), 0);
	expect_no_finding();
}
END_TEST

static const struct {
	size_t size;
	const char *description;
} sizes[] = {
        {SIZE_MAX, "18446744073709551615 bytes were asked for, more than any address space "
                   "holds; as a signed number that is -1"},
        {SIZE_MAX - 4095, "18446744073709547520 bytes were asked for, more than any address "
                          "space holds; as a signed number that is -4096"},
        {(size_t)1 << 63, "9223372036854775808 bytes were asked for, more than any address "
                          "space holds; as a signed number that is -9223372036854775808"},
        {(size_t)1 << 48,
         "281474976710656 bytes were asked for, more than any address space holds"},
        {FP_BLOCK_SIZE_MAX + 1,
         "140737488355329 bytes were asked for, more than any address space holds"},
};

START_TEST(sizes_beyond_any_address_space_are_findings)
{
	void *block = &block;

	ck_assert_int_eq(try_alloc(heap, sizes[_i].size, &block), -ENOMEM);
	const struct fp_finding *finding = expect_finding(FP_FINDING_ALLOCATION_TOO_LARGE);
	ck_assert_int_eq(finding->hresult, NO_MEMORY);
	ck_assert(!finding->has_block);
	ck_assert_int_eq(finding->access, FP_ACCESS_UNKNOWN);
	ck_assert_str_eq(finding->description, sizes[_i].description);
	expect_usable();
}
END_TEST

START_TEST(sizes_that_only_this_machine_lacks_are_told)
{
	void *block = &block;

	ck_assert_int_eq(try_alloc(heap, FP_BLOCK_SIZE_MAX, &block), -ENOMEM);
	ck_assert_int_eq(try_alloc(heap, FP_BLOCK_SIZE_MAX - 5000, &block), -ENOMEM);
	ck_assert_uint_eq(take_shortages(), 2);
	expect_usable();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heap: misuse");
	TCase *tests = tcase_create("misuse");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, a_double_free_names_both_frees);
	tcase_add_test(tests, misuse_repeated_is_found_and_refused_each_time);
	tcase_add_loop_test(tests, a_pointer_beside_a_blocks_start_is_refused, 0,
	                    sizeof(positions) / sizeof(positions[0]));
	tcase_add_test(tests, a_pointer_into_a_freed_block_says_so);
	tcase_add_test(tests, another_heaps_block_stays_that_heaps);
	tcase_add_test(tests, a_block_too_old_for_the_history_is_still_no_block);
	tcase_add_test(tests, pointers_into_the_program_name_it);
	tcase_add_test(tests, pointers_to_stacks_and_other_memory_say_so);
	tcase_add_test(tests, a_slot_never_used_is_no_block);
	tcase_add_test(tests, other_threads_stacks_are_told_apart);
	tcase_add_test(tests, no_pointer_is_no_misuse);
	tcase_add_test(tests, a_released_heap_answers_every_call_with_a_finding);
	tcase_add_loop_test(tests, sizes_beyond_any_address_space_are_findings, 0,
	                    sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_test(tests, sizes_that_only_this_machine_lacks_are_told);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
