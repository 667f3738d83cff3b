/* SPDX-License-Identifier: Apache-2.0
 *
 * The two halves of base that deal in text: the bounded builder with what is said on standard
 * error, and the reader of /proc/self/maps.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/maps.h"
#include "base/pointer.h"
#include "base/text.h"
#include "base/vm.h"
#include "base/write.h"
#include "support/support.h"

/* ---- text.h -------------------------------------------------------------------------- */

START_TEST(numbers_are_written_in_full)
{
	char buffer[256];
	struct fp_text text;

	fp_text_begin(&text, buffer, sizeof(buffer));
	ck_assert_str_eq(buffer, "");
	fp_text_print(&text, "%ld %ld %d %ld %lu %u %#lx %#lx ", INT64_MIN, INT64_MAX, -1,
	              (int64_t)0, UINT64_MAX, 0, (uint64_t)0, UINT64_MAX);
	fp_text_print(&text, "%s%s%%, %u%s", "a", "\x1b", 3000000000U, "");
	ck_assert_str_eq(buffer, "-9223372036854775808 9223372036854775807 -1 0 "
	                         "18446744073709551615 0 0x0 0xffffffffffffffff a\x1b%, "
	                         "3000000000");
	ck_assert_uint_eq(text.used, strlen(buffer));
	ck_assert(!text.is_cut);
}
END_TEST

START_TEST(text_is_cut_where_the_buffer_ends)
{
	static const char whole[] = "abc12345def0xff";

	for (size_t size = 1; size <= sizeof(whole) + 1; size++) {
		char buffer[sizeof(whole) + 2];
		struct fp_text text;

		memset(buffer, '#', sizeof(buffer));
		fp_text_begin(&text, buffer, size);
		fp_text_string(&text, "abc");
		fp_text_decimal(&text, 12345);
		fp_text_bytes(&text, "defghi", 3);
		fp_text_hex(&text, 255);
		ck_assert_uint_eq(text.used,
		                  size < sizeof(whole) ? size - 1 : sizeof(whole) - 1);
		ck_assert_mem_eq(buffer, whole, text.used);
		ck_assert_int_eq(buffer[text.used], '\0');
		ck_assert_int_eq(buffer[size], '#');
		ck_assert_int_eq(text.is_cut, size < sizeof(whole));
	}
}
END_TEST

static void say_two_parts(void *user)
{
	fp_say("the %s %s", "fence", (const char *)user);
}

START_TEST(what_is_said_is_one_line)
{
	struct test_child child;
	char long_part[3000];
	char short_part[] = "stands";

	test_run_child(say_two_parts, short_part, &child);
	ck_assert_str_eq(child.text, "fencepost: the fence stands\n");
	memset(long_part, 'x', sizeof(long_part) - 1);
	long_part[sizeof(long_part) - 1] = '\0';
	test_run_child(say_two_parts, long_part, &child);
	ck_assert_uint_eq(strlen(child.text), 1023);
	ck_assert_int_eq(child.text[1022], '\n');
	ck_assert_ptr_eq(strchr(child.text, '\n'), child.text + 1022);
}
END_TEST

static void *count_bytes(void *argument)
{
	int fd = *(int *)argument;
	char buffer[4096];
	size_t total = 0;
	ssize_t got;

	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		total += (size_t)got;
	return (void *)total;
}

START_TEST(writing_goes_on_until_all_is_written)
{
	enum { BYTES = 1 << 20 };
	char *bytes = calloc(1, BYTES);
	int ends[2];
	pthread_t reader;
	void *total;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(pthread_create(&reader, NULL, count_bytes, &ends[0]), 0);
	ck_assert_int_eq(fp_write_all(ends[1], bytes, BYTES), 0);
	close(ends[1]);
	pthread_join(reader, &total);
	ck_assert_uint_eq((size_t)total, BYTES);
	ck_assert_int_eq(fp_write_all(ends[1], bytes, 1), -EBADF);
	int full = open("/dev/full", O_WRONLY);
	ck_assert_int_eq(fp_write_all(full, bytes, 1), -ENOSPC);
	ck_assert_int_eq(fp_write_all(-1, bytes, 0), 0);
	free(bytes);
}
END_TEST

/* ---- maps.h -------------------------------------------------------------------------- */

struct search {
	uintptr_t address;
	uintptr_t last_end;
	size_t visited;
	size_t lines;      /* of the file, counted while it is being visited */
	size_t stop_after; /* 0: never */
	bool is_ordered;
	bool is_found;
	struct fp_mapping mapping;
	char path[PATH_MAX + 64];
};

static bool look(const struct fp_mapping *mapping, void *user)
{
	struct search *search = user;

	if (search->visited++ == 0)
		search->lines = test_mapping_count();
	if (mapping->start < search->last_end || mapping->end <= mapping->start)
		search->is_ordered = false;
	search->last_end = mapping->end;
	if (search->address >= mapping->start && search->address < mapping->end) {
		search->is_found = true;
		search->mapping = *mapping;
		memcpy(search->path, mapping->path, strlen(mapping->path) + 1);
	}
	return search->visited != search->stop_after;
}

static void find(const void *address, struct search *search)
{
	memset(search, 0, sizeof(*search));
	search->address = (uintptr_t)address;
	search->is_ordered = true;
	ck_assert_int_eq(fp_maps_each(look, search), 0);
}

static int global = 1;

START_TEST(own_code_data_and_stack_are_found)
{
	char executable[PATH_MAX] = "";
	struct search search;
	int local = 0;

	ck_assert_int_gt(readlink("/proc/self/exe", executable, sizeof(executable) - 1), 0);
	find((const void *)(uintptr_t)&find, &search);
	ck_assert(search.is_found && search.is_ordered);
	ck_assert_str_eq(search.path, executable);
	ck_assert(search.mapping.is_executable && search.mapping.is_readable);
	ck_assert(!search.mapping.is_writable);
	find(&global, &search);
	ck_assert_str_eq(search.path, executable);
	ck_assert(search.mapping.is_writable && !search.mapping.is_executable);
	find(&local, &search);
	ck_assert_str_eq(search.path, "[stack]");
	ck_assert(search.mapping.is_writable);
}
END_TEST

START_TEST(a_fresh_mapping_is_seen_with_its_exact_bounds)
{
	size_t page = fp_vm_page_size();
	struct search search;
	char *pages = mmap(NULL, 5 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                   -1, 0);

	ck_assert(pages != MAP_FAILED);
	ck_assert_int_eq(mprotect(pages + page, 3 * page, PROT_READ | PROT_EXEC), 0);
	find(pages + 2 * page, &search);
	ck_assert(search.is_found);
	ck_assert_uint_eq(search.mapping.start, (uintptr_t)pages + page);
	ck_assert_uint_eq(search.mapping.end, (uintptr_t)pages + 4 * page);
	ck_assert(search.mapping.is_readable && !search.mapping.is_writable);
	ck_assert(search.mapping.is_executable);
	ck_assert_str_eq(search.path, "");
	munmap(pages, 5 * page);
}
END_TEST

START_TEST(every_line_is_visited_once)
{
	struct search search;

	find(NULL, &search);
	ck_assert(search.is_ordered && !search.is_found);
	ck_assert_uint_eq(search.visited, search.lines);
	memset(&search, 0, sizeof(search));
	search.stop_after = 2;
	ck_assert_int_eq(fp_maps_each(look, &search), 0);
	ck_assert_uint_eq(search.visited, 2);
}
END_TEST

/* Directories in each other until the name is as long as the kernel takes. */
static void make_long_path(char *path, size_t length)
{
	size_t used = strlen(path);

	while (length - used > 256) {
		path[used] = '/';
		memset(path + used + 1, 'd', 250);
		used += 251;
		path[used] = '\0';
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	path[used] = '/';
	memset(path + used + 1, 'f', length - used - 1);
	path[length] = '\0';
}

static void remove_long_path(char *path, size_t keep)
{
	unlink(path);
	for (char *slash = strrchr(path, '/'); slash > path + keep;
	     slash = strrchr(path, '/')) {
		*slash = '\0';
		rmdir(path);
	}
}

/* What a description has room for: the file's name is at the end. */
static void expect_end_of_path(const void *address, const char *path)
{
	enum { SHOWN = 248 };
	char expected[512];
	char buffer[512];
	struct fp_text text;

	fp_text_begin(&text, buffer, sizeof(buffer));
	fp_pointer_describe(&text, (uintptr_t)address);
	snprintf(expected, sizeof(expected), "constant data of ...%s",
	         path + strlen(path) - SHOWN);
	ck_assert_str_eq(buffer, expected);
}

START_TEST(long_paths_and_file_offsets_are_kept)
{
	size_t page = fp_vm_page_size();
	char path[PATH_MAX];
	struct search search;

	strcpy(path, test_path("deep"));
	size_t root = strlen(path) - 1;
	ck_assert_int_eq(mkdir(path, 0700), 0);
	make_long_path(path, PATH_MAX - 1);
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)(4 * page)), 0);
	void *memory = mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, (off_t)(3 * page));
	ck_assert(memory != MAP_FAILED);
	find(memory, &search);
	ck_assert(search.is_found && search.is_ordered);
	ck_assert_str_eq(search.path, path);
	ck_assert_uint_eq(search.mapping.file_offset, 3 * page);
	ck_assert_uint_eq(search.mapping.end - search.mapping.start, page);
	ck_assert_uint_eq(search.visited, search.lines);
	expect_end_of_path(memory, path);
	remove_long_path(path, root);
	find(memory, &search);
	ck_assert(search.is_found);
	ck_assert_str_eq(search.path + strlen(search.path) - 10, " (deleted)");
	ck_assert_uint_eq(search.visited, search.lines);
}
END_TEST

START_TEST(no_descriptor_means_an_error_and_none_is_kept)
{
	const struct rlimit none = {.rlim_cur = 0, .rlim_max = 4096};
	struct search search;
	int before = dup(0);

	close(before);
	find(NULL, &search);
	ck_assert_int_eq(dup(0), before);
	memset(&search, 0, sizeof(search));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(fp_maps_each(look, &search), -EMFILE);
	ck_assert_uint_eq(search.visited, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base: text and maps");
	TCase *tests = tcase_create("text and maps");

	tcase_add_test(tests, numbers_are_written_in_full);
	tcase_add_test(tests, text_is_cut_where_the_buffer_ends);
	tcase_add_test(tests, what_is_said_is_one_line);
	tcase_add_test(tests, writing_goes_on_until_all_is_written);
	tcase_add_test(tests, own_code_data_and_stack_are_found);
	tcase_add_test(tests, a_fresh_mapping_is_seen_with_its_exact_bounds);
	tcase_add_test(tests, every_line_is_visited_once);
	tcase_add_test(tests, long_paths_and_file_offsets_are_kept);
	tcase_add_test(tests, no_descriptor_means_an_error_and_none_is_kept);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
