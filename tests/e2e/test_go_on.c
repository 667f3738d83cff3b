/* SPDX-License-Identifier: Apache-2.0
 *
 * continue=yes: programs that make bad accesses end as if they had made none, and every
 * distinct one is in the report, once, with how often it happened and what was written.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "fault_runs.h"

#define SOURCE VICTIMS "go_on.c"
#define RUNS_SOURCE VICTIMS "runs_off.c"

enum { PROTECTING = E2E_NONE, FINDINGS_MAX = 6 };

enum { ANY_COUNT = -1 };

/* A finding of a program; without a marker it is not looked at. */
struct finding {
	const char *kind;
	const char *access;
	const char *call;
	int count;
	long offset;
	const char *changed; /* in hexadecimal */
};

#define UAF "heap-use-after-free"
#define OVER "heap-buffer-overflow"
#define UNDER "heap-buffer-underflow"
#define MEGABYTES_64 67108864

static const struct {
	const char *program;
	size_t count;
	struct finding findings[FINDINGS_MAX];
} programs[] = {
        {"read-freed",
         3,
         {{UAF, "read", "read", 10, 0, NULL},
          {UAF, "read", "read", 1, 10, NULL},
          {UAF, "read", "read", 1, 999, NULL}}},
        {"read-past",
         2,
         {{OVER, "read", "read", 1, 256, NULL}, {OVER, "read", "read", 1, 4351, NULL}}},
        {"write-freed",
         2,
         {{UAF, "write", "write", 1, 2, "53"}, {UAF, "read", "read", 1, 2, NULL}}},
        {"write-past",
         4,
         {{OVER, "write", "write", 1, 256, "41"},
          {OVER, "write", "write 8", 1, 356, "4142434445464748"},
          {OVER, "read", "read", 1, 256, NULL},
          {OVER, "read", "read", 1, 356, NULL}}},
        {"count", 1, {{UAF, "read", "read", 10000, 0, NULL}}},
        {"straddle",
         3,
         {{OVER, "read", "read 8", 1, 256, NULL},
          {OVER, "write", "write 8", 1, 256, "45464748"},
          {OVER, "read", "read", 1, 256, NULL}}},
        {"straddle-freed",
         3,
         {{UAF, "read", "read 8", 1, 4092, NULL},
          {UAF, "write", "write 8", 1, 4092, "0000000000000000"},
          {UAF, "read", "read 8", 1, 4092, NULL}}},
        {"string-write",
         2,
         {{OVER, "write", "rep movsb", 50, 256, "7a"}, {OVER, "read", "read", 1, 256, NULL}}},
        {"string-read", 1, {{OVER, "read", "rep movsb", 50, 256, NULL}}},
        {"string-both",
         3,
         {{UAF, "read", "rep movsb", 50, 0, NULL},
          {UAF, "write", "rep movsb", 50, 0, NULL},
          {UAF, "read", "read", 1, 0, NULL}}},
        {"string-mended", 1, {{UAF, "read", "rep movsb", ANY_COUNT, 0, NULL}}},
        {"library",
         2,
         {{OVER, "write", "memset", ANY_COUNT, 256, NULL},
          {OVER, "read", "memcpy", ANY_COUNT, 256, NULL}}},
        {"far-before",
         3,
         {{UNDER, "read", "read", 1, -1, NULL},
          {OVER, "write", "write", 1, 4096, "77"},
          {OVER, "read", "read", 1, 4096, NULL}}},
        {"large",
         6,
         {{OVER, "read", "read", 1, MEGABYTES_64, NULL},
          {UNDER, "write", "write", 1, -1, "77"},
          {UAF, "read", "read", 1, 0, NULL},
          {UAF, "read", "read", 1, MEGABYTES_64 - 1, NULL},
          {UAF, "write", "write", 1, 1048576, "77"},
          {UAF, "read", "read", 1, 1048576, NULL}}},
        {"buried",
         3,
         {{UAF, "read", "read", 1, 0, NULL},
          {UAF, "write", "write", 1, 0, "77"},
          {UAF, "read", "read", 1, 0, NULL}}},
        {"threads",
         2,
         {{UAF, "read", "read", 2000, 0, NULL}, {UAF, "write", "write", 2000, 0, NULL}}},
        /* While one thread steps, the page is open to all. */
        {"threads-on-one-page", 1, {{UAF, "read", "read", ANY_COUNT, 0, NULL}}},
        {"signals", 1, {{UAF, "read", "read", ANY_COUNT, 0, NULL}}},
        {"own-traps", 1, {{UAF, "read", "read", 10, 0, NULL}}},
};

enum { PROGRAMS = sizeof(programs) / sizeof(programs[0]) };

static void check_changed(const json_t *finding, const char *changed)
{
	const json_t *evidence = json_object_get(finding, "evidence");

	ck_assert_msg(json_is_object(evidence), "no evidence of \"%s\"", changed);
	ck_assert_str_eq(e2e_get_string(evidence, "bytes"), changed);
}

static void check_finding_of(const char *source, const json_t *finding,
                             const struct finding *expected)
{
	const json_t *block = e2e_get(finding, "block");

	ck_assert_str_eq(e2e_get_string(finding, "kind"), expected->kind);
	ck_assert_str_eq(e2e_get_string(finding, "access"), expected->access);
	if (expected->count != ANY_COUNT)
		ck_assert_int_eq(e2e_get_integer(finding, "count"), expected->count);
	ck_assert_int_eq(e2e_get_integer(block, "offset"), expected->offset);
	e2e_check_stack(e2e_get(finding, "stack"), source, expected->call);
	e2e_check_stack(e2e_get(block, "alloc_stack"), source, "allocation");
	if (strcmp(expected->kind, UAF) == 0)
		e2e_check_stack(e2e_get(block, "free_stack"), source, "free");
	if (expected->changed != NULL)
		check_changed(finding, expected->changed);
}

static void check_finding(const json_t *finding, const struct finding *expected)
{
	check_finding_of(SOURCE, finding, expected);
}

/* Loop index: program and back end. */
START_TEST(test_program_goes_on)
{
	int at = _i % PROGRAMS;
	int backend = _i / PROGRAMS;
	const char *const argv[] = {"go_on", programs[at].program, NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(backend))
		return;
	fault_run(&run, backend, "continue=yes", argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, programs[at].count, 0);
	for (size_t i = 0; i < programs[at].count; i++)
		check_finding(fault_finding(&run, i), &programs[at].findings[i]);
	e2e_release(&run);
}
END_TEST

/* What is not ours kills as ever. */
START_TEST(test_foreign_fault_ends_the_process)
{
	static const char *const argv[] = {"go_on", "foreign", NULL};
	static const struct finding expected = {UAF, "read", "read", 1, 0, NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	fault_run(&run, _i, "continue=yes", argv);
	fault_check_signal(&run, SIGSEGV);
	e2e_check_counts(&run, 2, 0);
	check_finding(fault_finding(&run, 0), &expected);
	ck_assert_str_eq(e2e_get_string(fault_finding(&run, 1), "kind"), "crash");
	e2e_release(&run);
}
END_TEST

struct run {
	const char *program;
	struct finding finding; /* the first one */
};

static const struct run runs[] = {
        {"strings", {OVER, "read", "strlen", ANY_COUNT, 256, NULL}},
        {"scan-back", {UNDER, "read", "scan", ANY_COUNT, -1, NULL}},
        {"list", {UAF, "read", "read", 100, 0, NULL}},
};

static const struct run endless[] = {
        {"endless", {OVER, "read", "rawmemchr", ANY_COUNT, 256, NULL}},
        {"endless-write", {OVER, "write", "endless write", ANY_COUNT, 256, NULL}},
};

enum { RUNS = sizeof(runs) / sizeof(runs[0]) };

/* Who runs off a block finds the zero that it looks for. Loop index: program and back end. */
START_TEST(test_string_ends_somewhere)
{
	const char *const argv[] = {"runs_off", runs[_i % RUNS].program, NULL};
	int backend = _i / RUNS;
	struct e2e_run run = {0};

	if (!e2e_can_run(backend))
		return;
	fault_run(&run, backend, "continue=yes", argv);
	e2e_check_exit(&run, 0);
	check_finding_of(RUNS_SOURCE, fault_finding(&run, 0), &runs[_i % RUNS].finding);
	e2e_release(&run);
}
END_TEST

enum { ENDLESS = sizeof(endless) / sizeof(endless[0]) };

/* What runs off a block for ever is stopped, and that is the program's own fault. Loop index:
 * program and back end. */
START_TEST(test_endless_run_ends_the_process)
{
	const char *const argv[] = {"runs_off", endless[_i % ENDLESS].program, NULL};
	int backend = _i / ENDLESS;
	struct e2e_run run = {0};

	if (!e2e_can_run(backend))
		return;
	fault_run(&run, backend, "continue=yes:leak_check=no", argv);
	fault_check_signal(&run, SIGSEGV);
	check_finding_of(RUNS_SOURCE, fault_finding(&run, 0), &endless[_i % ENDLESS].finding);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("go on");
	TCase *tcase = tcase_create("go on");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_program_goes_on, 0, PROGRAMS * PROTECTING);
	e2e_add_shared_test(tcase, test_string_ends_somewhere, RUNS, PROTECTING);
	e2e_add_shared_test(tcase, test_endless_run_ends_the_process, ENDLESS, PROTECTING);
	tcase_add_loop_test(tcase, test_foreign_fault_ends_the_process, 0, PROTECTING);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
