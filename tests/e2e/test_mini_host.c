/* SPDX-License-Identifier: Apache-2.0
 *
 * The host with a runtime's workload: a recording of Mono goes through the interfaces block by
 * block, on its threads; what the runtime leaves at the end is no leak, and a mistake among
 * tens of thousands of blocks is the one finding. Recording Mono itself is for machines that
 * have it.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "recording.h"

#define HOST "examples/mini_clr_host"
#define WORKLOAD "examples/workloads/mono-orders.rec"
#define PLANT_SOURCE "examples/plant.c"

/* What the recording holds: the blocks that were made, and those of them that were freed. */
enum { MADE = 44798, FREED = 43521, REGIONS = 7, REGION_BYTES = (8 << 20) + 6 * (64 << 10) };

static const char output[] =
        "88319 events on 6 threads: 44798 blocks made, 43521 freed, 1277 left; 7 regions\n";

static void check_heap(const struct e2e_run *run, long made, long freed)
{
	const json_t *heap = e2e_get(run->report, "heap");

	ck_assert_int_eq(e2e_get_integer(heap, "allocations"), made);
	ck_assert_int_eq(e2e_get_integer(heap, "frees"), freed);
}

/* Loop index: back end. */
START_TEST(test_nothing_that_is_left_is_a_leak)
{
	const char *const argv[] = {HOST, e2e_source(WORKLOAD), NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	e2e_run(&run, e2e_backend_option(_i), argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, output);
	e2e_check_counts(&run, 0, 0);
	check_heap(&run, MADE, FREED);
	ck_assert_msg(strstr(run.err, "did not stop") == NULL, "%s", run.err);
	e2e_release(&run);
}
END_TEST

/* They are held, as are the blocks, and all of them are shown when that is asked for. */
START_TEST(test_regions_left_are_reachable)
{
	const char *const argv[] = {HOST, e2e_source(WORKLOAD), NULL};
	struct e2e_run run = {0};
	long blocks = 0;
	long bytes = 0;
	size_t index;
	json_t *leak;

	e2e_run(&run, "show_reachable=yes", argv);
	e2e_check_exit(&run, 0);
	ck_assert_int_eq(e2e_get_integer(e2e_get(run.report, "summary"), "leaked_blocks"), 0);
	json_array_foreach(e2e_get(run.report, "leaks"), index, leak)
	{
		ck_assert_str_eq(e2e_get_string(leak, "kind"), "reachable");
		/* Of no heap. */
		if (!json_is_null(e2e_get(leak, "heap")))
			continue;
		blocks += e2e_get_integer(leak, "blocks");
		bytes += e2e_get_integer(leak, "bytes");
	}
	ck_assert_int_eq(blocks, REGIONS);
	ck_assert_int_eq(bytes, REGION_BYTES);
	e2e_release(&run);
}
END_TEST

static const struct {
	const char *plant;
	struct e2e_finding finding;
	long more_made;
	long more_freed;
} mistakes[] = {
        {"--plant=overflow",
         {.kind = "heap-buffer-overflow",
          .access = "write",
          .call = "overflow free",
          .allocation = "overflow allocation",
          .size = 20,
          .offset = 20},
         1,
         1},
        {"--plant=underflow",
         {.kind = "heap-buffer-underflow",
          .access = "write",
          .call = "underflow free",
          .allocation = "underflow allocation",
          .size = 36,
          .offset = -1},
         1,
         1},
        {"--plant=double-free",
         {.kind = "double-free",
          .access = "free",
          .call = "double-free second free",
          .allocation = "double-free allocation",
          .first_free = "double-free first free",
          .size = 48},
         1,
         1},
        {"--plant=interior-free",
         {.kind = "invalid-free",
          .access = "free",
          .call = "interior-free free",
          .allocation = "interior allocation",
          .size = 100,
          .offset = 8},
         1,
         1},
        {"--plant=wrong-heap",
         {.kind = "wrong-heap",
          .access = "free",
          .call = "wrong-heap free",
          .allocation = "wrong-heap allocation",
          .size = 80},
         1,
         1},
};

enum { MISTAKES = sizeof(mistakes) / sizeof(mistakes[0]) };

START_TEST(test_mistake_is_the_only_finding)
{
	const char *const argv[] = {HOST, mistakes[_i].plant, e2e_source(WORKLOAD), NULL};
	struct e2e_finding expected = mistakes[_i].finding;
	struct e2e_run run = {0};

	expected.source = PLANT_SOURCE;
	expected.is_refused = true;
	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, output);
	e2e_check_counts(&run, 1, 0);
	e2e_check_finding(&run, &expected);
	check_heap(&run, MADE + mistakes[_i].more_made, FREED + mistakes[_i].more_freed);
	e2e_release(&run);
}
END_TEST

START_TEST(test_use_after_free_kills)
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
	const char *const argv[] = {HOST, "--plant=use-after-free", e2e_source(WORKLOAD), NULL};
	struct e2e_run run = {0};

	e2e_run(&run, NULL, argv);
	ck_assert(WIFSIGNALED(run.status));
	ck_assert_str_eq(run.out, output);
	e2e_check_counts(&run, 1, 0);
	e2e_check_finding(&run, &expected);
	e2e_release(&run);
}
END_TEST

START_TEST(test_leak_is_told_from_what_is_left)
{
	const char *const argv[] = {HOST, "--plant=leak", e2e_source(WORKLOAD), NULL};
	struct e2e_run run = {0};
	const json_t *leak;

	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 1);
	leak = json_array_get(e2e_get(run.report, "leaks"), 0);
	ck_assert_int_eq(e2e_get_integer(leak, "bytes"), 1234);
	e2e_check_stack(e2e_get(leak, "alloc_stack"), PLANT_SOURCE, "leak allocation");
	e2e_release(&run);
}
END_TEST

/* A runtime whose requests fail at one level goes on without those blocks. */
START_TEST(test_refused_blocks)
{
	const char *const argv[] = {HOST, e2e_source(WORKLOAD), NULL};
	struct e2e_run run = {0};

	e2e_run(&run, "fail_alloc=level:appdomain", argv);
	e2e_check_exit(&run, 1);
	ck_assert_msg(strstr(run.out, " were refused\n") != NULL, "%s", run.out);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

START_TEST(test_files_that_are_no_recording)
{
	static const char *const names[] = {PLANT_SOURCE, "examples/none.rec"};
	const char *const argv[] = {HOST, e2e_source(names[_i]), NULL};
	struct e2e_run run = {0};

	e2e_run(&run, NULL, argv);
	ck_assert_msg(WIFEXITED(run.status) && WEXITSTATUS(run.status) == 2, "%s", run.err);
	ck_assert_msg(strncmp(run.err, "mini_clr_host: ", 15) == 0, "%s", run.err);
	ck_assert_str_eq(run.out, "");
	e2e_release(&run);
}
END_TEST

/* The command that made the recording, with a program that runs it once more. */
START_TEST(test_mono_recorded_here)
{
	char command[4096];
	char path[64];
	struct recording recording;
	const char *const argv[] = {HOST, path, NULL};
	struct e2e_run run = {0};
	char line[100];

	if (system("command -v mono mcs >/dev/null") != 0) {
		printf("SKIPPED: no mono and mcs here; apt-get install mono-runtime "
		       "mono-mcs\n");
		return;
	}
	snprintf(path, sizeof(path), "mono-test.%d.rec", (int)getpid());
	snprintf(command, sizeof(command),
	         "mcs -out:%s.exe %s && %s/src/cli/fencepost run --quiet --leak-check=no "
	         "--record=%s mono %s.exe >/dev/null",
	         path, e2e_source("examples/workloads/orders.cs"), getenv("FP_BUILDDIR"), path,
	         path);
	ck_assert_int_eq(system(command), 0);
	ck_assert(recording_read(&recording, path) == NULL);
	ck_assert(recording.is_complete);
	ck_assert_uint_ge(recording.thread_count, 5);
	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 0);
	snprintf(line, sizeof(line), "%zu events on %zu threads: ", recording.event_count,
	         recording.thread_count);
	ck_assert_msg(strncmp(run.out, line, strlen(line)) == 0, "%s", run.out);
	recording_free(&recording);
	unlink(path);
	strcat(path, ".exe");
	unlink(path);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mini_host");
	TCase *tcase = tcase_create("replay");
	SRunner *runner = srunner_create(suite);
	int failed;

	e2e_add_shared_test(tcase, test_nothing_that_is_left_is_a_leak, 1, E2E_BACKEND_COUNT);
	tcase_add_test(tcase, test_regions_left_are_reachable);
	tcase_add_loop_test(tcase, test_mistake_is_the_only_finding, 0, MISTAKES);
	tcase_add_test(tcase, test_use_after_free_kills);
	tcase_add_test(tcase, test_leak_is_told_from_what_is_left);
	tcase_add_test(tcase, test_refused_blocks);
	tcase_add_loop_test(tcase, test_files_that_are_no_recording, 0, 2);
	tcase_add_test(tcase, test_mono_recorded_here);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
