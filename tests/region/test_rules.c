/* SPDX-License-Identifier: Apache-2.0
 *
 * Flags, protections and page ranges.
 */
#include <sys/mman.h>

#include "region/region.h"
#include "region/rules.h"
#include "support/support.h"

enum { PAGE = 4096 };

START_TEST(types_are_those_of_win32_that_linux_can_serve)
{
	static const uint32_t good[] = {0x1000,   0x2000,   0x3000, 0x101000,
	                                0x102000, 0x103000, 0x80000};
	static const uint32_t bad[] = {
	        0,          0x4000,     0x8000,     0x5000,     0x100000,   0x81000,
	        0x82000,    0x180000,   0x203000,   0x202000,   0x403000,   0x1000000,
	        0x20003000, 0x10000000, 0xffffffff, 0x80000000, 0x00013000,
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(fp_rules_is_type(good[i]), "%#x", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!fp_rules_is_type(bad[i]), "%#x", bad[i]);
}
END_TEST

/* All of them against the rule in words: one base value; a modifier alone and not with
 * PAGE_NOACCESS. */
START_TEST(a_protection_is_one_value_and_at_most_one_modifier)
{
	unsigned good = 0;

	for (uint32_t protection = 0; protection < 0x1000; protection++) {
		uint32_t base = protection & 0xff;
		uint32_t modifiers = protection & ~(uint32_t)0xff;
		bool is_base = base == 1 || base == 2 || base == 4 || base == 0x10 ||
		               base == 0x20 || base == 0x40;
		bool is_modifier =
		        modifiers == 0x100 || modifiers == 0x200 || modifiers == 0x400;
		bool expected = is_base && (modifiers == 0 || (is_modifier && base != 1));

		good += expected;
		test_that(fp_rules_is_protection(protection) == expected);
	}
	ck_assert_uint_eq(good, 6 + 5 * 3);
	ck_assert(!fp_rules_is_protection(0x80000004));
}
END_TEST

START_TEST(a_protection_is_what_the_kernel_makes_of_it)
{
	ck_assert_int_eq(fp_rules_prot(0x01), PROT_NONE);
	ck_assert_int_eq(fp_rules_prot(0x02), PROT_READ);
	ck_assert_int_eq(fp_rules_prot(0x04), PROT_READ | PROT_WRITE);
	ck_assert_int_eq(fp_rules_prot(0x10), PROT_READ | PROT_EXEC);
	ck_assert_int_eq(fp_rules_prot(0x20), PROT_READ | PROT_EXEC);
	ck_assert_int_eq(fp_rules_prot(0x40), PROT_READ | PROT_WRITE | PROT_EXEC);
	ck_assert_int_eq(fp_rules_prot(0x104), PROT_NONE);
	ck_assert_int_eq(fp_rules_prot(0x204), PROT_READ | PROT_WRITE);
	ck_assert_int_eq(fp_rules_prot(0x420), PROT_READ | PROT_EXEC);
}
END_TEST

static const struct {
	uintptr_t address;
	size_t size;
	bool is_range;
	uintptr_t start;
	uintptr_t end;
} ranges[] = {
        {0x10000, 1, true, 0x10000, 0x11000},
        {0x10000, PAGE, true, 0x10000, 0x11000},
        {0x10000, PAGE + 1, true, 0x10000, 0x12000},
        {0x10fff, 2, true, 0x10000, 0x12000},
        {0x10fff, 1, true, 0x10000, 0x11000},
        {0, 5, true, 0, PAGE},
        {0x10000, 0, false, 0, 0},
        {0x10000, SIZE_MAX, false, 0, 0},
        {0, SIZE_MAX - PAGE + 1, false, 0, 0},
        {UINTPTR_MAX - 10, 20, false, 0, 0},
};

START_TEST(a_range_is_every_page_it_touches)
{
	uintptr_t start = 0;
	uintptr_t end = 0;

	ck_assert(fp_rules_pages(ranges[_i].address, ranges[_i].size, &start, &end) ==
	          ranges[_i].is_range);
	ck_assert_uint_eq(start, ranges[_i].start);
	ck_assert_uint_eq(end, ranges[_i].end);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("region: rules");
	TCase *tests = tcase_create("rules");

	tcase_add_test(tests, types_are_those_of_win32_that_linux_can_serve);
	tcase_add_test(tests, a_protection_is_one_value_and_at_most_one_modifier);
	tcase_add_test(tests, a_protection_is_what_the_kernel_makes_of_it);
	tcase_add_loop_test(tests, a_range_is_every_page_it_touches, 0,
	                    sizeof(ranges) / sizeof(ranges[0]));
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
