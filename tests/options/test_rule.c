/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules: every form, where a rule ends among other options, and what is none.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options/options.h"

static struct fp_options options;
static char error[FP_OPTION_ERROR_MAX];

static void setup(void)
{
	fp_options_defaults(&options);
	error[0] = '\0';
}

static int parse(const char *text)
{
	return fp_options_parse(&options, text, "FENCEPOST_OPTIONS", error, sizeof(error));
}

static const struct {
	const char *text;
	enum fp_option_rule_kind kind;
	uint64_t number;
	uint64_t seed;
} rules[] = {
        {"", FP_OPTION_RULE_NEVER, 0, 0},
        {"at:1", FP_OPTION_RULE_AT, 1, 0},
        {"at:18446744073709551615", FP_OPTION_RULE_AT, UINT64_MAX, 0},
        {"every:1000", FP_OPTION_RULE_EVERY, 1000, 0},
        {"probability:0", FP_OPTION_RULE_PROBABILITY, 0, 0},
        {"probability:1", FP_OPTION_RULE_PROBABILITY, UINT64_MAX, 0},
        {"probability:1.000,7", FP_OPTION_RULE_PROBABILITY, UINT64_MAX, 7},
        {"probability:0.5,18446744073709551615", FP_OPTION_RULE_PROBABILITY,
         UINT64_MAX / 10 * 5, UINT64_MAX},
        {"probability:0.00000000000000000000001", FP_OPTION_RULE_PROBABILITY, 0, 0},
        {"level:task", FP_OPTION_RULE_LEVEL, 0, 0},
        {"level:appdomain", FP_OPTION_RULE_LEVEL, 1, 0},
        {"level:process", FP_OPTION_RULE_LEVEL, 2, 0},
        {"stack:make_rows", FP_OPTION_RULE_STACK, 0, 0},
};

/* Written bare, in quotes, and as the command line hands it over. */
START_TEST(every_form_is_read_wherever_it_stands)
{
	static const char *const keys[] = {"fail_alloc", "fail_alloc", "fail-alloc"};
	static const char *const quotes[] = {"", "'", "\""};

	for (size_t i = 0; i < 3; i++) {
		char text[256];

		setup();
		snprintf(text, sizeof(text), "quiet=yes:%s=%s%s%s:align=8", keys[i], quotes[i],
		         rules[_i].text, quotes[i]);
		ck_assert_msg(parse(text) == 0, "%s", error);
		ck_assert_int_eq(options.fail_alloc.kind, rules[_i].kind);
		ck_assert_uint_eq(options.fail_alloc.number, rules[_i].number);
		ck_assert_uint_eq(options.fail_alloc.seed, rules[_i].seed);
		ck_assert_str_eq(options.fail_alloc.text, rules[_i].text);
		ck_assert(options.quiet);
		ck_assert_int_eq(options.align, 3);
	}
}
END_TEST

START_TEST(only_a_stack_has_a_function)
{
	ck_assert_int_eq(parse("fail_alloc=stack:_ZN3foo3barEv"), 0);
	ck_assert_str_eq(fp_option_rule_function(&options.fail_alloc), "_ZN3foo3barEv");
	ck_assert_int_eq(parse("fail_alloc=at:3"), 0);
	ck_assert_str_eq(fp_option_rule_function(&options.fail_alloc), "");
	ck_assert_int_eq(parse("fail_alloc="), 0);
	ck_assert_int_eq(options.fail_alloc.kind, FP_OPTION_RULE_NEVER);
}
END_TEST

static const char *const refused[] = {
        "at",
        "at:",
        "at:0",
        "at:-1",
        "at:1x",
        "at:18446744073709551616",
        "every:0",
        "every:",
        "sometimes:5",
        "level:",
        "level:thread",
        "level:tas",
        "stack:",
        "probability:",
        "probability:2",
        "probability:1.5",
        "probability:0.",
        "probability:.5",
        "probability:0.5,",
        "probability:0.5,x",
        "probability:0.5e3",
        "At:5",
        "5",
};

START_TEST(what_is_no_rule_is_refused_with_all_that_are)
{
	char text[256];
	char wanted[512];

	snprintf(text, sizeof(text), "fail_alloc='%s'", refused[_i]);
	ck_assert_int_eq(parse(text), -EINVAL);
	snprintf(wanted, sizeof(wanted),
	         "FENCEPOST_OPTIONS: fail_alloc=%s: use at:N, every:N, probability:P or "
	         "probability:P,SEED with P from 0 to 1, level:task, level:appdomain, "
	         "level:process, or stack:FUNCTION",
	         refused[_i]);
	ck_assert_str_eq(error, wanted);
	ck_assert_int_eq(options.fail_alloc.kind, FP_OPTION_RULE_NEVER);
}
END_TEST

START_TEST(a_long_rule_is_refused)
{
	char text[FP_OPTION_RULE_MAX + 64];
	size_t used = strlen(strcpy(text, "fail_alloc=stack:"));

	memset(text + used, 'f', FP_OPTION_RULE_MAX - strlen("stack:"));
	text[used + FP_OPTION_RULE_MAX - strlen("stack:")] = '\0';
	ck_assert_int_eq(parse(text), -EINVAL);
	text[strlen(text) - 1] = '\0';
	ck_assert_int_eq(parse(text), 0);
	ck_assert_uint_eq(strlen(options.fail_alloc.text), FP_OPTION_RULE_MAX - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options: rules");
	TCase *tests = tcase_create("rules");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_loop_test(tests, every_form_is_read_wherever_it_stands, 0,
	                    sizeof(rules) / sizeof(rules[0]));
	tcase_add_test(tests, only_a_stack_has_a_function);
	tcase_add_loop_test(tests, what_is_no_rule_is_refused_with_all_that_are, 0,
	                    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tests, a_long_rule_is_refused);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
