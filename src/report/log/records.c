/* SPDX-License-Identifier: Apache-2.0
 *
 * The records of log/format.h. Each function takes the fields in the order written there, and
 * adds to the report only when all of them were there and within their enums.
 */
#include "report/log/records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/crash.h"
#include "report/growth.h"
#include "report/schema.h"

enum { TRACE_MAX = FP_TRACE_DEPTH_MAX + 1 + FP_TRACE_OUTER };

static int read_process(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	uint32_t pid = fp_report_take_u32(payload);
	uint32_t ppid = fp_report_take_u32(payload);
	struct fp_report_string executable;
	uint32_t page_bytes = fp_report_take_u32(payload);
	uint32_t count;

	fp_report_take_string(payload); /* version of the library */
	executable = fp_report_take_string(payload);
	count = fp_report_take_u32(payload);
	if (payload->is_short)
		return -EBADMSG;
	report->pid = pid;
	report->ppid = ppid;
	report->page_bytes = page_bytes;
	report->executable = executable;
	report->argument_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct fp_report_string argument = fp_report_take_string(payload);

		if (payload->is_short)
			return -EBADMSG;
		if (fp_report_append(&report->arguments, &report->argument_count, &argument,
		                     sizeof(*report->arguments)) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_setting(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_setting setting;

	setting.key = fp_report_take_string(payload);
	setting.value = fp_report_take_string(payload);
	if (payload->is_short)
		return -EBADMSG;
	return fp_report_append(&report->settings, &report->setting_count, &setting,
	                        sizeof(*report->settings));
}

/* How many mapped modules start at or below ADDRESS. */
static size_t count_mapped_by(const struct fp_report_reading *reading, uint64_t address)
{
	size_t low = 0;
	size_t high = reading->mapped_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (reading->report->modules[reading->mapped[middle]].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t find_mapped(const struct fp_report_reading *reading, uint64_t address)
{
	size_t count = count_mapped_by(reading, address);

	if (count == 0 || reading->report->modules[reading->mapped[count - 1]].end <= address)
		return -1;
	return (int64_t)reading->mapped[count - 1];
}

/* Maps the module at INDEX, unmapping what was at its addresses. */
static int map_module(struct fp_report_reading *reading, size_t index)
{
	const struct fp_report_module *modules = reading->report->modules;
	size_t *mapped = reallocarray(reading->mapped, index + 1, sizeof(*mapped));
	size_t first;
	size_t last;

	if (!mapped)
		return -ENOMEM;
	reading->mapped = mapped;
	first = count_mapped_by(reading, modules[index].start);
	if (first > 0 && modules[mapped[first - 1]].end > modules[index].start)
		first--;
	last = count_mapped_by(reading, modules[index].end - 1);
	memmove(&mapped[first + 1], &mapped[last],
	        (reading->mapped_count - last) * sizeof(*mapped));
	mapped[first] = index;
	reading->mapped_count = reading->mapped_count - (last - first) + 1;
	return 0;
}

static int read_module(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_module module = {0};

	module.start = fp_report_take_u64(payload);
	module.end = fp_report_take_u64(payload);
	module.bias = fp_report_take_u64(payload);
	module.path = fp_report_take_string(payload);
	module.build_id = fp_report_take_string(payload);
	module.is_own = fp_report_take_u8(payload) != 0;
	if (payload->is_short || module.start >= module.end)
		return -EBADMSG;
	if (fp_report_append(&report->modules, &report->module_count, &module,
	                     sizeof(*report->modules)) != 0)
		return -ENOMEM;
	return map_module(reading, report->module_count - 1);
}

static int read_addresses(const struct fp_report_reading *reading,
                          struct fp_report_cursor *payload, struct fp_report_trace *trace)
{
	trace->addresses = calloc(trace->count ? trace->count : 1, sizeof(trace->addresses[0]));
	if (!trace->addresses)
		return -ENOMEM;
	for (size_t i = 0; i < trace->count; i++) {
		uint64_t address = fp_report_take_u64(payload);

		trace->addresses[i] =
		        (struct fp_report_address){address, find_mapped(reading, address)};
	}
	return 0;
}

static int read_trace(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_trace trace = {.id = fp_report_take_u32(payload)};
	struct fp_report_trace *traces;
	uint32_t count = fp_report_take_u32(payload);

	if (payload->is_short || count > payload->left / 8 || trace.id == FP_TRACE_NONE)
		return -EBADMSG;
	trace.count = count < TRACE_MAX ? count : TRACE_MAX;
	traces = fp_report_grow(report->traces, report->trace_count, sizeof(*traces));
	if (!traces)
		return -ENOMEM;
	report->traces = traces;
	if (read_addresses(reading, payload, &trace) != 0)
		return -ENOMEM;
	trace.order = report->trace_count;
	traces[report->trace_count++] = trace;
	return 0;
}

static int read_finding(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_finding finding = {.count = 1};
	int result = fp_report_take_record(payload, &fp_report_schema_finding, &finding,
	                                   &report->arena);

	if (result == 0)
		result = fp_report_settle_crash(report, &finding);
	if (result != 0)
		return result;
	return fp_report_append(&report->findings, &report->finding_count, &finding,
	                        sizeof(*report->findings));
}

static int read_finding_count(struct fp_report_reading *reading,
                              struct fp_report_cursor *payload)
{
	struct fp_report_reading_count count;

	count.index = fp_report_take_u32(payload);
	count.count = fp_report_take_u64(payload);
	if (payload->is_short)
		return -EBADMSG;
	return fp_report_append(&reading->counts, &reading->count_count, &count,
	                        sizeof(*reading->counts));
}

static int read_leak(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_leak leak = {0};
	int result =
	        fp_report_take_record(payload, &fp_report_schema_leak, &leak, &report->arena);

	if (result != 0)
		return result;
	/* Only hosts name a level. */
	if (leak.family != FP_FAMILY_HOST)
		leak.level = FP_LEVEL_NONE;
	return fp_report_append(&report->leaks, &report->leak_count, &leak,
	                        sizeof(*report->leaks));
}

static int read_doors(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	reading->report->doors =
	        fp_report_take_u8(payload) & (FP_LOG_DOOR_HOST | FP_LOG_DOOR_MALLOC);
	return 0;
}

static int read_leak_check(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	uint8_t flags = fp_report_take_u8(payload);

	reading->report->are_leaks_looked_for = true;
	reading->report->is_check_repeated = (flags & FP_LOG_CHECK_REPEATED) != 0;
	reading->report->is_check_off = (flags & (FP_LOG_CHECK_OFF | FP_LOG_CHECK_FAILED)) != 0;
	reading->report->has_check_failed = (flags & FP_LOG_CHECK_FAILED) != 0;
	reading->report->is_check_of_news = (flags & FP_LOG_CHECK_NEWS) != 0;
	reading->report->leak_count = 0;
	return 0;
}

static int read_protection(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_protection protection = {0};
	int result = fp_report_take_record(payload, &fp_report_schema_protection, &protection,
	                                   &report->arena);
	uint32_t count = fp_report_take_u32(payload);

	if (result != 0 || payload->is_short)
		return -EBADMSG;
	protection.reasons = report->protection.reasons;
	report->protection = protection;
	reading->has_counts = true;
	for (uint32_t i = 0; i < count; i++) {
		struct fp_report_string text = fp_report_take_string(payload);
		uint64_t blocks = fp_report_take_u64(payload);

		if (payload->is_short)
			return -EBADMSG;
		if (fp_report_append(&report->protection.reasons,
		                     &report->protection.reason_count,
		                     &(struct fp_report_reason){text, blocks},
		                     sizeof(struct fp_report_reason)) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_heap(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report_heap heap = {0};
	int result = fp_report_take_record(payload, &fp_report_schema_heap, &heap,
	                                   &reading->report->arena);

	if (result == 0)
		reading->report->heap = heap;
	return result;
}

static int read_note(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_string text = fp_report_take_string(payload);

	if (payload->is_short)
		return -EBADMSG;
	return fp_report_append(&report->notes, &report->note_count, &text,
	                        sizeof(*report->notes));
}

static int read_suppression(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_string text = fp_report_take_string(payload);

	if (payload->is_short)
		return -EBADMSG;
	return fp_report_append(&report->known, &report->known_count, &text,
	                        sizeof(*report->known));
}

static int read_exit(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	unsigned how = fp_report_take_u8(payload);
	int32_t value;

	fp_report_take_bytes(payload, 3);
	value = (int32_t)fp_report_take_u32(payload);
	if (payload->is_short || how > FP_LOG_EXIT_SIGNAL)
		return -EBADMSG;
	reading->report->exit = how;
	reading->report->exit_value = value;
	return 0;
}

static int read_end(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	(void)payload;
	reading->has_ended = true;
	return 0;
}

static int read_snapshot(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_snapshot snapshot = {0};
	int result = fp_report_take_record(payload, &fp_report_schema_snapshot, &snapshot,
	                                   &report->arena);

	if (result != 0)
		return result;
	return fp_report_append(&report->snapshots, &report->snapshot_count, &snapshot,
	                        sizeof(*report->snapshots));
}

/* The record of the same allocations that was made when the first of them failed, or NULL. */
static struct fp_report_failed *find_failed(struct fp_report *report, uint64_t serial)
{
	for (size_t i = 0; i < report->failed_count; i++)
		if (report->failed[i].serial == serial)
			return &report->failed[i];
	return NULL;
}

static int read_failed_alloc(struct fp_report_reading *reading,
                             struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_failed failed = {0};
	struct fp_report_failed *known;
	int result = fp_report_take_record(payload, &fp_report_schema_failed, &failed,
	                                   &report->arena);

	if (result != 0)
		return result;
	/* Only hosts name a level. */
	if (failed.family != FP_FAMILY_HOST)
		failed.level = FP_LEVEL_NONE;
	known = find_failed(report, failed.serial);
	if (known) {
		*known = failed;
		return 0;
	}
	return fp_report_append(&report->failed, &report->failed_count, &failed,
	                        sizeof(*report->failed));
}

/* What the log says last of growth is what counts: it was the whole of what was known then. */
static int read_growth(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_growth growth = {.is_looked_for = true};
	int result = fp_report_take_record(payload, &fp_report_schema_growth, &growth,
	                                   &report->arena);

	if (result != 0)
		return result;
	fp_report_forget_growing(report);
	growth.stacks = report->growth.stacks;
	report->growth = growth;
	return 0;
}

static int read_growing(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_growing growing = {0};
	struct fp_report_growing *added;
	int result = fp_report_take_record(payload, &fp_report_schema_growing, &growing,
	                                   &report->arena);

	if (result == 0 && (growing.point_count < 2 || !report->growth.is_looked_for))
		result = -EBADMSG;
	if (result != 0)
		return result;
	added = fp_report_add_growing(report);
	if (!added)
		return -ENOMEM;
	*added = growing;
	return 0;
}

int fp_report_read_record(struct fp_report_reading *reading, unsigned type,
                          struct fp_report_cursor *payload)
{
	static int (*const readers[])(struct fp_report_reading *, struct fp_report_cursor *) = {
	        [FP_LOG_PROCESS] = read_process,
	        [FP_LOG_SETTING] = read_setting,
	        [FP_LOG_MODULE] = read_module,
	        [FP_LOG_TRACE] = read_trace,
	        [FP_LOG_FINDING] = read_finding,
	        [FP_LOG_FINDING_COUNT_IS] = read_finding_count,
	        [FP_LOG_LEAK] = read_leak,
	        [FP_LOG_LEAK_CHECK] = read_leak_check,
	        [FP_LOG_PROTECTION] = read_protection,
	        [FP_LOG_HEAP] = read_heap,
	        [FP_LOG_NOTE] = read_note,
	        [FP_LOG_EXIT] = read_exit,
	        [FP_LOG_END] = read_end,
	        [FP_LOG_SNAPSHOT] = read_snapshot,
	        [FP_LOG_FAILED_ALLOC] = read_failed_alloc,
	        [FP_LOG_GROWTH] = read_growth,
	        [FP_LOG_GROWING] = read_growing,
	        [FP_LOG_SUPPRESSION] = read_suppression,
	        [FP_LOG_DOORS] = read_doors,
	};

	if (type >= sizeof(readers) / sizeof(readers[0]) || !readers[type])
		return 0;
	return readers[type](reading, payload);
}
