/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of formats, and the walk that feeds them.
 */
#include "report/writer.h"

#include <string.h>

static const struct fp_report_writer *const writers[] = {
        &fp_report_text_writer,   &fp_report_asan_writer,   &fp_report_json_writer,
        &fp_report_folded_writer, &fp_report_sarif_writer,  &fp_report_xml_writer,
        &fp_report_html_writer,   &fp_report_ndjson_writer,
};

const struct fp_report_writer *fp_report_writer_find(const char *name)
{
	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		if (strcmp(writers[i]->name, name) == 0)
			return writers[i];
	}
	return NULL;
}

static int visit_findings(const struct fp_report_writer *writer, struct fp_report_walk *walk,
                          const struct fp_report *report)
{
	int result = 0;

	for (size_t i = 0; writer->finding && result == 0 && i < report->finding_count; i++)
		result = writer->finding(walk, &report->findings[i]);
	return result;
}

static int visit_leaks(const struct fp_report_writer *writer, struct fp_report_walk *walk,
                       const struct fp_report *report)
{
	int result = 0;

	if (!writer->leak || walk->view->leaks == FP_REPORT_LEAKS_NONE)
		return 0;
	/* A list of blocks that are almost all in use hides from a reader those that are not.
	 */
	for (size_t i = 0; result == 0 && i < report->leak_count; i++)
		if (report->leaks[i].class != FP_LEAK_POSSIBLE || walk->view->has_possible ||
		    writer->is_data)
			result = writer->leak(walk, &report->leaks[i]);
	return result;
}

static int visit_report(const struct fp_report_writer *writer, struct fp_report_walk *walk,
                        const struct fp_report *report)
{
	int result = writer->begin_report ? writer->begin_report(walk, report) : 0;

	if (result == 0)
		result = visit_findings(writer, walk, report);
	if (result == 0)
		result = visit_leaks(writer, walk, report);
	if (result == 0 && writer->end_report)
		result = writer->end_report(walk, report);
	return result;
}

int fp_report_write_findings(const struct fp_report_writer *writer,
                             const struct fp_report_set *set, const struct fp_report_view *view,
                             size_t first, size_t end, FILE *out)
{
	struct fp_report_walk walk = {.view = view, .out = out, .set = set};
	const struct fp_report *report = set->reports[0];
	int result = 0;

	for (size_t i = 0; result == 0 && i < report->finding_count; i++)
		if (report->findings[i].index >= first && report->findings[i].index < end)
			result = writer->finding(&walk, &report->findings[i]);
	return result;
}

int fp_report_write(const struct fp_report_writer *writer, const struct fp_report_set *set,
                    const struct fp_report_view *view, FILE *out)
{
	struct fp_report_walk walk = {.view = view, .out = out, .set = set};
	int result = writer->begin ? writer->begin(&walk) : 0;

	for (; result == 0 && walk.index < set->count; walk.index++)
		result = visit_report(writer, &walk, set->reports[walk.index]);
	if (result == 0 && writer->end)
		result = writer->end(&walk);
	if (writer->release)
		writer->release(&walk);
	return result;
}
