/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that know nothing of Fencepost hand bad buffers to libc: each is a finding that
 * names the line of the call, and nothing else about the call changes, but for what the kernel
 * says when it meets a guard itself.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "preload_runs.h"

#define WILD VICTIMS "bad_buffer_system_call.c"
#define READ VICTIMS "overflow_read.c"
#define CALLS_DEF "tests/e2e/system_calls.def"

enum { STAT_BYTES = sizeof(struct stat), SHORT_MAX = 16, LINE_BYTES = 100 };

static const char in_libc[] = "";

/* Blocks of any size end at the guard. */
static const char to_the_byte[] = "align=1";

#define AS_WITHOUT NULL
#define EFAULT_ "-1 14"
#define IN_LIBC in_libc

static const struct {
	const char *name;
	const char *access;
	long bytes;
	const char *if_short;
	const char *if_freed;
} calls[] = {
#define CALL(name, access, bytes, if_short, if_freed, result)                                  \
	{name, access, bytes, if_short, if_freed},
#include "system_calls.def"
#undef CALL
};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

enum variant { SHORT, EXACT, FREED, NONE, STACK, ZERO, LOW, UNMAPPED, VARIANTS };

static const char *const variants[VARIANTS] = {"short", "exact", "freed", "null",
                                               "stack", "zero",  "low",   "unmapped"};

/* ---- Running ------------------------------------------------------------------------------
 */

/* What the program printed about a call; the text is left as it is. */
static const char *result_of(const char *out, const char *name)
{
	static char lines[2][LINE_BYTES];
	static int next;
	size_t length = strlen(name);

	next = !next;
	for (const char *at = out; *at != '\0'; at = strchr(at, '\n') + 1) {
		if (strncmp(at, name, length) != 0 || at[length] != ':')
			continue;
		snprintf(lines[next], LINE_BYTES, "%.*s", (int)strcspn(at + length + 2, "\n"),
		         at + length + 2);
		return lines[next];
	}
	ck_abort_msg("%s was not called: %s", name, out);
	return NULL;
}

/* ---- Findings -----------------------------------------------------------------------------
 */

static long short_bytes(long bytes)
{
	return bytes > SHORT_MAX ? SHORT_MAX : bytes / 2;
}

/* Of a text that has no end, all is read and one byte more; of one that is gone, the first. */
static long told_bytes(int call, enum variant variant)
{
	if (strcmp(calls[call].access, "text") != 0)
		return calls[call].bytes;
	return variant == SHORT ? short_bytes(calls[call].bytes) + 1 : 1;
}

static void check_block(const json_t *block, int call, enum variant variant)
{
	long size = variant == SHORT ? short_bytes(calls[call].bytes) : calls[call].bytes;

	ck_assert_int_eq(e2e_get_integer(block, "size"), size);
	ck_assert_int_eq(e2e_get_integer(block, "offset"), variant == SHORT ? size : 0);
	ck_assert_str_eq(e2e_get_string(block, "family"), "malloc");
	e2e_check_stack(e2e_get(block, "alloc_stack"), WILD, "allocation");
	if (variant == FREED)
		e2e_check_stack(e2e_get(block, "free_stack"), WILD, "free");
}

static void check_finding(const json_t *finding, int call, enum variant variant)
{
	const char *description = e2e_get_string(finding, "description");
	const char *access = calls[call].access;
	char words[100];

	if (strcmp(access, "text") == 0)
		access = "read";
	e2e_check_stack(e2e_get(finding, "stack"), CALLS_DEF, calls[call].name);
	ck_assert_str_eq(e2e_get_string(finding, "kind"),
	                 variant == SHORT ? "heap-buffer-overflow" : "heap-use-after-free");
	ck_assert_str_eq(e2e_get_string(finding, "access"), access);
	ck_assert_int_eq(e2e_get_integer(finding, "count"), 1);
	snprintf(words, sizeof(words), "%s of %ld byte%s by a call, ", access,
	         told_bytes(call, variant), told_bytes(call, variant) == 1 ? "" : "s");
	ck_assert_msg(strncmp(description, words, strlen(words)) == 0, "no \"%s\": %s", words,
	              description);
	check_block(e2e_get(finding, "block"), call, variant);
}

static bool is_made(int call, enum variant variant)
{
	return calls[call].if_freed != in_libc ||
	       (variant != FREED && variant != NONE && variant != LOW && variant != UNMAPPED);
}

static void check_findings(const struct e2e_run *run, enum variant variant)
{
	const json_t *findings;
	size_t count = 0;

	ck_assert_msg(run->report != NULL, "no report: %s", run->err);
	findings = e2e_get(run->report, "findings");
	for (int call = 0; call < CALLS; call++)
		if ((variant == SHORT || variant == FREED) && is_made(call, variant))
			check_finding(json_array_get(findings, count++), call, variant);
	e2e_check_counts(run, count, 0);
}

/* ---- Tests --------------------------------------------------------------------------------
 */

/* What the kernel makes of the call, where it meets the guard, and where there is none. */
static const char *expected_result(int call, enum variant variant, int backend,
                                   const char *without)
{
	const char *met = variant == SHORT   ? calls[call].if_short
	                  : variant == FREED ? calls[call].if_freed
	                                     : NULL;

	if (met != NULL && backend != E2E_NONE)
		return met;
	return result_of(without, calls[call].name);
}

/* Loop index: how the buffers are, and back end. */
START_TEST(test_buffers_are_checked)
{
	enum variant variant = (enum variant)(_i % VARIANTS);
	int backend = _i / VARIANTS;
	const char *argv[] = {VICTIMS "bad_buffer_system_call", variants[variant], NULL};
	struct e2e_run without;
	struct e2e_run with;

	if (!e2e_can_run(backend))
		return;
	preload_run(&with, backend, to_the_byte, argv);
	/* Without guards, what is behind a block is libc's, and so is a freed one. */
	if (variant == SHORT || variant == FREED)
		argv[1] = variants[EXACT];
	preload_run_without(&without, argv);
	e2e_check_exit(&without, 0);
	e2e_check_exit(&with, 0);
	check_findings(&with, variant);
	for (int call = 0; call < CALLS; call++)
		if (is_made(call, variant))
			ck_assert_msg(strcmp(result_of(with.out, calls[call].name),
			                     expected_result(call, variant, backend,
			                                     without.out)) == 0,
			              "%s: %s, not %s", calls[call].name,
			              result_of(with.out, calls[call].name),
			              expected_result(call, variant, backend, without.out));
	e2e_release(&with);
	e2e_release(&without);
}
END_TEST

/* Loop index: back end. The finding comes before the fault, which kills. */
START_TEST(test_libc_faults_after_the_finding)
{
	int tried = 0;

	if (!e2e_can_run(_i))
		return;
	for (int call = 0; call < CALLS; call++) {
		const char *const argv[] = {VICTIMS "bad_buffer_system_call", "freed",
		                            calls[call].name, NULL};
		struct e2e_run run;

		if (calls[call].if_freed != in_libc)
			continue;
		preload_run(&run, _i, to_the_byte, argv);
		ck_assert(WIFSIGNALED(run.status) && WTERMSIG(run.status) == SIGSEGV);
		ck_assert_ptr_nonnull(run.report);
		check_finding(json_array_get(e2e_get(run.report, "findings"), 0), call, FREED);
		e2e_release(&run);
		tried++;
	}
	ck_assert_int_gt(tried, 0);
}
END_TEST

/* Loop index: back end. */
START_TEST(test_calls_are_checked_at_all_times)
{
	static const struct {
		const char *marker;
		int count;
	} places[] = {{"constructor", 1}, {"main", 1},   {"handler", 1},
	              {"thread", 400},    {"atexit", 1}, {"destructor", 1}};
	enum { PLACES = sizeof(places) / sizeof(places[0]) };
	const char *const argv[] = {VICTIMS "overflow_read", NULL};
	struct e2e_run run;

	if (!e2e_can_run(_i))
		return;
	preload_run(&run, _i, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, PLACES, 0);
	for (int i = 0; i < PLACES; i++) {
		const json_t *finding =
		        json_array_get(e2e_get(run.report, "findings"), (size_t)i);

		e2e_check_stack(e2e_get(finding, "stack"), READ, places[i].marker);
		e2e_check_stack(e2e_get(e2e_get(finding, "block"), "alloc_stack"), READ,
		                "allocation");
		ck_assert_int_eq(e2e_get_integer(finding, "count"), places[i].count);
	}
	e2e_release(&run);
}
END_TEST

/* Loop index: back end. The child's report goes to the same place; its text tells. */
START_TEST(test_calls_are_checked_after_fork)
{
	const char *const argv[] = {VICTIMS "overflow_read", "fork", NULL};
	struct e2e_run run;
	char words[100];

	if (!e2e_can_run(_i))
		return;
	preload_run(&run, _i, NULL, argv);
	e2e_check_exit(&run, 0);
	snprintf(words, sizeof(words),
	         "heap-buffer-overflow of a 16-byte block at overflow_read.c:%d in main",
	         e2e_marker_line(READ, "fork"));
	ck_assert_msg(strstr(run.err, words) != NULL, "no \"%s\": %s", words, run.err);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("calls");
	TCase *tcase = tcase_create("calls");
	SRunner *runner = srunner_create(suite);
	int failed;

	e2e_add_shared_test(tcase, test_buffers_are_checked, VARIANTS, E2E_BACKEND_COUNT);
	tcase_add_loop_test(tcase, test_libc_faults_after_the_finding, 0, E2E_NONE);
	tcase_add_loop_test(tcase, test_calls_are_checked_at_all_times, 0, E2E_BACKEND_COUNT);
	tcase_add_loop_test(tcase, test_calls_are_checked_after_fork, 0, E2E_BACKEND_COUNT);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
