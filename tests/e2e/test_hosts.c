/* SPDX-License-Identifier: Apache-2.0
 *
 * The example hosts at work without a mistake: the engines compute what they should, every
 * block is given back, and there is nothing to report. Small scripts, and many blocks at once.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static const char demo_sql_output[] = "Ada|8|21|HOUR 21, ALL QUIET\n"
                                      "Edsger|8|23|HOUR 23, ALL QUIET\n"
                                      "Grace|8|22|HOUR 22, ALL QUIET\n"
                                      "left|12|216\n";

static const char demo_lua_output[] = "a as as fence good is its only post weakest\n"
                                      "sum of squares\t338350\n"
                                      "posts left\t500\n"
                                      "false\tcaught\n";

static const char rows_output[] = "all|200000|99900000|item 000001|item 200000\n"
                                  "0|200|20100000|item 200000\n"
                                  "1|200|19900200|item 199001\n"
                                  "2|200|19900400|item 199002\n"
                                  "distinct|200000\n"
                                  "odd|100000|50000000\n"
                                  "none|0\n";

static const char tables_output[] = "tables\t100000\t5000050000\t1088895\n"
                                    "left\t50000\n";

static const struct {
	const char *program;
	const char *script;
	const char *output;
	long peak_blocks; /* at least that many were live at once */
} small[] =
        {
                {"examples/sqlite_host", "examples/demo.sql", demo_sql_output, 50},
                {"examples/lua_host", "examples/demo.lua", demo_lua_output, 1000},
},
  big[] = {
          {"examples/sqlite_host", "tests/e2e/rows.sql", rows_output, 2000},
          {"examples/lua_host", "tests/e2e/tables.lua", tables_output, 300000},
};

/* No finding, no leak, not a word; and as many blocks were live as the script needs. */
static void check_clean(const struct e2e_run *run, long peak_blocks)
{
	json_t *heap;

	e2e_check_exit(run, 0);
	e2e_check_counts(run, 0, 0);
	heap = e2e_get(run->report, "heap");
	ck_assert_int_eq(e2e_get_integer(heap, "live_blocks"), 0);
	ck_assert_int_eq(e2e_get_integer(heap, "live_bytes"), 0);
	ck_assert_int_eq(e2e_get_integer(heap, "allocations"), e2e_get_integer(heap, "frees"));
	ck_assert_int_ge(e2e_get_integer(heap, "peak_blocks"), peak_blocks);
}

static void check_all_guarded(const struct e2e_run *run)
{
	json_t *protection = e2e_get(run->report, "protection");

	ck_assert_int_eq(e2e_get_integer(protection, "guarded"),
	                 e2e_get_integer(protection, "allocations"));
}

/* Loop index: host and back end. */
START_TEST(test_demo_runs_clean)
{
	int host = _i % 2;
	int backend = _i / 2;
	const char *const argv[] = {small[host].program, e2e_source(small[host].script), NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(backend))
		return;
	e2e_run(&run, e2e_backend_option(backend), argv);
	ck_assert_str_eq(run.out, small[host].output);
	check_clean(&run, small[host].peak_blocks);
	e2e_release(&run);
}
END_TEST

static long mappings_allowed(void)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
	long count = 0;

	ck_assert(file != NULL && fscanf(file, "%ld", &count) == 1);
	fclose(file);
	return count;
}

/* With `mprotect` every live block takes two of the mappings that the kernel allows. */
static bool exceeds_mappings(int host, int backend)
{
	return backend == E2E_MPROTECT && 2 * big[host].peak_blocks > mappings_allowed();
}

START_TEST(test_big_script_runs_clean)
{
	int host = _i % 2;
	int backend = _i / 2;
	const char *const argv[] = {big[host].program, e2e_source(big[host].script), NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(backend) || exceeds_mappings(host, backend))
		return;
	e2e_run(&run, e2e_backend_option(backend), argv);
	ck_assert_str_eq(run.out, big[host].output);
	check_clean(&run, big[host].peak_blocks);
	if (backend == E2E_MOVE || backend == E2E_GUARD)
		check_all_guarded(&run);
	e2e_release(&run);
}
END_TEST

/* When mappings run out, blocks are padded: the host goes on, and the report says how many. */
START_TEST(test_mprotect_pads_beyond_the_mappings)
{
	const char *const argv[] = {big[1].program, e2e_source(big[1].script), NULL};
	struct e2e_run run = {0};

	if (!exceeds_mappings(1, E2E_MPROTECT)) {
		printf("SKIPPED: vm.max_map_count is too large to be reached\n");
		return;
	}
	e2e_run(&run, e2e_backend_option(E2E_MPROTECT), argv);
	ck_assert_str_eq(run.out, big[1].output);
	check_clean(&run, big[1].peak_blocks);
	const json_t *protection = e2e_get(run.report, "protection");
	long padded = e2e_get_integer(protection, "padded");
	ck_assert_int_gt(e2e_get_integer(protection, "guarded"), 0);
	ck_assert_int_gt(padded, 0);
	ck_assert_int_eq(e2e_get_integer(e2e_get(protection, "reasons"), "mappings"), padded);
	e2e_release(&run);
}
END_TEST

START_TEST(test_script_on_standard_input)
{
	static const char *const argv[] = {"examples/sqlite_host", "-", NULL};
	struct e2e_run run = {.input = "SELECT 6 * 7, NULL, 'x';\n"};

	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "42||x\n");
	e2e_release(&run);
}
END_TEST

START_TEST(test_lua_script_gets_its_arguments)
{
	static const char *const argv[] = {"examples/lua_host", "-", "one", "--two", NULL};
	struct e2e_run run = {.input = "#!/usr/bin/env lua\nprint(#arg, arg[0], ...)\n"};

	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "2\t-\tone\t--two\n");
	e2e_release(&run);
}
END_TEST

/* A failing script is the engine's error, with its line, and leaks nothing. */
START_TEST(test_failing_script)
{
	static const struct {
		const char *program;
		const char *input;
		const char *message;
	} cases[] = {
	        {"examples/sqlite_host", "SELECT 1;\nSELECT nope;\n",
	         "sqlite_host: -:2: no such column: nope\n"},
	        {"examples/lua_host", "print(1)\nerror('nope')\n", "lua_host: -:2: nope\n"},
	};
	const char *const argv[] = {cases[_i].program, "-", NULL};
	struct e2e_run run = {.input = cases[_i].input};

	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 1);
	ck_assert_str_eq(run.out, "1\n");
	ck_assert_msg(strncmp(run.err, cases[_i].message, strlen(cases[_i].message)) == 0, "%s",
	              run.err);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosts");
	TCase *quick = tcase_create("small");
	TCase *slow = tcase_create("big");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(quick, 60);
	tcase_add_loop_test(quick, test_demo_runs_clean, 0, 2 * E2E_BACKEND_COUNT);
	tcase_add_test(quick, test_script_on_standard_input);
	tcase_add_test(quick, test_lua_script_gets_its_arguments);
	tcase_add_loop_test(quick, test_failing_script, 0, 2);
	suite_add_tcase(suite, quick);
	tcase_set_timeout(slow, 600);
	tcase_add_loop_test(slow, test_big_script_runs_clean, 0, 2 * E2E_BACKEND_COUNT);
	tcase_add_test(slow, test_mprotect_pads_beyond_the_mappings);
	suite_add_tcase(suite, slow);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
