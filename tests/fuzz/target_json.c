/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of JSON reports. What it has read is rendered, merged, and can be read again from
 * its own JSON.
 */
#include <stdlib.h>

#include "report/json/read.h"
#include "target.h"

static int read_text(const void *data, size_t size, struct fp_report_list *list)
{
	char refusal[FP_REPORT_REFUSAL_MAX];
	FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
	int result = fp_report_read_json(in, NULL, list, refusal);

	fclose(in);
	return result;
}

static void read_again(const struct fp_report *report)
{
	struct fp_report_list list;
	size_t size;
	char *text = fuzz_write("json", report, &size);

	fuzz_must(read_text(text, size, &list) == 0);
	fuzz_must(list.count == 1);
	fuzz_must(list.reports[0]->finding_count == report->finding_count);
	fp_report_list_free(&list);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fp_report_list list;
	const struct fp_report *const *reports;

	if (read_text(data, size, &list) != 0)
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
