/* SPDX-License-Identifier: Apache-2.0
 *
 * <fencepost/fencepost.h> from inside a host: the one session, descriptions of addresses, the
 * callback, and reports on demand. Each test is a process of its own.
 */
#define COBJMACROS
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fencepost/fencepost.h>

static IHostMemoryManager *create_manager(void)
{
	IHostMemoryManager *manager = NULL;

	ck_assert_int_eq(fp_create_memory_manager(NULL, &manager), S_OK);
	ck_assert_ptr_nonnull(manager);
	return manager;
}

static IHostMalloc *create_heap(void)
{
	IHostMalloc *heap = NULL;

	ck_assert_int_eq(IHostMemoryManager_CreateMalloc(create_manager(), 0, &heap), S_OK);
	return heap;
}

static char *allocate(IHostMalloc *heap, size_t size)
{
	void *block = NULL;

	ck_assert_int_eq(IHostMalloc_Alloc(heap, size, eTaskCritical, &block), S_OK);
	return block;
}

/* ---- The session ------------------------------------------------------------------------ */

START_TEST(test_nothing_is_known_without_a_session)
{
	struct fp_block_info info = {.size = 7};
	char text[8] = "before";

	ck_assert_uint_eq(fp_finding_count(), 0);
	ck_assert(!fp_has_new_leaks(text, sizeof(text)));
	ck_assert_str_eq(text, "");
	ck_assert(!fp_has_new_leaks(NULL, 0));
	ck_assert_uint_eq(fp_check_heap(), 0);
	ck_assert(!fp_describe(&info, &info));
	ck_assert_uint_eq(info.size, 7);
	ck_assert_int_eq(fp_write_report(STDERR_FILENO, "text"), -ENODEV);
	ck_assert_int_eq(fp_write_report(STDERR_FILENO, "prose"), -EINVAL);
	ck_assert_int_eq(fp_write_report(STDERR_FILENO, NULL), -EINVAL);
	ck_assert_int_eq(fp_write_report(-1, "text"), -EBADF);
}
END_TEST

START_TEST(test_refusals_leave_nothing_behind)
{
	IHostMemoryManager *manager = (IHostMemoryManager *)&manager;

	errno = ENOTTY;
	ck_assert_int_eq(fp_create_memory_manager(NULL, NULL), E_POINTER);
	ck_assert_int_eq(fp_create_memory_manager("align=3", &manager), E_INVALIDARG);
	ck_assert_ptr_null(manager);
	ck_assert_int_eq(fp_create_memory_manager("align=8", &manager), S_OK);
	ck_assert_ptr_nonnull(manager);
	ck_assert_int_eq(errno, ENOTTY);
}
END_TEST

START_TEST(test_first_call_fixes_the_options)
{
	IHostMemoryManager *first = NULL;
	IHostMemoryManager *manager = NULL;

	ck_assert_int_eq(fp_create_memory_manager("align=8", &first), S_OK);
	ck_assert_int_eq(fp_create_memory_manager("align=8", &manager), S_OK);
	ck_assert_ptr_nonnull(manager);
	ck_assert_int_eq(fp_create_memory_manager(NULL, &manager), S_OK);
	ck_assert_int_eq(fp_create_memory_manager("align=16", &manager), E_INVALIDARG);
	ck_assert_ptr_null(manager);
}
END_TEST

START_TEST(test_environment_overrides_single_keys)
{
	IHostMemoryManager *manager = NULL;
	IHostMalloc *heap = NULL;
	char *block;

	setenv("FENCEPOST_OPTIONS", "align=1:log=/dev/null", 1);
	ck_assert_int_eq(fp_create_memory_manager("align=8:placement=right", &manager), S_OK);
	ck_assert_int_eq(IHostMemoryManager_CreateMalloc(manager, 0, &heap), S_OK);
	block = allocate(heap, 13);
	ck_assert_uint_eq((uintptr_t)(block + 13) % (size_t)sysconf(_SC_PAGESIZE), 0);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
}
END_TEST

/* ---- Descriptions ----------------------------------------------------------------------- */

static void check_description(const char *address, ptrdiff_t offset, const char *block)
{
	struct fp_block_info info;

	ck_assert(fp_describe(address, &info));
	ck_assert_ptr_eq(info.address, block);
	ck_assert_int_eq(info.offset, offset);
	ck_assert_uint_eq(info.size, 100);
	ck_assert_uint_eq(info.heap, 1);
	ck_assert_str_eq(info.family, "host");
	ck_assert_uint_eq(info.alloc_thread, (uint32_t)gettid());
	ck_assert_uint_eq(info.free_thread, info.is_live ? 0 : info.alloc_thread);
}

START_TEST(test_live_block_is_described)
{
	IHostMalloc *heap = create_heap();
	char *block = allocate(heap, 100);
	struct fp_block_info info;

	check_description(block, 0, block);
	check_description(block + 99, 99, block);
	check_description(block + 100, 100, block);
	check_description(block - 1, -1, block);
	ck_assert(fp_describe(block, &info));
	ck_assert(info.is_live);
	ck_assert_uint_eq(info.serial, 1);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
}
END_TEST

START_TEST(test_freed_block_is_described)
{
	IHostMalloc *heap = create_heap();
	char *block = allocate(heap, 100);
	struct fp_block_info info;

	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	check_description(block + 8, 8, block);
	ck_assert(fp_describe(block, &info));
	ck_assert(!info.is_live);
}
END_TEST

START_TEST(test_other_memory_is_not_described)
{
	struct fp_block_info info = {.size = 7};
	void *mine = malloc(10);

	create_heap();
	ck_assert(!fp_describe(&info, &info));
	ck_assert(!fp_describe(mine, &info));
	ck_assert(!fp_describe(NULL, &info));
	ck_assert(!fp_describe((void *)UINTPTR_MAX, &info));
	ck_assert_uint_eq(info.size, 7);
	free(mine);
}
END_TEST

/* ---- Findings --------------------------------------------------------------------------- */

struct seen {
	int calls;
	struct fp_finding_event event;
};

static void note_finding(const struct fp_finding_event *event, void *user)
{
	struct seen *seen = user;

	seen->calls++;
	seen->event = *event;
}

static void free_again(IHostMalloc *heap, void *block)
{
	ck_assert_int_eq(IHostMalloc_Free(heap, block), HOST_E_INVALIDOPERATION);
}

START_TEST(test_callback_gets_each_distinct_finding_once)
{
	IHostMalloc *heap = create_heap();
	char *block = allocate(heap, 24);
	struct seen seen = {0};

	fp_set_finding_callback(note_finding, &seen);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	for (volatile int i = 0; i < 10; i++) /* not unrolled into ten places */
		free_again(heap, block);
	ck_assert_int_eq(seen.calls, 1);
	ck_assert_uint_eq(fp_finding_count(), 1);
	ck_assert_str_eq(seen.event.kind, "double-free");
	ck_assert_ptr_eq(seen.event.address, block);
	ck_assert_uint_eq(seen.event.thread, (uint32_t)gettid());
	ck_assert(seen.event.has_block && !seen.event.block.is_live);
	ck_assert_ptr_eq(seen.event.block.address, block);
	ck_assert_uint_eq(seen.event.block.size, 24);

	free_again(heap, &seen);
	ck_assert_int_eq(seen.calls, 2);
	ck_assert_str_eq(seen.event.kind, "invalid-free");
	ck_assert(!seen.event.has_block);

	fp_set_finding_callback(NULL, NULL);
	free_again(heap, &block);
	ck_assert_int_eq(seen.calls, 2);
	ck_assert_uint_eq(fp_finding_count(), 3);
}
END_TEST

START_TEST(test_damaged_padding_is_found_on_demand)
{
	IHostMalloc *heap = create_heap();
	char *block = allocate(heap, 20);
	struct seen seen = {0};

	fp_set_finding_callback(note_finding, &seen);
	ck_assert_uint_eq(fp_check_heap(), 0);
	block[-1] = 'x';
	block[20] = 'x';
	ck_assert_uint_eq(fp_check_heap(), 1);
	ck_assert_int_eq(seen.calls, 2);
	ck_assert_uint_eq(fp_check_heap(), 0);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	ck_assert_int_eq(seen.calls, 2);
}
END_TEST

/* ---- Reports on demand --------------------------------------------------------------------
 */

static char *report(const char *format)
{
	int fd = memfd_create("report", 0);
	off_t length;
	char *text;

	ck_assert_int_eq(fp_write_report(fd, format), 0);
	length = lseek(fd, 0, SEEK_END);
	text = calloc(1, (size_t)length + 1);
	ck_assert_int_eq(pread(fd, text, (size_t)length, 0), length);
	close(fd);
	return text;
}

static void check_report(const char *format, const char *expected)
{
	char *text = report(format);

	ck_assert_msg(strstr(text, expected) != NULL, "no \"%s\" in: %s", expected, text);
	free(text);
}

START_TEST(test_report_while_the_process_goes_on)
{
	IHostMalloc *heap = create_heap();
	char *block = allocate(heap, 24);
	char *other = allocate(heap, 4321);

	check_report("json", "\"findings\": []");
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	free_again(heap, block);
	check_report("text", "double-free");
	check_report("json", "double-free");
	check_report("json", "4321");
	ck_assert_int_eq(IHostMalloc_Free(heap, other), S_OK);
	check_report("json", "\"leaks\": []");
	ck_assert_int_eq(fp_write_report(STDERR_FILENO, "pdf"), -EINVAL);
}
END_TEST

/* ---- Leaks since a mark -------------------------------------------------------------------
 */

/* Not on the stack of whoever looks. */
static void *lose_one(void *heap)
{
	void *block = allocate(heap, 4321);

	(void)block;
	return NULL;
}

static void lose(IHostMalloc *heap)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, lose_one, heap), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

START_TEST(test_new_leaks_are_told_once)
{
	IHostMalloc *heap = create_heap();
	char text[1000];
	char small[10];

	lose(heap);
	ck_assert(fp_has_new_leaks(NULL, 0));
	ck_assert(!fp_has_new_leaks(text, sizeof(text)));
	ck_assert_str_eq(text, "");
	lose(heap);
	ck_assert(fp_has_new_leaks(text, sizeof(text)));
	ck_assert_ptr_nonnull(strstr(text, "leak of 4,321 bytes in 1 block at "));
	ck_assert(!fp_has_new_leaks(text, sizeof(text)));
	lose(heap);
	ck_assert(fp_has_new_leaks(small, sizeof(small)));
	ck_assert_str_eq(small, "fencepost");
	ck_assert_uint_eq(fp_check_leaks(), 3);
}
END_TEST

START_TEST(test_new_leaks_are_counted_without_the_reporter)
{
	setenv("FENCEPOST_OPTIONS", "log=/dev/null:reporter=/bin/false", 1);
	IHostMalloc *heap = create_heap();
	char text[1000];

	lose(heap);
	ck_assert(fp_has_new_leaks(text, sizeof(text)));
	ck_assert_ptr_nonnull(strstr(text, "1 block was lost"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fencepost.h");
	TCase *tcase = tcase_create("api");
	SRunner *runner = srunner_create(suite);
	int failed;

	setenv("FENCEPOST_OPTIONS", "log=/dev/null", 1);
	tcase_add_test(tcase, test_nothing_is_known_without_a_session);
	tcase_add_test(tcase, test_refusals_leave_nothing_behind);
	tcase_add_test(tcase, test_new_leaks_are_told_once);
	tcase_add_test(tcase, test_new_leaks_are_counted_without_the_reporter);
	tcase_add_test(tcase, test_first_call_fixes_the_options);
	tcase_add_test(tcase, test_environment_overrides_single_keys);
	tcase_add_test(tcase, test_live_block_is_described);
	tcase_add_test(tcase, test_freed_block_is_described);
	tcase_add_test(tcase, test_other_memory_is_not_described);
	tcase_add_test(tcase, test_callback_gets_each_distinct_finding_once);
	tcase_add_test(tcase, test_damaged_padding_is_found_on_demand);
	tcase_add_test(tcase, test_report_while_the_process_goes_on);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
