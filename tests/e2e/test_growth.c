/* SPDX-License-Identifier: Apache-2.0
 *
 * leak_growth in whole programs: the list that gets longer is told, the cache that fills up and
 * what comes and goes are not, whatever protects the blocks.
 */
#include <check.h>
#include <stdlib.h>

#include "preload_runs.h"

#define SERVER VICTIMS "grows"
#define HOST VICTIMS "grows_hosted"
#define SOURCE VICTIMS "grows.c"

static const json_t *growth_of(const struct e2e_run *run)
{
	return e2e_get(run->report, "growth");
}

/* One stack, whose snapshots make sense. */
static void check_list(const struct e2e_run *run)
{
	const json_t *stacks = e2e_get(growth_of(run), "stacks");
	const json_t *stack = json_array_get(stacks, 0);
	const json_t *snapshots;
	long before = -1;

	e2e_check_exit(run, 0);
	ck_assert(json_is_true(e2e_get(growth_of(run), "judged")));
	ck_assert_uint_eq(json_array_size(stacks), 1);
	e2e_check_stack(e2e_get(stack, "alloc_stack"), SOURCE, "row");
	ck_assert_int_ge(e2e_get_integer(stack, "grown_bytes"), 1024);
	ck_assert_int_gt(e2e_get_integer(stack, "bytes_per_minute"), 0);
	snapshots = e2e_get(stack, "pictures");
	ck_assert_uint_ge(json_array_size(snapshots), 4);
	for (size_t i = 0; i < json_array_size(snapshots); i++) {
		long bytes = e2e_get_integer(json_array_get(snapshots, i), "bytes");

		ck_assert_int_ge(bytes, before);
		before = bytes;
	}
	ck_assert_int_eq(e2e_get_integer(stack, "bytes"), before);
}

static void run_server(struct e2e_run *run, int backend, const char *way)
{
	const char *const argv[] = {SERVER, way, NULL};

	preload_run(run, backend, "leak_growth=yes", argv);
}

START_TEST(test_the_list_is_told)
{
	struct e2e_run run;

	if (!e2e_can_run(_i))
		return;
	run_server(&run, _i, "leak");
	check_list(&run);
	e2e_release(&run);
}
END_TEST

static const char *const ways[] = {"threads", "teardown"};

START_TEST(test_the_list_is_told_however)
{
	struct e2e_run run;

	run_server(&run, E2E_MPROTECT, ways[_i]);
	check_list(&run);
	e2e_release(&run);
}
END_TEST

START_TEST(test_of_a_healthy_server_nothing_is)
{
	struct e2e_run run;

	run_server(&run, E2E_MPROTECT, "healthy");
	e2e_check_exit(&run, 0);
	ck_assert(json_is_true(e2e_get(growth_of(&run), "judged")));
	ck_assert_uint_eq(json_array_size(e2e_get(growth_of(&run), "stacks")), 0);
	e2e_release(&run);
}
END_TEST

START_TEST(test_unasked_nobody_looks)
{
	const char *const argv[] = {VICTIMS "served", "_exit", NULL};
	struct e2e_run run;

	preload_run(&run, E2E_MPROTECT, NULL, argv);
	ck_assert(json_is_null(growth_of(&run)));
	e2e_release(&run);
}
END_TEST

START_TEST(test_a_host_has_it_by_its_options)
{
	const char *const argv[] = {HOST, "leak", NULL};
	struct e2e_run run = {0};

	e2e_run(&run, "backend=mprotect:leak_growth=yes", argv);
	check_list(&run);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("growth");
	TCase *tcase = tcase_create("growth");
	SRunner *runner = srunner_create(suite);
	int failed;

	e2e_add_shared_test(tcase, test_the_list_is_told, 1, E2E_BACKEND_COUNT);
	tcase_add_loop_test(tcase, test_the_list_is_told_however, 0,
	                    sizeof(ways) / sizeof(ways[0]));
	tcase_add_test(tcase, test_of_a_healthy_server_nothing_is);
	tcase_add_test(tcase, test_unasked_nobody_looks);
	tcase_add_test(tcase, test_a_host_has_it_by_its_options);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
