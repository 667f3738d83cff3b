/* SPDX-License-Identifier: Apache-2.0
 *
 * The frame of the event log: header, record by record, and what can only be settled when all
 * of them are known. A damaged record is skipped as long as its length leads to the next one; a
 * length that leads out of the log ends the reading.
 *
 * Most records are taken as model/schema.def says, the others by one function each, in the
 * order written in log/format.h. They are added to the report only when all fields were there
 * and within their enums.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool_messages.h"
#include "report/finding.h"
#include "report/leaks.h"
#include "report/report.h"
#include "report/schema.h"

/* Once a field did not fit, IS_SHORT stays set and every further field is 0 or empty. */
struct cursor {
	const uint8_t *at;
	size_t left;
	bool is_short;
};

static struct fp_report_string take_bytes(struct cursor *cursor, size_t size)
{
	const struct fp_report_string bytes = {(const char *)cursor->at, size};

	if (cursor->is_short || size > cursor->left) {
		cursor->is_short = true;
		return (struct fp_report_string){"", 0};
	}
	cursor->at += size;
	cursor->left -= size;
	return bytes;
}

static uint64_t take_integer(struct cursor *cursor, size_t size)
{
	struct fp_report_string bytes = take_bytes(cursor, size);
	uint64_t value = 0;

	for (size_t i = bytes.size; i > 0; i--)
		value = value << 8 | (uint8_t)bytes.bytes[i - 1];
	return value;
}

static uint32_t take_u32(struct cursor *cursor)
{
	return (uint32_t)take_integer(cursor, 4);
}

static uint64_t take_u64(struct cursor *cursor)
{
	return take_integer(cursor, 8);
}

static struct fp_report_string take_string(struct cursor *cursor)
{
	return take_bytes(cursor, take_u32(cursor));
}

/* What an item has at least. */
static size_t bytes_of(const struct fp_schema_record *schema)
{
	size_t bytes = 0;

	for (size_t i = 0; i < schema->count; i++)
		bytes += schema->fields[i].since > 0 ? schema->fields[i].bytes : 0;
	return bytes;
}

static int take_record(struct cursor *cursor, const struct fp_schema_record *schema,
                       void *record, struct fp_report_arena *arena);

static int take_items(struct cursor *cursor, const struct fp_schema_record *schema,
                      struct fp_report_arena *arena, fp_schema_pointer *items, size_t *count)
{
	size_t claimed = take_u32(cursor);
	int result = 0;

	/* Older logs end before it. */
	if (cursor->is_short)
		return 0;
	if (claimed > cursor->left / bytes_of(schema))
		return -EBADMSG;
	*items = fp_report_arena_take(arena, claimed * schema->size);
	if (!*items)
		return -ENOMEM;
	*count = claimed;
	for (size_t i = 0; result == 0 && i < claimed; i++)
		result = take_record(cursor, schema, (char *)*items + i * schema->size, arena);
	return result;
}

static int take_field(struct cursor *cursor, const struct fp_schema_field *field, char *record,
                      struct fp_report_arena *arena)
{
	const struct fp_schema_words *words = field->of;
	void *at = record + field->offset;
	uint64_t number;

	switch (field->form) {
	case FP_SCHEMA_TEXT:
	case FP_SCHEMA_PATH:
	case FP_SCHEMA_WORD:
	case FP_SCHEMA_BYTES:
	case FP_SCHEMA_SETTING:
		*(struct fp_report_string *)at = take_string(cursor);
		return 0;
	case FP_SCHEMA_THERE:
		*(bool *)at = !cursor->is_short && cursor->left > 0;
		return 0;
	case FP_SCHEMA_BLOCK:
		if (!fp_report_schema_has(field, record))
			return 0;
		__attribute__((fallthrough));
	case FP_SCHEMA_RECORD:
		return take_record(cursor, field->of, at, arena);
	case FP_SCHEMA_ARRAY:
	case FP_SCHEMA_NAMED:
	case FP_SCHEMA_MAP:
		return take_items(cursor, field->of, arena, at,
		                  (size_t *)(record + field->more));
	default:
		number = take_integer(cursor, field->bytes);
		if (field->form == FP_SCHEMA_ENUM && number >= words->count)
			return -EBADMSG;
		if (field->form == FP_SCHEMA_FLAG)
			number = number != 0;
		fp_report_schema_store(at, field->size, number);
		return 0;
	}
}

/* Takes what SCHEMA has, in the order of its members' `since`, into RECORD, which is zeroed;
 * arrays come from ARENA. 0; -EBADMSG when it is too short or a number is none of its enum's;
 * -ENOMEM. */
static int take_record(struct cursor *cursor, const struct fp_schema_record *schema,
                       void *record, struct fp_report_arena *arena)
{
	int result = 0;

	for (unsigned since = 1; result == 0 && since <= FP_SCHEMA_SINCE_MAX; since++) {
		const struct fp_schema_field *field = fp_schema_find(schema, since);

		if (field)
			result = take_field(cursor, field, record, arena);
		if (cursor->is_short && since <= schema->least)
			result = -EBADMSG;
	}
	return result;
}

/* FP_LOG_FINDING_COUNT_IS, kept until all findings are known. */
struct reading_count {
	uint32_t index;
	uint64_t count;
};

/* A report in the making. */
struct reading {
	struct fp_report *report;
	size_t *mapped; /* indices of the modules that are mapped now, by start, not overlapping
	                 */
	size_t mapped_count;
	struct reading_count *counts;
	size_t count_count;
	bool has_ended;  /* FP_LOG_END was seen */
	bool has_counts; /* FP_LOG_PROTECTION was */
};

enum { TRACE_MAX = FP_TRACE_DEPTH_MAX + 1 + FP_TRACE_OUTER };

static int read_process(struct reading *reading, struct cursor *payload)
{
	struct fp_report *report = reading->report;
	uint32_t pid = take_u32(payload);
	uint32_t ppid = take_u32(payload);
	struct fp_report_string executable;
	uint32_t page_bytes = take_u32(payload);
	uint32_t count;

	take_string(payload); /* version of the library */
	executable = take_string(payload);
	count = take_u32(payload);
	if (payload->is_short)
		return -EBADMSG;
	report->pid = pid;
	report->ppid = ppid;
	report->page_bytes = page_bytes;
	report->executable = executable;
	report->argument_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct fp_report_string argument = take_string(payload);

		if (payload->is_short)
			return -EBADMSG;
		if (fp_report_append(&report->arena, &report->arguments,
		                     &report->argument_count, &argument,
		                     sizeof(*report->arguments)) != 0)
			return -ENOMEM;
	}
	report->started = take_u64(payload);
	return 0;
}

/* How many mapped modules start at or below ADDRESS. */
static size_t count_mapped_by(const struct reading *reading, uint64_t address)
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

static int64_t find_mapped(const struct reading *reading, uint64_t address)
{
	size_t count = count_mapped_by(reading, address);

	if (count == 0 || reading->report->modules[reading->mapped[count - 1]].end <= address)
		return -1;
	return (int64_t)reading->mapped[count - 1];
}

/* Maps the module at INDEX, unmapping what was at its addresses. */
static int map_module(struct reading *reading, size_t index)
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

static int read_module(struct reading *reading, struct cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_module module = {0};

	module.start = take_u64(payload);
	module.end = take_u64(payload);
	module.bias = take_u64(payload);
	module.path = take_string(payload);
	module.build_id = take_string(payload);
	module.is_own = take_integer(payload, 1) != 0;
	if (payload->is_short || module.start >= module.end)
		return -EBADMSG;
	if (fp_report_append(&report->arena, &report->modules, &report->module_count, &module,
	                     sizeof(*report->modules)) != 0)
		return -ENOMEM;
	return map_module(reading, report->module_count - 1);
}

static int read_addresses(const struct reading *reading, struct cursor *payload,
                          struct fp_report_trace *trace)
{
	trace->addresses = fp_report_arena_take(&reading->report->arena,
	                                        trace->count * sizeof(trace->addresses[0]));
	if (!trace->addresses)
		return -ENOMEM;
	for (size_t i = 0; i < trace->count; i++) {
		uint64_t address = take_u64(payload);

		trace->addresses[i] =
		        (struct fp_report_address){address, find_mapped(reading, address)};
	}
	return 0;
}

static int read_trace(struct reading *reading, struct cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_trace trace = {.id = take_u32(payload)};
	uint32_t count = take_u32(payload);

	if (payload->is_short || count > payload->left / 8 || trace.id == FP_TRACE_NONE)
		return -EBADMSG;
	trace.count = count < TRACE_MAX ? count : TRACE_MAX;
	if (read_addresses(reading, payload, &trace) != 0)
		return -ENOMEM;
	trace.order = report->trace_count;
	return fp_report_append(&report->arena, &report->traces, &report->trace_count, &trace,
	                        sizeof(trace));
}

static int read_leak_check(struct reading *reading, struct cursor *payload)
{
	unsigned flags = (unsigned)take_integer(payload, 1);

	reading->report->are_leaks_looked_for = true;
	reading->report->is_check_repeated = (flags & FP_LOG_CHECK_REPEATED) != 0;
	reading->report->is_check_off = (flags & (FP_LOG_CHECK_OFF | FP_LOG_CHECK_FAILED)) != 0;
	reading->report->has_check_failed = (flags & FP_LOG_CHECK_FAILED) != 0;
	reading->report->is_check_of_news = (flags & FP_LOG_CHECK_NEWS) != 0;
	reading->report->leak_count = 0;
	return 0;
}

static int read_made(struct reading *reading, struct cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_symbol_piece piece = {.start = take_u64(payload)};
	struct fp_report_string name;

	piece.size = take_u64(payload);
	name = take_string(payload);
	piece.name = name.bytes;
	piece.name_size = name.size;
	return payload->is_short ? -EBADMSG
	                         : fp_report_append(&report->arena, &report->made,
	                                            &report->made_count, &piece, sizeof(piece));
}

static int read_exit(struct reading *reading, struct cursor *payload)
{
	unsigned how = (unsigned)take_integer(payload, 1);

	reading->report->is_exit_own = take_integer(payload, 1) != 0;
	take_bytes(payload, 2);
	int32_t value = (int32_t)take_u32(payload);
	if (payload->is_short || how > FP_LOG_EXIT_SIGNAL)
		return -EBADMSG;
	reading->report->exit = how;
	reading->report->exit_value = value;
	return 0;
}

/* What settles a record returns 0, and it is added to its list; SETTLED: it is not; or a
 * negative errno. */
enum { SETTLED = 1 };

static int settle_finding(struct reading *reading, void *record)
{
	struct fp_report_finding *finding = record;

	finding->count = 1;
	return fp_report_settle_crash(reading->report, finding);
}

/* Only hosts name a level. */
static int settle_leak(struct reading *reading, void *record)
{
	struct fp_report_leak *leak = record;

	(void)reading;
	if (leak->family != FP_FAMILY_HOST)
		leak->level = FP_LEVEL_NONE;
	return 0;
}

static int settle_failed(struct reading *reading, void *record)
{
	struct fp_report *report = reading->report;
	struct fp_report_failed *failed = record;

	if (failed->family != FP_FAMILY_HOST)
		failed->level = FP_LEVEL_NONE;
	/* The same allocations were told of when the first of them failed. */
	for (size_t i = 0; i < report->failed_count; i++) {
		if (report->failed[i].serial != failed->serial)
			continue;
		report->failed[i] = *failed;
		return SETTLED;
	}
	return 0;
}

static int settle_protection(struct reading *reading, void *record)
{
	reading->report->protection = *(const struct fp_report_protection *)record;
	reading->has_counts = true;
	return SETTLED;
}

static int settle_heap(struct reading *reading, void *record)
{
	reading->report->heap = *(const struct fp_report_heap *)record;
	return SETTLED;
}

/* What the log says last of growth is what counts: it was the whole of what was known then. */
static int settle_growth(struct reading *reading, void *record)
{
	reading->report->growth = *(const struct fp_report_growth *)record;
	reading->report->growth.is_looked_for = true;
	return SETTLED;
}

static int settle_growing(struct reading *reading, void *record)
{
	const struct fp_report_growing *growing = record;

	return growing->point_count < 2 || !reading->report->growth.is_looked_for ? -EBADMSG
	                                                                          : 0;
}

static int settle_held(struct reading *reading, void *record)
{
	const struct fp_report_held *held = record;
	struct fp_report_growth *growth = &reading->report->growth;

	for (size_t i = 0; i < growth->count; i++)
		if (growth->stacks[i].trace == held->trace)
			fp_report_set_held(&growth->stacks[i], held);
	return SETTLED;
}

static int settle_explanation(struct reading *reading, void *record)
{
	struct fp_report *report = reading->report;

	report->explanation =
	        fp_report_arena_take(&report->arena, sizeof(*report->explanation));
	if (!report->explanation)
		return -ENOMEM;
	*report->explanation = *(const struct fp_report_explanation *)record;
	return SETTLED;
}

/* A text and nothing else. */
static const struct fp_schema_record sentence = {
        .fields = &(const struct fp_schema_field){.form = FP_SCHEMA_TEXT, .since = 1},
        .count = 1,
        .size = sizeof(struct fp_report_string),
        .least = 1};

/* Records by the schema, which are added to a list of the report. */
struct listed {
	const struct fp_schema_record *schema;
	int (*settle)(struct reading *reading, void *record);
	size_t items; /* where the list is in the report, and its count */
	size_t count;
};

static const struct listed *find_listed(unsigned type)
{
#define LISTED(name, settle, items, count)                                                     \
	{                                                                                      \
		&name, settle, offsetof(struct fp_report, items),                              \
		        offsetof(struct fp_report, count)                                      \
	}
	static const struct listed rows[] = {
	        [FP_LOG_SETTING] =
	                LISTED(fp_report_schema_setting, NULL, settings, setting_count),
	        [FP_LOG_FINDING] = LISTED(fp_report_schema_finding, settle_finding, findings,
	                                  finding_count),
	        [FP_LOG_LEAK] = LISTED(fp_report_schema_leak, settle_leak, leaks, leak_count),
	        [FP_LOG_PROTECTION] = {.schema = &fp_report_schema_protection,
	                               .settle = settle_protection},
	        [FP_LOG_HEAP] = {.schema = &fp_report_schema_heap, .settle = settle_heap},
	        [FP_LOG_NOTE] = LISTED(sentence, NULL, notes, note_count),
	        [FP_LOG_SNAPSHOT] =
	                LISTED(fp_report_schema_snapshot, NULL, snapshots, snapshot_count),
	        [FP_LOG_FAILED_ALLOC] =
	                LISTED(fp_report_schema_failed, settle_failed, failed, failed_count),
	        [FP_LOG_GROWTH] = {.schema = &fp_report_schema_growth, .settle = settle_growth},
	        [FP_LOG_GROWING] = LISTED(fp_report_schema_growing, settle_growing,
	                                  growth.stacks, growth.count),
	        [FP_LOG_SUPPRESSION] = LISTED(sentence, NULL, known, known_count),
	        [FP_LOG_EXPLANATION] = {.schema = &fp_report_schema_explanation,
	                                .settle = settle_explanation},
	        [FP_LOG_HELD] = {.schema = &fp_report_schema_held, .settle = settle_held},
	};

	return type < sizeof(rows) / sizeof(rows[0]) && rows[type].schema ? &rows[type] : NULL;
}

static int read_listed(struct reading *reading, const struct listed *listed,
                       struct cursor *payload)
{
	struct fp_report *report = reading->report;
	_Static_assert(sizeof(struct fp_report_leak) <= sizeof(struct fp_report_finding),
	               "a finding is the largest");
	_Alignas(max_align_t) char record[sizeof(struct fp_report_finding)] = {0};
	int result = take_record(payload, listed->schema, record, &report->arena);

	if (result == 0 && listed->settle)
		result = listed->settle(reading, record);
	if (result == 0)
		result = fp_report_append(&report->arena, (char *)report + listed->items,
		                          (void *)((char *)report + listed->count), record,
		                          listed->schema->size);
	return result == SETTLED ? 0 : result;
}

static int read_finding_count(struct reading *reading, struct cursor *payload)
{
	struct reading_count count;

	count.index = take_u32(payload);
	count.count = take_u64(payload);
	return payload->is_short
	               ? -EBADMSG
	               : fp_report_append(&reading->report->arena, &reading->counts,
	                                  &reading->count_count, &count, sizeof(count));
}

/* 0; -EBADMSG when PAYLOAD is not a whole record of TYPE, of which then little or nothing was
 * taken; -ENOMEM. Unknown types are skipped. */
static int read_record(struct reading *reading, unsigned type, struct cursor *payload)
{
	const struct listed *listed = find_listed(type);

	if (listed)
		return read_listed(reading, listed, payload);
	switch (type) {
	case FP_LOG_PROCESS:
		return read_process(reading, payload);
	case FP_LOG_MODULE:
		return read_module(reading, payload);
	case FP_LOG_TRACE:
		return read_trace(reading, payload);
	case FP_LOG_FINDING_COUNT_IS:
		return read_finding_count(reading, payload);
	case FP_LOG_LEAK_CHECK:
		return read_leak_check(reading, payload);
	case FP_LOG_EXIT:
		return read_exit(reading, payload);
	case FP_LOG_DOORS:
		reading->report->doors = (uint8_t)(take_integer(payload, 1) &
		                                   (FP_LOG_DOOR_HOST | FP_LOG_DOOR_MALLOC));
		return 0;
	case FP_LOG_MADE:
		return read_made(reading, payload);
	case FP_LOG_END:
		reading->has_ended = true;
		return 0;
	default:
		return 0;
	}
}

enum { MAGIC_BYTES = sizeof(FP_LOG_MAGIC) - 1 };

static int check_header(struct cursor *log)
{
	struct fp_report_string magic = take_bytes(log, MAGIC_BYTES);
	uint32_t version = take_u32(log);

	take_u32(log);
	if (log->is_short || memcmp(magic.bytes, FP_LOG_MAGIC, MAGIC_BYTES) != 0)
		return -EINVAL;
	return version == FP_LOG_VERSION ? 0 : -ENOTSUP;
}

/* Takes the next record's type and payload; false when what is left holds no record. */
static bool next_record(struct cursor *log, unsigned *type, struct cursor *payload)
{
	unsigned zero;
	uint32_t size;
	struct fp_report_string bytes;

	*type = (unsigned)take_integer(log, 2);
	zero = (unsigned)take_integer(log, 2);
	size = take_u32(log);
	if (zero != 0)
		log->is_short = true;
	bytes = take_bytes(log, size);
	*payload = (struct cursor){.at = (const uint8_t *)bytes.bytes, .left = bytes.size};
	return !log->is_short;
}

/* Whoever waited for the process may know how it ended. What it said itself it went on after.
 */
static const char *reason_of(const struct fp_report *report)
{
	switch (report->is_exit_own ? FP_LOG_EXIT_UNKNOWN : report->exit) {
	case FP_LOG_EXIT_CODE:
		return FP_SAY_ENDED_UNSEEN;
	case FP_LOG_EXIT_SIGNAL:
		return FP_SAY_KILLED_UNSEEN;
	default:
		return FP_SAY_EVENT_LOG_ENDS;
	}
}

static int note_damage(const struct reading *reading, size_t end, size_t size, size_t damaged)
{
	int result = 0;

	reading->report->is_cut_short = !reading->has_ended;
	reading->report->is_uncounted = !reading->has_counts;
	if (end < size)
		result = fp_report_note(reading->report, FP_SAY_EVENT_LOG_CUT, end, size);
	else if (!reading->has_ended)
		result = fp_report_note(reading->report, "%s", reason_of(reading->report));
	if (result == 0 && damaged > 0)
		result = fp_report_note(reading->report, FP_SAY_DAMAGED_NEWER_RECORDS, damaged);
	return result;
}

static int read_records(struct reading *reading, struct cursor *log)
{
	const uint8_t *start = log->at - FP_LOG_HEADER_BYTES;
	const uint8_t *end = log->at + log->left;
	size_t damaged = 0;

	while (log->left > 0 && !reading->has_ended) {
		const uint8_t *record = log->at;
		struct cursor payload;
		unsigned type;
		int result;

		if (!next_record(log, &type, &payload))
			return note_damage(reading, (size_t)(record - start),
			                   (size_t)(end - start), damaged);
		result = read_record(reading, type, &payload);
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
	for (size_t i = 1; i < report->trace_count; i++)
		if (traces[i].id != traces[kept].id)
			traces[++kept] = traces[i];
	report->trace_count = kept + 1;
}

static int compare_findings(const void *left, const void *right)
{
	const struct fp_report_finding *a = left;
	const struct fp_report_finding *b = right;

	return (a->index > b->index) - (a->index < b->index);
}

static void apply_counts(const struct reading *reading)
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

static int settle(const struct reading *reading)
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
	struct cursor log = {.at = data, .left = size};
	struct reading reading = {0};
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
	return result;
}
