/* SPDX-License-Identifier: Apache-2.0
 *
 * The parser of suppressions, and what it read held against a report with every kind of
 * finding. A refusal names the line; a block made for a finding is one that the parser takes,
 * and that suppresses it.
 */
#include <stdlib.h>
#include <string.h>

#include "logs.h"
#include "report/suppress/suppress.h"
#include "target.h"

static struct fp_report *read_plant(void)
{
	static struct encoder bytes;
	struct fp_report *report;

	recorded_logs[0].encode(&bytes);
	fuzz_must(fp_report_read(bytes.bytes, bytes.size, &report) == 0);
	fuzz_must(fp_report_resolve(report, FP_SYMBOL_DEBUG_DIR) == 0);
	return report;
}

static int parse(struct fp_report_suppressions *suppressions, const void *data, size_t size)
{
	const struct fp_report_suppression_text text = {"input", data, size};

	return fp_report_suppressions_parse(suppressions, &text);
}

static void apply(struct fp_report_suppressions *suppressions, bool is_rendered)
{
	struct fp_report *report = read_plant();
	size_t findings = report->finding_count;
	uint64_t used = 0;

	fp_report_suppress(&report, 1, suppressions, "2026-12-31");
	for (size_t i = 0; i < suppressions->count; i++)
		used += suppressions->items[i].used;
	fuzz_must(report->finding_count <= findings);
	fuzz_must(used > 0 || report->finding_count == findings);
	if (is_rendered)
		fuzz_render((const struct fp_report *const *)&report, 1);
	fp_report_free(report);
}

/* The block for one of the findings of the report, which INDEX chooses. */
static void suppress_one(size_t index)
{
	struct fp_report *report = read_plant();
	struct fp_report_suppressions suppressions = {0};
	size_t findings = report->finding_count;
	char *block;

	fuzz_must(fp_report_suppression_of_finding(&report->findings[index % findings],
	                                           &block) == 0);
	fuzz_must(parse(&suppressions, block, strlen(block)) == 0);
	fp_report_suppress(&report, 1, &suppressions, "2026-12-31");
	fuzz_must(report->finding_count < findings);
	free(block);
	fp_report_free(report);
	fp_report_suppressions_free(&suppressions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fp_report_suppressions suppressions = {0};

	if (parse(&suppressions, data, size) == 0)
		apply(&suppressions, size % 8 == 0);
	else
		fuzz_must(strncmp(suppressions.error, "input:", 6) == 0);
	fp_report_suppressions_free(&suppressions);
	if (size % 16 == 0)
		suppress_one(size / 16);
	return 0;
}
