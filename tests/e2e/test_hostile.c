/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs without a fault on machines that refuse things: each goes on with its data whole,
 * and the report says what was lost and how to get it back.
 */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

enum { STEPS_MAX = 12 };

/* What a machine with both back ends takes; the fewer the machine has, the less "auto" finds.
 */
#define AUTO "backend=auto"
#define MOVE "backend=move"
#define GUARD "backend=guard"
#define MPROTECT "backend=mprotect"
#define NONE "backend=none"

static const struct machine {
	const char *options;
	const char *backend; /* the one that is used */
	const char *reason;  /* why blocks were not guarded; NULL: all were guarded */
	const char *note;    /* part of one; NULL: nothing is to be said */
	const char *steps[STEPS_MAX];
} machines[] = {
        /* vm.max_map_count: 40,000 live blocks are more than it has mappings. */
        {MPROTECT,
         "mprotect",
         "mappings",
         "raise vm.max_map_count",
         {"start", "fill=40000", "map=8", "drain", "map=8", "guarded"}},
        {MOVE, "move", NULL, NULL, {"start", "fill=40000", "map=8", "drain", "guarded"}},
        {GUARD, "guard", NULL, NULL, {"start", "fill=40000", "map=8", "drain", "guarded"}},
        {MPROTECT, "mprotect", NULL, NULL, {"start", "churn=100000", "map=8", "guarded"}},
        /* And when the program has them all: never a refusal while there is memory. */
        {MOVE,
         "move",
         "mappings",
         "raise vm.max_map_count",
         {"start", "before", "fill=2000", "use-up-mappings", "fill=20000", "size=5000",
          "fill=2000", "size=1000000", "fill=20", "drain", "after"}},
        {GUARD,
         "guard",
         "mappings",
         "raise vm.max_map_count",
         {"start", "before", "fill=2000", "use-up-mappings", "fill=20000", "size=5000",
          "fill=2000", "size=1000000", "fill=20", "drain", "after"}},
        {MPROTECT,
         "mprotect",
         "mappings",
         "raise vm.max_map_count",
         {"start", "before", "fill=2000", "use-up-mappings", "fill=20000", "size=5000",
          "fill=2000", "size=1000000", "fill=20", "drain", "after"}},

        /* Little address space. */
        {MOVE,
         "move",
         "mappings",
         "ulimit -v",
         {"limit-memory=64", "start", "fill=20000", "map=4", "drain", "churn=1000", "map=4"}},
        {GUARD,
         "guard",
         "mappings",
         "ulimit -v",
         {"limit-memory=64", "start", "fill=20000", "map=4", "drain", "churn=1000", "map=4"}},
        {MPROTECT,
         "mprotect",
         "mappings",
         "ulimit -v",
         {"limit-memory=64", "start", "fill=20000", "map=4", "drain", "churn=1000", "map=4"}},
        {MOVE,
         "move",
         "mappings",
         "ulimit -v",
         {"limit-memory=256", "start", "fill=20000", "map=8", "drain", "map=8"}},
        {MPROTECT,
         "mprotect",
         "mappings",
         "ulimit -v",
         {"limit-memory=256", "start", "fill=20000", "map=8", "drain", "map=8"}},
        {MOVE,
         "move",
         NULL,
         NULL,
         {"limit-memory=1024", "start", "fill=20000", "map=64", "drain", "guarded"}},
        {MPROTECT,
         "mprotect",
         NULL,
         NULL,
         {"limit-memory=1024", "start", "fill=20000", "map=64", "drain", "guarded"}},

        /* No memory, and some again. */
        {MOVE,
         "move",
         "mappings",
         "ulimit -v",
         {"limit-memory=256", "start", "size=5000", "fill=100", "use-up-memory", "exhaust",
          "return-memory", "fill=100", "drain"}},
        {MPROTECT,
         "mprotect",
         "mappings",
         "ulimit -v",
         {"limit-memory=256", "start", "size=5000", "fill=100", "use-up-memory", "exhaust",
          "return-memory", "fill=100", "drain"}},
        {MOVE,
         "move",
         "mappings",
         "ulimit -v",
         {"limit-memory=128", "start", "size=5000", "exhaust", "drain=100", "fill=2000"}},
        {MPROTECT,
         "mprotect",
         "mappings",
         "ulimit -v",
         {"limit-memory=128", "start", "size=5000", "exhaust", "drain=100", "fill=2000"}},

        /* No descriptors: never any, none from some time on, closed ones. */
        {AUTO,
         "guard",
         NULL,
         "/proc/thread-self/maps",
         {"limit-descriptors=3", "start", "before", "fill=1000", "churn=1000", "guarded",
          "after"}},
        {MOVE,
         "move",
         NULL,
         NULL,
         {"start", "before", "use-up-descriptors", "fill=1000", "guarded", "after"}},
        {MOVE,
         "move",
         NULL,
         NULL,
         {"start", "before", "fill=1000", "close-descriptors", "churn=10", "guarded", "after"}},
        /* With no slot to move to, the next Free seals without moving anything. */
        {MOVE,
         "move",
         NULL,
         NULL,
         {"start", "before", "fill=1000", "drain", "close-descriptors", "after", "guarded"}},
        {MOVE,
         "move",
         NULL,
         "free (ulimit -n)",
         {"start", "fill=1000", "drain=900", "close-descriptors", "use-up-descriptors", "drain",
          "fill=10"}},

        /* Sandboxes. */
        {AUTO,
         "guard",
         NULL,
         NULL,
         {"filter=no-userfaultfd", "start", "before", "churn=100", "after", "guarded"}},
        {AUTO,
         "mprotect",
         NULL,
         NULL,
         {"filter=guards-unknown", "start", "before", "churn=100", "after", "guarded"}},
        {AUTO,
         "mprotect",
         NULL,
         NULL,
         {"filter=guards-refused", "start", "before", "churn=100", "after", "guarded"}},
        {AUTO,
         "move",
         NULL,
         NULL,
         {"filter=only-guards-refused", "start", "before", "churn=100", "after", "sizes=1"}},
        {AUTO,
         "move",
         NULL,
         NULL,
         {"filter=guards-kill", "start", "before", "churn=100", "after", "sizes=1"}},
        {AUTO,
         "move",
         NULL,
         NULL,
         {"filter=guards-trap", "start", "before", "churn=100", "after", "sizes=1"}},
        {AUTO,
         "mprotect",
         NULL,
         NULL,
         {"filter=both-kill", "start", "before", "churn=100", "after", "sizes=1"}},
        {AUTO,
         "mprotect",
         NULL,
         NULL,
         {"filter=nothing-left", "start", "before", "churn=100", "after", "guarded"}},

        /* Sandboxes that a program enters when it has started. */
        {MOVE,
         "move",
         "system-call",
         "seccomp filter",
         {"start", "before", "fill=1000", "filter=nothing-left", "fill=1000", "churn=1000",
          "drain", "after"}},
        {GUARD,
         "guard",
         "system-call",
         "seccomp filter",
         {"start", "before", "fill=1000", "filter=nothing-left", "fill=1000", "churn=1000",
          "drain", "after"}},
        {MPROTECT,
         "mprotect",
         NULL,
         NULL,
         {"start", "before", "fill=1000", "filter=nothing-left", "fill=1000", "churn=1000",
          "drain", "after"}},

        /* Locked memory, from the start and later. */
        {AUTO,
         "move",
         NULL,
         NULL,
         {"lock-memory", "start", "before", "fill=1000", "drain", "guarded", "after"}},
        {MPROTECT,
         "mprotect",
         NULL,
         NULL,
         {"lock-memory", "start", "before", "fill=1000", "drain", "guarded", "after"}},
        {MOVE,
         "move",
         NULL,
         NULL,
         {"start", "before", "fill=1000", "lock-memory", "fill=1000", "drain", "guarded",
          "after"}},
        {MPROTECT,
         "mprotect",
         NULL,
         NULL,
         {"start", "before", "fill=1000", "lock-memory", "fill=1000", "drain", "guarded",
          "after"}},
        {GUARD,
         "guard",
         "system-call",
         "locked its memory",
         {"start", "before", "fill=1000", "lock-memory", "fill=1000", "drain", "after"}},

        /* vm.overcommit_memory=2, as far as a filter can do it. */
        {MOVE,
         "move",
         NULL,
         NULL,
         {"filter=no-large-reservations", "start", "fill=20000", "drain", "guarded"}},
        {MPROTECT,
         "mprotect",
         NULL,
         NULL,
         {"filter=no-large-reservations", "start", "fill=20000", "drain", "guarded"}},

        /* Blocks of any size. */
        {MOVE, "move", NULL, NULL, {"start", "sizes=1"}},
        {GUARD, "guard", NULL, NULL, {"start", "sizes=1"}},
        {MPROTECT, "mprotect", NULL, NULL, {"start", "sizes=1"}},
        {MOVE ":guard_pages=2", "move", NULL, NULL, {"start", "sizes=2"}},
        {GUARD ":guard_pages=2", "guard", NULL, NULL, {"start", "sizes=2"}},
        {MPROTECT ":guard_pages=2", "mprotect", NULL, NULL, {"start", "sizes=2"}},
        {MOVE ":guard_pages=16", "move", NULL, NULL, {"start", "sizes=16"}},
        {GUARD ":guard_pages=16", "guard", NULL, NULL, {"start", "sizes=16"}},
        {MPROTECT ":guard_pages=16", "mprotect", NULL, NULL, {"start", "sizes=16"}},

        /* Asked for: the ledger has it, and nobody is told what he knows. */
        {MOVE ":sample=10", "move", "sampling", NULL, {"start", "fill=1000", "churn=1000"}},
        {MOVE ":max_memory=1m", "move", "memory", "max_memory=8g", {"start", "fill=1000"}},
        {NONE, "none", "backend", NULL, {"start", "fill=1000", "churn=1000"}},
};

enum { MACHINES = sizeof(machines) / sizeof(machines[0]) };

static void run_steps(struct e2e_run *run, const char *options, const char *const steps[])
{
	const char *argv[STEPS_MAX + 2] = {"tests/e2e/victims/hostile"};
	char all[200];
	bool is_vast = false;

	for (int i = 0; i < STEPS_MAX; i++) {
		argv[i + 1] = steps[i];
		if (steps[i] != NULL && strncmp(steps[i], "sizes", strlen("sizes")) == 0)
			is_vast = true;
	}
	/* The default depends on what others leave of this machine's memory. */
	snprintf(all, sizeof(all), "%s%s", options, is_vast ? ":max_memory=1t" : "");
	e2e_run(run, all, argv);
}

/* A machine that lacks what the expectation takes for granted says so and is not tested. */
static bool can_expect(const struct machine *machine)
{
	if (strcmp(machine->options, AUTO) == 0)
		return e2e_can_run(E2E_MOVE) && e2e_can_run(E2E_GUARD);
	if (strcmp(machine->backend, "move") == 0)
		return e2e_can_run(E2E_MOVE);
	return strcmp(machine->backend, "guard") != 0 || e2e_can_run(E2E_GUARD);
}

static void check_protection(const struct machine *machine, const json_t *protection)
{
	const json_t *reasons = e2e_get(protection, "reasons");
	long allocations = e2e_get_integer(protection, "allocations");
	long guarded = e2e_get_integer(protection, "guarded");
	long padded = e2e_get_integer(protection, "padded");

	/* An allocation that got no memory is one as well. */
	ck_assert_int_le(allocations - guarded - padded, 0);
	if (machine->reason == NULL) {
		ck_assert_int_eq(padded, 0);
		ck_assert_uint_eq(json_object_size(reasons), 0);
		return;
	}
	ck_assert_int_gt(padded, 0);
	ck_assert_uint_eq(json_object_size(reasons), 1);
	ck_assert_int_eq(e2e_get_integer(reasons, machine->reason), padded);
}

static void check_notes(const struct machine *machine, const struct e2e_run *run)
{
	const json_t *notes = e2e_get(run->report, "notes");
	bool is_said = false;

	for (size_t i = 0; i < json_array_size(notes); i++)
		if (machine->note != NULL &&
		    strstr(json_string_value(json_array_get(notes, i)), machine->note) != NULL)
			is_said = true;
	ck_assert_msg(is_said == (machine->note != NULL), "%s is not said:\n%s",
	              machine->note == NULL ? "nothing" : machine->note, run->err);
	ck_assert(machine->note != NULL || json_array_size(notes) == 0);
}

/* One finding where a step uses up all memory, of what limited it; else none. */
static void check_findings(const struct machine *machine, const struct e2e_run *run)
{
	const json_t *finding;
	bool is_exhausted = false;

	for (size_t i = 0; i < STEPS_MAX && machine->steps[i] != NULL; i++)
		is_exhausted |= strcmp(machine->steps[i], "exhaust") == 0;
	e2e_check_counts(run, is_exhausted ? 1 : 0, 0);
	if (!is_exhausted)
		return;
	finding = json_array_get(e2e_get(run->report, "findings"), 0);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "out-of-memory");
	ck_assert_ptr_nonnull(strstr(e2e_get_string(finding, "description"), "RLIMIT_AS"));
}

START_TEST(a_program_goes_on_and_is_told)
{
	const struct machine *machine = &machines[_i];
	struct e2e_run run = {0};

	if (!can_expect(machine))
		return;
	run_steps(&run, machine->options, machine->steps);
	e2e_check_exit(&run, 0);
	check_findings(machine, &run);
	ck_assert_str_eq(e2e_get_string(e2e_get(run.report, "settings"), "backend"),
	                 machine->backend);
	check_protection(machine, e2e_get(run.report, "protection"));
	check_notes(machine, &run);
	e2e_release(&run);
}
END_TEST

START_TEST(what_no_machine_has_is_refused_and_found)
{
	static const char *const steps[STEPS_MAX] = {"start", "too-large", "guarded"};
	struct e2e_run run = {0};
	const json_t *finding;

	if (_i == E2E_NONE || !e2e_can_run(_i))
		return;
	run_steps(&run, e2e_backend_option(_i), steps);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 2, 0);
	finding = json_array_get(e2e_get(run.report, "findings"), 0);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "out-of-memory");
	ck_assert_int_eq(e2e_get_integer(finding, "count"), 1);
	finding = json_array_get(e2e_get(run.report, "findings"), 1);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "allocation-too-large");
	ck_assert_str_eq(e2e_get_string(finding, "hresult"), "E_OUTOFMEMORY");
	ck_assert_int_eq(e2e_get_integer(finding, "count"), 4);
	e2e_release(&run);
}
END_TEST

/* A back end that was asked for by name and is not there: no heap, and the reason in words. */
START_TEST(a_refused_back_end_says_why)
{
	static const struct {
		const char *options;
		const char *why;
		const char *steps[STEPS_MAX];
	} refusals[] = {
	        {MOVE, "it needs userfaultfd", {"filter=no-userfaultfd", "start"}},
	        {MOVE, "it needs userfaultfd", {"filter=both-kill", "start"}},
	        {MOVE, "Too many open files", {"limit-descriptors=3", "start"}},
	        {GUARD, "it needs madvise", {"filter=guards-refused", "start"}},
	        {GUARD, "it needs madvise", {"filter=guards-kill", "start"}},
	        {GUARD, "it needs madvise", {"lock-memory", "start"}},
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct e2e_run run = {0};

		run_steps(&run, refusals[i].options, refusals[i].steps);
		e2e_check_exit(&run, 1);
		ck_assert_msg(strstr(run.err, refusals[i].why) != NULL, "%s", run.err);
		ck_assert_msg(strstr(run.err, "backend=auto takes") != NULL, "%s", run.err);
		e2e_release(&run);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hostile machines");
	TCase *tcase = tcase_create("hostile machines");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, a_program_goes_on_and_is_told, 0, MACHINES);
	tcase_add_loop_test(tcase, what_no_machine_has_is_refused_and_found, 0,
	                    E2E_BACKEND_COUNT);
	tcase_add_test(tcase, a_refused_back_end_says_why);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
