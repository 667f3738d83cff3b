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
#include "support/times.h"

static const char demo_sql_output[] = "Ada|8|21|HOUR 21, ALL QUIET\n"
                                      "Edsger|8|23|HOUR 23, ALL QUIET\n"
                                      "Grace|8|22|HOUR 22, ALL QUIET\n"
                                      "left|12|216\n";

static const char demo_lua_output[] = "a as as fence good is its only post weakest\n"
                                      "sum of squares\t338350\n"
                                      "posts left\t500\n"
                                      "false\tcaught\n";

static const struct {
	const char *program;
	const char *script;
	const char *output;
	long peak_blocks; /* at least that many were live at once */
} small[] = {
        {"examples/sqlite_host", "examples/demo.sql", demo_sql_output, 50},
        {"examples/lua_host", "examples/demo.lua", demo_lua_output, 1000},
};

enum { OUTPUT_MAX = 1000 };

static void print_rows(char *output, long rows)
{
	long each = rows / 1000; /* in a bucket */
	long squares = 1000 * each * (each - 1) / 2;

	snprintf(output, OUTPUT_MAX,
	         "all|%ld|%ld|item 000001|item %06ld\n"
	         "0|%ld|%ld|item %06ld\n"
	         "1|%ld|%ld|item %06ld\n"
	         "2|%ld|%ld|item %06ld\n"
	         "distinct|%ld\n"
	         "odd|%ld|%ld\n"
	         "none|0\n",
	         rows, each * 499500, rows, each, squares + rows, rows, each, squares + each,
	         rows - 999, each, squares + 2 * each, rows - 998, rows, rows / 2,
	         each * 250000);
}

static void print_tables(char *output, long tables)
{
	long length = 0;

	for (long i = 1; i <= tables; i++)
		length += snprintf(NULL, 0, "table %ld", i);
	snprintf(output, OUTPUT_MAX, "tables\t%ld\t%ld\t%ld\nleft\t%ld\n", tables,
	         tables * (tables + 1) / 2, length, tables / 2);
}

/* Scripts that make COUNT of something, and the output of one that makes others. */
static const struct {
	const char *program;
	const char *script;
	const char *count;
	long least;
	void (*print_output)(char *output, long count);
	long peak_percent; /* so many blocks were live at once at least, of the count */
} big[] = {
        {"examples/sqlite_host", "tests/e2e/rows.sql", "200000", 40000, print_rows, 1},
        {"examples/lua_host", "tests/e2e/tables.lua", "100000", 20000, print_tables, 300},
};

enum { LUA = 1 };

/* Of thousands, as the rows' output has it. */
static long count_for(int host)
{
	return test_times(atol(big[host].count) / 1000, big[host].least / 1000) * 1000;
}

/* The script with another count. The caller frees it. */
static char *script_of(int host, long count)
{
	const char *const old = big[host].count;
	FILE *file = fopen(e2e_source(big[host].script), "r");
	char line[1000];
	char *script;
	size_t size;
	FILE *all = open_memstream(&script, &size);

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		const char *rest = line;

		for (const char *at; (at = strstr(rest, old)) != NULL; rest = at + strlen(old))
			fprintf(all, "%.*s%ld", (int)(at - rest), rest, count);
		fputs(rest, all);
	}
	fclose(file);
	fclose(all);
	return script;
}

static void run_big(struct e2e_run *run, int host, int backend, long count)
{
	const char *const argv[] = {big[host].program, "-", NULL};
	char *script = script_of(host, count);
	char output[OUTPUT_MAX];

	run->input = script;
	e2e_run(run, e2e_backend_option(backend), argv);
	big[host].print_output(output, count);
	ck_assert_str_eq(run->out, output);
	free(script);
}

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
static bool exceeds_mappings(int host, int backend, long count)
{
	return backend == E2E_MPROTECT &&
	       2 * count * big[host].peak_percent / 100 > mappings_allowed();
}

START_TEST(test_big_script_runs_clean)
{
	int host = _i % 2;
	int backend = _i / 2;
	long count = count_for(host);
	struct e2e_run run = {0};

	if (!e2e_can_run(backend) || exceeds_mappings(host, backend, count))
		return;
	run_big(&run, host, backend, count);
	check_clean(&run, count * big[host].peak_percent / 100);
	if (backend == E2E_MOVE || backend == E2E_GUARD)
		check_all_guarded(&run);
	e2e_release(&run);
}
END_TEST

/* When mappings run out, blocks are padded: the host goes on, and the report says how many. */
START_TEST(test_mprotect_pads_beyond_the_mappings)
{
	long count = count_for(LUA);
	struct e2e_run run = {0};

	if (!exceeds_mappings(LUA, E2E_MPROTECT, count)) {
		printf("SKIPPED: vm.max_map_count is too large to be reached\n");
		return;
	}
	run_big(&run, LUA, E2E_MPROTECT, count);
	check_clean(&run, count * big[LUA].peak_percent / 100);
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

	e2e_add_shared_test(quick, test_demo_runs_clean, 2, E2E_BACKEND_COUNT);
	tcase_add_test(quick, test_script_on_standard_input);
	tcase_add_test(quick, test_lua_script_gets_its_arguments);
	tcase_add_loop_test(quick, test_failing_script, 0, 2);
	suite_add_tcase(suite, quick);
	e2e_add_shared_test(slow, test_big_script_runs_clean, 2, E2E_BACKEND_COUNT);
	tcase_add_test(slow, test_mprotect_pads_beyond_the_mappings);
	suite_add_tcase(suite, slow);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
