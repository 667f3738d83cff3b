/* SPDX-License-Identifier: Apache-2.0
 *
 * Every mistake that the example hosts can commit, in every host and on every back end: exactly
 * one finding, of the right kind, at the right lines of examples/plant.c, and no leak.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness.h"

#define PLANT_SOURCE "examples/plant.c"

static const struct {
	const char *name;
	struct e2e_finding finding;
} mistakes[] = {
        {"overflow",
         {.kind = "heap-buffer-overflow",
          .access = "write",
          .call = "overflow free",
          .allocation = "overflow allocation",
          .size = 20,
          .offset = 20}},
        {"underflow",
         {.kind = "heap-buffer-underflow",
          .access = "write",
          .call = "underflow free",
          .allocation = "underflow allocation",
          .size = 36,
          .offset = -1}},
        {"double-free",
         {.kind = "double-free",
          .access = "free",
          .call = "double-free second free",
          .allocation = "double-free allocation",
          .first_free = "double-free first free",
          .size = 48}},
        {"interior-free",
         {.kind = "invalid-free",
          .access = "free",
          .call = "interior-free free",
          .allocation = "interior allocation",
          .size = 100,
          .offset = 8}},
        {"foreign-free",
         {.kind = "invalid-free", .access = "free", .call = "foreign-free free"}},
        {"wrong-heap",
         {.kind = "wrong-heap",
          .access = "free",
          .call = "wrong-heap free",
          .allocation = "wrong-heap allocation",
          .size = 80}},
};

enum { MISTAKE_COUNT = sizeof(mistakes) / sizeof(mistakes[0]) };

static const struct {
	const char *program;
	const char *script;
} hosts[] = {
        {"examples/sqlite_host", "examples/demo.sql"},
        {"examples/lua_host", "examples/demo.lua"},
};

enum { HOST_COUNT = sizeof(hosts) / sizeof(hosts[0]) };

static void run_host(struct e2e_run *run, int host, int backend, const char *plant)
{
	char option[40];
	const char *const argv[] = {hosts[host].program, option, e2e_source(hosts[host].script),
	                            NULL};

	snprintf(option, sizeof(option), "--plant=%s", plant);
	e2e_run(run, e2e_backend_option(backend), argv);
}

/* The first line is for a person in a hurry: what, and where. */
static void check_first_line(const struct e2e_run *run, const struct e2e_finding *finding)
{
	size_t length = strcspn(run->err, "\n");
	char *line = strndup(run->err, length);
	char place[40];

	snprintf(place, sizeof(place), "plant.c:%d",
	         e2e_marker_line(PLANT_SOURCE, finding->call));
	ck_assert_msg(strstr(line, finding->kind) != NULL && strstr(line, place) != NULL,
	              "no %s at %s in: %s", finding->kind, place, line);
	free(line);
}

/* Loop index: mistake, host and back end. */
START_TEST(test_mistake_is_one_finding)
{
	struct e2e_finding expected = mistakes[_i % MISTAKE_COUNT].finding;
	int host = _i / MISTAKE_COUNT % HOST_COUNT;
	int backend = _i / MISTAKE_COUNT / HOST_COUNT;
	struct e2e_run run = {0};

	if (!e2e_can_run(backend))
		return;
	expected.source = PLANT_SOURCE;
	expected.is_refused = true;
	run_host(&run, host, backend, mistakes[_i % MISTAKE_COUNT].name);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 1, 0);
	e2e_check_finding(&run, &expected);
	check_first_line(&run, &expected);
	e2e_release(&run);
}
END_TEST

/* Loop index: host and back end. */
START_TEST(test_leak_is_one_leak_and_no_finding)
{
	struct e2e_run run = {0};
	json_t *leak;

	if (!e2e_can_run(_i / HOST_COUNT))
		return;
	run_host(&run, _i % HOST_COUNT, _i / HOST_COUNT, "leak");
	e2e_check_exit(&run, 0);
	/* The host releases its heap all the same. */
	ck_assert_uint_eq(e2e_take_findings(&run, "heap-released-in-use"), 1);
	e2e_check_counts(&run, 0, 1);
	leak = json_array_get(json_object_get(run.report, "leaks"), 0);
	ck_assert_int_eq(e2e_get_integer(leak, "blocks"), 1);
	ck_assert_int_eq(e2e_get_integer(leak, "bytes"), 1234);
	e2e_check_stack(e2e_get(leak, "alloc_stack"), PLANT_SOURCE, "leak allocation");
	e2e_release(&run);
}
END_TEST

/* Where freed blocks are inaccessible, reading one is a fault, which is reported and kills as
 * ever; `none` leaves them accessible. */
START_TEST(test_use_after_free_is_reported_and_kills)
{
	static const struct e2e_finding expected = {
	        .kind = "heap-use-after-free",
	        .access = "read",
	        .source = PLANT_SOURCE,
	        .call = "use-after-free read",
	        .allocation = "uaf allocation",
	        .first_free = "use-after-free free",
	        .size = 64,
	        .offset = 8,
	};
	int backend = _i / HOST_COUNT;
	struct e2e_run run = {0};

	if (!e2e_can_run(backend))
		return;
	run_host(&run, _i % HOST_COUNT, backend, "use-after-free");
	if (backend == E2E_NONE) {
		e2e_check_exit(&run, 0);
		e2e_check_counts(&run, 0, 0);
	} else {
		ck_assert_msg(WIFSIGNALED(run.status) && WTERMSIG(run.status) == SIGSEGV,
		              "status 0x%x: %s", (unsigned)run.status, run.err);
		e2e_check_counts(&run, 1, 0);
		e2e_check_finding(&run, &expected);
		check_first_line(&run, &expected);
	}
	e2e_release(&run);
}
END_TEST

START_TEST(test_first_minute_reports_its_double_free)
{
	static const char *const programs[] = {"examples/first_minute",
	                                       "examples/first_minute_cxx"};
	const char *const argv[] = {programs[_i], NULL};
	struct e2e_run run = {0};
	json_t *finding;

	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "the second Free was refused, and the program goes on\n");
	e2e_check_counts(&run, 1, 0);
	finding = json_array_get(json_object_get(run.report, "findings"), 0);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "double-free");
	finding = json_array_get(e2e_get(finding, "stack"), 0);
	ck_assert_str_eq(e2e_get_string(finding, "function"), "main");
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plants");
	TCase *tcase = tcase_create("mistakes");
	SRunner *runner = srunner_create(suite);
	int failed;

	e2e_add_shared_test(tcase, test_mistake_is_one_finding, MISTAKE_COUNT * HOST_COUNT,
	                    E2E_BACKEND_COUNT);
	e2e_add_shared_test(tcase, test_leak_is_one_leak_and_no_finding, HOST_COUNT,
	                    E2E_BACKEND_COUNT);
	e2e_add_shared_test(tcase, test_use_after_free_is_reported_and_kills, HOST_COUNT,
	                    E2E_BACKEND_COUNT);
	tcase_add_loop_test(tcase, test_first_minute_reports_its_double_free, 0, 2);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
