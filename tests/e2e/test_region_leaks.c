/* SPDX-License-Identifier: Apache-2.0
 *
 * Regions are blocks to the search for leaks: what points to them, also to their insides, holds
 * them, and what they hold counts when they are held themselves, and is still committed.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fault_runs.h"

#define SOURCE VICTIMS "region_leaks.c"

static const struct {
	const char *place; /* of a pointer to the first region */
	const char *first; /* class of the first region */
	const char *second;
	const char *block; /* class of the block that the second region holds */
	const char *options;
} places[] = {
        {"global", "reachable", "reachable", "reachable", ""},
        {"inside", "reachable", "reachable", "reachable", ""},
        {"heap", "reachable", "reachable", "reachable", ""},
        {"nothing", "definite", "indirect", "indirect", ""},
        {"ring", "definite", "indirect", "indirect", ""},
        {"decommitted", "reachable", "definite", "indirect", ""},
        {"global", "reachable", "reachable", "reachable", ":leak_snapshot=yes"},
        {"nothing", "definite", "indirect", "indirect", ":leak_snapshot=yes"},
};

enum { PLACES = sizeof(places) / sizeof(places[0]) };

static const char *class_at(const struct e2e_run *run, const char *marker)
{
	int line = e2e_marker_line(SOURCE, marker);
	size_t index;
	json_t *leak;

	json_array_foreach(e2e_get(run->report, "leaks"), index, leak)
	{
		json_t *frame = json_array_get(e2e_get(leak, "alloc_stack"), 0);

		ck_assert_int_eq(e2e_get_integer(leak, "blocks"), 1);
		if (e2e_get_integer(frame, "line") == line)
			return e2e_get_string(leak, "kind");
	}
	return "nothing";
}

/* Of a ring it is either that leads. */
static bool is_ring(const char *first, const char *second)
{
	return strcmp(first, "indirect") == 0 && strcmp(second, "definite") == 0;
}

/* Loop index: place and back end. */
START_TEST(regions_are_held_like_blocks)
{
	int place = _i % PLACES;
	int backend = _i / PLACES;
	const char *const argv[] = {"region_leaks", places[place].place, NULL};
	char options[100] = "show_reachable=yes";
	struct e2e_run run = {0};

	if (!e2e_can_run(backend))
		return;
	strcat(options, places[place].options);
	fault_run(&run, backend, options, argv);
	e2e_check_exit(&run, 0);
	const char *first = class_at(&run, "first");
	const char *second = class_at(&run, "second");
	if (strcmp(places[place].place, "ring") != 0 || !is_ring(first, second)) {
		ck_assert_str_eq(first, places[place].first);
		ck_assert_str_eq(second, places[place].second);
	}
	ck_assert_str_eq(class_at(&run, "block"), places[place].block);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("region leaks");
	TCase *tests = tcase_create("region leaks");
	SRunner *runner = srunner_create(suite);
	int failed;

	e2e_add_shared_test(tests, regions_are_held_like_blocks, PLACES, E2E_BACKEND_COUNT);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
