/* SPDX-License-Identifier: Apache-2.0
 *
 * Fingerprints: what they outlive and what tells them apart.
 */
#include <check.h>
#include <stdlib.h>

#include "report/report.h"
#include "sample.h"

static struct encoder log_bytes;

/* The fingerprint of the first finding of the log as it is now. */
static uint64_t fingerprint(void)
{
	struct fp_report *report;
	uint64_t value;

	ck_assert_int_eq(fp_report_read(log_bytes.bytes, log_bytes.size, &report), 0);
	ck_assert_int_eq(fp_report_resolve(report, FP_SYMBOL_DEBUG_DIR), 0);
	value = report->findings[0].fingerprint;
	fp_report_free(report);
	return value;
}

static void encode_one(uint64_t base, uint32_t index, enum fp_finding_kind kind,
                       const char *path)
{
	const uint64_t addresses[] = {0x900010, base + 0x123, 0x900020};

	encode_header(&log_bytes);
	encode_module(&log_bytes, base, base + 0x1000, path, 0);
	encode_module(&log_bytes, 0x900000, 0x901000, "/lib/libfencepost.so", 1);
	encode_trace(&log_bytes, index + 5, addresses, 3);
	encode_finding(&log_bytes, &(struct sample_finding){.index = index,
	                                                    .kind = kind,
	                                                    .thread_name = "",
	                                                    .description = "",
	                                                    .trace = index + 5});
}

START_TEST(fingerprints_outlive_addresses)
{
	uint64_t first;

	encode_one(0x10000, 0, FP_FINDING_INVALID_FREE, "/nonexistent/a/engine");
	first = fingerprint();
	encode_one(0x70000, 3, FP_FINDING_INVALID_FREE, "/nonexistent/b/engine");
	ck_assert_uint_eq(fingerprint(), first);
	encode_one(0x70000, 3, FP_FINDING_WRONG_HEAP, "/nonexistent/b/engine");
	ck_assert_uint_ne(fingerprint(), first);
	encode_one(0x70000, 3, FP_FINDING_INVALID_FREE, "/nonexistent/b/motor");
	ck_assert_uint_ne(fingerprint(), first);
	encode_one(0x70010, 3, FP_FINDING_INVALID_FREE, "/nonexistent/b/engine");
	ck_assert_uint_eq(fingerprint(), first);
}
END_TEST

/* FNV-1a of the words, computed here a second time from its definition. */
START_TEST(fingerprints_are_fnv_1a)
{
	static const char hashed[] = "invalid-free\0engine\0\x23\x01\0\0\0\0\0\0|||unknown\0";
	uint64_t hash = 14695981039346656037ull;

	encode_one(0x10000, 0, FP_FINDING_INVALID_FREE, "/nonexistent/engine");
	for (size_t i = 0; i < sizeof(hashed) - 1; i++) {
		hash ^= (unsigned char)hashed[i];
		hash *= 1099511628211ull;
	}
	ck_assert_uint_eq(fingerprint(), hash);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fingerprint");
	TCase *tests = tcase_create("fingerprint");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, fingerprints_outlive_addresses);
	tcase_add_test(tests, fingerprints_are_fnv_1a);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
