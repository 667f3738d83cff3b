/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of event logs, and with it whatever turns a log into reports. Symbols are those of
 * the recorded logs, so that an input means the same everywhere.
 */
#include "report/report.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fp_report *report;
	const struct fp_report *twice[2];

	if (fp_report_read(data, size, &report) != 0)
		return 0;
	fuzz_must(fp_report_resolve(report, FP_SYMBOL_DEBUG_DIR) == 0);
	fuzz_must(fp_report_resolve_snapshots(report, FP_SYMBOL_DEBUG_DIR) == 0);
	twice[0] = twice[1] = report;
	/* One of three for each input, so that there can be more of them. */
	if (size % 3 == 0)
		fuzz_render(twice, 1);
	else if (size % 3 == 1)
		fuzz_render(twice, 2);
	else
		fuzz_merge((struct fp_report *const[]){report, report}, 2);
	fp_report_free(report);
	return 0;
}
