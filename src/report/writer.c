/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of formats.
 */
#include "report/writer.h"

#include <string.h>

#include "report/formats.h"

static const struct fp_report_writer writers[] = {
        {"text", fp_report_write_text},
        {"json", fp_report_write_json},
};

const struct fp_report_writer *fp_report_writer_find(const char *name)
{
	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		if (strcmp(writers[i].name, name) == 0)
			return &writers[i];
	}
	return NULL;
}
