/* SPDX-License-Identifier: Apache-2.0
 *
 * LeakSanitizer's functions: what a program says with them is in the report, under the preload
 * library as when linked.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload_runs.h"

#define SOURCE VICTIMS "annotated.c"

static const struct leak {
	const char *kind;
	const char *marker;
	long bytes;
} lost[] = {{"definite", "lost", 24}}, parent[] = {{"definite", "parent", 48}},
  family[] = {{"definite", "parent", 48}, {"indirect", "child", 32}};

static const struct {
	const char *way;
	const char *options;
	const char *out;
	int status;
	size_t count;
	const struct leak *leaks;
} ways[] = {
        {"ignore", "leak_check=full", "", 0, 0, NULL},
        {"disable", "leak_check=full", "", 0, 1, lost},
        {"root", "leak_check=full", "", 0, 1, parent},
        {"root-removed", "leak_check=full", "", 0, 2, family},
        {"recover", "leak_check=full", "0 1\n", 0, 1, lost},
        {"recover", "leak_check=no", "0 0\n", 0, 0, NULL},
        {"recover", "leak_check=full:leak_snapshot=yes", "0 1\n", 0, 1, lost},
        {"final", "leak_check=full", "0\n", 0, 1, lost},
        {"final", "leak_check=full:error_exitcode=23", "", 23, 1, lost},
        {"final", "error_exitcode=23:leak_check=no", "0\n", 0, 0, NULL},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

/* What the program says about itself, or its user to LeakSanitizer; it loses one block. */
static const struct {
	const char *wish;
	const char *environment; /* LSAN_OPTIONS */
	bool is_checked;
	long suppressed;
} wishes[] = {
        {"nothing", "", true, 0},
        {"off", "", false, 0},
        {"no-detection", "", false, 0},
        {"no-detection", "detect_leaks=1", true, 0},
        {"nothing", "verbosity=0 detect_leaks=false", false, 0},
        {"known", "", true, 1},
        {"nothing", "suppressions='lsan.supp':verbosity=0", true, 1},
        {"nothing", "suppressions=/nonexistent", true, 0},
};

enum { WISHES = sizeof(wishes) / sizeof(wishes[0]) };

static const json_t *find(const struct e2e_run *run, const struct leak *leak)
{
	const json_t *leaks = e2e_get(run->report, "leaks");

	for (size_t i = 0; i < json_array_size(leaks); i++) {
		const json_t *found = json_array_get(leaks, i);

		if (strcmp(e2e_get_string(found, "kind"), leak->kind) == 0)
			return found;
	}
	ck_abort_msg("no %s leak", leak->kind);
}

static void check_leak(const struct e2e_run *run, const struct leak *leak)
{
	const json_t *found = find(run, leak);

	ck_assert_int_eq(e2e_get_integer(found, "blocks"), 1);
	ck_assert_int_eq(e2e_get_integer(found, "bytes"), leak->bytes);
	e2e_check_stack(e2e_get(found, "alloc_stack"), SOURCE, leak->marker);
}

static void check_run(const struct e2e_run *run, int way)
{
	e2e_check_exit(run, ways[way].status);
	ck_assert_str_eq(run->out, ways[way].out);
	e2e_check_counts(run, 0, ways[way].count);
	for (size_t i = 0; i < ways[way].count; i++)
		check_leak(run, &ways[way].leaks[i]);
}

START_TEST(test_malloc)
{
	const char *const argv[] = {VICTIMS "annotated", ways[_i].way, NULL};
	struct e2e_run run;

	preload_run(&run, E2E_MPROTECT, ways[_i].options, argv);
	check_run(&run, _i);
	e2e_release(&run);
}
END_TEST

START_TEST(test_hosted)
{
	const char *const argv[] = {VICTIMS "annotated_hosted", ways[_i].way, NULL};
	struct e2e_run run = {0};

	e2e_run(&run, ways[_i].options, argv);
	check_run(&run, _i);
	e2e_release(&run);
}
END_TEST

static void check_wish(const struct e2e_run *run, int wish)
{
	bool is_checked = wishes[wish].is_checked;
	bool is_lost = is_checked && wishes[wish].suppressed == 0;
	const json_t *summary = e2e_get(run->report, "summary");

	ck_assert_int_eq(e2e_get_integer(summary, "leaked_blocks"), is_lost);
	ck_assert_int_eq(e2e_get_integer(summary, "suppressed"), wishes[wish].suppressed);
	ck_assert_msg((strstr(run->err, "leaks not checked") == NULL) == is_checked, "%s",
	              run->err);
}

/* Loop index: row of the table, and whether the program is linked with the library. */
START_TEST(test_what_the_program_says_to_lsan_counts)
{
	bool is_hosted = _i % 2 != 0;
	const char *const argv[] = {
	        is_hosted ? VICTIMS "annotated_hosted" : VICTIMS "annotated", "disable", NULL};
	struct e2e_run run = {0};
	FILE *file = fopen("lsan.supp", "w");

	fputs("# known\nleak:annotated.c\n", file);
	fclose(file);
	setenv("WISH", wishes[_i / 2].wish, 1);
	setenv("LSAN_OPTIONS", wishes[_i / 2].environment, 1);
	if (is_hosted)
		e2e_run(&run, NULL, argv);
	else
		preload_run(&run, E2E_MPROTECT, "leak_check=full", argv);
	e2e_check_exit(&run, 0);
	check_wish(&run, _i / 2);
	e2e_release(&run);
	unlink("lsan.supp");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("annotations");
	TCase *tcase = tcase_create("annotations");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_malloc, 0, WAYS);
	tcase_add_loop_test(tcase, test_hosted, 0, WAYS);
	tcase_add_loop_test(tcase, test_what_the_program_says_to_lsan_counts, 0, 2 * WISHES);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
