/* SPDX-License-Identifier: Apache-2.0
 *
 * The symbol module, looking up calls of this very program: whole, stripped, with its debug
 * information elsewhere, changed and gone.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "images.h"
#include "plant.h"
#include "symbol/names.h"
#include "symbol/table.h"

START_TEST(inlined_functions_and_lines_are_found)
{
	open_file("/proc/self/exe", FP_SYMBOL_DEBUG_DIR);
	expect_whole_place();
}
END_TEST

/* Of what was made at one address the last counts. A name may have a line; where V8 says that a
 * function begins stays part of its name. */
START_TEST(made_code_has_the_names_of_its_map)
{
	static const struct {
		const char *name;
		const char *function;
		const char *file;
		uint32_t line;
	} cases[] = {
	        {"before (trampoline)", "before (trampoline)", NULL, 0},
	        {"Orders:Book (string,int) /src/orders.cs:17", "Orders:Book (string,int)",
	         "/src/orders.cs", 17},
	        {"JS:~run /src/a.js:12:3", "JS:~run /src/a.js:12:3", NULL, 0},
	        {"LazyCompile: native node:util:7:1", "LazyCompile: native node:util:7:1", NULL,
	         0},
	        {"instance void [app] A::B(int32)[Tier0]",
	         "instance void [app] A::B(int32)[Tier0]", NULL, 0},
	        {"only:7", "only:7", NULL, 0},
	        {"f :7", "f :7", NULL, 0},
	        {"f a:", "f a:", NULL, 0},
	};
	struct fp_symbol_piece pieces[2] = {{0x1000, 0x1000, "old", 3}};
	const struct fp_symbol_place *place;
	struct fp_symbol_image *made;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pieces[1] = (struct fp_symbol_piece){0x1100, 0x10, cases[i].name,
		                                     strlen(cases[i].name)};
		ck_assert_int_eq(fp_symbol_open_made(pieces, 2, &made), 0);
		/* The call is the last of it. */
		place = fp_symbol_lookup(made, 0x1110, false);
		ck_assert_uint_eq(place->count, 1);
		ck_assert_str_eq(place->frames[0].function, cases[i].function);
		ck_assert_uint_eq(place->frames[0].line, cases[i].line);
		ck_assert_uint_eq(place->frames[0].function_offset, 0xf);
		if (cases[i].file)
			ck_assert_str_eq(place->frames[0].file, cases[i].file);
		else
			ck_assert_ptr_null(place->frames[0].file);
		ck_assert_str_eq(fp_symbol_lookup(made, 0x1110, true)->frames[0].function,
		                 "old");
		ck_assert_uint_eq(fp_symbol_lookup(made, 0x2000, true)->count, 0);
		fp_symbol_close(made);
	}
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
	const char *link = build_id_link();

	run("mkdir -p '%s/%.13s'", directory, link);
	derive("objcopy --only-keep-debug $self $made", link);
	open_file(derive("objcopy --strip-all $self $made", "stripped"), directory);
	expect_whole_place();
}
END_TEST

/* Beside the file, in .debug beside it, and under the debug directory. */
START_TEST(separate_debug_files_are_found_by_link)
{
	static const char *const places[] = {"plant.dbg", ".debug/plant.dbg",
	                                     "usr$(dirname $made)/plant.dbg"};

	for (size_t i = 0; i < 3; i++) {
		char usr[128];

		snprintf(usr, sizeof(usr), "%s/usr", directory);
		derive("objcopy --only-keep-debug $self $(dirname $made)/plant.dbg", "x");
		open_file(derive("objcopy --strip-all "
		                 "--add-gnu-debuglink=$(dirname $made)/plant.dbg $self $made",
		                 "linked"),
		          usr);
		run("made=%s/x; mkdir -p %s/.debug %s/usr%s; cd %s; test %zu = 0 || mv "
		    "plant.dbg "
		    "%s",
		    directory, directory, directory, directory, directory, i, places[i]);
		expect_whole_place();
		fp_symbol_close(image);
		image = NULL;
	}
}
END_TEST

/* A file by that name which belongs to another build, and one that blocks whoever opens it. */
START_TEST(a_linked_file_of_another_build_is_not_trusted)
{
	struct plant_call call = plant_call();

	derive("objcopy --only-keep-debug /bin/sh $(dirname $made)/plant.dbg", "x");
	open_file(derive("objcopy --strip-all "
	                 "--add-gnu-debuglink=$(dirname $made)/plant.dbg $self $made",
	                 "linked"),
	          directory);
	run("mkfifo %s/.debug 2>/dev/null; rm %s/.debug; mkdir %s/.debug; mkfifo "
	    "%s/.debug/plant.dbg",
	    directory, directory, directory, directory);
	ck_assert_uint_eq(look_up(call.return_address, false)->count, 0);
}
END_TEST

/* It is the name of a file, without directories: whoever made the module does not choose what
 * is read on this machine. */
START_TEST(a_link_leads_into_no_other_directory)
{
	struct plant_call call = plant_call();

	derive("mkdir -p $(dirname $made)/o && "
	       "objcopy --only-keep-debug $self $(dirname $made)/o/plant.dbg && "
	       "printf 'o/plant.dbg\\0\\1\\0\\0\\0' >$(dirname $made)/link",
	       "x");
	open_file(
	        derive("objcopy --strip-all --add-section .gnu_debuglink=$(dirname $made)/link "
	               "$self $made",
	               "linked"),
	        directory);
	ck_assert_uint_eq(look_up(call.return_address, false)->count, 0);
	fp_symbol_close(image);
	run("mv %s/o/plant.dbg %s/plant.dbg && printf 'plant.dbg\\0\\0\\0\\1\\0\\0\\0' "
	    ">%s/link",
	    directory, directory, directory);
	open_file(
	        derive("objcopy --strip-all --add-section .gnu_debuglink=$(dirname $made)/link "
	               "$self $made",
	               "linked"),
	        directory);
	expect_whole_place();
}
END_TEST

/* Without a build-id the checksum of the link decides. */
START_TEST(a_checksum_does_without_build_id)
{
	struct plant_call call = plant_call();
	char path[128];

	program.build_id_size = 0;
	derive("objcopy --remove-section=.note.gnu.build-id $self $made && "
	       "objcopy --only-keep-debug $made $(dirname $made)/plant.dbg 2>/dev/null",
	       "anonymous");
	derive("cd $(dirname $made) && objcopy --strip-all --add-gnu-debuglink=plant.dbg "
	       "anonymous linked",
	       "x");
	snprintf(path, sizeof(path), "%s/linked", directory);
	open_file(path, directory);
	expect_whole_place();
	fp_symbol_close(image);
	run("printf x >>%s/plant.dbg", directory);
	open_file(path, directory);
	ck_assert_uint_eq(look_up(call.return_address, false)->count, 0);
}
END_TEST

/* What is only named is not looked for in the debug information. */
START_TEST(names_come_from_the_symbol_table)
{
	struct plant_call call = plant_call();
	const struct fp_symbol_place *place;

	open_file("/proc/self/exe", FP_SYMBOL_DEBUG_DIR);
	place = fp_symbol_lookup_name(image, call.return_address - program.bias, false);
	ck_assert_uint_eq(place->count, 1);
	ck_assert_str_eq(place->frames[0].function, "plant::outer(plant_call*, int)");
	ck_assert_str_eq(place->frames[0].linkage, "_ZN5plant5outerEP10plant_calli");
	ck_assert_ptr_null(place->frames[0].file);
	expect_whole_place();
}
END_TEST

START_TEST(of_several_names_the_plain_one_is_told)
{
	uintptr_t address = (uintptr_t)plant_named - program.bias;

	open_file("/proc/self/exe", FP_SYMBOL_DEBUG_DIR);
	ck_assert_str_eq(fp_symbol_lookup_name(image, address, true)->frames[0].function,
	                 "plant_named");
}
END_TEST

/* Each A1 has the one before it twice: 2 to the 24th of them would be written. */
#define DOUBLED_NAME                                                                           \
	"_Z1f1A1BIS_S_ES0_IS1_S1_ES0_IS2_S2_ES0_IS3_S3_ES0_IS4_S4_ES0_IS5_S5_ES0_IS6_S6_ES0_"  \
	"IS7_S7_ES0_IS8_S8_ES0_IS9_S9_ES0_ISA_SA_ES0_ISB_SB_ES0_ISC_SC_ES0_ISD_SD_ES0_ISE_SE_" \
	"ES0_ISF_SF_ES0_ISG_SG_ES0_ISH_SH_ES0_ISI_SI_ES0_ISJ_SJ_ES0_ISK_SK_ES0_ISL_SL_ES0_"    \
	"ISM_SM_E"

START_TEST(names_are_demangled)
{
	static const char *const names[][2] = {
	        {"main", "main"},
	        {"memcpy@@GLIBC_2.14", "memcpy"},
	        {"_Znwm@@GLIBCXX_3.4", "operator new(unsigned long)"},
	        {"_ZNSt6vectorIiSaIiEE9push_backERKi",
	         "std::vector<int, std::allocator<int> >::push_back(int const&)"},
	        /* Rust: legacy, with its hash, and v0. */
	        {"_ZN4core3ptr13drop_in_place17h0123456789abcdefE", "core::ptr::drop_in_place"},
	        {"_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"},
	        {"_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>"},
	        {"_RNCNvCs_3foo3bar0B3_", "foo::bar::{closure#0}"},
	        {"_R", "_R"},
	        /* A name of a megabyte, and so on: nobody waits for it. */
	        {DOUBLED_NAME, DOUBLED_NAME},
	        {"", ""}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct fp_symbol_frame frame = {0};

		ck_assert_int_eq(fp_symbol_name(&frame, names[i][0]), 0);
		ck_assert_str_eq(frame.function, names[i][1]);
		ck_assert(!frame.linkage ||
		          strncmp(frame.linkage, names[i][0], strlen(frame.linkage)) == 0);
		free(frame.function);
		free(frame.linkage);
	}
}
END_TEST

START_TEST(a_changed_file_is_not_trusted)
{
	struct plant_call call = plant_call();

	program.build_id[0] ^= 1;
	open_file("/proc/self/exe", FP_SYMBOL_DEBUG_DIR);
	ck_assert_int_eq(fp_symbol_state(image), FP_SYMBOL_CHANGED);
	ck_assert_uint_eq(look_up(call.return_address, false)->count, 0);
	fp_symbol_close(image);
	program.build_id[0] ^= 1;
	program.build_id_size--;
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

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, inlined_functions_and_lines_are_found);
	tcase_add_test(tests, exact_addresses_are_not_stepped_back);
	tcase_add_test(tests, a_file_without_debug_information_has_names);
	tcase_add_test(tests, a_stripped_file_is_usable_and_knows_nothing);
	tcase_add_test(tests, separate_debug_files_are_found_by_build_id);
	tcase_add_test(tests, separate_debug_files_are_found_by_link);
	tcase_add_test(tests, a_linked_file_of_another_build_is_not_trusted);
	tcase_add_test(tests, a_link_leads_into_no_other_directory);
	tcase_add_test(tests, a_checksum_does_without_build_id);
	tcase_add_test(tests, made_code_has_the_names_of_its_map);
	tcase_add_test(tests, names_come_from_the_symbol_table);
	tcase_add_test(tests, of_several_names_the_plain_one_is_told);
	tcase_add_test(tests, names_are_demangled);
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
