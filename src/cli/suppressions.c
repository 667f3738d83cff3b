/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that the option suppressions names. They are read before anything runs, so that a
 * mistake in one is told at once.
 */
#include "base/tool_messages.h"
#include "cli/suppressions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int explain(const struct fp_report_suppressions *suppressions, const char *path,
                   int error)
{
	if (error == -EINVAL)
		return fp_cli_fail("%s", suppressions->error);
	return fp_cli_fail(FP_SAY_NO_MEMORY_SUPPRESSIONS_OF, path);
}

static int read_file(struct fp_report_suppressions *suppressions, const char *path)
{
	FILE *in = fopen(path, "rbe");
	size_t size = 0;
	char *data = in ? fp_cli_read_stream(in, &size) : NULL;
	const struct fp_report_suppression_text text = {path, data, size};
	int result = 0;

	if (!data)
		fp_cli_fail(FP_SAY_CANNOT_READ_SUPPRESSIONS, path, strerror(errno));
	if (in)
		fclose(in);
	if (!data)
		return FP_CLI_FAILED;
	result = fp_report_suppressions_parse(suppressions, &text);
	free(data);
	return result == 0 ? 0 : explain(suppressions, path, result);
}

int fp_cli_suppressions_read(struct fp_report_suppressions *suppressions,
                             const struct fp_options *options)
{
	char paths[FP_OPTION_PATH_MAX];
	char *rest = paths;
	int result = 0;

	memcpy(paths, options->suppressions, sizeof(paths));
	for (char *path = strsep(&rest, ","); result == 0 && path; path = strsep(&rest, ",")) {
		if (*path != '\0')
			result = read_file(suppressions, path);
	}
	if (result != 0)
		fp_report_suppressions_free(suppressions);
	return result;
}

static bool has(const struct fp_report_suppressions *suppressions, struct fp_report_string line)
{
	for (size_t i = 0; i < suppressions->count; i++)
		if (strncmp(suppressions->items[i].name, line.bytes, line.size) == 0 &&
		    suppressions->items[i].name[line.size] == '\0')
			return true;
	return false;
}

/* What the program itself says, as it would to LeakSanitizer. A mistake there is nobody's here
 * to mend. */
static void add_known(const struct fp_report *report,
                      struct fp_report_suppressions *suppressions)
{
	for (size_t i = 0; i < report->known_count; i++) {
		const struct fp_report_suppression_text text = {"__lsan_default_suppressions",
		                                                report->known[i].bytes,
		                                                report->known[i].size};

		if (!has(suppressions, report->known[i]) &&
		    fp_report_suppressions_parse(suppressions, &text) == -EINVAL)
			fp_cli_say("note: %s", suppressions->error);
	}
}

int fp_cli_suppress(const struct fp_cli_log *logs, size_t count,
                    struct fp_report_suppressions *suppressions)
{
	struct fp_report **reports = calloc(count + 1, sizeof(struct fp_report *));
	time_t now = time(NULL);
	char today[16];
	struct tm day;

	if (!reports)
		return fp_cli_fail(FP_SAY_NO_MEMORY_SUPPRESSIONS);
	for (size_t i = 0; i < count; i++) {
		reports[i] = logs[i].report;
		add_known(reports[i], suppressions);
	}
	strftime(today, sizeof(today), "%Y-%m-%d", gmtime_r(&now, &day));
	if (suppressions->count > 0)
		fp_report_suppress(reports, count, suppressions, today);
	free(reports);
	return 0;
}
