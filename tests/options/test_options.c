/* SPDX-License-Identifier: Apache-2.0
 *
 * Options: every type, what each accepts, and the exact text that refuses the rest.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options/options.h"
#include "options/words.h"

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

struct wanted {
	const char *key;
	const char *value;
	int seen;
};

static void compare_value(const struct fp_option *option, const char *value, void *user)
{
	struct wanted *wanted = user;

	if (strcmp(option->key, wanted->key) != 0)
		return;
	wanted->seen++;
	ck_assert_str_eq(value, wanted->value);
}

static void expect_shown(const char *key, const char *value)
{
	struct wanted wanted = {key, value, 0};

	fp_options_each(&options, compare_value, &wanted);
	ck_assert_int_eq(wanted.seen, 1);
}

START_TEST(defaults_are_those_of_the_table)
{
	ck_assert_int_eq(options.backend, FP_OPTIONS_BACKEND_AUTO);
	ck_assert_int_eq(options.align, FP_OPTIONS_ALIGN_16);
	ck_assert_int_eq(options.placement, FP_OPTIONS_PLACEMENT_RIGHT);
	ck_assert_uint_eq(options.history, 64u << 20);
	ck_assert_int_eq(options.leak_check, FP_OPTIONS_LEAK_CHECK_FULL);
	ck_assert(!options.halt_on_error);
	ck_assert_str_eq(options.json, "");
	expect_shown("history", "67108864");
	expect_shown("halt_on_error", "no");
	expect_shown("placement", "right");
}
END_TEST

/* Parsing a default as if a user had written it leaves the defaults. */
START_TEST(every_default_is_a_valid_value)
{
	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		struct fp_options before = options;
		char item[128];

		snprintf(item, sizeof(item), "%s=%s", fp_options_table[i].key,
		         fp_options_table[i].standard);
		ck_assert_msg(parse(item) == 0, "%s", error);
		ck_assert_mem_eq(&before, &options, sizeof(options));
	}
}
END_TEST

/* The enums written by hand in options.h against the words of options.def. */
START_TEST(choices_have_their_enums)
{
	static const struct {
		const char *key;
		const char *word;
		int index;
	} choices[] = {
	        {"backend", "auto", FP_OPTIONS_BACKEND_AUTO},
	        {"backend", "move", FP_OPTIONS_BACKEND_MOVE},
	        {"backend", "guard", FP_OPTIONS_BACKEND_GUARD},
	        {"backend", "mprotect", FP_OPTIONS_BACKEND_MPROTECT},
	        {"backend", "none", FP_OPTIONS_BACKEND_NONE},
	        {"align", "1", 0},
	        {"align", "2", 1},
	        {"align", "4", 2},
	        {"align", "8", 3},
	        {"align", "16", FP_OPTIONS_ALIGN_16},
	        {"align", "auto", FP_OPTIONS_ALIGN_AUTO},
	        {"one_cpu", "auto", FP_OPTIONS_ONE_CPU_AUTO},
	        {"one_cpu", "yes", FP_OPTIONS_ONE_CPU_YES},
	        {"one_cpu", "no", FP_OPTIONS_ONE_CPU_NO},
	        {"placement", "right", FP_OPTIONS_PLACEMENT_RIGHT},
	        {"placement", "left", FP_OPTIONS_PLACEMENT_LEFT},
	        {"placement", "alternate", FP_OPTIONS_PLACEMENT_ALTERNATE},
	        {"leak_check", "no", FP_OPTIONS_LEAK_CHECK_NO},
	        {"leak_check", "summary", FP_OPTIONS_LEAK_CHECK_SUMMARY},
	        {"leak_check", "full", FP_OPTIONS_LEAK_CHECK_FULL},
	        {"leak_signal", "no", FP_OPTIONS_LEAK_SIGNAL_NO},
	        {"leak_signal", "HUP", FP_OPTIONS_LEAK_SIGNAL_HUP},
	        {"leak_signal", "USR1", FP_OPTIONS_LEAK_SIGNAL_USR1},
	        {"leak_signal", "USR2", FP_OPTIONS_LEAK_SIGNAL_USR2},
	        {"leak_signal", "PWR", FP_OPTIONS_LEAK_SIGNAL_PWR},
	        {"leak_signal", "URG", FP_OPTIONS_LEAK_SIGNAL_URG},
	        {"leak_signal", "WINCH", FP_OPTIONS_LEAK_SIGNAL_WINCH},
	        {"report", "now", FP_OPTIONS_REPORT_NOW},
	        {"report", "end", FP_OPTIONS_REPORT_END},
	        {"style", "fencepost", FP_OPTIONS_STYLE_FENCEPOST},
	        {"style", "asan", FP_OPTIONS_STYLE_ASAN},
	        {"color", "auto", FP_OPTIONS_COLOR_AUTO},
	        {"color", "always", FP_OPTIONS_COLOR_ALWAYS},
	        {"color", "never", FP_OPTIONS_COLOR_NEVER},
	        {"stacks", "cut", FP_OPTIONS_STACKS_CUT},
	        {"stacks", "full", FP_OPTIONS_STACKS_FULL},
	};
	size_t words = 0;

	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const struct fp_option *option =
		        fp_options_find(choices[i].key, strlen(choices[i].key));
		char item[64];

		snprintf(item, sizeof(item), "%s=%s", choices[i].key, choices[i].word);
		ck_assert_msg(parse(item) == 0, "%s", error);
		ck_assert_int_eq(*(const int *)((const char *)&options + option->field),
		                 choices[i].index);
		expect_shown(choices[i].key, choices[i].word);
	}
	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		if (fp_options_table[i].type != FP_OPTION_CHOICE)
			continue;
		words++;
		for (const char *c = fp_options_table[i].value; *c != '\0'; c++)
			words += *c == '|';
	}
	ck_assert_uint_eq(words, sizeof(choices) / sizeof(choices[0]));
}
END_TEST

START_TEST(items_are_applied_in_order)
{
	ck_assert_int_eq(parse("::stack-depth=8:quiet=on:log=/tmp/a b:stack_depth=9:"), 0);
	ck_assert_uint_eq(options.stack_depth, 9);
	ck_assert(options.quiet);
	ck_assert_str_eq(options.log, "/tmp/a b");
	ck_assert_int_eq(parse(""), 0);
	ck_assert_int_eq(parse("log="), 0);
	ck_assert_str_eq(options.log, "");
}
END_TEST

START_TEST(quoted_values_may_hold_colons)
{
	ck_assert_int_eq(parse("log=\"a:b'c\":json='x:\"y':events=it's"), 0);
	ck_assert_str_eq(options.log, "a:b'c");
	ck_assert_str_eq(options.json, "x:\"y");
	ck_assert_str_eq(options.events, "it's");
}
END_TEST

START_TEST(booleans_have_four_spellings)
{
	static const char *const yes[] = {"yes", "1", "true", "on"};
	static const char *const no[] = {"no", "0", "false", "off"};

	for (size_t i = 0; i < 4; i++) {
		char item[32];

		snprintf(item, sizeof(item), "quiet=%s", yes[i]);
		ck_assert_int_eq(parse(item), 0);
		ck_assert(options.quiet);
		snprintf(item, sizeof(item), "quiet=%s", no[i]);
		ck_assert_int_eq(parse(item), 0);
		ck_assert(!options.quiet);
	}
}
END_TEST

START_TEST(sizes_have_suffixes)
{
	ck_assert_int_eq(parse("history=3"), 0);
	ck_assert_uint_eq(options.history, 3);
	ck_assert_int_eq(parse("history=3K"), 0);
	ck_assert_uint_eq(options.history, 3072);
	ck_assert_int_eq(parse("history=2t"), 0);
	ck_assert_uint_eq(options.history, 2ull << 40);
	ck_assert_int_eq(parse("history=18446744073709551615"), 0);
	ck_assert_uint_eq(options.history, UINT64_MAX);
	expect_shown("history", "18446744073709551615");
}
END_TEST

static const struct {
	const char *text;
	const char *error;
} refusals[] = {
        {"bakend=none", "unknown option \"bakend\"; the nearest one is \"backend\""},
        {"leakcheck=no", "unknown option \"leakcheck\"; the nearest one is \"leak_check\""},
        {"jsn", "unknown option \"jsn\"; the nearest one is \"json\""},
        {"=1", "unknown option \"\"; fencepost --help=all lists them"},
        {"colour_of_guards=1", "unknown option \"colour_of_guards\"; fencepost --help=all "
                               "lists them"},
        {"num-callers=3", "\"num-callers\" is an option of Valgrind: write --stack-depth=N"},
        {"EF_PROTECT_BELOW=1",
         "\"EF_PROTECT_BELOW\" is an option of Electric Fence: write --placement=left"},
        {"quiet", "quiet has no value; write quiet=yes|no"},
        {"stack-depth", "stack_depth has no value; write stack_depth=N"},
        {"backend=gaurd", "backend=gaurd: use auto, move, guard, mprotect or none"},
        {"placement=", "placement=: use right, left or alternate"},
        {"quiet=maybe", "quiet=maybe: use yes or no"},
        {"align=3", "align=3: use 1, 2, 4, 8, 16 or auto"},
        {"align=32", "align=32: use 1, 2, 4, 8, 16 or auto"},
        {"align=0", "align=0: use 1, 2, 4, 8, 16 or auto"},
        {"stack_depth=0", "stack_depth=0: use a whole number from 1 to 256"},
        {"stack_depth=257", "stack_depth=257: use a whole number from 1 to 256"},
        {"stack_depth=-1", "stack_depth=-1: use a whole number from 1 to 256"},
        {"stack_depth=8x", "stack_depth=8x: use a whole number from 1 to 256"},
        {"stack_depth=99999999999999999999",
         "stack_depth=99999999999999999999: use a whole number from 1 to 256"},
        {"history=", "history=: use a number of bytes below 2^64, or one with k, m, g or t"},
        {"history=k", "history=k: use a number of bytes below 2^64, or one with k, m, g or t"},
        {"history=1kb",
         "history=1kb: use a number of bytes below 2^64, or one with k, m, g or t"},
        {"history=1q",
         "history=1q: use a number of bytes below 2^64, or one with k, m, g or t"},
        {"history=16777216t",
         "history=16777216t: use a number of bytes below 2^64, or one with k, m, g or t"},
        {"history=18446744073709551616",
         "history=18446744073709551616: use a number of bytes below 2^64, or one with k, m, g "
         "or t"},
        {"json=\"a", "json=\"a: the quote is not closed; end the value with it"},
        {"json='a'b", "json='a'b: write ':' between the closing quote and the next item"},
        {"qu\niet=1", "unknown option \"qu?iet\"; the nearest one is \"quiet\""},
};

START_TEST(refusals_name_the_remedy_and_change_nothing)
{
	struct fp_options before = options;
	char text[256];
	char wanted[512];

	snprintf(text, sizeof(text), "quiet=yes:%s", refusals[_i].text);
	ck_assert_int_eq(parse(text), -EINVAL);
	snprintf(wanted, sizeof(wanted), "FENCEPOST_OPTIONS: %s", refusals[_i].error);
	ck_assert_str_eq(error, wanted);
	ck_assert_mem_eq(&before, &options, sizeof(options));
}
END_TEST

START_TEST(long_file_names_are_refused)
{
	char *text = calloc(1, FP_OPTION_PATH_MAX + 8);

	memcpy(text, "log=", 4);
	memset(text + 4, 'x', FP_OPTION_PATH_MAX - 1);
	ck_assert_int_eq(parse(text), 0);
	ck_assert_uint_eq(strlen(options.log), FP_OPTION_PATH_MAX - 1);
	memset(text + 4, 'y', FP_OPTION_PATH_MAX);
	ck_assert_int_eq(parse(text), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "...: use a file name shorter than 1024 bytes"));
	ck_assert_int_eq(options.log[0], 'x');
	free(text);
}
END_TEST

/* As Valgrind's --xml=yes. */
START_TEST(a_file_is_not_called_yes)
{
	static const char *const names[] = {"log",    "json",        "html",   "folded",
	                                    "sarif",  "xml",         "ndjson", "events",
	                                    "record", "suppressions"};
	char text[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "%s=yes", names[i]);
		ck_assert_int_eq(parse(text), -EINVAL);
		ck_assert_ptr_nonnull(strstr(error, "=yes: use a file name"));
		ck_assert_ptr_nonnull(strstr(error, "./yes"));
		snprintf(text, sizeof(text), "%s=off", names[i]);
		ck_assert_int_eq(parse(text), -EINVAL);
	}
	ck_assert_int_eq(parse("xml=./yes:json=yesterday:label=yes:source_root=no"), 0);
	ck_assert_str_eq(options.xml, "./yes");
	ck_assert_str_eq(options.json, "yesterday");
}
END_TEST

START_TEST(errors_fit_a_small_buffer)
{
	char small[16];

	memset(small, 'z', sizeof(small));
	ck_assert_int_eq(fp_options_parse(&options, "bakend=1", "here", small, 10), -EINVAL);
	ck_assert_str_eq(small, "here: unk");
	ck_assert_int_eq(small[10], 'z');
}
END_TEST

START_TEST(distance_counts_edits)
{
	ck_assert_uint_eq(fp_words_distance("kitten", 6, "sitting"), 3);
	ck_assert_uint_eq(fp_words_distance("", 0, "abc"), 3);
	ck_assert_uint_eq(fp_words_distance("jsno", 4, "json"), 1);
	ck_assert_uint_eq(fp_words_distance("ab", 2, "ba"), 1);
	ck_assert_str_eq(fp_words_nearer("jsno", 4, "log", "json"), "json");
	ck_assert_uint_eq(fp_words_distance("leak-check", 10, "leak_check"), 0);
	ck_assert_uint_eq(fp_words_distance("abcd", 2, "ab"), 0);
	ck_assert_ptr_null(fp_words_nearer("guards", 6, NULL, "log"));
	ck_assert_str_eq(fp_words_nearer("guards", 6, NULL, "guard"), "guard");
	ck_assert_str_eq(fp_words_nearer("rn", 2, NULL, "run"), "run");
	ck_assert_str_eq(fp_words_nearer("jsn", 3, "jsons", "json"), "json");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *tests = tcase_create("options");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, defaults_are_those_of_the_table);
	tcase_add_test(tests, every_default_is_a_valid_value);
	tcase_add_test(tests, choices_have_their_enums);
	tcase_add_test(tests, items_are_applied_in_order);
	tcase_add_test(tests, quoted_values_may_hold_colons);
	tcase_add_test(tests, booleans_have_four_spellings);
	tcase_add_test(tests, sizes_have_suffixes);
	tcase_add_loop_test(tests, refusals_name_the_remedy_and_change_nothing, 0,
	                    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(tests, long_file_names_are_refused);
	tcase_add_test(tests, a_file_is_not_called_yes);
	tcase_add_test(tests, errors_fit_a_small_buffer);
	tcase_add_test(tests, distance_counts_edits);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
