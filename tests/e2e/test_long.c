/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that allocates and frees for ever stays as large as it was: resident memory and
 * mappings, sampled on the way. `make check` runs two million pairs (fewer where pages are
 * slow) on every back end, `make check-long` sets FP_LONG_PAIRS to 100 million and takes the
 * best back end.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "support/times.h"

enum {
	SAMPLES = 10,
	SHORT_PAIRS = 2000000,
	SHORTEST_PAIRS = 100000,
	PAIRS_PER_CHUNK = 4096, /* about: 32 MiB of slots and guards */
	/* What is kept of a chunk for ever: its header, and its place in the list from
	 * addresses to chunks. */
	BYTES_PER_CHUNK = 192,
	SLACK_KIB = 1024,
	MAPPINGS_SLACK = 32
};

struct sample {
	long pairs;
	long resident_kib;
	long mappings;
};

static void read_samples(const char *text, struct sample samples[SAMPLES])
{
	for (int i = 0; i < SAMPLES; i++) {
		int used = 0;

		ck_assert_msg(sscanf(text, "%ld %ld %ld %n", &samples[i].pairs,
		                     &samples[i].resident_kib, &samples[i].mappings,
		                     &used) == 3,
		              "%d samples, not %d", i, SAMPLES);
		text += used;
		printf("%11ld pairs: %6ld KiB resident, %5ld mappings\n", samples[i].pairs,
		       samples[i].resident_kib, samples[i].mappings);
	}
	ck_assert_str_eq(text, "");
}

/* At the first sample everything that has a budget must have used it up. */
static void check_flat(const struct sample samples[SAMPLES])
{
	for (int i = 1; i < SAMPLES; i++) {
		long chunks = (samples[i].pairs - samples[0].pairs) / PAIRS_PER_CHUNK + 1;
		long grown = samples[i].resident_kib - samples[0].resident_kib;

		ck_assert_msg(grown <= SLACK_KIB + chunks * BYTES_PER_CHUNK / 1024,
		              "%ld KiB more after %ld pairs", grown, samples[i].pairs);
		ck_assert_msg(samples[i].mappings <= samples[0].mappings + MAPPINGS_SLACK,
		              "%ld mappings, %ld before", samples[i].mappings,
		              samples[0].mappings);
	}
}

static void run_pairs(const char *pairs, const char *backend)
{
	const char *const argv[] = {"tests/e2e/victims/pairs", pairs, NULL};
	struct sample samples[SAMPLES];
	struct e2e_run run = {0};
	char options[100];

	/* A tenth of the pairs must be more than the history keeps. */
	snprintf(options, sizeof(options), "%s:history=%ldk", backend,
	         atol(pairs) < SHORT_PAIRS ? 8192 / (SHORT_PAIRS / SHORTEST_PAIRS) : 8192L);
	e2e_run(&run, options, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 0);
	read_samples(run.out, samples);
	check_flat(samples);
	e2e_release(&run);
}

START_TEST(a_program_that_runs_for_long_stays_small)
{
	char pairs[24];

	if (!e2e_can_run(_i))
		return;
	snprintf(pairs, sizeof(pairs), "%ld", test_times(SHORT_PAIRS, SHORTEST_PAIRS));
	run_pairs(pairs, e2e_backend_option(_i));
}
END_TEST

START_TEST(a_program_that_runs_for_very_long_stays_small)
{
	run_pairs(getenv("FP_LONG_PAIRS"), "backend=auto");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("long runs");
	TCase *tcase = tcase_create("long runs");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (getenv("FP_LONG_PAIRS") != NULL) {
		tcase_add_test(tcase, a_program_that_runs_for_very_long_stays_small);
	} else {
		tcase_add_loop_test(tcase, a_program_that_runs_for_long_stays_small, 0,
		                    E2E_BACKEND_COUNT);
	}
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
