/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaks by reachability, on every back end: a block kept in each kind of place is found there,
 * one that is lost beside it is a leak, each with its class, its size and its line.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload_runs.h"
#include "support/times.h"

#define SOURCE VICTIMS "leak_places.c"

enum { KEPT_BYTES = 99, LOST_BYTES = 77, OPTIONS_BYTES = 100 };

static const struct {
	const char *name;
	const char *class; /* of the block that is kept there */
	const char *note;  /* a word of the note that there must be; NULL: none may be there */
	const char *options;
} places[] = {
        {"nothing", "definite", NULL, ""},
        {"stale-stack", "definite", NULL, ""},
#ifdef __x86_64__
        {"joined-thread", "definite", NULL, ""},
        {"red-zone", "reachable", NULL, ""},
        {"stale-red-zone", "definite", NULL, ""},
#endif
        {"ended-thread", "reachable", NULL, ""},
        {"inside", "possible", NULL, ""},
        {"global", "reachable", NULL, ""},
        {"heap", "reachable", NULL, ""},
        {"storage", "reachable", NULL, ""},
        {"mapping", "reachable", NULL, ""},
        {"shared-mapping", "reachable", NULL, ""},
        {"sealed-mapping", "reachable", NULL, ""},
        {"module", "reachable", NULL, ""},
        {"suspended-coroutine", "reachable", NULL, ""},
        {"exiting-threads", "reachable", NULL, ""},
        {"thread-stack", "reachable", NULL, ""},
        {"thread-storage", "reachable", NULL, ""},
        {"thread-specific", "reachable", NULL, ""},
        {"register", "reachable", NULL, ""},
        {"vector-register", "reachable", NULL, ""},
        {"signals-blocked", "reachable", NULL, ""},
        {"sigwait", "reachable", "did not stop", ""},
        {"coroutine", "reachable", NULL, ""},
        {"register", "reachable", NULL, ":leak_snapshot=yes"},
        {"thread-stack", "reachable", NULL, ":leak_snapshot=yes"},
        {"nothing", "definite", NULL, ":leak_snapshot=yes"},
        {"stale-stack", "definite", NULL, ":leak_snapshot=yes"},
        {"signals-blocked", "reachable", NULL, ":leak_snapshot=yes"},
        {"sigwait", "reachable", "did not stop", ":leak_snapshot=yes"},
        {"coroutine", "reachable", NULL, ":leak_snapshot=yes"},
        {"global", "reachable", NULL, ":sample=3"},
};

enum { PLACES = sizeof(places) / sizeof(places[0]) };

static void run_place(struct e2e_run *run, int backend, const char *place, const char *options)
{
	const char *const argv[] = {VICTIMS "leak_places", place, NULL};
	char all[OPTIONS_BYTES];
	char module[4200];

	snprintf(module, sizeof(module), "%s/" VICTIMS ".libs/leak_module.so",
	         getenv("FP_BUILDDIR"));
	setenv("LEAK_MODULE", module, 1);
	snprintf(all, sizeof(all), "leak_check=full:show_reachable=yes%s", options);
	preload_run(run, backend, all, argv);
}

/* The leak whose blocks were allocated at MARKER, or NULL. */
static json_t *leak_at(const struct e2e_run *run, const char *marker)
{
	int line = e2e_marker_line(SOURCE, marker);
	size_t index;
	json_t *leak;

	json_array_foreach(e2e_get(run->report, "leaks"), index, leak)
	{
		json_t *frame = json_array_get(e2e_get(leak, "alloc_stack"), 0);
		const json_t *file = json_object_get(frame, "file");

		if (json_is_string(file) &&
		    strstr(json_string_value(file), "leak_places.c") != NULL &&
		    e2e_get_integer(frame, "line") == line)
			return leak;
	}
	return NULL;
}

static void expect_leak(const struct e2e_run *run, const char *marker, const char *class,
                        long bytes)
{
	json_t *leak = leak_at(run, marker);

	ck_assert_msg(leak != NULL, "nothing of %s in: %s", marker, run->err);
	ck_assert_msg(strcmp(e2e_get_string(leak, "kind"), class) == 0, "%s is %s, not %s: %s",
	              marker, e2e_get_string(leak, "kind"), class, run->err);
	ck_assert_int_eq(e2e_get_integer(leak, "blocks"), 1);
	ck_assert_int_eq(e2e_get_integer(leak, "bytes"), bytes);
}

static void expect_note(const struct e2e_run *run, const char *word)
{
	const json_t *notes = e2e_get(run->report, "notes");
	size_t index;
	json_t *note;
	bool is_found = false;

	json_array_foreach(notes, index, note)
	{
		bool is_of_leaks = strstr(json_string_value(note), "leak") != NULL;

		ck_assert_msg(!is_of_leaks || word != NULL, "%s", json_string_value(note));
		is_found |= word != NULL && strstr(json_string_value(note), word) != NULL;
	}
	ck_assert_msg(word == NULL || is_found, "no note with \"%s\"", word);
}

/* Nothing else is lost: the C library's own blocks neither. */
static void check_sum(const struct e2e_run *run, const char *place, const char *class)
{
	const json_t *summary = e2e_get(run->report, "summary");

	if (strcmp(place, "exiting-threads") != 0)
		ck_assert_int_eq(e2e_get_integer(summary, "leaked_blocks"),
		                 1 + (strcmp(class, "definite") == 0));
}

/* Loop index: place and back end. */
START_TEST(blocks_are_found_where_they_are_kept)
{
	int place = _i % PLACES;
	int backend = _i / PLACES;
	bool is_sampled = strstr(places[place].options, "sample") != NULL;
	struct e2e_run run;

	if (!e2e_can_run(backend))
		return;
	run_place(&run, backend, places[place].name, places[place].options);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "");
	if (!is_sampled) {
		expect_leak(&run, "lost", "definite", LOST_BYTES);
		expect_leak(&run, "kept", places[place].class, KEPT_BYTES);
		check_sum(&run, places[place].name, places[place].class);
		/* On a busy machine a thread may take long to end. */
		if (strcmp(places[place].name, "exiting-threads") != 0)
			expect_note(&run, places[place].note);
	}
	e2e_release(&run);
}
END_TEST

/* Loop index: place. What holds a block by its start holds it as a possible leak by its inside.
 */
START_TEST(insides_are_possible_leaks_wherever_they_are_kept)
{
	const char *class = places[_i].class;
	struct e2e_run run;

	if (places[_i].options[0] != '\0' || strcmp(places[_i].name, "exiting-threads") == 0)
		return;
	if (strcmp(class, "reachable") == 0)
		class = "possible";
	setenv("INSIDE", "40", 1);
	run_place(&run, E2E_MPROTECT, places[_i].name, "");
	e2e_check_exit(&run, 0);
	expect_leak(&run, "lost", "definite", LOST_BYTES);
	expect_leak(&run, "kept", class, KEPT_BYTES);
	e2e_release(&run);
}
END_TEST

START_TEST(a_ring_is_one_leak_with_what_hangs_from_it)
{
	const char *const argv[] = {VICTIMS "leak_places", "global", "ring", NULL};
	struct e2e_run run;

	if (!e2e_can_run(_i))
		return;
	preload_run(&run, _i, "leak_check=full", argv);
	e2e_check_exit(&run, 0);
	const json_t *summary = e2e_get(run.report, "summary");
	ck_assert_int_eq(e2e_get_integer(summary, "leaked_blocks"), 11);
	ck_assert_int_eq(e2e_get_integer(summary, "leaked_bytes"), 240 + LOST_BYTES);
	ck_assert_ptr_null(leak_at(&run, "kept"));
	ck_assert_ptr_nonnull(
	        strstr(run.err, "  and reachable only through it: 216 bytes in 9 blocks"));
	ck_assert_ptr_null(strstr(run.err, "indirect leak"));
	e2e_release(&run);
}
END_TEST

START_TEST(a_forked_child_tells_what_it_lost_itself)
{
	struct e2e_run run;
	char line[40];

	if (!e2e_can_run(_i))
		return;
	run_place(&run, _i, "fork", "");
	e2e_check_exit(&run, 0);
	expect_leak(&run, "kept", "reachable", KEPT_BYTES);
	snprintf(line, sizeof(line), "leak_places.c:%d", e2e_marker_line(SOURCE, "child"));
	const char *leak = strstr(run.err, "leak of 55 bytes in 1 block");
	ck_assert_msg(leak != NULL && strstr(leak, line) != NULL, "%s", run.err);
	e2e_release(&run);
}
END_TEST

static void expect_new(const json_t *leak, long blocks)
{
	const json_t *age = e2e_get(leak, "age");
	const json_t *new = e2e_get(leak, "new");

	ck_assert_int_ge(e2e_get_integer(age, "oldest_ms"), e2e_get_integer(age, "newest_ms"));
	ck_assert_int_eq(e2e_get_integer(new, "blocks"), blocks);
}

/* Loop index: back end, and whether a copy is searched. Each check replaces the one before. */
START_TEST(a_host_looks_for_leaks_while_its_threads_run)
{
	const char *const argv[] = {VICTIMS "leaks_checked", NULL};
	int backend = _i / 2;
	char options[OPTIONS_BYTES];
	struct e2e_run run = {0};

	if (!e2e_can_run(backend))
		return;
	snprintf(options, sizeof(options), "%s%s", e2e_backend_option(backend),
	         _i % 2 != 0 ? ":leak_snapshot=yes" : "");
	e2e_run(&run, options, argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "0 1 1 2\n");
	e2e_check_counts(&run, 0, 2);
	for (int i = 0; i < 2; i++) {
		const json_t *leak = json_array_get(e2e_get(run.report, "leaks"), (size_t)i);

		ck_assert_str_eq(e2e_get_string(leak, "kind"), "definite");
		ck_assert_int_eq(e2e_get_integer(leak, "blocks"), 1);
		ck_assert_int_eq(e2e_get_integer(leak, "bytes"), i == 0 ? 200 : 100);
		expect_new(leak, 0);
		ck_assert_int_eq(e2e_get_integer(leak, "heap"), 1);
		ck_assert_str_eq(e2e_get_string(leak, "critical_level"), "process");
		e2e_check_stack(e2e_get(leak, "alloc_stack"), VICTIMS "leaks_checked.c",
		                "lost");
	}
	expect_note(&run, "did not stop");
	/* Said once, however often it was so. */
	ck_assert_uint_eq(json_array_size(e2e_get(run.report, "notes")), 1);
	e2e_release(&run);
}
END_TEST

enum { CHECKS = 200, LEAST_CHECKS = 20, SNAPSHOT = 1, UNMAPPED = 2, THREAD_WAYS = 4 };

/* What a thread left behind may be gone when it is looked at. Loop index: way and back end. */
START_TEST(threads_that_end_are_nobody_to_be_looked_at)
{
	char times[24];
	const char *const argv[] = {VICTIMS "threads_end",
	                            (_i & UNMAPPED) != 0 ? "unmapped" : "churn", times, NULL};
	const char *options = (_i & SNAPSHOT) != 0 ? "leak_check=full:leak_snapshot=yes"
	                                           : "leak_check=full:leak_snapshot=no";
	struct e2e_run run;

	if (!e2e_can_run(_i / THREAD_WAYS))
		return;
	snprintf(times, sizeof(times), "%ld", test_times(CHECKS, LEAST_CHECKS));
	preload_run(&run, _i / THREAD_WAYS, options, argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "done\n");
	e2e_check_counts(&run, 0, 1);
	ck_assert_ptr_null(strstr(run.err, "internal error"));
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("leaks");
	TCase *tests = tcase_create("leaks");
	SRunner *runner = srunner_create(suite);
	int failed;

	e2e_add_shared_test(tests, blocks_are_found_where_they_are_kept, PLACES,
	                    E2E_BACKEND_COUNT);
	tcase_add_loop_test(tests, insides_are_possible_leaks_wherever_they_are_kept, 0,
	                    PLACES);
	e2e_add_shared_test(tests, a_ring_is_one_leak_with_what_hangs_from_it, 1,
	                    E2E_BACKEND_COUNT);
	tcase_add_loop_test(tests, a_forked_child_tells_what_it_lost_itself, 0,
	                    E2E_BACKEND_COUNT);
	e2e_add_shared_test(tests, a_host_looks_for_leaks_while_its_threads_run, 2,
	                    E2E_BACKEND_COUNT);
	e2e_add_shared_test(tests, threads_that_end_are_nobody_to_be_looked_at, THREAD_WAYS,
	                    E2E_BACKEND_COUNT);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
