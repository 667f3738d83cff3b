/* SPDX-License-Identifier: Apache-2.0
 *
 * What counts as running off: accesses that follow on each other, page after page.
 */
#include "fault/run.h"
#include "support/support.h"

enum { PAGE = 4096, BASE = 64 * PAGE };

static struct fp_fault_runs runs;

static void setup(void)
{
	runs = (struct fp_fault_runs){0};
}

static unsigned note(uintptr_t offset)
{
	return fp_fault_note_run(&runs, BASE + offset);
}

START_TEST(the_pages_of_a_run_are_counted)
{
	for (unsigned at = 100; at < 5 * PAGE; at += 16)
		ck_assert_uint_eq(note(at), at / PAGE);
}
END_TEST

START_TEST(a_run_may_go_downwards)
{
	for (unsigned at = 0; at < 5 * PAGE; at++)
		ck_assert_uint_eq(note((uintptr_t)5 * PAGE - 1 - at), at / PAGE);
}
END_TEST

/* As an access does that lies in both. */
START_TEST(to_and_fro_is_no_way)
{
	for (unsigned i = 0; i < 100; i++) {
		ck_assert_uint_eq(note(PAGE - 4), i > 0);
		ck_assert_uint_eq(note(PAGE), 1);
	}
}
END_TEST

/* It is accessible, so nobody sees it. */
START_TEST(a_run_may_go_through_a_block)
{
	ck_assert_uint_eq(note(0), 0);
	for (unsigned at = 0; at < PAGE; at += 32)
		note(at);
	ck_assert_uint_eq(note((uintptr_t)17 * PAGE), 1);
	ck_assert_uint_eq(note((uintptr_t)17 * PAGE + 8), 1);
}
END_TEST

START_TEST(two_runs_at_once_are_two)
{
	for (unsigned at = 0; at < 3 * PAGE; at += 8) {
		ck_assert_uint_eq(note(at), at / PAGE);
		ck_assert_uint_eq(note((uintptr_t)40 * PAGE + 2048 + at), (at + 2048) / PAGE);
	}
}
END_TEST

/* Of blocks at the ends of their pages, or at the starts. */
START_TEST(a_list_in_many_pages_is_no_run)
{
	for (unsigned page = 0; page < 100; page += 2)
		ck_assert_uint_eq(note((uintptr_t)page * PAGE + PAGE - 32), 0);
	for (unsigned page = 0; page < 100; page += 2)
		ck_assert_uint_eq(note((uintptr_t)page * PAGE), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault: runs");
	TCase *tests = tcase_create("runs");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, the_pages_of_a_run_are_counted);
	tcase_add_test(tests, a_run_may_go_downwards);
	tcase_add_test(tests, to_and_fro_is_no_way);
	tcase_add_test(tests, a_run_may_go_through_a_block);
	tcase_add_test(tests, two_runs_at_once_are_two);
	tcase_add_test(tests, a_list_in_many_pages_is_no_run);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
