/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of JSON reports. What it has read is rendered, merged, and can be read again from
 * its own JSON.
 */
#include <stdlib.h>

#include "report/json/read.h"
#include "target.h"

static void read_again(const struct fp_report *report)
{
	char refusal[FP_REPORT_REFUSAL_MAX];
	struct fp_report_list list;
	size_t size;
	char *text = fuzz_write("json", report, &size);

	fuzz_must(fp_report_read_json(text, size, &list, refusal) == 0);
	fuzz_must(list.count == 1);
	fuzz_must(list.reports[0]->finding_count == report->finding_count);
	fp_report_list_free(&list);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char refusal[FP_REPORT_REFUSAL_MAX];
	struct fp_report_list list;
	const struct fp_report *const *reports;

	if (fp_report_read_json(data, size, &list, refusal) != 0)
		return 0;
	reports = (const struct fp_report *const *)list.reports;
	if (list.count > 0) {
		read_again(reports[0]);
		/* One of two for each input, so that there can be more of them. */
		if (size % 2 == 0)
			fuzz_render(reports, list.count);
		else
			fuzz_merge(list.reports, list.count);
	}
	fp_report_list_free(&list);
	return 0;
}
