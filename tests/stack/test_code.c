/* SPDX-License-Identifier: Apache-2.0
 *
 * Traces through addresses that changed hands: the same addresses of another module are another
 * trace, and those of a module that is back are the trace that they were.
 */
#include "stack/code.h"

#include <dlfcn.h>

#include "support/support.h"

static const uintptr_t through[] = {0x1010, 0x9000};
static const uintptr_t elsewhere[] = {0x8000, 0x9000};
static unsigned looks;

static uint64_t mark(const uintptr_t *frames)
{
	return fp_code_mark_now(frames, 2);
}

START_TEST(addresses_with_one_meaning_have_no_mark)
{
	fp_code_came(0x1000, 0x2000, 7);
	ck_assert_uint_eq(mark(through), 0);
	fp_code_went(0x1000, 0x2000, 7);
	fp_code_came(0x1000, 0x2000, 7);
	ck_assert_uint_eq(mark(through), 0);
	ck_assert_uint_eq(mark(elsewhere), 0);
}
END_TEST

START_TEST(another_module_is_told_apart_and_known_again)
{
	fp_code_went(0x1000, 0x2000, 7);
	fp_code_came(0x1000, 0x1800, 8);
	uint64_t second = mark(through);
	ck_assert_uint_ne(second, 0);
	fp_code_went(0x1000, 0x1800, 8);
	fp_code_came(0x1000, 0x3000, 9);
	ck_assert_uint_ne(mark(through), 0);
	ck_assert_uint_ne(mark(through), second);
	fp_code_went(0x1000, 0x3000, 9);
	fp_code_came(0x1000, 0x2000, 7);
	ck_assert_uint_eq(mark(through), 0);
	fp_code_went(0x1000, 0x2000, 7);
	fp_code_came(0x1000, 0x1800, 8);
	ck_assert_uint_eq(mark(through), second);
	ck_assert_uint_eq(mark(elsewhere), 0);
}
END_TEST

static void look(void)
{
	looks++;
	fp_code_came(0x1000, 0x2000, 8);
}

START_TEST(who_came_is_asked_once_and_only_for_what_leads_there)
{
	fp_code_on_doubt(look);
	fp_code_went(0x1000, 0x2000, 7);
	ck_assert_uint_eq(mark(elsewhere), 0);
	ck_assert_uint_eq(looks, 0);
	uint64_t second = mark(through);
	ck_assert_uint_ne(second, 0);
	ck_assert_uint_eq(mark(through), second);
	ck_assert_uint_eq(looks, 1);
}
END_TEST

static void see_nothing(void)
{
	looks++;
}

START_TEST(code_of_no_module_is_not_asked_about_again)
{
	fp_code_on_doubt(see_nothing);
	fp_code_went(0x1000, 0x2000, 7);
	uint64_t unknown = mark(through);
	ck_assert_uint_ne(unknown, 0);
	ck_assert_uint_eq(mark(through), unknown);
	ck_assert_uint_eq(looks, 1);
}
END_TEST

START_TEST(loads_are_looked_at_once)
{
	fp_code_on_doubt(see_nothing);
	ck_assert(!fp_code_are_loads_watched());
	fp_code_watch_loads();
	ck_assert(fp_code_are_loads_watched());
	uint64_t loads = fp_code_loads();
	ck_assert_uint_gt(loads, 0);
	for (int i = 0; i < 3; i++)
		fp_code_see_loads(loads);
	ck_assert_uint_eq(looks, 1);
	void *library = dlopen("libresolv.so.2", RTLD_NOW);
	ck_assert_ptr_nonnull(library);
	fp_code_see_loads(fp_code_loads());
	ck_assert_uint_eq(looks, 2);
	dlclose(library);
	fp_code_see_loads(fp_code_loads());
	ck_assert_uint_eq(looks, 3);
}
END_TEST

START_TEST(more_places_than_are_kept_do_no_harm)
{
	for (uintptr_t i = 1; i <= 2 * FP_CODE_PLACES_MAX; i++) {
		fp_code_went(i << 16, (i << 16) + 0x1000, i);
		fp_code_came(i << 16, (i << 16) + 0x1000, i + 1);
	}
	ck_assert_uint_ne(mark((const uintptr_t[]){0x10010, 0}), 0);
	ck_assert_uint_eq(
	        mark((const uintptr_t[]){((uintptr_t)FP_CODE_PLACES_MAX + 1) << 16 | 0x10, 0}),
	        0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stack: code");
	TCase *tests = tcase_create("code");

	tcase_add_test(tests, addresses_with_one_meaning_have_no_mark);
	tcase_add_test(tests, another_module_is_told_apart_and_known_again);
	tcase_add_test(tests, who_came_is_asked_once_and_only_for_what_leads_there);
	tcase_add_test(tests, code_of_no_module_is_not_asked_about_again);
	tcase_add_test(tests, loads_are_looked_at_once);
	tcase_add_test(tests, more_places_than_are_kept_do_no_harm);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
