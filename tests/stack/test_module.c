/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules that come and go: each has one number as long as it is there, and again when it is
 * back.
 */
#include "stack/module.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "stack/stack.h"
#include "support/support.h"

START_TEST(code_has_the_number_of_its_module)
{
	const struct fp_module here = fp_module_at((uintptr_t)fp_module_at);
	const struct fp_module libc = fp_module_at((uintptr_t)&abort);

	ck_assert_uint_ne(here.number, FP_MODULE_NONE);
	ck_assert_ptr_nonnull(here.index);
	ck_assert_uint_eq(fp_module_at((uintptr_t)fp_module_is_there).number, here.number);
	ck_assert(fp_module_is_there(here.number, (uintptr_t)fp_module_at));
	ck_assert(!fp_module_is_there(libc.number, (uintptr_t)fp_module_at));
	ck_assert_uint_eq(fp_module_mark(here.number), 0);
}
END_TEST

START_TEST(what_is_in_no_module_has_none)
{
	int local;

	ck_assert_uint_eq(fp_module_at((uintptr_t)&local).number, FP_MODULE_NONE);
	ck_assert_uint_eq(fp_module_at(0).number, FP_MODULE_NONE);
	ck_assert_uint_eq(fp_module_at(UINTPTR_MAX).number, FP_MODULE_NONE);
	ck_assert(fp_module_is_there(FP_MODULE_NONE, (uintptr_t)&local));
	ck_assert(!fp_module_is_there(FP_MODULE_NONE, (uintptr_t)&abort));
}
END_TEST

START_TEST(a_module_that_is_back_has_its_number)
{
	unsigned number = FP_MODULE_NONE;
	uintptr_t code = 0;
	void *before = NULL;

	for (int i = 0; i < 3; i++) {
		void *library = dlopen("libz.so.1", RTLD_NOW);
		ck_assert_ptr_nonnull(library);
		uintptr_t there = (uintptr_t)dlsym(library, "deflate");
		unsigned now = fp_module_at(there).number;
		/* Wherever the kernel maps it, and the loader writes it down: a sanitizer's
		 * malloc never does that twice at one place. */
		ck_assert(there != code || library != before || now == number);
		number = now;
		code = there;
		before = library;
		ck_assert(fp_module_is_there(number, code));
		dlclose(library);
		ck_assert(!fp_module_is_there(number, code));
		ck_assert_uint_eq(fp_module_at(code).number, FP_MODULE_NONE);
	}
}
END_TEST

START_TEST(each_module_is_told_once)
{
	struct fp_stack_code code;
	unsigned told = 0;
	bool is_here = false;

	fp_module_at((uintptr_t)fp_module_at);
	fp_module_at((uintptr_t)&abort);
	while (fp_module_tell(&code)) {
		told++;
		is_here |= code.start <= (uintptr_t)fp_module_at &&
		           code.end > (uintptr_t)fp_module_at;
		ck_assert(code.is_first);
	}
	ck_assert_uint_ge(told, 2);
	ck_assert(is_here);
	fp_module_at((uintptr_t)&getenv);
	ck_assert(!fp_module_tell(&code));
}
END_TEST

static void expect_index_within(uintptr_t pc)
{
	const struct fp_module module = fp_module_at(pc);

	ck_assert_ptr_nonnull(module.index);
	ck_assert_uint_ge((uintptr_t)module.index, module.start);
	ck_assert_uint_lt((uintptr_t)module.index, module.end);
	ck_assert_uint_ge(pc, module.start);
	ck_assert_uint_lt(pc, module.end);
}

/* Linkers put the program's tables and its code into different segments. */
START_TEST(all_of_the_program_and_of_libraries_is_their_modules)
{
	expect_index_within((uintptr_t)&expect_index_within);
	expect_index_within((uintptr_t)&getenv);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stack: modules");
	TCase *tests = tcase_create("modules");

	tcase_add_test(tests, code_has_the_number_of_its_module);
	tcase_add_test(tests, what_is_in_no_module_has_none);
	tcase_add_test(tests, a_module_that_is_back_has_its_number);
	tcase_add_test(tests, each_module_is_told_once);
	tcase_add_test(tests, all_of_the_program_and_of_libraries_is_their_modules);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
