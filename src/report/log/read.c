/* SPDX-License-Identifier: Apache-2.0
 *
 * The frame of the event log: header, record by record, and what can only be settled when all
 * of them are known. A damaged record is skipped as long as its length leads to the next one; a
 * length that leads out of the log ends the reading.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/crash.h"
#include "report/log/records.h"

enum { MAGIC_BYTES = sizeof(FP_LOG_MAGIC) - 1 };

static int check_header(struct fp_report_cursor *log)
{
	struct fp_report_string magic = fp_report_take_bytes(log, MAGIC_BYTES);
	uint32_t version = fp_report_take_u32(log);

	fp_report_take_u32(log);
	if (log->is_short || memcmp(magic.bytes, FP_LOG_MAGIC, MAGIC_BYTES) != 0)
		return -EINVAL;
	return version == FP_LOG_VERSION ? 0 : -ENOTSUP;
}

/* Takes the next record's type and payload; false when what is left holds no record. */
static bool take_record(struct fp_report_cursor *log, unsigned *type,
                        struct fp_report_cursor *payload)
{
	unsigned zero;
	uint32_t size;
	struct fp_report_string bytes;

	*type = fp_report_take_u16(log);
	zero = fp_report_take_u16(log);
	size = fp_report_take_u32(log);
	if (zero != 0)
		log->is_short = true;
	bytes = fp_report_take_bytes(log, size);
	*payload = (struct fp_report_cursor){.at = (const uint8_t *)bytes.bytes,
	                                     .left = bytes.size};
	return !log->is_short;
}

static int note_damage(const struct fp_report_reading *reading, size_t end, size_t size,
                       size_t damaged)
{
	int result = 0;

	reading->report->is_cut_short = !reading->has_ended;
	reading->report->is_uncounted = !reading->has_counts;
	if (end < size)
		result = fp_report_note(
		        reading->report,
		        "the event log is cut off or damaged at byte %zu of %zu; "
		        "what came after is missing here",
		        end, size);
	else if (!reading->has_ended)
		result = fp_report_note(
		        reading->report,
		        "the event log ends early: the process was killed, executed "
		        "another program, or the disk was full; what came after is "
		        "missing here");
	if (result == 0 && damaged > 0)
		result = fp_report_note(
		        reading->report,
		        "%zu damaged or newer records of the event log were left "
		        "out",
		        damaged);
	return result;
}

static int read_records(struct fp_report_reading *reading, struct fp_report_cursor *log)
{
	const uint8_t *start = log->at - FP_LOG_HEADER_BYTES;
	const uint8_t *end = log->at + log->left;
	size_t damaged = 0;

	while (log->left > 0 && !reading->has_ended) {
		const uint8_t *record = log->at;
		struct fp_report_cursor payload;
		unsigned type;
		int result;

		if (!take_record(log, &type, &payload))
			return note_damage(reading, (size_t)(record - start),
			                   (size_t)(end - start), damaged);
		result = fp_report_read_record(reading, type, &payload);
		if (result == -EBADMSG)
			damaged++;
		else if (result != 0)
			return result;
	}
	return note_damage(reading, (size_t)(end - start), (size_t)(end - start), damaged);
}

static int compare_traces(const void *left, const void *right)
{
	const struct fp_report_trace *a = left;
	const struct fp_report_trace *b = right;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

/* A trace may be logged again when other code stands at its addresses: the first record is the
 * one that was made when it meant what it says. */
static void settle_traces(struct fp_report *report)
{
	struct fp_report_trace *traces = report->traces;
	size_t kept = 0;

	if (report->trace_count == 0)
		return;
	qsort(traces, report->trace_count, sizeof(traces[0]), compare_traces);
	for (size_t i = 1; i < report->trace_count; i++) {
		if (traces[i].id == traces[kept].id)
			free(traces[i].addresses);
		else
			traces[++kept] = traces[i];
	}
	report->trace_count = kept + 1;
}

static int compare_findings(const void *left, const void *right)
{
	const struct fp_report_finding *a = left;
	const struct fp_report_finding *b = right;

	return (a->index > b->index) - (a->index < b->index);
}

static void apply_counts(const struct fp_report_reading *reading)
{
	struct fp_report *report = reading->report;

	for (size_t i = 0; i < reading->count_count; i++) {
		const struct fp_report_finding wanted = {.index = reading->counts[i].index};
		struct fp_report_finding *finding =
		        bsearch(&wanted, report->findings, report->finding_count,
		                sizeof(wanted), compare_findings);

		if (finding)
			finding->count = reading->counts[i].count;
	}
}

static int settle(const struct fp_report_reading *reading)
{
	struct fp_report *report = reading->report;

	settle_traces(report);
	if (report->finding_count > 0) {
		qsort(report->findings, report->finding_count, sizeof(report->findings[0]),
		      compare_findings);
		apply_counts(reading);
	}
	return fp_report_add_unseen_crash(report);
}

int fp_report_read(const void *data, size_t size, struct fp_report **report)
{
	struct fp_report_cursor log = {.at = data, .left = size};
	struct fp_report_reading reading = {0};
	int result = check_header(&log);

	*report = NULL;
	if (result != 0)
		return result;
	reading.report = calloc(1, sizeof(*reading.report));
	if (!reading.report)
		return -ENOMEM;
	reading.report->has_ppid = true;
	reading.report->has_executable = true;
	result = read_records(&reading, &log);
	if (result == 0)
		result = settle(&reading);
	if (result == 0)
		*report = reading.report;
	else
		fp_report_free(reading.report);
	free(reading.mapped);
	free(reading.counts);
	return result;
}
