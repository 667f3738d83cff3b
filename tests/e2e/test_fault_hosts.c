/* SPDX-License-Identifier: Apache-2.0
 *
 * Hosts with ideas of their own about SIGSEGV and SIGBUS: they get what they would without
 * Fencepost, and the report besides.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "fault_runs.h"

#define SOURCE VICTIMS "host_handler.c"

enum { PROTECTING = E2E_NONE };

/* How a host ends. */
enum end { RECOVERS, DIES };

static const struct {
	const char *name;
	int count; /* of the use after free; 0: there is none */
	enum end end;
} hosts[] = {
        {"recover", 100, RECOVERS},
        {"recover-later", 100, RECOVERS},
        {"recover-replaced", 100, RECOVERS},
        {"recover-plain", 100, RECOVERS},
        {"recover-without-mask", 100, RECOVERS},
        {"recover-once", 2, DIES},
        {"recover-deep", 100, RECOVERS},
        {"ignore", 1, DIES},
        {"bus-only", 1, DIES},
        {"pass-back", 1, DIES},
        {"foreign", 0, RECOVERS},
        {"foreign-mended", 0, RECOVERS},
        {"sent", 0, DIES},
        {"sent-and-handled", 0, RECOVERS},
        {"sent-and-ignored", 0, RECOVERS},
};

enum { HOSTS = sizeof(hosts) / sizeof(hosts[0]) };

static void check_end(const struct e2e_run *run, enum end end)
{
	if (end == RECOVERS)
		e2e_check_exit(run, 0);
	else
		fault_check_signal(run, SIGSEGV);
}

/* Loop index: host and back end. */
START_TEST(test_host_gets_what_it_expects)
{
	int at = _i % HOSTS;
	int backend = _i / HOSTS;
	const char *const argv[] = {"host_handler", hosts[at].name, NULL};
	const struct e2e_finding expected = {
	        .kind = "heap-use-after-free",
	        .access = "read",
	        .count = hosts[at].count,
	        .source = SOURCE,
	        .call = "access",
	        .allocation = "allocation",
	        .first_free = "free",
	        .size = 1000,
	};
	struct e2e_run run = {0};

	if (!e2e_can_run(backend))
		return;
	fault_run(&run, backend, NULL, argv);
	check_end(&run, hosts[at].end);
	e2e_check_counts(&run, hosts[at].count > 0 || hosts[at].end == DIES, 0);
	if (hosts[at].count > 0)
		e2e_check_finding(&run, &expected);
	else if (hosts[at].end == DIES)
		ck_assert_str_eq(e2e_get_string(fault_finding(&run, 0), "kind"), "crash");
	e2e_release(&run);
}
END_TEST

/* A crash that has nothing to do with heaps is told beside what was found. */
START_TEST(test_foreign_crash_ends_with_the_report)
{
	static const char *const argv[] = {"host_handler", "foreign-fatal", NULL};
	static const struct e2e_finding expected = {
	        .kind = "double-free",
	        .access = "free",
	        .source = SOURCE,
	        .call = "second free",
	        .allocation = "allocation",
	        .first_free = "free",
	        .size = 1000,
	        .is_refused = true,
	};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	fault_run(&run, _i, NULL, argv);
	fault_check_signal(&run, SIGSEGV);
	e2e_check_counts(&run, 2, 0);
	e2e_check_finding(&run, &expected);
	ck_assert_str_eq(e2e_get_string(fault_finding(&run, 1), "kind"), "crash");
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault hosts");
	TCase *tcase = tcase_create("fault hosts");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_host_gets_what_it_expects, 0, HOSTS * PROTECTING);
	tcase_add_loop_test(tcase, test_foreign_crash_ends_with_the_report, 0,
	                    E2E_BACKEND_COUNT);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
