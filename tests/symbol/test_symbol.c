/* SPDX-License-Identifier: Apache-2.0
 *
 * The symbol module, looking up calls of this very program: whole, stripped, with its debug
 * information elsewhere, changed and gone.
 */
#include <check.h>
#include <elf.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plant.h"
#include "symbol/ranges.h"
#include "symbol/symbol.h"

static struct {
	uint8_t build_id[64];
	size_t build_id_size;
	uint64_t bias;
} self;
static char directory[] = "/tmp/fp-test-symbol-XXXXXX";
static struct fp_symbol_image *image;

static void read_note(const ElfW(Nhdr) * note)
{
	const uint8_t *name = (const uint8_t *)(note + 1);

	if (note->n_type != NT_GNU_BUILD_ID || note->n_descsz > sizeof(self.build_id))
		return;
	self.build_id_size = note->n_descsz;
	memcpy(self.build_id, name + ((note->n_namesz + 3) & ~3u), note->n_descsz);
}

/* The first object is the program. */
static int read_program(struct dl_phdr_info *info, size_t size, void *user)
{
	(void)size, (void)user;
	self.bias = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + header->p_vaddr;
		uintptr_t end = at + header->p_memsz;

		while (header->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) <= end) {
			const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;

			read_note(note);
			at += sizeof(*note) + ((note->n_namesz + 3) & ~3u) +
			      ((note->n_descsz + 3) & ~3u);
		}
	}
	return 1;
}

static void open_file(const char *path, const char *debug_dir)
{
	const struct fp_symbol_source source = {path, self.build_id, self.build_id_size,
	                                        debug_dir};

	ck_assert_int_eq(fp_symbol_open(&source, &image), 0);
}

static void setup(void)
{
	dl_iterate_phdr(read_program, NULL);
	ck_assert_uint_gt(self.build_id_size, 2);
	strcpy(directory, "/tmp/fp-test-symbol-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
	char *command;
	va_list arguments;

	va_start(arguments, format);
	ck_assert_int_gt(vasprintf(&command, format, arguments), 0);
	va_end(arguments);
	ck_assert_msg(system(command) == 0, "%s", command);
	free(command);
}

static void teardown(void)
{
	fp_symbol_close(image);
	image = NULL;
	run("rm -rf '%s'", directory);
}

/* Makes FILE in the test's directory from this program with COMMAND. */
static char *derive(const char *command, const char *file)
{
	static char path[256];
	char self_path[256];
	ssize_t len = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);

	ck_assert_int_gt(len, 0);
	self_path[len] = '\0';
	snprintf(path, sizeof(path), "%s/%s", directory, file);
	run("self='%s' made='%s'; %s", self_path, path, command);
	return path;
}

static const struct fp_symbol_place *look_up(uintptr_t address, bool exact)
{
	const struct fp_symbol_place *place =
	        fp_symbol_lookup(image, address - self.bias, exact);

	ck_assert_ptr_nonnull(place);
	return place;
}

/* With the directory of the compiler, the file is found from anywhere. */
static void expect_source(const struct fp_symbol_frame *frame)
{
	char path[4096];

	ck_assert_ptr_nonnull(frame->directory);
	ck_assert_int_eq(frame->directory[0], '/');
	snprintf(path, sizeof(path), "%s/%s", frame->file[0] == '/' ? "" : frame->directory,
	         frame->file);
	ck_assert_msg(access(path, R_OK) == 0, "%s: no such file", path);
}

static void expect_frame(const struct fp_symbol_frame *frame, const char *function,
                         unsigned line, bool inlined)
{
	ck_assert_msg(strstr(frame->function, function) != NULL, "%s", frame->function);
	ck_assert_ptr_nonnull(frame->file);
	ck_assert_str_eq(strrchr(frame->file, '/'), "/plant.cc");
	ck_assert_uint_eq(frame->line, line);
	ck_assert_int_eq(frame->inlined, inlined);
	expect_source(frame);
}

static void expect_whole_place(void)
{
	struct plant_call call = plant_call();
	const struct fp_symbol_place *place = look_up(call.return_address, false);

	ck_assert_int_eq(fp_symbol_state(image), FP_SYMBOL_USABLE);
	ck_assert_uint_eq(place->count, 2);
	/* Compilers leave out the linkage name of what they only inlined. */
	expect_frame(&place->frames[0], "inner", call.inner_line, true);
	expect_frame(&place->frames[1], "plant::outer(plant_call*, int)", call.outer_line,
	             false);
}

START_TEST(inlined_functions_and_lines_are_found)
{
	open_file("/proc/self/exe", FP_SYMBOL_DEBUG_DIR);
	expect_whole_place();
}
END_TEST

/* The same number as return address and as faulting instruction: the byte before a function's
 * first one belongs to something else. */
START_TEST(exact_addresses_are_not_stepped_back)
{
	uintptr_t start = (uintptr_t)plant_call;
	const struct fp_symbol_place *place;

	open_file("/proc/self/exe", FP_SYMBOL_DEBUG_DIR);
	place = look_up(start, true);
	ck_assert_uint_eq(place->count, 1);
	ck_assert_str_eq(place->frames[0].function, "plant_call");
	place = look_up(start, false);
	ck_assert(place->count == 0 || !place->frames[0].function ||
	          strcmp(place->frames[0].function, "plant_call") != 0);
}
END_TEST

START_TEST(a_file_without_debug_information_has_names)
{
	struct plant_call call = plant_call();
	const struct fp_symbol_place *place;

	open_file(derive("objcopy --strip-debug $self $made", "nodebug"), directory);
	place = look_up(call.return_address, false);
	ck_assert_uint_eq(place->count, 1);
	ck_assert_str_eq(place->frames[0].function, "plant::outer(plant_call*, int)");
	ck_assert_uint_gt(place->frames[0].function_offset, 0);
	ck_assert_ptr_null(place->frames[0].file);
	ck_assert_uint_eq(place->frames[0].line, 0);
}
END_TEST

START_TEST(a_stripped_file_is_usable_and_knows_nothing)
{
	struct plant_call call = plant_call();

	open_file(derive("objcopy --strip-all $self $made", "stripped"), directory);
	ck_assert_int_eq(fp_symbol_state(image), FP_SYMBOL_USABLE);
	ck_assert_uint_eq(look_up(call.return_address, false)->count, 0);
}
END_TEST

START_TEST(separate_debug_files_are_found_by_build_id)
{
	char hex[2 * sizeof(self.build_id) + 1];
	char link[160];

	for (size_t i = 0; i < self.build_id_size; i++)
		sprintf(hex + 2 * i, "%02x", self.build_id[i]);
	run("mkdir -p '%s/.build-id/%.2s'", directory, hex);
	snprintf(link, sizeof(link), ".build-id/%.2s/%s.debug", hex, hex + 2);
	derive("objcopy --only-keep-debug $self $made", link);
	open_file(derive("objcopy --strip-all $self $made", "stripped"), directory);
	expect_whole_place();
}
END_TEST

START_TEST(a_changed_file_is_not_trusted)
{
	struct plant_call call = plant_call();

	self.build_id[0] ^= 1;
	open_file("/proc/self/exe", FP_SYMBOL_DEBUG_DIR);
	ck_assert_int_eq(fp_symbol_state(image), FP_SYMBOL_CHANGED);
	ck_assert_uint_eq(look_up(call.return_address, false)->count, 0);
	fp_symbol_close(image);
	self.build_id[0] ^= 1;
	self.build_id_size--;
	open_file("/proc/self/exe", FP_SYMBOL_DEBUG_DIR);
	ck_assert_int_eq(fp_symbol_state(image), FP_SYMBOL_CHANGED);
}
END_TEST

static void expect_state(const char *path, enum fp_symbol_state state)
{
	open_file(path, FP_SYMBOL_DEBUG_DIR);
	ck_assert_msg(fp_symbol_state(image) == state, "%s", path);
	ck_assert_uint_eq(look_up(4096, false)->count, 0);
	fp_symbol_close(image);
	image = NULL;
}

START_TEST(what_is_no_elf_file_is_refused)
{
	char path[256];

	expect_state("[vdso]", FP_SYMBOL_NO_FILE);
	expect_state("", FP_SYMBOL_NO_FILE);
	expect_state("/nonexistent/program", FP_SYMBOL_UNREADABLE);
	expect_state("/", FP_SYMBOL_UNREADABLE);
	expect_state("/dev/zero", FP_SYMBOL_UNREADABLE);
	snprintf(path, sizeof(path), "%s/fifo", directory);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect_state(path, FP_SYMBOL_UNREADABLE);
	run("echo text >'%s/text'", directory);
	snprintf(path, sizeof(path), "%s/text", directory);
	expect_state(path, FP_SYMBOL_UNREADABLE);
}
END_TEST

/* Its headers, with the right build-id, and nothing of what they point to. */
START_TEST(a_cut_file_knows_nothing)
{
	open_file(derive("head -c 1500 $self >$made", "cut"), directory);
	for (uint64_t at = 0; at < 100000; at += 100)
		ck_assert_uint_eq(fp_symbol_lookup(image, at, false)->count, 0);
}
END_TEST

/* Answers are kept: the same place is the same object, and 10,000 of them take no time. */
START_TEST(many_addresses_are_looked_up_once)
{
	uintptr_t start = (uintptr_t)plant_call;
	const struct fp_symbol_place *first;

	open_file("/proc/self/exe", FP_SYMBOL_DEBUG_DIR);
	first = look_up(start, true);
	for (uintptr_t i = 0; i < 10000; i++)
		look_up(start + i - 5000, true);
	ck_assert_ptr_eq(look_up(start, true), first);
	ck_assert_ptr_eq(look_up(start + 1, false), first);
}
END_TEST

START_TEST(the_shortest_range_wins)
{
	struct fp_symbol_ranges ranges = {0};

	ck_assert_ptr_null(fp_symbol_ranges_find(&ranges, 5));
	ck_assert_int_eq(fp_symbol_ranges_add(&ranges, 100, 1000, 1), 0);
	ck_assert_int_eq(fp_symbol_ranges_add(&ranges, 200, 300, 2), 0);
	ck_assert_int_eq(fp_symbol_ranges_add(&ranges, 220, 230, 3), 0);
	ck_assert_int_eq(fp_symbol_ranges_add(&ranges, 2000, 2001, 4), 0);
	ck_assert_int_eq(fp_symbol_ranges_add(&ranges, 0, 5000, 5), 0);
	ck_assert_int_eq(fp_symbol_ranges_add(&ranges, 400, 400, 6), 0);
	fp_symbol_ranges_sort(&ranges);
	ck_assert_uint_eq(ranges.count, 4);
	ck_assert_ptr_null(fp_symbol_ranges_find(&ranges, 99));
	ck_assert_uint_eq(fp_symbol_ranges_find(&ranges, 100)->owner, 1);
	ck_assert_uint_eq(fp_symbol_ranges_find(&ranges, 219)->owner, 2);
	ck_assert_uint_eq(fp_symbol_ranges_find(&ranges, 229)->owner, 3);
	ck_assert_uint_eq(fp_symbol_ranges_find(&ranges, 230)->owner, 2);
	ck_assert_uint_eq(fp_symbol_ranges_find(&ranges, 999)->owner, 1);
	ck_assert_ptr_null(fp_symbol_ranges_find(&ranges, 1000));
	ck_assert_uint_eq(fp_symbol_ranges_find(&ranges, 2000)->owner, 4);
	ck_assert_ptr_null(fp_symbol_ranges_find(&ranges, UINT64_MAX));
	fp_symbol_ranges_free(&ranges);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("symbol");
	TCase *tests = tcase_create("symbol");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, inlined_functions_and_lines_are_found);
	tcase_add_test(tests, exact_addresses_are_not_stepped_back);
	tcase_add_test(tests, a_file_without_debug_information_has_names);
	tcase_add_test(tests, a_stripped_file_is_usable_and_knows_nothing);
	tcase_add_test(tests, separate_debug_files_are_found_by_build_id);
	tcase_add_test(tests, a_changed_file_is_not_trusted);
	tcase_add_test(tests, what_is_no_elf_file_is_refused);
	tcase_add_test(tests, a_cut_file_knows_nothing);
	tcase_add_test(tests, many_addresses_are_looked_up_once);
	tcase_add_test(tests, the_shortest_range_wins);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
