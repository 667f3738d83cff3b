/* SPDX-License-Identifier: Apache-2.0
 *
 * Bad accesses that kill: what was accessed, by how much it missed, and the lines of the
 * access, the allocation and the free are in the report, and the process dies of the same
 * signal as without Fencepost.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "fault_runs.h"

#define WILD VICTIMS "accesses.h"

enum { PROTECTING = E2E_NONE };

#ifdef __x86_64__
static const bool is_size_known = true;
#else
static const bool is_size_known;
#endif

/* ---- Sizes and places -------------------------------------------------------------------- */

/* Decides about the signal. */
enum { SMALL, LARGE };

static const struct {
	const char *victim;
	const char *options;
	const char *arguments[4];
	struct e2e_finding finding;
	const char *description;
	int size; /* SMALL or LARGE */
} accesses[] = {
#define ACCESS(defect, options_, place, size_, offset_, access_, bytes, kind_, block_size,     \
               block_offset, allocation_, words)                                               \
	{                                                                                      \
	        .victim = #defect "_access",                                                   \
	        .options = options_,                                                           \
	        .arguments = {size_, offset_, access_, bytes},                                 \
	        .finding = {.kind = kind_,                                                     \
	                    .access = access_,                                                 \
	                    .source = WILD,                                                    \
	                    .call = access_ " " bytes,                                         \
	                    .allocation = allocation_,                                         \
	                    .size = block_size,                                                \
	                    .offset = block_offset},                                           \
	        .description = words,                                                          \
	        .size = place,                                                                 \
	},
#include "accesses.def"
#undef ACCESS
};

enum { ACCESSES = sizeof(accesses) / sizeof(accesses[0]) };

static bool has_wide_moves(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("avx2");
#else
	return true;
#endif
}

/* Loop index: access and back end. */
START_TEST(test_access_is_one_finding)
{
	int at = _i % ACCESSES;
	int backend = _i / ACCESSES;
	const char *const *given = accesses[at].arguments;
	const char *const argv[] = {
	        accesses[at].victim, given[0], given[1], given[2], given[3], NULL};
	struct e2e_finding expected = accesses[at].finding;
	struct e2e_run run = {0};
	char words[40];

	if (!e2e_can_run(backend) || (strcmp(given[3], "32") == 0 && !has_wide_moves()))
		return;
	if (strcmp(expected.kind, "heap-use-after-free") == 0)
		expected.first_free = "free";
	fault_run(&run, backend, accesses[at].options, argv);
	fault_check_signal(&run, SIGSEGV);
	e2e_check_counts(&run, 1, 0);
	e2e_check_finding(&run, &expected);
	fault_check_description(&run, accesses[at].description);
	snprintf(words, sizeof(words), "%s of %s byte", given[2], given[3]);
	if (is_size_known)
		fault_check_description(&run, words);
	e2e_release(&run);
}
END_TEST

/* Without protection nothing is seen, and nothing is in the way. */
START_TEST(test_none_neither_faults_nor_finds)
{
	static const char *const argv[][7] = {
	        {"overflow_access", "256", "256", "read", "1", NULL},
	        {"use_after_free_access", "1000", "0", "read", "8", NULL},
	};
	struct e2e_run run = {0};

	fault_run(&run, E2E_NONE, NULL, argv[_i]);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

/* The same fate, and nothing is known of it but that. */
START_TEST(test_handler_can_be_left_out)
{
	static const char *const argv[] = {"overflow_access", "256", "256", "read", "1", NULL};
	struct e2e_run run = {0};

	fault_run(&run, E2E_MPROTECT, "fault_handler=no", argv);
	ck_assert(WIFSIGNALED(run.status) && WTERMSIG(run.status) == SIGSEGV);
	/* Whoever waited for it knows that it crashed, and no more. */
	e2e_check_counts(&run, 1, 0);
	ck_assert_uint_eq(e2e_take_findings(&run, "crash"), 1);
	ck_assert_ptr_nonnull(
	        strstr(run.err, "fencepost: 1 error; killed by SIGSEGV; leaks not checked\n"));
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("faults");
	TCase *tcase = tcase_create("faults");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_access_is_one_finding, 0, ACCESSES * PROTECTING);
	tcase_add_loop_test(tcase, test_none_neither_faults_nor_finds, 0, 2);
	tcase_add_test(tcase, test_handler_can_be_left_out);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
